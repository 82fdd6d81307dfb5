//! The verdict on a day: what the simulators hold, against what was paid and given back.

use std::collections::BTreeSet;

use bokbro_domain::order::{Order, OrderState};
use bokbro_domain::posting::PostingProfile;

use super::books::Books;
use super::case::{Buys, Case, Got, Pays};
use super::documents::documents;
use super::oracle::from_ore;
use super::parcels::{PICKING_STARTED, parcels};
use super::records::records;
use crate::world::World;

/// What an order that was not paid in full is parked for.
pub(super) const AMOUNT_DIFFERS: &str = "amount_differs";

/// What is wrong at the end of a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// More of a kind than was paid for.
    #[error("{count} {kind} instead of {wanted}")]
    Doubled {
        /// Which kind of document.
        kind: &'static str,
        /// How many there are.
        count: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// Fewer of a kind than was paid for.
    #[error("{count} {kind} instead of {wanted}: {why}")]
    Missing {
        /// Which kind of document.
        kind: &'static str,
        /// How many there are.
        count: usize,
        /// How many there should be.
        wanted: usize,
        /// What Bokbro says of it.
        why: String,
    },
    /// A document or record is not what it should be.
    #[error("{what} is {is}, not {should}")]
    Wrong {
        /// What.
        what: String,
        /// What it is.
        is: String,
        /// What it should be.
        should: String,
    },
    /// Work that never ends.
    #[error("the work never ends: {0:?}")]
    Endless(Vec<String>),
}

pub(super) type Verdict = Result<(), Finding>;

/// An order of the case, what Bokbro calls it, and what became of it besides.
pub(super) struct Posted<'a> {
    pub(super) buys: &'a Buys,
    pub(super) order: &'a Order,
    /// Where it must be in the end.
    pub(super) state: OrderState,
    /// What was given back, in öre, and on which Swedish day.
    pub(super) given_back: &'a [(i64, String)],
    /// How far the staff of the warehouse got with it.
    pub(super) got: Option<Got>,
}

impl Posted<'_> {
    /// Whether it must stand in the books.
    pub(super) fn is_booked(&self) -> bool {
        self.buys.is_paid()
    }

    /// All that was given back, in öre.
    pub(super) fn back(&self) -> i64 {
        self.given_back.iter().map(|(amount, _)| amount).sum()
    }
}

pub(super) fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: &T, should: &T) -> Verdict {
    if is == should {
        return Ok(());
    }
    Err(Finding::Wrong { what: what.to_owned(), is: format!("{is:?}"), should: format!("{should:?}") })
}

pub(super) fn count(
    kind: &'static str,
    count: usize,
    wanted: usize,
    why: impl FnOnce() -> String,
) -> Verdict {
    match count.cmp(&wanted) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(Finding::Doubled { kind, count, wanted }),
        std::cmp::Ordering::Less => Err(Finding::Missing { kind, count, wanted, why: why() }),
    }
}

/// The only one of its kind of which this is true.
pub(super) fn one<'a, T>(
    kind: &'static str,
    all: &'a [T],
    which: &str,
    is_it: impl Fn(&T) -> bool,
) -> Result<&'a T, Finding> {
    let found: Vec<&T> = all.iter().filter(|one| is_it(one)).collect();
    count(kind, found.len(), 1, || which.to_owned())?;
    Ok(found[0])
}

/// Judges books, parcels and our own records. `why` is what workers said last.
pub(super) async fn judge(
    world: &World,
    case: &Case,
    posted: &[Posted<'_>],
    dead: usize,
    why: &[String],
) -> Verdict {
    let books = Books::of(world, case.program);
    counted(world, case, &books, posted, why).await?;
    parcels(world, case, posted).await?;
    for one in posted.iter().filter(|one| one.is_booked()) {
        documents(case, &books, one)?;
        records(world, case, &books, one).await?;
    }
    for one in posted.iter().filter(|one| !one.is_booked()) {
        let shown = world.show(&one.order.id).await;
        same("state of an order that was not paid in full", &shown.state, &OrderState::Pending)?;
        let total = from_ore(one.order.body.total.minor);
        same("its total at the payment provider", &from_ore(one.buys.total()), &total)?;
    }
    same("dead letters", &dead, &0)?;
    let mut parked: Vec<String> =
        world.parked().await.into_iter().map(|one| format!("{} {:?}", one.code, one.order)).collect();
    parked.sort();
    let mut should: Vec<String> = posted.iter().filter_map(waits).collect();
    should.sort();
    same("what is parked", &parked, &should)
}

/// What must wait for a human.
fn waits(posted: &Posted<'_>) -> Option<String> {
    let code = match (posted.buys.pays, posted.got) {
        (Pays::Short, _) => AMOUNT_DIFFERS,
        // The goods are being packed while the money is on its way back.
        (_, Some(Got::Picked)) if posted.state == OrderState::Refunded => PICKING_STARTED,
        _ => return None,
    };
    Some(format!("{code} {:?}", Some(&posted.order.id)))
}

/// As many of each kind as were paid for and given back.
async fn counted(
    world: &World,
    case: &Case,
    books: &Books,
    posted: &[Posted<'_>],
    why: &[String],
) -> Verdict {
    let booked: Vec<&Posted<'_>> = posted.iter().filter(|one| one.is_booked()).collect();
    let mut states = Vec::new();
    for one in &booked {
        let shown = world.show(&one.order.id).await;
        states.push(format!("{:?} {:?} {:?}", shown.state, shown.accounting, shown.warehouse));
    }
    for parked in world.parked().await {
        states.push(format!("parked {}: {}", parked.code, parked.message));
    }
    let why = || format!("{states:?}; {:?}", why.iter().rev().take(6).collect::<Vec<_>>());
    let paid = booked.len();
    let credits: usize = booked.iter().map(|one| one.given_back.len()).sum();
    let known: BTreeSet<&str> = booked.iter().filter_map(|one| one.buys.identity()).collect();
    let unknown = booked.iter().filter(|one| one.buys.identity().is_none()).count();
    let ordered = if case.profile == PostingProfile::OrderAndInvoice { paid } else { 0 };
    count("invoices", books.invoices.len(), paid + credits, why)?;
    count("orders", books.orders.len(), ordered, why)?;
    count("payments", books.payments.len(), paid + credits, why)?;
    count("drafts", books.drafts.len(), 0, why)?;
    count("customers", books.customers.len(), known.len() + unknown, why)?;
    count("vouchers", books.vouchers.len(), (paid + credits) * 2, why)
}
