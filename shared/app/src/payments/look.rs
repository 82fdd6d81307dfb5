//! Looks at the payment provider that no webhook asked for: an order that waits for its payment, and a transaction that
//! a human says belongs to an order.

use std::collections::BTreeSet;

use bokbro_domain::ids::{CheckoutCode, OrderId, PaymentMethod, Provider, TenantId, TransactionId};
use bokbro_domain::order::{Order, OrderState};
use bokbro_domain::payment::{FactKind, FactStatus, PaymentFact};
use bokbro_domain::said;

use super::trouble::{About, Stop, park_order};
use super::{Desk, Outcome, Way};
use crate::app::{App, Invocation};
use crate::error::Error;
use crate::ports::{CheckoutState, LookUp, OpenKind};

/// Looks at an order's payment at the provider, as a webhook about it would have. Unless somebody insists, trouble that
/// was told of before is left to whoever was told.
///
/// # Errors
/// By what happens next; what is parked is stored already. Without consent nothing is parked: the order still waits, and
/// the next sweep comes by.
pub async fn payment_look(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    id: &OrderId,
    insist: bool,
) -> Result<(), Error> {
    let desk = Desk { app, invocation, tenant, quiet: !insist };
    let Some(order) = app.orders.order_get(tenant, id).await? else { return Ok(()) };
    let Some(settings) = app.directory.settings_get(tenant).await? else { return Ok(()) };
    let way = desk.open(desk.connection(&settings.payments).await?).await?;
    let looked = desk.order_look(&way, &order).await;
    let about = About { provider: &settings.payments, transaction: None, order: Some(id), hint: None };
    desk.conclude(&about, looked).await
}

/// Lays a transaction at an order because a human says that it belongs there. All checks of amount and currency hold.
///
/// # Errors
/// By what happens next; what is parked is stored already.
pub async fn payment_match(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    id: &OrderId,
    provider: &Provider,
    transaction: &TransactionId,
) -> Result<(), Error> {
    let desk = Desk { app, invocation, tenant, quiet: false };
    let matched = async {
        let way = desk.open(desk.connection(provider).await?).await?;
        desk.order_match(&way, id, transaction).await
    };
    let about = About { provider, transaction: Some(transaction), order: Some(id), hint: None };
    match desk.conclude(&about, matched.await).await {
        Ok(()) => Ok(()),
        // The message is deleted, so what the human said is parked with it.
        Err(error) => desk.no_way_in(&about, error).await,
    }
}

impl Desk<'_> {
    async fn conclude(&self, about: &About<'_>, looked: Result<Outcome, Stop>) -> Result<(), Error> {
        let tenant = self.tenant;
        match looked {
            Ok(Outcome::Settled(outcome)) => tracing::info!(%tenant, outcome, "looked at a payment"),
            Ok(Outcome::Open(why)) => tracing::info!(%tenant, why, "looked at a payment"),
            Err(Stop::Park(details)) => self.park(about, &details).await?,
            Err(Stop::Error(error)) => return Err(error),
        }
        Ok(())
    }

    async fn order_look(&self, way: &Way, order: &Order) -> Result<Outcome, Stop> {
        let found = if order.state.has_been_paid() {
            self.paid_look(way, order).await?
        } else {
            self.unpaid_look(way, order).await?
        };
        if let Outcome::Open(_) = found {
            // Nothing new there: the books may lack what we have known for long.
            self.books_nudge(order).await?;
            self.parcel_nudge(order).await?;
        }
        Ok(found)
    }

    async fn unpaid_look(&self, way: &Way, order: &Order) -> Result<Outcome, Stop> {
        let found = match order.body.checkout_code {
            Some(code) => self.checkout_look(way, &order.id, code).await?,
            None => Outcome::Open("the order has no code at the provider"),
        };
        match (found, &order.body.payment_reference) {
            (Outcome::Open(_), Some(reference)) => self.reference_look(way, order, reference).await,
            (found, _) => Ok(found),
        }
    }

    /// Looks what became of money that was taken: as a rule with one call, because that is asked of every paid order again
    /// and again.
    async fn paid_look(&self, way: &Way, order: &Order) -> Result<Outcome, Stop> {
        let known = self.app.orders.payment_facts(self.tenant, &order.id).await?;
        let codes = known.iter().filter_map(|fact| fact.checkout_code).chain(order.body.checkout_code);
        let mut facts = Vec::new();
        for code in codes.collect::<BTreeSet<_>>() {
            facts.extend(way.payments.transactions_of(&way.access, code).await?);
        }
        if facts.is_empty() {
            for fact in &known {
                facts.extend(way.payments.transaction(&way.access, &fact.transaction).await?);
            }
        }
        if !facts.is_empty() {
            return self.apply(&order.id, &facts).await;
        }
        if order.state == OrderState::Refunded {
            return Ok(Outcome::Open("the provider shows nothing any more of what was given back"));
        }
        // A void right after the payment leaves nothing behind at the provider, and neither does anything else.
        self.app.open_work.open_drop(self.tenant, OpenKind::Refund, &order.id).await?;
        let message = said!(
            "parked-payment-gone",
            "The payment provider shows nothing any more of the payment that was taken for this order. Check there \
             whether the payment stands."
        );
        Err(park_order("reversal_unclear", message, &order.id, known.first()))
    }

    /// Looks how an order stands at the provider.
    pub(super) async fn checkout_look(
        &self,
        way: &Way,
        id: &OrderId,
        code: CheckoutCode,
    ) -> Result<Outcome, Stop> {
        match way.payments.checkout(&way.access, code).await? {
            Some(CheckoutState::Paid) => {
                let facts = way.payments.transactions_of(&way.access, code).await?;
                if facts.is_empty() {
                    return Ok(Outcome::Open("the provider shows no transaction of the paid order"));
                }
                self.apply(id, &self.with_methods(way, facts).await?).await
            }
            Some(CheckoutState::Cancelled) => self.cancel(id).await,
            Some(CheckoutState::Pending | CheckoutState::Expired) | None => {
                Ok(Outcome::Open("the order is neither paid nor cancelled at the provider"))
            }
        }
    }

    /// A list may leave out how the buyer paid, which a charge read by itself tells.
    async fn with_methods(&self, way: &Way, mut facts: Vec<PaymentFact>) -> Result<Vec<PaymentFact>, Stop> {
        let is_untold = |fact: &&mut PaymentFact| {
            fact.kind == FactKind::Charge
                && fact.status == FactStatus::Captured
                && fact.method == PaymentMethod::default()
        };
        for fact in facts.iter_mut().filter(is_untold) {
            if let Some(told) = way.payments.transaction(&way.access, &fact.transaction).await? {
                fact.method = told.method;
            }
        }
        Ok(facts)
    }

    /// Looks at the transaction that the webshop named.
    async fn reference_look(&self, way: &Way, order: &Order, reference: &str) -> Result<Outcome, Stop> {
        let Ok(id) = TransactionId::parse(&reference.to_ascii_lowercase()) else {
            return Ok(Outcome::Open("the payment reference is no transaction's id"));
        };
        let Some(fact) = way.payments.transaction(&way.access, &id).await? else {
            return Ok(Outcome::Open("the provider does not know the payment reference"));
        };
        let facts = match fact.checkout_code {
            Some(code) => self.with_listed(way, fact, code).await?,
            None => vec![fact],
        };
        self.apply(&order.id, &facts).await
    }

    async fn order_match(
        &self,
        way: &Way,
        id: &OrderId,
        transaction: &TransactionId,
    ) -> Result<Outcome, Stop> {
        let Some(fact) = self.transaction(way, transaction).await? else {
            let message = said!(
                "parked-match-unknown",
                "Payment {transaction} was to be matched by hand, but the payment provider does not know it.",
                transaction
            );
            return Err(park_order("transaction_unknown", message, id, None));
        };
        let mut keys = vec![LookUp::Transaction(transaction.to_string())];
        keys.extend(fact.checkout_code.map(LookUp::CheckoutCode));
        for key in keys {
            let owner = self.app.orders.order_find(self.tenant, &key).await?;
            if let Some(owner) = owner.filter(|owner| owner != id) {
                let message = said!(
                    "parked-match-taken",
                    "Payment {transaction} was to be matched by hand, but it belongs to order {owner}.",
                    transaction,
                    owner
                );
                return Err(park_order("transaction_taken", message, id, Some(&fact)));
            }
        }
        let facts = match fact.checkout_code {
            Some(code) => self.with_listed(way, fact, code).await?,
            None => vec![fact],
        };
        self.apply(id, &facts).await
    }
}
