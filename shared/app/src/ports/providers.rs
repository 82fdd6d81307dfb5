//! Providers by capability: what a connector can do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bokbro_domain::effect::{Intent, Ledger, Receipt, StepName};
use bokbro_domain::ids::{CheckoutCode, OrderNumber, Provider, TransactionId};
use bokbro_domain::money::Money;
use bokbro_domain::payment::PaymentFact;
use bokbro_domain::posting::{Chart, DayVoucher, Posting};
use jiff::Timestamp;

use crate::error::{Error, Reason};
use crate::message::{PaymentHint, Unreadable};
use crate::ports::{Limited, Pace, ParcelWebhooks, Registers, Shipping};
use crate::records::Connection;
use crate::secret::{Credentials, SecretText};

/// A way in at a provider for one connection: settings, credentials and a token that is fresh when asked for.
#[derive(Clone)]
pub struct Access {
    /// The connection, with the provider's own settings by name.
    pub connection: Arc<Connection>,
    /// The connection's own secrets (entered API keys and the like).
    pub credentials: Arc<Credentials>,
    /// Access tokens.
    pub tokens: Arc<dyn Tokens>,
    /// The pace that the provider's limits allow.
    pub pace: Arc<dyn Pace>,
    /// When the work that it was opened for must be over, if that is known: nothing is waited for past half of what is
    /// left until then.
    pub deadline: Option<Timestamp>,
}

impl Access {
    /// The same way in for work that must be over by a time.
    #[must_use]
    pub fn until(self, deadline: Timestamp) -> Self {
        Self { deadline: Some(deadline), ..self }
    }
}

/// Hands out access tokens of one connection.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// A token that is good for some minutes more.
    ///
    /// # Errors
    /// `Consent` when the provider refuses for good, `Unavailable` when it cannot be reached.
    async fn token(&self) -> Result<SecretText, Error>;

    /// The provider said 401 to this token: forget it, so that the next one is another.
    async fn refused(&self, token: &SecretText);
}

/// What a token endpoint gave.
#[derive(Clone)]
pub struct TokenGrant {
    /// The access token.
    pub access_token: SecretText,
    /// How long it is good for.
    pub expires_in: Duration,
    /// The refresh token that counts from now on, when there is one. Providers that rotate give another each time.
    pub refresh_token: Option<SecretText>,
}

/// How a connection gets its access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantKind {
    /// With the app's or the connection's own credentials: nothing rotates, nothing can be lost.
    ClientCredentials,
    /// With a refresh token, which may rotate at each use.
    RefreshToken,
}

/// A provider's token endpoint.
#[async_trait]
pub trait TokenEndpoint: Send + Sync {
    /// Name in the vault of the app's own credentials, when the provider has any besides the connection's.
    fn app_secret(&self) -> Option<&str>;

    /// How this connection gets its tokens.
    fn grant_kind(&self, connection: &Connection) -> GrantKind;

    /// How long a refresh token lives that nobody uses, when the provider says so.
    fn refresh_life(&self) -> Option<Duration>;

    /// Fetches an access token with client credentials. Called once; never repeated after sending.
    ///
    /// # Errors
    /// `Consent` when the provider refuses for good, anything else otherwise.
    async fn client_credentials(
        &self,
        connection: &Connection,
        app: &Credentials,
        own: &Credentials,
    ) -> Result<TokenGrant, Error>;

    /// Fetches an access token with a refresh token. Called once; never repeated after sending.
    ///
    /// # Errors
    /// `Consent` when the provider refuses the refresh token for good, anything else otherwise.
    async fn refresh(
        &self,
        connection: &Connection,
        app: &Credentials,
        refresh_token: &SecretText,
    ) -> Result<TokenGrant, Error>;
}

/// How an order stands at the payment provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckoutState {
    /// Not paid yet.
    Pending,
    /// Ran out of time.
    Expired,
    /// Canceled.
    Cancelled,
    /// Paid.
    Paid,
}

/// What a payment page is opened for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutWish {
    /// What is to be paid.
    pub amount: Money,
    /// The order that it is for: the payment carries its number.
    pub order_number: OrderNumber,
    /// What the buyer reads.
    pub text: String,
}

/// A payment provider: its facts, and a page to pay on.
#[async_trait]
pub trait Payments: Send + Sync {
    /// A transaction by id; `None` when the provider does not know it (yet).
    ///
    /// # Errors
    /// By what happens next.
    async fn transaction(&self, access: &Access, id: &TransactionId) -> Result<Option<PaymentFact>, Error>;

    /// All transactions of an order at the provider.
    ///
    /// # Errors
    /// By what happens next.
    async fn transactions_of(&self, access: &Access, code: CheckoutCode) -> Result<Vec<PaymentFact>, Error>;

    /// How an order stands; `None` when the provider does not know it.
    ///
    /// # Errors
    /// By what happens next.
    async fn checkout(&self, access: &Access, code: CheckoutCode) -> Result<Option<CheckoutState>, Error>;

    /// Opens a payment page for an order; sent once. Webshops open their own, so only test orders come here. A page that
    /// nobody hears of is never paid and expires.
    ///
    /// # Errors
    /// By what happens next.
    async fn checkout_open(&self, access: &Access, wish: &CheckoutWish) -> Result<CheckoutCode, Error>;

    /// Address of the page on which buyers pay an order.
    fn checkout_page(&self, code: CheckoutCode) -> String;
}

/// A provider's webhooks.
pub trait Webhooks: Send + Sync {
    /// What the handshake answers, as JSON text.
    fn handshake(&self, key: &str) -> String;

    /// Reads a delivery from its exact bytes.
    ///
    /// # Errors
    /// When the body is not an event of the provider; the error never quotes it.
    fn parse(&self, body: &[u8]) -> Result<PaymentHint, Unreadable>;
}

/// What a look-up at a provider found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The document is there.
    Yes(Receipt),
    /// Nothing like it is visible.
    No,
}

/// Why a send did not end in a receipt.
#[derive(Debug)]
pub enum SendError {
    /// Surely nothing was written: not connected, limited (429), or not let in (401, 403, licence).
    NotDone(Error),
    /// It may have been written: no answer, a broken one, or a failure after sending.
    Unknown(Error),
    /// The provider said no for good.
    Rejected(Reason),
}

/// One order's way into one provider, as a row of steps. States facts and builds requests; the engine decides, stores
/// and calls.
#[async_trait]
pub trait Effector: Send + Sync {
    /// The steps in order.
    fn steps(&self) -> Vec<StepName>;

    /// What a step would send, given what is done before it; `None` when it is not needed. Pure, and the same for the
    /// same ledger.
    ///
    /// # Errors
    /// `Parked` when the step must not be taken, for a total that differs say.
    fn intent(&self, step: &StepName, ledger: &Ledger) -> Result<Option<Intent>, Error>;

    /// Looks for the step's document by its reference, with an exact match. Reads only.
    ///
    /// # Errors
    /// By what happens next.
    async fn look_up(&self, intent: &Intent, ledger: &Ledger) -> Result<Found, Error>;

    /// Reads the document of a number that a human named and takes it as the step's when it fits: it carries our reference,
    /// is on the order's total, and is not canceled. Reads only.
    ///
    /// # Errors
    /// `Parked` with what does not fit; otherwise by what happens next.
    async fn adopt(&self, intent: &Intent, number: &str, ledger: &Ledger) -> Result<Receipt, Error>;

    /// Sends the step's request, once.
    ///
    /// # Errors
    /// By what is known of the outcome.
    async fn send(&self, intent: &Intent, ledger: &Ledger) -> Result<Receipt, SendError>;

    /// A document's number under its API name (`invoice_number`), for those steps that people want to see.
    fn number_name(&self, step: &StepName) -> Option<&'static str>;
}

/// A ledger program.
#[async_trait]
pub trait Accounting: Send + Sync {
    /// Reads accounts, ways of payment, accounting method and locked period from the provider's settings.
    ///
    /// # Errors
    /// By what happens next.
    async fn read_chart(&self, access: &Access) -> Result<Chart, Error>;

    /// The way of one posting into the books.
    fn effector(&self, access: Access, posting: Posting) -> Box<dyn Effector>;

    /// Whether an order's credits share a step with its sale: it is about the buyer or the goods, not about one document.
    fn is_shared(&self, step: &StepName) -> bool;
}

/// A ledger program that takes vouchers (verifikationer).
pub trait Vouchers: Send + Sync {
    /// The way of one day's voucher into the books. Its last step leaves the voucher's number.
    fn effector(&self, access: Access, voucher: DayVoucher) -> Box<dyn Effector>;
}

/// What a provider's consent page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRequest {
    /// Where the browser comes back to; registered at the provider.
    pub redirect_uri: String,
    /// Comes back with the browser.
    pub state: String,
    /// Consent for a service account instead of a person, where the provider has that.
    pub service_account: bool,
}

/// What a consent gave.
#[derive(Clone)]
pub struct Consented {
    /// The first tokens.
    pub grant: TokenGrant,
    /// Whose company it is, as the provider numbers companies; what `settings` is compared with on re-consent.
    pub company: String,
    /// Settings that the connection gets from it, the company among them.
    pub settings: BTreeMap<String, String>,
}

/// Why a consent page sent the browser back without a consent, and what a person can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConsentRefusal {
    /// The person said no.
    Denied,
    /// The app asks for scopes that are not enabled for it.
    InvalidScope,
    /// The company lacks a licence for the integration or a module.
    MissingLicense,
    /// Only a system administrator may consent.
    MissingAdminRight,
    /// The provider said nothing at all; its account may be locked.
    Nothing,
    /// The code was used before, or too late.
    CodeExpired,
    /// The consent is for another company than the connection's.
    OtherCompany,
    /// Something else.
    Other,
}

/// A provider whose consent is given in a browser.
#[async_trait]
pub trait OAuth: Send + Sync {
    /// Address of the consent page.
    ///
    /// # Errors
    /// `Consent` when the app's credentials lack something.
    fn consent_url(&self, app: &Credentials, request: &ConsentRequest) -> Result<String, Error>;

    /// What an `error` of the callback means.
    fn refusal(&self, error: &str) -> ConsentRefusal;

    /// Exchanges a code for the first tokens. Called once; never repeated after sending.
    ///
    /// # Errors
    /// `Consent` when the provider refuses the code for good, anything else otherwise.
    async fn exchange(
        &self,
        app: &Credentials,
        code: &SecretText,
        request: &ConsentRequest,
    ) -> Result<Consented, Error>;

    /// Takes a refresh token back at the provider.
    ///
    /// # Errors
    /// By what happens next.
    async fn revoke(&self, app: &Credentials, refresh_token: &SecretText) -> Result<(), Error>;
}

/// What a cheap read at the provider found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// Company or merchant name.
    pub name: Option<String>,
    /// More that a person wants to know, by its API name.
    pub details: BTreeMap<String, String>,
    /// Settings that the connection gets from it, a webhook key say.
    pub settings: BTreeMap<String, String>,
}

/// A provider that can be asked whether a connection works.
#[async_trait]
pub trait Checkup: Send + Sync {
    /// Asks with one or two reads.
    ///
    /// # Errors
    /// By what happens next.
    async fn check(&self, access: &Access) -> Result<Findings, Error>;
}

/// A field that people enter for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryField {
    /// Its API name.
    pub name: &'static str,
    /// Whether it goes to the vault and is never shown again.
    pub secret: bool,
    /// Whether it must be there.
    pub required: bool,
}

/// The senders of webhooks among the providers.
pub trait Senders: Send + Sync {
    /// Sender of webhooks about payments.
    fn webhooks(&self, provider: &Provider) -> Option<Arc<dyn Webhooks>>;
    /// Sender of webhooks about parcels.
    fn parcel_webhooks(&self, provider: &Provider) -> Option<Arc<dyn ParcelWebhooks>>;
}

/// The providers that this build knows, by capability.
pub trait Providers: Senders {
    /// Payment provider.
    fn payments(&self, provider: &Provider) -> Option<Arc<dyn Payments>>;
    /// Ledger program.
    fn accounting(&self, provider: &Provider) -> Option<Arc<dyn Accounting>>;
    /// Ledger program that takes vouchers.
    fn vouchers(&self, provider: &Provider) -> Option<Arc<dyn Vouchers>>;
    /// Ledger program whose registers can be read back.
    fn registers(&self, provider: &Provider) -> Option<Arc<dyn Registers>>;
    /// Warehouse, or that another system writes to it.
    fn shipping(&self, provider: &Provider) -> Option<Shipping>;
    /// Token endpoint.
    fn tokens(&self, provider: &Provider) -> Option<Arc<dyn TokenEndpoint>>;
    /// Consent in a browser.
    fn oauth(&self, provider: &Provider) -> Option<Arc<dyn OAuth>>;
    /// Whether a connection works.
    fn checkup(&self, provider: &Provider) -> Option<Arc<dyn Checkup>>;
    /// Limits on calls, where the provider has any.
    fn limited(&self, provider: &Provider) -> Option<Arc<dyn Limited>>;
    /// What people enter for a connection; `None` for a provider that this build does not know.
    fn entry_fields(&self, provider: &Provider) -> Option<&'static [EntryField]>;
    /// All providers, by name.
    fn names(&self) -> Vec<Provider>;
}
