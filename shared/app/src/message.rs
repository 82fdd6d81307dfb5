//! What travels on the queues: versioned wire types, apart from the domain's.
//!
//! Every message is a nudge: it says which facts to look at again, never what they are.

use bokbro_domain::day::DayId;
use bokbro_domain::ids::{CheckoutCode, CorrelationId, JobId, OrderId, Provider, TenantId, TransactionId};
use bokbro_domain::said;
use bokbro_domain::said::Said;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A message as it stands on a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Version of the wire format; 1 so far.
    pub v: u32,
    /// Whose work it is.
    pub tenant: TenantId,
    /// Ties together what one outside event set in motion.
    pub correlation: CorrelationId,
    /// When the message was first sent.
    pub sent_at: Timestamp,
    /// When its turn comes, for a message that was sent again because it came too early. Time until then is not counted
    /// as a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Its place in a provider's waiting line, for a message that was sent again because the provider was busy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Timestamp>,
    /// What to look at.
    pub nudge: Nudge,
}

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Nudge {
    /// A payment provider told of something.
    Payment(PaymentHint),
    /// Look at an order again: at the payment provider, in the books or at the warehouse, as the queue says.
    Order {
        /// Which order.
        order: OrderId,
        /// A human asked for it: try again what was refused.
        #[serde(default)]
        insist: bool,
        /// A human has looked at the provider and says what is there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told: Option<Told>,
    },
    /// A day may be over: write its voucher.
    Day {
        /// Which batch.
        day: DayId,
        /// A human asked for it: try again what was refused.
        #[serde(default)]
        insist: bool,
        /// A human has looked at the provider and says what is there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told: Option<Told>,
        /// How far its orders have been told of the voucher.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// A human says that a transaction belongs to an order.
    Match {
        /// Which order.
        order: OrderId,
        /// From which payment provider.
        provider: Provider,
        /// Which transaction.
        transaction: TransactionId,
    },
    /// A warehouse told of something.
    Parcel(ParcelHint),
    /// Look for everything of the tenant that was left behind.
    Sweep {
        /// The job that tells of it, when somebody asked for one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        job: Option<JobId>,
    },
    /// Go on with a replay of dead letters.
    Replay {
        /// The job that says which.
        job: JobId,
    },
    /// Time has come to do something for a connection.
    Connection {
        /// To whom.
        provider: Provider,
        /// What.
        task: ConnectionTask,
        /// The job that tells of it, when somebody asked for one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        job: Option<JobId>,
    },
}

/// What a human found at a provider after the outcome of a step was unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Which step.
    pub step: String,
    /// The number of the document that is there.
    pub number: String,
}

/// What time brings to do for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionTask {
    /// Refresh its token if nobody has for a week, so that the consent does not lapse.
    KeepAlive,
    /// Ask the warehouse which orders have got on.
    Parcels,
    /// Read the warehouse's stock.
    Stock,
    /// Read the ledger program's registers of customers and invoices.
    Registers,
}

/// What a warehouse's webhook claims. A hint, never a fact: webhooks are not signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelHint {
    /// Which provider.
    pub provider: Provider,
    /// Which of the provider's systems.
    pub system: Option<String>,
    /// The warehouse's own id of the order.
    pub order_id: Option<String>,
    /// The order's number, which is the webshop's.
    pub order_number: String,
    /// The number of the status that it claims.
    pub status: Option<u32>,
    /// When that is claimed to have happened, as it was written.
    pub at: Option<String>,
}

/// What a payment provider's webhook claims. A hint, never a fact: webhooks are not signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentHint {
    /// Which provider.
    pub provider: Provider,
    /// What it claims to have happened.
    pub event: HintedEvent,
    /// The provider's number for the kind of event, for people.
    pub event_type: u32,
    /// The provider's id of the delivery, when it has one.
    pub message_id: Option<String>,
    /// Which transaction.
    pub transaction: Option<TransactionId>,
    /// Which order at the provider.
    pub checkout_code: Option<CheckoutCode>,
    /// Claimed amount as the exact lexeme of major units, without sign.
    pub amount: Option<String>,
    /// Claimed currency as the number of ISO 4217.
    pub currency: Option<String>,
    /// Whose payment it claims to be.
    pub merchant: Option<String>,
    /// Which of the merchant's sources (shops, terminals) took it.
    pub source: Option<String>,
}

/// What a webhook claims to have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HintedEvent {
    /// A payment was made.
    Paid,
    /// Money was given back.
    Reversed,
    /// A payment failed.
    Failed,
    /// An order at the provider changed, as a rule canceled.
    OrderChanged,
    /// A kind of event that means nothing to us.
    Other,
}

impl Nudge {
    /// Time has come to do something for a connection.
    #[must_use]
    pub fn connection(provider: Provider, task: ConnectionTask) -> Self {
        Self::Connection { provider, task, job: None }
    }

    /// Look at an order again, as any event asks for it.
    #[must_use]
    pub fn order(order: OrderId) -> Self {
        Self::Order { order, insist: false, told: None }
    }

    /// The order that it is about, when it names one.
    #[must_use]
    pub fn order_named(&self) -> Option<&OrderId> {
        match self {
            Self::Order { order, .. } | Self::Match { order, .. } => Some(order),
            Self::Payment(_)
            | Self::Day { .. }
            | Self::Parcel(_)
            | Self::Connection { .. }
            | Self::Sweep { .. }
            | Self::Replay { .. } => None,
        }
    }

    /// Its kind, for logs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Payment(_) => "payment",
            Self::Order { .. } => "order",
            Self::Day { .. } => "day",
            Self::Match { .. } => "match",
            Self::Parcel(_) => "parcel",
            Self::Sweep { .. } => "sweep",
            Self::Replay { .. } => "replay",
            Self::Connection { .. } => "connection",
        }
    }

    /// Look at a day again.
    #[must_use]
    pub fn day(day: DayId) -> Self {
        Self::Day { day, insist: false, told: None, after: None }
    }
}

impl Envelope {
    /// Wraps a nudge in the current version.
    #[must_use]
    pub fn new(tenant: TenantId, correlation: CorrelationId, sent_at: Timestamp, nudge: Nudge) -> Self {
        Self { v: 1, tenant, correlation, sent_at, not_before: None, place: None, nudge }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// When it is not a message of a known version; the error never quotes the body.
    pub fn parse(body: &str) -> Result<Self, Unreadable> {
        let envelope: Self = serde_json::from_str(body).map_err(|e| {
            let (kind, column) = (format!("{:?}", e.classify()), e.column());
            Unreadable { why: said!("unreadable-json", "{kind} error at column {column}", kind, column) }
        })?;
        if envelope.v == 1 {
            Ok(envelope)
        } else {
            Err(Unreadable { why: said!("unreadable-version", "version {version}", version = envelope.v) })
        }
    }

    /// The same message as it was before it had waited for a turn or failed.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self { not_before: None, place: None, ..self.clone() }
    }

    /// The message's text.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A body that is not what it should be; says why without quoting it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unreadable: {why}")]
pub struct Unreadable {
    /// What is wrong.
    pub why: Said,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    const ULID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

    /// The name that a message of its kind has; whoever adds a kind adds a line to this version's file.
    fn kind(nudge: &Nudge) -> &'static str {
        match nudge {
            Nudge::Payment(_) => "payment",
            Nudge::Order { .. } => "order",
            Nudge::Day { .. } => "day",
            Nudge::Match { .. } => "match",
            Nudge::Parcel(_) => "parcel",
            Nudge::Sweep { .. } => "sweep",
            Nudge::Replay { .. } => "replay",
            Nudge::Connection { task: ConnectionTask::KeepAlive, .. } => "keep_alive",
            Nudge::Connection { task: ConnectionTask::Parcels, .. } => "parcels",
            Nudge::Connection { task: ConnectionTask::Stock, .. } => "stock",
            Nudge::Connection { task: ConnectionTask::Registers, .. } => "registers",
        }
    }

    /// `stored/messages/<version>.jsonl` has what each version sends, a message a line; frozen once it is released, because
    /// messages lie on queues while a new version is deployed, and among the dead letters for 14 days.
    #[test]
    fn messages_of_every_version_are_read_and_this_one_s_are_frozen() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/stored/messages");
        let mut kinds = BTreeSet::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let ours = path.ends_with(concat!(env!("CARGO_PKG_VERSION"), ".jsonl"));
            for line in fs::read_to_string(&path).unwrap().lines() {
                let envelope = Envelope::parse(line);
                let envelope = envelope.unwrap_or_else(|error| panic!("{error}: {line}"));
                if ours {
                    assert_eq!(envelope.to_json(), line);
                    kinds.insert(kind(&envelope.nudge));
                }
            }
        }
        assert_eq!(kinds.len(), 11, "this version's file has only {kinds:?}");
    }

    #[test]
    fn a_message_that_waits_for_its_turn_says_so() {
        let tenant = TenantId::parse("demo").unwrap();
        let sent_at: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
        let nudge = Nudge::Sweep { job: None };
        let mut envelope = Envelope::new(tenant, CorrelationId::parse(ULID).unwrap(), sent_at, nudge);
        envelope.not_before = Some(sent_at);
        assert!(envelope.to_json().contains(r#""not_before":"2026-11-20T08:00:00Z","nudge""#));
        assert_eq!(Envelope::parse(&envelope.to_json()).as_ref(), Ok(&envelope));
        envelope.place = Some(sent_at);
        assert!(envelope.to_json().contains(r#""place":"2026-11-20T08:00:00Z","nudge""#));
        assert_eq!(Envelope::parse(&envelope.to_json()), Ok(envelope));
    }

    #[test]
    fn what_is_not_a_message_is_unreadable_and_not_quoted() {
        let of = |nudge: &str| {
            format!(
                r#"{{"v":1,"tenant":"demo","correlation":"{ULID}","sent_at":"2026-11-20T08:00:00Z","nudge":{nudge}}}"#
            )
        };
        let cases = [
            "secret".to_owned(),
            of(r#"{"kind":"secret"}"#),
            of(r#"{"kind":"connection","provider":"ledger","task":"secret"}"#),
            of(r#"{"kind":"connection","provider":"se cret","task":"keep_alive"}"#),
            of(r#"{"kind":"connection","provider":"ledger","task":"keep_alive"}"#)
                .replace(r#""v":1"#, r#""v":2"#),
        ];
        for text in cases {
            let unreadable = Envelope::parse(&text).unwrap_err();
            assert!(!unreadable.why.contains("secret"), "{unreadable}");
        }
    }
}
