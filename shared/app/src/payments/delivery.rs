//! A webhook's delivery: what it hints at is read from the payment provider.

use bokbro_domain::ids::{TenantId, TransactionId};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::payment::{FactKind, FactStatus, PaymentFact};
use bokbro_domain::said;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use super::trouble::{About, Stop, UNMATCHED, park};
use super::{Desk, Outcome, Way};
use crate::app::{App, Invocation};
use crate::error::Error;
use crate::message::{HintedEvent, PaymentHint};
use crate::metrics;
use crate::ports::LookUp;
use crate::records::Connection;

/// How long the outcome of a delivery is remembered: longer than the provider repeats and a dead letter lives.
const OUTCOME_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A payment of this age may have been reversed since, and nobody may have known then whose reversal it was.
const NOT_FRESH: SignedDuration = SignedDuration::from_mins(10);

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
    let id = delivery_id(tenant, hint);
    if let Some(outcome) = app.inbox.delivery_outcome(&id, app.clock.now()).await? {
        let provider = &hint.provider;
        tracing::info!(%tenant, %provider, outcome, { metrics::DUPLICATES } = 1, "delivery was dealt with before");
        return Ok(());
    }
    let delivery = Delivery { desk: Desk { app, invocation, tenant, quiet: false }, hint };
    let transaction = hint.transaction.as_ref();
    let about = About { provider: &hint.provider, transaction, order: None, hint: Some(hint) };
    let outcome = match delivery.run().await {
        Ok(Outcome::Settled(outcome)) => outcome,
        Ok(Outcome::Open(why)) => {
            tracing::info!(%tenant, why, "delivery had no effect");
            return Ok(());
        }
        // Parked is not dealt with: the same delivery may fit once the provider shows it or the order is posted.
        Err(Stop::Park(details)) => return delivery.desk.park(&about, &details).await,
        Err(Stop::Error(error)) => return delivery.desk.no_way_in(&about, error).await,
    };
    tracing::info!(%tenant, outcome, "delivery dealt with");
    let expires_at = app.clock.now().saturating_add(OUTCOME_LIFE).unwrap_or(jiff::Timestamp::MAX);
    app.inbox.delivery_done(&id, &outcome, expires_at).await
}

/// The same delivery has the same id. All that it claims is in it, so that a forgery never stands in for the true one.
fn delivery_id(tenant: &TenantId, hint: &PaymentHint) -> String {
    let claims = serde_json::to_vec(hint).unwrap_or_default();
    let hash: String = Sha256::digest(&claims).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("webhook#{tenant}#{}#{}#{hash}", hint.provider, hint.event_type)
}

struct Delivery<'a> {
    desk: Desk<'a>,
    hint: &'a PaymentHint,
}

impl Delivery<'_> {
    async fn run(&self) -> Result<Outcome, Stop> {
        let hint = self.hint;
        if hint.event == HintedEvent::Other {
            return Ok(Outcome::Settled(format!(
                "ignored: event type {} means nothing to us",
                hint.event_type
            )));
        }
        let connection = self.desk.connection(&hint.provider).await?;
        if let Some(whose) = somebody_elses(hint, &connection) {
            return Ok(Outcome::Settled(format!("ignored: {whose}")));
        }
        let way = self.desk.open(connection).await?;
        match hint.event {
            HintedEvent::OrderChanged => self.checkout_changed(&way).await,
            HintedEvent::Paid | HintedEvent::Reversed | HintedEvent::Failed => {
                self.transaction_changed(&way).await
            }
            HintedEvent::Other => Ok(Outcome::Open("nothing to us")),
        }
    }

    async fn checkout_changed(&self, way: &Way) -> Result<Outcome, Stop> {
        let Some(code) = self.hint.checkout_code else {
            return Ok(Outcome::Open("names no order"));
        };
        let by = LookUp::CheckoutCode(code);
        let Some(id) = self.desk.app.orders.order_find(self.desk.tenant, &by).await? else {
            return Ok(Outcome::Open("no order has this code"));
        };
        self.desk.checkout_look(way, &id, code).await
    }

    async fn transaction_changed(&self, way: &Way) -> Result<Outcome, Stop> {
        let (desk, hint) = (&self.desk, self.hint);
        let Some(id) = &hint.transaction else {
            return Ok(Outcome::Open("names no transaction"));
        };
        let Some(fact) = desk.transaction(way, id).await? else {
            return self.not_there(id).await;
        };
        self.contradictions(&fact)?;
        let reversal = hint.event == HintedEvent::Reversed || fact.kind == FactKind::Reversal;
        let not_fresh = desk.app.clock.now().duration_since(fact.made_at) > NOT_FRESH;
        let facts = match fact.checkout_code {
            Some(code) if reversal || not_fresh => desk.with_listed(way, fact.clone(), code).await?,
            Some(_) | None => vec![fact.clone()],
        };
        let mut found = desk.order_of(&fact).await?;
        if found.is_none() && reversal {
            // A payment that was matched by hand leads to its order, and its reversal by way of it.
            let siblings = facts.iter().map(|fact| LookUp::Transaction(fact.transaction.to_string()));
            let siblings: Vec<LookUp> = siblings.collect();
            found = super::order_find(desk.app, desk.tenant, &siblings, Vec::new()).await?;
        }
        match found {
            Some(order) => desk.apply(&order, &facts).await,
            None if fact.kind == FactKind::Charge && fact.status == FactStatus::Captured => {
                let message = said!(
                    "parked-unmatched",
                    "A payment was made that fits no order. Match it by hand, or post the order it belongs to."
                );
                Err(park(UNMATCHED, message, None, Some(&fact)))
            }
            None => Ok(Outcome::Open("no money has moved and no order fits")),
        }
    }

    /// The provider does not know the transaction: forged, or gone again after a reversal.
    async fn not_there(&self, id: &TransactionId) -> Result<Outcome, Stop> {
        match self.hint.event {
            HintedEvent::Failed => Ok(Outcome::Open("a failed payment that the provider does not show")),
            HintedEvent::Reversed => {
                let Some(code) = self.hint.checkout_code else {
                    return Ok(Outcome::Open("a reversal that the provider does not show"));
                };
                let by = LookUp::CheckoutCode(code);
                match self.desk.app.orders.order_find(self.desk.tenant, &by).await? {
                    None => Ok(Outcome::Open("a reversal of somebody else's payment")),
                    Some(order) => {
                        let message = said!(
                            "parked-reversal-told",
                            "A reversal ({id}) was told of that the payment provider does not show. Check there whether the payment stands.",
                            id
                        );
                        Err(park("reversal_unclear", message, Some(&order), None))
                    }
                }
            }
            HintedEvent::Paid | HintedEvent::OrderChanged | HintedEvent::Other => {
                let message = said!(
                    "parked-payment-told",
                    "A payment ({id}) was told of that the payment provider does not know. Nothing was booked; the delivery is probably forged.",
                    id
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
            let message = said!(
                "parked-other-code",
                "The webhook names order code {claimed}, the payment provider says {code}. Nothing was booked.",
                claimed,
                code
            );
            return Err(park("webhook_contradicts", message, None, Some(fact)));
        }
        if let Some(number) = &hint.currency
            && Currency::parse_number(number).is_ok_and(|currency| currency != fact.amount.currency)
        {
            let message = said!(
                "parked-other-currency",
                "The webhook names another currency than the payment provider. Nothing was booked."
            );
            return Err(park("webhook_contradicts", message, None, Some(fact)));
        }
        if let Some(claimed) = &hint.amount
            && Money::parse_major(claimed, fact.amount.currency) != Ok(fact.amount)
        {
            let message = said!(
                "parked-other-amount",
                "The webhook says {claimed}, the payment provider says {amount}. Nothing was booked.",
                claimed;
                amount = fact.amount.said()
            );
            return Err(park("webhook_contradicts", message, None, Some(fact)));
        }
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
