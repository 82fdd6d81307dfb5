//! Orders whose payment may have moved unheard: the webhook that would have told of it, paid or given back, may be lost.

use std::ops::Range;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::due::{PAYMENT, REFUND, Rhythm};
use super::{PAGE, Sweep};
use crate::error::Error;
use crate::message::Nudge;
use crate::ports::{Cursor, OpenKind, QueueName};
use crate::records::ConnectionState;

/// Orders that are looked at, how often, and how the job counts them.
struct Awaited {
    kind: OpenKind,
    rhythm: Rhythm,
    nudged: &'static str,
    dropped: &'static str,
}

const PAYMENTS: Awaited = Awaited {
    kind: OpenKind::Payment,
    rhythm: PAYMENT,
    nudged: "nudged_payments",
    dropped: "no_longer_awaited",
};

const REFUNDS: Awaited = Awaited {
    kind: OpenKind::Refund,
    rhythm: REFUND,
    nudged: "nudged_refunds",
    dropped: "refunds_no_longer_awaited",
};

/// How far a list has been read.
#[derive(Default, Serialize, Deserialize)]
struct Place {
    /// Which of the times in which due orders were accepted; behind the last one come those that are too old.
    time: usize,
    cursor: Option<String>,
}

impl Sweep<'_> {
    /// Has the payment provider asked for one page of the orders that wait for their payment.
    pub(super) async fn payments(&mut self, cursor: Option<&Cursor>) -> Result<Option<Cursor>, Error> {
        // Whoever asks wants to see all that wait, due or not.
        let all = self.asked_for().then(|| PAYMENT.all(self.job.started_at));
        self.look(&PAYMENTS, all, cursor).await
    }

    /// The same of paid orders whose money may have been given back. A year's orders are looked at in their own time,
    /// whoever asks.
    pub(super) async fn refunds(&mut self, cursor: Option<&Cursor>) -> Result<Option<Cursor>, Error> {
        self.look(&REFUNDS, None, cursor).await
    }

    /// Nudges one page of the orders accepted in a time, of those that are due if none is given. What is too old leaves the
    /// list: from then on only a webhook, or a human, has it looked at.
    async fn look(
        &mut self,
        awaited: &Awaited,
        all: Option<Range<Timestamp>>,
        cursor: Option<&Cursor>,
    ) -> Result<Option<Cursor>, Error> {
        if !self.payments_open().await? {
            return Ok(None);
        }
        let Awaited { kind, rhythm, .. } = awaited;
        // The same for all runs of one sweep, so that places stay where they are.
        let now = self.job.started_at;
        let times = all.map_or_else(|| rhythm.due(now), |all| vec![all]);
        let place = cursor.and_then(|cursor| serde_json::from_str(&cursor.0).ok());
        let mut place: Place = place.unwrap_or_default();
        let mut nudges = Vec::new();
        while let Some(time) = times.get(place.time)
            && nudges.len() < PAGE
        {
            let cursor = place.cursor.map(Cursor);
            let page =
                self.app.open_work.open_accepted(self.tenant, *kind, time, PAGE, cursor.as_ref()).await?;
            nudges.extend(page.items.into_iter().map(|open| Nudge::order(open.order)));
            place = match page.next {
                Some(next) => Place { time: place.time, cursor: Some(next.0) },
                None => Place { time: place.time + 1, cursor: None },
            };
        }
        let sent = self.nudge(QueueName::Payments, nudges).await?;
        self.count(awaited.nudged, sent);
        let more = place.time < times.len() || self.drop_old(awaited, now).await?;
        Ok(if more { serde_json::to_string(&place).ok().map(Cursor) } else { None })
    }

    /// Takes a page of what is too old off its list; says whether there is more.
    async fn drop_old(&mut self, awaited: &Awaited, now: Timestamp) -> Result<bool, Error> {
        let open_work = &self.app.open_work;
        let over = awaited.rhythm.over(now);
        let page = open_work.open_accepted(self.tenant, awaited.kind, &over, PAGE, None).await?;
        let dropped = page.items.len();
        for open in page.items {
            open_work.open_drop(self.tenant, awaited.kind, &open.order).await?;
        }
        self.count(awaited.dropped, dropped);
        Ok(page.next.is_some())
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
