//! Every page, in both languages, for every role: with nothing to show, with everything, and with hostile texts.

use bokbro_app::contract::{Build, ELSEWHERE};
use bokbro_app::dead_letters::Listed;
use bokbro_app::error::Error;
use bokbro_app::oauth::{Outcome, StateFault};
use bokbro_app::overview::{StepState, Waiting};
use bokbro_app::ports::{ConsentRefusal, Cursor};
use bokbro_app::records::Role;
use bokbro_app::resume::Resumed;
use bokbro_app::secret::SecretText;
use bokbro_app::test_orders::Stage;
use bokbro_domain::ids::{OrderNumber, Provider};
use bokbro_domain::order::{OrderState, SyncState};
use bokbro_domain::said::Said;
use maud::html;

use super::world::{Data, World, correlation, provider};
use crate::connections::{self, Told};
use crate::contract;
use crate::dead_letters::{self, Wish};
use crate::form::Refused;
use crate::keys::{self, Made};
use crate::layout::Frame;
use crate::orders::{self, Parcels, Shown, Wanted};
use crate::settings;
use crate::sign_in::{self, Message};
use crate::{Language, Texts, consent, guide, overview, parked, work};

/// A page as a browser gets it.
pub(super) struct Rendered {
    pub(super) name: String,
    pub(super) language: Language,
    pub(super) html: String,
}

/// A build with a provider of each kind.
fn build() -> Build {
    let provider = |name| Provider::parse(name).unwrap();
    let [payments, accounting, warehouse] = ["psp", "books", "wms"].map(provider);
    Build {
        providers: [&payments, &accounting, &warehouse].map(|name| (name.clone(), &[][..])).into(),
        payments: vec![payments],
        accounting: vec![accounting],
        warehouses: vec![warehouse],
    }
}

/// All of them.
pub(super) fn all() -> Vec<Rendered> {
    let mut pages = Vec::new();
    for language in [Language::Swedish, Language::English] {
        for data in [Data::Nothing, Data::Plain, Data::Hostile] {
            let world = World { texts: Texts::of(language), data };
            let add = |(name, html): (String, String)| {
                let name = format!("{name} ({}, {data:?})", language.tag());
                Rendered { name, language, html }
            };
            for role in Role::ALL {
                pages.extend(world.inside(role).into_iter().map(add));
            }
            pages.extend(world.outside().into_iter().map(add));
        }
    }
    pages
}

/// The lists as long as they get: as many items as a page takes.
pub(super) fn longest() -> Vec<Rendered> {
    fn many<T>(make: impl Fn() -> Vec<T>, count: usize) -> Vec<T> {
        std::iter::repeat_with(make).flatten().take(count).collect()
    }
    let language = Language::Swedish;
    let world = World { texts: Texts::of(language), data: Data::Plain };
    let session = world.session(Role::Owner);
    let frame = Frame { texts: world.texts, session: &session, role: Role::Owner, path: "/app" };
    let orders = many(|| vec![world.order(OrderState::Paid, SyncState::NeedsAttention)], 50);
    let letters = Listed { items: many(|| world.letters().items, 50), truncated: true };
    let bodies = [
        ("orders", orders::list(&frame, &Wanted::default(), &orders, Parcels::Warehouse, None)),
        ("parked", parked::list(&frame, &world.page(many(|| world.parked(), 50)))),
        ("jobs", work::jobs(&frame, &world.page(many(|| world.jobs(), 50)))),
        ("audit", work::audit(&frame, &world.page(many(|| world.audit(), 50)))),
        ("dead letters", dead_letters::page(&frame, &letters, Wish::None)),
        ("keys", keys::page(&frame, &many(|| world.keys(), 100), &Made::Nothing)),
    ];
    let render = |(name, body): (&str, maud::Markup)| Rendered {
        name: name.to_owned(),
        language,
        html: frame.page(name, &body),
    };
    bodies.map(render).into()
}

impl World {
    /// The pages of somebody who is signed in.
    fn inside(self, role: Role) -> Vec<(String, String)> {
        let session = self.session(role);
        let path = if self.data == Data::Hostile { "/app/\"><script>" } else { "/app/orders/ord_1" };
        let frame = Frame { texts: self.texts, session: &session, role, path };
        let title = self.text("Title");
        let states = OrderState::ALL.map(|state| self.order(state, SyncState::Done));
        let syncs = [
            SyncState::Waiting,
            SyncState::Running,
            SyncState::Done,
            SyncState::Retrying,
            SyncState::NeedsAttention,
        ];
        let orders = self
            .some(states.into_iter().chain(syncs.map(|sync| self.order(OrderState::Paid, sync))).collect());
        let wanted = Wanted { state: self.maybe(OrderState::Paid), text: self.text("") };
        let next = self.maybe(Cursor("abc-_1".to_owned()));
        let key = || Made::Key(SecretText::new("bk_secret".to_owned()), self.keys().remove(0));
        let overview = |unmatched, parked, more, done| {
            overview::page(&frame, &self.overview(Waiting { unmatched, parked, more }, done))
        };
        let urls = self.some(vec!["https://bokbro.example/webhooks/psp/wh_1".to_owned()]);
        let guide = |last, stage| guide::page(&frame, &self.guide(last), &urls, stage);
        let (wrong, form) = (self.wrong(), self.form());
        let refused = Refused { error: &wrong, form: &form };
        let mut pages = vec![
            ("overview", overview(0, 0, false, true)),
            ("overview with one", overview(1, 1, false, false)),
            ("overview with many", overview(12_000, 345, true, true)),
            ("guide", guide(StepState::Open, Stage::Trial)),
            ("guide in production", guide(StepState::Open, Stage::Production)),
            ("guide done", guide(StepState::Done, Stage::Trial)),
            ("orders", orders::list(&frame, &wanted, &orders, Parcels::Nobody, next.as_ref())),
            ("parked", parked::list(&frame, &self.page(self.parked()))),
            ("jobs", work::jobs(&frame, &self.page(self.jobs()))),
            ("audit", work::audit(&frame, &self.page(self.audit()))),
            ("dead letters", dead_letters::page(&frame, &self.letters(), Wish::None)),
            ("dead letters, asked", dead_letters::page(&frame, &self.letters(), Wish::Asked)),
            (
                "dead letters, none chosen",
                dead_letters::page(&frame, &self.letters(), Wish::NoneChosen(&form)),
            ),
            ("dead letters, refused", dead_letters::page(&frame, &self.letters(), Wish::Field(refused))),
            ("settings", settings::page(&frame, &self.settings(), settings::Sent::No)),
            ("settings stored", settings::page(&frame, &self.settings(), settings::Sent::Stored)),
            ("settings refused", settings::page(&frame, &self.settings(), settings::Sent::Refused(refused))),
            ("keys", keys::page(&frame, &self.some(self.keys()), &Made::Nothing)),
            ("keys made", keys::page(&frame, &self.some(self.keys()), &key())),
            ("keys refused", keys::page(&frame, &self.some(self.keys()), &Made::Refused(refused))),
            ("connections", connections::page(&frame, &self.offered(), &Told::Nothing)),
            (
                "connections told",
                connections::page(&frame, &self.offered(), &Told::Good("connection-told-checked")),
            ),
            (
                "connections refused",
                connections::page(&frame, &self.offered(), &Told::Bad(Said::quoted(self.text("Wrong key.")))),
            ),
            (
                "connections with a wrong field",
                connections::page(&frame, &self.offered(), &Told::Refused(self.wrong())),
            ),
            ("nothing", html! {}),
        ];
        // It shows nobody's data.
        if self.data == Data::Plain && role == Role::Viewer {
            pages.push(("api", contract::page(&frame, &ELSEWHERE, &build())));
        }
        let order = self.order(OrderState::Pending, SyncState::NeedsAttention);
        let (more, timeline) = (self.data != Data::Nothing, self.timeline());
        let parcels = Parcels::Warehouse;
        let shown = Shown { order: &order, timeline: &timeline, more, parcels, pay_at: None };
        pages.push(("order", orders::detail(&frame, &shown)));
        let mut test = order.clone();
        test.body.order_number = OrderNumber::parse("TEST-1").unwrap();
        for pay_at in [None, Some("https://psp.example/web/checkout?ref=1&a=2")] {
            let shown = Shown { order: &test, more: false, pay_at, ..shown };
            pages.push(("test order", orders::detail(&frame, &shown)));
        }
        for (order, parcels) in orders.iter().zip([Parcels::Warehouse, Parcels::Nobody].into_iter().cycle()) {
            let shown = Shown { order, more: false, parcels, ..shown };
            pages.push(("order", orders::detail(&frame, &shown)));
        }
        let places = [
            r#""at":{"page":2},"size":1,"total":12345"#,
            r#""at":{"page":2},"size":0,"total":null"#,
            r#""at":{"unseen":{"cursor":null,"asked":3}},"size":100,"total":250"#,
        ];
        for job in self.jobs().into_iter().chain(places.map(|place| self.reading(place))) {
            pages.push(("job", work::job(&frame, &job)));
        }
        let mut pages: Vec<(String, String)> = pages
            .into_iter()
            .map(|(name, body)| (format!("{name} for {}", role.as_str()), frame.page(&title, &body)))
            .collect();
        // The items of the list look the same for whoever may see them.
        let items = if role == Role::Bookkeeper { self.parked() } else { Vec::new() };
        for item in items {
            let body = parked::detail(&frame, &item, self.maybe(refused));
            pages.push((
                format!("parked {}", item.code),
                frame.page(&parked::title(self.texts, &item), &body),
            ));
        }
        pages
    }

    /// The pages of everybody else.
    fn outside(self) -> Vec<(String, String)> {
        let reference = self.text("cor_1");
        let messages = [
            Message::NoSignIn,
            Message::SignedOut(None),
            Message::SignedOut(Some("https://id.example/logout?a=1&b=\"2".to_owned())),
            Message::OtherBrowser,
            Message::NotSignedIn,
            Message::Away,
            Message::NoAccess { name: self.text("asa@example.se") },
            Message::NotFound,
            Message::Conflict { why: Said::quoted(self.text("There are 100 API keys already.")) },
            Message::FormExpired,
            Message::TooMany { seconds: 61 },
            Message::Failed { reference },
        ];
        let messages = messages.into_iter().chain(Role::ALL.map(Message::Forbidden));
        let pages = messages.map(|message| (format!("{message:?}"), message.page(self.texts)));
        let sign_in = sign_in::sign_in(self.texts, &self.text("/app/orders"));
        pages.chain([("sign-in".to_owned(), sign_in)]).chain(self.consents()).collect()
    }

    /// What became of a consent.
    fn consents(self) -> impl Iterator<Item = (String, String)> {
        let refusals = [
            ConsentRefusal::Denied,
            ConsentRefusal::InvalidScope,
            ConsentRefusal::MissingLicense,
            ConsentRefusal::MissingAdminRight,
            ConsentRefusal::Nothing,
            ConsentRefusal::CodeExpired,
            ConsentRefusal::OtherCompany,
            ConsentRefusal::Other,
        ];
        let faults = [
            StateFault::Forged,
            StateFault::Expired,
            StateFault::OtherBrowser,
            StateFault::OtherProvider,
            StateFault::Used,
        ];
        let others = [
            Outcome::Connected { resumed: Resumed::default() },
            Outcome::Connected { resumed: Resumed { orders: 1, deliveries: 0 } },
            Outcome::Connected { resumed: Resumed { orders: 12_344, deliveries: 1 } },
            Outcome::UnknownProvider,
            Outcome::Failed(Error::Raced { step: "secret <step>" }),
        ];
        let outcomes = refusals.map(Outcome::Refused).into_iter().chain(faults.map(Outcome::BadState));
        outcomes.chain(others).map(move |outcome| {
            let page = consent::page(self.texts, &outcome, &provider(), &correlation());
            (format!("consent {outcome:?}"), page)
        })
    }
}
