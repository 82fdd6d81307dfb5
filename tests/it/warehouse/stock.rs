//! Stock: what has changed while the warehouse still tells of changes, all of it when that was too long ago.

use std::time::Duration;

use bokbro_app::ports::Stocks as _;
use bokbro_domain::ids::Provider;
use bokbro_tests::world::{World, tenant};

use super::shipped_order;

const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn sellable(world: &World, sku: &str) -> Option<String> {
    let ongoing = Provider::parse("ongoing").unwrap();
    let listed = world.store.stocks_list(&tenant(), &ongoing, 100, None).await.unwrap().items;
    listed
        .into_iter()
        .find(|(stock, _)| stock.sku == sku)
        .map(|(stock, _)| stock.sellable.normalize().to_string())
}

/// The queries of the reads of stock so far: whether each asked for changes only.
fn for_changes(world: &World) -> Vec<bool> {
    let lines = world.ongoing.kit.log.requests().into_iter();
    let reads = lines.filter(|line| line.path.contains("articleSystemIdFrom=0"));
    reads.map(|line| line.path.contains("stockInfoChangedFrom")).collect()
}

async fn an_hour(world: &mut World) {
    world.clock.advance(Duration::from_secs(1));
    world.sync_clocks();
    world.hour_passes().await;
    world.sync_clocks();
}

#[tokio::test]
async fn stock_is_read_in_full_first_by_change_then_and_in_full_after_a_day_off() {
    let mut world = World::shipping().await;
    shipped_order(&mut world, "1").await;
    world.sync_clocks();
    world.ongoing.receive("OIL-30", 10.into()).unwrap();
    an_hour(&mut world).await;
    assert_eq!(sellable(&world, "OIL-30").await.as_deref(), Some("8"), "two are promised");
    world.ongoing.receive("OIL-30", 5.into()).unwrap();
    an_hour(&mut world).await;
    assert_eq!(sellable(&world, "OIL-30").await.as_deref(), Some("13"));
    assert_eq!(for_changes(&world), [false, true]);
    // Nobody ran for more than a day.
    world.clock.advance(DAY);
    world.sync_clocks();
    world.ongoing.receive("OIL-30", 1.into()).unwrap();
    an_hour(&mut world).await;
    assert_eq!(sellable(&world, "OIL-30").await.as_deref(), Some("14"));
    assert_eq!(for_changes(&world), [false, true, false]);
    assert!(world.parked().await.is_empty() && world.dead.is_empty());
}
