//! How an order's invoice stands in the books now, whoever changed it there: what is read back and shown, never
//! overwritten.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::said;
use crate::said::Said;

/// How an invoice or a credit invoice of an order stood in the books when it was last read with something new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InBooks {
    /// How it stands.
    pub state: BooksState,
    /// What is left to pay, where the ledger program tells.
    pub balance: Option<Money>,
    /// What people have changed by hand.
    pub changed: BTreeSet<BooksChange>,
    /// When this was read.
    pub read_at: Timestamp,
}

/// How an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BooksState {
    /// Nothing is left to pay: what we leave behind.
    Paid,
    /// A part is left to pay.
    PartlyPaid,
    /// All of it is left to pay.
    Unpaid,
    /// Canceled (makulerad).
    Canceled,
    /// Taken back there by a credit invoice that is not ours.
    Credited,
    /// Not there any more.
    Gone,
}

impl BooksState {
    /// The state's name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::PartlyPaid => "partly_paid",
            Self::Unpaid => "unpaid",
            Self::Canceled => "canceled",
            Self::Credited => "credited",
            Self::Gone => "gone",
        }
    }
}

/// What of an invoice is not as we made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BooksChange {
    /// Its sum.
    Total,
    /// Its date.
    Date,
    /// Whom it is to.
    Customer,
}

impl BooksChange {
    /// The change's name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Date => "date",
            Self::Customer => "customer",
        }
    }
}

impl InBooks {
    /// Whether both say the same of the invoice, whenever they were read.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        (self.state, self.balance, &self.changed) == (other.state, other.balance, &other.changed)
    }

    /// Whether the invoice is as we left it.
    #[must_use]
    pub fn is_as_we_left_it(&self) -> bool {
        self.state == BooksState::Paid && self.changed.is_empty()
    }
}

impl InBooks {
    /// What an order's history tells of it: `unpaid, 747.00 SEK left; changed by hand: total`.
    #[must_use]
    pub fn said(&self) -> Said {
        let state = match self.state {
            BooksState::Paid => said!("books-paid", "paid"),
            BooksState::PartlyPaid => said!("books-partly-paid", "partly paid"),
            BooksState::Unpaid => said!("books-unpaid", "unpaid"),
            BooksState::Canceled => said!("books-canceled", "canceled"),
            BooksState::Credited => said!("books-credited", "credited"),
            BooksState::Gone => said!("books-gone", "gone"),
        };
        let standing = match (self.state, self.balance) {
            (BooksState::PartlyPaid | BooksState::Unpaid, Some(balance)) => said!(
                "books-left",
                "{state}, {balance} {currency} left",
                currency = balance.currency;
                state;
                balance = balance.said()
            ),
            _ => state,
        };
        if self.changed.is_empty() {
            return standing;
        }
        let changed = self.changed.iter().map(|change| change.as_str()).collect::<Vec<_>>().join(", ");
        said!("books-changed", "{standing}; changed by hand: {changed}", changed; standing)
    }
}

impl fmt::Display for InBooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said())
    }
}
