//! Viva.com, the payment provider: webhooks as hints, and the transactions that are the facts.

mod auth;
mod map;
mod requests;
#[cfg(test)]
mod tests;
mod webhook;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Access, CheckoutState, CheckoutWish, Clock, Payments};
use bokbro_domain::ids::{CheckoutCode, TransactionId};
use bokbro_domain::payment::PaymentFact;
use bokbro_domain::said;
use serde::de::DeserializeOwned;

use crate::kit::{Answer, Auth, Client, Failure, Request, Wire};

pub use auth::ENTRY_FIELDS;
pub(crate) use webhook::Deliveries;

/// The provider's name in settings, keys and logs.
pub const NAME: &str = "viva";

/// Every call that this connector makes, by its name in logs. Debug builds refuse one that is not listed, so that a test
/// which exercises the whole list exercises the whole connector.
pub const OPERATIONS: [&str; 6] = [
    "fetch_token",
    "read_transaction",
    "search_transactions",
    "read_order",
    "read_webhook_key",
    "create_order",
];

/// Viva's hosts, without a path (`apis/viva-ongoing-bank.md` 1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VivaUrls {
    /// The newer API.
    pub api: String,
    /// The token endpoint.
    pub accounts: String,
    /// The older API, which takes merchant id and API key.
    pub basic: String,
}

impl Default for VivaUrls {
    /// Production.
    fn default() -> Self {
        Self {
            api: "https://api.vivapayments.com".to_owned(),
            accounts: "https://accounts.vivapayments.com".to_owned(),
            basic: "https://www.vivapayments.com".to_owned(),
        }
    }
}

/// Viva, for all tenants.
pub struct Viva {
    urls: VivaUrls,
    client: Client,
}

impl Viva {
    /// Viva behind these hosts.
    #[must_use]
    pub fn new(urls: VivaUrls, wire: Arc<dyn Wire>, clock: Arc<dyn Clock>) -> Self {
        Self { urls, client: Client::new(NAME, wire, clock) }
    }

    /// Sends a read; `None` when Viva does not know what is asked for.
    async fn read(&self, access: &Access, request: &Request) -> Result<Option<Answer>, Error> {
        let answer = self.client.paced(access).read(request).await?;
        match answer.status {
            200..=299 => Ok(Some(answer)),
            404 => Ok(None),
            // What is no id of Viva's may be called malformed instead of unknown; webhooks can be forged with any text.
            400 if request.operation == requests::READ_TRANSACTION => Ok(None),
            status => Err(self.refused(request, status)),
        }
    }

    fn refused(&self, request: &Request, status: u16) -> Error {
        if matches!(status, 401 | 403) {
            return self.not_let_in(request);
        }
        let message = said!(
            "viva-refused",
            "Viva refuses {operation} with status {status}. Check the connection's settings and look at the payment in Viva's \
             own pages.",
            operation = request.operation,
            status
        );
        Error::park(format!("viva_{status}"), message)
    }

    fn not_let_in(&self, request: &Request) -> Error {
        self.client.consent(match request.auth {
            Auth::Bearer(_) => said!(
                "viva-no-right",
                "the API credentials may not read transactions; check their rights in Viva's API access settings"
            ),
            Auth::Basic { .. } | Auth::None => said!(
                "viva-key-refused",
                "it refuses the merchant id and API key; copy them again from Viva's API access settings"
            ),
        })
    }

    fn json<T: DeserializeOwned>(&self, request: &Request, answer: &Answer) -> Result<T, Error> {
        answer.json().map_err(|why| self.garbled(request, why))
    }

    /// The answer to a read cannot be read; it may be readable the next time.
    fn garbled(&self, request: &Request, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        self.client.garbled(request, why).into_read_error()
    }

    fn unmappable(&self, request: &Request, why: map::Unmappable) -> Error {
        match why {
            map::Unmappable::ForPeople(reason) => Error::Parked(reason),
            map::Unmappable::Garbled(what) => self.garbled(request, format!("{what} cannot be read")),
        }
    }
}

#[async_trait]
impl Payments for Viva {
    async fn transaction(&self, access: &Access, id: &TransactionId) -> Result<Option<PaymentFact>, Error> {
        let request = requests::read_transaction(&self.urls, id, access.tokens.clone());
        let Some(answer) = self.read(access, &request).await? else { return Ok(None) };
        let told = self.json(&request, &answer)?;
        map::fact(id, told).map(Some).map_err(|why| self.unmappable(&request, why))
    }

    async fn transactions_of(&self, access: &Access, code: CheckoutCode) -> Result<Vec<PaymentFact>, Error> {
        let request = requests::search_transactions(&self.urls, code, self.merchant(access)?);
        let Some(answer) = self.read(access, &request).await? else { return Ok(Vec::new()) };
        let search: wire::Search = self.json(&request, &answer)?;
        match (search.error_code.as_deref().unwrap_or("0"), search.success.0) {
            ("0", Some(true) | None) => {}
            ("404", _) => return Ok(Vec::new()),
            ("401" | "403", _) => return Err(self.not_let_in(&request)),
            (code, _) => return Err(self.garbled(&request, format!("ErrorCode {code}"))),
        }
        let found = search.transactions.ok_or_else(|| self.garbled(&request, "Transactions is missing"))?;
        let facts = found.into_iter().filter_map(|one| map::found_fact(code, one).transpose());
        facts.collect::<Result<_, _>>().map_err(|why| self.unmappable(&request, why))
    }

    async fn checkout(&self, access: &Access, code: CheckoutCode) -> Result<Option<CheckoutState>, Error> {
        let request = requests::read_order(&self.urls, code, self.merchant(access)?);
        let Some(answer) = self.read(access, &request).await? else { return Ok(None) };
        let order: wire::OrderState = self.json(&request, &answer)?;
        Ok(Some(map::checkout_state(&order.state_id)))
    }

    async fn checkout_open(&self, access: &Access, wish: &CheckoutWish) -> Result<CheckoutCode, Error> {
        let order = map::new_order(wish, &access.connection.settings);
        let request = requests::create_order(&self.urls, &order, access.tokens.clone());
        // Whether it was made does not matter when no code comes back: without the code nobody can pay it.
        let sent = self.client.paced(access).send(&request).await;
        let answer = sent.map_err(Failure::into_read_error)?;
        if !answer.is_success() {
            return Err(self.refused(&request, answer.status));
        }
        let garbled = |why: String| self.client.garbled(&request, why).into_read_error();
        let made: wire::MadeOrder = answer.json().map_err(|why| garbled(why.to_string()))?;
        let code = made.order_code.as_deref().and_then(|code| CheckoutCode::parse(code).ok());
        code.ok_or_else(|| garbled("orderCode cannot be read".to_owned()))
    }

    fn checkout_page(&self, code: CheckoutCode) -> String {
        format!("{}/web/checkout?ref={code}", self.urls.basic)
    }
}
