//! The table was restored to an earlier time and knows nothing of what was sent since: with `look_first` the providers
//! are asked before each first send, and there is still one document of each.

use bokbro_domain::effect::Patience;
use bokbro_domain::order::{Order, SyncState};
use bokbro_domain::posting::PostingProfile;
use bokbro_simulators::fortnox::FortnoxConfig;
use bokbro_simulators::visma::VismaConfig;
use bokbro_tests::visma_world::VismaWorld;
use bokbro_tests::world::{World, sample};

use crate::flows::one_of_each;
use crate::refunds::{give_back, paid, tell};

/// What workers are told after a restore.
fn after_a_restore(world: &mut World) {
    world.app.patience = Patience { look_first: true, ..world.app.patience };
}

/// How the order comes up again.
#[derive(Debug, Clone, Copy)]
enum Again {
    /// The payment provider repeats its webhook.
    Webhook,
    /// The hourly sweep finds the order.
    Sweep,
}

/// Books an order, restores the table to a time before that, and has the order come up again.
async fn booked_and_forgotten(world: &mut World, again: Again, told: bool) -> Order {
    let (order, _, event) = paid(world, sample()).await;
    let unpaid = world.store.back_up();
    tell(world, &event).await;
    assert_eq!(world.show(&order.id).await.accounting.state, SyncState::Done);
    world.store.restore(&unpaid);
    if told {
        after_a_restore(world);
    }
    match again {
        Again::Webhook => tell(world, &event).await,
        Again::Sweep => world.hour_passes().await,
    }
    world.show(&order.id).await
}

#[tokio::test]
async fn what_was_booked_after_the_back_up_is_found_at_fortnox() {
    for profile in [PostingProfile::Invoice, PostingProfile::OrderAndInvoice] {
        for again in [Again::Webhook, Again::Sweep] {
            let config = FortnoxConfig { rate_limited: false, ..FortnoxConfig::default() };
            let mut world = World::start_with(profile, config).await;
            let shown = booked_and_forgotten(&mut world, again, true).await;
            let parked = world.parked().await;
            assert_eq!(
                shown.accounting.state,
                SyncState::Done,
                "{profile:?} {again:?}: {:?} {parked:?}",
                shown.accounting
            );
            one_of_each(&world, "747.00");
        }
    }
}

#[tokio::test]
async fn what_was_booked_after_the_back_up_is_found_at_visma() {
    for profile in [PostingProfile::Invoice, PostingProfile::CashInvoice] {
        let config = VismaConfig { prices_excl_vat: true, ..VismaConfig::default() };
        let mut world = VismaWorld::start_with(profile, config).await;
        let shown = booked_and_forgotten(&mut world, Again::Sweep, true).await;
        let parked = world.parked().await;
        let state = (shown.accounting.state, world.books("invoices").len(), world.books("drafts").len());
        assert_eq!(state, (SyncState::Done, 1, 0), "{profile:?}: {:?} {parked:?}", shown.accounting);
    }
}

/// That the tests above can fail: who is not told of the restore books twice.
#[tokio::test]
async fn without_looking_first_an_order_would_be_booked_twice() {
    let mut world = World::start().await;
    booked_and_forgotten(&mut world, Again::Sweep, false).await;
    assert_eq!(world.books("invoices").len(), 2);
}

#[tokio::test]
async fn a_credit_and_a_parcel_from_after_the_back_up_are_found_again() {
    let mut world = World::start().await;
    world.ship_with("ongoing").await;
    let (order, _, event) = paid(&world, sample()).await;
    let unpaid = world.store.back_up();
    tell(&mut world, &event).await;
    let refund = give_back(&world, Some("249.00")).await;
    tell(&mut world, &refund).await;
    let documents = |world: &World| (world.books("invoices").len(), world.books("invoice_payments").len());
    let before = documents(&world);
    world.store.restore(&unpaid);
    after_a_restore(&mut world);
    world.hour_passes().await;
    tell(&mut world, &refund).await;
    let shown = world.show(&order.id).await;
    assert_eq!(shown.accounting.credited, 24_900, "{:?} {:?}", shown.accounting, world.parked().await);
    assert_eq!(documents(&world), before);
    assert_eq!(world.ongoing.orders().len(), 1);
}
