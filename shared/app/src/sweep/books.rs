//! Paid orders that the books or the warehouse lack: messages that were lost, workers that died, consents that were
//! renewed.

use bokbro_domain::ids::{Provider, Target};
use bokbro_domain::order::{SyncState, SyncStatus};

use super::{PAGE, Sweep, UNTOUCHED};
use crate::error::Error;
use crate::message::Nudge;
use crate::ports::{Cursor, OpenKind, QueueName};
use crate::resume::NEEDS_CONSENT;

impl Sweep<'_> {
    /// Nudges the books for one page of orders.
    pub(super) async fn books(&mut self, cursor: Option<&Cursor>) -> Result<Option<Cursor>, Error> {
        let settings = self.app.directory.settings_get(self.tenant).await?;
        let Some(provider) = settings.and_then(|settings| settings.accounting) else { return Ok(None) };
        self.lacking(Target::Accounting, QueueName::Accounting, &provider, cursor).await
    }

    /// Nudges the warehouse for one page of orders.
    pub(super) async fn parcels(&mut self, cursor: Option<&Cursor>) -> Result<Option<Cursor>, Error> {
        let settings = self.app.directory.settings_get(self.tenant).await?;
        let Some(provider) = settings.and_then(|settings| settings.warehouse) else { return Ok(None) };
        self.lacking(Target::Warehouse, QueueName::Warehouse, &provider, cursor).await
    }

    /// What waits for a human is left alone, unless all that it waited for is a consent that works again.
    async fn lacking(
        &mut self,
        target: Target,
        queue: QueueName,
        provider: &Provider,
        cursor: Option<&Cursor>,
    ) -> Result<Option<Cursor>, Error> {
        let kind = OpenKind::of(target);
        let page = self.app.open_work.open_list(self.tenant, kind, PAGE, cursor).await?;
        let (mut left_behind, mut released) = (Vec::new(), Vec::new());
        for open in page.items {
            let Some(order) = self.app.orders.order_get(self.tenant, &open.order).await? else { continue };
            let fresh = self.app.clock.now().duration_since(order.updated_at) < UNTOUCHED;
            match order.sync(target).state {
                // An update that raced against the last write has listed it again.
                SyncState::Done if !kind.is_open(&order) => {
                    self.app.open_work.open_drop(self.tenant, kind, &order.id).await?;
                }
                SyncState::NeedsAttention => {
                    if self.waited_for_consent(order.sync(target), provider).await? {
                        released.push(Nudge::order(order.id));
                    }
                }
                SyncState::Waiting if self.waits_for_its_day(&order, target).await? => {}
                SyncState::Waiting | SyncState::Running | SyncState::Retrying | SyncState::Done => {
                    if !fresh || self.asked_for() {
                        left_behind.push(Nudge::order(order.id));
                    }
                }
            }
        }
        let sent = self.nudge(queue, left_behind).await?;
        self.count(&format!("nudged_{}", target.as_str()), sent);
        let sent = self.nudge(queue, released).await?;
        self.count(&format!("released_{}", target.as_str()), sent);
        Ok(page.next)
    }

    pub(super) async fn waited_for_consent(
        &mut self,
        status: &SyncStatus,
        provider: &Provider,
    ) -> Result<bool, Error> {
        let Some(id) = &status.parked else { return Ok(false) };
        let parked = self.app.parking.parked_get(self.tenant, id).await?;
        if parked.is_none_or(|parked| parked.code != NEEDS_CONSENT) {
            return Ok(false);
        }
        self.works(provider).await
    }
}
