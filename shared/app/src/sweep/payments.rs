//! Orders that wait for their payment: the webhook that would have told of it may be lost.

use super::due::{Due, due};
use super::{PAGE, Sweep};
use crate::error::Error;
use crate::message::Nudge;
use crate::ports::{Cursor, OpenKind, QueueName};
use crate::records::ConnectionState;

impl Sweep<'_> {
    /// Has the payment provider asked for one page of orders. One that is too old leaves the list: from then on only a
    /// webhook, or a human, has it looked at.
    pub(super) async fn payments(&mut self, cursor: Option<&Cursor>) -> Result<Option<Cursor>, Error> {
        if !self.payments_open().await? {
            return Ok(None);
        }
        let page = self.app.open_work.open_list(self.tenant, OpenKind::Payment, PAGE, cursor).await?;
        let (mut nudges, mut dropped) = (Vec::new(), 0);
        for open in page.items {
            match due(self.app.clock.now(), open.since) {
                Due::Now => nudges.push(Nudge::order(open.order)),
                Due::Later if self.asked_for() => nudges.push(Nudge::order(open.order)),
                Due::Later => {}
                Due::Never => {
                    self.app.open_work.open_drop(self.tenant, OpenKind::Payment, &open.order).await?;
                    dropped += 1;
                }
            }
        }
        let sent = self.nudge(QueueName::Payments, nudges).await?;
        self.count("nudged_payments", sent);
        self.count("no_longer_awaited", dropped);
        Ok(page.next)
    }

    /// Whether there is a way in at the payment provider, as far as our own table knows: without one every nudge would
    /// only be refused.
    async fn payments_open(&self) -> Result<bool, Error> {
        let Some(settings) = self.app.directory.settings_get(self.tenant).await? else { return Ok(false) };
        let connection = self.app.directory.connection_get(self.tenant, &settings.payments).await?;
        let lets_in = |state| match state {
            ConnectionState::Unchecked | ConnectionState::Healthy => true,
            ConnectionState::NeedsConsent | ConnectionState::Disconnected => false,
        };
        if !connection.is_some_and(|connection| lets_in(connection.state)) {
            return Ok(false);
        }
        let tokens = self.app.token_states.token_state(self.tenant, &settings.payments).await?;
        Ok(tokens.ended.is_none())
    }
}
