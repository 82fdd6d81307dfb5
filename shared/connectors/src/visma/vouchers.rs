//! The way of one day's voucher into Visma: a draft that is found again, and its conversion, which can happen once.

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Effector, Found, SendError};
use bokbro_domain::effect::{Intent, Ledger, Receipt, StepName};
use bokbro_domain::money::{Currency, Money};
use bokbro_domain::posting::{DayVoucher, VoucherRow};
use bokbro_domain::said;
use bokbro_domain::said::Said;
use jiff::SignedDuration;

use super::adopt::misfit;
use super::api::{Api, Refused, Searched};
use super::effects::{CONVERSION_LAG, LOOK_AGAIN};
use super::errors::NOT_FOUND;
use super::map::line;
use super::requests::{NewVoucherDraft, NewVoucherRow, Write};
use super::wire::{self, CompanySettings, FiscalYear, Voucher, day};
use crate::kit::reasons::{self, Kind};
use crate::kit::{Exact, path_segment};

/// Longest values that Visma takes (`apis/visma.md` 2.2); a draft's rows take less than a voucher's.
const LONGEST_TEXT: usize = 1000;
const LONGEST_ROW: usize = 50;
/// Variants of the program that have no vouchers: those for invoicing alone (`apis/visma.md` 2).
const WITHOUT_VOUCHERS: [&str; 2] = ["2", "6"];

/// One step. Its name is stored in ledgers and must not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Draft,
    Voucher,
}

impl Step {
    const ALL: [Self; 2] = [Self::Draft, Self::Voucher];

    fn name(self) -> &'static str {
        match self {
            Self::Draft => "voucher_draft",
            Self::Voucher => "voucher",
        }
    }

    /// Name in logs and in what people read.
    fn operation(self) -> &'static str {
        match self {
            Self::Draft => "create_voucher_draft",
            Self::Voucher => "convert_voucher_draft",
        }
    }

    fn of(name: &StepName) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|step| step.name() == name.0);
        known.ok_or_else(|| reasons::unknown_step("Visma", name))
    }
}

/// The way of one day's voucher into the books of one company.
pub(super) struct DayVouchers {
    pub(super) api: Api,
    pub(super) voucher: DayVoucher,
}

impl DayVouchers {
    fn write(&self, step: Step, ledger: &Ledger) -> Result<Write, Error> {
        match step {
            Step::Draft => {
                let behind = behind(&self.voucher.reference);
                let said = line(&self.voucher.text, LONGEST_TEXT - behind.len()).unwrap_or_default();
                let draft = NewVoucherDraft {
                    voucher_date: self.voucher.date.to_string(),
                    voucher_text: said + &behind,
                    rows: self.voucher.rows.iter().map(row).collect(),
                };
                Write::post("/v2/voucherdrafts", &draft)
            }
            Step::Voucher => Ok(Write::action(format!("{}/convert", draft_path(draft(ledger)?)))),
        }
    }

    /// Stops before anything is written on a day that cannot be booked on: a draft would be left behind.
    async fn check_day(&self) -> Result<(), Error> {
        let date = self.voucher.date;
        let settings: Option<CompanySettings> =
            self.api.get("get_company_settings", "/v2/companysettings").await?;
        let settings = settings.as_ref();
        let variant = settings.and_then(|settings| settings.product_variant.as_deref());
        if variant.is_some_and(|variant| WITHOUT_VOUCHERS.contains(&variant)) {
            let message = said!(
                "visma-no-vouchers",
                "the company's variant of Visma keeps no vouchers; set the posting profile to invoice, or change the variant"
            );
            return Err(Error::park("profile_not_supported", message));
        }
        let year = self.year().await?;
        let locked_through = settings.and_then(|settings| day(&settings.accounting_locked_to));
        let what = match locked_through {
            Some(through) if date <= through => {
                said!("visma-locked-through", "the period locked through {through}", through)
            }
            Some(_) | None if year.is_locked() => said!("visma-locked-year", "a locked fiscal year"),
            Some(_) | None => return Ok(()),
        };
        let message = said!(
            "visma-voucher-locked",
            "the voucher of {date} lies in {what} in Visma; unlock it there and try again",
            date;
            what
        );
        Err(Error::park("period_locked", message))
    }

    async fn year(&self) -> Result<FiscalYear, Error> {
        let years: Vec<FiscalYear> = self.api.list("list_fiscal_years", "/v2/fiscalyears", None).await?;
        let date = self.voucher.date;
        years.into_iter().find(|year| year.holds(date)).ok_or_else(|| reasons::no_year_for("Visma", date))
    }

    /// Looks for a step's document.
    async fn find(&self, step: Step, ledger: &Ledger) -> Result<Option<Receipt>, Error> {
        match step {
            Step::Draft => self.find_draft().await,
            Step::Voucher => self.find_converted(ledger).await,
        }
    }

    /// Looks through all drafts, of which there are few. Somebody may have made the voucher already.
    async fn find_draft(&self) -> Result<Option<Receipt>, Error> {
        let drafts: Vec<Voucher> = self.api.list("list_voucher_drafts", "/v2/voucherdrafts", None).await?;
        let Some(draft) = drafts.iter().find(|draft| self.is_ours(draft)) else {
            let voucher = self.find_voucher().await?;
            return Ok(voucher.as_ref().and_then(draft_receipt));
        };
        self.checked(draft, |number| {
            said!(
                "visma-draft-differs",
                "draft of the voucher {number} in Visma has other rows or another day than was sent; delete the draft there \
                 and try again",
                number
            )
        })?;
        Ok(draft_receipt(draft))
    }

    /// The voucher with the marker, from the days around its own; of the whole year when dates cannot be searched by.
    async fn find_voucher(&self) -> Result<Option<Voucher>, Error> {
        let year = self.year().await?;
        let path = format!("/v2/vouchers/{}", path_segment(year.id.as_deref().unwrap_or_default()));
        let date = self.voucher.date;
        let (from, to) = (date.yesterday().unwrap_or(date), date.tomorrow().unwrap_or(date));
        let filter = format!("VoucherDate ge {from}T00:00:00Z and VoucherDate le {to}T00:00:00Z");
        let found: Vec<Voucher> = match self.api.search("list_vouchers", &path, Some(&filter)).await? {
            Searched::Found(found) => found,
            Searched::BadFilter => self.api.list("list_vouchers", &path, None).await?,
        };
        Ok(found.into_iter().find(|voucher| self.is_ours(voucher)))
    }

    /// The voucher that the draft became. A draft that is there has not been converted; one that is gone has, and its
    /// voucher is looked for until it must have shown.
    async fn find_converted(&self, ledger: &Ledger) -> Result<Option<Receipt>, Error> {
        if let Some(voucher) = self.find_voucher().await? {
            self.checked(&voucher, |number| {
                said!(
                    "visma-voucher-differs",
                    "voucher {number} in Visma has other rows or another day than was sent; correct it there with a voucher \
                     of your own, and dismiss this",
                    number
                )
            })?;
            return voucher_receipt(&voucher).map(Some).ok_or_else(|| {
                let message = said!(
                    "visma-voucher-no-number",
                    "the voucher in Visma shows no number; check it by hand"
                );
                Error::park("receipt_incomplete", message)
            });
        }
        let draft: Option<Voucher> = self.api.get("get_voucher_draft", &draft_path(draft(ledger)?)).await?;
        if draft.is_some() {
            return Ok(None);
        }
        let sent_at = ledger.steps.get(&StepName::from(Step::Voucher.name())).map(|step| step.sent_at);
        let waited = sent_at.map_or(SignedDuration::ZERO, |at| self.api.now().duration_since(at));
        if waited > CONVERSION_LAG {
            let message = said!(
                "visma-voucher-draft-gone",
                "the draft of the voucher of {date} was deleted in Visma, or its voucher lost the text {text}; book the day by hand",
                date = self.voucher.date,
                text = self.voucher.reference
            );
            return Err(Error::park("visma_draft_gone", message));
        }
        Err(Error::NotYet { what: "the voucher that the draft became".to_owned(), after: Some(LOOK_AGAIN) })
    }

    fn is_ours(&self, voucher: &Voucher) -> bool {
        let behind = behind(&self.voucher.reference);
        voucher.voucher_text.as_deref().is_some_and(|text| text.ends_with(&behind))
    }

    /// Whether it says what ours says. The company's settings may add rows of VAT.
    fn fits(&self, voucher: &Voucher) -> bool {
        let rows: Option<Vec<(u16, Money)>> =
            voucher.rows.as_ref().and_then(|rows| rows.iter().map(wire::VoucherRow::entry).collect());
        day(&voucher.voucher_date) == Some(self.voucher.date)
            && rows.is_some_and(|rows| self.voucher.has_rows(rows))
    }

    fn checked(&self, voucher: &Voucher, differs: impl Fn(&str) -> Said) -> Result<(), Error> {
        if self.fits(voucher) {
            return Ok(());
        }
        let number = voucher.number_and_number_series.as_deref().unwrap_or(&self.voucher.reference);
        Err(Error::park("totals_differ", differs(number)))
    }

    /// The document that a person named.
    async fn adopted(&self, step: Step, named: &str, ledger: &Ledger) -> Result<Receipt, Error> {
        let found = match step {
            Step::Draft => self.api.get::<Voucher>("get_voucher_draft", &draft_path(named.trim())).await?,
            Step::Voucher => {
                draft(ledger)?;
                self.find_voucher().await?.filter(|voucher| {
                    voucher.number_and_number_series.as_deref().map(compact) == Some(compact(named))
                })
            }
        };
        let misfit = misfit(Kind::Voucher, named);
        let marked = found
            .filter(|voucher| self.is_ours(voucher))
            .ok_or_else(|| misfit.no_marker(&behind(&self.voucher.reference)))?;
        if !self.fits(&marked) {
            return Err(misfit.other_rows());
        }
        let receipt = match step {
            Step::Draft => draft_receipt(&marked),
            Step::Voucher => voucher_receipt(&marked),
        };
        receipt.ok_or_else(|| misfit.no_number())
    }

    /// Sends a write and reads what later steps need to know. One that is not as it was sent is read once more, and told
    /// of then.
    async fn write_out(&self, step: Step, write: &Write) -> Result<Receipt, Refused> {
        let operation = step.operation();
        let voucher: Voucher = self.api.write(operation, write).await?;
        let receipt = match step {
            Step::Draft => draft_receipt(&voucher),
            Step::Voucher => voucher_receipt(&voucher),
        };
        let receipt = receipt.filter(|_| self.fits(&voucher));
        receipt.ok_or_else(|| Refused::Failed(self.api.incomplete(operation)))
    }
}

/// How the marker stands behind the text that people read.
fn behind(reference: &str) -> String {
    format!(" ({reference})")
}

/// A number without what people put between its parts.
fn compact(number: &str) -> String {
    number.split_whitespace().collect::<String>().to_uppercase()
}

fn row(row: &VoucherRow) -> NewVoucherRow {
    let zero = Money::zero(Currency::SEK);
    let (debit, credit) = if row.amount.minor < 0 {
        (zero, Money::new(-row.amount.minor, row.amount.currency))
    } else {
        (row.amount, zero)
    };
    NewVoucherRow {
        account_number: row.account,
        debit_amount: Exact(debit.to_major()),
        credit_amount: Exact(credit.to_major()),
        transaction_text: line(&row.text, LONGEST_ROW),
    }
}

fn draft_path(id: &str) -> String {
    format!("/v2/voucherdrafts/{}", path_segment(id))
}

/// Id of the draft.
fn draft(ledger: &Ledger) -> Result<&str, Error> {
    let done = ledger.receipt(Step::Draft.name());
    done.map(|receipt| receipt.external_id.as_str()).ok_or_else(|| reasons::step_missing(Step::Draft.name()))
}

fn draft_receipt(draft: &Voucher) -> Option<Receipt> {
    Some(Receipt { external_id: draft.id.0.clone()?, ..Receipt::default() })
}

fn voucher_receipt(voucher: &Voucher) -> Option<Receipt> {
    Some(Receipt { external_id: voucher.number_and_number_series.0.clone()?, ..Receipt::default() })
}

#[async_trait]
impl Effector for DayVouchers {
    fn steps(&self) -> Vec<StepName> {
        Step::ALL.into_iter().map(|step| StepName::from(step.name())).collect()
    }

    fn intent(&self, step: &StepName, ledger: &Ledger) -> Result<Option<Intent>, Error> {
        let write = self.write(Step::of(step)?, ledger)?;
        write.intent(step, self.voucher.reference.clone(), false).map(Some)
    }

    async fn look_up(&self, intent: &Intent, ledger: &Ledger) -> Result<Found, Error> {
        let found = self.find(Step::of(&intent.step)?, ledger).await?;
        Ok(found.map_or(Found::No, Found::Yes))
    }

    async fn adopt(&self, intent: &Intent, number: &str, ledger: &Ledger) -> Result<Receipt, Error> {
        self.adopted(Step::of(&intent.step)?, number, ledger).await
    }

    async fn send(&self, intent: &Intent, ledger: &Ledger) -> Result<Receipt, SendError> {
        let step = Step::of(&intent.step).map_err(SendError::NotDone)?;
        let write = Write::of(intent).map_err(SendError::NotDone)?;
        if step == Step::Draft {
            self.check_day().await.map_err(SendError::NotDone)?;
        }
        match self.write_out(step, &write).await {
            Ok(receipt) => Ok(receipt),
            Err(Refused::Failed(error)) => Err(error),
            Err(Refused::Final { code: Some(NOT_FOUND), reason }) if step == Step::Voucher => {
                // The draft is gone: somebody has converted it, or nobody told that we did.
                match self.find(step, ledger).await {
                    Ok(Some(receipt)) => Ok(receipt),
                    Ok(None) => Err(SendError::Rejected(reason)),
                    Err(error @ Error::NotYet { .. }) => Err(SendError::Unknown(error)),
                    Err(error) => Err(SendError::NotDone(error)),
                }
            }
            Err(Refused::Final { reason, .. }) => Err(SendError::Rejected(reason)),
        }
    }

    fn number_name(&self, step: &StepName) -> Option<&'static str> {
        (step.0 == Step::Voucher.name()).then_some("voucher_number")
    }
}
