//! The way of one day's voucher into Fortnox, and how it is found again.
//!
//! A voucher has no key of ours, cannot be searched for, changed or deleted, and the same one is taken any number of times
//! (`apis/fortnox.md` 2.4, 2.8). So it carries a marker, and the vouchers of its series around its day are read for it.

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Effector, Found, SendError};
use bokbro_domain::effect::{Intent, Ledger, Receipt, StepName};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::posting::{DayVoucher, VoucherRow};
use bokbro_domain::said;
use http::Method;
use jiff::civil::Date;

use super::adopt::misfit;
use super::api::{Api, Refused, Searched};
use super::customers::number_order;
use super::requests::{NewVoucher, NewVoucherRow, Write};
use super::text::line;
use super::wire::{FinancialYear, Voucher, VoucherSeries, text};
use crate::kit::reasons::{self, Kind};
use crate::kit::{Exact, path_segment};

/// The one step. Its name is stored in ledgers and must not change.
const STEP: &str = "voucher";
/// The series for vouchers by hand as Fortnox sets it up (`apis/fortnox.md` 2.9).
const USUAL_SERIES: &str = "A";
/// Longest values that Fortnox takes (`apis/fortnox.md` 2.5).
const LONGEST_DESCRIPTION: usize = 200;
const LONGEST_ROW: usize = 100;
/// When to look again for a voucher that a list shows and a read does not.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(45);

/// The way of one day's voucher into the books of one company.
pub(super) struct DayVouchers {
    api: Api,
    voucher: DayVoucher,
    /// Code of the series.
    series: String,
}

/// The financial year that holds the voucher's day.
struct Year {
    id: String,
    from: Date,
    to: Date,
}

impl DayVouchers {
    /// A voucher that goes to the series of a code, or to the usual one.
    pub(super) fn new(api: Api, voucher: DayVoucher, series: Option<&str>) -> Self {
        let named = series.map(str::trim).filter(|code| !code.is_empty());
        Self { api, voucher, series: named.unwrap_or(USUAL_SERIES).to_owned() }
    }

    /// The voucher with its marker twice: lists are documented to show both members, and one would do.
    fn document(&self) -> NewVoucher {
        let behind = behind(&self.voucher.reference);
        let said = line(&self.voucher.text, LONGEST_DESCRIPTION - behind.len()).unwrap_or_default();
        NewVoucher {
            description: said + &behind,
            comments: self.voucher.reference.clone(),
            transaction_date: self.voucher.date.to_string(),
            voucher_series: self.series.clone(),
            voucher_rows: self.voucher.rows.iter().map(row).collect(),
        }
    }

    /// The year to book in. A voucher without one would go to the year that somebody looked at last
    /// (`apis/fortnox.md` 2.4).
    async fn year(&self) -> Result<Year, Error> {
        let day = self.voucher.date.to_string();
        let query = [("date", day.as_str())];
        let years: Vec<FinancialYear> =
            self.api.list("list_financial_years", "/3/financialyears", "FinancialYears", &query).await?;
        let of = |year: &FinancialYear| {
            let (from, to) = year.days()?;
            Some(Year { id: text(&year.id)?.to_owned(), from, to })
        };
        let year = years.iter().find(|year| year.holds(self.voucher.date)).and_then(of);
        year.ok_or_else(|| reasons::no_year_for("Fortnox", self.voucher.date))
    }

    /// Stops before anything is sent when the series takes no vouchers of ours.
    async fn check_series(&self, year: &Year) -> Result<(), Error> {
        let path = format!("/3/voucherseries/{}", path_segment(&self.series));
        let query = [("financialyear", year.id.as_str())];
        let series: Option<VoucherSeries> =
            self.api.get_with("get_voucher_series", &path, "VoucherSeries", &query).await?;
        let why = match series.map(|series| series.manual.to_bool()) {
            Some(Some(true) | None) => return Ok(()),
            Some(Some(false)) => said!("fortnox-series-closed", "takes no vouchers by hand"),
            None => said!("fortnox-series-gone", "is not there"),
        };
        let message = said!(
            "fortnox-series",
            "the voucher series {series} {why} in Fortnox; allow it there, or name another one as voucher_series of the \
             connection, and try again",
            series = self.series;
            why
        );
        Err(Error::park("voucher_series_closed", message))
    }

    /// The voucher with the marker and the lowest number, from the days around its own: whether the bounds of a search
    /// count is not documented.
    async fn find(&self, year: &Year) -> Result<Option<Receipt>, Error> {
        let from = self.voucher.date.yesterday().unwrap_or(self.voucher.date).max(year.from).to_string();
        let to = self.voucher.date.tomorrow().unwrap_or(self.voucher.date).min(year.to).to_string();
        let query =
            [("financialyear", year.id.as_str()), ("fromdate", from.as_str()), ("todate", to.as_str())];
        let path = format!("/3/vouchers/sublist/{}", path_segment(&self.series));
        let listed: Vec<Voucher> = match self.api.search("list_vouchers", &path, "Vouchers", &query).await? {
            Searched::Found(listed) => listed,
            // That a series can be asked for by date is documented of all vouchers only (`apis/fortnox.md` 2.3).
            Searched::BadParameter => {
                self.api.list("list_vouchers", "/3/vouchers", "Vouchers", &query).await?
            }
        };
        let ours = listed.iter().filter(|voucher| {
            self.is_ours(voucher) && text(&voucher.voucher_series).is_none_or(|code| code == self.series)
        });
        let numbers = ours.filter_map(|voucher| text(&voucher.voucher_number));
        let Some(number) = numbers.min_by_key(|number| number_order(number)) else { return Ok(None) };
        let Some(voucher) = self.read(&self.series, number, year).await? else {
            let what = "a voucher that is listed and cannot be read".to_owned();
            return Err(Error::NotYet { what, after: Some(LOOK_AGAIN) });
        };
        self.receipt(&voucher).map(Some).ok_or_else(|| {
            let message = said!(
                "fortnox-voucher-differs",
                "voucher {series}{number} in Fortnox is not as it was sent: it has other rows or another day; correct it \
                 there with a voucher of your own, and dismiss this",
                series = self.series,
                number
            );
            Error::park("totals_differ", message)
        })
    }

    async fn read(&self, series: &str, number: &str, year: &Year) -> Result<Option<Voucher>, Error> {
        let path = format!("/3/vouchers/{}/{}", path_segment(series), path_segment(number));
        let query = [("financialyear", year.id.as_str())];
        self.api.get_with("get_voucher", &path, "Voucher", &query).await
    }

    fn is_ours(&self, voucher: &Voucher) -> bool {
        let reference = self.voucher.reference.as_str();
        text(&voucher.comments).is_some_and(|comments| comments.trim() == reference)
            || text(&voucher.description).is_some_and(|said| said.ends_with(&behind(reference)))
    }

    /// The voucher's number when it says what ours says.
    fn receipt(&self, voucher: &Voucher) -> Option<Receipt> {
        let rows: Option<Vec<(u16, Money)>> =
            voucher.voucher_rows.as_ref()?.iter().map(super::wire::VoucherRow::entry).collect();
        let day = text(&voucher.transaction_date)?;
        let same = self.voucher.has_rows(rows?) && day == self.voucher.date.to_string();
        let number = text(&voucher.voucher_number).filter(|_| same)?;
        let series = text(&voucher.voucher_series).unwrap_or(&self.series);
        Some(Receipt { external_id: format!("{series}{number}"), ..Receipt::default() })
    }

    /// The voucher that a person named.
    async fn adopted(&self, named: &str) -> Result<Receipt, Error> {
        let misfit = misfit(Kind::Voucher, named);
        let not_there = || misfit.not_there();
        let (series, number) = self.series_and_number(named).ok_or_else(not_there)?;
        let year = self.year().await?;
        let voucher = self.read(&series, &number, &year).await?.ok_or_else(not_there)?;
        if !self.is_ours(&voucher) {
            let what =
                said!("misfit-no-text", "does not carry the text {text}", text = self.voucher.reference);
            return Err(misfit.because(what));
        }
        self.receipt(&voucher).ok_or_else(|| misfit.other_rows())
    }

    /// `A12`, `A 12`, or `12` of our own series.
    fn series_and_number(&self, named: &str) -> Option<(String, String)> {
        let named = named.trim();
        let (series, number) = named.rsplit_once(char::is_whitespace).unwrap_or_else(|| {
            let digits = named.len() - named.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            named.split_at(named.len() - digits)
        });
        let number: u64 = number.parse().ok()?;
        let series = series.trim();
        let series = if series.is_empty() { self.series.as_str() } else { series };
        Some((series.to_uppercase(), number.to_string()))
    }

    fn step(name: &StepName) -> Result<(), Error> {
        if name.0 == STEP {
            return Ok(());
        }
        Err(reasons::unknown_step("Fortnox", name))
    }
}

/// How the marker stands behind the text that people read.
fn behind(reference: &str) -> String {
    format!(" ({reference})")
}

fn row(row: &VoucherRow) -> NewVoucherRow {
    let zero = Money::zero(Currency::SEK);
    let (debit, credit) = if row.amount.minor < 0 {
        (zero, Money::new(-row.amount.minor, row.amount.currency))
    } else {
        (row.amount, zero)
    };
    NewVoucherRow {
        account: row.account,
        debit: Exact(debit.to_major()),
        credit: Exact(credit.to_major()),
        transaction_information: line(&row.text, LONGEST_ROW),
    }
}

#[async_trait]
impl Effector for DayVouchers {
    fn steps(&self) -> Vec<StepName> {
        vec![StepName::from(STEP)]
    }

    fn intent(&self, step: &StepName, _: &Ledger) -> Result<Option<Intent>, Error> {
        Self::step(step)?;
        let write = Write::document(Method::POST, "/3/vouchers".to_owned(), "Voucher", &self.document())?;
        write.intent(step, self.voucher.reference.clone(), false).map(Some)
    }

    async fn look_up(&self, intent: &Intent, _: &Ledger) -> Result<Found, Error> {
        Self::step(&intent.step)?;
        let year = self.year().await?;
        Ok(self.find(&year).await?.map_or(Found::No, Found::Yes))
    }

    async fn adopt(&self, intent: &Intent, number: &str, _: &Ledger) -> Result<Receipt, Error> {
        Self::step(&intent.step)?;
        self.adopted(number).await
    }

    async fn send(&self, intent: &Intent, _: &Ledger) -> Result<Receipt, SendError> {
        Self::step(&intent.step).map_err(SendError::NotDone)?;
        // Only reads so far: nothing can have been written.
        let year = self.year().await.map_err(SendError::NotDone)?;
        self.check_series(&year).await.map_err(SendError::NotDone)?;
        let id: u32 =
            year.id.parse().map_err(|_| SendError::NotDone(self.api.unnumbered("list_financial_years")))?;
        let write =
            Write::of(intent).and_then(|write| write.with("Year", &id)).map_err(SendError::NotDone)?;
        let query = [("financialyear", year.id.as_str())];
        match self.api.write_with::<Voucher>("create_voucher", write, "Voucher", &query).await {
            // One that is not as it was sent is read once more, and told of then.
            Ok(voucher) => self.receipt(&voucher).ok_or_else(|| self.api.incomplete("create_voucher")),
            Err(Refused::Failed(error)) => Err(error),
            Err(Refused::Final { reason, .. }) => Err(SendError::Rejected(reason)),
        }
    }

    fn number_name(&self, step: &StepName) -> Option<&'static str> {
        (step.0 == STEP).then_some("voucher_number")
    }
}
