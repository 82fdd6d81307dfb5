//! Runs the effects of one order at one target, or of one day: intent before effect, look-up before repeat, completion before the next.
//!
//! [`Work`] is one invocation at one ledger. Each step is noted as sent in the same write that completes the step
//! before it, so n steps cost n + 1 writes; whatever happens between two writes, the next worker knows what may have
//! been sent and looks before it sends again.

mod ending;

use std::time::Duration;

use bokbro_domain::effect::{Action, Held, Intent, Ledger, Step, StepName, StepState};
use bokbro_domain::ids::{Provider, Target, TenantId};
use bokbro_domain::order::{Order, SyncState, SyncStatus};
use bokbro_domain::said;
use jiff::{SignedDuration, Timestamp};

use crate::app::{App, Invocation};
use crate::error::{Disposition, Error, Reason};
use crate::message::Told;
use crate::metrics;
use crate::ports::{Day, DayWrite, Effector, Found, Guard, LedgerKey, LedgerWrite, SendError};
use crate::records::{Parked, TimelineEntry};

/// A lease outlives its invocation by this much: a slow last write still finds it, and what a killed worker sent last
/// has shown up in the provider's lists before anybody looks.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(15);
/// When to look at a held lease again: the holder is nearly done as a rule. Only a dead one's is held for longer.
const LEASE_LOOK: SignedDuration = SignedDuration::from_secs(5);
/// No step begins when less than this is left of the invocation.
const STEP_RESERVE: SignedDuration = SignedDuration::from_secs(25);

/// Reason code of an order of which a human must say what became of a write.
pub(crate) const OUTCOME_UNKNOWN: &str = "outcome_unknown";

/// What a nudge asks for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// When it was asked. A human's insisting counts for what was sent before it and not for what is sent because of it:
    /// else whatever is refused once more would be sent at every receive of the nudge.
    pub at: Timestamp,
    /// A human asked for it: try again what was refused or given up.
    pub insist: bool,
    /// Which document a human found for a step.
    pub told: Option<&'a Told>,
}

/// What the work is about, as it was read.
enum Subject {
    /// One order at one target.
    Order {
        key: LedgerKey,
        /// Of the order.
        version: u64,
        /// Öre given back, of the same.
        reversed: i64,
        /// When it was paid.
        paid_at: Option<Timestamp>,
    },
    /// A batch of a day.
    Day(Box<Day>),
}

impl Subject {
    /// Its id, for fingerprints and logs.
    fn id(&self) -> String {
        match self {
            Self::Order { key, .. } => key.order.to_string(),
            Self::Day(day) => day.id.to_string(),
        }
    }

    /// Where the work is done.
    fn target(&self) -> Target {
        match self {
            Self::Order { key, .. } => key.target,
            Self::Day(_) => Target::Accounting,
        }
    }
}

/// One invocation's work on one ledger.
pub struct Work<'a> {
    app: &'a App,
    invocation: &'a Invocation,
    tenant: TenantId,
    subject: Subject,
    ledger: Ledger,
    guard: Guard,
    /// The fence of the lease.
    held: u64,
    status: SyncStatus,
    /// The step that is being looked at.
    at: Option<StepName>,
    /// What this invocation adds to the timeline.
    entries: Vec<TimelineEntry>,
    /// The steps that these entries tell of.
    newly_told: Vec<StepName>,
}

impl<'a> Work<'a> {
    /// Takes the order at the target in memory; the first write makes it so in the table.
    ///
    /// # Errors
    /// `Later` while another worker is at it, or has died at it: that is no failure of this message.
    pub fn begin(
        app: &'a App,
        invocation: &'a Invocation,
        key: LedgerKey,
        order: &Order,
        read: &Ledger,
        provider: &Provider,
    ) -> Result<Self, Error> {
        let subject = Subject::Order {
            version: order.version,
            reversed: order.payment.reversed.minor,
            paid_at: order.payment.paid_at,
            key: key.clone(),
        };
        let status = order.sync(key.target).clone();
        Self::on(app, invocation, key.tenant, subject, status, read, provider)
    }

    /// Takes a batch of a day in memory.
    ///
    /// # Errors
    /// As [`Work::begin`].
    pub fn begin_day(
        app: &'a App,
        invocation: &'a Invocation,
        tenant: &TenantId,
        day: &Day,
        read: &Ledger,
        provider: &Provider,
    ) -> Result<Self, Error> {
        let subject = Subject::Day(Box::new(day.clone()));
        Self::on(app, invocation, tenant.clone(), subject, day.status.clone(), read, provider)
    }

    fn on(
        app: &'a App,
        invocation: &'a Invocation,
        tenant: TenantId,
        subject: Subject,
        mut status: SyncStatus,
        read: &Ledger,
        provider: &Provider,
    ) -> Result<Self, Error> {
        let now = app.clock.now();
        let until = invocation.deadline.saturating_add(LEASE_MARGIN).unwrap_or(Timestamp::MAX);
        let ledger = read.take(&invocation.owner, now, until).map_err(|by| held(now, &by))?;
        status.provider = Some(provider.clone());
        let guard = Guard::Fence(read.fence);
        let (held, at, entries, newly_told) = (ledger.fence, None, Vec::new(), Vec::new());
        Ok(Self { app, invocation, tenant, subject, ledger, guard, held, status, at, entries, newly_told })
    }

    /// Makes the taking so in the table at once, before anything is computed from what stands still only then.
    ///
    /// # Errors
    /// When another worker was faster, or the table fails.
    pub(crate) async fn take(&mut self) -> Result<(), Error> {
        self.write("taking").await
    }

    /// Does every step that is missing.
    ///
    /// # Errors
    /// By what happens next; the ledger and the order's status tell of it already.
    pub async fn run(mut self, effector: &dyn Effector, ask: Ask<'_>) -> Result<(), Error> {
        if let Err(error) = self.steps(effector, ask).await {
            return Err(self.stop(Some(effector), error).await);
        }
        let finished = self.finish(effector).await;
        // Raced: the order may have changed under our hands, and the lease is still ours then.
        if let Err(Error::Storage { .. } | Error::Raced { .. }) = finished {
            self.leave().await;
        }
        finished
    }

    async fn steps(&mut self, effector: &dyn Effector, ask: Ask<'_>) -> Result<(), Error> {
        for step in effector.steps() {
            self.at = Some(step.clone());
            let intent = match effector.intent(&step, &self.ledger) {
                Err(Error::Parked(_)) if ask.insist => {
                    self.read_again(effector).await?;
                    effector.intent(&step, &self.ledger)?
                }
                other => other?,
            };
            let Some(intent) = intent else { continue };
            if let Some(told) = ask.told.filter(|told| told.step == step.0) {
                self.enough_time_left()?;
                self.adopt(effector, &intent, &told.number).await?;
                continue;
            }
            let sent_at = self.ledger.steps.get(&step).map_or(Timestamp::MIN, |step| step.sent_at);
            let insist = ask.insist && sent_at < ask.at;
            if insist {
                self.ledger.begin_anew(&step);
            }
            match self.ledger.decide(&intent, self.app.patience, insist) {
                Action::AlreadyDone => {}
                Action::Conflict => return Err(conflict(&step)),
                Action::Rejected => return Err(self.refused_before(&step)),
                Action::Send => {
                    self.enough_time_left()?;
                    self.send(effector, &intent).await?;
                }
                Action::LookUp { absent_counts_from, may_send } => {
                    self.enough_time_left()?;
                    self.look_up_and_send(effector, &intent, absent_counts_from, may_send).await?;
                }
            }
        }
        Ok(())
    }

    /// Takes the document that a human named as the step's, when the provider shows it and it fits. Until then the ledger
    /// stays as it is, so that nothing is forgotten when it does not.
    async fn adopt(&mut self, effector: &dyn Effector, intent: &Intent, number: &str) -> Result<(), Error> {
        let step = &intent.step;
        self.write(&format!("lease for {}", step.0)).await?;
        let receipt = effector.adopt(intent, number, &self.ledger).await?;
        self.app.crash.reached(&format!("after adoption for {}", step.0)).await;
        let now = self.app.clock.now();
        self.ledger.mark_sent(intent, now);
        self.ledger.mark_done(step, receipt, now);
        let message = said!(
            "told-named",
            "{provider}: {step} {number} was named by hand and fits",
            provider = self.provider(),
            step = step.0,
            number
        );
        let correlation = &self.invocation.correlation;
        let entry = self.app.stamps.entry(&*self.app.clock, correlation, "document_named", message);
        self.entries.push(entry);
        Ok(())
    }

    /// Reads the documents that are done once more: a human who insists may have corrected them since. What cannot be
    /// read, or does not fit, stays as the ledger remembers it.
    async fn read_again(&mut self, effector: &dyn Effector) -> Result<(), Error> {
        self.enough_time_left()?;
        for name in effector.steps() {
            let Some(Step { state: StepState::Done, receipt: Some(receipt), request_hash, .. }) =
                self.ledger.steps.get(&name)
            else {
                continue;
            };
            let Ok(Some(intent)) = effector.intent(&name, &self.ledger) else { continue };
            if intent.hash() != *request_hash {
                continue;
            }
            match effector.adopt(&intent, &receipt.external_id, &self.ledger).await {
                Ok(receipt) => self.ledger.mark_done(&name, receipt, self.app.clock.now()),
                Err(Error::Parked(_)) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    async fn look_up_and_send(
        &mut self,
        effector: &dyn Effector,
        intent: &Intent,
        absent_counts_from: Timestamp,
        may_send: bool,
    ) -> Result<(), Error> {
        let step = &intent.step;
        let sent_before = self.ledger.steps.contains_key(step);
        if !sent_before {
            self.ledger.mark_sent(intent, self.app.clock.now());
        }
        self.write(&format!("intent of {}", step.0)).await?;
        self.app.crash.reached(&format!("before look-up of {}", step.0)).await;
        let found = effector.look_up(intent, &self.ledger).await.inspect_err(|_| {
            if !sent_before {
                // Nothing was sent, so nothing may stand in the way when contents change before the next try.
                self.ledger.withdraw(step, None);
            }
        })?;
        self.app.crash.reached(&format!("after look-up of {}", step.0)).await;
        let now = self.app.clock.now();
        match found {
            Found::Yes(receipt) => {
                if sent_before && intent.replaces {
                    // What is there has the contents of this request, whichever of ours made it.
                    self.ledger.mark_sent(intent, now);
                }
                self.ledger.mark_done(step, receipt, now);
                Ok(())
            }
            Found::No if now < absent_counts_from => {
                let what = format!("the outcome of {}", step.0);
                Err(Error::NotYet { what, after: Some(from_now(now, absent_counts_from)) })
            }
            Found::No if !may_send => Err(self.given_up(step)),
            Found::No if sent_before => self.send(effector, intent).await,
            // The intent is on record already.
            Found::No => self.send_noted(effector, intent, None).await,
        }
    }

    async fn send(&mut self, effector: &dyn Effector, intent: &Intent) -> Result<(), Error> {
        let before = self.ledger.steps.get(&intent.step).cloned();
        self.ledger.mark_sent(intent, self.app.clock.now());
        self.write(&format!("intent of {}", intent.step.0)).await?;
        self.send_noted(effector, intent, before).await
    }

    /// Sends what the table already tells of. `before` is the step as it was before this send.
    async fn send_noted(
        &mut self,
        effector: &dyn Effector,
        intent: &Intent,
        before: Option<Step>,
    ) -> Result<(), Error> {
        let step = &intent.step;
        self.app.crash.reached(&format!("before send of {}", step.0)).await;
        let sent = effector.send(intent, &self.ledger).await;
        self.app.crash.reached(&format!("after send of {}", step.0)).await;
        let now = self.app.clock.now();
        match sent {
            Ok(receipt) => {
                self.ledger.mark_done(step, receipt, now);
                Ok(())
            }
            Err(SendError::NotDone(error)) => {
                self.ledger.withdraw(step, before);
                Err(error)
            }
            Err(SendError::Unknown(error)) => {
                self.ledger.mark_unknown(step, now, error.said());
                tracing::warn!(
                    tenant = %self.tenant,
                    about = self.subject.id(),
                    provider = self.provider(),
                    step = step.0,
                    { metrics::OUTCOMES_UNKNOWN } = 1,
                    "nobody knows what became of a write"
                );
                let after = error.disposition();
                Err(Error::OutcomeUnknown {
                    provider: self.provider(),
                    step: step.0.clone(),
                    after: Some(self.settle_or(after)),
                    source: Some(Box::new(error)),
                })
            }
            Err(SendError::Rejected(reason)) => {
                self.ledger.mark_rejected(step, reason.message.clone());
                Err(Error::Parked(reason))
            }
        }
    }

    /// Lists lag: looking before the settle time is over would only tell that nothing is there yet.
    fn settle_or(&self, disposition: Disposition) -> Duration {
        match disposition {
            Disposition::Retry { after: Some(after) } => after.max(self.app.patience.settle),
            Disposition::Done
            | Disposition::Retry { after: None }
            | Disposition::Later { .. }
            | Disposition::NeedsConsent
            | Disposition::Park => self.app.patience.settle,
        }
    }

    /// A write in mid-work: the ledger alone.
    async fn write(&mut self, what: &str) -> Result<(), Error> {
        self.put(what, false, None).await
    }

    async fn put(&mut self, what: &str, all: bool, parked: Option<&Parked>) -> Result<(), Error> {
        self.app.crash.reached(&format!("before write of {what}")).await;
        let entries = if all { std::mem::take(&mut self.entries) } else { Vec::new() };
        match &self.subject {
            Subject::Order { key, version, .. } => {
                let write = LedgerWrite {
                    key,
                    guard: self.guard.clone(),
                    ledger: &self.ledger,
                    status: all.then_some(&self.status),
                    order_version: all.then_some(*version).filter(|_| self.status.state == SyncState::Done),
                    entries: &entries,
                    parked,
                };
                self.app.ledgers.ledger_write(write).await?;
            }
            // A day has no history of its own: those of its orders tell of it.
            Subject::Day(day) => {
                let day = Day { status: self.status.clone(), ..(**day).clone() };
                let (tenant, guard, ledger) = (&self.tenant, self.guard.clone(), &self.ledger);
                self.app.days.day_write(DayWrite { tenant, day: &day, guard, ledger, parked }).await?;
            }
        }
        self.guard = Guard::Owner { owner: self.invocation.owner.clone(), fence: self.ledger.fence };
        self.app.crash.reached(&format!("after write of {what}")).await;
        Ok(())
    }

    fn enough_time_left(&self) -> Result<(), Error> {
        let now = self.app.clock.now();
        if self.invocation.deadline.duration_since(now) >= STEP_RESERVE {
            return Ok(());
        }
        let at = now.saturating_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
        Err(Error::Later { what: "the next step".into(), at })
    }

    fn refused_before(&self, step: &StepName) -> Error {
        let why = self.ledger.steps.get(step).and_then(|s| s.last_error.clone());
        let why = why.unwrap_or_else(|| said!("parked-untold", "nobody told why"));
        let message = said!("parked-refused-before", "{step} was refused before: {why}", step = step.0; why);
        Error::Parked(Reason::new(format!("{}_refused", step.0), message))
    }

    fn given_up(&self, step: &StepName) -> Error {
        let reference = self.ledger.steps.get(step).map_or("", |s| s.reference.as_str());
        let message = said!(
            "parked-given-up",
            "{provider} never told what became of {step}. Look there for the reference {reference} and say whether it exists.",
            provider = self.provider(),
            step = step.0,
            reference
        );
        Error::park(OUTCOME_UNKNOWN, message)
    }

    fn provider(&self) -> String {
        self.status.provider.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

fn conflict(step: &StepName) -> Error {
    let message = said!(
        "parked-conflict",
        "{step} was sent with other contents before; settings or accounts have changed since. Check the document by hand.",
        step = step.0
    );
    Error::park("conflict", message)
}

/// Another worker is at it, and nearly done as a rule.
pub(crate) fn held(now: Timestamp, by: &Held) -> Error {
    let soon = now.saturating_add(LEASE_LOOK).unwrap_or(Timestamp::MAX);
    Error::Later { what: "what another worker is at".to_owned(), at: by.until.min(soon) }
}

fn from_now(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO).max(Duration::from_secs(1))
}
