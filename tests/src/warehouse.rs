//! A world whose tenant ships: the warehouse connected, its webhooks, and its staff.

use std::time::Duration;

use bokbro_app::app::Invocation;
use bokbro_app::error::Error;
use bokbro_app::ports::{Clock, Directory, QueueName};
use bokbro_app::records::{Connection, ConnectionState, Endpoint, Settings};
use bokbro_app::webhooks::{Ingress, Intake, parcel_webhook_receive, token_sha256};
use bokbro_app::work::message_handle;
use bokbro_simulators::ongoing::{OngoingConfig, Order, Work};
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::Value;

use crate::world::{World, provider, secrets, tenant};

/// Name of the warehouse's webhook endpoint.
pub const PARCEL_ENDPOINT: &str = "wh_test_parcels";
/// The secret of its deliveries.
pub const TOKEN: &str = "a-secret-of-the-webhook";

impl World {
    /// A tenant that takes payments, books invoices and ships from the simulated warehouse.
    pub async fn shipping() -> Self {
        let world = Self::start().await;
        world.ship_with("ongoing").await;
        world
    }

    /// Has the tenant ship with a warehouse from now on.
    pub async fn ship_with(&self, warehouse: &str) {
        let settings = self.store.settings_get(&tenant()).await.unwrap().unwrap();
        let settings = Settings { warehouse: Some(provider(warehouse)), ..settings };
        self.store.settings_put(&tenant(), &settings).await.unwrap();
        if warehouse != "ongoing" {
            return;
        }
        let account = OngoingConfig::default();
        let own = secrets(&[("user", &account.user), ("password", &account.password)]);
        self.app.vault.secret_put("connections/demo/ongoing", &own).await.unwrap();
        let goods_owner = account.goods_owners[0].to_string();
        let settings = [("warehouse", account.warehouse), ("goods_owner_id", goods_owner)];
        let connection = Connection {
            tenant: tenant(),
            provider: provider("ongoing"),
            state: ConnectionState::Unchecked,
            settings: settings.map(|(name, value)| (name.to_owned(), value)).into(),
            chart: None,
        };
        self.store.connection_put(&connection).await.unwrap();
        let endpoint = Endpoint {
            name: PARCEL_ENDPOINT.to_owned(),
            tenant: tenant(),
            provider: provider("ongoing"),
            handshake_key: String::new(),
            token_sha256: Some(token_sha256(TOKEN)),
        };
        self.store.endpoint_put(&endpoint).await.unwrap();
    }

    /// Lets the simulated warehouse live at the world's time.
    pub fn sync_clocks(&self) {
        let clock = &self.ongoing.kit.clock;
        let behind = self.clock.now().duration_since(clock.now());
        if behind > SignedDuration::ZERO {
            clock.advance(behind);
        }
    }

    /// The staff works on an order; gives the body of the webhook that tells of it, which is not sent.
    pub async fn staff(&self, work: &Work) -> String {
        self.sync_clocks();
        self.ongoing.work(&Work { deliver: false, ..work.clone() }).await.unwrap();
        self.ongoing.deliveries().last().unwrap().body().to_owned()
    }

    /// Hands a delivery about a parcel to the ingress.
    pub async fn parcel_webhook(&self, body: &str, token: Option<&str>) -> Ingress {
        let ongoing = provider("ongoing");
        let intake = Intake::of(&self.app);
        let correlation = intake.correlation();
        parcel_webhook_receive(&intake, &ongoing, PARCEL_ENDPOINT, token, body.as_bytes(), &correlation).await
    }

    /// The parcel orders, oldest first.
    pub fn parcels(&self) -> Vec<Order> {
        self.ongoing.orders()
    }

    /// Another system writes an order at the warehouse; gives Ongoing's id.
    pub async fn foreign_parcel(&self, document: &Value) -> u64 {
        let url = format!("{}/_sim/foreign-order", self.ongoing.url);
        let answer = bokbro_simulators::kit::http_client().post(url).json(document).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["order_id"].as_u64().unwrap()
    }

    /// Has so many workers handle what waits for the warehouse all at once, again and again until all of it is done; says
    /// how often one of them had to wait for its turn.
    pub async fn ship_at_once(&self) -> usize {
        let mut waited = 0;
        let mut waiting = Vec::new();
        loop {
            while let Some(message) = self.queues.take(QueueName::Warehouse) {
                waiting.push(message);
            }
            if waiting.is_empty() {
                return waited;
            }
            let deadline = self.clock.now() + SignedDuration::from_secs(120);
            let workers = waiting.iter().enumerate().map(async |(nth, message)| {
                let invocation = Invocation {
                    owner: format!("at-once-{nth}-{}", message.correlation),
                    deadline,
                    receive: 1,
                    place: None,
                    correlation: message.correlation.clone(),
                };
                message_handle(&self.app, &invocation, QueueName::Warehouse, message).await
            });
            let ended = join_all(workers).await;
            let mut left = Vec::new();
            for (message, ended) in waiting.into_iter().zip(ended) {
                match ended {
                    Ok(()) => {}
                    Err(Error::Later { .. }) => {
                        waited += 1;
                        left.push(message);
                    }
                    Err(other) => panic!("{other}"),
                }
            }
            waiting = left;
            self.clock.advance(Duration::from_secs(5));
        }
    }
}
