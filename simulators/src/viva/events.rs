//! The events that Viva would send, spelled as it spells them (apis/viva-ongoing-bank.md 1.4).

use jiff::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::VivaConfig;
use super::members::Members;
use super::model::{Order, Switches, Transaction};
use super::wire::{Amount, OrderCode, greek, local_time, long_utc_time};

/// Every member of a payment's event, with made-up values of the right JSON types and number spellings.
const TEMPLATE: &str = include_str!("event.json");

/// Payment created.
pub(crate) const PAID: u32 = 1796;
/// Reversal created.
pub(crate) const REVERSED: u32 = 1797;
/// Payment failed.
pub(crate) const FAILED: u32 = 1798;
/// Order updated; Viva documents it for cancelled orders.
pub(crate) const ORDER_UPDATED: u32 = 4865;

/// An event in its final spelling, with what the log shows of it.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) event_type_id: u32,
    pub(crate) transaction_id: Option<String>,
    pub(crate) order_code: OrderCode,
    pub(crate) body: Members,
}

impl Event {
    /// The kind of event that a transaction brings about.
    pub(crate) fn type_of(transaction: &Transaction) -> u32 {
        match (&transaction.parent_id, transaction.status_id.as_str()) {
            (Some(_), _) => REVERSED,
            (None, "E") => FAILED,
            (None, _) => PAID,
        }
    }

    /// The event about a transaction. Any type id may be told of any transaction: that is what forgeries do.
    pub(crate) fn of_transaction(
        event_type_id: u32,
        transaction: &Transaction,
        order: Option<&Order>,
        account: &VivaConfig,
        switches: &Switches,
        now: Timestamp,
    ) -> Self {
        let mut body = template();
        let mut data = event_data(&body);
        let amount = transaction.shown_amount();
        let reference = transaction.reference_number;
        data.set("TransactionId", &transaction.transaction_id);
        data.set("ParentId", &transaction.parent_id);
        data.set("StatusId", &transaction.status_id);
        data.set("TransactionTypeId", transaction.type_id);
        data.set_raw("Amount", amount.lexeme());
        data.set_raw("OriginalAmount", amount.four_decimals());
        data.set("CurrencyCode", transaction.currency_code);
        data.set("OriginalCurrencyCode", transaction.currency_code);
        data.set("SourceCode", &transaction.source_code);
        data.set("MerchantTrns", &transaction.merchant_trns);
        data.set("CustomerTrns", &transaction.customer_trns);
        data.set("InsDate", local_time(transaction.ins_date));
        data.set("ReferenceNumber", reference);
        data.set("AuthorizationId", reference.to_string());
        let retrieval =
            format!("{}{reference}", greek(transaction.ins_date).strftime("%y%j%H").to_string().split_off(1));
        data.set("RetrievalReferenceNumber", retrieval);
        if transaction.status_id == "E" {
            data.set("ResponseCode", "51");
            data.set("ResponseEventId", 10051);
        }
        if let Some(order) = order {
            data.set("Email", &order.email);
            data.set("FullName", &order.full_name);
            data.set("Phone", &order.phone);
            data.set("Tags", &order.tags);
        }
        finish(&mut data, transaction.order_code, account, switches);
        seal(&mut body, &data, event_type_id, account, switches, now);
        let transaction_id = Some(transaction.transaction_id.clone());
        Self { event_type_id, transaction_id, order_code: transaction.order_code, body }
    }

    /// The event about an order that its shop cancelled, with the few members that are documented.
    pub(crate) fn of_order(order: &Order, account: &VivaConfig, switches: &Switches, now: Timestamp) -> Self {
        let mut body = template();
        let mut data = Members::default();
        data.set_raw("Amount", order.amount.lexeme());
        data.set("Email", &order.email);
        data.set("FullName", &order.full_name);
        data.set("SourceCode", &order.source_code);
        data.set("IsCancelled", order.cancelled);
        data.set("Tags", &order.tags);
        finish(&mut data, order.order_code, account, switches);
        seal(&mut body, &data, ORDER_UPDATED, account, switches, now);
        Self { event_type_id: ORDER_UPDATED, transaction_id: None, order_code: order.order_code, body }
    }

    /// The same event with other members: its data, its envelope, or its order code as a string.
    pub(crate) fn altered(mut self, data: Members, envelope: Members, order_code_as_string: bool) -> Self {
        let mut altered = event_data(&self.body);
        if order_code_as_string {
            altered.set("OrderCode", self.order_code.0.to_string());
        }
        altered.overlay(data);
        self.body.set("EventData", altered);
        self.body.overlay(envelope);
        self
    }

    /// The event as JSON text.
    pub(crate) fn json(&self) -> Box<RawValue> {
        self.body.to_raw()
    }
}

fn template() -> Members {
    serde_json::from_str(TEMPLATE).expect("the template is a JSON object")
}

fn event_data(body: &Members) -> Members {
    body.get("EventData").and_then(|data| serde_json::from_str(data.get()).ok()).unwrap_or_default()
}

/// The members that every kind of event data has.
fn finish(data: &mut Members, order_code: OrderCode, account: &VivaConfig, switches: &Switches) {
    data.set("MerchantId", &account.merchant_id);
    if switches.order_code_as_string {
        data.set("OrderCode", order_code.0.to_string());
    } else {
        data.set("OrderCode", order_code);
    }
    if switches.unknown_members {
        data.set("SustainabilityScore", serde_json::json!({"grade": "B", "points": [1, 2.50, null]}));
        data.set_raw("SettlementAmount", Amount(123).four_decimals());
    }
}

/// Closes the envelope around the data.
fn seal(
    body: &mut Members,
    data: &Members,
    event_type_id: u32,
    account: &VivaConfig,
    switches: &Switches,
    now: Timestamp,
) {
    let random = Uuid::new_v4();
    body.set("Url", switches.webhook_url.as_deref().unwrap_or_default());
    body.set("EventData", data);
    body.set("Created", long_utc_time(now));
    body.set("CorrelationId", format!("{}-{:08X}", now.strftime("%y-%j"), random.as_fields().0));
    body.set("EventTypeId", event_type_id);
    body.set("MessageId", random.to_string());
    body.set("RecipientId", &account.merchant_id);
    if switches.unknown_members {
        body.set("SchemaRevision", "2031-1");
    }
}
