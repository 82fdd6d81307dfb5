//! Tests over HTTP, as an integration sees the simulator.

mod contract;
mod documents;
mod flow;
mod limits;
mod long_lists;
mod oauth;

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use super::{Fortnox, FortnoxConfig, Handle};
use crate::kit::http_client;

const TENANT: &str = "1000001";

/// A simulator whose clock stands still, and a client that holds an access token.
struct Bench {
    sim: Handle,
    http: Client,
    token: String,
}

impl Bench {
    async fn start() -> Self {
        Self::start_with(FortnoxConfig { rate_limited: false, ..FortnoxConfig::default() }).await
    }

    async fn start_with(config: FortnoxConfig) -> Self {
        let sim = Fortnox::start(config).await.unwrap();
        sim.clock.freeze();
        let mut bench = Self { sim, http: http_client(), token: String::new() };
        let answer = bench.token(&[("grant_type", "client_credentials")], Some(TENANT)).await;
        bench.token = json_of(answer).await.1["access_token"].as_str().unwrap().to_owned();
        bench
    }

    async fn token(&self, form: &[(&str, &str)], tenant: Option<&str>) -> Response {
        let mut request = self
            .http
            .post(format!("{}/oauth-v1/token", self.sim.url))
            .basic_auth("sim-client", Some("sim-secret"))
            .form(form);
        if let Some(tenant) = tenant {
            request = request.header("TenantId", tenant);
        }
        request.send().await.unwrap()
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Response> {
        let mut request =
            self.http.request(method, format!("{}{path}", self.sim.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        json_of(self.send(Method::GET, path, None).await.unwrap()).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        json_of(self.send(Method::POST, path, Some(body)).await.unwrap()).await
    }

    async fn put(&self, path: &str, body: Option<Value>) -> (u16, Value) {
        json_of(self.send(Method::PUT, path, body).await.unwrap()).await
    }

    async fn delete(&self, path: &str) -> u16 {
        self.send(Method::DELETE, path, None).await.unwrap().status().as_u16()
    }

    /// The code in the error envelope of an answer, whichever its casing.
    async fn refusal(&self, method: Method, path: &str, body: Option<Value>) -> (u16, u64) {
        let (status, answer) = json_of(self.send(method, path, body).await.unwrap()).await;
        let information = &answer["ErrorInformation"];
        (status, information["code"].as_u64().or(information["Code"].as_u64()).unwrap_or_default())
    }

    /// A customer with number 7.
    async fn customer(&self) {
        let customer = json!({"Customer": {"CustomerNumber": "7", "Name": "Åsa Öberg", "Email": "asa@example.se",
            "Address1": "Storgatan 1", "ZipCode": "11122", "City": "Stockholm", "CountryCode": "SE", "Type": "PRIVATE"}});
        assert_eq!(self.post("/3/customers", customer).await.0, 201);
    }

    /// A bookkept invoice over 747 kronor, number 1.
    async fn booked_invoice(&self) {
        self.customer().await;
        assert_eq!(self.post("/3/invoices", invoice("order-1")).await.0, 201);
        assert_eq!(self.put("/3/invoices/1/bookkeep", None).await.0, 200);
    }
}

async fn json_of(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

/// Two of 349 and freight of 49, tax included.
fn invoice(reference: &str) -> Value {
    json!({"Invoice": {"CustomerNumber": "7", "ExternalInvoiceReference1": reference, "VATIncluded": true,
        "InvoiceRows": [
            {"Description": "Ansiktsolja 30 ml", "DeliveredQuantity": "2", "Price": 349, "VAT": 25, "AccountNumber": 3001},
            {"Description": "Frakt", "DeliveredQuantity": "1", "Price": 49, "VAT": 25, "AccountNumber": 3520}]}})
}

fn payment(amount: Value) -> Value {
    json!({"InvoicePayment": {"InvoiceNumber": 1, "Amount": amount, "ModeOfPayment": "CARD", "ModeOfPaymentAccount": 1580}})
}
