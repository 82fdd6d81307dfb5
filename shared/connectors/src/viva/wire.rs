//! The shapes of Viva's JSON, as far as they are used.
//!
//! Members come and go without notice and the documentation lags (`apis/viva-ongoing-bank.md` 1.4), so everything that
//! can be missed may be missing, and a number may come as a string.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::kit::{LooseBool, LooseText};

/// A webhook's envelope.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Event<'a> {
    pub(super) event_type_id: u32,
    #[serde(borrow)]
    pub(super) event_data: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) message_id: LooseText,
    #[serde(default)]
    pub(super) recipient_id: LooseText,
}

/// What a webhook says of a payment or an order. It holds much more, most of it personal; that is never read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct EventData {
    pub(super) transaction_id: Option<String>,
    pub(super) order_code: LooseText,
    pub(super) amount: LooseText,
    pub(super) currency_code: LooseText,
    pub(super) merchant_id: LooseText,
    pub(super) source_code: LooseText,
}

/// The answer about one transaction (`apis/viva-ongoing-bank.md` 1.8). It repeats neither its id nor its parent's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transaction {
    pub(super) amount: LooseText,
    pub(super) currency_code: LooseText,
    #[serde(default)]
    pub(super) status_id: LooseText,
    #[serde(default)]
    pub(super) transaction_type_id: LooseText,
    #[serde(default)]
    pub(super) order_code: LooseText,
    #[serde(default)]
    pub(super) merchant_trns: LooseText,
    /// With an offset here.
    pub(super) ins_date: String,
}

/// The answer of the older search, whose refusals may come with status 200.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Search {
    pub(super) transactions: Option<Vec<FoundTransaction>>,
    #[serde(default)]
    pub(super) error_code: LooseText,
    #[serde(default)]
    pub(super) success: LooseBool,
}

/// One transaction as the older search tells of it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FoundTransaction {
    pub(super) transaction_id: String,
    pub(super) parent_id: Option<String>,
    pub(super) amount: LooseText,
    pub(super) currency_code: LooseText,
    #[serde(default)]
    pub(super) status_id: LooseText,
    /// Flat in some answers, inside `TransactionType` in others, and absent in the rest.
    #[serde(default)]
    pub(super) transaction_type_id: LooseText,
    #[serde(default)]
    pub(super) transaction_type: Option<TransactionType>,
    #[serde(default)]
    pub(super) merchant_trns: LooseText,
    /// Greek local time, without saying so.
    pub(super) ins_date: String,
    pub(super) order: Option<FoundOrder>,
}

/// The kind of a transaction.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TransactionType {
    #[serde(default)]
    pub(super) transaction_type_id: LooseText,
}

/// The order of a found transaction.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FoundOrder {
    #[serde(default)]
    pub(super) order_code: LooseText,
}

/// The state of an order.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OrderState {
    pub(super) state_id: LooseText,
}

/// An order to be paid on Viva's page (`apis/viva-ongoing-bank.md` 1.9). The amount is in minor units here.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewOrder<'a> {
    pub(super) amount: i64,
    /// ISO 4217 number.
    pub(super) currency_code: &'static str,
    pub(super) customer_trns: &'a str,
    pub(super) merchant_trns: &'a str,
    /// Seconds until it expires.
    pub(super) payment_timeout: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_code: Option<&'a str>,
}

/// The answer about an order that was made.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MadeOrder {
    pub(super) order_code: LooseText,
}

/// An access token. It has no `Debug`.
#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) access_token: String,
    /// Seconds.
    pub(super) expires_in: LooseText,
}

/// Why there is no access token (RFC 6749 section 5.2).
#[derive(Deserialize)]
pub(super) struct TokenRefusal {
    pub(super) error: String,
}

/// What a webhook address answers the handshake with. ISV accounts write it in lower case.
#[derive(Deserialize)]
pub(super) struct WebhookKey {
    #[serde(rename = "Key", alias = "key", default)]
    pub(super) key: LooseText,
}
