//! Sample orders for this crate's own tests.

use jiff::Timestamp;
use rust_decimal::Decimal;
use ulid::Ulid;

use crate::ids::{CheckoutCode, OrderId, OrderNumber, TenantId};
use crate::money::{Currency, Money};
use crate::order::{Address, Customer, CustomerKind, Line, LineKind, Order, OrderBody};
use crate::vat::VatRate;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn kr(text: &str) -> Money {
    Money::parse_major(text, Currency::SEK).unwrap()
}

pub(crate) fn line(quantity: &str, price: &str, vat_rate: VatRate) -> Line {
    Line {
        kind: LineKind::Goods,
        sku: Some("OIL-30".into()),
        text: "Ansiktsolja 30 ml".into(),
        quantity: quantity.parse::<Decimal>().unwrap(),
        unit_price: kr(price),
        vat_rate,
    }
}

pub(crate) fn order(lines: Vec<Line>) -> Order {
    let total = lines.iter().fold(Money::zero(Currency::SEK), |sum, l| sum.plus(l.gross().unwrap()).unwrap());
    let billing = Address {
        name: "Åsa Öberg".into(),
        address1: "Storgatan 1".into(),
        address2: None,
        zip: "11122".into(),
        city: "Stockholm".into(),
        country: "SE".into(),
    };
    let customer = Customer {
        kind: CustomerKind::Private,
        name: "Åsa Öberg".into(),
        email: Some("Asa@Example.se".into()),
        phone: None,
        organisation_number: None,
        billing,
        delivery: None,
    };
    let body = OrderBody {
        order_number: OrderNumber::parse("1753-1001").unwrap(),
        currency: Currency::SEK,
        checkout_code: Some(CheckoutCode(2_451_234_567_890_123)),
        payment_reference: None,
        customer,
        lines,
        total,
    };
    let id = OrderId::from_ulid(Ulid::from_parts(1_764_000_000_000, 7));
    Order::new(id, TenantId::parse("demo").unwrap(), body, at("2026-11-20T10:00:00Z"))
}
