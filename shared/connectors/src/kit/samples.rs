//! An order and its posting, for the connectors' tests.

use bokbro_domain::ids::{OrderId, OrderNumber, TenantId};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Address, Customer, CustomerKind, Line, LineKind, Order, OrderBody};
use bokbro_domain::posting::{AccountRole, Chart, Posting, PostingProfile, plan};
use bokbro_domain::vat::VatRate;

fn kr(text: &str) -> Money {
    Money::parse_major(text, Currency::SEK).unwrap()
}

fn line(kind: LineKind, sku: Option<&str>, text: &str, quantity: u32, price: &str) -> Line {
    Line {
        kind,
        sku: sku.map(str::to_owned),
        text: text.to_owned(),
        quantity: quantity.into(),
        unit_price: kr(price),
        vat_rate: VatRate::Standard,
    }
}

/// Two oils and freight for a private person, 747.00 with 149.40 of VAT, paid late in the evening in Sweden.
pub(crate) fn order() -> Order {
    let billing = Address {
        name: "Åsa Öberg".to_owned(),
        address1: "Storgatan 1".to_owned(),
        address2: None,
        zip: "11122".to_owned(),
        city: "Stockholm".to_owned(),
        country: "SE".to_owned(),
    };
    let body = OrderBody {
        order_number: OrderNumber::parse("1753-1001").unwrap(),
        currency: Currency::SEK,
        checkout_code: None,
        payment_reference: None,
        customer: Customer {
            kind: CustomerKind::Private,
            name: "Åsa Öberg".to_owned(),
            email: Some("asa@example.se".to_owned()),
            phone: None,
            organisation_number: None,
            billing,
            delivery: None,
        },
        lines: vec![
            line(LineKind::Goods, Some("OIL-30"), "Ansiktsolja 30 ml", 2, "349.00"),
            line(LineKind::Shipping, None, "Frakt", 1, "49.00"),
        ],
        total: kr("747.00"),
    };
    let id = OrderId::parse("ord_01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
    let mut order =
        Order::new(id, TenantId::parse("demo").unwrap(), body, "2026-11-20T12:00:00Z".parse().unwrap());
    order.payment.captured = order.body.total;
    order.payment.paid_at = Some("2026-11-20T22:30:00Z".parse().unwrap());
    order
}

#[test]
fn the_samples_are_of_the_same_sale() {
    let posting = posting();
    assert_eq!((posting.gross, posting.vat_by_rate), (kr("747.00"), kr("149.40")));
    assert_eq!(
        (posting.reference, posting.date.to_string()),
        (order().id.to_string(), "2026-11-20".to_owned())
    );
}

/// What the order becomes in the books.
pub(crate) fn posting() -> Posting {
    let accounts = [(AccountRole::Sales25, 3001), (AccountRole::PaymentClaim, 1580)];
    let chart = Chart { accounts: accounts.into(), ..Chart::default() };
    plan(&order(), &chart, PostingProfile::Invoice, false).unwrap()
}
