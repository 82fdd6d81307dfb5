//! Facts are laid at an order, and the order moves to where they say.

use bokbro_domain::ids::{OrderId, PaymentMethod};
use bokbro_domain::money::Money;
use bokbro_domain::order::{Order, OrderState};
use bokbro_domain::payment::{PaymentFact, assess};
use bokbro_domain::said;
use bokbro_domain::said::Said;

use super::trouble::{Stop, park_order};
use super::{Desk, Outcome};
use crate::error::Error;
use crate::message::Nudge;
use crate::ports::{OpenKind, QueueName};
use crate::records::TimelineEntry;

/// How often a lost race for an order is run again at once.
const RACES: u32 = 5;

impl Desk<'_> {
    /// Adds facts to an order and moves it to where they say.
    pub(super) async fn apply(&self, id: &OrderId, told: &[PaymentFact]) -> Result<Outcome, Stop> {
        tracing::Span::current().record("order", tracing::field::display(id));
        for _ in 0..RACES {
            let Some(order) = self.app.orders.order_get(self.tenant, id).await? else {
                return Ok(Outcome::Open("the order is gone"));
            };
            let known = self.app.orders.payment_facts(self.tenant, id).await?;
            let (facts, changed) = merge(&known, told);
            let assessed = assess(&order, &facts);
            let mut next = order.clone();
            let mut entries: Vec<TimelineEntry> = Vec::new();
            match &assessed {
                Ok(assessment) => {
                    if assessment.state != order.state {
                        entries.push(self.entry_of(&order, assessment.state, &assessment.totals.captured));
                    }
                    next.state = assessment.state;
                    next.payment = assessment.totals.clone();
                }
                Err(mismatch) if !changed.is_empty() => {
                    let message =
                        said!("told-not-accepted", "Payment not accepted: {why}."; why = mismatch.said());
                    entries.push(self.entry("payment_differs", message));
                }
                Err(_) => {}
            }
            let news = !changed.is_empty() || next.state != order.state || next.payment != order.payment;
            if news {
                next.version += 1;
                next.updated_at = self.app.clock.now();
                self.app.crash.reached("before recording the payment").await;
                match self.app.orders.order_update(&next, &changed, &entries).await {
                    Ok(()) => {}
                    Err(Error::Raced { .. }) => continue,
                    Err(other) => return Err(other.into()),
                }
                self.app.crash.reached("after recording the payment").await;
            }
            // A message that came before may have died between recording and parking.
            if self.quiet && !news && self.invocation.receive == 1 {
                return Ok(Outcome::Open("nothing is new"));
            }
            if let Err(mismatch) = assessed {
                let message = said!("parked-not-booked", "{why}. Nothing was booked."; why = mismatch.said());
                return Err(park_order(mismatch.code(), message, id, told.first()));
            }
            return self.follow_up(&next).await;
        }
        Err(Stop::Error(Error::Raced { step: "recording a payment" }))
    }

    async fn follow_up(&self, order: &Order) -> Result<Outcome, Stop> {
        self.books_nudge(order).await?;
        self.parcel_nudge(order).await?;
        if order.accounting.by_hand && order.accounting.credited != order.payment.reversed.minor {
            let message = said!(
                "parked-refund-by-hand",
                "Money was given back on an order that was booked by hand. Credit it by hand too."
            );
            return Err(park_order("refund_to_book", message, &order.id, None));
        }
        Ok(Outcome::Settled(format!("order {} is {}", order.id, order.state.as_str())))
    }

    /// Whoever comes here with a paid order nudges the books, also after a crash between recording and nudging.
    pub(super) async fn books_nudge(&self, order: &Order) -> Result<(), Error> {
        if order.books_lack() {
            let nudge = Nudge::order(order.id.clone());
            self.app.queues.queue_send(QueueName::Accounting, &self.envelope(nudge)).await?;
            self.app.crash.reached("after nudging accounting").await;
        }
        Ok(())
    }

    /// The same for the parcel. An order whose money was given back may have one that is to be stopped. Where there is no
    /// warehouse the order waits for none: a warehouse that is connected later must not ship what left long ago.
    pub(super) async fn parcel_nudge(&self, order: &Order) -> Result<(), Error> {
        if !OpenKind::Warehouse.is_open(order) {
            return Ok(());
        }
        let settings = self.app.directory.settings_get(self.tenant).await?;
        if settings.is_none_or(|settings| settings.warehouse.is_none()) {
            return self.app.open_work.open_drop(self.tenant, OpenKind::Warehouse, &order.id).await;
        }
        let nudge = self.envelope(Nudge::order(order.id.clone()));
        self.app.queues.queue_send(QueueName::Warehouse, &nudge).await?;
        self.app.crash.reached("after nudging the warehouse").await;
        Ok(())
    }

    /// Gives up an order that was given up at the provider.
    pub(super) async fn cancel(&self, id: &OrderId) -> Result<Outcome, Stop> {
        for _ in 0..RACES {
            let Some(mut order) = self.app.orders.order_get(self.tenant, id).await? else { break };
            if order.state != OrderState::Pending {
                break;
            }
            order.state = OrderState::Cancelled;
            order.version += 1;
            order.updated_at = self.app.clock.now();
            let entry = self.entry(
                "order_cancelled",
                said!("told-cancelled-there", "Order cancelled at the payment provider."),
            );
            match self.app.orders.order_update(&order, &[], &[entry]).await {
                Ok(()) => return Ok(Outcome::Settled(format!("order {id} is cancelled"))),
                Err(Error::Raced { .. }) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Ok(Outcome::Open("the order is no longer pending"))
    }

    fn entry_of(&self, before: &Order, state: OrderState, captured: &Money) -> TimelineEntry {
        let text = match state {
            OrderState::Paid => said!(
                "told-paid",
                "Paid: {captured} {currency}.",
                currency = captured.currency;
                captured = captured.said()
            ),
            OrderState::Refunded => said!("told-refunded", "All money was given back."),
            OrderState::PartiallyRefunded => said!("told-partly-refunded", "Some money was given back."),
            OrderState::Pending | OrderState::Cancelled => {
                said!("told-no-longer", "No longer {state}.", state = before.state.as_str())
            }
        };
        self.entry(&format!("order_{}", state.as_str()), text)
    }

    fn entry(&self, event: &str, message: Said) -> TimelineEntry {
        self.app.stamps.entry(&*self.app.clock, &self.invocation.correlation, event, message)
    }
}

/// Known facts with the news laid over them, and those that are new or changed.
fn merge(known: &[PaymentFact], news: &[PaymentFact]) -> (Vec<PaymentFact>, Vec<PaymentFact>) {
    let mut facts = known.to_vec();
    let mut changed = Vec::new();
    for new in news {
        let mut new = new.clone();
        match facts.iter_mut().find(|fact| fact.transaction == new.transaction) {
            Some(fact) => {
                // A single read names no parent; what a list told stays.
                new.parent = new.parent.or_else(|| fact.parent.clone());
                new.merchant_text = new.merchant_text.or_else(|| fact.merchant_text.clone());
                if new.method == PaymentMethod::default() {
                    new.method.clone_from(&fact.method);
                }
                if *fact != new {
                    fact.clone_from(&new);
                    changed.push(new);
                }
            }
            None => {
                facts.push(new.clone());
                changed.push(new);
            }
        }
    }
    (facts, changed)
}
