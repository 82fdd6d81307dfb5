//! A running stack, as its own `stack.json` describes it: the real binaries behind HTTP, and the providers' stand-ins.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::config::{Credentials, Region};
use bokbro_aws::Clients;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval, timeout};
use uuid::Uuid;

use crate::world::sample;

/// Path of the file that describes the stack.
const STACK: &str = "BOKBRO_TEST_STACK";
/// How long anything may take that the stack does by itself.
pub const LIMIT: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A running stack, shared with other tests: everything here is told apart by ids that are made up per test.
pub struct Stack {
    /// What `stack.json` says.
    pub told: Value,
    client: Client,
    // Held for as long as the test runs; tests that disturb the others hold it alone.
    turn: File,
}

impl Stack {
    /// The stack, for a test that lives beside others; `None`, and a line that says so, when none is named.
    pub fn shared() -> Option<Self> {
        Self::running(File::lock_shared)
    }

    /// The stack, for a test that must be alone with it for as long as it holds this.
    pub fn alone() -> Option<Self> {
        Self::running(File::lock)
    }

    fn running(taketurn: fn(&File) -> std::io::Result<()>) -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "tests take the stack's place from the environment")]
        let path = std::env::var_os(STACK).filter(|path| !path.is_empty()).map(PathBuf::from);
        let Some(path) = path else {
            #[expect(clippy::print_stderr, reason = "a skipped test must say so")]
            {
                eprintln!("SKIPPED: {STACK} is not set, so nothing was tested against a running stack");
            }
            return None;
        };
        let told = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let turn = File::create(turns(&path)).unwrap();
        taketurn(&turn).unwrap();
        Some(Self { told, client: bokbro_simulators::kit::http_client(), turn })
    }

    /// Lets the others run again, and goes on beside them.
    #[must_use]
    pub fn beside_others(self) -> Self {
        self.turn.unlock().unwrap();
        self.turn.lock_shared().unwrap();
        self
    }

    /// How to reach the stack's AWS.
    pub async fn aws(&self) -> SdkConfig {
        let credentials = Credentials::new("test", "test", None, None, "local stack");
        let loader = Clients::loader().endpoint_url(self.text("/aws_endpoint"));
        let region = Region::new(self.text("/region").to_owned());
        loader.credentials_provider(credentials).region(region).load().await
    }

    /// A client for the stack's queues.
    pub async fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.aws().await)
    }

    /// Invokes a function that `stack.json` names and waits for its answer; gives its error's text when it failed.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value, String> {
        let name = self.text(&format!("/functions/{function}"));
        let url = format!("{}/2015-03-31/functions/{name}/invocations", self.text("/aws_endpoint"));
        // The local AWS takes the caller from the credential and does not verify the signature.
        let scope = format!("test/20261120/{}/lambda/aws4_request", self.text("/region"));
        let signed = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none");
        let request = self.client.post(url).header("authorization", signed).json(event);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let failed = answer.headers().contains_key("x-amz-function-error");
        let body = json_of(answer).await;
        if failed { Err(body["errorMessage"].as_str().unwrap().to_owned()) } else { Ok(body) }
    }

    /// One text of `stack.json`, by JSON pointer.
    pub fn text(&self, pointer: &str) -> &str {
        let text = self.told.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("stack.json has no text at {pointer}"))
    }

    /// A request to the stack without a key.
    pub fn stranger(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.text("/base_url")))
    }

    /// A request to the stack with the tenant's key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.stranger(method, path).bearer_auth(self.text("/api_key"))
    }

    /// Reads what lies at a path.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = read(self.request(Method::GET, path)).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {body}");
        body
    }

    /// Posts an order.
    pub async fn post(&self, order: &Value) -> (StatusCode, Value) {
        read(self.request(Method::POST, "/v1/orders").json(order)).await
    }

    /// Path of the webhook endpoint.
    pub fn webhook_path(&self) -> String {
        format!("/webhooks/viva/{}", self.text("/viva_endpoint"))
    }

    /// Steers a provider's stand-in.
    pub async fn steer(&self, provider: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}/_sim/{path}", self.text(&format!("/simulators/{provider}")));
        let answer = self.client.post(url).json(body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{provider} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Has AWS answer the functions badly from now on, until it is enough or [`Stack::good_days`] begin.
    pub async fn bad_day(&self, fault: &Value) {
        let answer = self.client.post(self.text("/aws_faults")).json(fault).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED, "{fault}");
    }

    /// Ends AWS's bad days; says how many calls went wrong since the stack began.
    pub async fn good_days(&self) -> u64 {
        let control = self.text("/aws_faults");
        let told: Value = self.client.get(control).send().await.unwrap().json().await.unwrap();
        self.client.delete(control).send().await.unwrap();
        told["hit"].as_u64().unwrap()
    }

    /// Looks at a provider's stand-in.
    pub async fn look(&self, provider: &str, path: &str) -> Value {
        let url = format!("{}/_sim/{path}", self.text(&format!("/simulators/{provider}")));
        self.client.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// Makes an order at the payment provider, as a webshop does; gives its code.
    pub async fn checkout(&self, ore: i64, number: &str) -> u64 {
        let viva = self.text("/simulators/viva");
        let (id, secret) =
            (self.text("/credentials/viva/client_id"), self.text("/credentials/viva/client_secret"));
        let token = self.client.post(format!("{viva}/connect/token")).basic_auth(id, Some(secret));
        let (_, token) = read(token.form(&[("grant_type", "client_credentials")])).await;
        let order = self.client.post(format!("{viva}/checkout/v2/orders"));
        let order = order.bearer_auth(token["access_token"].as_str().unwrap());
        let (_, made) = read(order.json(&json!({ "amount": ore, "merchantTrns": number }))).await;
        made["orderCode"].as_u64().unwrap()
    }

    /// Pays on the payment provider's hosted page, as a customer does.
    pub async fn pay_on_the_page(&self, code: u64) {
        let page = self.client.post(format!("{}/web/checkout", self.text("/simulators/viva")));
        let form = [("ref", code.to_string()), ("outcome", "paid".to_owned())];
        let answer = page.form(&form).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }

    /// Pays without a webhook; gives the transaction's id and the webhook's body.
    pub async fn pay_in_silence(&self, code: u64) -> (String, Value) {
        let told = self.steer("viva", "pay", &json!({ "order_code": code, "deliver": false })).await;
        (told["transaction_id"].as_str().unwrap().to_owned(), told["event"].clone())
    }

    /// The contract's example order with a number and a customer of its own, posted with a code to be paid.
    pub async fn ordered(&self) -> Ordered {
        let (body, code) = self.order_to_pay().await;
        self.taken(&body, code).await
    }

    /// The same, of a customer abroad, which the books of the example company have no accounts for: a human must see to it.
    pub async fn ordered_abroad(&self) -> Ordered {
        let (mut body, code) = self.order_to_pay().await;
        body["customer"]["billing"]["country"] = json!("NO");
        self.taken(&body, code).await
    }

    /// The contract's example order with a number and a customer of its own and a code to be paid, for who posts it.
    pub async fn order_to_pay(&self) -> (Value, u64) {
        let mut body = own_sample();
        let number = body["order_number"].as_str().unwrap().to_owned();
        let code = self.checkout(74_700, &number).await;
        body["viva_order_code"] = json!(code.to_string());
        (body, code)
    }

    async fn taken(&self, body: &Value, code: u64) -> Ordered {
        let (status, order) = self.post(body).await;
        assert_eq!(status, StatusCode::CREATED, "{order}");
        let email = body["customer"]["email"].as_str().unwrap().to_owned();
        Ordered { id: order["id"].as_str().unwrap().to_owned(), code, email }
    }

    /// Waits until the books of an order wait for a human; gives the id of the parked item.
    pub async fn parked_in_the_books(&self, order: &Ordered) -> String {
        let parked = until(LIMIT, "the order to ask for a human", async || {
            let shown = self.get(&format!("/v1/orders/{}", order.id)).await;
            shown["sync"]["accounting"]["parked"].as_str().map(str::to_owned)
        });
        parked.await
    }

    /// Waits until an order is booked.
    pub async fn booked(&self, order: &Ordered, limit: Duration) -> Value {
        let path = format!("/v1/orders/{}", order.id);
        let what = format!("{} to be booked", order.id);
        until(limit, &what, async || {
            let order = self.get(&path).await;
            let state = order["sync"]["accounting"]["state"].clone();
            assert_ne!(state, "needs_attention", "{order}");
            (state == "done").then_some(order)
        })
        .await
    }

    /// What waits for a human because of a transaction.
    pub async fn parked_for(&self, transaction: &str) -> Vec<Value> {
        let parked = self.get("/v1/parked?limit=200").await;
        let items = parked["items"].as_array().unwrap().iter();
        items.filter(|item| item["details"]["transaction"] == transaction).cloned().collect()
    }

    /// What the ledger program holds of an order: its customer, invoices and their payments.
    pub async fn books(&self, order: &Ordered) -> Books {
        let state = self.look("fortnox", "state").await;
        let books = &state["tenants"][self.text("/credentials/fortnox/tenant_id")];
        let all = |kind: &str| books[kind].as_array().cloned().unwrap_or_default();
        let mut customers = all("customers");
        customers.retain(|customer| customer["Email"] == order.email.as_str());
        let mut invoices = all("invoices");
        invoices.retain(|invoice| invoice["ExternalInvoiceReference1"] == order.id.as_str());
        let mut payments = all("invoice_payments");
        payments.retain(|payment| {
            let of = plain(&payment["InvoiceNumber"]);
            invoices.iter().any(|invoice| plain(&invoice["DocumentNumber"]) == of)
        });
        Books { customers, invoices, payments }
    }
}

/// An order that was posted.
pub struct Ordered {
    /// Our id of it.
    pub id: String,
    /// The payment provider's code of it.
    pub code: u64,
    /// The customer's e-mail address, which no other test uses.
    pub email: String,
}

/// Documents of one order.
pub struct Books {
    /// Customers with the order's e-mail address.
    pub customers: Vec<Value>,
    /// Invoices with the order's id.
    pub invoices: Vec<Value>,
    /// Payments of those invoices.
    pub payments: Vec<Value>,
}

impl Books {
    /// One of each, booked and paid, on the given totals in kronor.
    #[track_caller]
    pub fn assert_one_of_each(&self, total: &str, vat: &str) {
        let Self { customers, invoices, payments } = self;
        let counts = (customers.len(), invoices.len(), payments.len());
        assert_eq!(counts, (1, 1, 1), "{customers:?} {invoices:?} {payments:?}");
        let (invoice, payment) = (&invoices[0], &payments[0]);
        assert_eq!((money(&invoice["Total"]), money(&invoice["TotalVAT"])), (total.into(), vat.into()));
        assert_eq!((money(&payment["Amount"]), money(&invoice["Balance"])), (total.into(), "0.00".into()));
        assert_eq!((&invoice["Booked"], &payment["Booked"]), (&json!(true), &json!(true)));
    }

    /// Nothing at all.
    #[track_caller]
    pub fn assert_nothing(&self) {
        let Self { customers, invoices, payments } = self;
        assert!(customers.is_empty() && invoices.is_empty() && payments.is_empty(), "{invoices:?}");
    }
}

/// The contract's example order with a number and an e-mail address of its own.
pub fn own_sample() -> Value {
    let own = Uuid::new_v4().simple().to_string();
    let mut body = sample();
    body["order_number"] = json!(own);
    body["customer"]["email"] = json!(format!("{own}@example.se"));
    body
}

/// Sends a request; gives the status and the JSON of the answer, null when it has none.
pub async fn read(request: RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.unwrap();
    (answer.status(), json_of(answer).await)
}

/// The JSON of an answer, null when it has none.
pub async fn json_of(answer: Response) -> Value {
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default()
}

/// Looks again and again until there is something to see.
#[track_caller]
pub fn until<T>(
    limit: Duration,
    what: &str,
    look: impl AsyncFnMut() -> Option<T>,
) -> impl Future<Output = T> {
    let what = what.to_owned();
    async move {
        match within(limit, look).await {
            Some(seen) => seen,
            None => panic!("waited {} s in vain for {what}", limit.as_secs()),
        }
    }
}

/// The same; `None` when there was nothing to see in all that time.
pub async fn within<T>(limit: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let looking = async {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(seen) = look().await {
                return seen;
            }
        }
    };
    timeout(limit, looking).await.ok()
}

/// The file whose lock says whose turn it is.
fn turns(stack: &Path) -> PathBuf {
    stack.with_extension("turns")
}

/// A number or text without quotation marks.
fn plain(value: &Value) -> String {
    value.to_string().trim_matches('"').to_owned()
}

/// An amount in kronor with two decimals.
#[track_caller]
fn money(value: &Value) -> String {
    format!("{:.2}", plain(value).parse::<Decimal>().unwrap())
}
