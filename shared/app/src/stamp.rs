//! Makes ids and timeline entries that sort in the order in which they were made.

use std::sync::Mutex;

use bokbro_domain::ids::CorrelationId;
use bokbro_domain::said::Said;
use jiff::Timestamp;
use ulid::Ulid;

use crate::ports::Clock;
use crate::records::TimelineEntry;

/// Source of ULIDs that rise even within one millisecond.
#[derive(Default)]
pub struct Stamps(Mutex<Option<Ulid>>);

impl Stamps {
    /// The next ULID.
    pub fn ulid(&self, clock: &dyn Clock) -> Ulid {
        let millis = u64::try_from(clock.now().as_millisecond()).unwrap_or(0);
        let random = (u128::from(clock.dice()) << 64) | u128::from(clock.dice());
        let fresh = Ulid::from_parts(millis, random);
        let mut last = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let next = match *last {
            Some(last) if last >= fresh => last.increment().unwrap_or(fresh),
            _ => fresh,
        };
        *last = Some(next);
        next
    }

    /// A timeline entry of now.
    pub fn entry(
        &self,
        clock: &dyn Clock,
        correlation: &CorrelationId,
        event: &str,
        message: Said,
    ) -> TimelineEntry {
        self.entry_at(clock, clock.now(), correlation, event, message)
    }

    /// A timeline entry of something that happened a moment ago.
    pub fn entry_at(
        &self,
        clock: &dyn Clock,
        at: Timestamp,
        correlation: &CorrelationId,
        event: &str,
        message: Said,
    ) -> TimelineEntry {
        TimelineEntry {
            id: self.ulid(clock).to_string(),
            at,
            event: event.to_owned(),
            message,
            correlation: correlation.clone(),
        }
    }
}
