//! After the storm: what was not taken comes again, the queues run empty, and what is left waits for a human.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bokbro_app::ports::Parking as _;
use reqwest::Client;
use tokio::time::{MissedTickBehavior, interval};

use super::shops::{Delivery, Shop};
use super::storm::send;
use crate::progress;
use crate::stack::Stack;

/// How long the workers have. A lease that a bad day left behind lasts 75 seconds, and back-offs grow to minutes.
const LIMIT: Duration = Duration::from_secs(900);
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A line of progress after so many seconds.
const TELL_EVERY: u64 = 10;
/// Queues are empty when so many looks in a row have found nothing: a message may be between two of them.
const EMPTY_LOOKS: u32 = 3;
/// How often a delivery that was not taken comes again, at most.
const TRIES: u32 = 5;
/// Parked items that are read at a time.
const PAGE: usize = 100;

/// How the queues ran empty.
pub(super) struct Drained {
    /// Messages that still waited when the last delivery had been answered; none when the local AWS did not tell.
    pub(super) left: Option<u64>,
    /// How long it took until none did.
    pub(super) took: Duration,
    /// Messages that no worker could handle.
    pub(super) dead: u64,
    /// Deliveries that were not taken, however often they came.
    pub(super) never_taken: usize,
}

/// Repeats what was not taken and waits until nothing is left to do.
///
/// # Errors
/// When that takes too long.
pub(super) async fn wait(stack: &Stack, again: Vec<Delivery>) -> Result<Drained> {
    let begun = Instant::now();
    let left = messages(stack, "_QUEUE_URL").await;
    let never_taken = repeat(stack, again).await?;
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut empty, mut told) = (0, None);
    while empty < EMPTY_LOOKS {
        ticks.tick().await;
        // A local AWS that is out of breath does not tell in time; it is asked again.
        let waiting = messages(stack, "_QUEUE_URL").await.ok();
        empty = if waiting == Some(0) { empty + 1 } else { 0 };
        let seconds = begun.elapsed().as_secs();
        if let Some(waiting) = waiting.filter(|_| told.is_none_or(|at| seconds >= at + TELL_EVERY)) {
            progress::step(format_args!("{seconds} s after the storm: {waiting} messages left"));
            told = Some(seconds);
        }
        ensure!(begun.elapsed() < LIMIT, "the queues are not empty after {seconds} s; see .local/logs/load/");
    }
    let took = begun.elapsed();
    Ok(Drained { left: left.ok(), took, dead: messages(stack, "_DEAD_LETTERS_URL").await?, never_taken })
}

/// All messages in the queues whose variables end so.
pub(super) async fn messages(stack: &Stack, ending: &str) -> Result<u64> {
    let mut all = 0;
    for (_, url) in stack.function_environment().iter().filter(|(name, _)| name.ends_with(ending)) {
        all += stack.inside().messages(url).await?;
    }
    Ok(all)
}

/// Sends each until it is taken, as its sender would within the day; answers how many never were.
async fn repeat(stack: &Stack, again: Vec<Delivery>) -> Result<usize> {
    let client = Client::builder().no_proxy().build()?;
    let mut never = 0;
    for delivery in again {
        let url = format!("{}{}", stack.base_url(), delivery.path);
        let mut taken = false;
        for _ in 0..TRIES {
            taken = send(&client, &url, &delivery).await == Some(delivery.kind.expects());
            if taken {
                break;
            }
        }
        never += usize::from(!taken);
    }
    Ok(never)
}

/// What waits for a human: by code, the transactions that it is about, or else the item itself.
pub(super) async fn parked(stack: &Stack, open: &[Shop]) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for shop in open {
        let mut cursor = None;
        loop {
            let page = stack.inside().hub.parked_list(&shop.tenant, PAGE, cursor.as_ref()).await?;
            for item in page.items {
                let about = item.details.get("transaction").cloned().unwrap_or_else(|| item.id.to_string());
                found.entry(item.code).or_default().insert(about);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(found)
}
