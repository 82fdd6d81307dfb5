//! The warehouse against what is known of it (apis/viva-ongoing-bank.md 2.7).

mod contract;
mod orders;
mod stock;
mod webhooks;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Handle, Ongoing, OngoingConfig, Work};
use crate::kit::http_client;

/// A warehouse and a goods owner's system that calls it.
struct Bench {
    it: Handle,
    http: reqwest::Client,
}

impl Bench {
    async fn open() -> Self {
        let it = Ongoing::start(OngoingConfig::default()).await.unwrap();
        it.kit.clock.freeze();
        Self { it, http: http_client() }
    }

    /// The same with two articles, ten items each.
    async fn stocked() -> Self {
        let bench = Self::open().await;
        for number in ["OIL-30", "SOAP-1"] {
            let article = json!({ "goodsOwnerId": 159, "articleNumber": number, "articleName": number });
            assert_eq!(bench.put("articles", &article).await.0, 200);
            bench.it.receive(number, 10.into()).unwrap();
        }
        bench
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let config = OngoingConfig::default();
        let request = self.http.request(method, format!("{}/demo/api/v1/{path}", self.it.url));
        request.basic_auth(config.user, Some(config.password))
    }

    async fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        read(self.request(Method::PUT, path).json(body)).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        read(self.request(Method::GET, path)).await
    }

    async fn delete(&self, path: &str) -> (u16, Value) {
        read(self.request(Method::DELETE, path)).await
    }

    async fn work(&self, number: &str, status: u32) {
        let work = Work { order_number: number.to_owned(), status, deliver: true, ..Work::default() };
        self.it.work(&work).await.unwrap();
    }
}

async fn read(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

/// An order of two lines.
fn order(number: &str) -> Value {
    json!({
        "goodsOwnerId": 159, "orderNumber": number, "deliveryDate": "2026-11-21T00:00:00+01:00",
        "goodsOwnerOrderId": "ord_1",
        "consignee": { "name": "Åsa Öberg", "address1": "Storgatan 1", "postCode": "11122", "city": "Stockholm", "countryCode": "SE" },
        "orderLines": [
            { "rowNumber": "1", "articleNumber": "OIL-30", "numberOfItems": 2 },
            { "rowNumber": "2", "articleNumber": "SOAP-1", "numberOfItems": 1.5 },
        ],
    })
}
