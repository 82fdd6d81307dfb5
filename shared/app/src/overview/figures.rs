//! How many orders came, were paid, booked and shipped: counted from the orders themselves, so that nothing is counted twice
//! however often it is told.

use std::collections::BTreeMap;

use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Order, SyncState};
use bokbro_domain::posting::swedish_day;
use bokbro_domain::shipment::Stage;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// Days that are counted, today among them.
pub const DAYS: usize = 7;
/// What "just now" means.
const LATELY: SignedDuration = SignedDuration::from_hours(24);

/// Of the orders that came in a time, how many are how far by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// They came.
    pub taken: u32,
    /// Money was taken for them.
    pub paid: u32,
    /// The books have all of it.
    pub booked: u32,
    /// The parcel has left.
    pub shipped: u32,
}

impl Counts {
    fn add(&mut self, order: &Order) {
        let shipped = order.warehouse.shipment.as_ref().is_some_and(|seen| seen.stage == Stage::Shipped);
        let paid = order.state.has_been_paid();
        self.taken += 1;
        self.paid += u32::from(paid);
        self.booked += u32::from(paid && order.accounting.state == SyncState::Done);
        self.shipped += u32::from(paid && shipped);
    }
}

/// The figures of the overview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Orders of the last 24 hours.
    pub lately: Counts,
    /// What was paid for those, by currency.
    pub sold: Vec<Money>,
    /// Orders by the Swedish day on which they came, the oldest day first and none left out.
    pub days: Vec<(Date, Counts)>,
    /// Whether all orders of these days were counted; else the latest only.
    pub complete: bool,
}

/// The first day that is counted.
pub(super) fn first_day(now: Timestamp) -> Date {
    let back = i64::try_from(DAYS - 1).unwrap_or_default();
    swedish_day(now).saturating_sub(back.days())
}

impl Figures {
    /// Counts orders; older ones than are asked for may be among them.
    #[must_use]
    pub fn of(orders: &[Order], complete: bool, now: Timestamp) -> Self {
        let mut days: BTreeMap<Date, Counts> =
            first_day(now).series(1.day()).take(DAYS).map(|day| (day, Counts::default())).collect();
        let mut lately = Counts::default();
        let mut sold: BTreeMap<Currency, i64> = BTreeMap::new();
        for order in orders {
            if let Some(counts) = days.get_mut(&swedish_day(order.created_at)) {
                counts.add(order);
            }
            if now.duration_since(order.created_at) < LATELY {
                lately.add(order);
                let captured = order.payment.captured;
                let sum = sold.entry(captured.currency).or_default();
                *sum = sum.saturating_add(captured.minor);
            }
        }
        let sold = sold.into_iter().filter(|(_, minor)| *minor != 0);
        Self {
            lately,
            sold: sold.map(|(currency, minor)| Money::new(minor, currency)).collect(),
            days: days.into_iter().collect(),
            complete,
        }
    }
}
