//! What is sent, how answers are read, and what follows from refusals. No sockets: a script answers.

mod accounts;
mod adopt;
mod company;
mod consent;
mod documents;
mod limit;
mod refusals;
mod registers;
mod search;
mod tokens;
mod vouchers;

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bokbro_app::ports::{Access, Accounting as _, Effector, unlimited};
use bokbro_app::records::{Connection, ConnectionState};
use bokbro_app::secret::Credentials;
use bokbro_domain::effect::{Intent, Ledger, Receipt, StepName};
use bokbro_domain::ids::{OrderNumber, Provider, TenantId};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Address, Customer, CustomerKind, LineKind};
use bokbro_domain::posting::{CustomerKeys, PaymentPosting, Posting, PostingProfile, PostingRow};
use bokbro_domain::vat::VatRate;
use jiff::Timestamp;

use super::{Fortnox, FortnoxUrls, NAME};
use crate::kit::testing::{CountedTokens, Reply, Script, StillClock};

const REFERENCE: &str = "ord_01ARZ3NDEKTSV4RRFFQ69G5FAV";
const OWN_NUMBER: &str = "BB0123456789AB";

fn kr(text: &str) -> Money {
    Money::parse_major(text, Currency::SEK).unwrap()
}

fn address(name: &str) -> Address {
    Address {
        name: name.to_owned(),
        address1: "Storgatan 1".to_owned(),
        address2: None,
        zip: "111 22".to_owned(),
        city: "Stockholm".to_owned(),
        country: "SE".to_owned(),
    }
}

fn row(kind: LineKind, quantity: &str, price: &str, vat_rate: VatRate, account: u16) -> PostingRow {
    PostingRow {
        kind,
        sku: (kind == LineKind::Goods).then(|| "OIL-30".to_owned()),
        text: "Ansiktsolja 30 ml".to_owned(),
        quantity: quantity.parse().unwrap(),
        unit_price: kr(price),
        vat_rate,
        account,
    }
}

/// A private person's order of 747 kronor with freight.
fn posting() -> Posting {
    let mut freight = row(LineKind::Shipping, "1", "49.00", VatRate::Standard, 3001);
    freight.text = "Frakt".to_owned();
    let date = "2026-11-20".parse().unwrap();
    Posting {
        reference: REFERENCE.to_owned(),
        credits: Vec::new(),
        order_number: OrderNumber::parse("1753-1001").unwrap(),
        profile: PostingProfile::Invoice,
        customer: Customer {
            kind: CustomerKind::Private,
            name: "Åsa Öberg".to_owned(),
            email: Some("asa@example.se".to_owned()),
            phone: None,
            organisation_number: None,
            billing: address("Åsa Öberg"),
            delivery: None,
        },
        keys: CustomerKeys {
            own_number: OWN_NUMBER.to_owned(),
            organisation_number: None,
            email: Some("asa@example.se".to_owned()),
        },
        date,
        currency: Currency::SEK,
        rows: vec![row(LineKind::Goods, "2", "349.00", VatRate::Standard, 3001), freight],
        gross: kr("747.00"),
        vat_by_row: kr("149.40"),
        vat_by_rate: kr("149.40"),
        payment: PaymentPosting {
            amount: kr("747.00"),
            date,
            account: 1580,
            mode: Some("CARD".to_owned()),
            round_off_account: Some(3740),
            card_account: None,
        },
        cash_method: false,
    }
}

fn by_order() -> Posting {
    Posting { profile: PostingProfile::OrderAndInvoice, ..posting() }
}

/// The connector over a script.
struct Bench {
    script: Arc<Script>,
    fortnox: Fortnox,
    access: Access,
}

fn bench(replies: impl IntoIterator<Item = Reply>) -> Bench {
    let script = Arc::new(Script::of(replies));
    let fortnox = Fortnox::new(FortnoxUrls::default(), script.clone(), Arc::new(StillClock::default()));
    let access = Access {
        connection: Arc::new(connection()),
        credentials: Arc::default(),
        tokens: Arc::new(CountedTokens::default()),
        pace: unlimited(),
        deadline: None,
    };
    Bench { script, fortnox, access }
}

impl Bench {
    fn effector(&self, posting: Posting) -> Box<dyn Effector> {
        self.fortnox.effector(self.access.clone(), posting)
    }
}

fn connection() -> Connection {
    Connection {
        tenant: TenantId::parse("demo").unwrap(),
        provider: Provider::parse(NAME).unwrap(),
        state: ConnectionState::Healthy,
        settings: BTreeMap::from([("tenant_id".to_owned(), "123456".to_owned())]),
        chart: None,
    }
}

fn json(status: u16, body: &str) -> Reply {
    Reply::Status(status, body.to_owned())
}

/// An envelope in one of the two casings that were recorded.
fn refused(status: u16, code: u32) -> Reply {
    json(
        status,
        &format!(r#"{{"ErrorInformation":{{"error":1,"message":"Ett fel ({{Värde}}).","code":{code}}}}}"#),
    )
}

fn not_found(code: u32) -> Reply {
    json(404, &format!(r#"{{"ErrorInformation":{{"Error":1,"Message":"Kan inte hitta.","Code":{code}}}}}"#))
}

/// A list of one page.
fn list(kind: &str, items: &[&str]) -> Reply {
    let pages = u8::from(!items.is_empty());
    let items = items.join(",");
    json(
        200,
        &format!(r#"{{"MetaInformation":{{"@TotalPages":{pages},"@CurrentPage":1}},"{kind}":[{items}]}}"#),
    )
}

/// A ledger in which these steps are done.
fn done(effector: &dyn Effector, steps: &[(&str, Receipt)]) -> Ledger {
    let mut ledger = Ledger::default();
    for (name, receipt) in steps {
        let step = StepName::from(*name);
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let intent = effector.intent(&step, &ledger).unwrap().unwrap();
        ledger.mark_sent(&intent, now);
        ledger.mark_done(&step, receipt.clone(), now);
    }
    ledger
}

fn receipt(external_id: &str, facts: &[(&str, &str)]) -> Receipt {
    let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Receipt { external_id: external_id.to_owned(), facts }
}

/// The receipt of an invoice with these totals.
fn invoice(total: &str, vat: &str, round_off: &str) -> Receipt {
    let facts = [
        ("total", total),
        ("vat", vat),
        ("round_off", round_off),
        ("total_to_pay", total),
        ("booked", "false"),
        ("invoice_date", "2026-11-20"),
    ];
    receipt("31", &facts)
}

/// A token for a company, as far as it is read.
fn token_for(company: &str) -> String {
    let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"tenantId":{company},"exp":1}}"#));
    format!("e30.{claims}.sig")
}

fn app() -> Credentials {
    credentials(&[("client_id", "app-1"), ("client_secret", "hush")])
}

fn intent(effector: &dyn Effector, step: &str, ledger: &Ledger) -> Intent {
    effector.intent(&StepName::from(step), ledger).unwrap().unwrap()
}

fn credentials(fields: &[(&str, &str)]) -> Credentials {
    let fields: BTreeMap<&str, &str> = fields.iter().copied().collect();
    Credentials::from_json(&serde_json::to_string(&fields).unwrap()).unwrap()
}
