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

#[cfg(test)]
mod tests {
    use bokbro_domain::ids::{OrderId, TenantId};
    use bokbro_domain::order::OrderState;
    use bokbro_domain::shipment::Shipment;

    use super::*;
    use crate::wire::order_in::read_order;

    const NOW: &str = "2026-11-21T10:00:00Z";

    fn order(at: &str, state: OrderState, booked: SyncState, stage: Option<Stage>, currency: &str) -> Order {
        let address = r#"{"name":"A","address1":"B","zip":"1","city":"C","country":"SE"}"#;
        let body = format!(
            r#"{{"order_number":"1","currency":"{currency}","customer":{{"kind":"private","name":"A","billing":{address}}},
            "lines":[{{"kind":"fee","text":"T","quantity":"1","unit_price":"12.00","vat_rate":"25"}}],"total":"12.00"}}"#
        );
        let body = read_order(body.as_bytes()).unwrap();
        let id = OrderId::parse("ord_01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
        let mut order = Order::new(id, TenantId::parse("demo").unwrap(), body, at.parse().unwrap());
        order.state = state;
        order.accounting.state = booked;
        if state.has_been_paid() {
            order.payment.captured = order.body.total;
        }
        order.warehouse.shipment = stage.map(|stage| Shipment {
            order_id: "1".to_owned(),
            status: 1,
            text: String::new(),
            stage,
            shipped_at: None,
            parcels: Vec::new(),
            lines: Vec::new(),
        });
        order
    }

    fn counts(taken: u32, paid: u32, booked: u32, shipped: u32) -> Counts {
        Counts { taken, paid, booked, shipped }
    }

    #[test]
    fn orders_count_on_the_swedish_day_on_which_they_came() {
        use OrderState::{Cancelled, Paid, Pending, Refunded};
        use SyncState::{Done, NeedsAttention, Waiting};
        let orders = [
            order("2026-11-21T09:59:00Z", Pending, Waiting, None, "SEK"),
            order("2026-11-21T09:00:00Z", Paid, Done, Some(Stage::Shipped), "SEK"),
            // It is the 21st in Sweden already.
            order("2026-11-20T23:00:00Z", Refunded, Done, Some(Stage::Picking), "EUR"),
            order("2026-11-20T22:59:00Z", Paid, NeedsAttention, None, "SEK"),
            // A day ago to the second is not lately any more.
            order("2026-11-20T10:00:00Z", Paid, Done, None, "SEK"),
            order("2026-11-15T00:00:00Z", Cancelled, Done, Some(Stage::Shipped), "SEK"),
            order("2026-11-14T22:59:00Z", Paid, Done, None, "SEK"),
        ];
        let figures = Figures::of(&orders, true, NOW.parse().unwrap());
        assert_eq!(figures.lately, counts(4, 3, 2, 1));
        let sold: Vec<String> = figures.sold.iter().map(|sum| format!("{sum} {}", sum.currency)).collect();
        assert_eq!(sold, ["12.00 EUR", "24.00 SEK"]);
        let days: Vec<(String, Counts)> =
            figures.days.iter().map(|(day, counts)| (day.to_string(), *counts)).collect();
        let none = counts(0, 0, 0, 0);
        let expected = [
            ("2026-11-15", counts(1, 0, 0, 0)),
            ("2026-11-16", none),
            ("2026-11-17", none),
            ("2026-11-18", none),
            ("2026-11-19", none),
            ("2026-11-20", counts(2, 2, 1, 0)),
            ("2026-11-21", counts(3, 2, 2, 1)),
        ];
        assert_eq!(days, expected.map(|(day, counts)| (day.to_owned(), counts)));
    }

    #[test]
    fn days_are_days_when_clocks_change() {
        let figures = Figures::of(&[], true, "2026-10-27T12:00:00Z".parse().unwrap());
        let days: Vec<String> = figures.days.iter().map(|(day, _)| day.to_string()).collect();
        assert_eq!((days.len(), days[0].as_str(), days[6].as_str()), (DAYS, "2026-10-21", "2026-10-27"));
    }
}
