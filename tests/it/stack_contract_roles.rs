//! Every route of the contract as everybody who could call it: nobody gets more than their role, an answer that is not
//! promised, or a word of another tenant's data.

use std::collections::BTreeMap;

use bokbro_tests::contract::{Answered, Contract, Route, ask};
use bokbro_tests::stack::{Stack, own_sample, read};
use futures::StreamExt as _;
use proptest::test_runner::TestRunner;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::stack_contract::{ROLES, contract, owner_elsewhere, parked};
use crate::stack_contract_fuzz::{change, changed, draw};

/// Requests at a time.
const AT_ONCE: usize = 4;
/// Odd bodies for each route that takes one, for each caller.
const BODIES: usize = 3;

/// Somebody who calls from the other tenant, or from nowhere.
struct Caller {
    name: &'static str,
    key: Option<String>,
    /// Place in the order of roles; none for those whom nobody knows.
    rank: Option<usize>,
}

/// What the first tenant has that nobody else may see.
struct Planted {
    /// A text that stands in all of it, and that nobody sends.
    mark: String,
    /// An id of each kind of thing, by what ids of that kind begin with.
    ids: BTreeMap<&'static str, String>,
    /// Where lists of it go on.
    cursors: Vec<String>,
}

impl Planted {
    async fn new(stack: &Stack) -> Self {
        let mark = format!("mark{}", Uuid::new_v4().simple());
        let mut ids = BTreeMap::new();
        for number in [0, 1] {
            let mut order = own_sample();
            order["order_number"] = json!(format!("{mark}-{number}"));
            order["customer"]["name"] = json!(mark);
            let (status, order) = stack.post(&order).await;
            assert_eq!(status, StatusCode::CREATED, "{order}");
            ids.insert("ord_", order["id"].as_str().unwrap().to_owned());
        }
        ids.insert("prk_", parked(stack, &mark).await);
        let make = stack.request(Method::POST, "/v1/api-keys").json(&json!({"name": mark, "role": "viewer"}));
        ids.insert("key_", read(make).await.1["id"].as_str().unwrap().to_owned());
        let sync = stack.request(Method::POST, "/v1/orders/sync-pending");
        ids.insert("job_", read(sync).await.1["id"].as_str().unwrap().to_owned());
        let mut cursors = Vec::new();
        for path in ["/v1/orders", "/v1/parked", "/v1/audit", "/v1/jobs"] {
            let listed = stack.get(&format!("{path}?limit=1")).await;
            cursors.extend(listed["next"].as_str().map(str::to_owned));
        }
        assert!(!cursors.is_empty());
        // Whoever may see it does, or nothing would show that others do not.
        for path in ["/v1/orders", "/v1/parked?limit=200", "/v1/api-keys", "/v1/audit?limit=200"] {
            let seen = ask(stack.request(Method::GET, path)).await;
            assert!(seen.text.contains(&mark), "{path}");
        }
        Self { mark, ids, cursors }
    }

    /// The path of a route to something of the first tenant's.
    fn path(&self, route: &Route) -> String {
        let prefix = route.about["parameters"].as_array().unwrap().iter().find(|one| one["name"] == "id");
        let pattern = prefix.and_then(|one| one["schema"]["pattern"].as_str()).unwrap_or_default();
        let id = self.ids.iter().find(|(kind, _)| pattern.contains(**kind)).map(|(_, id)| id.clone());
        assert_eq!(id.is_some(), prefix.is_some(), "{pattern} of {}", route.id());
        let provider = ("provider", "viva".to_owned());
        let known = [provider].into_iter().chain(id.map(|id| ("id", id))).collect();
        route.at(&known, "x")
    }
}

/// One request, and what must not come of it.
struct Tried<'a> {
    route: &'a Route,
    caller: &'a Caller,
    name: String,
    request: RequestBuilder,
    /// Whether it names what the first tenant has.
    foreign: bool,
}

async fn callers(stack: &Stack) -> Vec<Caller> {
    let owner = owner_elsewhere(stack).await;
    let make = async |role: &str| {
        let request = stack.stranger(Method::POST, "/v1/api-keys").bearer_auth(&owner);
        let (status, made) = read(request.json(&json!({"name": "role", "role": role}))).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
    };
    let (id, revoked) = make("owner").await;
    let revoke = stack.stranger(Method::DELETE, &format!("/v1/api-keys/{id}")).bearer_auth(&owner);
    assert_eq!(read(revoke).await.0, StatusCode::OK);
    let mut callers = vec![
        Caller { name: "nobody", key: None, rank: None },
        Caller { name: "a revoked key", key: Some(revoked), rank: None },
    ];
    for (rank, role) in ROLES.into_iter().enumerate() {
        callers.push(Caller { name: role, key: Some(make(role).await.1), rank: Some(rank) });
    }
    callers
}

fn tries<'a>(
    stack: &Stack,
    planted: &Planted,
    route: &'a Route,
    caller: &'a Caller,
    runner: &mut TestRunner,
) -> Vec<Tried<'a>> {
    let path = planted.path(route);
    let foreign = route.parameters("path").contains(&"id");
    let mut tries = Vec::new();
    let mut push = |query: String, body: Option<String>| {
        let address = format!("{path}{query}");
        let name =
            format!("{}: {} {address} {}", caller.name, route.method, body.as_deref().unwrap_or_default());
        // Those whom nobody knows come from elsewhere, so that others are not slowed down with them.
        let mut request =
            stack.stranger(route.method.clone(), &address).header("x-local-source", "192.0.2.7");
        request = request.header("accept", "application/json");
        if let Some(key) = &caller.key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        tries.push(Tried { route, caller, name, request, foreign });
    };
    let posted = route.posted().map(|(_, example)| example);
    push(String::new(), posted.map(ToString::to_string));
    for _ in 0..posted.map_or(0, |_| BODIES) {
        push(String::new(), posted.map(|example| changed(example, &draw(runner, &change())).to_string()));
    }
    if route.parameters("query").contains(&"cursor") {
        planted.cursors.iter().for_each(|cursor| push(format!("?cursor={cursor}"), None));
    }
    if route.parameters("query").contains(&"order") {
        push(format!("?order={}", planted.ids["ord_"]), None);
    }
    tries
}

/// What is wrong with an answer, if anything is.
fn wrong(contract: &Contract, planted: &Planted, tried: &Tried<'_>, answered: &Answered) -> Option<String> {
    let Tried { route, caller, foreign, .. } = tried;
    let status = answered.status;
    if answered.text.contains(&planted.mark) {
        return Some(format!("tells what is another tenant's: {answered:?}"));
    }
    if status.is_server_error() {
        return Some(format!("{answered:?}"));
    }
    if let Some(why) = contract.wrong(route, answered) {
        return Some(why);
    }
    let needed = route.role().map(|role| ROLES.iter().position(|known| *known == role).unwrap());
    let allowed: fn(StatusCode) -> bool = match (needed, caller.rank) {
        (None, _) => |_| true,
        (Some(_), None) if caller.key.is_none() => |status| status == StatusCode::UNAUTHORIZED,
        (Some(_), None) => {
            |status| [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS].contains(&status)
        }
        (Some(needed), Some(rank)) if rank < needed => |status| status == StatusCode::FORBIDDEN,
        (Some(_), Some(_)) if *foreign => |status| status.is_client_error(),
        (Some(_), Some(_)) => |status| ![401, 403].contains(&status.as_u16()),
    };
    (!allowed(status)).then(|| format!("{status} to {}", caller.name))
}

#[tokio::test]
async fn nobody_gets_more_than_their_role_or_a_word_of_another_tenant_s() {
    let Some(stack) = Stack::alone() else { return };
    let contract = contract(&stack).await;
    let roles: Vec<String> =
        contract.routes().iter().filter_map(|route| route.role().map(str::to_owned)).collect();
    assert!(ROLES.iter().all(|role| roles.iter().any(|needed| needed == role)), "{roles:?}");
    let planted = Planted::new(&stack).await;
    let (routes, callers) = (contract.routes(), callers(&stack).await);
    let mut runner = TestRunner::deterministic();
    let mut all = Vec::new();
    for (route, caller) in routes.iter().flat_map(|route| callers.iter().map(move |caller| (route, caller))) {
        all.extend(tries(&stack, &planted, route, caller, &mut runner));
    }
    let count = all.len();
    let answered = futures::stream::iter(all).map(async |tried| {
        let answered = ask(tried.request.try_clone().unwrap()).await;
        wrong(&contract, &planted, &tried, &answered).map(|why| format!("{}: {why}", tried.name))
    });
    let wrong: Vec<String> =
        answered.buffer_unordered(AT_ONCE).filter_map(async |wrong| wrong).collect().await;
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > routes.len() * callers.len(), "{count} requests");
    let mine = stack.request(Method::DELETE, &format!("/v1/api-keys/{}", planted.ids["key_"]));
    assert_eq!(read(mine).await.0, StatusCode::OK);
}
