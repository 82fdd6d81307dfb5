//! The payments worker: hints and nudges become facts read from the payment provider, and facts decide.

mod apply;
mod delivery;
mod look;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use bokbro_domain::ids::{CheckoutCode, CorrelationId, OrderId, Provider, TenantId, TransactionId};
use bokbro_domain::order::Order;
use bokbro_domain::payment::{PaymentFact, order_numbers_in};
use bokbro_domain::said;

use crate::app::{App, Invocation};
use crate::error::{Error, chain};
use crate::message::{Envelope, Nudge};
use crate::ports::{Access, LookUp, Payments, QueueName};
use crate::records::Connection;
use crate::sweep::{deliveries_resend, hint_of, nudge};

pub use delivery::payment_handle;
pub use look::{payment_look, payment_match};
pub(crate) use trouble::{UNMATCHED, keys_of};

/// Reads lag behind webhooks (`apis/viva-ongoing-bank.md` 1.7): look this often at once, when the message is new, before the
/// queue's back-off. After that, looking once is enough: it has waited, and a worker that waits keeps true payments waiting.
const QUICK_LOOKS: u32 = 3;
/// Wait between quick looks.
const QUICK_WAIT: Duration = Duration::from_millis(500);
/// A transaction that is not there at this receive of the message is taken for unknown.
const LAST_RECEIVE: u32 = 4;

/// What became of a look at the provider.
enum Outcome {
    /// The same look would change nothing: deliveries are recorded, and repeats cost nothing.
    Settled(String),
    /// No effect now; the same look may have one later.
    Open(&'static str),
}

/// One invocation's work for one tenant.
#[derive(Clone, Copy)]
struct Desk<'a> {
    app: &'a App,
    invocation: &'a Invocation,
    tenant: &'a TenantId,
    /// Nobody asked: trouble that has been told of already is not parked again, because a human may have seen to it.
    quiet: bool,
}

/// A way in at a payment provider.
struct Way {
    payments: Arc<dyn Payments>,
    access: Access,
}

impl Desk<'_> {
    fn envelope(&self, nudge: Nudge) -> Envelope {
        let (tenant, correlation) = (self.tenant.clone(), self.invocation.correlation.clone());
        Envelope::new(tenant, correlation, self.app.clock.now(), nudge)
    }

    async fn connection(&self, provider: &Provider) -> Result<Connection, Error> {
        let found = self.app.directory.connection_get(self.tenant, provider).await?;
        found.ok_or_else(|| not_connected(provider))
    }

    async fn open(&self, connection: Connection) -> Result<Way, Error> {
        let provider = &connection.provider;
        let payments = self.app.providers.payments(provider).ok_or_else(|| not_connected(provider))?;
        let access = self.app.access.open(connection).await?.until(self.invocation.deadline);
        Ok(Way { payments, access })
    }

    /// A few quick looks; then one after each of the queue's back-offs; then `None`.
    async fn transaction(&self, way: &Way, id: &TransactionId) -> Result<Option<PaymentFact>, Error> {
        let looks = if self.invocation.receive == 1 { QUICK_LOOKS } else { 1 };
        for look in 1..=looks {
            if let Some(fact) = way.payments.transaction(&way.access, id).await? {
                return Ok(Some(fact));
            }
            if look < looks {
                self.app.clock.wait(QUICK_WAIT).await;
            }
        }
        if self.invocation.receive < LAST_RECEIVE {
            return Err(Error::NotYet { what: format!("transaction {id}"), after: None });
        }
        Ok(None)
    }

    /// A fact with the others of its order at the provider. The list tells what the single read does not: parents, and
    /// how the original of a reversal stands now.
    async fn with_listed(
        &self,
        way: &Way,
        fact: PaymentFact,
        code: CheckoutCode,
    ) -> Result<Vec<PaymentFact>, Error> {
        let mut facts = way.payments.transactions_of(&way.access, code).await?;
        if facts.iter().all(|listed| listed.transaction != fact.transaction) {
            facts.insert(0, fact);
        }
        Ok(facts)
    }

    /// By order code, then by reference, then by the order number in the merchant's text.
    async fn order_of(&self, fact: &PaymentFact) -> Result<Option<OrderId>, Error> {
        let mut keys: Vec<LookUp> = Vec::new();
        keys.extend(fact.checkout_code.map(LookUp::CheckoutCode));
        keys.push(LookUp::Transaction(fact.transaction.to_string()));
        keys.extend(fact.parent.as_ref().map(|parent| LookUp::Transaction(parent.to_string())));
        let numbers = fact.merchant_text.as_deref().map(order_numbers_in).unwrap_or_default();
        order_find(self.app, self.tenant, &keys, numbers).await
    }
}

fn not_connected(provider: &Provider) -> Error {
    Error::Consent {
        provider: provider.to_string(),
        message: said!(
            "consent-not-connected-delivery",
            "it is not connected; connect it, and the delivery is looked at again"
        ),
    }
}

/// The order that one of the keys leads to, or else the only one that the numbers lead to.
///
/// # Errors
/// When the table fails.
pub(crate) async fn order_find(
    app: &App,
    tenant: &TenantId,
    keys: &[LookUp],
    numbers: Vec<bokbro_domain::ids::OrderNumber>,
) -> Result<Option<OrderId>, Error> {
    for key in keys {
        if let Some(order) = app.orders.order_find(tenant, key).await? {
            return Ok(Some(order));
        }
    }
    let mut by_number: Vec<OrderId> = Vec::new();
    for number in numbers {
        if let Some(order) = app.orders.order_find(tenant, &LookUp::OrderNumber(number)).await?
            && !by_number.contains(&order)
        {
            by_number.push(order);
        }
    }
    // A text that names two orders names none.
    Ok(if by_number.len() == 1 { by_number.pop() } else { None })
}

/// Has the payment of a new order looked at if it came before the order did. When this fails the next sweep makes up for
/// it, so an order that is stored is never refused for it.
pub(crate) async fn payment_may_be_there(app: &App, order: &Order, correlation: &CorrelationId) {
    if let Err(error) = look_back(app, order, correlation).await {
        tracing::warn!(tenant = %order.tenant, order = %order.id, error = chain(&error), "left to the next sweep");
    }
}

async fn look_back(app: &App, order: &Order, correlation: &CorrelationId) -> Result<(), Error> {
    let tenant = &order.tenant;
    if let Some(code) = order.body.checkout_code {
        // A webhook came, and its payment is parked.
        let parked = app.parking.parked_find(tenant, &trouble::unmatched_of(code)).await?;
        if let Some((parked, hint)) = parked.and_then(|parked| hint_of(&parked).map(|hint| (parked, hint))) {
            deliveries_resend(app, tenant, correlation, vec![(parked, hint)]).await?;
        }
    } else if order.body.payment_reference.is_some() {
        // A webshop that names the payment has seen it.
        nudge(app, tenant, correlation, QueueName::Payments, vec![Nudge::order(order.id.clone())]).await?;
    }
    Ok(())
}
