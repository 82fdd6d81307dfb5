//! A webshop's view of a running stack: its HTTP API with an API key, and orders as a webshop posts them.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How often an order is looked at while it is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The API of one stack.
pub(crate) struct Api {
    client: Client,
    base_url: String,
    key: String,
}

impl Api {
    /// The API at an origin, called with a key.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub(crate) fn new(base_url: &str, key: &str) -> Result<Self> {
        let client = Client::builder().no_proxy().build()?;
        Ok(Self { client, base_url: base_url.to_owned(), key: key.to_owned() })
    }

    /// Posts an order and answers it as it was stored.
    ///
    /// # Errors
    /// When it is refused.
    pub(crate) async fn post_order(&self, order: &Value) -> Result<Value> {
        self.call(Method::POST, "/v1/orders", Some(order)).await
    }

    /// Posts a body to a path.
    ///
    /// # Errors
    /// When it is refused.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Reads what lies at a path.
    ///
    /// # Errors
    /// When there is nothing.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, None).await
    }

    /// Looks at an order until `good` likes it.
    ///
    /// # Errors
    /// When that takes longer than `limit`, or the order needs a human; the message tells how the order stands.
    pub(crate) async fn order_until(
        &self,
        id: &str,
        limit: Duration,
        good: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let mut last = Value::Null;
        let looking = async {
            let mut ticks = interval(LOOK_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                last = self.get(&format!("/v1/orders/{id}")).await?;
                if good(&last) {
                    return Ok(last.clone());
                }
                for side in ["accounting", "warehouse"] {
                    if last["sync"][side]["state"] == "needs_attention" {
                        bail!("the order needs a human: {}", last["sync"][side]["message"]);
                    }
                }
            }
        };
        match timeout(limit, looking).await {
            Ok(done) => done,
            Err(_) => bail!(
                "the order is not done after {} s: payment {}, books {}, parcel {}",
                limit.as_secs(),
                last["state"],
                last["sync"]["accounting"],
                last["sync"]["warehouse"]
            ),
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let url = format!("{}{path}", self.base_url);
        let mut request = self.client.request(method.clone(), url).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.with_context(|| format!("{method} {path}"))?;
        let status = answer.status();
        let body: Value =
            answer.json().await.with_context(|| format!("{method} {path}: {status} without JSON"))?;
        if !status.is_success() {
            bail!("{method} {path}: {status} {}", body["detail"]);
        }
        Ok(body)
    }
}

/// The order of the HTTP contract's example, 747.00 kr with 25 % VAT, for the customer with this address.
pub(crate) fn sample_order(number: &str, email: &str, checkout_code: u64) -> Value {
    json!({
        "order_number": number,
        "currency": "SEK",
        "viva_order_code": checkout_code.to_string(),
        "payment_reference": null,
        "customer": {
            "kind": "private", "name": "Åsa Öberg", "email": email, "phone": null, "organisation_number": null,
            "billing": {"name": "Åsa Öberg", "address1": "Storgatan 1", "address2": null, "zip": "11122",
                        "city": "Stockholm", "country": "SE"},
            "delivery": null,
        },
        "lines": [
            {"kind": "goods", "sku": "OIL-30", "text": "Ansiktsolja 30 ml", "quantity": "2",
             "unit_price": "349.00", "vat_rate": "25"},
            {"kind": "shipping", "sku": null, "text": "Frakt", "quantity": "1",
             "unit_price": "49.00", "vat_rate": "25"},
        ],
        "total": "747.00",
    })
}
