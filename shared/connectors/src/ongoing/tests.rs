//! What is sent, how answers are read, and what follows from refusals. No sockets: a script answers.

mod orders;
mod reads;
mod webhooks;

use std::collections::BTreeMap;
use std::sync::Arc;

use bokbro_app::error::Error;
use bokbro_app::ports::{Access, Effector, Found, ParcelWish, SendError, Warehouse as _, unlimited};
use bokbro_app::records::{Connection, ConnectionState};
use bokbro_app::secret::Credentials;
use bokbro_domain::effect::{Intent, Ledger, Receipt, StepName};
use bokbro_domain::ids::{OrderId, OrderNumber, Provider, TenantId};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Line, LineKind, Order};
use bokbro_domain::shipment::Stage;
use bokbro_domain::vat::VatRate;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{NAME, Ongoing, OngoingUrls};
use crate::kit::samples;
use crate::kit::testing::{CountedTokens, Reply, Script, StillClock};

const OURS: &str = "ord_01ARZ3NDEKTSV4RRFFQ69G5FAV";
const FIND: &str = "GET /demo/api/v1/orders?goodsOwnerId=159&orderNumber=1753-1001";

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn line(kind: LineKind, sku: Option<&str>, text: &str, quantity: &str) -> Line {
    Line {
        kind,
        sku: sku.map(str::to_owned),
        text: text.to_owned(),
        quantity: quantity.parse().unwrap(),
        unit_price: Money::parse_major("349.00", Currency::SEK).unwrap(),
        vat_rate: VatRate::Standard,
    }
}

/// Two oils, freight and half a soap.
fn order() -> Order {
    let mut order = samples::order();
    order.body.customer.billing.zip = "111 22".to_owned();
    order.body.lines = vec![
        line(LineKind::Goods, Some("OIL-30"), "Ansiktsolja  30 ml", "2"),
        line(LineKind::Shipping, None, "Frakt", "1"),
        line(LineKind::Goods, Some("SOAP"), "Tvål", "0.5"),
    ];
    // Early in the morning in Sweden, the day before in UTC.
    order.payment.paid_at = Some("2026-11-20T23:30:00Z".parse().unwrap());
    order
}

/// The connector over a script.
struct Bench {
    script: Arc<Script>,
    ongoing: Ongoing,
    access: Access,
}

fn bench(replies: impl IntoIterator<Item = Reply>) -> Bench {
    let script = Arc::new(Script::of(replies));
    let ongoing = Ongoing::new(OngoingUrls::default(), script.clone(), Arc::new(StillClock::default()));
    let access = Access {
        connection: Arc::new(connection(&[])),
        credentials: Arc::new(credentials(&[("user", "u"), ("password", "p")])),
        tokens: Arc::new(CountedTokens::default()),
        pace: unlimited(),
        deadline: Some(now() + jiff::SignedDuration::from_secs(110)),
    };
    Bench { script, ongoing, access }
}

impl Bench {
    fn effector(&self, wish: ParcelWish) -> Box<dyn Effector> {
        self.ongoing.effector(self.access.clone(), &order(), wish).unwrap()
    }
}

fn connection(more: &[(&str, &str)]) -> Connection {
    let settings = [("warehouse", "demo"), ("goods_owner_id", "159")];
    let settings = settings.iter().chain(more);
    Connection {
        tenant: TenantId::parse("demo").unwrap(),
        provider: Provider::parse(NAME).unwrap(),
        state: ConnectionState::Healthy,
        settings: settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        chart: None,
    }
}

fn credentials(fields: &[(&str, &str)]) -> Credentials {
    let fields: BTreeMap<&str, &str> = fields.iter().copied().collect();
    Credentials::from_json(&serde_json::to_string(&fields).unwrap()).unwrap()
}

fn reply(status: u16, body: &Value) -> Reply {
    Reply::Status(status, body.to_string())
}

/// The order as the warehouse shows it.
fn shown(reference: &Value, status: u32) -> Value {
    json!({
        "goodsOwner": {"id": 159, "name": "x"},
        "orderInfo": {"orderId": 50161, "orderNumber": "1753-1001", "goodsOwnerOrderId": reference,
            "orderStatus": {"number": status, "text": "T"}, "shippedTime": null, "deliveryDate": "2026-11-21T12:00:00"},
        "consignee": {"name": "ÅSA ÖBERG", "address1": "Storgatan 1", "postCode": "11122", "city": "Stockholm"},
        "parcels": null, "tracking": null, "transporter": null,
        "orderLines": [
            {"rowNumber": "1", "article": {"articleNumber": "OIL-30"}, "orderedNumberOfItems": 2.0, "pickedNumberOfItems": 0},
            {"rowNumber": "2", "article": {"articleNumber": "SOAP"}, "orderedNumberOfItems": 0.50, "pickedNumberOfItems": 0},
        ],
    })
}

fn found(orders: &[Value]) -> Reply {
    reply(200, &Value::Array(orders.to_vec()))
}

fn articles(numbers: &[&str]) -> Reply {
    let article =
        |number: &&str| json!({"articleSystemId": 7, "articleNumber": number, "inventoryInfo": null});
    reply(200, &Value::Array(numbers.iter().map(article).collect()))
}

fn intent(effector: &dyn Effector, step: &str, ledger: &Ledger) -> Intent {
    effector.intent(&StepName::from(step), ledger).unwrap().unwrap()
}

/// A ledger in which a step is done.
fn done(effector: &dyn Effector, step: &str) -> Ledger {
    let mut ledger = Ledger::default();
    let intent = intent(effector, step, &ledger);
    ledger.mark_sent(&intent, now());
    ledger.mark_done(&intent.step, Receipt { external_id: "50161".to_owned(), ..Receipt::default() }, now());
    ledger
}

fn code(error: &Error) -> &str {
    error.code()
}
