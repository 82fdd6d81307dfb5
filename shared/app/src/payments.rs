//! The payments worker: a webhook's hint becomes facts read from the payment provider, and facts decide.

use std::time::Duration;

use bokbro_domain::ids::{OrderId, ParkedId, TenantId};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Order, OrderState, SyncState};
use bokbro_domain::payment::{FactKind, FactStatus, PaymentFact, assess, order_numbers_in};
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use crate::app::{App, Invocation};
use crate::error::{Error, Reason};
use crate::message::{Envelope, HintedEvent, Nudge, PaymentHint};
use crate::ports::{Access, CheckoutState, LookUp, Payments, QueueName};
use crate::records::{Connection, Parked, TimelineEntry};
use crate::resume::{HINT, NEEDS_CONSENT};

/// Reads lag behind webhooks (`apis/viva-ongoing-bank.md` 1.7): look this often at once before the queue's back-off.
const QUICK_LOOKS: u32 = 3;
/// Wait between quick looks.
const QUICK_WAIT: Duration = Duration::from_millis(500);
/// A transaction that is not there at this receive of the message is taken for unknown.
const LAST_RECEIVE: u32 = 4;
/// How long the outcome of a delivery is remembered: longer than the provider repeats and a dead letter lives.
const OUTCOME_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How often a lost race for an order is run again at once.
const RACES: u32 = 5;

/// Handles one delivery.
///
/// # Errors
/// By what happens next; what is parked is stored already.
pub async fn payment_handle(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    hint: &PaymentHint,
) -> Result<(), Error> {
    let delivery = delivery_id(tenant, hint);
    if let Some(outcome) = app.inbox.delivery_outcome(&delivery, app.clock.now()).await? {
        tracing::info!(%tenant, outcome, "delivery was dealt with before");
        return Ok(());
    }
    let handling = Handling { app, invocation, tenant, hint };
    let outcome = match handling.run().await {
        Ok(Outcome::Settled(outcome)) => outcome,
        Ok(Outcome::Open(why)) => {
            tracing::info!(%tenant, why, "delivery had no effect");
            return Ok(());
        }
        Err(Stop::Park(details)) => {
            // Not recorded as dealt with: the same delivery may fit once the provider shows it or the order is posted.
            handling.park(&details).await?;
            tracing::warn!(%tenant, code = details.reason.code, "delivery parked");
            return Ok(());
        }
        Err(Stop::Error(error)) => return Err(error),
    };
    tracing::info!(%tenant, outcome, "delivery dealt with");
    let expires_at = app.clock.now().saturating_add(OUTCOME_LIFE).unwrap_or(jiff::Timestamp::MAX);
    app.inbox.delivery_done(&delivery, &outcome, expires_at).await
}

/// The same delivery has the same id. All that it claims is in it, so that a forgery never stands in for the true one.
fn delivery_id(tenant: &TenantId, hint: &PaymentHint) -> String {
    let claims = serde_json::to_vec(hint).unwrap_or_default();
    let hash: String = Sha256::digest(&claims).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("webhook#{tenant}#{}#{}#{hash}", hint.provider, hint.event_type)
}

/// What became of a delivery.
enum Outcome {
    /// The same delivery would change nothing: it is recorded, and repeats cost nothing.
    Settled(String),
    /// No effect now; the same delivery may have one later.
    Open(&'static str),
}

/// Why handling stops short of an outcome.
enum Stop {
    Error(Error),
    Park(Box<Details>),
}

/// What a human will need.
struct Details {
    reason: Reason,
    order: Option<OrderId>,
    fact: Option<PaymentFact>,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let reason = match error {
            Error::Parked(reason) => reason,
            // The message is not kept in the queue for it: what it told of must stay visible.
            Error::Consent { .. } => Reason::new(NEEDS_CONSENT, error.to_string()),
            other => return Self::Error(other),
        };
        Self::Park(Box::new(Details { reason, order: None, fact: None }))
    }
}

fn park(code: &str, message: impl Into<String>, order: Option<&OrderId>, fact: Option<&PaymentFact>) -> Stop {
    let reason = Reason::new(code, message);
    Stop::Park(Box::new(Details { reason, order: order.cloned(), fact: fact.cloned() }))
}

struct Handling<'a> {
    app: &'a App,
    invocation: &'a Invocation,
    tenant: &'a TenantId,
    hint: &'a PaymentHint,
}

impl Handling<'_> {
    async fn run(&self) -> Result<Outcome, Stop> {
        let hint = self.hint;
        if hint.event == HintedEvent::Other {
            return Ok(Outcome::Settled(format!(
                "ignored: event type {} means nothing to us",
                hint.event_type
            )));
        }
        let connection = self.connection().await?;
        if let Some(whose) = somebody_elses(hint, &connection) {
            return Ok(Outcome::Settled(format!("ignored: {whose}")));
        }
        let payments = self.app.providers.payments(&hint.provider).ok_or_else(|| self.not_connected())?;
        let access = self.app.access.open(connection).await?.until(self.invocation.deadline);
        match hint.event {
            HintedEvent::OrderChanged => self.checkout_changed(&*payments, &access).await,
            HintedEvent::Paid | HintedEvent::Reversed | HintedEvent::Failed => {
                self.transaction_changed(&*payments, &access).await
            }
            HintedEvent::Other => Ok(Outcome::Open("nothing to us")),
        }
    }

    async fn connection(&self) -> Result<Connection, Stop> {
        let found = self.app.directory.connection_get(self.tenant, &self.hint.provider).await?;
        found.ok_or_else(|| self.not_connected())
    }

    fn not_connected(&self) -> Stop {
        Stop::from(Error::Consent {
            provider: self.hint.provider.to_string(),
            message: "it is not connected; connect it, and the delivery is looked at again".into(),
        })
    }

    async fn transaction_changed(&self, payments: &dyn Payments, access: &Access) -> Result<Outcome, Stop> {
        let hint = self.hint;
        let Some(id) = &hint.transaction else {
            return Ok(Outcome::Open("names no transaction"));
        };
        let Some(fact) = self.look(payments, access).await? else {
            return self.not_there(id).await;
        };
        self.contradictions(&fact)?;
        let Some(found) = self.order_of(&fact).await? else {
            if fact.kind == FactKind::Charge && fact.status == FactStatus::Captured {
                let message = "A payment was made that fits no order. Match it by hand, or post the order it belongs to.";
                return Err(park("unmatched_payment", message, None, Some(&fact)));
            }
            return Ok(Outcome::Open("no money has moved and no order fits"));
        };
        let mut facts = vec![fact.clone()];
        if let Some(code) = fact.checkout_code
            && (hint.event == HintedEvent::Reversed || fact.kind == FactKind::Reversal)
        {
            // The list tells what the single read does not: parents, and how the original stands now.
            let listed = payments.transactions_of(access, code).await?;
            facts.retain(|f| listed.iter().all(|l| l.transaction != f.transaction));
            facts.extend(listed);
        }
        self.apply(&found, &facts).await
    }

    /// A few quick looks; then the queue's back-off; then `None`.
    async fn look(&self, payments: &dyn Payments, access: &Access) -> Result<Option<PaymentFact>, Stop> {
        let Some(id) = &self.hint.transaction else { return Ok(None) };
        for look in 1..=QUICK_LOOKS {
            if let Some(fact) = payments.transaction(access, id).await? {
                return Ok(Some(fact));
            }
            if look < QUICK_LOOKS {
                self.app.clock.wait(QUICK_WAIT).await;
            }
        }
        if self.invocation.receive < LAST_RECEIVE {
            return Err(Stop::Error(Error::NotYet { what: format!("transaction {id}"), after: None }));
        }
        Ok(None)
    }

    /// The provider does not know the transaction: forged, or gone again after a reversal.
    async fn not_there(&self, id: &bokbro_domain::ids::TransactionId) -> Result<Outcome, Stop> {
        match self.hint.event {
            HintedEvent::Failed => Ok(Outcome::Open("a failed payment that the provider does not show")),
            HintedEvent::Reversed => {
                let Some(code) = self.hint.checkout_code else {
                    return Ok(Outcome::Open("a reversal that the provider does not show"));
                };
                let by = LookUp::CheckoutCode(code);
                match self.app.orders.order_find(self.tenant, &by).await? {
                    None => Ok(Outcome::Open("a reversal of somebody else's payment")),
                    Some(order) => {
                        let message = format!(
                            "A reversal ({id}) was told of that the payment provider does not show. Check there whether the payment stands."
                        );
                        Err(park("reversal_unclear", message, Some(&order), None))
                    }
                }
            }
            HintedEvent::Paid | HintedEvent::OrderChanged | HintedEvent::Other => {
                let message = format!(
                    "A payment ({id}) was told of that the payment provider does not know. Nothing was booked; the delivery is probably forged."
                );
                Err(park("transaction_unknown", message, None, None))
            }
        }
    }

    /// A delivery that contradicts the provider's own facts is forged or damaged; nobody may act on it.
    fn contradictions(&self, fact: &PaymentFact) -> Result<(), Stop> {
        let hint = self.hint;
        if let (Some(claimed), Some(code)) = (hint.checkout_code, fact.checkout_code)
            && claimed != code
        {
            let message = format!(
                "The webhook names order code {claimed}, the payment provider says {code}. Nothing was booked."
            );
            return Err(park("webhook_contradicts", message, None, Some(fact)));
        }
        if let Some(number) = &hint.currency
            && Currency::parse_number(number).is_ok_and(|currency| currency != fact.amount.currency)
        {
            let message = "The webhook names another currency than the payment provider. Nothing was booked.";
            return Err(park("webhook_contradicts", message, None, Some(fact)));
        }
        if let Some(claimed) = &hint.amount
            && Money::parse_major(claimed, fact.amount.currency) != Ok(fact.amount)
        {
            let message = format!(
                "The webhook says {claimed}, the payment provider says {}. Nothing was booked.",
                fact.amount
            );
            return Err(park("webhook_contradicts", message, None, Some(fact)));
        }
        Ok(())
    }

    /// By order code, then by reference, then by the order number in the merchant's text.
    async fn order_of(&self, fact: &PaymentFact) -> Result<Option<OrderId>, Stop> {
        let mut keys: Vec<LookUp> = Vec::new();
        keys.extend(fact.checkout_code.map(LookUp::CheckoutCode));
        keys.push(LookUp::Transaction(fact.transaction.to_string()));
        keys.extend(fact.parent.as_ref().map(|parent| LookUp::Transaction(parent.to_string())));
        for key in &keys {
            if let Some(order) = self.app.orders.order_find(self.tenant, key).await? {
                return Ok(Some(order));
            }
        }
        let mut by_number: Vec<OrderId> = Vec::new();
        for number in fact.merchant_text.as_deref().map(order_numbers_in).unwrap_or_default() {
            if let Some(order) = self.app.orders.order_find(self.tenant, &LookUp::OrderNumber(number)).await?
                && !by_number.contains(&order)
            {
                by_number.push(order);
            }
        }
        // A text that names two orders names none.
        Ok(if by_number.len() == 1 { by_number.pop() } else { None })
    }

    /// Adds facts to an order and moves it to where they say.
    async fn apply(&self, id: &OrderId, news: &[PaymentFact]) -> Result<Outcome, Stop> {
        for _ in 0..RACES {
            let Some(order) = self.app.orders.order_get(self.tenant, id).await? else {
                return Ok(Outcome::Open("the order is gone"));
            };
            let known = self.app.orders.payment_facts(self.tenant, id).await?;
            let (facts, changed) = merge(&known, news);
            let assessed = assess(&order, &facts);
            let mut next = order.clone();
            let mut entries: Vec<TimelineEntry> = Vec::new();
            match &assessed {
                Ok(assessment) => {
                    if assessment.state != order.state {
                        entries.push(self.entry_of(&order, assessment.state, &assessment.totals.captured));
                    }
                    next.state = assessment.state;
                    next.payment = assessment.totals.clone();
                }
                Err(mismatch) if !changed.is_empty() => {
                    let message = format!("Payment not accepted: {mismatch}.");
                    entries.push(self.entry("payment_differs", message));
                }
                Err(_) => {}
            }
            if !changed.is_empty() || next.state != order.state || next.payment != order.payment {
                next.version += 1;
                next.updated_at = self.app.clock.now();
                self.app.crash.reached("before recording the payment").await;
                match self.app.orders.order_update(&next, &changed, &entries).await {
                    Ok(()) => {}
                    Err(Error::Raced { .. }) => continue,
                    Err(other) => return Err(other.into()),
                }
                self.app.crash.reached("after recording the payment").await;
            }
            if let Err(mismatch) = assessed {
                let message = format!("{mismatch}. Nothing was booked.");
                return Err(park(mismatch.code(), message, Some(id), news.first()));
            }
            return self.follow_up(&next).await;
        }
        Err(Stop::Error(Error::Raced { step: "recording a payment" }))
    }

    /// Whoever comes here with a paid order nudges the books, also after a crash between recording and nudging.
    async fn follow_up(&self, order: &Order) -> Result<Outcome, Stop> {
        if order.state.has_been_paid() && order.accounting.state != SyncState::Done {
            let nudge = Nudge::order(order.id.clone());
            let message = Envelope::new(
                self.tenant.clone(),
                self.invocation.correlation.clone(),
                self.app.clock.now(),
                nudge,
            );
            self.app.queues.queue_send(QueueName::Accounting, &message).await?;
            self.app.crash.reached("after nudging accounting").await;
        }
        if matches!(order.state, OrderState::Refunded | OrderState::PartiallyRefunded) {
            let message = "Money was given back. Credit the invoice by hand: refunds are not booked yet.";
            return Err(park("refund_to_book", message, Some(&order.id), None));
        }
        Ok(Outcome::Settled(format!("order {} is {}", order.id, order.state.as_str())))
    }

    async fn checkout_changed(&self, payments: &dyn Payments, access: &Access) -> Result<Outcome, Stop> {
        let Some(code) = self.hint.checkout_code else {
            return Ok(Outcome::Open("names no order"));
        };
        let by = LookUp::CheckoutCode(code);
        let Some(id) = self.app.orders.order_find(self.tenant, &by).await? else {
            return Ok(Outcome::Open("no order has this code"));
        };
        match payments.checkout(access, code).await? {
            Some(CheckoutState::Cancelled) => {}
            Some(CheckoutState::Paid) => {
                let facts = payments.transactions_of(access, code).await?;
                return self.apply(&id, &facts).await;
            }
            Some(CheckoutState::Pending | CheckoutState::Expired) | None => {
                return Ok(Outcome::Open("the order is not cancelled at the provider"));
            }
        }
        for _ in 0..RACES {
            let Some(mut order) = self.app.orders.order_get(self.tenant, &id).await? else { break };
            if order.state != OrderState::Pending {
                break;
            }
            order.state = OrderState::Cancelled;
            order.version += 1;
            order.updated_at = self.app.clock.now();
            let entry = self.entry("order_cancelled", "Order cancelled at the payment provider.");
            match self.app.orders.order_update(&order, &[], &[entry]).await {
                Ok(()) => return Ok(Outcome::Settled(format!("order {id} is cancelled"))),
                Err(Error::Raced { .. }) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Ok(Outcome::Open("the order is no longer pending"))
    }

    fn entry_of(&self, before: &Order, state: OrderState, captured: &Money) -> TimelineEntry {
        let text = match state {
            OrderState::Paid => format!("Paid: {captured} {}.", captured.currency),
            OrderState::Refunded => "All money was given back.".into(),
            OrderState::PartiallyRefunded => "Some money was given back.".into(),
            OrderState::Pending | OrderState::Cancelled => format!("No longer {}.", before.state.as_str()),
        };
        self.entry(&format!("order_{}", state.as_str()), text)
    }

    fn entry(&self, event: &str, message: impl Into<String>) -> TimelineEntry {
        self.app.stamps.entry(&*self.app.clock, &self.invocation.correlation, event, message)
    }

    async fn park(&self, details: &Details) -> Result<(), Error> {
        let app = self.app;
        let hint = self.hint;
        let mut about: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
        let mut tell = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                about.insert(name.to_owned(), value);
            }
        };
        tell("provider", Some(hint.provider.to_string()));
        tell("transaction", hint.transaction.as_ref().map(ToString::to_string));
        tell("claimed_order_code", hint.checkout_code.map(|code| code.to_string()));
        tell("claimed_amount", hint.amount.clone());
        if details.reason.code == NEEDS_CONSENT {
            // The delivery is sent again when the connection works.
            tell(HINT, serde_json::to_string(hint).ok());
        }
        if let Some(fact) = &details.fact {
            tell("amount", Some(fact.amount.to_string()));
            tell("currency", Some(fact.amount.currency.to_string()));
            tell("order_code", fact.checkout_code.map(|code| code.to_string()));
        }
        let subject = hint.transaction.as_ref().map(ToString::to_string);
        let subject = subject.or_else(|| hint.checkout_code.map(|code| code.to_string())).unwrap_or_default();
        let parked = Parked {
            id: ParkedId::from_ulid(app.stamps.ulid(&*app.clock)),
            at: app.clock.now(),
            code: details.reason.code.clone(),
            message: details.reason.message.clone(),
            fingerprint: format!("payment:{subject}:{}", details.reason.code),
            order: details.order.clone(),
            target: None,
            details: about,
            correlation: self.invocation.correlation.clone(),
        };
        app.parking.park_once(self.tenant, &parked).await?;
        Ok(())
    }
}

/// Whose payment it is when it is not ours: every shop of the merchant's account gets every event
/// (`apis/viva-ongoing-bank.md` 1.7).
fn somebody_elses(hint: &PaymentHint, connection: &Connection) -> Option<&'static str> {
    let ours = connection.settings.get("merchant_id");
    if let (Some(ours), Some(theirs)) = (ours, &hint.merchant)
        && !ours.eq_ignore_ascii_case(theirs)
    {
        return Some("another merchant's payment");
    }
    let sources = connection.settings.get("source_codes");
    if let (Some(ours), Some(theirs)) = (sources, &hint.source)
        && !ours.split(',').any(|code| code.trim() == theirs)
    {
        return Some("another shop's payment");
    }
    None
}

/// Known facts with the news laid over them, and those that are new or changed.
fn merge(known: &[PaymentFact], news: &[PaymentFact]) -> (Vec<PaymentFact>, Vec<PaymentFact>) {
    let mut facts = known.to_vec();
    let mut changed = Vec::new();
    for new in news {
        let mut new = new.clone();
        match facts.iter_mut().find(|fact| fact.transaction == new.transaction) {
            Some(fact) => {
                // A single read names no parent; what a list told stays.
                new.parent = new.parent.or_else(|| fact.parent.clone());
                new.merchant_text = new.merchant_text.or_else(|| fact.merchant_text.clone());
                if *fact != new {
                    fact.clone_from(&new);
                    changed.push(new);
                }
            }
            None => {
                facts.push(new.clone());
                changed.push(new);
            }
        }
    }
    (facts, changed)
}
