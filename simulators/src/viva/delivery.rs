//! What Viva's webhooks are about, and how it repeats them: hourly, 24 times (apis/viva-ongoing-bank.md 1.7).

use jiff::SignedDuration;
use serde::Serialize;

use super::events::Event;
use super::wire::OrderCode;
use crate::kit;

/// After each of 23 attempts that failed; the 24th is the last.
const HOURLY: [SignedDuration; 23] = [SignedDuration::from_hours(1); 23];

/// What a delivery is about.
#[derive(Clone, Serialize)]
pub struct About {
    /// The kind of event; `None` for a body that a test made up.
    pub event_type_id: Option<u32>,
    /// The transaction that it tells of.
    pub transaction_id: Option<String>,
    /// The order that it tells of.
    pub order_code: Option<OrderCode>,
    #[serde(skip)]
    event: Option<Event>,
}

impl About {
    /// The event that is told of a transaction, if it is one of this kind.
    pub(crate) fn event_of(&self, transaction_id: &str, event_type_id: u32) -> Option<&Event> {
        self.event.as_ref().filter(|event| {
            event.transaction_id.as_deref() == Some(transaction_id) && event.event_type_id == event_type_id
        })
    }
}

/// One event on its way, as `GET /_sim/webhooks` lists it.
pub type Delivery = kit::Delivery<About>;
/// The events made so far and what became of them.
pub(crate) type Outbox = kit::Outbox<About>;
type Letter = kit::Letter<About>;

/// An event of the account, repeated until it is taken.
pub(crate) fn event(event: Event) -> Letter {
    let about = About {
        event_type_id: Some(event.event_type_id),
        transaction_id: event.transaction_id.clone(),
        order_code: Some(event.order_code),
        event: Some(event.clone()),
    };
    Letter { about, body: event.json().get().to_owned(), header: None, waits: &HOURLY }
}

/// A body that a test made up; sent once, because nobody stands behind it.
pub(crate) fn made_up(text: String) -> Letter {
    let about = About { event_type_id: None, transaction_id: None, order_code: None, event: None };
    Letter { about, body: text, header: None, waits: &[] }
}
