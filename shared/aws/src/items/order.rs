//! The order and its payment facts as items: what the webshop said is one document that never changes, what workers
//! change stands in attributes of its own, so that writers of different attributes never overwrite each other.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use bokbro_domain::day::DayId;
use bokbro_domain::ids::{
    CheckoutCode, OrderId, OrderNumber, ParkedId, PaymentMethod, Provider, Target, TenantId, TransactionId,
};
use bokbro_domain::in_books::{BooksChange, BooksState, InBooks};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Address, Customer, CustomerKind, Line, LineKind, Order, OrderBody};
use bokbro_domain::order::{OrderState, SyncState, SyncStatus};
use bokbro_domain::payment::{FactKind, FactStatus, PaymentFact, PaymentTotals};
use bokbro_domain::said::Said;
use bokbro_domain::shipment::{Parcel, PickedLine, Shipment, Stage};
use bokbro_domain::vat::VatRate;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::keys::{Key, ORDERS, state_pk, state_sk};
use super::{Item, Reader, Unreadable, json, number, stamp, text, versioned};

#[derive(Serialize, Deserialize)]
struct BodyDoc {
    order_number: OrderNumber,
    currency: Currency,
    checkout_code: Option<CheckoutCode>,
    payment_reference: Option<String>,
    customer: CustomerDoc,
    lines: Vec<LineDoc>,
    total: Money,
}

#[derive(Serialize, Deserialize)]
struct CustomerDoc {
    kind: CustomerKind,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    organisation_number: Option<String>,
    billing: AddressDoc,
    delivery: Option<AddressDoc>,
}

#[derive(Serialize, Deserialize)]
struct AddressDoc {
    name: String,
    address1: String,
    address2: Option<String>,
    zip: String,
    city: String,
    country: String,
}

#[derive(Serialize, Deserialize)]
struct LineDoc {
    kind: LineKind,
    sku: Option<String>,
    text: String,
    quantity: Decimal,
    unit_price: Money,
    vat_rate: VatRate,
}

#[derive(Serialize, Deserialize)]
struct TotalsDoc {
    captured: Money,
    reversed: Money,
    paid_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<PaymentMethod>,
    transactions: Vec<TransactionId>,
}

#[derive(Serialize, Deserialize)]
struct StatusDoc {
    state: SyncState,
    provider: Option<Provider>,
    numbers: BTreeMap<String, String>,
    message: Option<Said>,
    parked: Option<ParkedId>,
    #[serde(default, skip_serializing_if = "is_default")]
    credited: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    by_hand: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<DayId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shipment: Option<ShipmentDoc>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    in_books: BTreeMap<String, InBooksDoc>,
}

#[derive(Serialize, Deserialize)]
struct InBooksDoc {
    state: BooksState,
    balance: Option<Money>,
    changed: BTreeSet<BooksChange>,
    read_at: Timestamp,
}

/// Whether a member may be left out.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[derive(Serialize, Deserialize)]
struct ShipmentDoc {
    order_id: String,
    status: u32,
    text: String,
    stage: Stage,
    shipped_at: Option<Timestamp>,
    parcels: Vec<ParcelDoc>,
    lines: Vec<PickedLineDoc>,
}

#[derive(Serialize, Deserialize)]
struct ParcelDoc {
    number: String,
    url: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct PickedLineDoc {
    sku: String,
    ordered: Decimal,
    picked: Decimal,
}

#[derive(Serialize, Deserialize)]
struct FactDoc {
    transaction: TransactionId,
    parent: Option<TransactionId>,
    kind: FactKind,
    status: FactStatus,
    #[serde(default, skip_serializing_if = "is_default")]
    method: PaymentMethod,
    amount: Money,
    checkout_code: Option<CheckoutCode>,
    merchant_text: Option<String>,
    made_at: Timestamp,
}

/// Both directions of a wire type that has the fields of a domain type; a field that only one of them has does not
/// compile.
macro_rules! same_fields {
    ($domain:ident, $doc:ident, $($field:ident),+) => {
        impl From<$domain> for $doc {
            fn from(value: $domain) -> Self {
                let $domain { $($field),+ } = value;
                Self { $($field),+ }
            }
        }

        impl From<$doc> for $domain {
            fn from(doc: $doc) -> Self {
                let $doc { $($field),+ } = doc;
                Self { $($field),+ }
            }
        }
    };
}

same_fields!(Address, AddressDoc, name, address1, address2, zip, city, country);
same_fields!(Line, LineDoc, kind, sku, text, quantity, unit_price, vat_rate);
same_fields!(PaymentTotals, TotalsDoc, captured, reversed, paid_at, method, transactions);
same_fields!(InBooks, InBooksDoc, state, balance, changed, read_at);
same_fields!(Parcel, ParcelDoc, number, url);
same_fields!(PickedLine, PickedLineDoc, sku, ordered, picked);
same_fields!(
    PaymentFact,
    FactDoc,
    transaction,
    parent,
    kind,
    status,
    method,
    amount,
    checkout_code,
    merchant_text,
    made_at
);

impl From<SyncStatus> for StatusDoc {
    fn from(status: SyncStatus) -> Self {
        let SyncStatus {
            state,
            provider,
            numbers,
            message,
            parked,
            credited,
            by_hand,
            day,
            shipment,
            in_books,
        } = status;
        Self {
            state,
            provider,
            numbers,
            message,
            parked,
            credited,
            by_hand,
            day,
            shipment: shipment.map(Into::into),
            in_books: in_books.into_iter().map(|(number, seen)| (number, seen.into())).collect(),
        }
    }
}

impl From<StatusDoc> for SyncStatus {
    fn from(doc: StatusDoc) -> Self {
        let StatusDoc {
            state,
            provider,
            numbers,
            message,
            parked,
            credited,
            by_hand,
            day,
            shipment,
            in_books,
        } = doc;
        Self {
            state,
            provider,
            numbers,
            message,
            parked,
            credited,
            by_hand,
            day,
            shipment: shipment.map(Into::into),
            in_books: in_books.into_iter().map(|(number, seen)| (number, seen.into())).collect(),
        }
    }
}

impl From<Shipment> for ShipmentDoc {
    fn from(shipment: Shipment) -> Self {
        let Shipment { order_id, status, text, stage, shipped_at, parcels, lines } = shipment;
        let (parcels, lines) =
            (parcels.into_iter().map(Into::into).collect(), lines.into_iter().map(Into::into).collect());
        Self { order_id, status, text, stage, shipped_at, parcels, lines }
    }
}

impl From<ShipmentDoc> for Shipment {
    fn from(doc: ShipmentDoc) -> Self {
        let ShipmentDoc { order_id, status, text, stage, shipped_at, parcels, lines } = doc;
        let (parcels, lines) =
            (parcels.into_iter().map(Into::into).collect(), lines.into_iter().map(Into::into).collect());
        Self { order_id, status, text, stage, shipped_at, parcels, lines }
    }
}

impl From<Customer> for CustomerDoc {
    fn from(customer: Customer) -> Self {
        let Customer { kind, name, email, phone, organisation_number, billing, delivery } = customer;
        let (billing, delivery) = (billing.into(), delivery.map(Into::into));
        Self { kind, name, email, phone, organisation_number, billing, delivery }
    }
}

impl From<CustomerDoc> for Customer {
    fn from(doc: CustomerDoc) -> Self {
        let CustomerDoc { kind, name, email, phone, organisation_number, billing, delivery } = doc;
        let (billing, delivery) = (billing.into(), delivery.map(Into::into));
        Self { kind, name, email, phone, organisation_number, billing, delivery }
    }
}

impl From<OrderBody> for BodyDoc {
    fn from(body: OrderBody) -> Self {
        let OrderBody { order_number, currency, checkout_code, payment_reference, customer, lines, total } =
            body;
        let (customer, lines) = (customer.into(), lines.into_iter().map(Into::into).collect());
        Self { order_number, currency, checkout_code, payment_reference, customer, lines, total }
    }
}

impl From<BodyDoc> for OrderBody {
    fn from(doc: BodyDoc) -> Self {
        let BodyDoc { order_number, currency, checkout_code, payment_reference, customer, lines, total } =
            doc;
        let (customer, lines) = (customer.into(), lines.into_iter().map(Into::into).collect());
        Self { order_number, currency, checkout_code, payment_reference, customer, lines, total }
    }
}

/// What the payment facts add up to, as an attribute.
pub(crate) fn payment(totals: &PaymentTotals) -> AttributeValue {
    json(&TotalsDoc::from(totals.clone()))
}

/// A sync status as an attribute.
pub(crate) fn status(status: &SyncStatus) -> AttributeValue {
    json(&StatusDoc::from(status.clone()))
}

/// A sync status that stands in an attribute.
pub(crate) fn status_of(reader: Reader<'_>, attribute: &'static str) -> Result<SyncStatus, Unreadable> {
    reader.json::<StatusDoc>(attribute).map(Into::into)
}

/// Name of the attribute that holds the sync status of a target.
pub(crate) fn status_attribute(target: Target) -> &'static str {
    match target {
        Target::Accounting => "accounting",
        Target::Warehouse => "warehouse",
    }
}

/// The order as an item.
pub(crate) fn to_item(order: &Order) -> Item {
    let Order {
        id,
        tenant,
        body,
        state,
        payment: totals,
        accounting,
        warehouse,
        version,
        created_at,
        updated_at,
    } = order;
    let attributes = [
        ("body", json(&BodyDoc::from(body.clone()))),
        ("state", text(state.as_str())),
        ("payment", payment(totals)),
        (status_attribute(Target::Accounting), status(accounting)),
        (status_attribute(Target::Warehouse), status(warehouse)),
        ("version", number(*version)),
        ("created_at", text(stamp(*created_at))),
        ("updated_at", text(stamp(*updated_at))),
        ("gsi1pk", text(state_pk(tenant, *state))),
        ("gsi1sk", text(state_sk(*updated_at, id))),
    ];
    let mut item = versioned(Key::order(tenant, id).into_item());
    item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
    item
}

/// The item as an order.
pub(crate) fn from_item(item: &Item) -> Result<Order, Unreadable> {
    let reader = Reader::new("order", item)?;
    let (body, payment): (BodyDoc, TotalsDoc) = (reader.json("body")?, reader.json("payment")?);
    let status = |target| status_of(reader, status_attribute(target));
    Ok(Order {
        id: reader.parsed("sk", |sk| OrderId::parse(sk.strip_prefix(ORDERS).unwrap_or(sk)))?,
        tenant: reader.parsed("pk", |pk| TenantId::parse(pk.strip_prefix("T#").unwrap_or(pk)))?,
        body: body.into(),
        state: OrderState::parse(reader.text("state")?).ok_or_else(|| reader.bad("state"))?,
        payment: payment.into(),
        accounting: status(Target::Accounting)?,
        warehouse: status(Target::Warehouse)?,
        version: reader.number("version")?,
        created_at: reader.parsed("created_at", str::parse)?,
        updated_at: reader.parsed("updated_at", str::parse)?,
    })
}

/// A payment fact as an item.
pub(crate) fn fact_to_item(tenant: &TenantId, order: &OrderId, fact: &PaymentFact) -> Item {
    let mut item = versioned(Key::fact(tenant, order, &fact.transaction).into_item());
    item.insert("doc".to_owned(), json(&FactDoc::from(fact.clone())));
    item
}

/// The item as a payment fact.
pub(crate) fn fact_from_item(item: &Item) -> Result<PaymentFact, Unreadable> {
    Ok(Reader::new("payment fact", item)?.json::<FactDoc>("doc")?.into())
}
