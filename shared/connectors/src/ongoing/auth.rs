//! Who may write: one user of the API with its password, and the goods owner that it acts for. There are no tokens.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use bokbro_app::connections::WEBHOOK_TOKEN;
use bokbro_app::error::Error;
use bokbro_app::ports::{Access, Checkup, EntryField, Findings, GrantKind, TokenEndpoint, TokenGrant};
use bokbro_app::records::Connection;
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_app::webhooks::token_sha256;
use bokbro_domain::said;
use bokbro_domain::shipment::Stage;

use super::Ongoing;
use crate::kit::{Auth, Client};

/// Setting with the warehouse's name, the first segment of every path.
const WAREHOUSE: &str = "warehouse";
/// Setting with the goods owner's number.
const GOODS_OWNER: &str = "goods_owner_id";
/// Setting with the status number from which goods are being picked.
const PICKING_FROM: &str = "picking_from";
/// Setting with the status numbers of orders that have left, with commas.
const SHIPPED: &str = "shipped_statuses";
/// Setting with the status numbers of orders that were canceled, with commas.
const CANCELLED: &str = "cancelled_statuses";
/// The secret that the webhook's deliveries carry.
const WEBHOOK_SECRET: &str = "webhook_token";
/// Shorter secrets could be guessed.
const SHORTEST_SECRET: usize = 16;

/// What people enter. The webhook's secret is one that they make up and enter at the warehouse too.
pub const ENTRY_FIELDS: &[EntryField] = &[
    EntryField { name: WAREHOUSE, secret: false, required: true },
    EntryField { name: GOODS_OWNER, secret: false, required: true },
    EntryField { name: "user", secret: true, required: true },
    EntryField { name: "password", secret: true, required: true },
    EntryField { name: WEBHOOK_SECRET, secret: true, required: false },
    EntryField { name: PICKING_FROM, secret: false, required: false },
    EntryField { name: SHIPPED, secret: false, required: false },
    EntryField { name: CANCELLED, secret: false, required: false },
];

/// The connection's settings. What status numbers mean is the warehouse's own choice (`apis/viva-ongoing-bank.md` 2.2);
/// the defaults are those of a new system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) warehouse: String,
    pub(super) goods_owner: u32,
    picking_from: u32,
    shipped: BTreeSet<u32>,
    cancelled: BTreeSet<u32>,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// `Consent` for one that is missing or is no number: whoever corrects it sets going again what waits.
    pub(super) fn read(client: &Client, connection: &Connection) -> Result<Self, Error> {
        let get = |name: &str| connection.settings.get(name).map(|value| value.trim());
        let missing = |name: &str| {
            client.consent(said!("access-never-entered", "its {name} was never entered; enter it", name))
        };
        let not_numbers = |name: &str| {
            client.consent(said!("ongoing-not-numbers", "its {name} must be numbers; correct it", name))
        };
        let numbers = |name: &str, otherwise: &[u32]| match get(name).filter(|text| !text.is_empty()) {
            None => Ok(otherwise.iter().copied().collect()),
            Some(text) => text
                .split(',')
                .map(|number| number.trim().parse())
                .collect::<Result<BTreeSet<u32>, _>>()
                .map_err(|_| not_numbers(name)),
        };
        let goods_owner = get(GOODS_OWNER).ok_or_else(|| missing(GOODS_OWNER))?;
        Ok(Self {
            warehouse: get(WAREHOUSE).ok_or_else(|| missing(WAREHOUSE))?.to_owned(),
            goods_owner: goods_owner.parse().map_err(|_| not_numbers(GOODS_OWNER))?,
            picking_from: numbers(PICKING_FROM, &[400])?.first().copied().unwrap_or(400),
            shipped: numbers(SHIPPED, &[450, 500, 800])?,
            cancelled: numbers(CANCELLED, &[1000])?,
        })
    }

    /// What a status number means. Picked is not shipped.
    pub(super) fn stage(&self, status: u32) -> Stage {
        if self.cancelled.contains(&status) {
            Stage::Cancelled
        } else if self.shipped.contains(&status) {
            Stage::Shipped
        } else if status >= self.picking_from {
            Stage::Picking
        } else {
            Stage::Open
        }
    }
}

/// User and password.
///
/// # Errors
/// `Consent` when they were never entered.
pub(super) fn basic(client: &Client, credentials: &Credentials) -> Result<Auth, Error> {
    let entered = |name: &str| {
        credentials.get(name).ok_or_else(|| {
            client.consent(said!("access-never-entered", "its {name} was never entered; enter it", name))
        })
    };
    Ok(Auth::Basic { user: entered("user")?.expose().to_owned(), password: entered("password")?.clone() })
}

#[async_trait]
impl Checkup for Ongoing {
    /// Reads the statuses, which any user may, and an article, which only a user of this goods owner may.
    async fn check(&self, access: &Access) -> Result<Findings, Error> {
        let api = self.api(access)?;
        let statuses = api.statuses().await?;
        api.articles_of_goods_owner().await.map_err(|error| match error {
            // Any refusal here is about the one thing that was asked for.
            Error::Parked(_) => {
                let name = GOODS_OWNER;
                self.client.consent(said!(
                    "ongoing-no-goods-owner",
                    "it does not know the {name}; correct it",
                    name
                ))
            }
            other => other,
        })?;
        let mut findings = Findings::default();
        let known: Vec<String> = statuses.iter().map(|(number, text)| format!("{number} {text}")).collect();
        findings.details.insert("statuses".to_owned(), known.join(", "));
        if let Some(secret) = access.credentials.get(WEBHOOK_SECRET) {
            if secret.expose().chars().count() < SHORTEST_SECRET {
                let message = said!(
                    "ongoing-short-secret",
                    "its {name} is shorter than {least} characters; make up a longer one",
                    name = WEBHOOK_SECRET,
                    least = SHORTEST_SECRET
                );
                return Err(self.client.consent(message));
            }
            findings.settings.insert(WEBHOOK_TOKEN.to_owned(), token_sha256(secret.expose()));
        }
        Ok(findings)
    }
}

/// A connection is opened by its token endpoint; this one has nothing to give, and nothing asks it for anything.
#[async_trait]
impl TokenEndpoint for Ongoing {
    fn app_secret(&self) -> Option<&str> {
        None
    }

    fn grant_kind(&self, _: &Connection) -> GrantKind {
        GrantKind::ClientCredentials
    }

    fn refresh_life(&self) -> Option<Duration> {
        None
    }

    async fn client_credentials(
        &self,
        _: &Connection,
        _: &Credentials,
        _: &Credentials,
    ) -> Result<TokenGrant, Error> {
        Err(self.no_tokens())
    }

    async fn refresh(&self, _: &Connection, _: &Credentials, _: &SecretText) -> Result<TokenGrant, Error> {
        Err(self.no_tokens())
    }
}

impl Ongoing {
    fn no_tokens(&self) -> Error {
        self.client.consent(said!(
            "ongoing-no-tokens",
            "it has user and password and no tokens; check the connection instead"
        ))
    }
}
