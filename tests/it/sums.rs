//! Whatever the webshop may post and however it is given back: documents and vouchers add up, reckoned here once more
//! from the posted order alone.

use std::collections::{BTreeMap, BTreeSet};

use bokbro_app::wire::order_in::read_order;
use bokbro_domain::day::DayId;
use bokbro_domain::ids::OrderId;
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Order, OrderState};
use bokbro_domain::payment::Reversal;
use bokbro_domain::posting::{
    AccountRole, Chart, ComputedTotals, CreditId, DayEntry, DayTotals, Posting, PostingProfile, day_entries,
    plan, with_credits,
};
use bokbro_domain::vat::VatRate;
use bokbro_tests::world::{sample, tenant};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};
use ulid::Ulid;

const PROFILES: [PostingProfile; 3] =
    [PostingProfile::Invoice, PostingProfile::OrderAndInvoice, PostingProfile::CashInvoice];
/// Sales and VAT account by rate.
const ACCOUNTS: [(u32, u16, Option<u16>); 4] =
    [(25, 3001, Some(2611)), (12, 3002, Some(2621)), (6, 3003, Some(2631)), (0, 3004, None)];
const CLAIM: u16 = 1580;

fn chart() -> Chart {
    let mut accounts = BTreeMap::from([(AccountRole::PaymentClaim, CLAIM), (AccountRole::RoundOff, 3740)]);
    for rate in VatRate::ALL {
        let (_, sales, vat) = ACCOUNTS.into_iter().find(|(percent, ..)| *percent == rate.percent()).unwrap();
        accounts.insert(AccountRole::sales(rate), sales);
        accounts.extend(AccountRole::vat(rate).zip(vat));
    }
    Chart { accounts, ..Chart::default() }
}

fn start() -> Timestamp {
    "2026-11-02T10:15:00Z".parse().unwrap()
}

/// A line as the webshop posts it, and its gross in öre.
fn any_line() -> impl Strategy<Value = (Value, i128)> {
    let kind = prop::sample::select(vec!["goods", "goods", "goods", "shipping", "fee", "discount"]);
    let rate = prop::sample::select(vec!["25", "12", "6", "0"]);
    (kind, 1i64..200_000, 0u32..=4, 0i64..500_000, rate).prop_map(|(kind, quantity, scale, minor, rate)| {
        let quantity = Decimal::new(quantity, scale).min(Decimal::from(500)).normalize();
        let minor = if kind == "discount" { -minor / 8 } else { minor };
        let line = json!({
            "kind": kind, "sku": (kind == "goods").then_some("SKU"), "text": "Vara",
            "quantity": quantity.to_string(), "unit_price": Decimal::new(minor, 2).to_string(), "vat_rate": rate,
        });
        (line, rounded(Decimal::from(minor) * quantity))
    })
}

/// An order that the API takes.
fn any_order() -> impl Strategy<Value = Order> {
    let lines = prop::collection::vec(any_line(), 1..10);
    lines.prop_filter_map("there must be something to pay", |lines| {
        let total: i128 = lines.iter().map(|(_, gross)| gross).sum();
        if total <= 0 {
            return None;
        }
        let mut body = sample();
        body["lines"] = lines.into_iter().map(|(line, _)| line).collect();
        body["total"] = json!(Decimal::from_i128_with_scale(total, 2).to_string());
        let body = read_order(body.to_string().as_bytes()).unwrap();
        let mut order = Order::new(OrderId::from_ulid(Ulid::nil()), tenant(), body, start());
        order.state = OrderState::Paid;
        order.payment.captured = order.body.total;
        order.payment.paid_at = Some(start());
        Some(order)
    })
}

/// How money is given back: where the pieces end, in millionths of the whole, whether somebody looks after each, and
/// whether all of it is given back in the end.
type Given = (Vec<u64>, Vec<bool>, bool);

fn any_giving() -> impl Strategy<Value = Given> {
    let cuts = prop::collection::vec(0u64..1_000_000, 0..4);
    (cuts, prop::collection::vec(any::<bool>(), 5), any::<bool>())
}

/// What was given back, day by day, and the credits that were known when somebody looked last but once.
fn reversals(order: &Order, (cuts, looks, all): &Given) -> (Vec<Reversal>, BTreeSet<CreditId>) {
    let gross = u64::try_from(order.body.total.minor).unwrap();
    let mut ends: BTreeSet<u64> = cuts.iter().map(|cut| cut * gross / 1_000_000).collect();
    ends.remove(&0);
    ends.extend(all.then_some(gross));
    let (mut given, mut known, mut from) = (Vec::new(), BTreeSet::new(), 0);
    for (day, (end, look)) in (1..).zip(ends.iter().zip(looks)) {
        let amount = kr(i128::from(end - from));
        given.push(Reversal { amount, at: start() + SignedDuration::from_hours(24 * day) });
        from = *end;
        if *look && Some(end) != ends.last() {
            known.extend(credits(order, &given, &known).iter().map(|(id, _)| *id));
        }
    }
    (given, known)
}

fn credits(order: &Order, given: &[Reversal], known: &BTreeSet<CreditId>) -> Vec<(CreditId, Posting)> {
    let sale = plan(order, &chart(), PostingProfile::Invoice, false).unwrap();
    let credits = with_credits(sale, given, known, &chart()).unwrap().credits;
    credits.into_iter().map(|credit| (credit.id, credit.posting)).collect()
}

fn kr(minor: i128) -> Money {
    Money::new(i64::try_from(minor).unwrap(), Currency::SEK)
}

/// Whole öre, halves away from zero.
fn rounded(minor: Decimal) -> i128 {
    i128::try_from(minor.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)).unwrap()
}

fn vat_inside(gross: i128, percent: u32) -> i128 {
    rounded(Decimal::from_i128_with_scale(gross, 0) * Decimal::from(percent) / Decimal::from(100 + percent))
}

/// Gross by rate in percent and account, VAT row by row and VAT by rate.
fn sums(posting: &Posting) -> (BTreeMap<(u32, u16), i128>, i128, i128) {
    let (mut gross, mut by_row) = (BTreeMap::new(), 0);
    for row in &posting.rows {
        let percent = row.vat_rate.percent();
        let of_row = rounded(Decimal::from(row.unit_price.minor) * row.quantity);
        *gross.entry((percent, row.account)).or_default() += of_row;
        by_row += vat_inside(of_row, percent);
    }
    let by_rate = gross.iter().map(|((percent, _), gross)| vat_inside(*gross, *percent)).sum();
    (gross, by_row, by_rate)
}

/// What every document must fulfil; gives its gross by rate and account.
fn check_document(posting: &Posting) -> BTreeMap<(u32, u16), i128> {
    let (gross, by_row, by_rate) = sums(posting);
    let total: i128 = gross.values().sum();
    assert_eq!(posting.gross, kr(total), "rows and total");
    assert_eq!(posting.payment.amount, kr(total), "total and payment");
    assert_eq!((posting.vat_by_row, posting.vat_by_rate), (kr(by_row), kr(by_rate)), "VAT both ways");
    for (percent, account) in gross.keys() {
        assert!(ACCOUNTS.iter().any(|(known, sales, _)| (known, sales) == (percent, account)), "{gross:?}");
    }
    let computed = |off: i128, vat| ComputedTotals { gross: kr(total + off), vat: kr(vat), round_off: kr(0) };
    assert!(posting.check_totals(computed(0, by_row)).is_ok());
    assert!(posting.check_totals(computed(0, by_rate)).is_ok());
    assert!(posting.check_totals(computed(1, by_rate)).is_err(), "an öre too much is a difference");
    gross
}

/// The vouchers of these entries, one per day; gives what they move by account.
fn vouchers(entries: &[DayEntry]) -> BTreeMap<u16, i128> {
    let mut days: BTreeMap<_, DayTotals> = BTreeMap::new();
    for entry in entries {
        days.entry(entry.date).or_default().add(entry.credit, &entry.sums).unwrap();
    }
    let mut moved = BTreeMap::new();
    for (date, totals) in days {
        let day = DayId::parse(&format!("day_{date}_viva_card_001")).unwrap();
        let voucher = totals.voucher(&day, &day.to_string(), &chart(), false).unwrap();
        let sum: i128 = voucher.rows.iter().map(|row| i128::from(row.amount.minor)).sum();
        assert_eq!(sum, 0, "a voucher does not balance: {voucher:?}");
        assert!(voucher.rows.iter().all(|row| row.amount.minor != 0), "{voucher:?}");
        for row in voucher.rows {
            *moved.entry(row.account).or_default() += i128::from(row.amount.minor);
        }
    }
    moved
}

proptest! {
    /// Each document by itself, the credits together, and all of it when everything is given back.
    #[test]
    fn documents_add_up(order in any_order(), given in any_giving()) {
        for profile in PROFILES {
            let sale = plan(&order, &chart(), profile, false).unwrap();
            let mut left = check_document(&sale);
            let (_, _, mut vat_left) = sums(&sale);
            let (given_back, known) = reversals(&order, &given);
            let mut owed = i128::from(sale.payment.amount.minor);
            let credits = credits(&order, &given_back, &known);
            for (_, credit) in &credits {
                for (key, gross) in check_document(credit) {
                    *left.get_mut(&key).unwrap() += gross;
                }
                vat_left += sums(credit).2;
                owed += i128::from(credit.payment.amount.minor);
            }
            let back: i64 = given_back.iter().map(|piece| piece.amount.minor).sum();
            prop_assert_eq!(owed, i128::from(order.body.total.minor - back));
            if owed == 0 {
                prop_assert!(left.values().all(|gross| *gross == 0), "{:?}", left);
                // Each document rounds each of its rates by half an öre at most.
                let roundings = (credits.len() + 1) * left.len();
                prop_assert!(vat_left.unsigned_abs() <= roundings.div_ceil(2) as u128, "{} öre", vat_left);
            }
        }
    }

    /// The vouchers of several orders' days balance, show what is owed and the VAT of every order, and leave nothing
    /// when everything is given back.
    #[test]
    fn vouchers_add_up(orders in prop::collection::vec((any_order(), any_giving()), 1..6)) {
        let (mut entries, mut owed) = (Vec::new(), 0);
        let mut vat: BTreeMap<u16, i128> = BTreeMap::new();
        for (order, given) in &orders {
            let (given_back, known) = reversals(order, given);
            entries.extend(day_entries(order, &given_back, &known).unwrap());
            let sale = plan(order, &chart(), PostingProfile::VoucherPerDay, false).unwrap();
            let sale = with_credits(sale, &given_back, &known, &chart()).unwrap();
            let mut left = sums(&sale).0;
            for credit in &sale.credits {
                for (key, gross) in sums(&credit.posting).0 {
                    *left.get_mut(&key).unwrap() += gross;
                }
            }
            for ((percent, _), gross) in left {
                owed += gross;
                let account = ACCOUNTS.iter().find(|(known, ..)| *known == percent).unwrap().2;
                *vat.entry(account.unwrap_or_default()).or_default() -= vat_inside(gross, percent);
            }
        }
        let moved = vouchers(&entries);
        prop_assert_eq!(moved.get(&CLAIM).copied().unwrap_or_default(), owed);
        for (_, _, account) in ACCOUNTS {
            let Some(account) = account else { continue };
            let expected = vat.get(&account).copied().unwrap_or_default();
            prop_assert_eq!(moved.get(&account).copied().unwrap_or_default(), expected, "account {}", account);
        }
        if orders.iter().all(|(_, (_, _, all))| *all) {
            prop_assert!(moved.values().all(|sum| *sum == 0), "{:?}", moved);
        }
    }
}
