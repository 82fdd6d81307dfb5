//! Every file under `events/` against the real binaries: each gets the answer that stands beside it, here as from
//! `cargo dev sam`.

use bokbro_simulators::aws::events::{self, Event, differences};
use bokbro_tests::stack::{LIMIT, Stack, until};
use serde_json::{Value, json};

use crate::tidy::root;

/// The event with the names and keys of this stack's tenant in it.
fn for_tenant(stack: &Stack, event: &Event) -> Value {
    let own = [
        (events::ENDPOINT, "/viva_endpoint"),
        (events::PARCEL_ENDPOINT, "/ongoing_endpoint"),
        (events::PARCEL_TOKEN, "/ongoing_token"),
        (events::API_KEY, "/api_key"),
    ];
    let text = own
        .iter()
        .fold(event.payload.to_string(), |text, (name, pointer)| text.replace(name, stack.text(pointer)));
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn every_event_gets_the_answer_that_stands_beside_it() {
    // Alone, because some of them send all dead letters again.
    let Some(stack) = Stack::alone() else { return };
    let mut wrong = Vec::new();
    for event in events::events(&root().join("events")).unwrap() {
        let answer = stack.invoke(&event.folder, &for_tenant(&stack, &event)).await;
        let answer = answer.unwrap_or_else(|error| json!({ "errorMessage": error }));
        for difference in differences(&event.expected, &answer) {
            wrong.push(format!("{}: {difference}\n    {answer}", event.name));
        }
    }
    // What they have begun ends before others have their turn.
    let client = stack.sqs().await;
    until(LIMIT, "the replays to end", async || {
        let request = client.get_queue_attributes().queue_url(stack.text("/queues/replays"));
        let attributes = request.attribute_names("All".into()).send().await.unwrap().attributes.unwrap();
        let counts =
            attributes.iter().filter(|(name, _)| name.as_str().starts_with("ApproximateNumberOfMessages"));
        counts.map(|(_, count)| count.parse::<u32>().unwrap()).sum::<u32>().eq(&0).then_some(())
    })
    .await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
