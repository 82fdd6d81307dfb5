//! The stack from inside: its tables and its vault behind the use cases' ports, for what the tool itself does there.

use std::sync::Arc;

use anyhow::Result;
use aws_sdk_dynamodb::config::{Credentials, Region};
use aws_sdk_sqs::types::QueueAttributeName;
use bokbro_app::app::App;
use bokbro_aws::{Clients, Hub, SecretsVault, Tables};
use bokbro_connectors::registry::{Registry, Urls};
use bokbro_runtime::SystemClock;

use super::ministack::{ACCESS_KEY, REGION};

/// What the names of the stack's secrets begin with, as template.yaml has it for the stage dev.
const SECRET_PREFIX: &str = "bokbro/dev/";

/// Adapters over the local AWS, the same as the functions use. Nothing can be sent to a queue with them: what lies in a
/// queue is a worker's.
pub(crate) struct Inside {
    /// The store.
    pub(crate) hub: Arc<Hub>,
    /// The secrets.
    pub(crate) vault: Arc<SecretsVault>,
    /// Both as the use cases see them.
    pub(crate) app: App,
    queues: aws_sdk_sqs::Client,
}

impl Inside {
    /// Opens the tables and the vault at an address.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) async fn open(aws_endpoint: &str, tables: Tables) -> Result<Self> {
        let credentials = Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "local stack");
        let loader = Clients::loader().endpoint_url(aws_endpoint).credentials_provider(credentials);
        let config = loader.region(Region::from_static(REGION)).load().await;
        let queues = aws_sdk_sqs::Client::new(&config);
        let clients = Clients::from_config(config);
        let (hub, vault) = (Arc::new(clients.hub(tables)), Arc::new(clients.vault(SECRET_PREFIX)));
        let clock = Arc::new(SystemClock);
        let registry = Arc::new(Registry::new(Urls::default(), clock.clone())?);
        let none = [].into();
        let (sent, dead) =
            (Arc::new(clients.queues([].into())), Arc::new(clients.dead_letters(&none, &none)));
        let app = App::new(hub.clone(), sent, dead, vault.clone(), clock, registry);
        Ok(Self { hub, vault, app, queues })
    }

    /// Makes a queue that nobody receives from, and answers its address.
    ///
    /// # Errors
    /// When the local AWS refuses.
    pub(crate) async fn idle_queue(&self) -> Result<String> {
        let made = self.queues.create_queue().queue_name("nobody-receives").send().await?;
        Ok(made.queue_url.unwrap_or_default())
    }

    /// How many messages a queue holds: waiting, waiting for their time, and being worked on.
    ///
    /// # Errors
    /// When the local AWS does not tell.
    pub(crate) async fn messages(&self, queue_url: &str) -> Result<u64> {
        use QueueAttributeName::{
            ApproximateNumberOfMessages as Waiting, ApproximateNumberOfMessagesDelayed as Delayed,
            ApproximateNumberOfMessagesNotVisible as InWork,
        };
        let mut asked = self.queues.get_queue_attributes().queue_url(queue_url);
        for name in [Waiting, Delayed, InWork] {
            asked = asked.attribute_names(name);
        }
        let told = asked.send().await?.attributes.unwrap_or_default();
        told.values().map(|number| Ok(number.parse::<u64>()?)).sum()
    }
}
