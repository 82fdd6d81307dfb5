//! What waits for a human, and what a human can do about it: every reason has its actions.

mod resolve;

use bokbro_domain::day::DayId;
use bokbro_domain::ids::{CorrelationId, OrderId, Provider, Target, TenantId, TransactionId};

use crate::app::App;
use crate::error::{Error, Reason};
use crate::message::{Envelope, Nudge, PaymentHint, Told};
use crate::metrics;
use crate::orders::Refusal;
use crate::ports::{Cursor, Page, QueueName};
use crate::records::Parked;
use crate::resume::HINT;

pub use resolve::{Answer, Resolved, answer_read, parked_resolve};

/// Detail that names the step of a posting that the item is about.
pub(crate) const STEP: &str = "step";
/// Detail that names the batch of a day that the item is about.
pub(crate) const DAY: &str = "day";
/// Detail that holds a whole message which no worker could handle.
pub(crate) const MESSAGE: &str = "message";
/// Detail that names the queue of that message.
pub(crate) const QUEUE: &str = "queue";
/// Detail that names a transaction at the payment provider.
const TRANSACTION: &str = "transaction";
/// Detail that names the provider.
pub const PROVIDER: &str = "provider";
/// Pages read for one page of a filtered list.
const PAGES: usize = 20;

/// What a human can do about an item that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// The cause was lifted: do it again. What was refused is sent again, documents are read again.
    Retry,
    /// The document is there, and this is its number: read it, and go on if it fits.
    Exists,
    /// The document is not there: look once more, and send it.
    Send,
    /// The payment belongs to this order.
    Match,
    /// It was done by hand, or it is none of ours: take it off the list.
    Dismiss,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 5] = [Self::Retry, Self::Exists, Self::Send, Self::Match, Self::Dismiss];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Exists => "exists",
            Self::Send => "send",
            Self::Match => "match",
            Self::Dismiss => "dismiss",
        }
    }

    /// The action of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }
}

/// Reasons by what helps. All that this code base can park with stand here; `docs/runbooks/parked.md` explains each.
pub const REASONS: &[(&[Action], &[&str])] = {
    use Action::{Dismiss, Exists, Match, Retry, Send};
    &[
        (
            &[Retry, Dismiss],
            &[
                // The books, by our own rules.
                "account_missing",
                "amount_too_large",
                "day_unknown",
                "foreign_currency",
                "foreign_customer",
                "needs_consent",
                "not_paid",
                "order_unknown",
                "period_locked",
                "profile_not_supported",
                // The books, by what is there.
                "bad_invoice_number",
                "cash_account_differs",
                "financial_year_missing",
                "invoice_canceled",
                "invoice_unreadable",
                "payment_differs",
                "receipt_incomplete",
                "request_unwritable",
                "step_missing",
                "too_many_matches",
                "totals_differ",
                "unknown_step",
                "voucher_series_closed",
                "credited_by_hand",
                "credited_too_much",
                // The warehouse.
                "canceled_before",
                "foreign_order",
                "parcel_canceled",
                "picking_started",
                // Payments.
                "amount_differs",
                "amount_unreadable",
                "currency_differs",
                "currency_unknown",
                "paid_after_cancel",
                "reversal_unclear",
                "reversed_too_much",
                "too_many_transactions",
                "transaction_taken",
                "transaction_unknown",
                "webhook_contradicts",
                // Messages.
                "handler_panicked",
            ],
        ),
        (&[Exists, Send, Dismiss], &["outcome_unknown", "document_does_not_fit"]),
        (&[Exists, Retry, Dismiss], &["conflict", "paid_by_hand"]),
        (&[Match, Retry, Dismiss], &["unmatched_payment"]),
        (&[Dismiss], &["refund_to_book", "unreadable_message"]),
    ]
};

/// What helps against refusals, which have a reason each: `invoice_refused` of a step, `ledger_2000106` of a provider.
const REFUSED: &[Action] = &[Action::Retry, Action::Dismiss];

/// What helps against a reason; none for a reason that nobody has heard of.
#[must_use]
pub fn actions_of(code: &str, provider: Option<&str>) -> Option<&'static [Action]> {
    if let Some((actions, _)) = REASONS.iter().find(|(_, codes)| codes.contains(&code)) {
        return Some(actions);
    }
    let of_provider = provider.is_some_and(|name| {
        code.strip_prefix(name).is_some_and(|rest| rest.len() > 1 && rest.starts_with('_'))
    });
    (code.ends_with("_refused") || of_provider).then_some(REFUSED)
}

/// What a human can do about an item: what helps against its reason, as far as the item says enough for it. It can
/// always be taken off the list.
#[must_use]
pub fn actions(parked: &Parked) -> Vec<Action> {
    let known = actions_of(&parked.code, parked.details.get(PROVIDER).map(String::as_str));
    let possible = |action: &Action| match action {
        Action::Retry => nudge_again(parked).is_some(),
        Action::Exists => told(parked, String::new()).is_some(),
        Action::Send => told(parked, String::new()).is_some(),
        Action::Match => transaction(parked).is_some(),
        Action::Dismiss => true,
    };
    known.unwrap_or(&[Action::Dismiss]).iter().copied().filter(possible).collect()
}

/// What has the item's work done once more: its order, its delivery, its message.
fn nudge_again(parked: &Parked) -> Option<(QueueName, Nudge)> {
    let order = |order: &OrderId| Nudge::Order { order: order.clone(), insist: true, told: None };
    if let (Some(message), Some(queue)) = (parked.details.get(MESSAGE), parked.details.get(QUEUE)) {
        let message = Envelope::parse(message).ok()?;
        return Some((QueueName::parse(queue)?, message.nudge));
    }
    if let Some(day) = day_of(parked) {
        return Some((QueueName::Accounting, Nudge::Day { day, insist: true, told: None, after: None }));
    }
    match (&parked.order, parked.target) {
        (Some(id), Some(Target::Accounting)) => return Some((QueueName::Accounting, order(id))),
        (Some(id), Some(Target::Warehouse)) => return Some((QueueName::Warehouse, order(id))),
        (Some(_) | None, None) | (None, Some(_)) => {}
    }
    if let Some(hint) = parked.details.get(HINT) {
        let hint: PaymentHint = serde_json::from_str(hint).ok()?;
        return Some((QueueName::Payments, Nudge::Payment(hint)));
    }
    parked.order.as_ref().map(|id| (QueueName::Payments, order(id)))
}

/// What the worker is told of the document that a step of the item was about.
fn told(parked: &Parked, number: String) -> Option<(QueueName, Nudge)> {
    if let Some(day) = day_of(parked) {
        let told = Some(Told { step: parked.details.get(STEP)?.clone(), number });
        return Some((QueueName::Accounting, Nudge::Day { day, insist: true, told, after: None }));
    }
    let (Some(order), Some(target), Some(step)) = (&parked.order, parked.target, parked.details.get(STEP))
    else {
        return None;
    };
    let queue = match target {
        Target::Accounting => QueueName::Accounting,
        Target::Warehouse => QueueName::Warehouse,
    };
    let told = Some(Told { step: step.clone(), number });
    Some((queue, Nudge::Order { order: order.clone(), insist: true, told }))
}

/// The batch of a day that the item is about.
pub(crate) fn day_of(parked: &Parked) -> Option<DayId> {
    DayId::parse(parked.details.get(DAY)?).ok()
}

/// The transaction that the item is about.
fn transaction(parked: &Parked) -> Option<(Provider, TransactionId)> {
    let provider = Provider::parse(parked.details.get(PROVIDER)?).ok()?;
    Some((provider, TransactionId::parse(parked.details.get(TRANSACTION)?).ok()?))
}

/// Which items to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParkedFilter {
    /// Only those with this reason.
    pub code: Option<String>,
    /// Only those about this order.
    pub order: Option<OrderId>,
}

/// Lists what waits, newest first. A page may hold fewer items than asked for, even none, and still have a next one.
///
/// # Errors
/// `Invalid` for a cursor of another list.
pub async fn parked_list(
    app: &App,
    tenant: &TenantId,
    filter: &ParkedFilter,
    limit: usize,
    cursor: Option<&Cursor>,
) -> Result<Page<Parked>, Refusal> {
    let mut items: Vec<Parked> = Vec::new();
    let mut next = cursor.cloned();
    for _ in 0..PAGES {
        // Never more than there is room for, so that the cursor is always behind the last item shown.
        let page = app.parking.parked_list(tenant, limit - items.len(), next.as_ref()).await?;
        items.extend(page.items.into_iter().filter(|item| {
            filter.code.as_ref().is_none_or(|code| item.code == *code)
                && filter.order.as_ref().is_none_or(|order| item.order.as_ref() == Some(order))
        }));
        next = page.next;
        if next.is_none() || items.len() >= limit {
            break;
        }
    }
    Ok(Page { items, next })
}

/// Parks an order that a worker was sent to and cannot work on at all.
///
/// # Errors
/// When the table fails.
pub(crate) async fn order_park(
    app: &App,
    correlation: &CorrelationId,
    tenant: &TenantId,
    order: &OrderId,
    target: Target,
    reason: Reason,
) -> Result<(), Error> {
    let parked = Parked {
        id: bokbro_domain::ids::ParkedId::from_ulid(app.stamps.ulid(&*app.clock)),
        at: app.clock.now(),
        fingerprint: format!("{}:{order}:{}", target.as_str(), reason.code),
        code: reason.code,
        message: reason.message,
        order: Some(order.clone()),
        target: Some(target),
        details: std::collections::BTreeMap::new(),
        correlation: correlation.clone(),
    };
    item_park(app, tenant, &parked).await.map(|_| ())
}

/// Parks an item unless one with the same fingerprint waits already; says whether it is new.
///
/// # Errors
/// When the table fails.
pub(crate) async fn item_park(app: &App, tenant: &TenantId, parked: &Parked) -> Result<bool, Error> {
    let is_new = app.parking.park_once(tenant, parked).await?;
    if is_new {
        parked_tell(tenant, parked);
    }
    Ok(is_new)
}

/// Tells the log of an item that was parked.
pub(crate) fn parked_tell(tenant: &TenantId, parked: &Parked) {
    let order = parked.order.as_ref().map(tracing::field::display);
    let (id, code) = (&parked.id, parked.code.as_str());
    tracing::warn!(%tenant, order, parked = %id, code, { metrics::PARKED } = 1, "parked");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_name_and_every_reason_a_way_off_the_list() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(action));
        }
        let mut seen: Vec<&str> = Vec::new();
        for (actions, codes) in REASONS {
            assert_eq!(actions.last(), Some(&Action::Dismiss), "{codes:?}");
            for code in *codes {
                assert!(!seen.contains(code), "{code} stands twice");
                seen.push(code);
            }
        }
    }

    #[test]
    fn refusals_are_known_by_their_shape() {
        for (code, provider, known) in [
            ("invoice_refused", Some("ledger"), true),
            ("ledger_2000106", Some("ledger"), true),
            ("ledger_http_418", Some("ledger"), true),
            ("ledger_", Some("ledger"), false),
            ("ledgers_1", Some("ledger"), false),
            ("ledger_2000106", None, false),
            ("something_new", Some("ledger"), false),
        ] {
            assert_eq!(actions_of(code, provider).is_some(), known, "{code} of {provider:?}");
        }
    }
}
