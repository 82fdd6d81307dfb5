//! Values for the promises, told apart by a number.

use std::collections::BTreeMap;

use bokbro_app::ports::{KeyClaim, LedgerKey};
use bokbro_app::records::{Parked, TimelineEntry};
use bokbro_domain::ids::{
    CheckoutCode, CorrelationId, OrderId, OrderNumber, ParkedId, PaymentMethod, Target, TenantId,
    TransactionId,
};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Address, Customer, CustomerKind, Line, LineKind, Order, OrderBody};
use bokbro_domain::order::{OrderState, SyncState, SyncStatus};
use bokbro_domain::payment::{FactKind, FactStatus, PaymentFact};
use bokbro_domain::said::Said;
use bokbro_domain::vat::VatRate;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use ulid::Ulid;

/// The tenant of most promises.
pub(super) fn demo() -> TenantId {
    TenantId::parse("demo").unwrap()
}

/// The start of a made-up day and so many seconds.
pub(super) fn time(seconds: u32) -> Timestamp {
    let start: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
    start + SignedDuration::from_secs(i64::from(seconds))
}

fn ulid(number: u32) -> Ulid {
    Ulid::from_parts(u64::try_from(time(number).as_millisecond()).unwrap(), u128::from(number))
}

/// An order that is told from others by its number in every look-up; made as many seconds into the day.
pub(super) fn order(tenant: &TenantId, number: u32) -> Order {
    let billing = Address {
        name: "Åsa Öberg".to_owned(),
        address1: "Storgatan 1".to_owned(),
        address2: None,
        zip: "11122".to_owned(),
        city: "Stockholm".to_owned(),
        country: "SE".to_owned(),
    };
    let customer = Customer {
        kind: CustomerKind::Private,
        name: "Åsa Öberg".to_owned(),
        email: Some("asa@example.se".to_owned()),
        phone: None,
        organisation_number: None,
        billing,
        delivery: None,
    };
    let total = Money { minor: 34_900, currency: Currency::SEK };
    let line = Line {
        kind: LineKind::Goods,
        sku: Some("OIL-30".to_owned()),
        text: "Ansiktsolja 30 ml".to_owned(),
        quantity: Decimal::ONE,
        unit_price: total,
        vat_rate: VatRate::Standard,
    };
    let body = OrderBody {
        order_number: OrderNumber::parse(&format!("1753-{number}")).unwrap(),
        currency: Currency::SEK,
        checkout_code: Some(CheckoutCode(9_007_199_254_740_993 + u64::from(number))),
        payment_reference: Some(format!("reference-{number}")),
        customer,
        lines: vec![line],
        total,
    };
    Order::new(OrderId::from_ulid(ulid(number)), tenant.clone(), body, time(number))
}

/// The order one version on, and paid.
pub(super) fn paid(order: &Order, seconds: u32) -> Order {
    let mut order = order.clone();
    order.state = OrderState::Paid;
    order.payment.captured = order.body.total;
    order.payment.paid_at = Some(time(seconds));
    order.version += 1;
    order.updated_at = time(seconds);
    order
}

pub(super) fn fact(number: u32) -> PaymentFact {
    PaymentFact {
        transaction: TransactionId::parse(&format!("transaction-{number}")).unwrap(),
        parent: None,
        kind: FactKind::Charge,
        status: FactStatus::Captured,
        method: PaymentMethod::default(),
        amount: Money { minor: 34_900, currency: Currency::SEK },
        checkout_code: None,
        merchant_text: Some(format!("Order #1753-{number}")),
        made_at: time(number),
    }
}

pub(super) fn entry(number: u32) -> TimelineEntry {
    TimelineEntry {
        id: ulid(number).to_string(),
        at: time(number),
        event: "event".to_owned(),
        message: Said::quoted(format!("entry {number}")),
        correlation: correlation(),
    }
}

fn correlation() -> CorrelationId {
    CorrelationId::from_ulid(ulid(0))
}

/// A claim of a key that is remembered for a day.
pub(super) fn claim(key: &str, body_hash: &str) -> KeyClaim {
    KeyClaim { id: format!("orders#demo#{key}"), body_hash: body_hash.to_owned(), expires_at: time(86_400) }
}

pub(super) fn parked(number: u32, fingerprint: &str) -> Parked {
    Parked {
        id: ParkedId::from_ulid(ulid(number)),
        at: time(number),
        code: "amount_differs".to_owned(),
        message: Said::quoted("look at the order"),
        fingerprint: fingerprint.to_owned(),
        order: None,
        target: Some(Target::Accounting),
        details: BTreeMap::from([("paid".to_owned(), "1.00".to_owned())]),
        correlation: correlation(),
    }
}

pub(super) fn status(state: SyncState, message: &str) -> SyncStatus {
    SyncStatus { state, message: Some(Said::quoted(message)), ..SyncStatus::default() }
}

pub(super) fn ledger_key(order: &Order) -> LedgerKey {
    LedgerKey { tenant: order.tenant.clone(), order: order.id.clone(), target: Target::Accounting }
}
