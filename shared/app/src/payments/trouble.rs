//! What stops the payments worker, and how it is parked: with everything that a human, or a later try, will need.

use std::collections::BTreeMap;

use bokbro_domain::ids::{CheckoutCode, OrderId, OrderNumber, ParkedId, Provider, TransactionId};
use bokbro_domain::payment::{PaymentFact, order_numbers_in};
use bokbro_domain::said::Said;

use super::Desk;
use crate::error::{Error, Reason};
use crate::message::{Nudge, PaymentHint};
use crate::metrics;
use crate::parked::{MESSAGE, QUEUE, item_park};
use crate::ports::{LookUp, QueueName};
use crate::records::Parked;
use crate::resume::{HINT, NEEDS_CONSENT};

/// Reason code of a payment that fits no order yet.
pub(crate) const UNMATCHED: &str = "unmatched_payment";
/// Detail of a parked item: the provider's id of the transaction.
const TRANSACTION: &str = "transaction";
/// Detail of a parked item: the provider's own order code.
const ORDER_CODE: &str = "order_code";
/// Detail of a parked item: what in the merchant's text may be an order number, as a JSON list.
const ORDER_NUMBERS: &str = "order_numbers";

/// Why a look stops short of an outcome.
pub(super) enum Stop {
    Error(Error),
    Park(Box<Details>),
}

/// What a human will need.
pub(super) struct Details {
    pub(super) reason: Reason,
    order: Option<OrderId>,
    fact: Option<PaymentFact>,
    /// The trouble is the order's, whichever transaction showed it: it is parked once per order.
    of_order: bool,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match error {
            Error::Parked(reason) => {
                Self::Park(Box::new(Details { reason, order: None, fact: None, of_order: false }))
            }
            other => Self::Error(other),
        }
    }
}

/// Trouble with a transaction.
pub(super) fn park(code: &str, message: Said, order: Option<&OrderId>, fact: Option<&PaymentFact>) -> Stop {
    let reason = Reason::new(code, message);
    Stop::Park(Box::new(Details { reason, order: order.cloned(), fact: fact.cloned(), of_order: false }))
}

/// Trouble with an order.
pub(super) fn park_order(code: &str, message: Said, order: &OrderId, fact: Option<&PaymentFact>) -> Stop {
    let reason = Reason::new(code, message);
    Stop::Park(Box::new(Details { reason, order: Some(order.clone()), fact: fact.cloned(), of_order: true }))
}

/// What the worker was looking at.
pub(super) struct About<'a> {
    pub(super) provider: &'a Provider,
    pub(super) transaction: Option<&'a TransactionId>,
    pub(super) order: Option<&'a OrderId>,
    /// The delivery, when it was one: the same look is possible again with it.
    pub(super) hint: Option<&'a PaymentHint>,
}

impl Desk<'_> {
    /// Parks what cannot be looked at without consent: the message is not kept in the queue for it, so what it told of
    /// must stay visible. Every other error is given back.
    pub(super) async fn no_way_in(&self, about: &About<'_>, error: Error) -> Result<(), Error> {
        let Error::Consent { .. } = error else { return Err(error) };
        let reason = Reason::new(NEEDS_CONSENT, error.said());
        self.park(about, &Details { reason, order: None, fact: None, of_order: false }).await
    }

    /// Parks trouble once, however often it comes.
    pub(super) async fn park(&self, about: &About<'_>, details: &Details) -> Result<(), Error> {
        let app = self.app;
        let Details { reason, fact, .. } = details;
        let order = details.order.as_ref().or(about.order);
        let parked = Parked {
            id: ParkedId::from_ulid(app.stamps.ulid(&*app.clock)),
            at: app.clock.now(),
            code: reason.code.clone(),
            message: reason.message.clone(),
            fingerprint: format!("payment:{}:{}", subject(about, details), reason.code),
            order: order.cloned(),
            target: None,
            details: told(self, about, fact.as_ref()),
            correlation: self.invocation.correlation.clone(),
        };
        let is_new = item_park(app, self.tenant, &parked).await?;
        if is_new && parked.code == UNMATCHED {
            let (tenant, provider) = (self.tenant, about.provider);
            tracing::warn!(%tenant, %provider, { metrics::PAYMENTS_UNMATCHED } = 1, "a payment fits no order");
        }
        Ok(())
    }
}

/// What the trouble is about.
fn subject(about: &About<'_>, details: &Details) -> String {
    let order = details.order.as_ref().or(about.order).map(ToString::to_string);
    if details.of_order {
        return order.unwrap_or_default();
    }
    let transaction = about.transaction.map(ToString::to_string);
    if details.reason.code == UNMATCHED
        && let (Some(code), Some(transaction)) =
            (details.fact.as_ref().and_then(|fact| fact.checkout_code), &transaction)
    {
        return format!("{code}:{transaction}");
    }
    let code = about.hint.and_then(|hint| hint.checkout_code).map(|code| code.to_string());
    transaction.or(code).or(order).unwrap_or_default()
}

/// What every unmatched payment of an order code has its fingerprint begin with.
pub(crate) fn unmatched_of(code: CheckoutCode) -> String {
    format!("payment:{code}:")
}

/// Ids and amounts that help to look.
fn told(desk: &Desk<'_>, about: &About<'_>, fact: Option<&PaymentFact>) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    let mut tell = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            told.insert(name.to_owned(), value);
        }
    };
    tell("provider", Some(about.provider.to_string()));
    tell(TRANSACTION, about.transaction.map(ToString::to_string));
    if let Some(hint) = about.hint {
        tell("claimed_order_code", hint.checkout_code.map(|code| code.to_string()));
        tell("claimed_amount", hint.amount.clone());
        tell(HINT, serde_json::to_string(hint).ok());
    } else if let (Some(order), Some(transaction)) = (about.order, about.transaction) {
        // Nobody but the message knows what the human said.
        let (order, provider, transaction) = (order.clone(), about.provider.clone(), transaction.clone());
        let nudge = Nudge::Match { order, provider, transaction };
        tell(QUEUE, Some(QueueName::Payments.as_str().to_owned()));
        tell(MESSAGE, Some(desk.envelope(nudge).to_json()));
    }
    if let Some(fact) = fact {
        tell("amount", Some(fact.amount.to_string()));
        tell("currency", Some(fact.amount.currency.to_string()));
        tell(ORDER_CODE, fact.checkout_code.map(|code| code.to_string()));
        let numbers = fact.merchant_text.as_deref().map(order_numbers_in).unwrap_or_default();
        tell(ORDER_NUMBERS, serde_json::to_string(&numbers).ok().filter(|_| !numbers.is_empty()));
    }
    told
}

/// By what an order may fit a parked payment by now.
pub(crate) fn keys_of(parked: &Parked) -> (Vec<LookUp>, Vec<OrderNumber>) {
    let detail = |name: &str| parked.details.get(name).map(String::as_str);
    let mut keys = Vec::new();
    keys.extend(detail(ORDER_CODE).and_then(|text| CheckoutCode::parse(text).ok()).map(LookUp::CheckoutCode));
    keys.extend(detail(TRANSACTION).map(|text| LookUp::Transaction(text.to_owned())));
    let numbers = detail(ORDER_NUMBERS).and_then(|text| serde_json::from_str(text).ok());
    (keys, numbers.unwrap_or_default())
}
