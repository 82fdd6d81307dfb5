//! The SDK's configuration, read once per process, and the adapters made from it.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::meta::region::ProvideRegion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, SdkConfig};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bokbro_app::error::Error;
use bokbro_app::ports::QueueName;

use crate::dead_letters::SqsDeadLetters;
use crate::hub::{Hub, Tables};
use crate::queues::SqsQueues;
use crate::vault::SecretsVault;

/// Longest wait before the first repeat of a call that somebody waits for; it doubles with the second, the last.
const HURRIED_BACKOFF: Duration = Duration::from_millis(100);

/// Pinned, so that an update of the SDK never changes retries or time-outs behind our back.
fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// A lost connection must show well before the function's own time-out, so that there is time for another try.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(10))
        .build()
}

/// One TLS library in the whole program: the SDK's own choice would bring a second one.
fn http_client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// What every AWS client of a process shares: credentials, region, connections, time-outs and retries.
#[derive(Clone)]
pub struct Clients {
    config: SdkConfig,
}

impl Clients {
    /// Clients of a function. Region and credentials stand in its environment, where Lambda puts them; the SDK's own
    /// search through files and metadata services would be half a megabyte of program that never runs there. `app_name`
    /// shows in the user agent of every call, so that calls can be counted by function; `endpoint` is another AWS than the
    /// real one.
    ///
    /// # Errors
    /// When the name has characters that a user agent cannot carry.
    pub async fn load(app_name: &str, endpoint: Option<String>) -> Result<Self, Error> {
        let name = AppName::new(app_name.to_owned()).map_err(|e| Error::storage("naming the function", e))?;
        let mut config = SdkConfig::builder()
            .app_name(name)
            .behavior_version(behavior())
            .region(EnvironmentVariableRegionProvider::new().region().await)
            .credentials_provider(SharedCredentialsProvider::new(
                EnvironmentVariableCredentialsProvider::new(),
            ))
            .retry_config(RetryConfig::standard())
            .timeout_config(timeouts())
            .http_client(http_client());
        config.set_endpoint_url(endpoint);
        Ok(Self { config: config.build() })
    }

    /// The same for a function that somebody waits for: what failed is tried again after some tenths of a second. The SDK
    /// itself waits for up to one second and then two, which a worker has and a sender of webhooks has not.
    #[must_use]
    pub fn in_a_hurry(self) -> Self {
        let retries = RetryConfig::standard().with_initial_backoff(HURRIED_BACKOFF);
        Self { config: self.config.into_builder().retry_config(retries).build() }
    }

    /// The same settings for callers outside a function, who add their own endpoint or credentials.
    #[must_use]
    pub fn loader() -> ConfigLoader {
        aws_config::defaults(behavior()).timeout_config(timeouts()).http_client(http_client())
    }

    /// Adapters over a configuration that was made elsewhere.
    #[must_use]
    pub fn from_config(config: SdkConfig) -> Self {
        Self { config }
    }

    /// The store over the two tables.
    #[must_use]
    pub fn hub(&self, tables: Tables) -> Hub {
        Hub::new(&self.config, tables)
    }

    /// The queues, each with its address.
    #[must_use]
    pub fn queues(&self, urls: BTreeMap<QueueName, String>) -> SqsQueues {
        SqsQueues::new(&self.config, urls)
    }

    /// The dead letters of those queues of which both addresses are given.
    #[must_use]
    pub fn dead_letters(
        &self,
        queues: &BTreeMap<QueueName, String>,
        dead: &BTreeMap<QueueName, String>,
    ) -> SqsDeadLetters {
        SqsDeadLetters::new(&self.config, queues, dead)
    }

    /// The vault, whose secrets all have names that begin with `prefix` (`bokbro/dev/`).
    #[must_use]
    pub fn vault(&self, prefix: impl Into<String>) -> SecretsVault {
        SecretsVault::new(&self.config, prefix.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_a_user_agent_cannot_carry_is_refused() {
        assert!(Clients::load("two words", None).await.is_err());
    }

    #[tokio::test]
    async fn a_call_that_somebody_waits_for_is_repeated_within_a_second() {
        let clients = Clients::load("webhook", None).await.unwrap().in_a_hurry();
        let retries = clients.config.retry_config().unwrap();
        let waits = (0..retries.max_attempts() - 1).map(|nth| retries.initial_backoff() * 2_u32.pow(nth));
        assert!(waits.sum::<Duration>() < Duration::from_millis(500));
        assert!(retries.max_attempts() > 1);
    }
}
