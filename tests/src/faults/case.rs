//! One day: orders, how they are told of, what people do, what goes wrong, and where workers stop.

use bokbro_connectors::{fortnox, visma};
use bokbro_domain::order::OrderState;
use bokbro_domain::posting::PostingProfile;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::wire::{Fault, Spot};

/// Which ledger program the books are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// Fortnox.
    Fortnox,
    /// Visma, with a consent whose refresh token is another one after each use.
    Visma,
    /// Visma, with a consent whose refresh token stays.
    VismaWithoutRotation,
}

impl Program {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fortnox, Self::Visma, Self::VismaWithoutRotation];

    /// The provider's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fortnox => fortnox::NAME,
            Self::Visma | Self::VismaWithoutRotation => visma::NAME,
        }
    }

    /// The documents that an order can become in it. A voucher per day is another job, which `tests/it/vouchers`
    /// is about.
    #[must_use]
    pub fn profiles(self) -> &'static [PostingProfile] {
        match self {
            Self::Fortnox => &[PostingProfile::Invoice, PostingProfile::OrderAndInvoice],
            Self::Visma | Self::VismaWithoutRotation => &[PostingProfile::Invoice],
        }
    }
}

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

/// What a company can choose at Visma, and what its documentation leaves open. Fortnox has none of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Habits {
    /// Prices are shown without VAT to private persons too.
    pub shows_net: bool,
    /// The rows of a credit invoice are as negative as it is; otherwise they say what is taken back.
    pub negative_rows: bool,
    /// The payment of a credit invoice is positive; otherwise it is as negative as what remains.
    pub positive_payments: bool,
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

/// What people do on the day besides buying, or what the time brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happens {
    /// The shop gives so many percent of an order's total back; 100 is all that is left. Its webhook comes after so many
    /// seconds.
    Refund {
        /// Which order.
        order: usize,
        /// How much of its total.
        percent: u8,
        /// When it is told of.
        told: u16,
    },
    /// The staff of the warehouse gets on with an order, if it has one that is not canceled.
    Staff {
        /// Which order.
        order: usize,
        /// How far.
        got: Got,
        /// Whether a webhook tells of it.
        told: bool,
    },
    /// The schedule ticks.
    Tick,
}

impl Happens {
    /// Whether money is given back.
    #[must_use]
    pub fn gives_back(&self) -> bool {
        matches!(self, Self::Refund { .. })
    }
}

/// How far the staff of the warehouse has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Got {
    /// Its goods are picked.
    Picked,
    /// Its parcel has left.
    Sent,
}

impl Got {
    /// Its status number in the simulated warehouse.
    #[must_use]
    pub fn status(self) -> u32 {
        match self {
            Self::Picked => 400,
            Self::Sent => 450,
        }
    }
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
    /// Where the books are kept.
    pub program: Program,
    /// Which documents an order becomes.
    pub profile: PostingProfile,
    /// Whether parcels leave from a warehouse.
    pub ships: bool,
    /// What the company has chosen, and what nobody knows of its program.
    pub habits: Habits,
    /// When the orders are paid.
    pub day: Day,
    /// Seconds until searches in the ledger program find a new document; less than the settle time.
    pub lag: u8,
    /// The orders.
    pub orders: Vec<Buys>,
    /// What is told of which order, and after how many seconds. What is not told stays untold: its webhook is lost.
    pub tells: Vec<(usize, Tells, u16)>,
    /// What happens when workers have come so many stops far, in this order.
    pub happens: Vec<(u16, Happens)>,
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
    pub fn good(program: Program, profile: PostingProfile) -> Self {
        let order = Buys { buyer: 0, lines: vec![(2, 34_900, 25), (1, 4_900, 25)], pays: Pays::All };
        let tells = vec![(0, Tells::Paid, 0)];
        Self {
            program,
            profile,
            ships: false,
            habits: Habits::default(),
            day: Day::Noon,
            lag: 0,
            orders: vec![order],
            tells,
            happens: Vec::new(),
            troubles: Vec::new(),
            stops: Vec::new(),
            checks: true,
        }
    }

    /// What is given back of an order, in öre and in this order. Of an order that was not paid nothing can be.
    #[must_use]
    pub fn given_back(&self, nth: usize) -> Vec<i64> {
        let buys = &self.orders[nth];
        let (mut left, mut all) = (if buys.is_paid() { buys.total() } else { 0 }, Vec::new());
        for (_, happens) in &self.happens {
            let Happens::Refund { order, percent, .. } = happens else { continue };
            if *order != nth || left == 0 {
                continue;
            }
            let part = (buys.total() * i64::from(*percent) / 100).max(1);
            let amount = if *percent >= 100 { left } else { part.min(left) };
            left -= amount;
            all.push(amount);
        }
        all
    }

    /// Where an order must be in the end.
    #[must_use]
    pub fn state(&self, nth: usize) -> OrderState {
        let (total, back) = (self.orders[nth].total(), self.given_back(nth).iter().sum::<i64>());
        match back {
            _ if !self.orders[nth].is_paid() => OrderState::Pending,
            0 => OrderState::Paid,
            all if all == total => OrderState::Refunded,
            _ => OrderState::PartiallyRefunded,
        }
    }

    /// How many things go wrong with a step at most, so that it is known when giving up is right.
    #[must_use]
    pub fn disturbances(&self) -> usize {
        let troubles: usize = self.troubles.iter().map(|trouble| usize::from(trouble.times)).sum();
        troubles + self.stops.iter().filter(|(_, stop)| *stop != Stop::Switch).count()
    }
}

impl Buys {
    /// Whether the order is paid in full.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        matches!(self.pays, Pays::All | Pays::AfterRefusal)
    }

    /// What all lines add up to, in öre.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.lines.iter().map(|(quantity, price, _)| i64::from(*quantity) * i64::from(*price)).sum()
    }

    /// The lines that are goods; the last of several is the freight.
    #[must_use]
    pub fn goods(&self) -> &[(u8, u32, u8)] {
        &self.lines[..self.lines.len().max(2) - 1]
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
            let shipping = line >= self.goods().len();
            json!({"kind": if shipping { "shipping" } else { "goods" }, "sku": (!shipping).then(|| sku(line)),
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

/// The stock keeping unit of an order's n-th line.
pub(super) fn sku(line: usize) -> String {
    format!("S-{line}")
}
