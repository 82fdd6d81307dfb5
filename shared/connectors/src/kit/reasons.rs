//! Reasons to stop that more than one connector has, said alike whichever provider it is. What only one provider says
//! stands in its own folder.

use bokbro_app::error::{Error, Reason};
use bokbro_domain::effect::StepName;
use bokbro_domain::money::Money;
use bokbro_domain::said;
use bokbro_domain::said::Said;
use jiff::civil::Date;

use super::paging::TooManyPages;

/// A step of a ledger that no version of ours has at the provider.
#[must_use]
pub fn unknown_step(provider: &str, step: &StepName) -> Error {
    let message = said!(
        "parked-unknown-step",
        "there is no step {step} at {provider}; report this as a bug",
        step = step.0,
        provider
    );
    Error::park("unknown_step", message)
}

/// A step that a later one builds on, and that the ledger does not have.
#[must_use]
pub fn step_missing(step: &str) -> Error {
    let message =
        said!("parked-step-missing", "step {step} is missing from the ledger; report this as a bug", step);
    Error::park("step_missing", message)
}

/// A request that cannot be written.
#[must_use]
pub fn unwritable(provider: &str) -> Error {
    let message = said!(
        "parked-unwritable",
        "a request to {provider} cannot be written as JSON; report this as a bug",
        provider
    );
    Error::park("request_unwritable", message)
}

/// A fact that a receipt should have kept.
#[must_use]
pub fn fact_missing(name: &str) -> Error {
    let message =
        said!("parked-fact-missing", "the ledger lacks {name} of a document; check the order by hand", name);
    Error::park("receipt_incomplete", message)
}

/// An order that would get documents of its own although its day becomes one voucher.
#[must_use]
pub fn no_documents() -> Error {
    let message = said!(
        "parked-no-documents",
        "an order whose day becomes one voucher has no documents of its own; report this as a bug"
    );
    Error::park("profile_not_supported", message)
}

/// A search that does not end.
#[must_use]
pub fn too_many_matches(provider: &str, operation: &str, too_many: TooManyPages) -> Error {
    let message = said!(
        "parked-too-many-matches",
        "{operation} at {provider} finds too much: the list is longer than {pages} pages; check the order by hand",
        operation,
        provider,
        pages = too_many.pages
    );
    Error::park("too_many_matches", message)
}

/// What is said of a list that does not take what it was asked for.
#[must_use]
pub fn bad_query(provider: &str, operation: &str) -> Said {
    said!(
        "parked-bad-query",
        "{provider} does not take the query of {operation} any more; report this as a bug",
        provider,
        operation
    )
}

/// A sale that somebody has credited there, by an invoice that is none of ours.
#[must_use]
pub fn credited_by_hand(provider: &str, number: &str, credit: &str) -> Error {
    let message = said!(
        "parked-credited-by-hand",
        "invoice {number} in {provider} was credited there already, by invoice {credit}; if that is for the same money, \
         see that it is paid back and dismiss this",
        number,
        provider,
        credit
    );
    Error::park("credited_by_hand", message)
}

/// An invoice without the amounts that tell whether it is the order's.
#[must_use]
pub fn invoice_unreadable(provider: &str, number: &str) -> Error {
    let message = said!(
        "parked-invoice-unreadable",
        "invoice {number} in {provider} shows no amounts; check the rights of the connection",
        number,
        provider
    );
    Error::park("invoice_unreadable", message)
}

/// A day to book on that lies in no financial year.
#[must_use]
pub fn no_year_for(provider: &str, day: Date) -> Error {
    let message = said!(
        "parked-no-year",
        "there is no financial year in {provider} that holds {day}; open it there and try again",
        provider,
        day
    );
    Error::park("financial_year_missing", message)
}

/// A company without any financial year.
#[must_use]
pub fn no_year(provider: &str) -> Error {
    let message = said!(
        "parked-no-year-at-all",
        "the company has no financial year in {provider}; open one and try again",
        provider
    );
    Error::park("financial_year_missing", message)
}

/// A request that was refused for good by its status alone; `code` is the reason's.
#[must_use]
pub fn refused(code: String, provider: &str, operation: &str, status: u16) -> Reason {
    let message = said!(
        "refused-by-status",
        "{provider} refused {operation} with status {status}; look at the order there, correct what it names, and try again",
        provider,
        operation,
        status
    );
    Reason::new(code, message)
}

/// An order at the warehouse under our number that another system wrote.
#[must_use]
pub fn foreign_order(provider: &str, number: &str) -> Error {
    let message = said!(
        "parked-foreign-order",
        "{provider} has an order {number} that another system wrote. Nothing was sent. Decide which system writes orders \
         there, and take this one off the list if the other's is sent.",
        provider,
        number
    );
    Error::park("foreign_order", message)
}

/// A parcel order that was canceled at the warehouse although the order is paid.
#[must_use]
pub fn parcel_canceled(number: &str) -> Error {
    let message = said!(
        "parked-canceled-there",
        "Order {number} was canceled at the warehouse, and a canceled one cannot be sent again. Refund the order, or have it \
         sent by hand.",
        number
    );
    Error::park("parcel_canceled", message)
}

/// A parcel order that cannot be taken back any more.
#[must_use]
pub fn not_canceled(number: &str) -> Reason {
    let message = said!(
        "parked-not-canceled",
        "The warehouse does not let order {number} be canceled; it may have begun with it. Call the warehouse.",
        number
    );
    Reason::new("picking_started", message)
}

/// What a person named instead of what a step was to make, where nothing more is known of it.
#[must_use]
pub fn not_of_step(provider: &str, number: &str, step: &StepName) -> Error {
    let message = said!(
        "parked-not-of-step",
        "{number} at {provider} is not what step {step} was to bring about: it is not there, or has other contents",
        number,
        provider,
        step = step.0
    );
    Error::park("document_does_not_fit", message)
}

/// A kind of document, as people call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A customer in the register.
    Customer,
    /// An article in the register.
    Article,
    /// An order.
    Order,
    /// An invoice or a credit invoice.
    Invoice,
    /// The draft of an invoice.
    Draft,
    /// The payment of an invoice.
    Payment,
    /// A voucher.
    Voucher,
}

impl Kind {
    fn said(self) -> Said {
        match self {
            Self::Customer => said!("kind-customer", "customer"),
            Self::Article => said!("kind-article", "article"),
            Self::Order => said!("kind-order", "order"),
            Self::Invoice => said!("kind-invoice", "invoice"),
            Self::Draft => said!("kind-draft", "draft"),
            Self::Payment => said!("kind-payment", "payment"),
            Self::Voucher => said!("kind-voucher", "voucher"),
        }
    }
}

/// Why a document that a person named is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit<'a> {
    provider: &'a str,
    kind: Kind,
    number: &'a str,
}

impl<'a> Misfit<'a> {
    /// About the document of a kind that a person gave this number.
    #[must_use]
    pub fn of(provider: &'a str, kind: Kind, number: &'a str) -> Self {
        Self { provider, kind, number }
    }

    /// It does not fit, because of `what`, which goes on after the document's name: "is not there".
    #[must_use]
    pub fn because(&self, what: Said) -> Error {
        let message = said!(
            "parked-misfit",
            "{kind} {number} in {provider} {what}. Nothing was sent.",
            number = self.number,
            provider = self.provider;
            kind = self.kind.said();
            what
        );
        Error::park("document_does_not_fit", message)
    }

    /// There is no such document.
    #[must_use]
    pub fn not_there(&self) -> Error {
        self.because(said!("misfit-not-there", "is not there"))
    }

    /// It shows no number of its own.
    #[must_use]
    pub fn no_number(&self) -> Error {
        self.because(said!("misfit-no-number", "shows no number"))
    }

    /// It shows no amounts, which tell whether it is the order's.
    #[must_use]
    pub fn no_amounts(&self) -> Error {
        self.because(said!("misfit-no-amounts", "shows no amounts; check the rights of the connection"))
    }

    /// It is not booked.
    #[must_use]
    pub fn not_booked(&self) -> Error {
        self.because(said!("misfit-not-booked", "is not booked"))
    }

    /// It was canceled.
    #[must_use]
    pub fn canceled(&self) -> Error {
        self.because(said!("misfit-canceled", "was canceled there"))
    }

    /// It is not among the customers that may be the buyer.
    #[must_use]
    pub fn not_the_buyer(&self) -> Error {
        self.because(said!(
            "misfit-not-the-buyer",
            "is not there, is inactive, or has neither the buyer's organization number nor e-mail address"
        ))
    }

    /// It is another one than the order's.
    #[must_use]
    pub fn not_the_orders(&self, known: &str) -> Error {
        self.because(said!("misfit-not-the-orders", "is not the order's, which is {known}", known))
    }

    /// A payment of something else.
    #[must_use]
    pub fn not_of_invoice(&self, invoice: &str) -> Error {
        self.because(said!("misfit-not-of-invoice", "is not of invoice {invoice}", invoice))
    }

    /// It is on another amount.
    #[must_use]
    pub fn not_on(&self, amount: Money) -> Error {
        self.because(said!("misfit-not-on", "is not on {amount} kr"; amount = amount.said()))
    }

    /// A voucher with other contents than were to be booked.
    #[must_use]
    pub fn other_rows(&self) -> Error {
        self.because(said!("misfit-other-rows", "has other rows or another day"))
    }

    /// A voucher whose text lacks the marker.
    #[must_use]
    pub fn no_marker(&self, marker: &str) -> Error {
        self.because(said!(
            "misfit-no-marker",
            "is not there, or its text does not end with {marker}",
            marker = marker.trim()
        ))
    }
}
