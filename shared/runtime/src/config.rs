//! The environment, read once at start. A missing variable is named, and what to do about it.

use std::collections::BTreeMap;

use bokbro_app::ports::QueueName;
use bokbro_connectors::signin::SignInConfig;

/// The claim in which Cognito lists a person's groups.
const GROUPS_CLAIM: &str = "cognito:groups";

/// A variable that the function cannot do without is not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {name} is not set; template.yaml sets it for this function")]
pub struct Missing {
    /// The variable.
    pub name: &'static str,
}

/// Which function this process is: decides which variables it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Webhook ingress.
    Webhook,
    /// JSON API.
    Admin,
    /// Consent in a browser.
    Oauth,
    /// Worker that reads payments.
    Payments,
    /// Worker that books.
    Accounting,
    /// Worker that sends parcels.
    Warehouse,
    /// Worker that does what time brings for connections.
    Pulls,
    /// Sends the hourly nudges.
    Scheduler,
    /// Sends dead letters again.
    Replay,
}

impl Role {
    /// All functions.
    pub const ALL: [Self; 9] = [
        Self::Webhook,
        Self::Admin,
        Self::Oauth,
        Self::Payments,
        Self::Accounting,
        Self::Warehouse,
        Self::Pulls,
        Self::Scheduler,
        Self::Replay,
    ];

    /// The function's name in logs, and what its log group ends with.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Admin => "admin",
            Self::Oauth => "oauth",
            Self::Payments => "payments",
            Self::Accounting => "accounting",
            Self::Warehouse => "warehouse",
            Self::Pulls => "pulls",
            Self::Scheduler => "scheduler",
            Self::Replay => "replay",
        }
    }

    /// The function's name in the user agent of its AWS calls.
    #[must_use]
    pub fn app_name(self) -> String {
        format!("bokbro-{}", self.as_str())
    }

    /// Queues that the function sends to or receives from.
    fn queues(self) -> &'static [QueueName] {
        match self {
            Self::Webhook => &[QueueName::Payments, QueueName::Warehouse],
            Self::Admin | Self::Replay => &QueueName::ALL,
            Self::Oauth => &[QueueName::Payments, QueueName::Accounting],
            Self::Payments => &[QueueName::Payments, QueueName::Accounting, QueueName::Warehouse],
            Self::Accounting => &[QueueName::Accounting],
            Self::Warehouse => &[QueueName::Warehouse],
            Self::Pulls => &QueueName::ALL,
            Self::Scheduler => &[QueueName::Pulls],
        }
    }

    /// Queues whose dead letters the function looks at.
    fn dead_letters(self) -> &'static [QueueName] {
        match self {
            Self::Admin | Self::Replay => &QueueName::ALL,
            Self::Webhook
            | Self::Oauth
            | Self::Payments
            | Self::Accounting
            | Self::Warehouse
            | Self::Pulls
            | Self::Scheduler => &[],
        }
    }

    /// Whether the function talks to providers and so needs their secrets.
    fn opens_connections(self) -> bool {
        match self {
            Self::Webhook | Self::Scheduler | Self::Replay => false,
            Self::Admin | Self::Oauth | Self::Payments | Self::Accounting | Self::Warehouse | Self::Pulls => {
                true
            }
        }
    }

    /// Whether the function makes secrets, for which it must know the key that encrypts them.
    fn makes_secrets(self) -> bool {
        match self {
            Self::Admin | Self::Oauth => true,
            Self::Webhook
            | Self::Payments
            | Self::Accounting
            | Self::Warehouse
            | Self::Pulls
            | Self::Scheduler
            | Self::Replay => false,
        }
    }

    /// Whether the function uses the idempotency table.
    fn uses_idempotency(self) -> bool {
        match self {
            Self::Webhook | Self::Oauth | Self::Accounting | Self::Pulls | Self::Replay => false,
            Self::Admin | Self::Payments | Self::Warehouse | Self::Scheduler => true,
        }
    }
}

/// What a function was told at deployment. No secret is among it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Name of the table `hub`.
    pub hub_table: String,
    /// Name of the table `idempotency`; empty for functions that have no use for it.
    pub idempotency_table: String,
    /// Addresses of the queues.
    pub queues: BTreeMap<QueueName, String>,
    /// Addresses of the dead-letter queues.
    pub dead_letters: BTreeMap<QueueName, String>,
    /// What the names of our secrets begin with; empty for functions that open no connections.
    pub secret_prefix: String,
    /// ARN of the key that encrypts the secrets that the function makes; empty for functions that make none.
    pub secrets_key: String,
    /// Where webhooks may come from, as [`Sources`](crate::sources::Sources) reads it; empty for anywhere.
    pub webhook_sources: String,
    /// Where browsers find us, when that is not the address that requests come to: no trailing slash.
    pub public_url: Option<String>,
    /// Where people sign in, for the function that has pages; none when nobody has set it up.
    pub sign_in: Option<SignInConfig>,
    /// Whether the table was restored to an earlier time, so that what it does not tell of may have been sent.
    pub look_first: bool,
    /// What the installation is for: `dev`, `staging` or `prod`.
    pub stage: Option<String>,
    /// The function's version at Lambda.
    pub function_version: String,
    /// Log filter, `info` or `info,bokbro_app=debug`.
    pub log: String,
}

impl Config {
    /// Reads what the function needs through `lookup`, as a rule [`variable`].
    ///
    /// # Errors
    /// When something is missing.
    pub fn read(role: Role, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, Missing> {
        let required = |name: &'static str| lookup(name).ok_or(Missing { name });
        let required_if = |wanted: bool, name| if wanted { required(name) } else { Ok(String::new()) };
        let addresses = |names: &[QueueName], variable: fn(QueueName) -> &'static str| {
            let read = |name: &QueueName| Ok::<_, Missing>((*name, required(variable(*name))?));
            names.iter().map(read).collect::<Result<BTreeMap<_, _>, _>>()
        };
        Ok(Self {
            hub_table: required("BOKBRO_HUB_TABLE")?,
            idempotency_table: required_if(role.uses_idempotency(), "BOKBRO_IDEMPOTENCY_TABLE")?,
            queues: addresses(role.queues(), queue_variable)?,
            dead_letters: addresses(role.dead_letters(), dead_letters_variable)?,
            secret_prefix: required_if(role.opens_connections(), "BOKBRO_SECRET_PREFIX")?,
            secrets_key: required_if(role.makes_secrets(), "BOKBRO_SECRETS_KEY")?,
            webhook_sources: lookup("BOKBRO_WEBHOOK_SOURCES").unwrap_or_default(),
            public_url: lookup("BOKBRO_PUBLIC_URL").map(|url| url.trim_end_matches('/').to_owned()),
            sign_in: lookup("BOKBRO_SIGN_IN_ISSUER").map(|issuer| SignInConfig {
                issuer,
                groups_claim: lookup("BOKBRO_SIGN_IN_GROUPS").unwrap_or_else(|| GROUPS_CLAIM.to_owned()),
            }),
            look_first: lookup("BOKBRO_LOOK_FIRST").is_some_and(|value| value == "true"),
            stage: lookup("BOKBRO_STAGE"),
            function_version: lookup("AWS_LAMBDA_FUNCTION_VERSION").unwrap_or_else(|| "$LATEST".to_owned()),
            log: lookup("BOKBRO_LOG").unwrap_or_else(|| "info".to_owned()),
        })
    }
}

fn queue_variable(queue: QueueName) -> &'static str {
    match queue {
        QueueName::Payments => "BOKBRO_PAYMENTS_QUEUE_URL",
        QueueName::Accounting => "BOKBRO_ACCOUNTING_QUEUE_URL",
        QueueName::Warehouse => "BOKBRO_WAREHOUSE_QUEUE_URL",
        QueueName::Pulls => "BOKBRO_PULLS_QUEUE_URL",
        QueueName::Replays => "BOKBRO_REPLAYS_QUEUE_URL",
    }
}

fn dead_letters_variable(queue: QueueName) -> &'static str {
    match queue {
        QueueName::Payments => "BOKBRO_PAYMENTS_DEAD_LETTERS_URL",
        QueueName::Accounting => "BOKBRO_ACCOUNTING_DEAD_LETTERS_URL",
        QueueName::Warehouse => "BOKBRO_WAREHOUSE_DEAD_LETTERS_URL",
        QueueName::Pulls => "BOKBRO_PULLS_DEAD_LETTERS_URL",
        QueueName::Replays => "BOKBRO_REPLAYS_DEAD_LETTERS_URL",
    }
}

/// A variable of the environment; empty counts as not set, because a template cannot leave one out by condition.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
    }

    #[test]
    fn a_missing_variable_is_named() {
        let pairs = [("BOKBRO_HUB_TABLE", "hub")];
        let error = Config::read(Role::Webhook, &lookup(&pairs)).unwrap_err();
        assert_eq!(error, Missing { name: "BOKBRO_PAYMENTS_QUEUE_URL" });
    }

    #[test]
    fn a_function_needs_no_more_than_it_uses() {
        let pairs = [
            ("BOKBRO_HUB_TABLE", "hub"),
            ("BOKBRO_PAYMENTS_QUEUE_URL", "https://queue"),
            ("BOKBRO_WAREHOUSE_QUEUE_URL", "https://queue"),
        ];
        let config = Config::read(Role::Webhook, &lookup(&pairs)).unwrap();
        assert_eq!(config.secret_prefix, "");
        assert_eq!(config.log, "info");
        assert!(Config::read(Role::Payments, &lookup(&pairs)).is_err());
    }
}
