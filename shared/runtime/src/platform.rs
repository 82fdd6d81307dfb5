//! Builds what a function runs on, once per process: clients, stores and connectors.

use std::sync::Arc;

use bokbro_app::app::App;
use bokbro_app::dead_letters::OutOfSight;
use bokbro_app::ports::SignIn;
use bokbro_app::test_orders::Stage;
use bokbro_app::webhooks::Intake;
use bokbro_aws::{Clients, Tables};
use bokbro_connectors::kit::Transport;
use bokbro_connectors::registry::{Doorbells, Registry, Urls};
use bokbro_connectors::signin::Oidc;

use crate::clock::SystemClock;
use crate::config::{Config, Missing, Role, variable};
use crate::sources::{Sources, UnreadableSource};
use crate::telemetry::Speaker;

/// Why a function could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A variable is missing.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// The addresses that webhooks may come from cannot be read.
    #[error(transparent)]
    Sources(#[from] UnreadableSource),
    /// A client for AWS could not be built.
    #[error("a client for AWS could not be built")]
    Aws(#[from] bokbro_app::error::Error),
    /// The client for providers could not be built.
    #[error("the client for providers could not be built")]
    Providers(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A started function.
pub struct Platform {
    /// The use cases' ports.
    pub app: App,
    /// Where browsers find us, when that is not the address that requests come to.
    pub public_url: Option<String>,
    /// Whether it books what merchants really sell.
    pub stage: Stage,
    /// Where people sign in, when that is set up.
    pub sign_in: Option<Arc<dyn SignIn>>,
    config: Config,
    clients: Clients,
    wire: Arc<Transport>,
}

impl Platform {
    /// Reads the environment, starts logging and builds what most functions need, so that no event has to. What only some
    /// need is added by the methods below, and is in no other function's program.
    ///
    /// # Errors
    /// When a variable is missing or a client could not be built.
    pub async fn start(role: Role) -> Result<Self, StartError> {
        let (config, clients) = load(role).await?;
        // One pool of connections per process.
        let wire = Arc::new(Transport::new().map_err(|error| StartError::Providers(error.into()))?);
        let clock = Arc::new(SystemClock);
        let registry = Registry::over(Urls::overridden(&variable), wire.clone(), clock.clone());
        let vault = clients.vault(config.secret_prefix.clone()).encrypting_with(config.secrets_key.clone());
        let mut app = App::new(
            Arc::new(clients.hub(tables(&config))),
            Arc::new(clients.queues(config.queues.clone())),
            Arc::new(OutOfSight),
            Arc::new(vault),
            clock,
            Arc::new(registry),
        );
        app.patience.look_first = config.look_first;
        let stage = Stage::named(config.stage.as_deref());
        Ok(Self { app, public_url: config.public_url.clone(), stage, sign_in: None, config, clients, wire })
    }

    /// For a function that looks at dead letters.
    #[must_use]
    pub fn with_dead_letters(mut self) -> Self {
        let Config { queues, dead_letters, .. } = &self.config;
        self.app.dead_letters = Arc::new(self.clients.dead_letters(queues, dead_letters));
        self
    }

    /// For a function where people sign in.
    #[must_use]
    pub fn with_sign_in(mut self) -> Self {
        let App { clock, vault, .. } = &self.app;
        self.sign_in = self.config.sign_in.clone().map(|config| -> Arc<dyn SignIn> {
            Arc::new(Oidc::new(config, self.wire.clone(), clock.clone(), vault.clone()))
        });
        self
    }
}

/// The started function that takes deliveries of webhooks. It calls no provider and reads no secret, so nothing that does is
/// in it.
pub struct Receiver {
    /// What its use cases need.
    pub intake: Intake,
    /// Where webhooks may come from.
    pub sources: Sources,
}

impl Receiver {
    /// Reads the environment, starts logging and builds every client, so that no event has to.
    ///
    /// # Errors
    /// When a variable is missing or unreadable, or a client could not be built.
    pub async fn start() -> Result<Self, StartError> {
        let (config, clients) = load(Role::Webhook).await?;
        let clients = clients.in_a_hurry();
        let intake = Intake::new(
            Arc::new(clients.hub(tables(&config))),
            Arc::new(Doorbells),
            Arc::new(clients.queues(config.queues)),
            Arc::new(SystemClock),
        );
        Ok(Self { intake, sources: Sources::parse(&config.webhook_sources)? })
    }
}

/// What every function begins with.
async fn load(role: Role) -> Result<(Config, Clients), StartError> {
    let config = Config::read(role, &variable)?;
    // Without a name its figures must not pass for anybody else's.
    let stage = config.stage.clone().unwrap_or_else(|| "unnamed".to_owned());
    let function_version = config.function_version.clone();
    crate::telemetry::start(&config.log, Speaker { function: role.as_str(), stage, function_version });
    let clients = Clients::load(&role.app_name(), variable("AWS_ENDPOINT_URL")).await?;
    Ok((config, clients))
}

fn tables(config: &Config) -> Tables {
    Tables { hub: config.hub_table.clone(), idempotency: config.idempotency_table.clone() }
}
