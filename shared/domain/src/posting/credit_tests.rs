//! Credits: what they add up to, what stays when more is given back, and how parts are shared out.

use proptest::prelude::*;

use super::*;
use crate::effect::Intent;
use crate::order::{Line, Order, OrderState};
use crate::posting::{AccountRole, plan};
use crate::testing::{at, kr, line, order};

fn chart() -> Chart {
    let accounts = [
        (AccountRole::Sales25, 3001),
        (AccountRole::Sales12, 3002),
        (AccountRole::Sales6, 3003),
        (AccountRole::Sales0, 3004),
        (AccountRole::PaymentClaim, 1580),
    ];
    Chart { accounts: accounts.into(), ..Chart::default() }
}

fn sale(lines: Vec<Line>) -> Posting {
    let mut order: Order = order(lines);
    order.state = OrderState::Paid;
    order.payment.captured = order.body.total;
    order.payment.paid_at = Some(at("2026-11-20T10:00:00Z"));
    plan(&order, &chart(), PostingProfile::OrderAndInvoice, false).unwrap()
}

fn back(amount: &str, time: &str) -> Reversal {
    Reversal { amount: kr(amount), at: at(time) }
}

fn two_rates() -> Posting {
    sale(vec![line("2", "100.00", VatRate::Standard), line("1", "100.00", VatRate::Low)])
}

#[test]
fn everything_given_back_at_once_mirrors_the_sale() {
    let sale = two_rates();
    let given = [back("300.00", "2026-11-24T23:30:00Z")];
    let credits = with_credits(sale.clone(), &given, &BTreeSet::new(), &chart()).unwrap().credits;
    let credit = &credits[0];
    assert_eq!((credits.len(), credit.id, credit.posting.gross), (1, CreditId(30_000), kr("-300.00")));
    assert_eq!(credit.posting.date.to_string(), "2026-11-25", "the Swedish day");
    assert_eq!(credit.posting.reference, format!("{}-credit-30000", sale.reference));
    assert_eq!(credit.posting.payment.amount, kr("-300.00"));
    assert_eq!(credit.posting.vat_by_row, Money::new(-sale.vat_by_row.minor, sale.currency));
    let quantities: Vec<String> = credit.posting.rows.iter().map(|row| row.quantity.to_string()).collect();
    assert_eq!(quantities, ["-2", "-1"]);
    assert_eq!(credit.posting.profile, PostingProfile::Invoice, "no order is credited");
    let in_cash = Posting { profile: PostingProfile::CashInvoice, ..sale };
    let credits = with_credits(in_cash, &given, &BTreeSet::new(), &chart()).unwrap().credits;
    assert_eq!(credits[0].posting.profile, PostingProfile::CashInvoice, "it is paid back as it was paid");
}

#[test]
fn a_part_is_shared_out_over_the_rates_and_the_last_takes_what_is_left() {
    let given = [back("100.00", "2026-11-21T10:00:00Z"), back("200.00", "2026-11-22T10:00:00Z")];
    let credits = with_credits(two_rates(), &given, &BTreeSet::new(), &chart()).unwrap().credits;
    let rows = |credit: &Credit| -> Vec<(u32, String)> {
        let of = |row: &PostingRow| (row.vat_rate.percent(), row.gross().unwrap().to_string());
        credit.posting.rows.iter().map(of).collect()
    };
    assert_eq!(rows(&credits[0]), [(25, "-66.67".to_owned()), (6, "-33.33".to_owned())]);
    assert_eq!(rows(&credits[1]), [(25, "-133.33".to_owned()), (6, "-66.67".to_owned())]);
}

#[test]
fn what_was_credited_stays_when_more_comes_to_light() {
    let first = [back("249.00", "2026-11-22T10:00:00Z")];
    let known = BTreeSet::from([CreditId(24_900)]);
    let before = with_credits(two_rates(), &first, &BTreeSet::new(), &chart()).unwrap().credits;
    // A reversal of the day before is told of late.
    let more = [back("20.00", "2026-11-21T10:00:00Z"), back("249.00", "2026-11-22T10:00:00Z")];
    let after = with_credits(two_rates(), &more, &known, &chart()).unwrap().credits;
    assert_eq!(after[0], before[0]);
    assert_eq!((after.len(), after[1].id, after[1].posting.gross), (2, CreditId(26_900), kr("-20.00")));
    // Less than was credited: a human must look.
    let less = with_credits(two_rates(), &[back("100.00", "2026-11-22T10:00:00Z")], &known, &chart());
    assert_eq!(less.unwrap_err().code(), "credited_too_much");
}

#[test]
fn a_locked_period_stops_new_credits_only() {
    let locked = Chart { locked_through: Some("2026-11-23".parse().unwrap()), ..chart() };
    let given = [back("100.00", "2026-11-22T10:00:00Z")];
    let refused = with_credits(two_rates(), &given, &BTreeSet::new(), &locked).unwrap_err();
    assert_eq!(refused.code(), "period_locked");
    let known = BTreeSet::from([CreditId(10_000)]);
    assert_eq!(with_credits(two_rates(), &given, &known, &locked).unwrap().credits.len(), 1);
}

#[test]
fn names_of_steps_tell_the_credit() {
    let name = StepName::of_credit("bookkeep_invoice", CreditId(24_900));
    assert_eq!(name.0, "bookkeep_invoice.credit_24900");
    assert_eq!(name.parts(), ("bookkeep_invoice", Some(CreditId(24_900))));
    assert_eq!(StepName::from("invoice").parts(), ("invoice", None));
    let mut ledger = Ledger::default();
    for step in [name, StepName::from("invoice")] {
        let intent =
            Intent { step, reference: "r".into(), request: "{}".into(), may_exist: false, replaces: false };
        ledger.mark_sent(&intent, at("2026-11-20T10:00:00Z"));
    }
    assert_eq!(credited(&ledger), BTreeSet::from([CreditId(24_900)]));
}

#[test]
fn credits_of_one_sale_know_each_other_by_their_references() {
    let sale = two_rates();
    let posting =
        with_credits(sale, &[back("50.00", "2026-11-22T10:00:00Z")], &BTreeSet::new(), &chart()).unwrap();
    let credit = &posting.credits[0].posting;
    assert!(credit.is_credit() && !posting.is_credit());
    let own = posting.reference.as_str();
    let cases = [
        (format!("{own}-credit-5000"), true),
        (format!("{own}-credit-35600"), true),
        (own.to_owned(), false),
        (format!("{own}-credit-"), false),
        (format!("{own}-credit-5000 (copy)"), false),
        (format!("{own}0-credit-5000"), false),
        ("ord_other-credit-5000".to_owned(), false),
    ];
    for (reference, expected) in cases {
        for posting in [credit, &posting] {
            assert_eq!(posting.is_credit_of_same_sale(&reference), expected, "{reference}");
        }
    }
}

fn any_sale() -> impl Strategy<Value = Posting> {
    let rates = prop::sample::select(VatRate::ALL.to_vec());
    let one = (1u32..9, 1i64..300_000, rates).prop_map(|(quantity, minor, rate)| {
        let mut line = line("1", "1.00", rate);
        (line.quantity, line.unit_price.minor) = (quantity.into(), minor);
        line
    });
    prop::collection::vec(one, 1..8).prop_map(sale)
}

proptest! {
    /// However the money is given back, and however often somebody looks in between: every credit is on what was given
    /// back, no rate gives back more than it took, and together they are the sale.
    #[test]
    fn credits_add_up_to_the_sale(
        sale in any_sale(),
        cuts in prop::collection::vec(0u64..=1_000_000, 0..5),
        looks in prop::collection::vec(any::<bool>(), 6),
    ) {
        let gross = u64::try_from(sale.gross.minor).unwrap();
        let mut ends: Vec<u64> = cuts.iter().map(|cut| cut * gross / 1_000_000).filter(|end| *end > 0).collect();
        ends.push(gross);
        ends.sort_unstable();
        ends.dedup();
        let mut reversals = Vec::new();
        let (mut known, mut from) = (BTreeSet::new(), 0);
        let mut last = Vec::new();
        for (end, look) in ends.iter().zip(looks) {
            let amount = Money::new(i64::try_from(end - from).unwrap(), sale.currency);
            from = *end;
            reversals.push(Reversal { amount, at: at("2026-11-22T10:00:00Z") });
            if look || *end == gross {
                let credits = with_credits(sale.clone(), &reversals, &known, &chart()).unwrap().credits;
                prop_assert_eq!(&credits[..last.len()], &last[..]);
                known.extend(credits.iter().map(|credit| credit.id));
                last = credits;
            }
        }
        let mut left = gross_by_rate(&sale.rows, sale.currency).unwrap();
        for credit in &last {
            let sum: i64 = credit.posting.rows.iter().map(|row| row.gross().unwrap().minor).sum();
            prop_assert_eq!(sum, credit.posting.gross.minor);
            prop_assert_eq!(credit.posting.payment.amount, credit.posting.gross);
            prop_assert!(credit.posting.rows.iter().all(|row| row.gross().unwrap().minor < 0));
            for (rate, gross) in gross_by_rate(&credit.posting.rows, sale.currency).unwrap() {
                let rest = left.get_mut(&rate).unwrap();
                *rest = rest.plus(gross).unwrap();
                prop_assert!(rest.minor >= 0);
            }
        }
        prop_assert!(left.values().all(|rest| rest.minor == 0));
    }
}
