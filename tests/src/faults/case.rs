//! One generated day: orders, how they are told of, what goes wrong, and where workers stop.

use bokbro_domain::posting::PostingProfile;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::wire::{Fault, Spot, spots};

/// When the orders are paid. Documents bear the day of the payment, whenever they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// An ordinary day.
    Noon,
    /// A minute before the day ends in Sweden: the work goes on tomorrow.
    Midnight,
    /// A minute before the year ends in Sweden: nobody has opened the next one in the books.
    NewYear,
}

impl Day {
    /// The moment of the payments.
    #[must_use]
    pub fn start(self) -> Timestamp {
        match self {
            Self::Noon => "2026-03-18T11:00:00Z",
            Self::Midnight => "2026-03-18T22:59:00Z",
            Self::NewYear => "2026-12-31T22:59:00Z",
        }
        .parse()
        .unwrap()
    }

    /// The Swedish day of the payments, reckoned by hand.
    #[must_use]
    pub fn date(self) -> &'static str {
        match self {
            Self::Noon | Self::Midnight => "2026-03-18",
            Self::NewYear => "2026-12-31",
        }
    }
}

/// What the buyer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pays {
    /// What the order costs.
    All,
    /// The same, after a card was refused.
    AfterRefusal,
    /// Less than the order costs: nothing may be booked.
    Short,
    /// Nothing.
    Nothing,
}

/// One order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buys {
    /// Which of the four buyers: two people, a company, and somebody who leaves no address to be known by.
    pub buyer: usize,
    /// Quantity, price of one in öre and VAT rate of each line.
    pub lines: Vec<(u8, u32, u8)>,
    /// What is paid.
    pub pays: Pays,
}

/// Something that makes a worker look at an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tells {
    /// The webhook of the payment.
    Paid,
    /// The webhook of a refused card, true or not.
    Failed,
    /// An event about the order itself.
    Checkout,
    /// A nudge of the books: a click, a retry, an older message.
    Nudge,
    /// Not an order at all: the ledger program's registers are read, as every hour.
    Registers,
}

/// A provider's bad moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// At which operation.
    pub spot: Spot,
    /// After how many calls that go well.
    pub after: u8,
    /// For how many calls.
    pub times: u8,
    /// What goes wrong.
    pub fault: Fault,
}

/// A point at which a worker can stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The n-th of the day.
    Stop(u16),
    /// The n-th of the day from which a worker would write to its ledger: between reading and writing workers get into
    /// each other's way.
    Write(u16),
}

/// What becomes of a worker at one of the points where it can stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Another worker goes on first.
    Switch,
    /// It dies.
    Kill,
    /// It stalls until its lease has run out and so many stops more were made by others; a write to the table that was on
    /// its way then arrives, and nothing after it, because the platform has ended the invocation.
    Freeze(u8),
}

/// One generated day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Which documents an order becomes.
    pub profile: PostingProfile,
    /// When the orders are paid.
    pub day: Day,
    /// Seconds until searches in the ledger program find a new document; less than the settle time.
    pub lag: u8,
    /// The orders.
    pub orders: Vec<Buys>,
    /// What is told of which order, and after how many seconds. What is not told stays untold: its webhook is lost.
    pub tells: Vec<(usize, Tells, u16)>,
    /// What goes wrong at the providers.
    pub troubles: Vec<Trouble>,
    /// What becomes of workers where.
    pub stops: Vec<(At, Stop)>,
    /// Whether somebody checks connections that do not let us in, before the hourly sweep does.
    pub checks: bool,
}

impl Case {
    /// A day on which one order is paid, told of once, and all goes well.
    #[must_use]
    pub fn good(profile: PostingProfile) -> Self {
        let order = Buys { buyer: 0, lines: vec![(2, 34_900, 25), (1, 4_900, 25)], pays: Pays::All };
        let tells = vec![(0, Tells::Paid, 0)];
        let (troubles, stops) = (Vec::new(), Vec::new());
        Self { profile, day: Day::Noon, lag: 0, orders: vec![order], tells, troubles, stops, checks: true }
    }

    /// How many things go wrong with a step at most, so that it is known when giving up is right.
    #[must_use]
    pub fn disturbances(&self) -> usize {
        let troubles: usize = self.troubles.iter().map(|trouble| usize::from(trouble.times)).sum();
        troubles + self.stops.iter().filter(|(_, stop)| *stop != Stop::Switch).count()
    }
}

impl Buys {
    /// What all lines add up to, in öre.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.lines.iter().map(|(quantity, price, _)| i64::from(*quantity) * i64::from(*price)).sum()
    }

    /// Who the buyer is to a bookkeeper; none for somebody who cannot be known again.
    #[must_use]
    pub fn identity(&self) -> Option<&'static str> {
        ["asa@example.se", "bo@example.se", "556677-8899"].get(self.buyer).copied()
    }

    /// The order as the webshop posts it. `nth` tells the orders of a day apart.
    #[must_use]
    pub fn body(&self, nth: usize) -> Value {
        let name = ["Åsa Öberg", "Bo Ek", "Öbergs Oljor AB", "Okänd Köpare"][self.buyer];
        // The same person does not always write the address alike.
        let email = [["asa@example.se", "ASA@Example.se"], ["bo@example.se", "bo@example.se"]];
        let email = email.get(self.buyer).map(|spellings| spellings[nth % 2]);
        let lines = self.lines.iter().enumerate().map(|(line, (quantity, price, rate))| {
            let shipping = line > 0 && line + 1 == self.lines.len();
            json!({"kind": if shipping { "shipping" } else { "goods" }, "sku": (!shipping).then(|| format!("S-{line}")),
                "text": format!("Vara {line}"), "quantity": quantity.to_string(),
                "unit_price": Decimal::new(i64::from(*price), 2).to_string(), "vat_rate": rate.to_string()})
        });
        json!({
            "order_number": null, "currency": "SEK", "viva_order_code": null, "payment_reference": null,
            "customer": {
                "kind": if self.buyer == 2 { "company" } else { "private" }, "name": name, "email": email, "phone": null,
                "organisation_number": (self.buyer == 2).then_some("556677-8899"),
                "billing": {"name": name, "address1": "Storgatan 1", "address2": null, "zip": "11122",
                            "city": "Stockholm", "country": "SE"},
                "delivery": null
            },
            "lines": lines.collect::<Vec<_>>(),
            "total": Decimal::new(self.total(), 2).to_string()
        })
    }
}

fn buys() -> impl Strategy<Value = Buys> {
    let lines = proptest::collection::vec((1..=3_u8, 30..=99_999_u32, select(vec![25_u8, 12, 6, 0])), 1..=4);
    let pays = prop_oneof![
        16 => Just(Pays::All),
        2 => Just(Pays::AfterRefusal),
        1 => Just(Pays::Short),
        1 => Just(Pays::Nothing),
    ];
    (0..4_usize, lines, pays).prop_map(|(buyer, lines, pays)| Buys { buyer, lines, pays })
}

fn tells() -> impl Strategy<Value = (usize, Tells, u16)> {
    let what = prop_oneof![
        6 => Just(Tells::Paid),
        1 => Just(Tells::Failed),
        2 => Just(Tells::Checkout),
        2 => Just(Tells::Nudge),
        1 => Just(Tells::Registers),
    ];
    // Many at once, some later, one after all leases.
    (0..3_usize, what, prop_oneof![5 => 0..=2_u16, 2 => 3..=90_u16, 1 => 400..=800_u16])
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let writes: Vec<Spot> = spots().into_iter().filter(Spot::writes).collect();
    let spot = prop_oneof![2 => select(writes), 1 => select(spots())];
    let after = prop_oneof![3 => Just(0_u8), 1 => 1..=2_u8];
    let times = prop_oneof![6 => Just(1_u8), 2 => 2..=3_u8, 1 => 4..=8_u8];
    (spot, after, times, select(Fault::ALL.to_vec())).prop_map(|(spot, after, times, fault)| Trouble {
        spot,
        after,
        times,
        fault,
    })
}

fn stop() -> impl Strategy<Value = (At, Stop)> {
    let what = prop_oneof![
        3 => Just(Stop::Switch),
        2 => Just(Stop::Kill),
        1 => (0..12_u8).prop_map(Stop::Freeze),
    ];
    let at = prop_oneof![(0..90_u16).prop_map(At::Stop), (0..24_u16).prop_map(At::Write)];
    (at, what)
}

/// Days of every kind.
pub fn cases() -> impl Strategy<Value = Case> {
    use proptest::collection::vec;
    let profile = select(vec![PostingProfile::Invoice, PostingProfile::OrderAndInvoice]);
    let day = prop_oneof![4 => Just(Day::Noon), 1 => Just(Day::Midnight), 1 => Just(Day::NewYear)];
    let lag = prop_oneof![Just(0_u8), 1..=6_u8];
    // One order is told of often, so that several workers are at it.
    let orders = prop_oneof![3 => vec(buys(), 1), 2 => vec(buys(), 2..=3)];
    let told = (orders, vec(tells(), 0..=6));
    (profile, day, lag, told, vec(trouble(), 0..=4), vec(stop(), 0..=5), any::<bool>()).prop_map(
        |(profile, day, lag, (orders, mut tells), troubles, stops, checks)| {
            for (order, _, _) in &mut tells {
                *order %= orders.len();
            }
            Case { profile, day, lag, orders, tells, troubles, stops, checks }
        },
    )
}
