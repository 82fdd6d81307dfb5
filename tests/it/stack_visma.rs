//! A merchant with the books in Visma, through the real binaries: consent in a browser, an order, and money given back.

use std::sync::Arc;

use bokbro_app::app::App;
use bokbro_app::auth::api_key_store;
use bokbro_app::ports::{Directory as _, Vault as _};
use bokbro_app::records::{Connection, ConnectionState, Endpoint, Role, Settings};
use bokbro_app::secret::{Credentials, SecretText};
use bokbro_aws::{Clients, Tables};
use bokbro_connectors::registry::{Registry, Urls};
use bokbro_domain::ids::{Provider, TenantId};
use bokbro_domain::posting::PostingProfile;
use bokbro_runtime::SystemClock;
use bokbro_tests::stack::{LIMIT, Stack, own_sample, read, until};
use reqwest::header::{ACCEPT, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// What the names of the stack's secrets begin with, as template.yaml has it for the stage dev.
const SECRETS: &str = "bokbro/dev/";

/// A merchant of its own beside the stack's.
struct Merchant {
    stack: Stack,
    api_key: String,
    endpoint: String,
}

impl Merchant {
    /// Entered as an installer enters one: settings, an API key and the account at the payment provider, which is the same as
    /// the stack's. The books are not connected yet.
    async fn enter(stack: Stack) -> Self {
        let clients = Clients::from_config(stack.aws().await);
        let table = |name: &str| stack.text(&format!("/tables/{name}")).to_owned();
        let tables = Tables { hub: table("hub"), idempotency: table("idempotency") };
        let (hub, vault) = (Arc::new(clients.hub(tables)), Arc::new(clients.vault(SECRETS)));
        let own = Uuid::new_v4().simple().to_string();
        let tenant = TenantId::parse(&format!("visma-{}", &own[..8])).unwrap();
        let [viva, visma] = ["viva", "visma"].map(|name| Provider::parse(name).unwrap());
        let settings = Settings {
            payments: viva.clone(),
            accounting: Some(visma),
            warehouse: None,
            posting_profile: PostingProfile::Invoice,
            accounts: [].into(),
            payment_mode: None,
        };
        hub.settings_put(&tenant, &settings).await.unwrap();
        let (endpoint, api_key) = (format!("wh_{own}"), format!("bk_{own}{own}"));
        let account = ["merchant_id", "api_key", "client_id", "client_secret"];
        let account = account
            .map(|name| (name.to_owned(), stack.text(&format!("/credentials/viva/{name}")).to_owned()));
        let connection = Connection {
            tenant: tenant.clone(),
            provider: viva.clone(),
            state: ConnectionState::Unchecked,
            settings: [account[0].clone(), ("webhook_endpoint".to_owned(), endpoint.clone())].into(),
            chart: None,
        };
        hub.connection_put(&connection).await.unwrap();
        let hook = Endpoint {
            name: endpoint.clone(),
            tenant: tenant.clone(),
            provider: viva,
            handshake_key: String::new(),
            token_sha256: None,
        };
        hub.endpoint_put(&hook).await.unwrap();
        let secrets = Credentials::new(account.map(|(name, value)| (name, SecretText::new(value))));
        vault.secret_put(&format!("connections/{tenant}/viva"), &secrets).await.unwrap();
        let clock = Arc::new(SystemClock);
        let registry = Arc::new(Registry::new(Urls::default(), clock.clone()).unwrap());
        let none = [].into();
        let (queues, dead) =
            (Arc::new(clients.queues([].into())), Arc::new(clients.dead_letters(&none, &none)));
        let app = App::new(hub, queues, dead, vault, clock, registry);
        api_key_store(&app, &SecretText::new(api_key.clone()), &tenant, Role::Owner, "test").await.unwrap();
        Self { stack, api_key, endpoint }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.stack.stranger(method, path).bearer_auth(&self.api_key)
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = read(self.request(Method::GET, path)).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {body}");
        body
    }

    /// Gives consent as a browser does: to the provider's page and back, with the cookie of the beginning.
    async fn connect(&self) {
        let start = self.request(Method::GET, "/oauth/visma/start").header(ACCEPT, "text/html");
        let started = start.send().await.unwrap();
        assert!(started.status().is_redirection(), "{}", started.status());
        let header = |answer: &reqwest::Response, name| answer.headers()[name].to_str().unwrap().to_owned();
        let cookie = header(&started, SET_COOKIE).split(';').next().unwrap().to_owned();
        let page =
            bokbro_simulators::kit::http_client().get(header(&started, LOCATION)).send().await.unwrap();
        let back = header(&page, LOCATION);
        let path = back.strip_prefix(self.stack.text("/base_url")).unwrap();
        let page = self.stack.stranger(Method::GET, path).header(COOKIE, cookie).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK);
        let connection = self.get("/v1/connections/visma/health").await;
        assert_eq!(connection["healthy"], true, "{connection}");
    }

    /// Hands over what the payment provider would send to this merchant.
    async fn told(&self, event: &Value) {
        let path = format!("/webhooks/viva/{}", self.endpoint);
        let (status, body) = read(self.stack.stranger(Method::POST, &path).json(event)).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }

    /// The order once the books show this.
    async fn order_with(&self, id: &str, number: &str) -> Value {
        let path = format!("/v1/orders/{id}");
        until(LIMIT, number, async || {
            let order = self.get(&path).await;
            let sync = &order["sync"]["accounting"];
            assert_ne!(sync["state"], "needs_attention", "{order}");
            (sync["state"] == "done" && sync[number].is_string()).then_some(order)
        })
        .await
    }

    /// Documents that carry a reference.
    async fn documents(&self, kind: &str, member: &str, reference: &str) -> Vec<Value> {
        let held = self.stack.look("visma", "state").await;
        let companies = held["companies"].as_object().unwrap();
        let mut found = companies.values().next().unwrap()[kind].as_array().unwrap().clone();
        found.retain(|document| document[member] == reference);
        found
    }
}

#[tokio::test]
async fn a_paid_order_is_booked_in_visma_and_what_is_given_back_is_credited() {
    let Some(stack) = Stack::shared() else { return };
    let merchant = Merchant::enter(stack).await;
    merchant.connect().await;
    let mut body = own_sample();
    let code = merchant.stack.checkout(74_700, body["order_number"].as_str().unwrap()).await;
    body["viva_order_code"] = json!(code.to_string());
    let (status, order) = read(merchant.request(Method::POST, "/v1/orders").json(&body)).await;
    assert_eq!(status, StatusCode::CREATED, "{order}");
    let id = order["id"].as_str().unwrap();
    let (transaction, event) = merchant.stack.pay_in_silence(code).await;
    merchant.told(&event).await;

    let booked = merchant.order_with(id, "invoice_number").await;
    assert_eq!(
        (&booked["state"], &booked["sync"]["accounting"]["provider"]),
        (&json!("paid"), &json!("visma"))
    );
    let invoices = merchant.documents("invoices", "OurReference", id).await;
    assert_eq!(invoices.len(), 1);
    assert_eq!(
        (&invoices[0]["TotalAmount"], &invoices[0]["TotalVatAmount"], &invoices[0]["RemainingAmount"]),
        (&json!(747), &json!(149.4), &json!(0))
    );
    assert_eq!(merchant.documents("payments", "Reference", id).await.len(), 1);

    let refund = json!({ "transaction_id": transaction, "amount": "100.00", "deliver": false });
    let told = merchant.stack.steer("viva", "refund", &refund).await;
    merchant.told(&told["event"]).await;
    let credited = merchant.order_with(id, "credit_invoice_number").await;
    assert_eq!(credited["state"], "partially_refunded");
    let reference = format!("{id}-credit-10000");
    let credits = merchant.documents("invoices", "OurReference", &reference).await;
    assert_eq!(credits.len(), 1);
    assert_eq!(
        (&credits[0]["TotalAmount"], &credits[0]["RemainingAmount"], &credits[0]["IsCreditInvoice"]),
        (&json!(-100), &json!(0), &json!(true))
    );
    assert_eq!(merchant.documents("payments", "Reference", &reference).await.len(), 1);
    assert_eq!(merchant.documents("drafts", "OurReference", id).await.len(), 0);
}
