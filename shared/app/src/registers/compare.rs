//! How an order's invoice stands in the books, next to how we left it. Pure.

use bokbro_domain::effect::Ledger;
use bokbro_domain::in_books::{BooksChange, BooksState, InBooks};
use bokbro_domain::money::Money;
use bokbro_domain::order::Order;
use bokbro_domain::posting::swedish_day;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::ports::Contents;

/// Fact of a receipt with the document's sum, where a connector keeps one.
const TOTAL: &str = "total";
/// The same with its date.
const DATE: &str = "invoice_date";
/// A document may differ from the order's total by less than this, in öre: rounding to whole kronor.
const ROUNDING: i64 = 100;

/// Which of the order's documents it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// The invoice.
    Sale,
    /// A credit invoice.
    Credit,
}

/// The order's document of a number, if it is one.
pub(super) fn which(order: &Order, number: &str) -> Option<Which> {
    let books = &order.accounting;
    if books.invoice() == Some(number) {
        return Some(Which::Sale);
    }
    books.credit_invoices().any(|credit| credit == number).then_some(Which::Credit)
}

/// How a document stands; `None` when the books do not tell, or it is no invoice.
pub(super) fn in_books(
    order: &Order,
    ledger: &Ledger,
    (which, number): (Which, &str),
    contents: &Contents,
    same_customer: bool,
    read_at: Timestamp,
) -> Option<InBooks> {
    let Contents::Invoice { date, total, balance, canceled, credited, paid_on, .. } = contents else {
        return None;
    };
    // Where a ledger program names our own credit as what takes the invoice back, that is no news.
    let credited = *credited && order.accounting.credit_invoices().next().is_none();
    let state = match balance {
        _ if *canceled => BooksState::Canceled,
        _ if credited => BooksState::Credited,
        Some(balance) if balance.minor == 0 => BooksState::Paid,
        Some(balance) if total.is_some_and(|total| balance.minor.abs() >= total.minor.abs()) => {
            BooksState::Unpaid
        }
        Some(_) => BooksState::PartlyPaid,
        None if paid_on.is_some() => BooksState::Paid,
        None => return None,
    };
    let mut changed = std::collections::BTreeSet::new();
    if total.is_some_and(|total| !same_total(order, ledger, which, number, total)) {
        changed.insert(BooksChange::Total);
    }
    let left_on = fact(ledger, number, DATE).and_then(|text| text.parse::<Date>().ok());
    let left_on = left_on.or_else(|| match which {
        Which::Sale => order.payment.paid_at.map(swedish_day),
        // The day of a credit stands in no receipt of some connectors, and is not worth a guess.
        Which::Credit => None,
    });
    if let (Some(date), Some(left_on)) = (date, left_on)
        && *date != left_on
    {
        changed.insert(BooksChange::Date);
    }
    if !same_customer {
        changed.insert(BooksChange::Customer);
    }
    Some(InBooks { state, balance: *balance, changed, read_at })
}

fn same_total(order: &Order, ledger: &Ledger, which: Which, number: &str, total: Money) -> bool {
    let left = fact(ledger, number, TOTAL).and_then(|text| Money::parse_major(text, total.currency).ok());
    match (left, which) {
        (Some(left), _) => left == total,
        (None, Which::Sale) => (order.body.total.minor - total.minor).abs() < ROUNDING,
        (None, Which::Credit) => true,
    }
}

/// A fact of the document as a step left it last.
fn fact<'a>(ledger: &'a Ledger, number: &str, name: &str) -> Option<&'a str> {
    let steps = ledger.steps.values().filter_map(|step| Some((step.done_at, step.receipt.as_ref()?)));
    let of_document = steps.filter(|(_, receipt)| receipt.external_id == number);
    let told = of_document.filter_map(|(at, receipt)| Some((at, receipt.facts.get(name)?)));
    told.max_by_key(|(at, _)| *at).map(|(_, value)| value.as_str())
}
