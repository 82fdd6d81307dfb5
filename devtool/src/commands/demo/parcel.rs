//! The warehouse after the demo: the order as it is there, and whether ours shows the same.

use bokbro_simulators::ongoing::Order;
use serde_json::Value;

use super::text;
use crate::progress;

/// The status of an order that has left.
pub(super) const SENT: u32 = 450;
/// The parcel's number at the carrier.
pub(super) const NUMBER: &str = "373512345678";

/// Shows every order.
pub(super) fn show(orders: &[Order]) {
    progress::show("\nWhat Ongoing holds now");
    for order in orders {
        let parcels: Vec<&str> = order.parcels.iter().map(|parcel| parcel.number.as_str()).collect();
        progress::show(format_args!(
            "  order {}, number {}: status {}, our reference {}, parcels {}",
            order.id,
            order.number,
            order.status,
            text(&order.members["goodsOwnerOrderId"]),
            parcels.join(", ")
        ));
        for line in order.members["orderLines"].as_array().into_iter().flatten() {
            progress::show(format_args!(
                "    {:>3} x {}",
                text(&line["numberOfItems"]),
                text(&line["articleNumber"])
            ));
        }
    }
}

/// Checks the one parcel order against ours as the API shows it, and shows each check.
pub(super) fn check(orders: &[Order], collisions: u64, shown: &Value) -> bool {
    let warehouse = &shown["sync"]["warehouse"];
    let first = orders.first();
    let has = |good: &dyn Fn(&Order) -> bool| first.is_some_and(good);
    let checks = [
        ("exactly one parcel order, written once", orders.len() == 1 && has(&|order| order.writes == 1)),
        ("it carries the order's id", has(&|order| order.members["goodsOwnerOrderId"] == shown["id"])),
        ("its number is the webshop's", has(&|order| shown["order_number"] == *order.number)),
        (
            "the order shows the warehouse's id of it",
            has(&|order| warehouse["order_id"] == *order.id.to_string()),
        ),
        ("the order shows the parcel", warehouse["tracking"][0]["number"] == NUMBER),
        ("the order shows what was shipped", warehouse["lines"][0]["shipped"] == "2"),
        ("nobody wrote while another was writing", collisions == 0),
    ];
    for (what, holds) in &checks {
        progress::show(format_args!("  {:<6} {what}", if *holds { "ok" } else { "WRONG" }));
    }
    checks.iter().all(|(_, holds)| *holds)
}
