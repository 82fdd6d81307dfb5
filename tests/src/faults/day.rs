//! A day under way: the bad hours, what people do meanwhile, and then the hours in which all is well again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bokbro_app::message::{ConnectionTask, Envelope, Nudge};
use bokbro_app::ports::{Clock as _, LedgerKey, Ledgers as _, QueueName, Queues as _};
use bokbro_domain::ids::{CorrelationId, Target};
use bokbro_domain::order::{Order, SyncState};
use bokbro_simulators::ongoing::Work;
use bokbro_simulators::viva::{Amount, OrderCode, Refund, VivaConfig};
use jiff::SignedDuration;
use jiff::tz::Offset;
use serde_json::json;

use super::bench::Told;
use super::case::{Case, Got, Happens, Pays, Tells};
use super::lanes::Lanes;
use super::parcels::PICKING_STARTED;
use super::stage::Stage;
use super::verdict::{AMOUNT_DIFFERS, Finding, Posted, judge};
use super::wire::FaultyWire;
use crate::warehouse::TOKEN;
use crate::world::{World, provider, tenant};

/// Hours after the bad day in which everything must be done.
const HOURS: u32 = 3;
/// How long it takes somebody to give money back: no two reversals are of one second.
const AT_THE_DESK: Duration = Duration::from_secs(2);
/// What the Swedish clock is ahead on every day of [`super::case::Day`].
const SWEDEN: Offset = Offset::constant(1);
/// The status of a parcel order that nobody sends any more.
const CANCELED: u32 = 1000;

/// A case under way.
pub(super) struct Day<'a> {
    pub(super) world: World,
    pub(super) lanes: Lanes,
    pub(super) stage: Arc<Stage>,
    pub(super) wire: Arc<FaultyWire>,
    pub(super) case: &'a Case,
    pub(super) told: Vec<Told>,
}

impl Day<'_> {
    /// The bad day, the hours after it, and the verdict.
    pub(super) async fn pass(&mut self) -> Result<(), Finding> {
        self.tell().await;
        for (stop, happens) in self.case.happens.clone() {
            self.lanes.settle_until(&self.world, Some(u32::from(stop))).await?;
            self.happen(happens).await;
        }
        self.lanes.settle_until(&self.world, None).await?;
        self.recover().await?;
        self.judge().await?;
        let unlisted = self.wire.unlisted();
        if unlisted.is_empty() {
            return Ok(());
        }
        let (is, should) = (format!("{unlisted:?}"), "in OPERATIONS of its connector".to_owned());
        Err(Finding::Wrong { what: "an operation".to_owned(), is, should })
    }

    /// Puts what is told on the queues, each for its time.
    async fn tell(&mut self) {
        for (nth, what, after) in &self.case.tells {
            let told = &self.told[*nth];
            match what {
                Tells::Paid => deliver(&self.world, told.paid.as_deref()).await,
                Tells::Failed => deliver(&self.world, told.failed.as_deref()).await,
                Tells::Checkout => deliver(&self.world, Some(&checkout_event(told.code))).await,
                Tells::Nudge => self.nudge(&told.order).await,
                Tells::Registers => self.read_registers().await,
            }
            self.come_after(*after);
        }
    }

    /// What was put on the queues just now comes after so many seconds.
    fn come_after(&mut self, seconds: u16) {
        let at = self.world.clock.now() + SignedDuration::from_secs(i64::from(seconds));
        self.lanes.hold_back(&self.world, at);
    }

    /// What people do, and what the time brings. Workers stand still meanwhile.
    async fn happen(&mut self, happens: Happens) {
        self.lanes.collect(&self.world);
        self.wire.tick();
        match happens {
            Happens::Refund { order, told, .. } => {
                if let Some(event) = self.give_back(order).await {
                    deliver(&self.world, Some(&event)).await;
                    self.come_after(told);
                }
            }
            Happens::Staff { order, got, told } => self.get_on(order, got, told).await,
            Happens::Tick => self.world.tick().await,
        }
    }

    /// Gives the next piece of an order's money back; gives the webhook. None when nothing is left.
    async fn give_back(&mut self, nth: usize) -> Option<String> {
        let amount = *self.case.given_back(nth).get(self.told[nth].given_back.len())?;
        self.world.clock.advance(AT_THE_DESK);
        self.wire.tick();
        let code = self.told[nth].code;
        let payments = self.world.viva.transactions();
        let payment = payments.iter().find(|payment| {
            payment.order_code == code && payment.parent_id.is_none() && payment.status_id != "E"
        })?;
        let wish =
            Refund { amount: Some(Amount(amount)), deliver: false, ..Refund::new(&payment.transaction_id) };
        let event = self.world.viva.refund(&wish).await.unwrap().event.get().to_owned();
        let day = SWEDEN.to_datetime(self.world.clock.now()).date();
        self.told[nth].given_back.push((amount, day.to_string()));
        Some(event)
    }

    /// The staff of the warehouse gets on with an order, once.
    async fn get_on(&mut self, nth: usize, got: Got, told: bool) {
        let order_number = self.told[nth].order.body.order_number.to_string();
        let parcels = self.world.parcels();
        let open = parcels.iter().any(|parcel| parcel.number == order_number && parcel.status != CANCELED);
        if !open || self.told[nth].got.is_some() {
            return;
        }
        let work = Work { order_number, status: got.status(), deliver: false, ..Work::default() };
        self.world.ongoing.work(&work).await.unwrap();
        self.told[nth].got = Some(got);
        if told {
            let event = self.world.ongoing.deliveries().last().unwrap().body().to_owned();
            self.world.parcel_webhook(&event, Some(TOKEN)).await;
        }
    }

    /// Nothing goes wrong any more. Dead letters are replayed, ended connections are mended, hours pass.
    async fn recover(&mut self) -> Result<(), Finding> {
        self.wire.heal();
        self.lanes.heal();
        for _ in 0..HOURS {
            self.settled().await?;
            self.lanes.replay(self.world.clock.now());
            self.settled().await?;
            self.nothing_before_consent().await?;
            self.mend().await;
            self.look_by_hand().await;
            self.settled().await?;
            if self.is_done().await {
                return Ok(());
            }
            self.world.clock.advance(Duration::from_secs(3_600));
            self.wire.tick();
            self.world.tick().await;
        }
        self.settled().await
    }

    pub(super) async fn settled(&mut self) -> Result<(), Finding> {
        let settled = self.lanes.settle_until(&self.world, None).await;
        self.stage.empty();
        settled
    }

    /// Whether nothing is left for the next hour: what must be booked and sent is, and only what a human must decide is
    /// parked.
    async fn is_done(&self) -> bool {
        let mut decided = BTreeSet::new();
        for parked in self.world.parked().await {
            if ![AMOUNT_DIFFERS, PICKING_STARTED].contains(&parked.code.as_str()) {
                return false;
            }
            decided.extend(parked.order);
        }
        for (nth, told) in self.told.iter().enumerate() {
            let shown = self.world.show(&told.order.id).await;
            let is_decided = decided.contains(&told.order.id);
            let done = match self.case.orders[nth].pays {
                Pays::All | Pays::AfterRefusal => {
                    shown.state == self.case.state(nth)
                        && !shown.books_lack()
                        && (!self.case.ships || self.has_left(told, is_decided).await)
                }
                Pays::Short => is_decided,
                Pays::Nothing => true,
            };
            if !done {
                return false;
            }
        }
        true
    }

    /// Whether the warehouse has the order, or has given it up, and what it tells of it stands at the order.
    async fn has_left(&self, told: &Told, is_decided: bool) -> bool {
        let key = LedgerKey { tenant: tenant(), order: told.order.id.clone(), target: Target::Warehouse };
        let shown = self.world.store.ledger_load(&key).await.unwrap().unwrap().0.warehouse;
        let status = shown.shipment.as_ref().map(|shipment| shipment.status);
        (shown.state == SyncState::Done || is_decided)
            && told.got.is_none_or(|got| status == Some(got.status()))
    }

    async fn judge(&self) -> Result<(), Finding> {
        let told = self.case.orders.iter().zip(&self.told);
        let posted: Vec<Posted<'_>> = told
            .enumerate()
            .map(|(nth, (buys, told))| Posted {
                buys,
                state: self.case.state(nth),
                order: &told.order,
                given_back: &told.given_back,
                got: told.got,
            })
            .collect();
        let (dead, errors) = (self.lanes.dead.len(), &self.lanes.errors);
        judge(&self.world, self.case, &posted, dead, errors).await
    }

    pub(super) fn correlation(&self) -> CorrelationId {
        CorrelationId::from_ulid(self.world.app.stamps.ulid(&*self.world.clock))
    }

    /// A nudge of the order's books and, where there is one, of its parcel.
    pub(super) async fn nudge(&self, order: &Order) {
        let mut queues = vec![QueueName::Accounting];
        queues.extend(self.case.ships.then_some(QueueName::Warehouse));
        for queue in queues {
            let nudge = Nudge::order(order.id.clone());
            let message = Envelope::new(tenant(), self.correlation(), self.world.clock.now(), nudge);
            self.world.queues.queue_send(queue, &message).await.unwrap();
        }
    }

    async fn read_registers(&self) {
        let nudge = Nudge::connection(provider(self.case.program.name()), ConnectionTask::Registers);
        let message = Envelope::new(tenant(), self.correlation(), self.world.clock.now(), nudge);
        self.world.queues.queue_send(QueueName::Pulls, &message).await.unwrap();
    }
}

pub(super) async fn deliver(world: &World, event: Option<&str>) {
    if let Some(event) = event {
        world.webhook(event).await;
    }
}

/// The event of an order that changed, as far as it is read.
fn checkout_event(code: OrderCode) -> String {
    let merchant = VivaConfig::default().merchant_id;
    json!({"EventTypeId": 4865, "EventData": {"OrderCode": code.0, "MerchantId": merchant}}).to_string()
}
