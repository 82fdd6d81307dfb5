//! What one company holds: its registers, documents and vouchers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::call::Outcome;
use super::chart;
use super::config::{Settings, TenantConfig};
use super::documents::{MODE_OF_PAYMENT, VOUCHER};
use super::errors::Refusal;
use super::fields::initial;
use super::json::{Json, Object};
use super::totals::round;

/// A stored document.
pub(super) struct Document {
    pub(super) fields: Object,
    pub(super) modified: Timestamp,
    /// When searches begin to find it.
    pub(super) listed_from: Timestamp,
}

/// A financial year.
#[derive(Clone)]
pub(super) struct Year {
    pub(super) id: u32,
    pub(super) from: Date,
    pub(super) to: Date,
}

/// An amount on an account in kronor: debit is positive, credit negative.
pub(super) type Entry = (u32, Decimal);

/// Where a voucher comes from and what it says.
pub(super) struct Origin<'a> {
    pub(super) series: &'a str,
    pub(super) date: Date,
    pub(super) description: String,
    pub(super) kind: &'a str,
    pub(super) number: String,
}

/// The books of one company.
pub(super) struct Books {
    pub(super) tenant: TenantConfig,
    pub(super) settings: Settings,
    pub(super) customers: Vec<Document>,
    /// Customer numbers that were used once; deleting a customer does not free its number.
    pub(super) customer_numbers: BTreeSet<String>,
    pub(super) orders: Vec<Document>,
    pub(super) invoices: Vec<Document>,
    pub(super) payments: Vec<Document>,
    pub(super) vouchers: Vec<Document>,
    pub(super) articles: Vec<Document>,
    pub(super) modes: Vec<Document>,
    pub(super) accounts: BTreeMap<u32, String>,
    pub(super) predefined: BTreeMap<String, u32>,
    pub(super) years: Vec<Year>,
    last_row_id: u64,
    last_payment: u64,
}

impl Books {
    pub(super) fn new(tenant: TenantConfig, settings: Settings, now: Timestamp) -> Self {
        let this_year = today(now).year();
        let mut books = Self {
            tenant,
            settings,
            customers: Vec::new(),
            customer_numbers: BTreeSet::new(),
            orders: Vec::new(),
            invoices: Vec::new(),
            payments: Vec::new(),
            vouchers: Vec::new(),
            articles: Vec::new(),
            modes: Vec::new(),
            accounts: chart::ACCOUNTS.iter().map(|&(number, name)| (number, name.to_owned())).collect(),
            predefined: chart::PREDEFINED.iter().map(|&(name, number)| (name.to_owned(), number)).collect(),
            years: Vec::new(),
            last_row_id: 0,
            last_payment: 0,
        };
        books.open_year(this_year - 1);
        books.open_year(this_year);
        for &(code, description, account) in chart::MODES_OF_PAYMENT {
            let mode = initial(MODE_OF_PAYMENT)
                .with("Code", code)
                .with("Description", description)
                .with("AccountNumber", account.to_string());
            books.modes.push(Document { fields: mode, modified: now, listed_from: now });
        }
        books
    }

    /// Adds the calendar year as a financial year, unless it is open.
    pub(super) fn open_year(&mut self, year: i16) {
        let (from, to) = (date(year, 1, 1), date(year, 12, 31));
        if self.year_of(from).is_none() {
            let id = self.years.iter().map(|year| year.id).max().unwrap_or_default() + 1;
            self.years.push(Year { id, from, to });
        }
    }

    pub(super) fn year_of(&self, date: Date) -> Option<&Year> {
        self.years.iter().find(|year| year.from <= date && date <= year.to)
    }

    pub(super) fn predefined(&self, name: &str) -> u32 {
        self.predefined.get(name).copied().unwrap_or_default()
    }

    /// A document written now, found by searches after the lag.
    pub(super) fn written(&self, fields: Object, now: Timestamp) -> Document {
        let lag = SignedDuration::from_millis(self.settings.lag_ms);
        Document { fields, modified: now, listed_from: now.saturating_add(lag).unwrap_or(now) }
    }

    pub(super) fn next_row_id(&mut self) -> u64 {
        self.last_row_id += 1;
        self.last_row_id
    }

    pub(super) fn next_payment_number(&mut self) -> u64 {
        self.last_payment += 1;
        self.last_payment
    }

    /// The year to book this day in.
    ///
    /// # Errors
    /// With `locked_code` when the day is in the locked period, or when no financial year holds it.
    pub(super) fn bookable(&self, date: Date, locked_code: u32) -> Result<u32, Refusal> {
        if let Some(until) = self.settings.locked_until.filter(|&until| date <= until) {
            let text = format!("Ni har låst perioden t.o.m. {until}. Lås upp perioden för att fortsätta.");
            return Err(Refusal::invalid(locked_code, text));
        }
        self.year_of(date)
            .map(|year| year.id)
            .ok_or_else(|| Refusal::not_now(format!("Räkenskapsår saknas för datum {date}.")))
    }

    /// Writes a voucher into the year that `bookable` gave and marks the document with its number.
    pub(super) fn book(
        &mut self,
        origin: Origin<'_>,
        year: u32,
        entries: &[Entry],
        now: Timestamp,
    ) -> Object {
        let mut by_account: BTreeMap<u32, Decimal> = BTreeMap::new();
        for &(account, amount) in entries {
            *by_account.entry(account).or_default() += round(amount);
        }
        // What conversion into kronor leaves over is rounding.
        let rest: Decimal = by_account.values().sum();
        *by_account.entry(self.predefined("ROUNDOFF")).or_default() -= rest;
        let rows: Vec<Json> = by_account
            .into_iter()
            .filter(|(_, amount)| !amount.is_zero())
            .map(|(account, amount)| voucher_row(account, amount, &origin.description).into())
            .collect();
        let voucher = initial(VOUCHER)
            .with("Description", origin.description)
            .with("TransactionDate", origin.date)
            .with("VoucherRows", rows);
        self.add_voucher(voucher, origin.series, year, origin.kind, &origin.number, now)
    }

    /// Numbers and stores a voucher; answers with it.
    pub(super) fn add_voucher(
        &mut self,
        voucher: Object,
        series: &str,
        year: u32,
        kind: &str,
        reference: &str,
        now: Timestamp,
    ) -> Object {
        let number = self.next_voucher_number(series, year);
        let voucher = voucher
            .with("@url", format!("https://api.fortnox.se/3/vouchers/{series}/{number}?financialyear={year}"))
            .with("ApprovalState", 0_u32)
            .with("VoucherSeries", series)
            .with("VoucherNumber", number)
            .with("Year", year)
            .with("ReferenceType", kind)
            .with("ReferenceNumber", reference);
        let document = self.written(voucher.clone(), now);
        self.vouchers.push(document);
        voucher
    }

    pub(super) fn next_voucher_number(&self, series: &str, year: u32) -> u64 {
        let used = self.vouchers.iter().filter(|voucher| {
            voucher.fields.text("VoucherSeries") == series
                && voucher.fields.number("Year") == Decimal::from(year)
        });
        used.count() as u64 + 1
    }

    /// Everything, for `/_sim/state`.
    pub(super) fn state(&self) -> Object {
        let all = |documents: &[Document]| {
            Json::List(documents.iter().map(|document| document.fields.clone().into()).collect())
        };
        Object::default()
            .with("customers", all(&self.customers))
            .with("orders", all(&self.orders))
            .with("invoices", all(&self.invoices))
            .with("invoice_payments", all(&self.payments))
            .with("vouchers", all(&self.vouchers))
    }
}

/// A row that debits a positive amount or credits a negative one.
fn voucher_row(account: u32, amount: Decimal, description: &str) -> Object {
    Object::default()
        .with("Account", account)
        .with("Debit", amount.max(Decimal::ZERO))
        .with("Credit", (-amount).max(Decimal::ZERO))
        .with("Description", description)
        .with("CostCenter", "")
        .with("Project", "")
        .with("Quantity", 0_u32)
        .with("Removed", false)
        .with("TransactionInformation", "")
}

/// The place of the document whose `field` is exactly `value`.
pub(super) fn position(documents: &[Document], field: &str, value: &str) -> Option<usize> {
    documents.iter().position(|document| document.fields.text(field) == value)
}

/// The next free number: one above the highest in use.
pub(super) fn next_number(documents: &[Document], field: &str) -> u64 {
    documents
        .iter()
        .filter_map(|document| document.fields.text(field).parse::<u64>().ok())
        .max()
        .unwrap_or_default()
        + 1
}

/// The day in Sweden.
pub(super) fn today(now: Timestamp) -> Date {
    match jiff::tz::TimeZone::get("Europe/Stockholm") {
        Ok(zone) => now.to_zoned(zone).date(),
        Err(_) => now.to_zoned(jiff::tz::TimeZone::UTC).date(),
    }
}

/// A handler of one operation.
pub(super) type Handler = fn(&mut Books, &super::call::Call) -> Outcome;
