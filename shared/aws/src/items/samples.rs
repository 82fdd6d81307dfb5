//! Sample values for tests.

use std::collections::BTreeMap;

use bokbro_app::ports::Mapping;
use bokbro_app::records::{Parked, TimelineEntry};
use bokbro_domain::day::DayId;
use bokbro_domain::effect::{Lease, Ledger, Receipt, Step, StepName, StepState};
use bokbro_domain::ids::{
    CheckoutCode, CorrelationId, OrderId, OrderNumber, ParkedId, PaymentMethod, Provider, Target, TenantId,
    TransactionId,
};
use bokbro_domain::in_books::{BooksChange, BooksState, InBooks};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Address, Customer, CustomerKind, Line, LineKind, Order, OrderBody};
use bokbro_domain::order::{SyncState, SyncStatus};
use bokbro_domain::payment::{FactKind, FactStatus, PaymentFact};
use bokbro_domain::posting::PostingProfile;
use bokbro_domain::said::Said;
use bokbro_domain::shipment::{Parcel, PickedLine, Shipment, Stage};
use bokbro_domain::vat::VatRate;
use jiff::Timestamp;
use rust_decimal::Decimal;

const ULID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// A time that does not end on a whole second.
pub(crate) fn time() -> Timestamp {
    "2026-11-20T10:20:30.5Z".parse().unwrap()
}

pub(crate) fn sek(minor: i64) -> Money {
    Money { minor, currency: Currency::SEK }
}

pub(crate) fn transaction() -> TransactionId {
    TransactionId::parse("b1a3067c-321b-4ec6-bc9d-1778aef2a19d").unwrap()
}

/// An order with every field that may be absent.
pub(crate) fn order() -> Order {
    let address = Address {
        name: "Åsa Öberg".to_owned(),
        address1: "Storgatan 1".to_owned(),
        address2: Some("c/o Berg".to_owned()),
        zip: "11122".to_owned(),
        city: "Stockholm".to_owned(),
        country: "SE".to_owned(),
    };
    let customer = Customer {
        kind: CustomerKind::Private,
        name: "Åsa Öberg".to_owned(),
        email: Some("asa@example.se".to_owned()),
        phone: Some("070-000 00 00".to_owned()),
        organisation_number: None,
        billing: address.clone(),
        delivery: Some(address),
    };
    let line = Line {
        kind: LineKind::Goods,
        sku: Some("OIL-30".to_owned()),
        text: "Ansiktsolja 30 ml".to_owned(),
        quantity: Decimal::new(20, 1),
        unit_price: sek(34_900),
        vat_rate: VatRate::Standard,
    };
    let body = OrderBody {
        order_number: OrderNumber::parse("1753-1001").unwrap(),
        currency: Currency::SEK,
        checkout_code: Some(CheckoutCode(9_007_199_254_740_993)),
        payment_reference: Some(transaction().to_string()),
        customer,
        lines: vec![line],
        total: sek(69_800),
    };
    let id = OrderId::parse(&format!("ord_{ULID}")).unwrap();
    Order::new(id, TenantId::parse("demo").unwrap(), body, time())
}

pub(crate) fn fact() -> PaymentFact {
    PaymentFact {
        transaction: transaction(),
        parent: None,
        kind: FactKind::Charge,
        status: FactStatus::Captured,
        method: PaymentMethod::parse("card").unwrap(),
        amount: sek(69_800),
        checkout_code: Some(CheckoutCode(9_007_199_254_740_993)),
        merchant_text: Some("Order #1753-1001".to_owned()),
        made_at: time(),
    }
}

/// A batch of a day.
pub(crate) fn day() -> DayId {
    DayId::parse("day_2026-11-20_pay_card_001").unwrap()
}

/// A ledger under a lease with one step done.
pub(crate) fn ledger() -> Ledger {
    let step = Step {
        state: StepState::Done,
        request_hash: "ab".repeat(32),
        reference: format!("ord_{ULID}"),
        attempt: 2,
        sent_at: time(),
        receipt: Some(Receipt {
            external_id: "42".to_owned(),
            facts: BTreeMap::from([("total".to_owned(), "698".to_owned())]),
        }),
        last_error: None,
        done_at: Some(time()),
        told: true,
    };
    let lease = Some(Lease { owner: "worker-1".to_owned(), until: time() });
    Ledger {
        fence: 3,
        lease,
        profile: Some(PostingProfile::Invoice),
        steps: BTreeMap::from([(StepName::from("invoice"), step)]),
    }
}

pub(crate) fn status(parked: Option<ParkedId>) -> SyncStatus {
    SyncStatus {
        state: SyncState::NeedsAttention,
        provider: Some(Provider::parse("ledger").unwrap()),
        numbers: BTreeMap::from([("invoice_number".to_owned(), "42".to_owned())]),
        message: Some(Said::quoted("look")),
        parked,
        credited: 24_900,
        by_hand: true,
        day: Some(day()),
        shipment: None,
        in_books: BTreeMap::new(),
    }
}

pub(crate) fn shipment() -> Shipment {
    Shipment {
        order_id: "50161".to_owned(),
        status: 450,
        text: "Sent".to_owned(),
        stage: Stage::Shipped,
        shipped_at: Some(time()),
        parcels: vec![Parcel {
            number: "3735".to_owned(),
            url: Some("https://track.example.se/3735".to_owned()),
        }],
        lines: vec![PickedLine { sku: "OIL-30".to_owned(), ordered: 2.into(), picked: 2.into() }],
    }
}

pub(crate) fn correlation() -> CorrelationId {
    CorrelationId::parse(ULID).unwrap()
}

pub(crate) fn entry() -> TimelineEntry {
    TimelineEntry {
        id: ULID.to_owned(),
        at: time(),
        event: "invoice_created".to_owned(),
        message: Said::quoted("invoice 42 was made"),
        correlation: correlation(),
    }
}

pub(crate) fn parked() -> Parked {
    Parked {
        id: ParkedId::parse(&format!("prk_{ULID}")).unwrap(),
        at: time(),
        code: "amount_differs".to_owned(),
        message: Said::quoted("look at the order"),
        fingerprint: "amount_differs#ord".to_owned(),
        order: Some(order().id),
        target: Some(Target::Accounting),
        details: BTreeMap::from([("paid".to_owned(), "1.00".to_owned())]),
        correlation: correlation(),
    }
}

pub(crate) fn mapping() -> Mapping {
    Mapping {
        external_id: "42".to_owned(),
        number: "17".to_owned(),
        ours: vec![order().id.to_string()],
        hash: "ab".repeat(32),
        changed_at: Some(time()),
        seen: time(),
        told: true,
        gone: false,
    }
}

pub(crate) fn in_books() -> InBooks {
    InBooks {
        state: BooksState::PartlyPaid,
        balance: Some(sek(100)),
        changed: [BooksChange::Total, BooksChange::Customer].into(),
        read_at: time(),
    }
}
