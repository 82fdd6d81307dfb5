//! How work on an order or a day ends: done, given back, parked, or left because the table failed.

use std::collections::BTreeMap;

use bokbro_domain::effect::StepState;
use bokbro_domain::ids::{ParkedId, Target};
use bokbro_domain::order::SyncState;
use bokbro_domain::said;

use super::{Subject, Work};
use crate::error::{Disposition, Error};
use crate::metrics;
use crate::parked::{DAY, STEP, parked_tell};
use crate::ports::{Effector, Guard};
use crate::records::Parked;

impl Work<'_> {
    /// All steps are done: the last write completes the last step, releases the lease and tells the order.
    pub(super) async fn finish(&mut self, effector: &dyn Effector) -> Result<(), Error> {
        self.ledger.release();
        if let Some(parked) = self.status.parked.take() {
            // Before the last write: whoever dies in between is followed by a worker that finishes.
            self.app.parking.parked_close(&self.tenant, &parked).await?;
        }
        self.status.state = SyncState::Done;
        if let Subject::Order { reversed, .. } = &self.subject {
            self.status.credited = *reversed;
        }
        self.status.message = None;
        self.tell(effector);
        self.put("completion", true, None).await?;
        self.synced();
        Ok(())
    }

    /// Tells the log of an order that is complete at its target. A day's orders are told of when they note its voucher.
    fn synced(&self) {
        let Subject::Order { key, paid_at, .. } = &self.subject else { return };
        let is_booked = key.target == Target::Accounting;
        // Books that get a credit have had the sale for long.
        let is_first = !self.ledger.steps.keys().any(|name| name.parts().1.is_some());
        let lag = paid_at.filter(|_| is_booked && is_first);
        let lag = lag.map(|paid_at| self.app.clock.now().duration_since(paid_at).as_secs().max(0));
        tracing::info!(
            tenant = %self.tenant,
            order = %key.order,
            provider = self.provider(),
            target = key.target.as_str(),
            { metrics::SYNCED } = 1,
            { metrics::BOOKED_LAG } = lag,
            "order complete at its target"
        );
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
        self.status.message = Some(error.said());
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
            Ok(()) => {
                if let Some(parked) = &parked {
                    parked_tell(&self.tenant, parked);
                }
                error
            }
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
    pub(super) async fn leave(&mut self) {
        self.ledger.release();
        for name in std::mem::take(&mut self.newly_told) {
            if let Some(step) = self.ledger.steps.get_mut(&name) {
                step.told = false;
            }
        }
        // Nobody knows whether the write that failed was done. If the lease was never stored, this guard does not hold.
        self.guard = Guard::Owner { owner: self.invocation.owner.clone(), fence: self.held };
        if let Err(error) = self.write("leaving").await {
            tracing::warn!(about = self.subject.id(), code = error.code(), "the lease ends by itself");
        }
    }

    /// What is to be parked, and how the order shows it. Trouble that waits already is not parked twice; other trouble takes
    /// the place of what waited before.
    async fn park(&mut self, error: &Error) -> Result<Option<Parked>, Error> {
        self.status.state = SyncState::NeedsAttention;
        let target = self.subject.target();
        let fingerprint = format!("{}:{}:{}", target.as_str(), self.subject.id(), error.code());
        let app = self.app;
        if let Some(before) = self.status.parked.take()
            && let Some(item) = app.parking.parked_get(&self.tenant, &before).await?
        {
            if item.fingerprint == fingerprint {
                self.status.parked = Some(before);
                return Ok(None);
            }
            app.parking.parked_close(&self.tenant, &before).await?;
        }
        let now = app.clock.now();
        let mut details: BTreeMap<String, String> = [("provider".to_owned(), self.provider())].into();
        let order = match &self.subject {
            Subject::Order { key, .. } => Some(key.order.clone()),
            Subject::Day(day) => {
                details.insert(DAY.to_owned(), day.id.to_string());
                None
            }
        };
        if let Some(at) = &self.at {
            details.insert(STEP.to_owned(), at.0.clone());
            if let Some(step) = self.ledger.steps.get(at) {
                details.insert("reference".to_owned(), step.reference.clone());
            }
        }
        let parked = Parked {
            id: ParkedId::from_ulid(app.stamps.ulid(&*app.clock)),
            at: now,
            code: error.code().to_owned(),
            message: error.said(),
            fingerprint,
            order,
            target: Some(target),
            details,
            correlation: self.invocation.correlation.clone(),
        };
        self.status.parked = Some(parked.id.clone());
        let message = said!("told-parked", "Needs attention: {why}"; why = error.said());
        self.entries.push(app.stamps.entry(&*app.clock, &self.invocation.correlation, "parked", message));
        Ok(Some(parked))
    }

    /// Adds what the timeline does not tell yet, and the numbers that people want to see.
    fn tell(&mut self, effector: &dyn Effector) {
        // Steps at the warehouse may be called as those in the books are.
        let place = match self.subject.target() {
            Target::Accounting => "",
            Target::Warehouse => "parcel_",
        };
        // An order may have many credits: their numbers stand in one row.
        let mut numbers: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for name in effector.steps() {
            let Some(step) = self.ledger.steps.get_mut(&name) else { continue };
            let (StepState::Done, Some(receipt)) = (step.state, &step.receipt) else { continue };
            if let Some(number) = effector.number_name(&name) {
                numbers.entry(number).or_default().push(receipt.external_id.clone());
            }
            if !step.told {
                step.told = true;
                self.newly_told.push(name.clone());
                let (own, credit) = name.parts();
                let of_credit = if credit.is_some() { "credit_" } else { "" };
                let message = said!(
                    "told-done",
                    "{provider}: {what} {number}",
                    provider = self.status.provider.as_ref().map_or("", |p| p.as_str()),
                    what = format!("{of_credit}{own}").replace('_', " "),
                    number = receipt.external_id
                );
                let at = step.done_at.unwrap_or_else(|| self.app.clock.now());
                let correlation = &self.invocation.correlation;
                let event = format!("{place}{of_credit}{own}_done");
                self.entries.push(self.app.stamps.entry_at(
                    &*self.app.clock,
                    at,
                    correlation,
                    &event,
                    message,
                ));
            }
        }
        for (name, all) in numbers {
            self.status.numbers.insert(name.to_owned(), all.join(", "));
        }
    }
}
