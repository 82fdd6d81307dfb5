//! Builds what a function runs on, once per process: clients, stores and connectors.

use std::sync::Arc;

use bokbro_app::app::App;
use bokbro_app::ports::{SignIn, Vault};
use bokbro_app::test_orders::Stage;
use bokbro_aws::{Clients, Tables};
use bokbro_connectors::kit::Transport;
use bokbro_connectors::registry::{Registry, Urls};
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
    /// Where webhooks may come from.
    pub sources: Sources,
    /// Where people sign in, when that is set up.
    pub sign_in: Option<Arc<dyn SignIn>>,
}

impl Platform {
    /// Reads the environment, starts logging and builds every client, so that no event has to.
    ///
    /// # Errors
    /// When a variable is missing or a client could not be built.
    pub async fn start(role: Role) -> Result<Self, StartError> {
        let config = Config::read(role, &variable)?;
        let function_version = config.function_version;
        // Without a name its figures must not pass for anybody else's.
        let stage = config.stage.clone().unwrap_or_else(|| "unnamed".to_owned());
        crate::telemetry::start(&config.log, Speaker { function: role.as_str(), stage, function_version });
        let sources = Sources::parse(&config.webhook_sources)?;
        let clients = Clients::load(&role.app_name()).await?;
        let clock = Arc::new(SystemClock);
        let wire = Arc::new(Transport::new().map_err(|error| StartError::Providers(error.into()))?);
        let registry = Registry::over(Urls::overridden(&variable), wire.clone(), clock.clone());
        let vault: Arc<dyn Vault> =
            Arc::new(clients.vault(config.secret_prefix).encrypting_with(config.secrets_key));
        let sign_in = config.sign_in.map(|config| Oidc::new(config, wire, clock.clone(), vault.clone()));
        let tables = Tables { hub: config.hub_table, idempotency: config.idempotency_table };
        let mut app = App::new(
            Arc::new(clients.hub(tables)),
            Arc::new(clients.queues(config.queues.clone())),
            Arc::new(clients.dead_letters(&config.queues, &config.dead_letters)),
            vault,
            clock,
            Arc::new(registry),
        );
        app.patience.look_first = config.look_first;
        let sign_in = sign_in.map(|sign_in| -> Arc<dyn SignIn> { Arc::new(sign_in) });
        let stage = Stage::named(config.stage.as_deref());
        Ok(Self { app, public_url: config.public_url, stage, sources, sign_in })
    }
}
