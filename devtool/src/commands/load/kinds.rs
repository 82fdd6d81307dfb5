//! What comes in a storm of webhooks, how much of it, and what the answer to it must be.

/// One kind of delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The first word of a payment of an order that waits for it.
    Payment,
    /// Word for word what was delivered before: providers repeat.
    Repeat,
    /// The payment of another merchant, whose events come too (`apis/viva-ongoing-bank.md` 1.7).
    Elsewhere,
    /// An event of a type that means nothing to us.
    OtherEvent,
    /// A payment that was made, with another amount than was paid.
    Forged,
    /// A payment that was never made.
    Invented,
    /// A payment that was made, of an order that nobody posted.
    Unmatched,
    /// An address that there is not.
    WrongAddress,
    /// No event at all.
    Garbage,
}

/// So many of a hundred deliveries that are no first word of a payment.
const SHARES: [(Kind, u64); 8] = [
    (Kind::Repeat, 60),
    (Kind::Elsewhere, 20),
    (Kind::OtherEvent, 6),
    (Kind::WrongAddress, 6),
    (Kind::Garbage, 4),
    (Kind::Forged, 2),
    (Kind::Unmatched, 1),
    (Kind::Invented, 1),
];

impl Kind {
    /// One that is no first word of a payment, by a throw of the dice.
    pub(super) fn thrown(dice: u64) -> Self {
        let mut left = dice % 100;
        for (kind, share) in SHARES {
            match left.checked_sub(share) {
                Some(rest) => left = rest,
                None => return kind,
            }
        }
        Self::Repeat
    }

    /// The status that it must be answered with.
    pub(super) fn expects(self) -> u16 {
        match self {
            Self::Payment
            | Self::Repeat
            | Self::Elsewhere
            | Self::OtherEvent
            | Self::Forged
            | Self::Invented
            | Self::Unmatched => 200,
            Self::WrongAddress => 404,
            Self::Garbage => 400,
        }
    }

    /// The code under which it waits for a human in the end, if it does.
    pub(super) fn parks(self) -> Option<&'static str> {
        match self {
            Self::Forged => Some("webhook_contradicts"),
            Self::Invented => Some("transaction_unknown"),
            Self::Unmatched => Some("unmatched_payment"),
            Self::Payment
            | Self::Repeat
            | Self::Elsewhere
            | Self::OtherEvent
            | Self::WrongAddress
            | Self::Garbage => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_hundred_throws_make_the_shares() {
        let mut thrown: BTreeMap<Kind, u64> = BTreeMap::new();
        for dice in 300..400 {
            *thrown.entry(Kind::thrown(dice)).or_default() += 1;
        }
        assert_eq!(thrown, SHARES.into());
    }
}
