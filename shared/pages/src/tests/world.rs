//! What there is to show on the pages: nothing, something of every kind, and the same with hostile texts.

use std::collections::{BTreeMap, BTreeSet};

use bokbro_app::connections::{ConnectionView, ShownState};
use bokbro_app::dead_letters::Listed;
use bokbro_app::message::{Envelope, Nudge, Unreadable};
use bokbro_app::overview::{Counts, Figures, Guide, OverviewView, StepName, StepState, Waiting};
use bokbro_app::parked::REASONS;
use bokbro_app::ports::{Cursor, DeadLetter, EntryField, Page, QueueName};
use bokbro_app::records::{
    ApiKey, AuditEntry, Job, JobState, JobTask, Parked, Reading, Role, Session, Settings, TimelineEntry,
};
use bokbro_app::registers::Known;
use bokbro_app::settings::SettingsView;
use bokbro_app::wire::order_in::read_order;
use bokbro_domain::ids::{CorrelationId, JobId, OrderId, ParkedId, Provider, Target, TenantId};
use bokbro_domain::in_books::{BooksChange, BooksState, InBooks};
use bokbro_domain::order::{FieldError, Order, OrderState, SyncState};
use bokbro_domain::posting::{AccountRole, Chart, PostingProfile};
use bokbro_domain::said::Said;
use bokbro_domain::shipment::{Parcel as Sent, Shipment, Stage};
use jiff::Timestamp;
use serde_json::json;

use crate::Texts;
use crate::connections::Offered;
use crate::form::Form;

/// What somebody writes who hopes that a page repeats it as it is.
pub(super) const HOSTILE: &str = "<script>alert(1)</script>\"'&<b onload=x>";
const ULID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// What there is to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Data {
    Nothing,
    Plain,
    Hostile,
}

#[derive(Clone, Copy)]
pub(super) struct World {
    pub(super) texts: Texts,
    pub(super) data: Data,
}

fn now() -> Timestamp {
    "2026-11-21T07:15:59Z".parse().unwrap()
}

pub(super) fn provider() -> Provider {
    Provider::parse("ledger").unwrap()
}

pub(super) fn correlation() -> CorrelationId {
    CorrelationId::from_ulid(ULID.parse().unwrap())
}

impl World {
    /// A text of outside.
    pub(super) fn text(self, plain: &str) -> String {
        if self.data == Data::Hostile { HOSTILE.to_owned() } else { plain.to_owned() }
    }

    /// What there is of something.
    pub(super) fn some<T>(self, items: Vec<T>) -> Vec<T> {
        if self.data == Data::Nothing { Vec::new() } else { items }
    }

    pub(super) fn maybe<T>(self, item: T) -> Option<T> {
        self.some(vec![item]).pop()
    }

    pub(super) fn page<T>(self, items: Vec<T>) -> Page<T> {
        Page { items: self.some(items), next: self.maybe(Cursor("abc-_1".to_owned())) }
    }

    pub(super) fn wrong(self) -> FieldError {
        FieldError::new("accounts.sales_25", Said::quoted(self.text("must be an account number")))
    }

    pub(super) fn session(self, role: Role) -> Session {
        let tenant = TenantId::parse("demo").unwrap();
        let mut grants = BTreeMap::from([(tenant.clone(), role)]);
        grants.extend(self.maybe((TenantId::parse("second").unwrap(), Role::Viewer)));
        Session {
            subject: "1".to_owned(),
            name: self.text("asa@example.se"),
            grants,
            tenant,
            form_token: "f".repeat(64),
            signed_in_at: now(),
            expires_at: now(),
        }
    }

    pub(super) fn order(self, state: OrderState, sync: SyncState) -> Order {
        let text = |plain: &str| self.text(plain);
        let address = json!({"name": text("Åsa Öberg"), "address1": text("Storgatan 1"), "address2": text("2 tr"),
            "zip": "11122", "city": text("Stockholm"), "country": "SE"});
        let body = json!({
            "order_number": "1753-1001", "currency": "SEK",
            "viva_order_code": null, "payment_reference": "1753-1001",
            "customer": {"kind": "private", "name": text("Åsa Öberg"), "email": "asa@example.se", "phone": null,
                "organisation_number": null, "billing": address, "delivery": address},
            "lines": [{"kind": "goods", "sku": "OIL-30", "text": text("Ansiktsolja 30 ml"), "quantity": "2.5",
                "unit_price": "348.00", "vat_rate": "25"}],
            "total": "870.00",
        });
        let body = read_order(body.to_string().as_bytes()).unwrap();
        let id = OrderId::parse(&format!("ord_{ULID}")).unwrap();
        let mut order = Order::new(id, TenantId::parse("demo").unwrap(), body, now());
        order.state = state;
        if self.data == Data::Nothing {
            return order;
        }
        order.payment.captured = order.body.total;
        order.payment.reversed = order.body.total;
        order.payment.paid_at = Some(now());
        let numbers = ["invoice_number", "voucher_number", "a_new_number"];
        let books = &mut order.accounting;
        books.state = sync;
        books.provider = Some(provider());
        books.numbers = numbers.map(|name| (name.to_owned(), text("1042"))).into();
        books.message = Some(Said::quoted(text("The period is locked.")));
        books.parked = Some(ParkedId::parse(&format!("prk_{ULID}")).unwrap());
        let states = [
            BooksState::Paid,
            BooksState::PartlyPaid,
            BooksState::Unpaid,
            BooksState::Canceled,
            BooksState::Credited,
            BooksState::Gone,
        ];
        let changed = BTreeSet::from([BooksChange::Total, BooksChange::Date, BooksChange::Customer]);
        books.in_books = (1_042..)
            .zip(states)
            .map(|(number, state)| {
                let seen = InBooks { state, balance: None, changed: changed.clone(), read_at: now() };
                (format!("{number}{}", if self.data == Data::Hostile { HOSTILE } else { "" }), seen)
            })
            .collect();
        order.warehouse.state = sync;
        let parcel = |url: &str| Sent { number: text("UA123"), url: Some(url.to_owned()) };
        order.warehouse.shipment = Some(Shipment {
            order_id: text("7"),
            status: 450,
            text: text("Sent"),
            stage: Stage::Shipped,
            shipped_at: Some(now()),
            parcels: vec![parcel("https://carrier.example/?a=1&b=\"2"), parcel("javascript:alert(1)")],
            lines: Vec::new(),
        });
        order
    }

    pub(super) fn timeline(self) -> Vec<TimelineEntry> {
        let entry = |event: &str| TimelineEntry {
            id: ULID.to_owned(),
            at: now(),
            event: event.to_owned(),
            message: Said::quoted(self.text("ledger: invoice 1042")),
            correlation: correlation(),
        };
        self.some(vec![entry("invoice_done"), entry("something_new")])
    }

    /// One item of each reason, one of each shape of refusal, and one that nobody has heard of.
    pub(super) fn parked(self) -> Vec<Parked> {
        let listed = REASONS.iter().flat_map(|(_, codes)| codes.iter().copied());
        let details = ["step", "reference", "transaction", "order"];
        let order = OrderId::parse(&format!("ord_{ULID}")).unwrap();
        let item = |code: &str| Parked {
            id: ParkedId::parse(&format!("prk_{ULID}")).unwrap(),
            at: now(),
            code: code.to_owned(),
            message: Said::quoted(self.text("The period is locked.")),
            fingerprint: code.to_owned(),
            order: Some(order.clone()),
            target: Some(Target::Accounting),
            details: details
                .map(|name| (name, self.text("invoice")))
                .into_iter()
                .chain([
                    ("provider", "ledger".to_owned()),
                    ("transaction", "5f1f5f7c-0b0a-4b5f-8a43-0d8f5a6b7c8d".to_owned()),
                    ("amount", "12345.50".to_owned()),
                    ("currency", "SEK".to_owned()),
                    ("claimed_amount", self.text("12345.5")),
                    ("order_code", "9007199254740993".to_owned()),
                    ("order_numbers", r#"["1753-1001","1753-1002"]"#.to_owned()),
                    ("queue", "payments".to_owned()),
                ])
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            correlation: correlation(),
        };
        listed.chain(["invoice_refused", "ledger_2000106", "never_heard_of"]).map(item).collect()
    }

    pub(super) fn jobs(self) -> Vec<Job> {
        let states = [JobState::Waiting, JobState::Running, JobState::Done, JobState::Failed];
        let task = || JobTask::Replay {
            queues: vec!["payments".to_owned()],
            ids: None,
            per_second: None,
            everybody: false,
        };
        let job = |state: JobState| Job {
            id: JobId::parse(&format!("job_{ULID}")).unwrap(),
            task: if state == JobState::Done { JobTask::Sweep } else { task() },
            state,
            by: self.text("bk_1234"),
            reason: self.maybe(self.text("mended")),
            counts: self.some(vec![("replayed".to_owned(), 12_345)]).into_iter().collect(),
            position: None,
            started_at: now(),
            updated_at: now(),
            finished_at: self.maybe(now()),
            attempts: 1,
            error: self.maybe(Said::quoted(self.text("The table failed."))),
            correlation: correlation(),
        };
        states.map(job).into()
    }

    pub(super) fn audit(self) -> Vec<AuditEntry> {
        let value = json!({ "name": self.text("webshop") });
        vec![AuditEntry {
            id: ULID.to_owned(),
            at: now(),
            who: self.text("asa@example.se"),
            what: "settings_changed".to_owned(),
            subject: self.text("settings"),
            reason: Some(self.text("asked for")),
            before: Some(value.clone()),
            after: Some(value),
            correlation: correlation(),
        }]
    }

    pub(super) fn letters(self) -> Listed {
        let tenant = TenantId::parse("demo").unwrap();
        let order = Nudge::order(OrderId::parse(&format!("ord_{ULID}")).unwrap());
        let envelope = Envelope::new(tenant, correlation(), now(), order);
        let letter = |id: &str, message| DeadLetter {
            id: format!("{id}{}", if self.data == Data::Hostile { HOSTILE } else { "" }),
            receipt: "r".to_owned(),
            sent_at: Some(now()),
            receives: 5,
            message,
            body: self.text("{}"),
        };
        let unreadable = || Err(Unreadable { why: Said::quoted(self.text("no JSON")) });
        let items = QueueName::ALL.into_iter().map(|queue| (queue, letter(queue.as_str(), unreadable())));
        let items = items.chain([(QueueName::Accounting, letter("m", Ok(envelope)))]).collect();
        Listed { items: self.some(items), truncated: self.data != Data::Nothing }
    }

    /// What somebody typed, of every page's form.
    pub(super) fn form(self) -> Form {
        let fields =
            ["name", "reason", "per_second", "payment_mode", "number", "account_sales_25", "role", "id"];
        let fields = fields.map(|name| (name.to_owned(), self.text("12")));
        fields.into_iter().chain([("action".to_owned(), "exists".to_owned())]).collect()
    }

    pub(super) fn settings(self) -> SettingsView {
        let accounts = BTreeMap::from([(AccountRole::PaymentClaim, 1_584)]);
        SettingsView {
            settings: self.maybe(Settings {
                payments: provider(),
                accounting: Some(provider()),
                warehouse: None,
                posting_profile: PostingProfile::OrderAndInvoice,
                accounts: accounts.clone(),
                payment_mode: Some(self.text("KORT")),
            }),
            connected: Vec::new(),
            chart: self.maybe(Chart { accounts, payment_mode: Some(self.text("CARD")), ..Chart::default() }),
            payments: self.some(vec![provider()]),
            accounting: self.some(vec![provider()]),
            warehouses: self.some(vec![provider()]),
        }
    }

    pub(super) fn keys(self) -> Vec<ApiKey> {
        let key = |used_at| ApiKey {
            tenant: TenantId::parse("demo").unwrap(),
            role: Role::Operator,
            prefix: "bk_1234".to_owned(),
            id: format!("key_{ULID}"),
            name: self.text("webshop"),
            created_at: now(),
            used_at,
        };
        vec![key(None), key(Some(now()))]
    }

    pub(super) fn offered(self) -> Vec<Offered<'static>> {
        const FIELDS: &[EntryField] = &[
            EntryField { name: "client_id", secret: false, required: true },
            EntryField { name: "client_secret", secret: true, required: true },
        ];
        let states =
            [ShownState::Unchecked, ShownState::Healthy, ShownState::NeedsConsent, ShownState::Disconnected];
        let offer = |(name, state): (&str, ShownState)| Offered {
            view: ConnectionView {
                provider: Provider::parse(name).unwrap(),
                state,
                company: self.maybe(self.text("Demobolaget AB")),
                settings: [("client_id".to_owned(), self.text("abc"))].into(),
                grant: self.maybe("authorization_code"),
                refreshed_at: self.maybe(now()),
                days_left: self.maybe(44),
                webhook_endpoint: self.maybe("wh_1".to_owned()),
                registers: self.maybe(Known { customers: 12_345, invoices: 18_930, read_at: now() }),
                message: self.maybe(Said::quoted(self.text("The consent was taken back."))),
            },
            fields: FIELDS,
            by_consent: state != ShownState::Unchecked,
            readable: true,
            webhook_url: self.maybe("https://bokbro.example/webhooks/ledger/wh_1".to_owned()),
            reading: self.maybe(self.reading(r#""at":{"page":2},"size":1,"total":12345"#)),
            typed: None,
        };
        let elsewhere = Offered {
            fields: &[],
            by_consent: false,
            readable: false,
            webhook_url: None,
            reading: None,
            ..offer(("elsewhere", ShownState::Disconnected))
        };
        let offered = ["books", "ledger", "psp", "wms"].into_iter().zip(states).map(offer);
        self.some(offered.chain([elsewhere]).collect())
    }

    /// A job that reads registers, at a page that may not be the last.
    pub(super) fn reading(self, at: &str) -> Job {
        let position = format!(r#"{{"slice":1,"begun":"2026-11-21T07:00:00Z","since":null,{at}}}"#);
        Job {
            task: JobTask::Registers { provider: provider(), reading: Reading::Full },
            state: JobState::Running,
            position: Some(position),
            ..self.jobs().remove(0)
        }
    }

    pub(super) fn overview(self, waiting: Waiting, done: bool) -> OverviewView {
        let states = OrderState::ALL.map(|state| self.order(state, SyncState::Done));
        let syncs = [SyncState::Waiting, SyncState::Running, SyncState::Done, SyncState::Retrying];
        let syncs = syncs.map(|sync| self.order(OrderState::Paid, sync));
        let latest = self.some(states.into_iter().chain(syncs).collect());
        OverviewView {
            waiting,
            stranded: self.data != Data::Nothing,
            connections: self.offered().into_iter().map(|offered| offered.view).collect(),
            figures: self.figures(&latest),
            latest,
            guide: self.guide(if done { StepState::Done } else { StepState::Open }),
            settings: self.settings().settings,
        }
    }

    /// What the orders add up to; on the last day there were more than a page shows.
    fn figures(self, orders: &[Order]) -> Figures {
        let mut figures = Figures::of(orders, self.data == Data::Nothing, now());
        if self.data != Data::Nothing {
            let many = Counts { taken: 12_345, paid: 12_344, booked: 12_343, shipped: 12_342 };
            figures.lately = many;
            figures.days.last_mut().unwrap().1 = many;
        }
        figures
    }

    /// The guide with its last step as it is told.
    pub(super) fn guide(self, last: StepState) -> Guide {
        let first = if self.data == Data::Nothing { StepState::Open } else { StepState::Done };
        Guide {
            steps: [
                (StepName::Payments, first),
                (StepName::Accounting, first),
                (StepName::Warehouse, StepState::Optional),
                (StepName::Settings, first),
                (StepName::Key, first),
                (StepName::Order, last),
            ],
            webhooks: self.some(vec![(provider(), "wh_1".to_owned())]),
        }
    }
}
