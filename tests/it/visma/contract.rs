//! What the connector says to Visma, held against Visma's own description.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bokbro_app::ports::Clock as _;
use bokbro_connectors::kit::{Answer, Authorization, Body, NoAnswer, Request, Transport, Wire};
use bokbro_connectors::visma::OPERATIONS;
use bokbro_domain::order::SyncState;
use bokbro_domain::posting::{DayVoucher, PostingProfile, swedish_day};
use bokbro_simulators::contract::{OpenApi, specs_dir};
use bokbro_simulators::kit::{Fault, Kind};
use bokbro_simulators::visma::{CreditPayments, CreditRows, VismaConfig};
use bokbro_tests::engine::{Engine, of_day, sample_voucher};
use bokbro_tests::visma_world::VismaWorld;
use bokbro_tests::world::sample;
use serde_json::{Value, json};

use super::flows::{company, line};
use crate::read_back::Reader;
use crate::refunds::{give_back, tell};

/// One request and what was answered.
struct Exchange {
    operation: &'static str,
    method: String,
    path: String,
    body: Option<Value>,
    answer: Option<(u16, Option<Value>)>,
}

/// Sends for real and keeps what was said to the API.
struct Recorder {
    transport: Transport,
    heard: Mutex<Vec<Exchange>>,
}

#[async_trait]
impl Wire for Recorder {
    async fn exchange(&self, request: &Request, authorization: &Authorization) -> Result<Answer, NoAnswer> {
        let result = self.transport.exchange(request, authorization).await;
        if request.path.starts_with("/v2/") {
            assert!(matches!(authorization, Authorization::Bearer(_)) && request.headers.is_empty());
            let pairs: Vec<String> =
                request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let read = |answer: &Answer| (answer.status, serde_json::from_slice(&answer.body).ok());
            self.heard.lock().unwrap().push(Exchange {
                operation: request.operation,
                method: request.method.to_string(),
                path: format!("{}?{}", request.path, pairs.join("&")),
                body: match &request.body {
                    Body::Json(text) => Some(serde_json::from_str(text).unwrap()),
                    Body::None | Body::Form(_) => None,
                },
                answer: result.as_ref().ok().map(read),
            });
        }
        result
    }
}

/// One run of the main job.
#[derive(Default)]
struct Run {
    profile: PostingProfile,
    orders: Vec<Value>,
    prices_excl_vat: bool,
    whole_kronor: bool,
    /// Writes whose answer is lost.
    lost: Vec<&'static str>,
    /// Writes that never arrive.
    unheard: Vec<&'static str>,
    /// Whether somebody gives the customer another address after each order.
    moving: bool,
    /// What is given back of the first payment, in the end.
    given_back: Option<&'static str>,
    credit_rows: CreditRows,
    credit_payments: CreditPayments,
}

fn delivered() -> Value {
    let mut body = sample();
    body["customer"]["phone"] = json!("+46 70 123 45 67");
    body["customer"]["billing"]["address2"] = json!("c/o Ek");
    body["customer"]["delivery"] = json!({"name": "Bo Ek", "address1": "Vägen 2", "address2": "lgh 1101", "zip": "222 33",
        "city": "Lund", "country": "SE"});
    body
}

fn runs() -> Vec<Run> {
    let odd = company(
        json!([line("25", "3", "10.01"), line("12", "1.2345", "99.90"), line("0", "1", "1.00")]),
        "154.36",
    );
    vec![
        Run { orders: vec![delivered(), sample(), odd.clone()], ..Run::default() },
        Run { orders: vec![sample()], prices_excl_vat: true, ..Run::default() },
        Run { orders: vec![odd], whole_kronor: true, ..Run::default() },
        Run { orders: vec![sample()], lost: vec!["/v2/customers", "/v2/articles"], ..Run::default() },
        Run {
            orders: vec![sample()],
            lost: vec!["/v2/customerinvoicedrafts", "/v2/customerinvoicedrafts/{}/convert"],
            ..Run::default()
        },
        Run {
            orders: vec![sample()],
            lost: vec!["/v2/customerinvoices/{}/payments"],
            unheard: vec!["/v2/customerinvoicedrafts/{}/convert"],
            ..Run::default()
        },
        Run { orders: vec![sample(), sample()], moving: true, ..Run::default() },
        Run { orders: vec![sample()], profile: PostingProfile::CashInvoice, ..Run::default() },
        Run { orders: vec![sample()], given_back: Some("100.00"), ..Run::default() },
        Run {
            orders: vec![sample()],
            given_back: Some("747.00"),
            credit_rows: CreditRows::AsWritten,
            credit_payments: CreditPayments::Positive,
            ..Run::default()
        },
    ]
}

/// Runs the main job and gives what was said to the ledger program.
async fn hear(run: Run) -> Vec<Exchange> {
    let recorder = Arc::new(Recorder { transport: Transport::new().unwrap(), heard: Mutex::default() });
    let config = VismaConfig {
        prices_excl_vat: run.prices_excl_vat,
        whole_kronor: run.whole_kronor,
        credit_rows: run.credit_rows,
        credit_payments: run.credit_payments,
        ..VismaConfig::default()
    };
    let mut world = VismaWorld::start_over(recorder.clone(), run.profile, config).await;
    for (kind, writes) in [(Kind::DropAfterCommit, run.lost), (Kind::Reset, run.unheard)] {
        for path in writes {
            world.visma.faults.add(Fault::new(kind, "POST", path));
        }
    }
    for (nth, body) in run.orders.into_iter().enumerate() {
        let (order, code) = world.order(&format!("N-{nth}"), body).await;
        let event = world.pay(code).await;
        world.webhook(&event).await;
        world.settle().await;
        let status = world.show(&order.id).await.accounting;
        assert_eq!(status.state, SyncState::Done, "{status:?}");
        if run.moving {
            let mut customer = world.books("customers")[0].clone();
            let path = format!("/customers/{}", customer["Id"].as_str().unwrap());
            customer["EmailAddress"] = json!("annan@example.se");
            world.by_hand("PUT", &path, Some(customer)).await;
        }
    }
    if let Some(amount) = run.given_back {
        let event = give_back(&world, Some(amount)).await;
        tell(&mut world, &event).await;
        assert_eq!(world.books("invoices").len(), 2, "{:?}", world.parked().await);
    }
    Reader::of(&world, "visma").await.speak().await;
    // A day whose draft and voucher are looked for, because their answers were lost, and one without trouble.
    for (kind, path) in
        [(Kind::DropAfterCommit, "/v2/voucherdrafts"), (Kind::Reset, "/v2/voucherdrafts/{}/convert")]
    {
        world.visma.faults.add(Fault::new(kind, "POST", path));
    }
    for reference in ["day_1", "day_2"] {
        let voucher = sample_voucher(swedish_day(world.clock.now()));
        let day = of_day(&world, "visma", DayVoucher { reference: reference.to_owned(), ..voucher }).await;
        Engine::new(world.clock.clone(), None).settle(&*day).await.unwrap();
    }
    std::mem::take(&mut *recorder.heard.lock().unwrap())
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
async fn visma_is_spoken_to_as_its_description_says() {
    let api = specs_dir().map(|dir| OpenApi::visma(&dir).unwrap());
    if api.is_none() {
        eprintln!(
            "SKIPPED: requests to Visma are not checked against its description, BOKBRO_SPECS_DIR is unset"
        );
    }
    let mut spoken = BTreeSet::new();
    let mut problems = BTreeSet::new();
    let mut members: BTreeMap<&str, String> = BTreeMap::new();
    for run in runs() {
        for Exchange { operation, method, path, body, answer } in hear(run).await {
            if answer.as_ref().is_some_and(|(status, _)| *status < 300) {
                spoken.insert(operation);
            }
            members.entry(operation).or_default().extend(body.iter().map(Value::to_string));
            let Some(api) = &api else { continue };
            let asked = api.validate_request(&method, &path, body.as_ref());
            let answered = answer.as_ref().map_or(Ok(()), |(status, body)| {
                api.validate_response(&method, &path, *status, body.as_ref())
            });
            for problem in asked.err().into_iter().chain(answered.err()).flatten() {
                problems.insert(format!("{operation} {method} {path}: {problem}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.into_iter().collect::<Vec<_>>().join("\n"));
    assert_eq!(spoken, BTreeSet::from(OPERATIONS), "an operation of the connector was not exercised");
    // The members that only some orders need have been among what was checked.
    for (operation, wanted) in [
        ("create_customer", &["CorporateIdentityNumber", "EmailAddress", "Telephone", "InvoiceAddress2"][..]),
        (
            "create_draft",
            &[
                "DeliveryAddress2",
                "BuyersOrderReference",
                "Öresutjämning",
                "IsCreditInvoice\":true",
                "TermsOfPaymentId",
            ],
        ),
        ("create_voucher_draft", &["VoucherText", "TransactionText"]),
        ("price_draft", &["Quantity\":-2"]),
        ("convert_draft", &["TotalVatAmountInvoiceCurrency", "TotalAmountInvoiceCurrency\":-100"]),
        ("create_payment", &["PaymentType\":2", "PaymentType\":3", "Reference", "PaymentAmount\":-747"]),
    ] {
        for text in wanted {
            assert!(members[operation].contains(text), "{operation} never sent {text}");
        }
    }
}
