//! Doing what a human decided about an item that waits.
//!
//! In this order, so that a crash between two steps loses nothing and doing it again is harmless: the audit log, the
//! item's fingerprint (from then on the same trouble may be parked anew, beside this item), the order, the nudge, and at
//! last the item itself.

use bokbro_domain::day::DayId;
use bokbro_domain::ids::{CorrelationId, OrderId, ParkedId, TenantId};
use bokbro_domain::order::{FieldError, SyncState, SyncStatus};
use bokbro_domain::said;
use bokbro_domain::said::Said;
use serde_json::json;

use super::{Action, actions, day_of, nudge_again, told, transaction};
use crate::app::App;
use crate::audit::{By, Changed, audit_add};
use crate::error::Error;
use crate::message::{Envelope, Nudge};
use crate::orders::Refusal;
use crate::ports::{Day, DayWrite, Guard, LedgerKey, LedgerWrite, QueueName};
use crate::records::{Parked, TimelineEntry};
use crate::wire::fields::{Fields, malformed, none_of, read_json};

/// Longest number of a document.
const NUMBER_MAX: usize = 40;
/// Longest reason.
const REASON_MAX: usize = 500;
/// How often a lost race for the order is run again at once.
const RACES: u32 = 3;

/// What a human decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Do it again.
    Retry,
    /// The document is there.
    Exists {
        /// Its number at the provider.
        number: String,
    },
    /// The document is not there.
    Send,
    /// The payment belongs to an order.
    Match {
        /// Which.
        order: OrderId,
    },
    /// Take it off the list.
    Dismiss,
}

impl Answer {
    /// Which action it is.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Self::Retry => Action::Retry,
            Self::Exists { .. } => Action::Exists,
            Self::Send => Action::Send,
            Self::Match { .. } => Action::Match,
            Self::Dismiss => Action::Dismiss,
        }
    }
}

/// Reads `{"action","number"?,"order_id"?,"reason"?}`; gives the decision and why it was made. A dismissal needs a reason.
///
/// # Errors
/// With the field that is wrong.
pub fn answer_read(body: &[u8]) -> Result<(Answer, Option<String>), FieldError> {
    let value = read_json(body)?;
    let mut fields = Fields::open("", &value)?;
    let name = fields.text("action", 20)?;
    let action = Action::parse(&name).ok_or_else(|| none_of("action", &Action::ALL.map(Action::as_str)))?;
    let answer = match action {
        Action::Retry => Answer::Retry,
        Action::Send => Answer::Send,
        Action::Dismiss => Answer::Dismiss,
        Action::Exists => Answer::Exists { number: fields.text("number", NUMBER_MAX)? },
        Action::Match => {
            let order = fields.text("order_id", 60)?;
            let order = OrderId::parse(&order)
                .map_err(|bad| malformed("order_id", format_args!("must be {}", bad.expected)))?;
            Answer::Match { order }
        }
    };
    let reason = match action {
        Action::Dismiss => Some(fields.text("reason", REASON_MAX)?),
        Action::Retry | Action::Exists | Action::Send | Action::Match => {
            fields.text_or_none("reason", REASON_MAX)?
        }
    };
    fields.finish()?;
    Ok((answer, reason))
}

/// What was done about an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The item, which is off the list.
    pub item: Parked,
    /// The order that it is about, or that it was matched with.
    pub order: Option<OrderId>,
}

/// Does what a human decided about an item, and takes it off the list.
///
/// # Errors
/// `NotFound` when there is no such item (any more), `Conflict` when it does not have the action or the order is being
/// worked on, `Invalid` for an order that does not exist.
pub async fn parked_resolve(
    app: &App,
    tenant: &TenantId,
    who: &str,
    id: &ParkedId,
    answer: &Answer,
    reason: Option<&str>,
    correlation: &CorrelationId,
) -> Result<Resolved, Refusal> {
    let parked = app.parking.parked_get(tenant, id).await?.ok_or(Refusal::NotFound("parked item"))?;
    let nudge = nudge_for(&parked, answer)?;
    let order = match answer {
        Answer::Match { order } => {
            if app.orders.order_get(tenant, order).await?.is_none() {
                return Err(Refusal::Invalid(FieldError::new(
                    "order_id",
                    said!("field-no-order", "names no order"),
                )));
            }
            Some(order.clone())
        }
        Answer::Retry | Answer::Exists { .. } | Answer::Send | Answer::Dismiss => parked.order.clone(),
    };
    if *answer == Answer::Dismiss {
        // Looked at before anything is written: a worker at the order may be doing what was done by hand.
        not_worked_on(app, tenant, &parked).await?;
    }
    let by = By { tenant, who, correlation };
    let changed = changed(&parked, answer, reason);
    audit_add(app, by, "parked_item_resolved", id.as_str(), changed).await?;
    app.crash.reached("after the audit of a resolution").await;
    app.parking.parked_unlink(tenant, &parked).await?;
    app.crash.reached("after unlinking a parked item").await;
    if let Some(order) = &order {
        let entry =
            app.stamps.entry(&*app.clock, correlation, "parked_resolved", text_of(&parked, answer, reason));
        order_tell(app, tenant, order, &parked, answer, reason, entry).await?;
        app.crash.reached("after telling the order of a resolution").await;
    }
    if let Some(day) = day_of(&parked) {
        day_tell(app, tenant, &day, &parked, answer, reason).await?;
        app.crash.reached("after telling the day of a resolution").await;
    }
    if let Some((queue, nudge)) = nudge {
        let message = Envelope::new(tenant.clone(), correlation.clone(), app.clock.now(), nudge);
        app.queues.queue_send(queue, &message).await?;
        app.crash.reached("after the nudge of a resolution").await;
    }
    app.parking.parked_close(tenant, id).await?;
    tracing::info!(%tenant, %id, %correlation, code = parked.code, action = answer.action().as_str(), "parked item resolved");
    Ok(Resolved { item: parked, order })
}

/// What is sent for a decision.
fn nudge_for(parked: &Parked, answer: &Answer) -> Result<Option<(QueueName, Nudge)>, Refusal> {
    let allowed = actions(parked);
    let nudge = match answer {
        // The orders of a day that was booked by hand are told so.
        Answer::Dismiss => return Ok(day_of(parked).map(|day| (QueueName::Accounting, Nudge::day(day)))),
        Answer::Retry | Answer::Send => nudge_again(parked),
        Answer::Exists { number } => told(parked, number.clone()),
        Answer::Match { order } => transaction(parked).map(|(provider, transaction)| {
            (QueueName::Payments, Nudge::Match { order: order.clone(), provider, transaction })
        }),
    };
    if allowed.contains(&answer.action())
        && let Some(nudge) = nudge
    {
        return Ok(Some(nudge));
    }
    let names = allowed.into_iter().map(Action::as_str).collect::<Vec<_>>().join(", ");
    Err(Refusal::Conflict {
        code: "action_not_available",
        field: Some("action"),
        message: said!(
            "conflict-action-not-available",
            "This item ({code}) can be answered with: {names}.",
            code = parked.code,
            names
        ),
    })
}

/// The ledger that an item is about.
fn ledger_key(tenant: &TenantId, parked: &Parked) -> Option<LedgerKey> {
    let (Some(order), Some(target)) = (&parked.order, parked.target) else { return None };
    Some(LedgerKey { tenant: tenant.clone(), order: order.clone(), target })
}

async fn not_worked_on(app: &App, tenant: &TenantId, parked: &Parked) -> Result<(), Refusal> {
    let ledger = match (ledger_key(tenant, parked), day_of(parked)) {
        (Some(key), _) => app.ledgers.ledger_load(&key).await?.map(|(_, ledger)| ledger),
        (None, Some(day)) => app.days.day_load(tenant, &day).await?.map(|(_, ledger)| ledger),
        (None, None) => None,
    };
    let Some(ledger) = ledger else { return Ok(()) };
    let now = app.clock.now();
    ledger.take("resolution", now, now).map(|_| ()).map_err(|_| order_busy())
}

fn order_busy() -> Refusal {
    Refusal::Conflict {
        code: "order_busy",
        field: None,
        message: said!("conflict-order-busy", "A worker is at it just now. Look again in a minute."),
    }
}

/// Tells the order what was decided: its history, and how it stands at the target when it leads to this item.
async fn order_tell(
    app: &App,
    tenant: &TenantId,
    order: &OrderId,
    parked: &Parked,
    answer: &Answer,
    reason: Option<&str>,
    entry: TimelineEntry,
) -> Result<(), Refusal> {
    let dismissed = *answer == Answer::Dismiss;
    for _ in 0..RACES {
        let Some(key) = ledger_key(tenant, parked) else { break };
        let Some((stored, ledger)) = app.ledgers.ledger_load(&key).await? else { return Ok(()) };
        let Some(mut status) = decided(stored.sync(key.target), parked, dismissed, reason) else { break };
        let now = app.clock.now();
        // The lease is taken and given back in one write: a worker that began before it can write nothing any more.
        let Ok(mut ledger_after) = ledger.take("resolution", now, now) else {
            if dismissed {
                return Err(order_busy());
            }
            break;
        };
        ledger_after.release();
        if dismissed {
            status.credited = stored.payment.reversed.minor;
        }
        let write = LedgerWrite {
            key: &key,
            guard: Guard::Fence(ledger.fence),
            ledger: &ledger_after,
            status: Some(&status),
            order_version: dismissed.then_some(stored.version),
            entries: std::slice::from_ref(&entry),
            parked: None,
        };
        match app.ledgers.ledger_write(write).await {
            Ok(()) => return Ok(()),
            Err(Error::Raced { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(app.orders.timeline_add(tenant, order, &entry).await?)
}

/// How what leads to the item stands after the decision; none when it leads elsewhere by now.
fn decided(
    status: &SyncStatus,
    parked: &Parked,
    dismissed: bool,
    reason: Option<&str>,
) -> Option<SyncStatus> {
    if status.parked.as_ref() != Some(&parked.id) || status.state != SyncState::NeedsAttention {
        return None;
    }
    Some(SyncStatus {
        parked: None,
        state: if dismissed { SyncState::Done } else { SyncState::Waiting },
        by_hand: dismissed || status.by_hand,
        message: dismissed
            .then(|| said!("status-by-hand", "Done by hand: {reason}", reason = reason.unwrap_or_default())),
        ..status.clone()
    })
}

/// Tells a day what was decided, when it leads to this item.
async fn day_tell(
    app: &App,
    tenant: &TenantId,
    id: &DayId,
    parked: &Parked,
    answer: &Answer,
    reason: Option<&str>,
) -> Result<(), Refusal> {
    let dismissed = *answer == Answer::Dismiss;
    for _ in 0..RACES {
        let Some((day, ledger)) = app.days.day_load(tenant, id).await? else { return Ok(()) };
        let Some(status) = decided(&day.status, parked, dismissed, reason) else { return Ok(()) };
        let now = app.clock.now();
        let Ok(mut ledger_after) = ledger.take("resolution", now, now) else {
            return if dismissed { Err(order_busy()) } else { Ok(()) };
        };
        ledger_after.release();
        let day = Day { status, ..day };
        let guard = Guard::Fence(ledger.fence);
        let write = DayWrite { tenant, day: &day, guard, ledger: &ledger_after, parked: None };
        match app.days.day_write(write).await {
            Ok(()) => return Ok(()),
            Err(Error::Raced { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

fn text_of(parked: &Parked, answer: &Answer, reason: Option<&str>) -> Said {
    let what = match answer {
        Answer::Retry => said!("decided-retry", "to be tried again"),
        Answer::Exists { number } => said!("decided-exists", "number {number} is there", number),
        Answer::Send => said!("decided-send", "it is not there; to be sent again"),
        Answer::Match { order } => said!("decided-match", "the payment belongs to order {order}", order),
        Answer::Dismiss if parked.target.is_some() => said!("decided-by-hand", "done by hand"),
        Answer::Dismiss => said!("decided-dismiss", "taken off the list"),
    };
    let why = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let code = &parked.code;
    said!("told-decided", "A human decided about {code}: {what}{why}.", code, why; what)
}

/// What the audit log tells of a decision.
fn changed(parked: &Parked, answer: &Answer, reason: Option<&str>) -> Changed {
    let mut after = json!({ "action": answer.action().as_str() });
    match answer {
        Answer::Exists { number } => after["number"] = json!(number),
        Answer::Match { order } => after["order_id"] = json!(order),
        Answer::Retry | Answer::Send | Answer::Dismiss => {}
    }
    Changed {
        reason: reason.map(str::to_owned),
        before: Some(json!({ "code": parked.code, "order_id": parked.order })),
        after: Some(after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_decision_is_named() {
        for (body, field) in [
            ("[]", ""),
            ("{}", "action"),
            (r#"{"action":"burn"}"#, "action"),
            (r#"{"action":7}"#, "action"),
            (r#"{"action":"exists"}"#, "number"),
            (r#"{"action":"exists","number":7}"#, "number"),
            (r#"{"action":"exists","number":" "}"#, "number"),
            (r#"{"action":"match"}"#, "order_id"),
            (r#"{"action":"match","order_id":"1753"}"#, "order_id"),
            (r#"{"action":"dismiss"}"#, "reason"),
            (r#"{"action":"retry","number":"7"}"#, "number"),
            (r#"{"action":"retry","why":"x"}"#, "why"),
        ] {
            assert_eq!(answer_read(body.as_bytes()).unwrap_err().field, field, "{body}");
        }
        let read = answer_read(br#"{"action":"exists","number":" 17 ","reason":"seen"}"#).unwrap();
        assert_eq!(read, (Answer::Exists { number: "17".to_owned() }, Some("seen".to_owned())));
    }
}
