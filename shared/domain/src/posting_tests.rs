//! Postings of paid orders, and totals that agree or do not.

use proptest::prelude::*;

use super::*;
use crate::order::OrderState;
use crate::testing::{at, kr, line, order};

fn chart() -> Chart {
    let accounts = [
        (AccountRole::Sales25, 3001),
        (AccountRole::Sales12, 3002),
        (AccountRole::Sales6, 3003),
        (AccountRole::Sales0, 3004),
        (AccountRole::PaymentClaim, 1580),
        (AccountRole::RoundOff, 3740),
    ];
    Chart {
        accounts: accounts.into(),
        payment_mode: Some("VIVA".into()),
        cash_method: false,
        locked_through: None,
        card_account: None,
        years: Vec::new(),
    }
}

fn paid(lines: Vec<Line>) -> Order {
    let mut order = order(lines);
    order.state = OrderState::Paid;
    order.payment.captured = order.body.total;
    // Half past eleven in the evening in London is the next day in Stockholm.
    order.payment.paid_at = Some(at("2026-11-20T23:30:00Z"));
    order
}

fn totals(gross: &str, vat: &str, round_off: &str) -> ComputedTotals {
    ComputedTotals { gross: kr(gross), vat: kr(vat), round_off: kr(round_off) }
}

#[test]
fn a_paid_order_becomes_a_posting_on_the_swedish_day() {
    let order = paid(vec![line("2", "349.00", VatRate::Standard), line("1", "49.00", VatRate::Low)]);
    let posting = plan(&order, &chart(), PostingProfile::Invoice, false).unwrap();
    assert_eq!(posting.date.to_string(), "2026-11-21");
    assert_eq!(posting.rows.iter().map(|row| row.account).collect::<Vec<_>>(), [3001, 3003]);
    assert_eq!((posting.gross, posting.payment.amount), (kr("747.00"), kr("747.00")));
    assert_eq!(posting.vat_by_row, kr("142.37"));
    assert_eq!(posting.payment.account, 1580);
}

#[test]
fn what_cannot_be_posted_says_why() {
    let order = paid(vec![line("1", "100.00", VatRate::Reduced)]);
    let without = Chart { accounts: [(AccountRole::PaymentClaim, 1580)].into(), ..chart() };
    assert_eq!(plan(&order, &without, PostingProfile::Invoice, false).unwrap_err().code(), "account_missing");
    let locked = Chart { locked_through: Some("2026-11-21".parse().unwrap()), ..chart() };
    assert_eq!(plan(&order, &locked, PostingProfile::Invoice, false).unwrap_err().code(), "period_locked");
    let open = Chart { locked_through: Some("2026-11-20".parse().unwrap()), ..chart() };
    assert!(plan(&order, &open, PostingProfile::Invoice, false).is_ok());
    let mut unpaid = order.clone();
    unpaid.payment.paid_at = None;
    assert_eq!(plan(&unpaid, &chart(), PostingProfile::Invoice, false).unwrap_err().code(), "not_paid");
    let mut euro = order;
    euro.body.currency = Currency::parse("EUR").unwrap();
    assert_eq!(plan(&euro, &chart(), PostingProfile::Invoice, false).unwrap_err().code(), "foreign_currency");
}

#[test]
fn a_day_must_lie_in_a_year_that_is_open() {
    let year =
        |year: i16| BookYear { from: jiff::civil::date(year, 1, 1), to: jiff::civil::date(year, 12, 31) };
    let order = paid(vec![line("1", "100.00", VatRate::Standard)]);
    for (years, begun, code) in [
        (vec![], false, None),
        (vec![year(2025), year(2026)], false, None),
        (vec![year(2025)], false, Some("financial_year_missing")),
        // What is begun is ended.
        (vec![year(2025)], true, None),
    ] {
        let chart = Chart { years, ..chart() };
        let refused = plan(&order, &chart, PostingProfile::Invoice, begun).err();
        assert_eq!(refused.as_ref().map(PostingError::code), code);
        assert!(refused.is_none_or(|refused| refused.is_of_chart()));
    }
}

#[test]
fn totals_agree_to_the_ore_or_not_at_all() {
    // Three rows of 0.10 at 25 %: 0.02 of tax each by row, 0.06 by rate; 33.33 shows the difference.
    let order = paid(vec![
        line("1", "33.33", VatRate::Standard),
        line("1", "33.33", VatRate::Standard),
        line("1", "33.34", VatRate::Standard),
    ]);
    let posting = plan(&order, &chart(), PostingProfile::Invoice, false).unwrap();
    assert_eq!((posting.vat_by_row, posting.vat_by_rate), (kr("20.01"), kr("20.00")));
    let cases = [
        (totals("100.00", "20.00", "0.00"), true),
        (totals("100.00", "20.01", "0.00"), true),
        (totals("100.00", "19.99", "0.00"), false),
        (totals("100.01", "20.00", "0.00"), false),
        (totals("100.50", "20.00", "0.50"), true),
        (totals("100.00", "20.00", "0.50"), true),
        (totals("101.00", "20.00", "1.00"), false),
        (totals("125.00", "25.00", "0.00"), false),
    ];
    for (computed, agrees) in cases {
        assert_eq!(posting.check_totals(computed).is_ok(), agrees, "{computed:?}");
    }
}

#[test]
fn a_customer_has_one_number_however_the_address_is_spelt() {
    let mut order = paid(vec![line("1", "100.00", VatRate::Standard)]);
    let number = |order: &Order| customer_keys(order).own_number;
    let first = number(&order);
    assert!(first.starts_with("BB") && first.len() == 14, "{first}");
    order.body.customer.email = Some(" asa@example.SE".into());
    assert_eq!(number(&order), first);
    order.body.customer.organisation_number = Some("556677-8899".into());
    let company = number(&order);
    assert_ne!(company, first);
    order.body.customer.organisation_number = Some("5566778899".into());
    assert_eq!(number(&order), company);
}

fn any_line() -> impl Strategy<Value = Line> {
    let rates = prop::sample::select(VatRate::ALL.to_vec());
    (1u32..50, 1i64..500_000, rates).prop_map(|(quantity, minor, rate)| {
        let mut line = line("1", "1.00", rate);
        line.quantity = Decimal::from(quantity);
        line.unit_price = Money::new(minor, Currency::SEK);
        line
    })
}

proptest! {
    #[test]
    fn both_ways_of_rounding_tax_are_close_and_agree_with_themselves(lines in prop::collection::vec(any_line(), 1..30)) {
        let posting = plan(&paid(lines.clone()), &chart(), PostingProfile::Invoice, false).unwrap();
        let apart = (posting.vat_by_row.minor - posting.vat_by_rate.minor).unsigned_abs();
        prop_assert!(apart <= lines.len() as u64, "{apart} öre apart over {} rows", lines.len());
        for vat in [posting.vat_by_row, posting.vat_by_rate] {
            let computed = ComputedTotals { gross: posting.gross, vat, round_off: Money::zero(Currency::SEK) };
            prop_assert!(posting.check_totals(computed).is_ok());
        }
        let rows: i64 = posting.rows.iter().map(|row| row.unit_price.times(row.quantity).unwrap().minor).sum();
        prop_assert_eq!(rows, posting.gross.minor);
    }
}
