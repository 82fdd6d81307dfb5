//! Amounts and times as Swedes write them, in either language.

use bokbro_domain::ids::Provider;
use bokbro_domain::money::Money;
use bokbro_domain::posting::SWEDEN;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// An amount with its currency: `1 234,50 kr`, with blanks that do not break.
#[must_use]
pub fn amount(money: Money) -> String {
    let text = money.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("\u{2212}", digits));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let grouped = grouped(whole);
    let comma = if decimals.is_empty() { "" } else { "," };
    let currency = money.currency.to_string();
    let unit = if currency == "SEK" { "kr" } else { &currency };
    format!("{sign}{grouped}{comma}{decimals}\u{a0}{unit}")
}

/// A provider's name as people write it: with a capital.
#[must_use]
pub fn provider_name(provider: &Provider) -> String {
    capital(provider.as_str())
}

/// A text with a capital at its beginning.
#[must_use]
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A whole number, grouped by thousands: `12 345`.
#[must_use]
pub fn whole(number: u64) -> String {
    grouped(&number.to_string())
}

/// A quantity with as many decimals as it has: `2,5`.
#[must_use]
pub fn quantity(quantity: Decimal) -> String {
    digits(&quantity.normalize().to_string())
}

/// The digits of a number with as many decimals as they have: `12 345,25`.
pub(crate) fn digits(text: &str) -> String {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let comma = if decimals.is_empty() { "" } else { "," };
    format!("{}{comma}{decimals}", grouped(whole))
}

/// Digits in groups of three, with blanks that do not break.
fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{a0}');
        }
        grouped.push(digit);
    }
    grouped
}

/// A time of day in Sweden, to the minute: `2026-11-21 08:15`.
#[must_use]
pub fn time(at: Timestamp) -> String {
    swedish(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// The calendar day in Sweden: `2026-11-21`.
#[must_use]
pub fn day(at: Timestamp) -> Date {
    swedish(at).date()
}

fn swedish(at: Timestamp) -> jiff::Zoned {
    at.to_zoned(SWEDEN.clone())
}

#[cfg(test)]
mod tests {
    use bokbro_domain::money::Currency;

    use super::*;

    #[test]
    fn amounts_are_grouped_by_thousands() {
        for (minor, shown) in [
            (0, "0,00 kr"),
            (5, "0,05 kr"),
            (74_700, "747,00 kr"),
            (123_450, "1 234,50 kr"),
            (-123_456_789, "\u{2212}1 234 567,89 kr"),
        ] {
            assert_eq!(amount(Money::new(minor, Currency::SEK)).replace('\u{a0}', " "), shown);
        }
    }

    #[test]
    fn numbers_have_groups_and_a_comma() {
        let shown = |text: &str| quantity(text.parse().unwrap()).replace('\u{a0}', " ");
        assert_eq!(["2", "2.50", "1000", "12345.25"].map(shown), ["2", "2,5", "1 000", "12 345,25"]);
        assert_eq!(whole(1_234_567).replace('\u{a0}', " "), "1 234 567");
    }

    #[test]
    fn times_are_swedish() {
        let summer: Timestamp = "2026-06-30T22:30:00Z".parse().unwrap();
        assert_eq!(
            (time(summer).as_str(), day(summer).to_string().as_str()),
            ("2026-07-01 00:30", "2026-07-01")
        );
        let winter: Timestamp = "2026-11-21T07:15:59Z".parse().unwrap();
        assert_eq!(time(winter), "2026-11-21 08:15");
    }
}
