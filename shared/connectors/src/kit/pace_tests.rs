//! The client at a pace: a slot before every exchange, and a word to everybody about every 429.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::Pace;
use jiff::Timestamp;

use super::tests::{Bench, bench, ok, status};
use super::*;
use crate::kit::testing::Reply;

/// Notes what it is asked and grants so many calls.
struct Noted {
    grants: usize,
    asked: Mutex<Vec<String>>,
}

fn busy() -> Error {
    let provider = "ledger".to_owned();
    Error::Busy { provider, after: Duration::from_secs(7), at: Timestamp::MAX, place: Timestamp::MIN }
}

#[async_trait]
impl Pace for Noted {
    async fn admit(&self, _place: Option<Timestamp>) -> Result<(), Error> {
        Ok(())
    }

    async fn take(&self, operation: &str) -> Result<(), Error> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(format!("take {operation}"));
        let taken = asked.iter().filter(|line| line.starts_with("take")).count();
        if taken > self.grants { Err(busy()) } else { Ok(()) }
    }

    async fn slow_down(&self, operation: &str, after: Option<Duration>) -> Option<Error> {
        self.asked.lock().unwrap().push(format!("slow down {operation} {after:?}"));
        Some(busy())
    }
}

fn at_pace(mut bench: Bench, grants: usize) -> (Bench, Arc<Noted>) {
    let noted = Arc::new(Noted { grants, asked: Mutex::default() });
    bench.client.pace = noted.clone();
    (bench, noted)
}

#[tokio::test]
async fn every_exchange_takes_a_slot() {
    let (bench, noted) = at_pace(bench([Reply::NotSent, status(401), ok()]), 9);
    assert!(bench.client.read(&bench.read()).await.is_ok());
    assert_eq!(*noted.asked.lock().unwrap(), ["take read_thing"; 3]);
}

#[tokio::test]
async fn without_a_slot_nothing_is_sent() {
    let (bench, _) = at_pace(bench([]), 0);
    let failure = bench.client.send(&bench.write()).await.err().unwrap();
    assert!(matches!(failure, Failure::NotDone(Error::Busy { .. })), "{failure:?}");
}

#[tokio::test]
async fn too_many_is_told_to_everybody_and_is_a_turn_and_no_failure() {
    let (once, noted) = at_pace(bench([Reply::RetryAfter(429, "7".to_owned())]), 9);
    let failure = once.client.send(&once.write()).await.err().unwrap();
    assert!(matches!(failure, Failure::NotDone(Error::Busy { .. })), "{failure:?}");
    assert_eq!(*noted.asked.lock().unwrap(), ["take create_thing", "slow down create_thing Some(7s)"]);
    // A read may try again, if it gets another slot.
    let (again, noted) = at_pace(bench([status(429), ok()]), 9);
    assert!(again.client.read(&again.read()).await.is_ok());
    assert_eq!(
        *noted.asked.lock().unwrap(),
        ["take read_thing", "slow down read_thing None", "take read_thing"]
    );
    let (late, _) = at_pace(bench([status(429)]), 1);
    assert!(matches!(late.client.read(&late.read()).await, Err(Error::Busy { .. })));
}
