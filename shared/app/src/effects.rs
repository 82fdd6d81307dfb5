//! Runs one order's effects at one target: intent before effect, look-up before repeat, completion before the next.
//!
//! [`Work`] is one invocation at one ledger. Each step is noted as sent in the same write that completes the step
//! before it, so n steps cost n + 1 writes; whatever happens between two writes, the next worker knows what may have
//! been sent and looks before it sends again.

use std::collections::BTreeMap;
use std::time::Duration;

use bokbro_domain::effect::{Action, Intent, Ledger, Step, StepName, StepState};
use bokbro_domain::ids::Provider;
use bokbro_domain::order::{Order, SyncState, SyncStatus};
use jiff::{SignedDuration, Timestamp};

use crate::app::{App, Invocation};
use crate::error::{Disposition, Error, Reason};
use crate::message::Told;
use crate::parked::STEP;
use crate::ports::{Effector, Found, Guard, LedgerKey, LedgerWrite, SendError};
use crate::records::{Parked, TimelineEntry};

/// A lease outlives its invocation by this much: a slow last write still finds it, and what a killed worker sent last
/// has shown up in the provider's lists before anybody looks.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(15);
/// When to look at a held lease again: the holder is nearly done as a rule. Only a dead one's is held for longer.
const LEASE_LOOK: SignedDuration = SignedDuration::from_secs(5);
/// No step begins when less than this is left of the invocation.
const STEP_RESERVE: SignedDuration = SignedDuration::from_secs(25);

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

/// One invocation's work on one order at one target.
pub struct Work<'a> {
    app: &'a App,
    invocation: &'a Invocation,
    key: LedgerKey,
    ledger: Ledger,
    guard: Guard,
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
        let now = app.clock.now();
        let until = invocation.deadline.saturating_add(LEASE_MARGIN).unwrap_or(Timestamp::MAX);
        let ledger = read.take(&invocation.owner, now, until).map_err(|held| {
            let soon = now.saturating_add(LEASE_LOOK).unwrap_or(Timestamp::MAX);
            Error::Later { what: "an order that another worker is at".to_owned(), at: held.until.min(soon) }
        })?;
        let mut status = order.sync(key.target).clone();
        status.provider = Some(provider.clone());
        let guard = Guard::Fence(read.fence);
        Ok(Self {
            app,
            invocation,
            key,
            ledger,
            guard,
            status,
            at: None,
            entries: Vec::new(),
            newly_told: Vec::new(),
        })
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
        if let Err(Error::Storage { .. }) = finished {
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
        let message = format!("{}: {} {number} was named by hand and fits", self.provider(), step.0);
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
                self.ledger.mark_unknown(step, now, &error.to_string());
                let after = error.disposition();
                Err(Error::OutcomeUnknown {
                    provider: self.provider(),
                    step: step.0.clone(),
                    after: Some(self.settle_or(after)),
                    source: Some(Box::new(error)),
                })
            }
            Err(SendError::Rejected(reason)) => {
                self.ledger.mark_rejected(step, &reason.message);
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

    /// All steps are done: the last write completes the last step, releases the lease and tells the order.
    async fn finish(&mut self, effector: &dyn Effector) -> Result<(), Error> {
        self.ledger.release();
        if let Some(parked) = self.status.parked.take() {
            // Before the last write: whoever dies in between is followed by a worker that finishes.
            self.app.parking.parked_close(&self.key.tenant, &parked).await?;
        }
        self.status.state = SyncState::Done;
        self.status.message = None;
        self.tell(effector);
        self.put("completion", true, None).await
    }

    /// Releases the lease and tells the order why the work stops here; returns the error for the message.
    pub async fn stop(mut self, effector: Option<&dyn Effector>, error: Error) -> Error {
        let disposition = error.disposition();
        match error {
            // The order is another worker's now: nothing of ours may be written.
            Error::Raced { .. } => return error,
            Error::Storage { .. } => {
                self.leave().await;
                return error;
            }
            _ => self.ledger.release(),
        }
        if let Some(effector) = effector {
            self.tell(effector);
        }
        self.status.message = Some(error.to_string());
        let parked = match disposition {
            Disposition::Done => None,
            Disposition::Later { .. } => {
                self.status.state = SyncState::Waiting;
                None
            }
            Disposition::Retry { .. } => {
                self.status.state = SyncState::Retrying;
                None
            }
            Disposition::NeedsConsent | Disposition::Park => match self.park(&error).await {
                Ok(parked) => parked,
                Err(failed) => {
                    self.leave().await;
                    return failed;
                }
            },
        };
        match self.put("release", true, parked.as_ref()).await {
            Ok(()) => error,
            Err(failed) => {
                if let Error::Storage { .. } = failed {
                    self.leave().await;
                }
                failed
            }
        }
    }

    /// Tries to give the lease back after the table failed, so that the next worker need not wait for its end. What the
    /// ledger says by now is true whether or not the write that failed was done; only the order was told nothing. When
    /// this fails too, the lease ends by itself.
    async fn leave(&mut self) {
        self.ledger.release();
        for name in std::mem::take(&mut self.newly_told) {
            if let Some(step) = self.ledger.steps.get_mut(&name) {
                step.told = false;
            }
        }
        // Nobody knows whether the write that failed was done. If the lease was never stored, this guard does not hold.
        self.guard = Guard::Owner { owner: self.invocation.owner.clone(), fence: self.ledger.fence };
        if let Err(error) = self.write("leaving").await {
            tracing::warn!(order = %self.key.order, code = error.code(), "the lease ends by itself");
        }
    }

    /// What is to be parked, and how the order shows it. Trouble that waits already is not parked twice; other trouble takes
    /// the place of what waited before.
    async fn park(&mut self, error: &Error) -> Result<Option<Parked>, Error> {
        self.status.state = SyncState::NeedsAttention;
        let fingerprint = format!("{}:{}:{}", self.key.target.as_str(), self.key.order, error.code());
        let app = self.app;
        if let Some(before) = self.status.parked.take()
            && let Some(item) = app.parking.parked_get(&self.key.tenant, &before).await?
        {
            if item.fingerprint == fingerprint {
                self.status.parked = Some(before);
                return Ok(None);
            }
            app.parking.parked_close(&self.key.tenant, &before).await?;
        }
        let now = app.clock.now();
        let mut details: BTreeMap<String, String> = [("provider".to_owned(), self.provider())].into();
        if let Some(at) = &self.at {
            details.insert(STEP.to_owned(), at.0.clone());
            if let Some(step) = self.ledger.steps.get(at) {
                details.insert("reference".to_owned(), step.reference.clone());
            }
        }
        let parked = Parked {
            id: bokbro_domain::ids::ParkedId::from_ulid(app.stamps.ulid(&*app.clock)),
            at: now,
            code: error.code().to_owned(),
            message: error.to_string(),
            fingerprint,
            order: Some(self.key.order.clone()),
            target: Some(self.key.target),
            details,
            correlation: self.invocation.correlation.clone(),
        };
        self.status.parked = Some(parked.id.clone());
        let message = format!("Needs attention: {error}");
        self.entries.push(app.stamps.entry(&*app.clock, &self.invocation.correlation, "parked", message));
        Ok(Some(parked))
    }

    /// Adds what the timeline does not tell yet, and the numbers that people want to see.
    fn tell(&mut self, effector: &dyn Effector) {
        for name in effector.steps() {
            let Some(step) = self.ledger.steps.get_mut(&name) else { continue };
            let (StepState::Done, Some(receipt)) = (step.state, &step.receipt) else { continue };
            if let Some(number) = effector.number_name(&name) {
                self.status.numbers.insert(number.to_owned(), receipt.external_id.clone());
            }
            if !step.told {
                step.told = true;
                self.newly_told.push(name.clone());
                let message = format!(
                    "{}: {} {}",
                    self.status.provider.as_ref().map_or("", |p| p.as_str()),
                    name.0.replace('_', " "),
                    receipt.external_id
                );
                let at = step.done_at.unwrap_or_else(|| self.app.clock.now());
                let correlation = &self.invocation.correlation;
                let event = format!("{}_done", name.0);
                self.entries.push(self.app.stamps.entry_at(
                    &*self.app.clock,
                    at,
                    correlation,
                    &event,
                    message,
                ));
            }
        }
    }

    /// A write in mid-work: the ledger alone.
    async fn write(&mut self, what: &str) -> Result<(), Error> {
        self.put(what, false, None).await
    }

    async fn put(&mut self, what: &str, all: bool, parked: Option<&Parked>) -> Result<(), Error> {
        self.app.crash.reached(&format!("before write of {what}")).await;
        let entries = if all { std::mem::take(&mut self.entries) } else { Vec::new() };
        let write = LedgerWrite {
            key: &self.key,
            guard: self.guard.clone(),
            ledger: &self.ledger,
            status: all.then_some(&self.status),
            entries: &entries,
            parked,
        };
        self.app.ledgers.ledger_write(write).await?;
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
        let why = self.ledger.steps.get(step).and_then(|s| s.last_error.clone()).unwrap_or_default();
        Error::Parked(Reason::new(
            format!("{}_refused", step.0),
            format!("{} was refused before: {why}", step.0),
        ))
    }

    fn given_up(&self, step: &StepName) -> Error {
        let reference = self.ledger.steps.get(step).map_or("", |s| s.reference.as_str());
        let message = format!(
            "{} never told what became of {}. Look there for the reference {reference} and say whether it exists.",
            self.provider(),
            step.0
        );
        Error::park("outcome_unknown", message)
    }

    fn provider(&self) -> String {
        self.status.provider.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

fn conflict(step: &StepName) -> Error {
    let message = format!(
        "{} was sent with other contents before; settings or accounts have changed since. Check the document by hand.",
        step.0
    );
    Error::park("conflict", message)
}

fn from_now(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO).max(Duration::from_secs(1))
}
