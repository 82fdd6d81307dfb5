//! An order on its way through a day's batch: it joins, it waits, and it notes the voucher's number.

use std::collections::BTreeMap;

use bokbro_domain::day::{DayId, DayLot};
use bokbro_domain::effect::{Intent, Ledger, Receipt, StepName};
use bokbro_domain::ids::Provider;
use bokbro_domain::order::{Order, SyncState, SyncStatus};
use bokbro_domain::payment::reversals;
use bokbro_domain::posting::{CreditId, DayEntry, credited, day_entries};
use bokbro_domain::said;
use bokbro_domain::said::Said;
use jiff::SignedDuration;

use super::VOUCHER;
use crate::app::{App, Invocation};
use crate::effects::{Work, held};
use crate::error::Error;
use crate::metrics;
use crate::ports::{Day, Guard, Joined, Joining, LedgerKey, LedgerWrite};
use crate::records::{Settings, TimelineEntry};

/// The step of a sale; a credit's is named after it.
const ENTRY: &str = "day_entry";
/// The number of the vouchers of an order's credits.
const CREDIT_VOUCHER: &str = "credit_voucher_number";
/// How often a lost race is run again at once. Others join the same batch, so races are common, and a loss is no failure.
const RACES: u32 = 5;
/// Whoever has lost them all comes back after this, and up to as much again so that not all come at once.
const RACE_WAIT: SignedDuration = SignedDuration::from_secs(1);

/// Has an order join the batches of its days, or notes that they have their vouchers.
///
/// # Errors
/// By what happens next; the order tells of it already.
pub(crate) async fn order_join(
    app: &App,
    invocation: &Invocation,
    settings: &Settings,
    program: &Provider,
    key: &LedgerKey,
    read: (Order, Ledger),
) -> Result<(), Error> {
    let mut read = Some(read);
    for _ in 0..RACES {
        let loaded = match read.take() {
            Some(read) => Some(read),
            None => app.ledgers.ledger_load(key).await?,
        };
        let Some((order, ledger)) = loaded.filter(|(order, _)| order.books_lack()) else { return Ok(()) };
        let mut joiner = Joiner { app, invocation, settings, program, key, order: &order, ledger };
        match joiner.go_on().await {
            Err(Error::Raced { .. }) => {}
            other => return other,
        }
    }
    let jitter = app.clock.dice() % u64::try_from(RACE_WAIT.as_millis()).unwrap_or(1).max(1);
    let wait = RACE_WAIT + SignedDuration::from_millis(i64::try_from(jitter).unwrap_or(0));
    let at = app.clock.now().saturating_add(wait).unwrap_or(jiff::Timestamp::MAX);
    Err(Error::Later { what: "a day's batch that many join".into(), at })
}

struct Joiner<'a> {
    app: &'a App,
    invocation: &'a Invocation,
    settings: &'a Settings,
    program: &'a Provider,
    key: &'a LedgerKey,
    order: &'a Order,
    ledger: Ledger,
}

impl Joiner<'_> {
    async fn go_on(&mut self) -> Result<(), Error> {
        let order = self.order;
        let given_back = match order.payment.reversed.minor {
            0 => Vec::new(),
            _ => reversals(&self.app.orders.payment_facts(&order.tenant, &order.id).await?),
        };
        let entries = match day_entries(order, &given_back, &credited(&self.ledger)) {
            Ok(entries) => entries,
            Err(refused) => return Err(self.park(refused.code(), refused.said()).await),
        };
        let missing: Vec<DayEntry> = entries
            .into_iter()
            .filter(|entry| !self.ledger.steps.contains_key(&step_of(entry.credit)))
            .collect();
        if missing.is_empty() {
            return self.look_at_days().await;
        }
        let last = missing.len() - 1;
        for (index, entry) in missing.into_iter().enumerate() {
            self.join(entry, index == last).await?;
        }
        Ok(())
    }

    /// Has one entry join the newest batch of its lot, or the one after it when that is closed. With the last entry the
    /// books show everything that was given back.
    async fn join(&mut self, entry: DayEntry, last: bool) -> Result<(), Error> {
        let (app, order) = (self.app, self.order);
        let lot = self.lot_of(&entry);
        let newest = app.days.day_newest(&self.key.tenant, &lot).await?;
        let (day, begins) = match newest {
            Some((day, ledger)) if ledger.fence == 0 => (day.id, None),
            Some((closed, _)) => (closed.id.next(), Some(app.stamps.ulid(&*app.clock))),
            None => (lot.first(), Some(app.stamps.ulid(&*app.clock))),
        };
        let begins = begins.map(|ulid| format!("day_{ulid}"));
        let joined = Joined { order: order.id.clone(), credit: entry.credit, sums: entry.sums };
        let now = app.clock.now();
        let intent = Intent {
            step: step_of(entry.credit),
            reference: order.id.to_string(),
            request: serde_json::to_string(&joined.sums).unwrap_or_default(),
            may_exist: false,
            replaces: false,
        };
        let mut ledger = self.taken()?;
        ledger.mark_sent(&intent, now);
        let receipt = Receipt { external_id: day.to_string(), ..Receipt::default() };
        ledger.mark_done(&intent.step, receipt, now);
        ledger.release();
        let mut status = self.status();
        let what = if entry.credit.is_some() { "refund" } else { "sale" };
        status.message = Some(will_be_booked(&day));
        if last {
            status.credited = order.payment.reversed.minor;
            self.close_parked(&mut status).await?;
        }
        let date = day.lot.date;
        let message = match entry.credit {
            Some(_) => {
                said!("told-refund-joins", "The refund joins the voucher of {date} ({day}).", date, day)
            }
            None => said!("told-sale-joins", "The sale joins the voucher of {date} ({day}).", date, day),
        };
        let entries = [self.entry("day_joined", message)];
        status.day = Some(day.clone());
        app.crash.reached(&format!("before joining a day with a {what}")).await;
        let joining = Joining { day: &day, begins: begins.as_deref(), joined: &joined };
        app.days.day_join(self.write(&ledger, &status, &entries), joining).await?;
        app.crash.reached(&format!("after joining a day with a {what}")).await;
        self.ledger = ledger;
        Ok(())
    }

    /// A credit stays with its sale's provider and way of payment: those of a refund may be told otherwise.
    fn lot_of(&self, entry: &DayEntry) -> DayLot {
        let sale = self.ledger.receipt(ENTRY).and_then(|receipt| DayId::parse(&receipt.external_id).ok());
        let (provider, method) = match sale {
            Some(sale) => (sale.lot.provider, sale.lot.method),
            None => (self.settings.payments.clone(), self.order.payment.method.clone().unwrap_or_default()),
        };
        DayLot { date: entry.date, provider, method }
    }

    /// All entries have joined: once all their batches have vouchers, the order is done.
    async fn look_at_days(&mut self) -> Result<(), Error> {
        let mut numbers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let (mut days, mut by_hand, mut waits_for) = (BTreeMap::<DayId, Day>::new(), false, None);
        let mut steps: Vec<(Option<CreditId>, DayId)> = Vec::new();
        for (name, step) in &self.ledger.steps {
            let day = step.receipt.as_ref().and_then(|receipt| DayId::parse(&receipt.external_id).ok());
            steps.extend(day.map(|day| (name.parts().1, day)));
        }
        steps.sort();
        for (credit, id) in &steps {
            if !days.contains_key(id) {
                let Some((day, _)) = self.app.days.day_load(&self.key.tenant, id).await? else {
                    return Err(self
                        .park("day_unknown", said!("parked-day", "there is no batch {id} any more", id))
                        .await);
                };
                days.insert(id.clone(), day);
            }
            let day = &days[id];
            if day.status.state != SyncState::Done {
                waits_for = Some(id.clone());
                break;
            }
            by_hand |= day.status.by_hand;
            let name = if credit.is_some() { CREDIT_VOUCHER } else { VOUCHER };
            let known = numbers.entry(name).or_default();
            known.extend(day.status.numbers.get(VOUCHER).filter(|number| !known.contains(number)).cloned());
        }
        if waits_for.is_some() && waits_for == self.order.accounting.day {
            return Ok(());
        }
        let mut ledger = self.taken()?;
        ledger.release();
        let (mut status, mut entries) = (self.status(), Vec::new());
        match waits_for {
            Some(day) => {
                status.message = Some(will_be_booked(&day));
                status.day = Some(day);
            }
            None => {
                status.state = SyncState::Done;
                status.credited = self.order.payment.reversed.minor;
                (status.message, status.day) =
                    (by_hand.then(|| said!("status-day-by-hand", "Done by hand with its day.")), None);
                for (name, all) in numbers.into_iter().filter(|(_, all)| !all.is_empty()) {
                    let number = all.join(", ");
                    if status.numbers.get(name) != Some(&number) {
                        let what = name.trim_end_matches("_number").replace('_', " ");
                        let event = format!("{}_done", what.replace(' ', "_"));
                        let message = said!(
                            "told-done",
                            "{provider}: {what} {number}",
                            provider = self.program,
                            what,
                            number
                        );
                        entries.push(self.entry(&event, message));
                    }
                    status.numbers.insert(name.to_owned(), number);
                }
                self.close_parked(&mut status).await?;
            }
        }
        self.app.crash.reached("before noting a day's voucher").await;
        self.app.ledgers.ledger_write(self.write(&ledger, &status, &entries)).await?;
        self.app.crash.reached("after noting a day's voucher").await;
        if status.state == SyncState::Done {
            tracing::info!(
                tenant = %self.key.tenant,
                order = %self.order.id,
                provider = %self.program,
                target = self.key.target.as_str(),
                { metrics::SYNCED } = 1,
                "order complete at its target"
            );
        }
        Ok(())
    }

    async fn park(&self, code: &str, message: Said) -> Error {
        let (app, key, error) = (self.app, self.key.clone(), Error::park(code, message));
        match Work::begin(app, self.invocation, key, self.order, &self.ledger, self.program) {
            Ok(work) => work.stop(None, error).await,
            Err(held) => held,
        }
    }

    /// The ledger taken for one write: it is given back in the same.
    fn taken(&self) -> Result<Ledger, Error> {
        let now = self.app.clock.now();
        self.ledger.take(&self.invocation.owner, now, now).map_err(|by| held(now, &by))
    }

    fn status(&self) -> SyncStatus {
        SyncStatus {
            state: SyncState::Waiting,
            provider: Some(self.program.clone()),
            ..self.order.accounting.clone()
        }
    }

    /// What an order waited for with a human is over when it goes on.
    async fn close_parked(&self, status: &mut SyncStatus) -> Result<(), Error> {
        match status.parked.take() {
            Some(parked) => self.app.parking.parked_close(&self.key.tenant, &parked).await,
            None => Ok(()),
        }
    }

    fn write<'a>(
        &'a self,
        ledger: &'a Ledger,
        status: &'a SyncStatus,
        entries: &'a [TimelineEntry],
    ) -> LedgerWrite<'a> {
        LedgerWrite {
            key: self.key,
            guard: Guard::Fence(self.ledger.fence),
            ledger,
            status: Some(status),
            order_version: Some(self.order.version),
            entries,
            parked: None,
        }
    }

    fn entry(&self, event: &str, message: Said) -> TimelineEntry {
        self.app.stamps.entry(&*self.app.clock, &self.invocation.correlation, event, message)
    }
}

fn will_be_booked(day: &DayId) -> Said {
    said!("status-joins", "Will be booked with the voucher of {date}.", date = day.lot.date)
}

fn step_of(credit: Option<CreditId>) -> StepName {
    credit.map_or_else(|| StepName::from(ENTRY), |credit| StepName::of_credit(ENTRY, credit))
}
