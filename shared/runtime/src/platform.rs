//! Builds what a function runs on, once per process: clients, stores and connectors.

use std::sync::Arc;

use bokbro_app::app::App;
use bokbro_aws::{Clients, Tables};
use bokbro_connectors::registry::{Registry, Urls};

use crate::clock::SystemClock;
use crate::config::{Config, Missing, Role, variable};

/// Why a function could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A variable is missing.
    #[error(transparent)]
    Missing(#[from] Missing),
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
}

impl Platform {
    /// Reads the environment, starts logging and builds every client, so that no event has to.
    ///
    /// # Errors
    /// When a variable is missing or a client could not be built.
    pub async fn start(role: Role) -> Result<Self, StartError> {
        let config = Config::read(role, &variable)?;
        crate::telemetry::start(&config.log);
        let clients = Clients::load(role.app_name()).await?;
        let clock = Arc::new(SystemClock);
        let registry = Registry::new(Urls::overridden(&variable), clock.clone())
            .map_err(|error| StartError::Providers(error.into()))?;
        let tables = Tables { hub: config.hub_table, idempotency: config.idempotency_table };
        let app = App::new(
            Arc::new(clients.hub(tables)),
            Arc::new(clients.queues(config.queues.clone())),
            Arc::new(clients.dead_letters(&config.queues, &config.dead_letters)),
            Arc::new(clients.vault(config.secret_prefix)),
            clock,
            Arc::new(registry),
        );
        Ok(Self { app, public_url: config.public_url })
    }
}
