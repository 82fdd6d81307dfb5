//! What the books say of an order's invoice goes onto the order and its history, and nowhere else.
//!
//! Written under the ledger's fence like everything else of the order at this target, and only about an order that is
//! done: what a worker of ours has begun must not look like somebody's change.

use bokbro_domain::effect::Ledger;
use bokbro_domain::ids::{OrderId, Target};
use bokbro_domain::in_books::{BooksState, InBooks};
use bokbro_domain::order::{CUSTOMER, Order, SyncState};
use bokbro_domain::said;
use jiff::{SignedDuration, Timestamp};

use super::compare::{in_books, which};
use super::marks::buyer;
use super::run::Run;
use crate::error::Error;
use crate::ports::{Contents, Guard, LedgerKey, LedgerWrite, Register, RegisterKey};

/// Lists lag behind writes, and clocks differ: what was read sooner than this after a write of ours may be from before it.
const LAG: SignedDuration = SignedDuration::from_mins(2);

/// What became of telling an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The order shows it, or has nothing to do with it.
    Yes,
    /// The order is not done, or somebody is at it.
    NotYet,
}

impl Run<'_> {
    /// Tells an order how a document of its stands; `None` says that it is not there any more.
    pub(super) async fn tell(
        &mut self,
        id: &OrderId,
        number: &str,
        contents: Option<&Contents>,
        asked_at: Timestamp,
    ) -> Result<Told, Error> {
        let app = self.app;
        let key = LedgerKey { tenant: self.tenant.clone(), order: id.clone(), target: Target::Accounting };
        let Some((order, ledger)) = app.ledgers.ledger_load(&key).await? else { return Ok(Told::Yes) };
        let books = &order.accounting;
        if books.provider.as_ref().is_some_and(|provider| provider != self.provider) {
            return Ok(Told::Yes);
        }
        if books.state != SyncState::Done
            || order.books_lack()
            || last_write(&ledger) >= earlier(asked_at, LAG)
        {
            return Ok(Told::NotYet);
        }
        let Some(which) = which(&order, number) else { return Ok(Told::Yes) };
        let now = app.clock.now();
        let before = books.in_books.get(number);
        let seen = match contents {
            Some(contents) => {
                let same = self.same_customer(&order, contents).await?;
                in_books(&order, &ledger, (which, number), contents, same, now)
            }
            None => Some(InBooks {
                state: BooksState::Gone,
                balance: None,
                changed: before.map(|before| before.changed.clone()).unwrap_or_default(),
                read_at: now,
            }),
        };
        let Some(seen) = seen.filter(|seen| before.is_none_or(|before| !before.agrees(seen))) else {
            return Ok(Told::Yes);
        };
        let Ok(mut after) = ledger.take(&self.invocation.owner, now, now) else { return Ok(Told::NotYet) };
        // Taken and given back in one write: a worker that began before it can write nothing any more.
        after.release();
        let mut entries = Vec::new();
        if before.is_some() || !seen.is_as_we_left_it() {
            let message = said!(
                "told-in-books",
                "{provider}: invoice {number} is {seen}",
                provider = self.provider,
                number;
                seen = seen.said()
            );
            entries.push(app.stamps.entry(&*app.clock, &self.job.correlation, "seen_in_books", message));
        }
        let mut status = books.clone();
        status.in_books.insert(number.to_owned(), seen);
        let write = LedgerWrite {
            key: &key,
            guard: Guard::Fence(ledger.fence),
            ledger: &after,
            status: Some(&status),
            order_version: Some(order.version),
            entries: &entries,
            parked: None,
        };
        app.crash.reached("before telling an order how its invoice stands").await;
        match app.ledgers.ledger_write(write).await {
            Ok(()) => {
                self.count("orders_told", 1);
                app.crash.reached("after telling an order how its invoice stands").await;
                Ok(Told::Yes)
            }
            Err(Error::Raced { .. }) => Ok(Told::NotYet),
            Err(other) => Err(other),
        }
    }

    /// Whether an invoice is to the order's own customer, whatever number people have given him since.
    async fn same_customer(&self, order: &Order, contents: &Contents) -> Result<bool, Error> {
        let Contents::Invoice { customer_id, customer_number, .. } = contents else { return Ok(true) };
        let (Some(left), Some(number)) = (order.accounting.numbers.get(CUSTOMER), customer_number) else {
            return Ok(true);
        };
        if left == number {
            return Ok(true);
        }
        let Some(id) = customer_id else { return Ok(false) };
        let customers = RegisterKey {
            tenant: self.tenant.clone(),
            provider: self.provider.clone(),
            register: Register::Customers,
        };
        let known = self.app.mappings.mappings_get(&customers, std::slice::from_ref(id)).await?;
        let buyer = buyer(&order.body.customer);
        Ok(known.iter().any(|known| known.ours.iter().any(|mark| buyer.contains(mark))))
    }
}

/// When a worker of ours last wrote something of the order, or was about to.
fn last_write(ledger: &Ledger) -> Timestamp {
    let times = ledger.steps.values().flat_map(|step| [Some(step.sent_at), step.done_at]);
    times.flatten().max().unwrap_or(Timestamp::MIN)
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(Timestamp::MIN)
}
