//! Rows without VAT add up to the order, whatever it costs.

use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::LineKind;
use bokbro_domain::posting::Posting;
use bokbro_domain::vat::VatRate;
use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};

use super::super::rows::{Manner, Of, priced, rows_of};
use super::office::{kr, posting, row};

/// Total and VAT of rows as a program computes them that rounds VAT once per rate, in öre.
fn added_up(posting: &Posting) -> (Decimal, Decimal) {
    let rows = priced(posting, false).unwrap();
    let round = |amount: Decimal| amount.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    let (mut total, mut vat) = (Decimal::ZERO, Decimal::ZERO);
    let kinds =
        VatRate::ALL.map(|rate| (Of::Sales(rate), rate.percent())).into_iter().chain([(Of::RoundOff, 0)]);
    for (of, percent) in kinds {
        let of_kind = rows.iter().filter(|row| row.of == of);
        let net: Decimal = of_kind.map(|row| round(Decimal::from(row.unit_price.minor) * row.quantity)).sum();
        let of_kind = round(net * Decimal::from(percent) / Decimal::ONE_HUNDRED);
        total += net + of_kind;
        vat += of_kind;
    }
    (total, vat)
}

fn of_rows(rows: Vec<bokbro_domain::posting::PostingRow>) -> Posting {
    Posting { rows, ..posting() }
}

#[test]
fn an_amount_that_no_sum_without_vat_leads_to_gets_an_ore_beside_it() {
    let posting = of_rows(vec![row(LineKind::Goods, "1", "0.02", VatRate::Standard)]);
    let rows = priced(&posting, false).unwrap();
    let kinds: Vec<(Of, i64)> = rows.iter().map(|row| (row.of, row.unit_price.minor)).collect();
    let sales = Of::Sales(VatRate::Standard);
    assert_eq!(kinds, [(sales, 2), (sales, 1), (Of::RoundOff, 1)]);
    assert_eq!(rows[1].quantity, -Decimal::ONE);
    assert_eq!(added_up(&posting), (Decimal::TWO, Decimal::ZERO));
}

#[test]
fn prices_with_vat_stand_as_they_are() {
    let rows = priced(&posting(), true).unwrap();
    let texts: Vec<(&str, String)> =
        rows.iter().map(|row| (row.text.as_str(), format!("{} {}", row.quantity, row.unit_price))).collect();
    assert_eq!(
        texts,
        [("Ansiktsolja 30 ml (OIL-30)", "2 349.00".to_owned()), ("Frakt", "1 49.00".to_owned())]
    );
    let part = of_rows(vec![row(LineKind::Goods, "0.3333", "9.99", VatRate::Low)]);
    let rows = priced(&part, true).unwrap();
    assert_eq!(
        (rows[0].text.as_str(), rows[0].unit_price),
        ("0.3333 × Ansiktsolja 30 ml (OIL-30)", kr("3.33"))
    );
}

prop_compose! {
    fn any_row()(rate in 0usize..4, price in -200_000i64..200_000, quantity in 1i64..2_000_000, scale in 0u32..5)
        -> bokbro_domain::posting::PostingRow {
        let mut row = row(LineKind::Goods, "1", "1.00", VatRate::ALL[rate]);
        row.quantity = Decimal::new(quantity, scale);
        row.unit_price = Money::new(price, Currency::SEK);
        row
    }
}

proptest! {
    /// However Visma takes the rows of a credit invoice, what is taken back is what was sold, to the öre.
    #[test]
    fn a_credit_mirrors_its_sale(rows in prop::collection::vec(any_row(), 1..6), includes_vat in any::<bool>()) {
        let sale = of_rows(rows);
        let mut credit = sale.clone();
        credit.rows.iter_mut().for_each(|row| row.quantity = -row.quantity);
        let sold = rows_of(&sale, Manner { includes_vat, turned: false }).unwrap();
        prop_assert_eq!(&rows_of(&credit, Manner { includes_vat, turned: true }).unwrap(), &sold);
        let back = rows_of(&credit, Manner { includes_vat, turned: false }).unwrap();
        for (back, sold) in back.iter().zip(&sold) {
            prop_assert_eq!(back.quantity, -sold.quantity);
            prop_assert_eq!((&back.text, back.unit_price, back.of), (&sold.text, sold.unit_price, sold.of));
        }
    }

    #[test]
    fn whatever_is_ordered_adds_up(rows in prop::collection::vec(any_row(), 1..6)) {
        let posting = of_rows(rows);
        let mut by_rate: std::collections::BTreeMap<VatRate, i64> = std::collections::BTreeMap::new();
        for row in &posting.rows {
            *by_rate.entry(row.vat_rate).or_default() += row.unit_price.times(row.quantity).unwrap().minor;
        }
        let gross: i64 = by_rate.values().sum();
        let vat: i64 = by_rate
            .iter()
            .map(|(rate, sum)| rate.inside_rounded(Money::new(*sum, Currency::SEK)).unwrap().minor)
            .sum();
        prop_assert_eq!(added_up(&posting), (Decimal::from(gross), Decimal::from(vat)));
        for row in priced(&posting, false).unwrap() {
            prop_assert!(row.unit_price.minor >= 0 && row.quantity.normalize().scale() <= 2);
        }
    }
}
