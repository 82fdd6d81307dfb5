//! Batches of a day that are over: their vouchers are due, or their orders have not been told.

use bokbro_domain::day::DayId;
use bokbro_domain::ids::Target;
use bokbro_domain::order::{Order, SyncState};

use super::{PAGE, Sweep};
use crate::error::Error;
use crate::message::Nudge;
use crate::ports::{Cursor, QueueName};

impl Sweep<'_> {
    /// Nudges one page of batches. What waits for a human is left alone, as with orders.
    pub(super) async fn days(&mut self, cursor: Option<&Cursor>) -> Result<Option<Cursor>, Error> {
        let settings = self.app.directory.settings_get(self.tenant).await?;
        let Some(provider) = settings.and_then(|settings| settings.accounting) else { return Ok(None) };
        let page = self.app.days.days_open(self.tenant, PAGE, cursor).await?;
        let now = self.app.clock.now();
        let mut due = Vec::new();
        for id in page.items.into_iter().filter(|id| id.due_at() <= now) {
            let Some((day, _)) = self.app.days.day_load(self.tenant, &id).await? else { continue };
            let waits = day.status.state == SyncState::NeedsAttention
                && !self.waited_for_consent(&day.status, &provider).await?;
            if !waits {
                due.push(Nudge::day(id));
            }
        }
        let sent = self.nudge(QueueName::Accounting, due).await?;
        self.count("nudged_days", sent);
        Ok(page.next)
    }

    /// Whether all that an order lacks in the books is its day's voucher, which is not there yet.
    pub(super) async fn waits_for_its_day(&mut self, order: &Order, target: Target) -> Result<bool, Error> {
        let status = order.sync(target);
        let Some(day) = &status.day else { return Ok(false) };
        Ok(status.credited == order.payment.reversed.minor && !self.is_booked(day).await?)
    }

    async fn is_booked(&mut self, id: &DayId) -> Result<bool, Error> {
        if let Some(known) = self.booked.get(id) {
            return Ok(*known);
        }
        let day = self.app.days.day_load(self.tenant, id).await?;
        let booked = day.is_none_or(|(day, _)| day.status.state == SyncState::Done);
        self.booked.insert(id.clone(), booked);
        Ok(booked)
    }
}
