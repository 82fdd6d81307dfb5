//! The overview and the guide: read from what is stored, in a bounded number of reads, and right after repeats.

use std::sync::LazyLock;
use std::time::Duration;

use bokbro_app::connections::connection_disconnect;
use bokbro_app::overview::{Counts, Figures, Guide, StepName, StepState, guide_show, overview_show};
use bokbro_app::ports::{Directory, Keyring};
use bokbro_app::records::{ApiKey, Role};
use bokbro_app::wire::order_in::read_order;
use bokbro_domain::ids::{CorrelationId, OrderId, Provider, TenantId};
use bokbro_domain::money::Currency;
use bokbro_domain::order::{Order, OrderBody, OrderState, SyncState};
use bokbro_domain::posting::swedish_day;
use bokbro_domain::shipment::{Shipment, Stage};
use bokbro_tests::world::{World, sample, tenant, tester};
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

fn states(guide: &Guide) -> Vec<(StepName, StepState)> {
    guide.steps.to_vec()
}

#[tokio::test]
async fn the_guide_sees_what_was_done() {
    use StepName::{Accounting, Key, Order, Payments, Settings, Warehouse};
    use StepState::{Done, Open, Optional};
    let mut world = World::start().await;
    let somebody_new = TenantId::parse("second").unwrap();
    let nothing = guide_show(&world.app, &somebody_new).await.unwrap();
    let expected = [Payments, Accounting, Warehouse, Settings, Key, Order];
    let state = |name| if name == Warehouse { Optional } else { Open };
    assert_eq!(states(&nothing), expected.map(|name| (name, state(name))));
    assert_eq!((nothing.done(), nothing.needed(), nothing.is_done()), (0, 5, false));

    let connected = guide_show(&world.app, &tenant()).await.unwrap();
    assert_eq!(
        states(&connected),
        [
            (Payments, Done),
            (Accounting, Done),
            (Warehouse, Optional),
            (Settings, Done),
            (Key, Open),
            (Order, Open)
        ]
    );
    assert!(connected.books() && !nothing.books());
    let key = ApiKey {
        tenant: tenant(),
        role: Role::Operator,
        prefix: "bk_1".to_owned(),
        id: "key_1".to_owned(),
        name: "webshop".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
        used_at: None,
    };
    world.store.api_key_put("sha", &key).await.unwrap();
    let mut settings = world.store.settings_get(&tenant()).await.unwrap().unwrap();
    settings.warehouse = Some(Provider::parse("external").unwrap());
    world.store.settings_put(&tenant(), &settings).await.unwrap();
    let (order, code) = world.order("1753-1", sample()).await;
    assert_eq!(guide_show(&world.app, &tenant()).await.unwrap().done(), 4, "the order is not paid yet");
    let event = world.pay(code).await;
    world.webhook(&event).await;
    world.settle().await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done);
    let all = guide_show(&world.app, &tenant()).await.unwrap();
    assert!(all.is_done() && all.steps[2] == (Warehouse, Done), "{all:?}");

    let (me, correlation) = (tenant(), CorrelationId::parse("c-1").unwrap());
    let ledger = Provider::parse("fortnox").unwrap();
    connection_disconnect(&world.app, tester(&me, &correlation), &ledger).await.unwrap();
    let undone = guide_show(&world.app, &tenant()).await.unwrap();
    assert_eq!((undone.steps[1], undone.steps[3]), ((Accounting, Open), (Settings, Open)));
    let shown = overview_show(&world.app, &tenant(), Role::Viewer).await.unwrap();
    assert!(
        shown.connections.iter().any(|view| view.provider == ledger),
        "it is in use, so its lack is shown"
    );
}

#[tokio::test]
async fn the_overview_counts_each_order_once_and_tells_what_waits() {
    let mut world = World::start().await;
    for number in ["1", "2", "3"] {
        let (_, code) = world.order(number, sample()).await;
        let event = world.pay(code).await;
        for _ in 0..3 {
            world.webhook(&event).await;
        }
        world.settle().await;
    }
    world.order("4", sample()).await;
    let stray = world.checkout("5.00".parse().unwrap(), "nobody's");
    let event = world.pay(stray).await;
    world.webhook(&event).await;
    world.settle().await;
    let shown = overview_show(&world.app, &tenant(), Role::Operator).await.unwrap();
    assert_eq!(shown.figures.lately, Counts { taken: 4, paid: 3, booked: 3, shipped: 0 });
    assert_eq!(shown.figures.sold.iter().map(|sum| sum.minor).collect::<Vec<_>>(), [3 * 74_700]);
    assert_eq!(shown.figures.days.last().unwrap().1, shown.figures.lately);
    assert_eq!((shown.waiting.unmatched, shown.waiting.parked, shown.waiting.more), (1, 0, false));
    assert!(shown.figures.complete && !shown.stranded && shown.latest.len() == 4);

    world.clock.advance(Duration::from_secs(8 * 86_400));
    let later = overview_show(&world.app, &tenant(), Role::Operator).await.unwrap();
    assert!(later.figures.days.iter().all(|(_, counts)| *counts == Counts::default()));
    assert_eq!((later.figures.lately, later.latest.len()), (Counts::default(), 4));
}

#[tokio::test]
async fn stranded_messages_are_told_to_those_who_can_send_them_again() {
    let world = World::start().await;
    let queue = bokbro_app::ports::QueueName::Accounting;
    world.queues.bury(queue, "a text that nobody can read");
    for (role, stranded) in [(Role::Viewer, false), (Role::Operator, true), (Role::Owner, true)] {
        let shown = overview_show(&world.app, &tenant(), role).await.unwrap();
        assert_eq!(shown.stranded, stranded, "{role:?}");
    }
}

/// More orders than are counted: the page says so, and what it counts are the latest.
#[tokio::test]
async fn no_more_than_a_thousand_orders_are_counted() {
    let world = World::start().await;
    let mut body = sample();
    for number in 0..1_001 {
        body["order_number"] = json!(number.to_string());
        world.post(&body).await.unwrap();
        if number == 999 {
            let all = overview_show(&world.app, &tenant(), Role::Viewer).await.unwrap();
            assert!(all.figures.complete && all.figures.lately.taken == 1_000);
        }
    }
    let shown = overview_show(&world.app, &tenant(), Role::Viewer).await.unwrap();
    assert_eq!((shown.figures.complete, shown.figures.lately.taken), (false, 1_000));
}

/// The example order, read once.
static BODY: LazyLock<OrderBody> = LazyLock::new(|| read_order(sample().to_string().as_bytes()).unwrap());

fn order(at: Timestamp, state: OrderState, books: SyncState, stage: Option<Stage>) -> Order {
    let id = OrderId::parse("ord_01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
    let mut order = Order::new(id, tenant(), BODY.clone(), at);
    (order.state, order.accounting.state) = (state, books);
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

#[test]
fn orders_count_on_the_swedish_day_on_which_they_came() {
    use OrderState::{Cancelled, Paid, Pending, Refunded};
    use SyncState::{Done, NeedsAttention, Waiting};
    let order = |at: &str, state, books, stage| order(at.parse().unwrap(), state, books, stage);
    let counts = |taken, paid, booked, shipped| Counts { taken, paid, booked, shipped };
    let mut orders = [
        order("2026-11-21T09:59:00Z", Pending, Waiting, None),
        order("2026-11-21T09:00:00Z", Paid, Done, Some(Stage::Shipped)),
        // It is the 21st in Sweden already.
        order("2026-11-20T23:00:00Z", Refunded, Done, Some(Stage::Picking)),
        order("2026-11-20T22:59:00Z", Paid, NeedsAttention, None),
        // A day ago to the second is not lately any more.
        order("2026-11-20T10:00:00Z", Paid, Done, None),
        order("2026-11-15T00:00:00Z", Cancelled, Done, Some(Stage::Shipped)),
        order("2026-11-14T22:59:00Z", Paid, Done, None),
    ];
    orders[2].payment.captured.currency = Currency::parse("EUR").unwrap();
    let figures = Figures::of(&orders, true, "2026-11-21T10:00:00Z".parse().unwrap());
    assert_eq!(figures.lately, counts(4, 3, 2, 1));
    let sold: Vec<String> = figures.sold.iter().map(|sum| format!("{sum} {}", sum.currency)).collect();
    assert_eq!(sold, ["747.00 EUR", "1494.00 SEK"]);
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
    assert_eq!((days.len(), days[0].as_str(), days[6].as_str()), (7, "2026-10-21", "2026-10-27"));
}

const BOOKS: [SyncState; 5] =
    [SyncState::Waiting, SyncState::Running, SyncState::Done, SyncState::Retrying, SyncState::NeedsAttention];
const STAGES: [Option<Stage>; 5] =
    [None, Some(Stage::Open), Some(Stage::Picking), Some(Stage::Shipped), Some(Stage::Cancelled)];

proptest! {
    /// Each order of the days counts on one of them; nothing is booked or shipped that was not paid, or paid that did not
    /// come; and the order in which orders are read does not matter.
    #[test]
    fn counts_add_up(
        now in 1_700_000_000i64..1_900_000_000,
        orders in vec((0i64..9 * 86_400, select(OrderState::ALL.to_vec()), select(BOOKS.to_vec()), select(STAGES.to_vec())), 0..40),
    ) {
        let now = Timestamp::from_second(now).unwrap();
        let at = |ago: i64| now.checked_sub(SignedDuration::from_secs(ago)).unwrap();
        let orders = orders.into_iter().map(|(ago, state, books, stage)| order(at(ago), state, books, stage));
        let mut orders: Vec<Order> = orders.collect();
        let figures = Figures::of(&orders, true, now);
        let (first, _) = figures.days[0];
        let counted = orders.iter().filter(|order| swedish_day(order.created_at) >= first).count();
        let taken: u32 = figures.days.iter().map(|(_, counts)| counts.taken).sum();
        prop_assert_eq!(usize::try_from(taken).unwrap(), counted);
        for counts in figures.days.iter().map(|(_, counts)| counts).chain([&figures.lately]) {
            prop_assert!(counts.booked <= counts.paid && counts.shipped <= counts.paid && counts.paid <= counts.taken);
        }
        orders.reverse();
        prop_assert_eq!(Figures::of(&orders, true, now), figures);
    }
}
