//! The storm itself: webhooks on a fixed timetable, whatever becomes of those before them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bokbro_app::memory::ManualClock;
use bokbro_app::ports::Clock as _;
use reqwest::{Client, header};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::kinds::Kind;
use super::shops::{Delivery, Shop};
use crate::commands::report::{millis, percentile};
use crate::progress;
use crate::stack::Stack;

/// How long a sender waits for an answer; no longer than the payment provider's stand-in does.
const PATIENCE: Duration = Duration::from_secs(10);
/// A line of progress so often.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// What comes, and for how long.
pub(super) struct Plan<'a> {
    /// Deliveries a second.
    pub(super) rate: u32,
    pub(super) lasts: Duration,
    /// The kind of the delivery of a number, by a throw of the dice.
    pub(super) kinds: &'a (dyn Fn(u64, u64) -> Kind + Sync),
    /// Starts the dice: the same seed brings the same kinds, to the same merchants, in the same order.
    pub(super) seed: u64,
}

impl Plan<'_> {
    /// How many deliveries that is.
    pub(super) fn count(&self) -> u64 {
        u64::from(self.rate) * self.lasts.as_secs()
    }
}

/// What became of all deliveries.
#[derive(Default)]
pub(super) struct Answers {
    /// From the time in the timetable to the last byte of the answer, so that a delivery which had to wait for its sender
    /// is as late as it was.
    pub(super) took: Vec<Duration>,
    /// How many got which status; none is no answer.
    pub(super) statuses: BTreeMap<(Kind, Option<u16>), u64>,
    /// Those that could not be made durable or were not answered; their sender repeats them.
    pub(super) again: Vec<Delivery>,
    /// What must wait for a human in the end: transactions by code.
    pub(super) parks: BTreeMap<&'static str, BTreeSet<String>>,
    /// How long it took until the last one was answered.
    pub(super) lasted: Duration,
}

impl Answers {
    fn note(&mut self, took: Duration, status: Option<u16>, delivery: Delivery) {
        self.took.push(took);
        *self.statuses.entry((delivery.kind, status)).or_default() += 1;
        if let (Some(code), Some(transaction)) = (delivery.kind.parks(), &delivery.transaction) {
            self.parks.entry(code).or_default().insert(transaction.clone());
        }
        if status.is_none_or(|status| status >= 500) {
            self.again.push(delivery);
        }
    }

    /// How many were answered as `wanted` likes it.
    pub(super) fn count(&self, wanted: impl Fn(Kind, Option<u16>) -> bool) -> u64 {
        let wanted = self.statuses.iter().filter(|((kind, status), _)| wanted(*kind, *status));
        wanted.map(|(_, count)| count).sum()
    }
}

/// Sends what the plan says, merchants taking turns.
///
/// # Errors
/// When a payment cannot be made.
pub(super) async fn rage(stack: &Stack, shops: &mut [Shop], plan: &Plan<'_>) -> Result<Answers> {
    let client = Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let dice = ManualClock::new(Default::default(), plan.seed);
    let mut sending = JoinSet::new();
    let mut answers = Answers::default();
    let begun = Instant::now();
    let mut told = begun;
    let mut paid = 0;
    for number in 0..plan.count() {
        let kind = (plan.kinds)(number, dice.dice());
        // Merchants have their orders paid in turn, so that each is busy all the time; the rest comes to any of them.
        let turn = if kind == Kind::Payment { paid } else { dice.dice() };
        paid += u64::from(kind == Kind::Payment);
        let due = begun + Duration::from_secs(1) * u32::try_from(number)? / plan.rate;
        let place = usize::try_from(turn % shops.len().max(1) as u64)?;
        let shop = shops.get_mut(place).context("no merchants")?;
        // Made before it is due; when that takes too long, the delivery is late.
        sleep_until((due - Duration::from_millis(2).min(due - begun)).into()).await;
        let delivery = shop.delivery(stack, kind, dice.dice()).await?;
        sleep_until(due.into()).await;
        let (client, url) = (client.clone(), format!("{}{}", stack.base_url(), delivery.path));
        sending.spawn(async move {
            let status = send(&client, &url, &delivery).await;
            (due.elapsed(), status, delivery)
        });
        while let Some(done) = sending.try_join_next() {
            let (took, status, delivery) = done?;
            answers.note(took, status, delivery);
        }
        if told.elapsed() > TELL_EVERY {
            told = Instant::now();
            let p99 = millis(percentile(&answers.took, 99));
            let (sent, seconds) = (number + 1, begun.elapsed().as_secs());
            progress::step(format_args!(
                "{seconds} s: {sent} sent, {} under way, p99 {p99:.0} ms",
                sending.len()
            ));
        }
    }
    while let Some(done) = sending.join_next().await {
        let (took, status, delivery) = done?;
        answers.note(took, status, delivery);
    }
    answers.lasted = begun.elapsed();
    Ok(answers)
}

/// Sends one; answers the status, or nothing when there is no whole answer.
pub(super) async fn send(client: &Client, url: &str, delivery: &Delivery) -> Option<u16> {
    let request = client.post(url).header(header::CONTENT_TYPE, "application/json");
    let answer = request.body(delivery.body.clone()).send().await.ok()?;
    let status = answer.status().as_u16();
    answer.bytes().await.ok()?;
    Some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_made_durable_is_sent_again_and_a_refusal_is_not() {
        let delivery = |kind, transaction: &str| Delivery {
            kind,
            path: String::new(),
            body: String::new(),
            transaction: Some(transaction.to_owned()),
        };
        let mut answers = Answers::default();
        for (kind, status, transaction) in [
            (Kind::Payment, Some(200), "a"),
            (Kind::Payment, Some(503), "b"),
            (Kind::Repeat, None, "a"),
            (Kind::Garbage, Some(400), ""),
            (Kind::Forged, Some(200), "a"),
            (Kind::Forged, Some(200), "a"),
        ] {
            answers.note(Duration::from_millis(1), status, delivery(kind, transaction));
        }
        let again: Vec<Kind> = answers.again.iter().map(|delivery| delivery.kind).collect();
        assert_eq!(again, [Kind::Payment, Kind::Repeat]);
        assert_eq!(answers.count(|kind, status| status == Some(kind.expects())), 4);
        // The same trouble waits once.
        assert_eq!(answers.parks, [("webhook_contradicts", ["a".to_owned()].into())].into());
    }
}
