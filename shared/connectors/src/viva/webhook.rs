//! Reads Viva's webhook deliveries from their exact bytes, and answers its handshake.
//!
//! A delivery is a hint: it is not signed (`apis/viva-ongoing-bank.md` 1.6), so nothing here is believed, only read.

use bokbro_app::message::{HintedEvent, PaymentHint, Unreadable};
use bokbro_app::ports::Webhooks;
use bokbro_domain::ids::{CheckoutCode, Provider, TransactionId};
use bokbro_domain::money::parse_decimal;
use bokbro_domain::said::Said;
use serde_json::value::RawValue;

use super::NAME;
use super::wire::{Event, EventData};
use crate::kit::LooseText;

/// Longest id that is carried on; real ones have 36 characters at most.
const LONGEST_ID: usize = 64;

/// Reads deliveries. It knows nothing of the rest of the connector.
pub(crate) struct Deliveries;

impl Webhooks for Deliveries {
    fn handshake(&self, key: &str) -> String {
        serde_json::json!({ "Key": key }).to_string()
    }

    fn parse(&self, body: &[u8]) -> Result<PaymentHint, Unreadable> {
        parse(body)
    }
}

/// Reads one delivery.
fn parse(body: &[u8]) -> Result<PaymentHint, Unreadable> {
    // A JSON array would fill the members in their order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(unreadable("not a JSON object"));
    }
    let event: Event<'_> =
        serde_json::from_slice(body).map_err(|_| unreadable("not a JSON object with an EventTypeId"))?;
    let kind = kind_of(event.event_type_id);
    // An event that acts must be readable in full. Of all others only the kind counts, so data of another shape is no
    // fault there.
    let claims = match read_claims(kind, event.event_data) {
        Err(_) if kind == HintedEvent::Other => Claims::default(),
        claims => claims?,
    };
    Ok(PaymentHint {
        provider: Provider::parse(NAME).map_err(|_| unreadable("not a provider's name"))?,
        event: kind,
        event_type: event.event_type_id,
        message_id: id(event.message_id),
        transaction: claims.transaction,
        checkout_code: claims.checkout_code,
        amount: claims.amount,
        currency: claims.currency,
        merchant: claims.merchant.or(id(event.recipient_id)),
        source: claims.source,
    })
}

/// What an event claims, by its number (`apis/viva-ongoing-bank.md` 1.3).
fn kind_of(event_type: u32) -> HintedEvent {
    match event_type {
        1796 => HintedEvent::Paid,
        1797 => HintedEvent::Reversed,
        1798 => HintedEvent::Failed,
        4865 => HintedEvent::OrderChanged,
        _ => HintedEvent::Other,
    }
}

/// What `EventData` claims.
#[derive(Default)]
struct Claims {
    transaction: Option<TransactionId>,
    checkout_code: Option<CheckoutCode>,
    amount: Option<String>,
    currency: Option<String>,
    merchant: Option<String>,
    source: Option<String>,
}

fn read_claims(kind: HintedEvent, data: Option<&RawValue>) -> Result<Claims, Unreadable> {
    let data = data.map_or("{}", RawValue::get);
    if !data.starts_with('{') {
        return Err(unreadable("EventData is not an object"));
    }
    let data: EventData =
        serde_json::from_str(data).map_err(|_| unreadable("EventData has a member of another shape"))?;
    let claims = Claims {
        transaction: data.transaction_id.as_deref().map(transaction).transpose()?,
        // A code of 0 is none: a payment without an order has it.
        checkout_code: data
            .order_code
            .as_deref()
            .filter(|code| *code != "0")
            .map(checkout_code)
            .transpose()?,
        amount: data.amount.as_deref().map(unsigned).transpose()?,
        currency: data.currency_code.as_deref().and_then(currency_number),
        merchant: id(data.merchant_id),
        source: id(data.source_code),
    };
    match kind {
        HintedEvent::Paid | HintedEvent::Reversed | HintedEvent::Failed if claims.transaction.is_none() => {
            Err(unreadable("TransactionId is missing"))
        }
        HintedEvent::OrderChanged if claims.checkout_code.is_none() => {
            Err(unreadable("OrderCode is missing"))
        }
        _ => Ok(claims),
    }
}

fn transaction(text: &str) -> Result<TransactionId, Unreadable> {
    TransactionId::parse(&text.to_ascii_lowercase()).map_err(|_| unreadable("TransactionId is not an id"))
}

fn checkout_code(text: &str) -> Result<CheckoutCode, Unreadable> {
    CheckoutCode::parse(text).map_err(|_| unreadable("OrderCode is not an order code"))
}

/// The lexeme without its sign, which nobody has seen on a real reversal (`apis/viva-ongoing-bank.md` 1.9).
fn unsigned(lexeme: &str) -> Result<String, Unreadable> {
    parse_decimal(lexeme).map_err(|_| unreadable("Amount is not a decimal number"))?;
    Ok(lexeme.strip_prefix('-').unwrap_or(lexeme).to_owned())
}

/// The three digits of ISO 4217; a JSON number has lost its leading zeros.
fn currency_number(text: &str) -> Option<String> {
    let digits = text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| format!("{text:0>3}"))
}

/// An id as it is, unless it is too long to be one or would spoil a log line.
fn id(text: LooseText) -> Option<String> {
    text.0.filter(|text| text.len() <= LONGEST_ID && !text.chars().any(char::is_control))
}

fn unreadable(why: &str) -> Unreadable {
    Unreadable { why: Said::quoted(why) }
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
