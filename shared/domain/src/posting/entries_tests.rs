//! Entries and vouchers: every one sums to zero, whatever is sold and given back, in whichever batches it comes together.

use proptest::prelude::*;

use super::*;
use crate::order::{Line, OrderState};
use crate::testing::{at, kr, line, order};

fn chart() -> Chart {
    let accounts = [
        (AccountRole::Sales25, 3001),
        (AccountRole::Sales12, 3002),
        (AccountRole::Sales6, 3003),
        (AccountRole::Sales0, 3004),
        (AccountRole::Vat25, 2611),
        (AccountRole::Vat12, 2621),
        (AccountRole::Vat6, 2631),
        (AccountRole::PaymentClaim, 1580),
    ];
    Chart { accounts: accounts.into(), ..Chart::default() }
}

fn paid(lines: Vec<Line>) -> Order {
    let mut order = order(lines);
    order.state = OrderState::Paid;
    order.payment.captured = order.body.total;
    order.payment.paid_at = Some(at("2026-11-20T23:30:00Z"));
    order
}

fn back(amount: Money, time: &str) -> Reversal {
    Reversal { amount, at: at(time) }
}

fn day() -> DayId {
    DayId::parse("day_2026-11-21_pay_card_001").unwrap()
}

fn totals(entries: &[DayEntry]) -> DayTotals {
    let mut totals = DayTotals::default();
    for entry in entries {
        totals.add(entry.credit, &entry.sums).unwrap();
    }
    totals
}

fn voucher(entries: &[DayEntry]) -> DayVoucher {
    totals(entries).voucher(&day(), "day_1", &chart(), false).unwrap()
}

fn rows(voucher: &DayVoucher) -> Vec<(u16, String)> {
    voucher.rows.iter().map(|row| (row.account, row.amount.to_string())).collect()
}

fn expected(rows: &[(u16, &str)]) -> Vec<(u16, String)> {
    rows.iter().map(|(account, amount)| (*account, (*amount).to_owned())).collect()
}

#[test]
fn a_sale_is_an_entry_of_its_swedish_day() {
    let order = paid(vec![line("2", "349.00", VatRate::Standard), line("1", "49.00", VatRate::Low)]);
    let entries = day_entries(&order, &[], &BTreeSet::new()).unwrap();
    assert_eq!((entries.len(), entries[0].date.to_string()), (1, "2026-11-21".to_owned()));
    assert_eq!(entries[0].sums[&VatRate::Standard], NetAndVat { net: kr("558.40"), vat: kr("139.60") });
    assert_eq!(entries[0].sums[&VatRate::Low], NetAndVat { net: kr("46.23"), vat: kr("2.77") });
}

#[test]
fn a_voucher_shows_sales_and_refunds_apart_debit_first() {
    let order = paid(vec![line("2", "349.00", VatRate::Standard), line("1", "49.00", VatRate::Zero)]);
    let other = paid(vec![line("1", "112.00", VatRate::Reduced)]);
    let all_back = [back(kr("747.00"), "2026-11-21T10:00:00Z")];
    let mut entries = day_entries(&order, &all_back, &BTreeSet::new()).unwrap();
    entries.extend(day_entries(&other, &[], &BTreeSet::new()).unwrap());
    let voucher = voucher(&entries);
    assert_eq!(
        rows(&voucher),
        expected(&[
            (1580, "859.00"),
            (2611, "139.60"),
            (3001, "558.40"),
            (3004, "49.00"),
            (1580, "-747.00"),
            (2611, "-139.60"),
            (2621, "-12.00"),
            (3001, "-558.40"),
            (3002, "-100.00"),
            (3004, "-49.00"),
        ])
    );
    assert_eq!(voucher.text, "Dagsförsäljning pay card 2026-11-21, 2 ordrar, 1 återbetalning");
    assert_eq!(voucher.rows[0].text, "Försäljning, pay card");
    assert_eq!(voucher.rows[1].text, "Återbetalning 25 %, moms");
    assert_eq!(
        (voucher.reference.as_str(), voucher.date, totals(&entries).entries()),
        ("day_1", day().lot.date, 3)
    );
}

#[test]
fn tax_is_rounded_once_per_order_and_rate() {
    // Three rows of 0.02 kr tax each, rounded one by one; 0.10 kr on their sum.
    let rows = vec![
        line("1", "0.11", VatRate::Standard),
        line("1", "0.11", VatRate::Standard),
        line("1", "0.26", VatRate::Standard),
    ];
    let entries = day_entries(&paid(rows), &[], &BTreeSet::new()).unwrap();
    assert_eq!(entries[0].sums[&VatRate::Standard], NetAndVat { net: kr("0.38"), vat: kr("0.10") });
}

#[test]
fn what_cannot_be_an_entry_or_a_voucher_says_why() {
    let code = |order: &Order| day_entries(order, &[], &BTreeSet::new()).unwrap_err().code();
    let sold = paid(vec![line("1", "100.00", VatRate::Standard)]);
    let mut order = sold.clone();
    order.body.customer.billing.country = "NO".to_owned();
    assert_eq!(code(&order), "foreign_customer");
    order = sold.clone();
    order.body.currency = Currency::parse("EUR").unwrap();
    assert_eq!(code(&order), "foreign_currency");
    order = sold.clone();
    order.payment.paid_at = None;
    assert_eq!(code(&order), "not_paid");
    let too_much = day_entries(&sold, &[], &BTreeSet::from([CreditId(500)])).unwrap_err();
    assert_eq!(too_much.code(), "credited_too_much");

    let totals = totals(&day_entries(&sold, &[], &BTreeSet::new()).unwrap());
    let code = |chart: &Chart, begun| totals.voucher(&day(), "r", chart, begun).map_err(|error| error.code());
    for role in [AccountRole::Sales25, AccountRole::Vat25, AccountRole::PaymentClaim] {
        let mut without = chart();
        without.accounts.remove(&role);
        assert_eq!(code(&without, false), Err("account_missing"), "{role:?}");
    }
    let mut without = chart();
    without.accounts.remove(&AccountRole::Vat6);
    assert!(code(&without, false).is_ok(), "nothing at 6 % was sold");
    let locked = Chart { locked_through: Some(day().lot.date), ..chart() };
    assert_eq!(code(&locked, false), Err("period_locked"));
    assert!(code(&locked, true).is_ok());
}

fn any_order() -> impl Strategy<Value = Order> {
    let rates = prop::sample::select(VatRate::ALL.to_vec());
    let one = (1u32..9, 1i64..300_000, rates).prop_map(|(quantity, minor, rate)| {
        line(&quantity.to_string(), &Money::new(minor, Currency::SEK).to_string(), rate)
    });
    prop::collection::vec(one, 1..6).prop_map(paid)
}

/// An order and what was given back of it: shares in percent of what was left each time, and all of it at last or not.
fn any_refunded() -> impl Strategy<Value = (Order, Vec<Reversal>, bool)> {
    (any_order(), prop::collection::vec(1i64..100, 0..4), any::<bool>()).prop_map(|(order, shares, all)| {
        let mut left = order.body.total.minor;
        let mut reversals = Vec::new();
        let give = |minor: i64, hour: usize| {
            back(Money::new(minor, Currency::SEK), &format!("2026-11-22T{hour:02}:00:00Z"))
        };
        for share in shares {
            let part = (left * share / 100).max(1);
            if part < left {
                reversals.push(give(part, reversals.len()));
                left -= part;
            }
        }
        if all {
            reversals.push(give(left, reversals.len()));
        }
        (order, reversals, all)
    })
}

fn sum(rows: impl IntoIterator<Item = i64>) -> i64 {
    rows.into_iter().sum()
}

proptest! {
    #[test]
    fn every_voucher_sums_to_zero_whatever_comes_together(
        orders in prop::collection::vec(any_refunded(), 1..8),
        batches in prop::collection::vec(0usize..3, 64),
    ) {
        let mut entries = Vec::new();
        for (order, reversals, _) in &orders {
            entries.extend(day_entries(order, reversals, &BTreeSet::new()).unwrap());
        }
        let paid: i64 = sum(orders.iter().map(|(order, ..)| order.body.total.minor));
        let given_back: i64 = sum(orders.iter().flat_map(|(_, back, _)| back).map(|back| back.amount.minor));
        let mut claims = 0;
        for batch in 0..3 {
            let of_batch: Vec<DayEntry> = entries
                .iter()
                .zip(batches.iter().cycle())
                .filter(|(_, of)| **of == batch)
                .map(|(entry, _)| entry.clone())
                .collect();
            if of_batch.is_empty() {
                continue;
            }
            let voucher = voucher(&of_batch);
            prop_assert_eq!(sum(voucher.rows.iter().map(|row| row.amount.minor)), 0);
            prop_assert!(!voucher.rows.is_empty() && voucher.rows.iter().all(|row| row.amount.minor != 0));
            prop_assert!(voucher.rows.is_sorted_by_key(|row| row.amount.minor < 0));
            claims += sum(voucher.rows.iter().filter(|row| row.account == 1580).map(|row| row.amount.minor));
        }
        prop_assert_eq!(claims, paid - given_back, "the claim is what the payment provider owes");
    }

    #[test]
    fn what_is_given_back_in_full_leaves_nothing_on_any_account((order, reversals, all) in any_refunded()) {
        let entries = day_entries(&order, &reversals, &BTreeSet::new()).unwrap();
        prop_assert_eq!(entries.len(), reversals.len() + 1);
        let voucher = voucher(&entries);
        if all {
            prop_assert!(voucher.has_rows([]), "{:?}", voucher.rows);
        }
        // Each credit is on what was given back, and takes its tax with it.
        for (entry, reversal) in entries[1..].iter().zip(&reversals) {
            let gross = sum(entry.sums.values().map(|sum| sum.net.minor + sum.vat.minor));
            prop_assert_eq!(gross, -reversal.amount.minor);
            prop_assert!(entry.sums.values().all(|sum| sum.vat.minor <= 0 && sum.net.minor <= 0));
        }
    }

    #[test]
    fn credits_that_stand_in_a_voucher_stay_as_they_are((order, reversals, _) in any_refunded(), seen in 0usize..4) {
        let seen = seen.min(reversals.len());
        let before = day_entries(&order, &reversals[..seen], &BTreeSet::new()).unwrap();
        let known: BTreeSet<CreditId> = before.iter().filter_map(|entry| entry.credit).collect();
        let after = day_entries(&order, &reversals, &known).unwrap();
        prop_assert_eq!(&after[..before.len()], &before[..]);
    }
}
