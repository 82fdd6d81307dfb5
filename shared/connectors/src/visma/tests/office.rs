//! Postings, scripted answers and ledgers for tests of the way into the books.

use bokbro_app::ports::{Accounting as _, Effector};
use bokbro_domain::effect::{Intent, Ledger, Receipt, StepName};
use bokbro_domain::ids::OrderNumber;
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::order::{Address, Customer, CustomerKind, LineKind};
use bokbro_domain::posting::{CustomerKeys, PaymentPosting, Posting, PostingProfile, PostingRow};
use bokbro_domain::vat::VatRate;
use jiff::Timestamp;

use super::super::{NAME, Visma, VismaUrls};
use super::{
    Access, Always, Arc, BTreeMap, Connection, ConnectionState, Provider, Reply, Script, StillClock, TenantId,
};

pub(super) const REFERENCE: &str = "ord_01ARZ3NDEKTSV4RRFFQ69G5FAV";
pub(super) const OWN_NUMBER: &str = "BB0123456789AB";
pub(super) const CUSTOMER: &str = "00000001-0000-4000-8000-00000000000c";
pub(super) const ARTICLE: &str = "00000002-0000-4000-8000-00000000000a";
pub(super) const DRAFT: &str = "00000003-0000-4000-8000-00000000000d";
pub(super) const INVOICE: &str = "00000004-0000-4000-8000-00000000000e";
pub(super) const BANK: &str = "00000005-0000-4000-8000-00000000000b";

pub(super) fn kr(text: &str) -> Money {
    Money::parse_major(text, Currency::SEK).unwrap()
}

pub(super) fn address(name: &str) -> Address {
    Address {
        name: name.to_owned(),
        address1: "Storgatan 1".to_owned(),
        address2: None,
        zip: "111 22".to_owned(),
        city: "Stockholm".to_owned(),
        country: "SE".to_owned(),
    }
}

pub(super) fn row(kind: LineKind, quantity: &str, price: &str, vat_rate: VatRate) -> PostingRow {
    let account = match vat_rate {
        VatRate::Standard => 3001,
        VatRate::Reduced => 3002,
        VatRate::Low => 3003,
        VatRate::Zero => 3004,
    };
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
pub(super) fn posting() -> Posting {
    let mut freight = row(LineKind::Shipping, "1", "49.00", VatRate::Standard);
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
            email: Some("Asa@example.se".to_owned()),
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
        rows: vec![row(LineKind::Goods, "2", "349.00", VatRate::Standard), freight],
        gross: kr("747.00"),
        vat_by_row: kr("149.40"),
        vat_by_rate: kr("149.40"),
        payment: PaymentPosting {
            amount: kr("747.00"),
            date,
            account: 1580,
            mode: Some(BANK.to_owned()),
            round_off_account: Some(3004),
            card_account: None,
        },
        cash_method: false,
    }
}

/// A company with a parcel for somebody else, a discount and part of a unit.
pub(super) fn company() -> Posting {
    let mut posting = posting();
    posting.customer.kind = CustomerKind::Company;
    posting.customer.name = "O'Hara & Söner <AB>  med ett namn som är längre än femtio tecken".to_owned();
    posting.customer.phone = Some("+46 70-123 45 67".to_owned());
    posting.customer.organisation_number = Some("5566778899".to_owned());
    posting.customer.billing.address2 = Some("c/o \"Kontoret\"".to_owned());
    posting.customer.delivery = Some(Address { city: "Umeå".to_owned(), ..address("Lagret 🚚") });
    posting.keys.organisation_number = Some("5566778899".to_owned());
    let mut discount = row(LineKind::Discount, "1", "-10.50", VatRate::Zero);
    discount.text = "Rabatt…".to_owned();
    posting.rows = vec![
        row(LineKind::Goods, "1.5000", "10.01", VatRate::Reduced),
        row(LineKind::Goods, "3.1234", "0.10", VatRate::Low),
        discount,
    ];
    posting
}

/// The connector over a script.
pub(super) struct Office {
    pub(super) script: Arc<Script>,
    pub(super) visma: Visma,
    pub(super) access: Access,
}

pub(super) fn office(replies: impl IntoIterator<Item = Reply>) -> Office {
    let script = Arc::new(Script::of(replies));
    let visma = Visma::new(VismaUrls::default(), script.clone(), Arc::new(StillClock::default()));
    let connection = Connection {
        tenant: TenantId::parse("demo").unwrap(),
        provider: Provider::parse(NAME).unwrap(),
        state: ConnectionState::Healthy,
        settings: BTreeMap::new(),
        chart: None,
    };
    let access = Access {
        connection: Arc::new(connection),
        credentials: Arc::default(),
        tokens: Arc::new(Always("opaque".to_owned())),
        pace: super::unlimited(),
        deadline: None,
    };
    Office { script, visma, access }
}

impl Office {
    pub(super) fn effector(&self, posting: Posting) -> Box<dyn Effector> {
        self.visma.effector(self.access.clone(), posting)
    }
}

/// A list of one page.
pub(super) fn list(items: &[&str]) -> Reply {
    let body = format!(
        r#"{{"Meta":{{"CurrentPage":1,"PageSize":1000,"TotalNumberOfPages":1,"TotalNumberOfResults":{},"ServerTimeUtc":"2026-11-20T12:00:00Z"}},"Data":[{}]}}"#,
        items.len(),
        items.join(",")
    );
    super::json(200, &body)
}

/// A refusal; its text quotes what must not be quoted.
pub(super) fn refused(status: u16, code: u32) -> Reply {
    let body = format!(
        r#"{{"ErrorCode":{code},"DeveloperErrorMessage":"X - {{Värde}}","ErrorId":"x","Errors":[{{"Field":"Värde"}}]}}"#
    );
    super::json(status, &body)
}

pub(super) fn receipt(external_id: &str, facts: &[(&str, &str)]) -> Receipt {
    let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Receipt { external_id: external_id.to_owned(), facts }
}

/// The steps before `step` of the private order, done; `private` tells how the customer is kept.
pub(super) fn steps_before(step: &str, private: bool) -> Vec<(&'static str, Receipt)> {
    let private = if private { "true" } else { "false" };
    let totals = [("total", "747.00"), ("vat", "149.40"), ("round_off", "0.00")];
    let with = |more: &[(&'static str, &'static str)]| [&totals[..], more].concat();
    let all = [
        ("customer", receipt(OWN_NUMBER, &[("id", CUSTOMER), ("private", private)])),
        ("article_25", receipt("BB-25-3001", &[("id", ARTICLE)])),
        ("article_12", receipt("BB-12-3002", &[("id", "article-12")])),
        ("article_6", receipt("BB-6-3003", &[("id", "article-6")])),
        ("article_0", receipt("BB-0-3004", &[("id", "article-0")])),
        ("draft", receipt(DRAFT, &with(&[("includes_vat", private)]))),
        ("invoice", receipt("31", &with(&[("id", INVOICE)]))),
    ];
    all.into_iter().take_while(|(name, _)| *name != step).collect()
}

/// A ledger in which these steps are done, as far as the posting has them.
pub(super) fn done(effector: &dyn Effector, steps: &[(&str, Receipt)]) -> Ledger {
    let mut ledger = Ledger::default();
    for (name, receipt) in steps {
        let step = StepName::from(*name);
        if !effector.steps().contains(&step) {
            continue;
        }
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let intent = effector.intent(&step, &ledger).unwrap().unwrap();
        ledger.mark_sent(&intent, now);
        ledger.mark_done(&step, receipt.clone(), now);
    }
    ledger
}

pub(super) fn intent(effector: &dyn Effector, step: &str, ledger: &Ledger) -> Intent {
    effector.intent(&StepName::from(step), ledger).unwrap().unwrap()
}
