//! What time brings to do for one connection.

use bokbro_domain::ids::{JobId, Provider, TenantId};
use bokbro_domain::token::TokenState;

use crate::app::{App, Invocation};
use crate::error::{Error, chain};
use crate::message::ConnectionTask;
use crate::ports::GrantKind;
use crate::records::{Connection, ConnectionState};
use crate::registers::registers_read;
use crate::warehouse::{parcels_pull, stock_pull};

/// Does what time has brought. Again, or too late, does nothing.
///
/// # Errors
/// By what happens next.
pub async fn connection_task(
    app: &App,
    invocation: &Invocation,
    tenant: &TenantId,
    provider: &Provider,
    task: ConnectionTask,
    job: Option<&JobId>,
) -> Result<(), Error> {
    match task {
        ConnectionTask::KeepAlive => connection_keep_alive(app, tenant, provider).await,
        ConnectionTask::Parcels => parcels_pull(app, invocation, tenant, provider).await,
        ConnectionTask::Stock => stock_pull(app, invocation, tenant, provider).await,
        ConnectionTask::Registers => registers_read(app, invocation, tenant, provider, job).await,
    }
}

/// Refreshes a token that nobody has used for a week: providers drop a consent that rests for too long.
async fn connection_keep_alive(app: &App, tenant: &TenantId, provider: &Provider) -> Result<(), Error> {
    let Some(connection) = app.directory.connection_get(tenant, provider).await? else { return Ok(()) };
    let idle = lapsing_tokens(app, &connection).await?.idle(app.clock.now());
    if connection.state == ConnectionState::Disconnected || !idle {
        return Ok(());
    }
    match app.access.refresh(connection).await {
        Ok(forced) => {
            tracing::info!(%tenant, %provider, rotated = forced.rotated, "idle connection refreshed");
            Ok(())
        }
        // Trying again helps nobody, and the connection shows it already.
        Err(error @ Error::Consent { .. }) => {
            tracing::error!(%tenant, %provider, code = "consent_ended", error = chain(&error), "idle connection lost");
            Ok(())
        }
        // The next tick is the better retry: an hour is nothing here, and an outage would fill the dead letters.
        Err(error @ Error::Unavailable { .. }) => {
            tracing::warn!(%tenant, %provider, code = error.code(), error = chain(&error), "idle connection waits");
            Ok(())
        }
        Err(other) => Err(other),
    }
}

/// The tokens of a connection whose consent lapses when nobody uses it; of others, which have nothing to lose, nothing is
/// read.
///
/// # Errors
/// When the table fails.
pub(crate) async fn lapsing_tokens(app: &App, connection: &Connection) -> Result<TokenState, Error> {
    let endpoint = app.providers.tokens(&connection.provider);
    if endpoint.is_none_or(|endpoint| endpoint.grant_kind(connection) != GrantKind::RefreshToken) {
        return Ok(TokenState::default());
    }
    app.token_states.token_state(&connection.tenant, &connection.provider).await
}
