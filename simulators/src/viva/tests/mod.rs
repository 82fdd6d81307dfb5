//! Checks of the simulator from outside: over HTTP, with a receiver for its events.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Handle, NewOrder, OrderCode, Switches, Viva, VivaConfig};
use crate::kit::{Kit, Running, Server, http_client};

mod api;
mod samples;
mod webhooks;

/// The simulator, a client of its, and a receiver of its events.
struct Shop {
    viva: Handle,
    client: Client,
    account: VivaConfig,
    receiver: Receiver,
}

impl Shop {
    async fn open() -> Self {
        let receiver = Receiver::start().await;
        let url = format!("{}/hook?shop=1", receiver.running.url);
        let switches = Switches { webhook_url: Some(url), ..Switches::default() };
        let account = VivaConfig { switches, ..VivaConfig::default() };
        let viva = Viva::start(account.clone()).await.unwrap();
        Self { viva, client: http_client(), account, receiver }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.viva.url)
    }

    async fn token(&self) -> String {
        let request =
            self.client.post(self.url("/connect/token")).form(&[("grant_type", "client_credentials")]);
        let answer =
            request.basic_auth(&self.account.client_id, Some(&self.account.client_secret)).send().await;
        let token: Value = answer.unwrap().json().await.unwrap();
        token["access_token"].as_str().unwrap().to_owned()
    }

    /// A request to the older API, with the merchant's credentials.
    fn merchant(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.account.merchant_id, Some(&self.account.api_key))
    }

    async fn get_legacy(&self, path: &str) -> Value {
        self.merchant(self.client.get(self.url(path))).send().await.unwrap().json().await.unwrap()
    }

    async fn get_transaction(&self, id: &str) -> Response {
        let request = self.client.get(self.url(&format!("/checkout/v2/transactions/{id}")));
        request.bearer_auth(self.token().await).send().await.unwrap()
    }

    /// Asks one of the simulator's own routes.
    async fn sim(&self, path: &str, body: &Value) -> Value {
        let answer = self.client.post(self.url(path)).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path} answered {}", answer.text().await.unwrap());
        let text = answer.text().await.unwrap();
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    /// An order of so many öre.
    fn order(&self, amount: i64) -> OrderCode {
        let wish = NewOrder {
            amount: Some(amount),
            merchant_trns: Some("1753-1001".to_owned()),
            ..NewOrder::default()
        };
        self.viva.create_order(wish).unwrap()
    }

    async fn advance(&self, hours: i64) {
        self.sim("/_sim/clock", &json!({ "advance_ms": hours * 3_600_000 })).await;
    }
}

/// An endpoint for events that remembers what came.
struct Receiver {
    kit: Kit,
    running: Running,
    events: mpsc::UnboundedReceiver<(HeaderMap, String)>,
}

impl Receiver {
    async fn start() -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let take = |State(sender): State<mpsc::UnboundedSender<_>>, headers: HeaderMap, body: String| async move {
            sender.send((headers, body)).unwrap();
        };
        let kit = Kit::default();
        let routes = Router::new().route("/hook", post(take)).with_state(sender);
        let running = Server::start(None, kit.clone(), Arc::new(()), routes).await.unwrap();
        Self { kit, running, events }
    }

    /// The bodies of all events that have come since the last look.
    fn bodies(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.events.try_recv().ok()).map(|(_, body)| body).collect()
    }
}
