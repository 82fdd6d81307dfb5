//! The table fails in the middle of the work, once, at each write: with the write done or not. The order is booked once,
//! and before the lease would have ended by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bokbro_app::app::App;
use bokbro_app::error::Error;
use bokbro_app::ports::{Clock, LedgerKey, LedgerWrite, Ledgers};
use bokbro_domain::effect::Ledger;
use bokbro_domain::order::{Order, SyncState};
use bokbro_tests::world::{World, sample};
use jiff::SignedDuration;

use crate::flows::one_of_each;

/// A lease lasts so long when nobody gives it back.
const LEASE: SignedDuration = SignedDuration::from_secs(75);

/// Lets writes pass until one fails.
struct Failing {
    inner: Arc<dyn Ledgers>,
    /// Which one fails, from 0.
    nth: usize,
    /// Whether that one is done before it fails.
    done: bool,
    writes: AtomicUsize,
}

#[async_trait]
impl Ledgers for Failing {
    async fn ledger_load(&self, key: &LedgerKey) -> Result<Option<(Order, Ledger)>, Error> {
        self.inner.ledger_load(key).await
    }

    async fn ledger_write(&self, write: LedgerWrite<'_>) -> Result<(), Error> {
        let before = self.writes.fetch_add(1, Ordering::SeqCst);
        if before != self.nth {
            return self.inner.ledger_write(write).await;
        }
        if self.done {
            self.inner.ledger_write(write).await?;
        }
        Err(Error::storage("writing a ledger", std::io::Error::other("the table does not answer")))
    }
}

/// Books an order while the nth write fails; gives the number of writes.
async fn run(nth: usize, done: bool) -> usize {
    let mut world = World::start().await;
    let failing =
        Arc::new(Failing { inner: world.app.ledgers.clone(), nth, done, writes: AtomicUsize::new(0) });
    world.app = App { ledgers: failing.clone(), ..world.app.clone() };
    let (order, code) = world.order("1", sample()).await;
    let event = world.pay(code).await;
    let begun = world.clock.now();
    world.webhook(&event).await;
    world.settle().await;
    let case = format!("write {nth}, done {done}");
    let shown = world.show(&order.id).await;
    assert_eq!(shown.accounting.state, SyncState::Done, "{case}: {:?}", world.errors);
    one_of_each(&world, "747.00");
    assert!(world.dead.is_empty() && world.parked().await.is_empty(), "{case}");
    let took = world.clock.now().duration_since(begun);
    assert!(took < LEASE, "{case}: {took}: the lease was not given back");
    failing.writes.load(Ordering::SeqCst)
}

#[tokio::test]
async fn an_order_is_left_for_the_next_worker_at_every_write() {
    let writes = run(usize::MAX, false).await;
    assert!(writes > 4, "{writes}");
    for done in [false, true] {
        for nth in 0..writes {
            run(nth, done).await;
        }
    }
}
