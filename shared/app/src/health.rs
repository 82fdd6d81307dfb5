//! Whether everything works that we stand on: tables, queues, secrets, where people sign in, and the providers that a
//! tenant is connected to. All are asked at once and none is changed, each with a time-out of its own: the queues', tables'
//! and secrets' are the SDK's ten seconds; others must have answered within `LIMIT`.

use bokbro_domain::ids::{Provider, TenantId};
use futures::future::{BoxFuture, FutureExt as _, join_all};
use jiff::{SignedDuration, Timestamp};

use crate::access::secret_name;
use crate::app::App;
use crate::error::{Error, chain};
use crate::ports::{QueueName, SignIn};
use crate::records::{Connection, ConnectionState};

/// How long providers have.
const LIMIT: SignedDuration = SignedDuration::from_secs(5);
/// Name under which nobody has delivered anything.
const NO_DELIVERY: &str = "health";

/// What is known of one thing that we stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// It works.
    Ok,
    /// It was not asked, and nothing says that it does not work.
    Skipped,
    /// It does not work.
    Failed,
}

impl CheckState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Skipped, Self::Failed];

    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// One thing that we stand on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Which: `table`, `queue:payments`, `connection:` and a provider.
    pub name: String,
    /// Whether it works.
    pub state: CheckState,
    /// How long it took to find out, in milliseconds.
    pub duration_ms: i64,
    /// What is wrong and what to do next.
    pub message: Option<String>,
}

type Asked<'a> = (String, BoxFuture<'a, Result<(), Error>>);

/// Asks everything that we stand on, for one tenant.
pub async fn health_deep(app: &App, sign_in: Option<&dyn SignIn>, tenant: &TenantId) -> Vec<Check> {
    let deadline = app.clock.now().saturating_add(LIMIT).unwrap_or(Timestamp::MAX);
    let mut asked: Vec<Asked<'_>> = vec![
        ("table".to_owned(), async { app.directory.settings_get(tenant).await.map(drop) }.boxed()),
        ("idempotency".to_owned(), idempotency(app).boxed()),
        ("secrets".to_owned(), secrets(app, tenant).boxed()),
    ];
    for queue in QueueName::ALL {
        let waiting = async move { app.queues.queue_waiting(queue).await.map(drop) };
        asked.push((format!("queue:{}", queue.as_str()), waiting.boxed()));
    }
    if let Some(at) = sign_in {
        asked.push(("sign_in".to_owned(), at.check(deadline)));
    }
    for provider in app.providers.names() {
        let name = format!("connection:{provider}");
        match app.directory.connection_get(tenant, &provider).await {
            Ok(Some(connection)) if connection.state != ConnectionState::Disconnected => {
                asked.push((name, connection_check(app, connection, deadline).boxed()));
            }
            Ok(_) => {}
            Err(error) => asked.push((name, async { Err(error) }.boxed())),
        }
    }
    join_all(asked.into_iter().map(|(name, asking)| check(app, name, asking))).await
}

async fn idempotency(app: &App) -> Result<(), Error> {
    app.inbox.delivery_outcome(NO_DELIVERY, app.clock.now()).await.map(drop)
}

/// Reads the secrets of some connection, which need not be there.
async fn secrets(app: &App, tenant: &TenantId) -> Result<(), Error> {
    let Some(provider) = app.providers.names().into_iter().next() else { return Ok(()) };
    app.vault.secret_get(&secret_name(tenant, &provider)).await.map(drop)
}

/// Asks a provider whether it lets us in. A consent that has ended is not tried again here.
async fn connection_check(app: &App, connection: Connection, deadline: Timestamp) -> Result<(), Error> {
    let (tenant, provider): (TenantId, Provider) = (connection.tenant.clone(), connection.provider.clone());
    let state = app.token_states.token_state(&tenant, &provider).await?;
    if let Some(message) = state.ended {
        return Err(Error::Consent { provider: provider.to_string(), message });
    }
    let Some(checkup) = app.providers.checkup(&provider) else { return Ok(()) };
    checkup.check(&app.access.open(connection).await?.until(deadline)).await.map(drop)
}

async fn check(app: &App, name: String, asking: BoxFuture<'_, Result<(), Error>>) -> Check {
    let began = app.clock.now();
    let result = asking.await;
    let duration_ms = i64::try_from(app.clock.now().duration_since(began).as_millis()).unwrap_or(i64::MAX);
    let (state, message) = match result {
        Ok(()) => (CheckState::Ok, None),
        Err(error) => {
            tracing::warn!(
                code = "health_check_failed",
                check = name,
                duration_ms,
                error = chain(&error),
                "not well"
            );
            let (state, message) = told(&error);
            (state, Some(message))
        }
    };
    Check { name, state, duration_ms, message }
}

/// What is wrong and what to do next. Causes stand in the log.
fn told(error: &Error) -> (CheckState, String) {
    match error {
        Error::Storage { step, .. } => {
            let message = format!(
                "AWS did not answer properly at {step}. Look for health_check_failed in the log of the function admin: \
                 AccessDenied means the function's role, anything else the AWS health dashboard."
            );
            (CheckState::Failed, message)
        }
        Error::Consent { message, .. } => (CheckState::Failed, message.to_string()),
        Error::Unavailable { provider, .. } => {
            let message = format!(
                "{provider} did not answer properly. Try again in a minute; if it goes on, see what the provider says of its \
                 own health. Work that needs it waits and goes on by itself."
            );
            (CheckState::Failed, message)
        }
        Error::Busy { provider, after, .. } => {
            let message =
                format!("{provider} takes no more calls for {} s: ask again then.", after.as_secs() + 1);
            (CheckState::Skipped, message)
        }
        other => {
            (CheckState::Failed, format!("{other}. Try again; the log of the function admin says more."))
        }
    }
}
