//! Dead letters against the real binaries: listed, sent again and booked over HTTP, and by invoking the function.

use bokbro_app::app::App;
use bokbro_app::auth::api_key_store;
use bokbro_app::memory::{MemoryQueues, MemoryVault};
use bokbro_app::message::{Envelope, Nudge};
use bokbro_app::ports::Senders as _;
use bokbro_app::records::Role;
use bokbro_app::secret::SecretText;
use bokbro_aws::{Clients, Tables};
use bokbro_connectors::registry::{Registry, Urls};
use bokbro_domain::ids::{CorrelationId, Provider, TenantId};
use bokbro_runtime::SystemClock;
use bokbro_tests::stack::{LIMIT, Ordered, Stack, read, until};
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

fn envelope(tenant: &str, nudge: Nudge) -> Envelope {
    let correlation = CorrelationId::parse(&Uuid::new_v4().to_string()).unwrap();
    let sent_at = Timestamp::from_second(1_795_168_800).unwrap();
    Envelope::new(TenantId::parse(tenant).unwrap(), correlation, sent_at, nudge)
}

/// Puts a text among the dead letters of a queue; gives its id.
pub(crate) async fn bury(stack: &Stack, queue: &str, body: String) -> String {
    let url = stack.text(&format!("/dead_letters/{queue}"));
    let sent = stack.sqs().await.send_message().queue_url(url).message_body(body).send().await.unwrap();
    sent.message_id.unwrap()
}

/// What tells of an order's payment, whose webhook never comes.
pub(crate) async fn payment(stack: &Stack, order: &Ordered) -> Envelope {
    let (_, event) = stack.pay_in_silence(order.code).await;
    let registry = Registry::new(Urls::default(), Arc::new(SystemClock)).unwrap();
    let webhooks = registry.webhooks(&Provider::parse("viva").unwrap()).unwrap();
    let hint = webhooks.parse(event.to_string().as_bytes()).unwrap();
    envelope(stack.text("/tenant"), Nudge::Payment(hint))
}

async fn shown(stack: &Stack, queue: &str, id: &str) -> Option<Value> {
    let listed = stack.get(&format!("/v1/dead-letters?queue={queue}&limit=200")).await;
    assert!(listed["next"].is_null() && listed["truncated"].is_boolean(), "{listed}");
    listed["items"].as_array().unwrap().iter().find(|item| item["id"] == id).cloned()
}

async fn job_done(stack: &Stack, id: &str) -> Value {
    until(LIMIT, "the job to be done", async || {
        let job = stack.get(&format!("/v1/jobs/{id}")).await;
        assert_ne!(job["state"], "failed", "{job}");
        (job["state"] == "done").then_some(job)
    })
    .await
}

#[tokio::test]
async fn a_dead_letter_is_seen_replayed_and_booked() {
    let Some(stack) = Stack::shared() else { return };
    let order = stack.ordered().await;
    let message = payment(&stack, &order).await;
    let Nudge::Payment(hint) = &message.nudge else { panic!("a payment is told of by a hint") };
    let transaction = hint.transaction.as_ref().unwrap().as_str();
    let id = bury(&stack, "payments", message.to_json()).await;
    // Somebody else's, in the same queue.
    let other = bury(
        &stack,
        "payments",
        Envelope { tenant: TenantId::parse("other").unwrap(), ..message.clone() }.to_json(),
    )
    .await;

    // Another look, or a replay, may hide it for a moment.
    let item =
        until(LIMIT, "the dead letter to be in sight", async || shown(&stack, "payments", &id).await).await;
    assert_eq!(
        (&item["nudge"]["kind"], &item["nudge"]["transaction"]),
        (&json!("payment"), &json!(transaction))
    );
    assert_eq!(item["correlation_id"], message.correlation.as_str());
    assert_eq!(shown(&stack, "payments", &other).await, None);

    let wish =
        json!({ "ids": [id, "gone"], "queue": "payments", "reason": "It works again.", "per_second": 50 });
    let (status, job) = read(stack.request(Method::POST, "/v1/dead-letters/replay").json(&wish)).await;
    assert_eq!(
        (status, &job["kind"], &job["state"]),
        (StatusCode::ACCEPTED, &json!("replay"), &json!("waiting"))
    );
    let job = job_done(&stack, job["id"].as_str().unwrap()).await;
    assert_eq!((&job["counts"]["replayed"], &job["counts"]["not_found"]), (&json!(1), &json!(1)), "{job}");
    stack.booked(&order, LIMIT).await;
    stack.books(&order).await.assert_one_of_each("747.00", "149.40");
    assert_eq!(shown(&stack, "payments", &id).await, None);
    let listed = stack.get("/v1/jobs?limit=200").await;
    assert!(listed["items"].as_array().unwrap().iter().any(|item| item["id"] == job["id"]));
    let audit = stack.get("/v1/audit?limit=200").await;
    let entry = audit["items"].as_array().unwrap().iter().find(|entry| entry["after"]["job"] == job["id"]);
    let entry = entry.unwrap();
    assert_eq!(
        (&entry["what"], &entry["reason"]),
        (&json!("dead_letters_replayed"), &json!("It works again."))
    );
    assert!(stack.text("/api_key").starts_with(entry["who"].as_str().unwrap()), "{entry}");
}

#[tokio::test]
async fn wishes_are_refused_with_the_field_named() {
    let Some(stack) = Stack::shared() else { return };
    for (wish, field) in [
        (json!({ "all": true }), "reason"),
        (json!({ "reason": "r" }), "ids"),
        (json!({ "all": true, "reason": "r", "queue": "nobody" }), "queue"),
        (json!({ "all": true, "reason": "r", "per_second": 0 }), "per_second"),
    ] {
        let (status, problem) =
            read(stack.request(Method::POST, "/v1/dead-letters/replay").json(&wish)).await;
        assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!(field)), "{problem}");
    }
    for (path, field) in [("queue=nobody", "queue"), ("limit=0", "limit"), ("cursor=x", "cursor")] {
        let (status, problem) = read(stack.request(Method::GET, &format!("/v1/dead-letters?{path}"))).await;
        assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!(field)), "{problem}");
    }
    let (status, _) = read(stack.request(Method::GET, "/v1/jobs/job_nobody")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    for path in ["/v1/dead-letters", "/v1/jobs", "/v1/audit"] {
        let (status, _) = read(stack.stranger(Method::GET, path)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let refused = stack.invoke("replay", &json!({ "all": true })).await.unwrap_err();
    assert!(refused.contains("reason"), "{refused}");
}

/// A key of the tenant with a role.
async fn key(stack: &Stack, role: Role) -> String {
    let clients = Clients::from_config(stack.aws().await);
    let (hub, idempotency) =
        (stack.text("/tables/hub").to_owned(), stack.text("/tables/idempotency").to_owned());
    let (clock, queues) = (Arc::new(SystemClock), Arc::new(MemoryQueues::default()));
    let registry = Arc::new(Registry::new(Urls::default(), clock.clone()).unwrap());
    let store = Arc::new(clients.hub(Tables { hub, idempotency }));
    let app = App::new(store, queues.clone(), queues, Arc::new(MemoryVault::default()), clock, registry);
    let key = format!("bk_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let tenant = TenantId::parse(stack.text("/tenant")).unwrap();
    api_key_store(&app, &SecretText::new(key.clone()), &tenant, role, "test").await.unwrap();
    key
}

#[tokio::test]
async fn each_look_and_deed_needs_its_role() {
    let Some(stack) = Stack::shared() else { return };
    let wish = json!({ "ids": ["gone"], "queue": "replays", "reason": "r" });
    let (no, yes) = (StatusCode::FORBIDDEN, StatusCode::OK);
    for (role, dead_letters, replay, jobs, audit) in [
        (Role::Viewer, no, no, no, no),
        (Role::Operator, yes, StatusCode::ACCEPTED, no, no),
        (Role::Bookkeeper, yes, StatusCode::ACCEPTED, yes, no),
        (Role::Owner, yes, StatusCode::ACCEPTED, yes, yes),
    ] {
        let key = key(&stack, role).await;
        let get = async |path| read(stack.stranger(Method::GET, path).bearer_auth(&key)).await.0;
        let post = stack.stranger(Method::POST, "/v1/dead-letters/replay").bearer_auth(&key).json(&wish);
        assert_eq!(get("/v1/dead-letters?queue=replays").await, dead_letters, "{role:?}");
        assert_eq!(read(post).await.0, replay, "{role:?}");
        assert_eq!((get("/v1/jobs").await, get("/v1/audit").await), (jobs, audit), "{role:?}");
    }
}

#[tokio::test]
async fn whole_queues_are_replayed_by_invoking_the_function() {
    // Alone, because what others have among the dead letters would be replayed too.
    let Some(stack) = Stack::alone() else { return };
    let nobody = Uuid::new_v4().simple().to_string();
    let nudge =
        Nudge::Replay { job: bokbro_domain::ids::JobId::parse("job_01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap() };
    bury(&stack, "replays", envelope(&nobody, nudge).to_json()).await;
    let text = format!("{nobody} is not a message");
    bury(&stack, "replays", text.clone()).await;
    let wish = json!({ "queue": "replays", "all": true, "tenant": null, "reason": "They are mended.", "per_second": 1 });
    stack.invoke("replay", &wish).await.unwrap();
    let client = stack.sqs().await;
    until(LIMIT, "the dead letters to be gone", async || {
        let request = client.get_queue_attributes().queue_url(stack.text("/dead_letters/replays"));
        let attributes = request.attribute_names("All".into()).send().await.unwrap().attributes.unwrap();
        let counts =
            attributes.iter().filter(|(name, _)| name.as_str().starts_with("ApproximateNumberOfMessages"));
        counts.map(|(_, count)| count.parse::<u32>().unwrap()).sum::<u32>().eq(&0).then_some(())
    })
    .await;
}
