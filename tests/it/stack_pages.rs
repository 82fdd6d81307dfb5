//! The pages against the real binaries: who sees what, what browsers are told with every answer, and a day's work with
//! nothing but pages.

use std::time::Duration;

use bokbro_tests::stack::{LIMIT, Ordered, Stack, own_sample, read, until};
use bokbro_tests::visitor::{Shown, Visitor, person};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::stack_replay::{bury, payment};

/// Room for style and script, in bytes: a page and both are under 100 KiB.
const ASSETS: usize = 10 * 1024;
const ULID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
/// The roles, the least first.
pub(crate) const ROLES: [&str; 4] = ["viewer", "operator", "bookkeeper", "owner"];
/// Every page and the least role that sees it.
pub(crate) const PAGES: [(&str, &str); 15] = [
    ("/app", "viewer"),
    ("/app/guide", "viewer"),
    ("/app/orders", "viewer"),
    ("/app/orders/{id}", "viewer"),
    ("/app/api", "viewer"),
    ("/app/jobs", "bookkeeper"),
    ("/app/jobs/{id}", "bookkeeper"),
    ("/app/dead-letters", "operator"),
    ("/app/parked", "bookkeeper"),
    ("/app/parked/{id}", "bookkeeper"),
    ("/app/connections", "bookkeeper"),
    ("/app/audit", "owner"),
    ("/app/settings", "owner"),
    ("/app/keys", "owner"),
    // Whoever comes.
    ("/app/sign-in", ""),
];
/// Every form and the least role that may send it.
const FORMS: [(&str, &str); 16] = [
    ("/app/sign-out", "viewer"),
    ("/app/tenant", "viewer"),
    ("/app/language", "viewer"),
    ("/app/orders/test", "operator"),
    ("/app/orders/{id}/sync", "operator"),
    ("/app/orders/{id}/cancel", "operator"),
    ("/app/dead-letters/replay", "operator"),
    ("/app/parked/{id}/resolve", "bookkeeper"),
    ("/app/connections/{provider}/check", "bookkeeper"),
    ("/app/connections/{provider}/refresh", "bookkeeper"),
    ("/app/connections/{provider}/sync", "bookkeeper"),
    ("/app/connections/{provider}", "owner"),
    ("/app/connections/{provider}/disconnect", "owner"),
    ("/app/settings", "owner"),
    ("/app/keys", "owner"),
    ("/app/keys/{id}/revoke", "owner"),
];
/// The address of a route for something that is not there.
pub(crate) fn nowhere(path: &str) -> String {
    let kind = [("orders", "ord"), ("jobs", "job"), ("parked", "prk"), ("keys", "key")];
    let kind = kind.into_iter().find(|(name, _)| path.contains(name)).map_or("", |(_, kind)| kind);
    path.replace("{id}", &format!("{kind}_{ULID}")).replace("{provider}", "nobody")
}

/// Whether a role is enough where another is the least.
pub(crate) fn may(role: &str, least: &str) -> bool {
    let rank = |name: &str| ROLES.iter().position(|role| *role == name);
    rank(role) >= rank(least)
}

/// Addresses of the admin function's routes of a kind, in order.
pub(crate) fn routes(verb: &str, needs: &str) -> Vec<String> {
    let routes = include_str!("../../functions/admin/src/routes.rs");
    let verb = format!("route({verb}");
    let lines = routes.lines().filter(|line| line.contains(&verb) && line.contains(needs));
    let mut paths: Vec<String> = lines.filter_map(|line| Some(line.split('"').nth(1)?.to_owned())).collect();
    paths.sort();
    paths
}

/// The tables above name every page and form that there is.
#[test]
fn every_route_of_the_pages_is_in_the_tables() {
    let sorted = |paths: Vec<&str>| {
        let mut paths: Vec<String> = paths.into_iter().map(str::to_owned).collect();
        paths.sort();
        paths
    };
    let pages = PAGES.iter().filter(|(_, least)| !least.is_empty()).map(|(path, _)| *path).collect();
    assert_eq!(routes("Get", " Page("), sorted(pages));
    let forms = FORMS.iter().map(|(path, _)| *path).collect();
    assert_eq!(routes("Post", " Form("), sorted(forms));
}

#[tokio::test]
async fn everybody_sees_and_sends_what_their_role_allows_and_nothing_else() {
    let Some(stack) = Stack::shared() else { return };
    for role in ROLES {
        let mut visitor = Visitor::signed_in(&stack, &person(role)).await;
        let menu = visitor.get("/app").await.html;
        for (path, least) in PAGES {
            let shown = visitor.send(Method::GET, &nowhere(path), &[]).await.status();
            let there = if path.contains('{') { StatusCode::NOT_FOUND } else { StatusCode::OK };
            assert_eq!(
                shown,
                if may(role, least) { there } else { StatusCode::FORBIDDEN },
                "{role} at {path}"
            );
            // Nobody is shown the way to a page that they would be refused.
            let linked = menu.contains(&format!("href=\"{path}\""));
            let listed = path != "/app/sign-in" && !path.contains('{');
            assert_eq!(linked, listed && may(role, least), "the menu of {role} and {path}");
        }
        for (path, least) in FORMS {
            // With the token of another session, so that nothing happens.
            let sent = visitor.send(Method::POST, &nowhere(path), &[("form_token", "0")]).await.status();
            let expected = if may(role, least) { StatusCode::BAD_REQUEST } else { StatusCode::FORBIDDEN };
            assert_eq!(sent, expected, "{role} to {path}");
        }
        let token = visitor.get("/app").await.form_token();
        for (path, least) in FORMS {
            let changes_nothing = path.contains('{');
            if changes_nothing && may(role, least) {
                let sent =
                    visitor.send(Method::POST, &nowhere(path), &[("form_token", &token)]).await.status();
                assert_eq!(sent, StatusCode::NOT_FOUND, "{role} to {path}");
            }
        }
    }
    let mut nobody = Visitor::to(&stack);
    for (path, _) in PAGES.into_iter().filter(|(_, least)| !least.is_empty()) {
        let sent = nobody.send(Method::GET, &nowhere(path), &[]).await;
        assert_eq!(sent.status(), StatusCode::SEE_OTHER, "{path}");
        assert!(sent.headers()["location"].to_str().unwrap().starts_with("/app/sign-in?to=%2Fapp"), "{path}");
    }
    for (path, _) in FORMS {
        let sent = nobody.send(Method::POST, &nowhere(path), &[]).await;
        assert_eq!(sent.status(), StatusCode::SEE_OTHER, "{path}");
        assert_eq!(sent.headers()["location"], "/app/sign-in?to=%2Fapp", "{path}");
    }
}

/// What browsers must be told with an answer, whatever it is.
fn is_protected(what: &str, answer: &Response) {
    let header = |name: &str| {
        let values: Vec<_> =
            answer.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(values.len(), 1, "{what}: {name} is {values:?}");
        values[0].to_owned()
    };
    let policy = header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.split("; ").any(|directive| directive == part), "{what}: {policy}");
    }
    assert!(
        !policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"),
        "{what}: {policy}"
    );
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(header("referrer-policy"), "same-origin", "{what}");
    assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{what}");
    assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{what}");
    assert!(header("strict-transport-security").starts_with("max-age="), "{what}");
    let kept =
        if what.contains("/app/assets/bokbro-") { "public, max-age=31536000, immutable" } else { "no-store" };
    assert_eq!(header("cache-control"), kept, "{what}");
    for cookie in answer.headers().get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap();
        for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax"] {
            assert!(cookie.contains(attribute), "{what}: {cookie}");
        }
        let whole =
            cookie.starts_with("__Host-") && cookie.contains("; Path=/;") && !cookie.contains("Domain");
        assert!(whole || cookie.starts_with("bokbro-language="), "{what}: {cookie}");
    }
}

#[tokio::test]
async fn browsers_are_told_to_be_careful_with_every_answer() {
    let Some(stack) = Stack::shared() else { return };
    let mut owner = Visitor::signed_in(&stack, &person("owner")).await;
    let mut nobody = Visitor::to(&stack);
    let page = owner.get("/app").await;
    let assets: Vec<String> =
        page.html.split('"').filter(|text| text.starts_with("/app/assets/")).map(str::to_owned).collect();
    assert_eq!(assets.len(), 3, "{}", page.html);
    let odd = [
        "/app/no-such-page",
        "/app/assets/none.css",
        "/app/orders?q=1&q=2",
        "/app/orders?cursor=%00",
        "/app/orders/%ff",
        "/app/signed-out",
        "/app/sign-in/start",
        "/app/sign-in/start?to=1&to=2",
        "/app/sign-in/callback?code=1",
    ];
    let paths = PAGES.map(|(path, _)| nowhere(path)).into_iter().chain(odd.map(str::to_owned)).chain(assets);
    for path in paths {
        for (who, visitor) in [("owner", &mut owner), ("nobody", &mut nobody)] {
            let answer = visitor.send(Method::GET, &path, &[]).await;
            let what = format!("GET {path} by {who}: {}", answer.status());
            assert!(!answer.status().is_server_error(), "{what}");
            is_protected(&what, &answer);
            if answer.status().is_client_error() {
                assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8", "{what}");
            }
            let size = answer.bytes().await.unwrap().len();
            assert!(size + ASSETS < 100 * 1024, "{what} has {size} bytes");
        }
    }
    for (path, _) in FORMS.into_iter().chain([("/app/orders", ""), ("/app/nothing", "")]) {
        for (who, visitor) in [("owner", &mut owner), ("nobody", &mut nobody)] {
            let answer = visitor.send(Method::POST, &nowhere(path), &[("form_token", "0")]).await;
            is_protected(&format!("POST {path} by {who}: {}", answer.status()), &answer);
        }
    }
    let answer = owner.send(Method::GET, "/app/sign-in/start", &[]).await;
    assert!(answer.headers()["set-cookie"].to_str().unwrap().starts_with("__Host-bokbro-sign-in="));
    let token = page.form_token();
    let answer =
        owner.send(Method::POST, "/app/language", &[("language", "en"), ("form_token", &token)]).await;
    is_protected("a choice of language", &answer);
    let answer = owner.send(Method::POST, "/app/sign-out", &[("form_token", &token)]).await;
    is_protected("a sign-out", &answer);
    assert!(
        answer.headers()["set-cookie"].to_str().unwrap().starts_with("__Host-bokbro-session=; Max-Age=0")
    );
}

/// What stands behind a name in a list of facts, tags and all.
fn fact<'a>(shown: &'a Shown, name: &str) -> Option<&'a str> {
    let rest = shown.html.split(&format!("<dt>{name}</dt>")).nth(1)?;
    rest.split("<dt>").next()
}

/// The page of an order once its books are done.
async fn booked_page(visitor: &mut Visitor, id: &str) -> Shown {
    until(LIMIT, "the page to show the order booked", async || {
        let shown = visitor.get(&format!("/app/orders/{id}")).await;
        assert_eq!(shown.status, StatusCode::OK, "{}", shown.html);
        fact(&shown, "Invoice").is_some().then_some(shown).filter(|shown| shown.html.contains(">done<"))
    })
    .await
}

#[tokio::test]
async fn an_owner_makes_a_key_and_watches_an_order_become_done() {
    let Some(stack) = Stack::shared() else { return };
    let mut owner = Visitor::signed_in(&stack, &person("owner")).await;
    let name = format!("webshop {}", uuid::Uuid::new_v4().simple());
    let refused = owner.post("/app/keys", &[("name", ""), ("role", "operator")]).await;
    assert!(refused.html.contains("role=\"alert\""), "{}", refused.html);
    let made = owner.post("/app/keys", &[("name", &name), ("role", "operator")]).await;
    assert_eq!(made.status, StatusCode::OK);
    let key = made.html.split("<code id=\"made-key\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let listed = owner.get("/app/keys").await;
    assert!(
        key.starts_with("bk_") && listed.html.contains(&name) && !listed.html.contains(&key),
        "shown once"
    );

    let (body, code) = stack.order_to_pay().await;
    let number = body["order_number"].as_str().unwrap().to_owned();
    let (status, order) =
        read(stack.stranger(Method::POST, "/v1/orders").bearer_auth(&key).json(&body)).await;
    assert_eq!(status, StatusCode::CREATED, "{order}");
    let id = order["id"].as_str().unwrap();
    let waiting = owner.get(&format!("/app/orders?q={number}")).await;
    assert!(waiting.html.contains(&format!("href=\"/app/orders/{id}\"")), "{}", waiting.html);
    let waiting = owner.get(&format!("/app/orders/{id}")).await;
    assert!(
        waiting.html.contains("waits for payment") && waiting.html.contains("data-refresh"),
        "{}",
        waiting.html
    );

    stack.pay_on_the_page(code).await;
    let done = booked_page(&mut owner, id).await;
    assert!(fact(&done, "Paid").unwrap().contains("747,00\u{a0}kr"), "{}", done.html);
    assert!(
        done.html.contains("The invoice is booked") && done.html.contains("The order is paid"),
        "{}",
        done.html
    );
    assert!(!done.html.contains("/cancel\""), "a paid order cannot be canceled");
    for by in [number, code.to_string(), id.to_owned()] {
        let found = owner.get(&format!("/app/orders?q={by}")).await;
        assert!(found.html.contains(&format!("href=\"/app/orders/{id}\"")), "by {by}");
    }

    let mut viewer = Visitor::signed_in(&stack, &person("viewer")).await;
    let shown = viewer.get(&format!("/app/orders/{id}")).await;
    assert!(
        shown.status == StatusCode::OK && !shown.html.contains("/sync\""),
        "viewers look: {}",
        shown.html
    );
    let mut agency = Visitor::signed_in(&stack, &person("agency")).await;
    agency.post("/app/tenant", &[("tenant", "second")]).await;
    assert_eq!(
        agency.get(&format!("/app/orders/{id}")).await.status,
        StatusCode::NOT_FOUND,
        "another company"
    );
    assert!(!agency.get("/app/orders").await.html.contains(id));

    let revoke = listed
        .html
        .split(&name)
        .nth(1)
        .unwrap()
        .split("action=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let left = owner.post(revoke, &[]).await;
    assert!(left.at == "/app/keys" && !left.html.contains(&name), "{}", left.html);
    let call = stack.stranger(Method::GET, "/v1/orders").bearer_auth(&key);
    assert_eq!(call.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let audit = owner.get("/app/audit").await;
    assert!(audit.html.contains("API key made") && audit.html.contains(&person("owner")), "{}", audit.html);
}

#[tokio::test]
async fn an_operator_cancels_an_order_and_asks_to_look_again() {
    let Some(stack) = Stack::shared() else { return };
    let order = stack.ordered().await;
    let mut operator = Visitor::signed_in(&stack, &person("operator")).await;
    let page = format!("/app/orders/{}", order.id);
    let looked = operator.post(&format!("{page}/sync"), &[]).await;
    assert_eq!((looked.at.as_str(), looked.status), (page.as_str(), StatusCode::OK));
    let canceled = operator.post(&format!("{page}/cancel"), &[]).await;
    assert!(
        canceled.at == page && fact(&canceled, "State").unwrap().contains("canceled"),
        "{}",
        canceled.html
    );
    assert!(canceled.html.contains("The order is canceled") && !canceled.html.contains("/cancel\""));
}

#[tokio::test]
async fn a_bookkeeper_finds_the_order_of_a_payment() {
    let Some(stack) = Stack::shared() else { return };
    let code = stack.checkout(74_700, "a text that names nothing").await;
    let (transaction, event) = stack.pay_in_silence(code).await;
    read(stack.stranger(Method::POST, &stack.webhook_path()).json(&event)).await;
    let item =
        until(LIMIT, "the payment to be parked", async || stack.parked_for(&transaction).await.pop()).await;
    let page = format!("/app/parked/{}", item["id"].as_str().unwrap());

    let mut bookkeeper = Visitor::signed_in(&stack, &person("bookkeeper")).await;
    assert!(bookkeeper.get("/app").await.html.contains("to no order"), "the overview says that it waits");
    let list = bookkeeper.get("/app/parked").await;
    assert!(list.html.contains(&format!("href=\"{page}\"")), "{}", list.html);
    let shown = bookkeeper.get(&page).await;
    assert!(shown.html.contains("<h1>A payment without an order</h1>"), "{}", shown.html);
    assert!(shown.html.contains("The payment fits no order.") && shown.html.contains(&transaction));
    let swedish = bookkeeper.post("/app/language", &[("language", "sv"), ("back", &page)]).await;
    assert!(swedish.at == page && swedish.html.contains("<h1>Betalning utan order</h1>"), "{}", swedish.html);
    bookkeeper.post("/app/language", &[("language", "en")]).await;

    let mut body = own_sample();
    body["viva_order_code"] = Value::Null;
    let (status, order) = stack.post(&body).await;
    assert_eq!(status, StatusCode::CREATED, "{order}");
    let id = order["id"].as_str().unwrap();
    let resolve = format!("{page}/resolve");
    for (action, order, field) in [
        ("match", "ord_1", "Id of the order"),
        ("match", "", "Id of the order"),
        ("dismiss", "", "Reason"),
        ("", id, "Action"),
    ] {
        let refused = bookkeeper.post(&resolve, &[("action", action), ("order_id", order)]).await;
        assert_eq!(refused.status, StatusCode::OK);
        assert!(
            refused.html.contains(&format!("role=\"alert\">{field}: ")),
            "{action} {order}: {}",
            refused.html
        );
    }
    let done = bookkeeper
        .post(&resolve, &[("action", "match"), ("order_id", id), ("reason", "the buyer called")])
        .await;
    assert_eq!((done.at.as_str(), done.status), ("/app/parked", StatusCode::OK));
    assert!(!done.html.contains(&page), "{}", done.html);
    booked_page(&mut bookkeeper, id).await;
    let email = body["customer"]["email"].as_str().unwrap().to_owned();
    stack.books(&Ordered { id: id.to_owned(), code, email }).await.assert_one_of_each("747.00", "149.40");
    assert_eq!(bookkeeper.get(&page).await.status, StatusCode::NOT_FOUND, "the item is gone");
}

#[tokio::test]
async fn a_bookkeeper_tries_a_connection_and_reads_it() {
    let Some(stack) = Stack::shared() else { return };
    let mut bookkeeper = Visitor::signed_in(&stack, &person("bookkeeper")).await;
    let shown = bookkeeper.get("/app/connections").await;
    assert!(shown.html.contains("/app/connections/fortnox/check"), "{}", shown.html);
    for owners in ["/disconnect\"", "/oauth/fortnox/start", "name=\"client_secret\""] {
        assert!(!shown.html.contains(owners), "{owners} is for owners");
    }
    let checked = bookkeeper.post("/app/connections/fortnox/check", &[]).await;
    assert!(checked.html.contains("The connection works."), "{}", checked.html);
    // The answer has no address of its own, so it leads back to one that can be opened.
    assert!(checked.html.contains("name=\"back\" value=\"/app/connections\""), "{}", checked.html);
    let asked = bookkeeper.post("/app/connections/fortnox/sync", &[]).await;
    assert!(
        asked.at.starts_with("/app/jobs/job_") && asked.status == StatusCode::OK,
        "{}: {}",
        asked.at,
        asked.html
    );
    let mut owner = Visitor::signed_in(&stack, &person("owner")).await;
    let shown = owner.get("/app/connections").await.html;
    assert!(
        shown.contains("/app/connections/fortnox/disconnect")
            && !shown.contains(stack.text("/credentials/fortnox/client_secret"))
    );
    let (merchant, key) = ("3f2b7c1e-0000-4000-8000-000000000bad", "a-key-of-somebody-else");
    let fields =
        [("merchant_id", merchant), ("api_key", key), ("client_id", "other"), ("client_secret", key)];
    let refused = owner.post("/app/connections/viva", &fields).await;
    assert!(refused.html.contains("role=\"alert\""), "{}", refused.html);
    assert_eq!(refused.field("viva-merchant_id"), merchant);
    assert!(!refused.html.contains(key), "a secret came back");
}

#[tokio::test]
async fn an_operator_sends_dead_letters_again() {
    let Some(stack) = Stack::alone() else { return };
    let order = stack.ordered().await;
    bury(&stack, "payments", payment(&stack, &order).await.to_json()).await;
    let mut operator = Visitor::signed_in(&stack, &person("operator")).await;
    let shown = operator.get("/app/dead-letters").await;
    assert_eq!(shown.status, StatusCode::OK);
    let replay = "/app/dead-letters/replay";
    let none = operator.post(replay, &[("which", "chosen"), ("reason", "mended")]).await;
    assert!(none.html.contains("role=\"alert\">Choose"), "{}", none.html);
    for (fields, field) in [
        ([("which", "all"), ("reason", "mended"), ("per_second", "fast")], "At most this many a second"),
        ([("which", "all"), ("reason", ""), ("per_second", "")], "Reason"),
    ] {
        let refused = operator.post(replay, &fields).await;
        assert!(refused.html.contains(&format!("role=\"alert\">{field}")), "{field}: {}", refused.html);
        assert_eq!([refused.field("reason"), refused.field("per_second")], [fields[1].1, fields[2].1]);
    }
    let back = operator.post(replay, &[("which", "all"), ("reason", "mended")]).await;
    assert_eq!(
        (back.at.as_str(), back.status),
        ("/app/dead-letters?asked=1", StatusCode::OK),
        "jobs are not theirs"
    );
    let mut bookkeeper = Visitor::signed_in(&stack, &person("bookkeeper")).await;
    let job = bookkeeper.post(replay, &[("which", "all"), ("reason", "mended")]).await;
    assert!(job.at.starts_with("/app/jobs/job_") && job.status == StatusCode::OK, "{}: {}", job.at, job.html);
    let done = until(Duration::from_secs(60), "the replay to end", async || {
        let shown = bookkeeper.get(&job.at).await;
        fact(&shown, "Ended").is_some().then_some(shown)
    })
    .await;
    assert!(fact(&done, "State").unwrap().contains("done"), "{}", done.html);
    assert!(done.html.contains("mended") && done.html.contains(&person("bookkeeper")), "{}", done.html);
}

#[tokio::test]
async fn an_owner_changes_a_setting_and_back() {
    let Some(stack) = Stack::alone() else { return };
    let before = stack.get("/v1/settings").await;
    let mut owner = Visitor::signed_in(&stack, &person("owner")).await;
    let text = |name: &str| before[name].as_str().unwrap_or_default().to_owned();
    let chosen = ["payments", "accounting", "warehouse", "posting_profile", "payment_mode"]
        .map(|name| (name, text(name)));
    let with = |account: &'static str| {
        let mut fields: Vec<(&str, &str)> =
            chosen.iter().map(|(name, value)| (*name, value.as_str())).collect();
        fields.push(("account_payment_claim", account));
        fields
    };
    for wrong in ["15", "kassan"] {
        let refused = owner.post("/app/settings", &with(wrong)).await;
        assert!(refused.html.contains("role=\"alert\">Claim on the payment provider: "), "{}", refused.html);
        assert_eq!(refused.field("account_payment_claim"), wrong, "typed once is enough");
    }
    let stored = owner.post("/app/settings", &with("1584")).await;
    assert!(stored.html.contains("The settings are stored."), "{}", stored.html);
    assert_eq!(owner.get("/app/settings").await.field("account_payment_claim"), "1584");
    assert_eq!(stack.get("/v1/settings").await["accounts"], json!({"payment_claim": 1584}));
    let (status, after) = read(stack.request(Method::PUT, "/v1/settings").json(&before)).await;
    assert_eq!((status, &after["accounts"]), (StatusCode::OK, &before["accounts"]), "{after}");
}
