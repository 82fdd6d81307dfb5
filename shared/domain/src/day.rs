//! A batch of a day's sales: which ones become one voucher together.

use std::fmt;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{BadId, PaymentMethod, Provider};
use crate::posting::SWEDEN;

/// Time between the end of a day and its vouchers. A payment of the last minute is told of within seconds, and a lost
/// webhook is made up for by the next hourly look; so after two hours hardly any order of the day is still to come.
const GRACE: SignedDuration = SignedDuration::from_hours(2);

/// What a day's vouchers are apart by: sales of one day that were paid in one way, and arrive at the bank in one way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayLot {
    /// Swedish calendar day of the payments or refunds.
    pub date: Date,
    /// Which payment provider.
    pub provider: Provider,
    /// How buyers paid.
    pub method: PaymentMethod,
}

/// One batch of a lot, which becomes one voucher: `day_2026-11-20_viva_card_001` say. A batch that was closed takes no
/// more; what comes later goes into the next one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DayId {
    /// Which lot.
    pub lot: DayLot,
    /// Counts the batches of the lot from 1.
    pub number: u32,
}

impl DayLot {
    /// What the ids of the lot's batches begin with. Ids of one lot sort by their number.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("day_{}_{}_{}_", self.date, self.provider, self.method)
    }

    /// Its first batch.
    #[must_use]
    pub fn first(self) -> DayId {
        DayId { lot: self, number: 1 }
    }
}

impl DayId {
    /// The batch after it.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { lot: self.lot.clone(), number: self.number + 1 }
    }

    /// Reads an id.
    ///
    /// # Errors
    /// When the text is not one.
    pub fn parse(text: &str) -> Result<Self, BadId> {
        let bad = BadId { expected: "a day's id (day_, date, provider, way of payment and number)" };
        let read = || {
            let (rest, number) = text.strip_prefix("day_")?.rsplit_once('_')?;
            // A provider's name may hold an underscore; the others cannot.
            let (date, rest) = rest.split_once('_')?;
            let (provider, method) = rest.rsplit_once('_')?;
            let lot = DayLot {
                date: date.parse().ok()?,
                provider: Provider::parse(provider).ok()?,
                method: PaymentMethod::parse(method).ok()?,
            };
            Some(Self { lot, number: number.parse().ok()? })
        };
        read().filter(|id| id.to_string() == text).ok_or(bad)
    }

    /// When its voucher is due: the day is over in Sweden, and late news of it have come in.
    #[must_use]
    pub fn due_at(&self) -> Timestamp {
        let midnight = self.lot.date.tomorrow().and_then(|next| next.to_zoned(SWEDEN.clone()));
        let due = midnight.and_then(|midnight| midnight.timestamp().checked_add(GRACE));
        due.unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Display for DayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:03}", self.lot.prefix(), self.number)
    }
}

impl TryFrom<String> for DayId {
    type Error = BadId;
    fn try_from(text: String) -> Result<Self, BadId> {
        Self::parse(&text)
    }
}

impl From<DayId> for String {
    fn from(id: DayId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_anything_else_is_none() {
        for text in ["day_2026-11-20_viva_card_001", "day_2026-02-28_pay_ment-1_swish_042"] {
            assert_eq!(DayId::parse(text).unwrap().to_string(), text);
        }
        for bad in [
            "",
            "day_",
            "day_2026-11-20_viva_card",
            "day_2026-11-20_viva_card_1",
            "day_2026-11-31_viva_card_001",
            "day_20261120_viva_card_001",
            "day_2026-11-20_viva_Card_001",
            "ord_2026-11-20_viva_card_001",
        ] {
            assert!(DayId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_day_is_over_in_sweden_whatever_the_season() {
        let due = |text: &str| DayId::parse(text).unwrap().due_at().to_string();
        assert_eq!(due("day_2026-11-20_viva_card_001"), "2026-11-21T01:00:00Z");
        assert_eq!(due("day_2026-06-20_viva_card_001"), "2026-06-21T00:00:00Z");
        // The night in which the clocks go back has an hour more, but not before two.
        assert_eq!(due("day_2026-10-24_viva_card_001"), "2026-10-25T00:00:00Z");
    }

    #[test]
    fn batches_of_a_lot_sort_by_number() {
        let first = DayId::parse("day_2026-11-20_viva_card_009").unwrap();
        assert!(first.to_string() < first.next().to_string());
        assert!(first.next().to_string().starts_with(&first.lot.prefix()));
    }
}
