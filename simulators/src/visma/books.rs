//! What one company holds: its registers, documents and vouchers.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::call::{day, moment, written};
use super::config::{Company, Settings};
use super::errors::Refusal;
use super::seed;
use crate::kit::json::{Json, Object};
use crate::kit::totals::round;

/// A stored document.
pub(super) struct Document {
    pub(super) fields: Object,
    /// When lists begin to show it.
    pub(super) listed_from: Timestamp,
}

/// An amount on an account in kronor: debit is positive, credit negative.
pub(super) type Entry = (u32, Decimal);

/// Account of differences of öre.
const ROUND_OFF: u32 = 3740;

/// What a voucher is for.
pub(super) struct Origin<'a> {
    pub(super) date: Date,
    pub(super) text: String,
    /// `VoucherType` of the description.
    pub(super) kind: u32,
    /// Id of the document that it comes from.
    pub(super) source: Option<&'a str>,
}

/// The books of one company.
pub(super) struct Books {
    pub(super) company: Company,
    pub(super) settings: Settings,
    pub(super) customers: Vec<Document>,
    pub(super) articles: Vec<Document>,
    pub(super) drafts: Vec<Document>,
    pub(super) invoices: Vec<Document>,
    /// Payments with the `InvoiceId` and `InvoiceNumber` that Visma itself never shows.
    pub(super) payments: Vec<Document>,
    pub(super) vouchers: Vec<Document>,
    pub(super) voucher_drafts: Vec<Document>,
    pub(super) codings: Vec<Document>,
    pub(super) units: Vec<Document>,
    pub(super) terms: Vec<Document>,
    pub(super) vat_codes: Vec<Document>,
    pub(super) accounts: Vec<Document>,
    pub(super) years: Vec<Document>,
    pub(super) bank_accounts: Vec<Document>,
    ids: u64,
}

impl Books {
    pub(super) fn new(company: Company, settings: Settings, now: Timestamp) -> Self {
        let mut books = Self {
            company,
            settings,
            customers: Vec::new(),
            articles: Vec::new(),
            drafts: Vec::new(),
            invoices: Vec::new(),
            payments: Vec::new(),
            vouchers: Vec::new(),
            voucher_drafts: Vec::new(),
            codings: Vec::new(),
            units: Vec::new(),
            terms: Vec::new(),
            vat_codes: Vec::new(),
            accounts: Vec::new(),
            years: Vec::new(),
            bank_accounts: Vec::new(),
            ids: 0,
        };
        seed::fill(&mut books, now);
        books
    }

    /// An id that never comes again.
    pub(super) fn new_id(&mut self) -> String {
        self.ids += 1;
        format!("{:08x}-0000-4000-8000-{:012x}", self.ids, self.ids)
    }

    /// A document written now, shown by lists after the lag.
    pub(super) fn stored(&self, fields: Object, now: Timestamp) -> Document {
        let lag = SignedDuration::from_millis(self.settings.lag_ms);
        Document { fields, listed_from: now.saturating_add(lag).unwrap_or(now) }
    }

    /// The next number of a series: one above the highest in use.
    pub(super) fn next_number(documents: &[Document], name: &str) -> u64 {
        let used = documents.iter().filter_map(|document| match document.fields.get(name) {
            Some(Json::Number(number)) => number.to_string().parse::<u64>().ok(),
            Some(Json::Text(text)) => text.parse().ok(),
            _ => None,
        });
        used.max().unwrap_or_default() + 1
    }

    /// The year that holds a day.
    pub(super) fn year_of(&self, date: Date) -> Option<&Object> {
        let holds = |year: &&Object| {
            day(year.text("StartDate")).is_some_and(|from| from <= date)
                && day(year.text("EndDate")).is_some_and(|to| date <= to)
        };
        self.years.iter().map(|year| &year.fields).find(holds)
    }

    /// The id of the year to book this day in.
    ///
    /// # Errors
    /// When the day is in a locked period or a locked year, or when no year holds it.
    pub(super) fn bookable(&self, date: Date) -> Result<String, Refusal> {
        if self.settings.locked_through.is_some_and(|through| date <= through) {
            let text = "VoucherDateIsInLockedPeriodException - The voucher date is in a locked period";
            return Err(Refusal::new(400, 4026, text));
        }
        let year = self.year_of(date).ok_or_else(|| {
            let text = "FiscalYearDoesNotExistException - There is no fiscal year for the date";
            Refusal::new(400, 3001, text)
        })?;
        if year.flag("IsLockedForAccounting") {
            let text = "VoucherDateIsInLockedYearException - The voucher date is in a locked year";
            return Err(Refusal::new(400, 4038, text));
        }
        Ok(year.text("Id").to_owned())
    }

    /// Writes a voucher of these entries, which may be off by öre.
    pub(super) fn book(&mut self, origin: Origin<'_>, entries: &[Entry], now: Timestamp) -> Object {
        let mut by_account: BTreeMap<u32, Decimal> = BTreeMap::new();
        for &(account, amount) in entries {
            *by_account.entry(account).or_default() += round(amount);
        }
        let rest: Decimal = by_account.values().sum();
        *by_account.entry(ROUND_OFF).or_default() -= rest;
        let rows: Vec<Json> = by_account
            .into_iter()
            .filter(|(_, amount)| !amount.is_zero())
            .map(|(account, amount)| {
                let row = Object::default()
                    .with("AccountNumber", account)
                    .with("DebitAmount", amount.max(Decimal::ZERO))
                    .with("CreditAmount", (-amount).max(Decimal::ZERO));
                Json::from(row)
            })
            .collect();
        self.add_voucher(origin, "A", rows, now)
    }

    /// Numbers and stores a voucher; answers with it.
    pub(super) fn add_voucher(
        &mut self,
        origin: Origin<'_>,
        series: &str,
        rows: Vec<Json>,
        now: Timestamp,
    ) -> Object {
        let used = self.vouchers.iter().filter(|voucher| voucher.fields.text("NumberSeries") == series);
        let number = format!("{series}{}", used.count() + 1);
        let mut voucher = Object::default()
            .with("Id", self.new_id())
            .with("VoucherDate", written(origin.date))
            .with("VoucherText", origin.text)
            .with("Rows", rows)
            .with("NumberAndNumberSeries", number)
            .with("NumberSeries", series)
            .with("VoucherType", origin.kind)
            .with("CreatedUtc", moment(now))
            .with("ModifiedUtc", moment(now));
        if let Some(source) = origin.source {
            voucher.set("SourceId", source);
        }
        let document = self.stored(voucher.clone(), now);
        self.vouchers.push(document);
        voucher
    }

    /// Rate in percent and sales account of an article.
    pub(super) fn coding_of(&self, article: &Object) -> (Decimal, u32) {
        let coding = self.codings.iter().find(|coding| coding.fields.text("Id") == article.text("CodingId"));
        let Some(coding) = coding.map(|coding| &coding.fields) else { return (Decimal::ZERO, 0) };
        let accounts = ["DomesticSalesSubjectToVatAccountNumber", "DomesticSalesVatExemptAccountNumber"];
        let account = accounts.into_iter().find_map(|name| account_number(coding, name)).unwrap_or_default();
        (coding.number("VatRatePercent"), account)
    }

    /// Everything, for `/_sim/state`.
    pub(super) fn state(&self) -> Object {
        let all = |documents: &[Document]| {
            Json::List(documents.iter().map(|document| document.fields.clone().into()).collect())
        };
        Object::default()
            .with("customers", all(&self.customers))
            .with("articles", all(&self.articles))
            .with("drafts", all(&self.drafts))
            .with("invoices", all(&self.invoices))
            .with("payments", all(&self.payments))
            .with("vouchers", all(&self.vouchers))
            .with("voucher_drafts", all(&self.voucher_drafts))
            .with("bank_accounts", all(&self.bank_accounts))
    }
}

/// An account number that a member holds, unless it is null.
pub(super) fn account_number(object: &Object, name: &str) -> Option<u32> {
    match object.get(name) {
        Some(Json::Number(number)) => number.to_string().parse().ok(),
        Some(Json::Text(text)) => text.parse().ok(),
        _ => None,
    }
}
