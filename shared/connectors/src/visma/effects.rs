//! The way of one posting into Visma: its steps, what each sends, how each is found again.

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Effector, Found, SendError};
use bokbro_domain::effect::{Intent, Ledger, Patience, Receipt, StepName};
use bokbro_domain::posting::{Posting, PostingProfile};
use bokbro_domain::said;
use bokbro_domain::vat::VatRate;
use jiff::SignedDuration;

use super::api::{Api, Refused, quoted};
use super::customers;
use super::errors::{CONFLICT, NOT_FOUND};
use super::map::{self, facts};
use super::requests::{Register, Write};
use super::rows::{Manner, Of, needs_round_off, rows_of};
use super::wire::{Article, Customer, Draft, Invoice, Payment};
use crate::kit::{path_segment, reasons};

/// How long an invoice may take to show after its draft is gone.
pub(super) const CONVERSION_LAG: SignedDuration = SignedDuration::from_secs(120);
/// When to look again.
pub(super) const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(45);

/// One step. Its name is stored in ledgers and must not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Customer,
    Article(Of),
    Draft,
    PriceDraft,
    Invoice,
    Payment,
}

impl Step {
    const ALL: [Self; 10] = [
        Self::Customer,
        Self::Article(Of::Sales(VatRate::Standard)),
        Self::Article(Of::Sales(VatRate::Reduced)),
        Self::Article(Of::Sales(VatRate::Low)),
        Self::Article(Of::Sales(VatRate::Zero)),
        Self::Article(Of::RoundOff),
        Self::Draft,
        Self::PriceDraft,
        Self::Invoice,
        Self::Payment,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Article(Of::Sales(VatRate::Standard)) => "article_25",
            Self::Article(Of::Sales(VatRate::Reduced)) => "article_12",
            Self::Article(Of::Sales(VatRate::Low)) => "article_6",
            Self::Article(Of::Sales(VatRate::Zero)) => "article_0",
            Self::Article(Of::RoundOff) => "article_round_off",
            Self::Draft => "draft",
            Self::PriceDraft => "price_draft",
            Self::Invoice => "invoice",
            Self::Payment => "payment",
        }
    }

    /// Name in logs and in what people read.
    fn operation(self) -> &'static str {
        match self {
            Self::Customer => "create_customer",
            Self::Article(_) => "create_article",
            Self::Draft => "create_draft",
            Self::PriceDraft => "price_draft",
            Self::Invoice => "convert_draft",
            Self::Payment => "create_payment",
        }
    }

    fn of(name: &StepName) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|step| step.name() == name.0);
        known.ok_or_else(|| reasons::unknown_step("Visma", name))
    }
}

/// The way of one posting into the books of one company.
pub(super) struct Effects {
    pub(super) api: Api,
    pub(super) posting: Posting,
}

impl Effects {
    fn write(&self, step: Step, ledger: &Ledger) -> Result<Option<Write>, Error> {
        let posting = &self.posting;
        match step {
            Step::Customer => {
                self.check_profile()?;
                let write = Write::post("/v2/customers", &map::customer(posting))?;
                Ok(Some(write.needing(Register::ShortestTerms)))
            }
            Step::Article(of) => {
                let (percent, account) = self.coding(of)?;
                let write = Write::post("/v2/articles", &map::article(percent, account))?;
                Ok(Some(write.needing(Register::Coding { percent, account })))
            }
            Step::Draft => {
                let draft = self.draft(ledger, self.expected(ledger)?)?;
                Write::post("/v2/customerinvoicedrafts", &draft).map(|write| Some(self.on_terms(write)))
            }
            Step::PriceDraft => {
                let draft = receipt(ledger, Step::Draft)?;
                let expected = self.expected(ledger)?;
                let shown = shown_by(draft, expected);
                if shown == expected {
                    return Ok(None);
                }
                let write = Write::put(draft_path(&draft.external_id), &self.draft(ledger, shown)?)?;
                Ok(Some(self.on_terms(write)))
            }
            Step::Invoice => {
                let draft = last_draft(ledger)?;
                let path = format!("{}/convert", draft_path(&draft.external_id));
                Ok(Some(Write::post(path, &map::totals(posting, draft)?)?.keeping_date()))
            }
            Step::Payment => {
                let invoice = receipt(ledger, Step::Invoice)?;
                let payment = map::payment(posting, invoice)?;
                if posting.payment.amount.minor == 0 {
                    return Ok(None);
                }
                Write::post(payments_path(invoice)?, &payment).map(Some)
            }
        }
    }

    /// A draft on terms of its own when its invoice is paid as it is made; else the customer's terms do.
    fn on_terms(&self, draft: Write) -> Write {
        if self.posting.profile == PostingProfile::CashInvoice {
            draft.needing(Register::CashTerms)
        } else {
            draft
        }
    }

    /// Orders belong to an extension that many companies lack, and their drafts are numbered by a person.
    fn check_profile(&self) -> Result<(), Error> {
        match self.posting.profile {
            PostingProfile::Invoice | PostingProfile::CashInvoice => Ok(()),
            PostingProfile::VoucherPerDay => Err(reasons::no_documents()),
            PostingProfile::OrderAndInvoice => {
                let message = said!(
                    "visma-no-orders",
                    "Bokbro does not make orders in Visma; set the posting profile to invoice and try again"
                );
                Err(Error::park("visma_without_orders", message))
            }
        }
    }

    /// Number of an article.
    pub(super) fn article_number(&self, of: Of) -> Result<String, Error> {
        let (percent, account) = self.coding(of)?;
        Ok(map::article_number(percent, account))
    }

    /// Rate in percent and sales account of an article.
    fn coding(&self, of: Of) -> Result<(u32, u16), Error> {
        let account = match of {
            Of::Sales(rate) => {
                self.posting.rows.iter().find(|row| row.vat_rate == rate).map(|row| row.account)
            }
            Of::RoundOff => self.posting.payment.round_off_account,
        };
        let percent = match of {
            Of::Sales(rate) => rate.percent(),
            Of::RoundOff => 0,
        };
        let account = account.ok_or_else(|| {
            let message = said!(
                "visma-no-round-off",
                "a difference of öre has no account without VAT; add an article account coding of 0 % in Visma"
            );
            Error::park("account_missing", message)
        })?;
        Ok((percent, account))
    }

    fn is_needed(&self, of: Of) -> bool {
        match of {
            Of::Sales(rate) => self.posting.rows.iter().any(|row| row.vat_rate == rate),
            // An amount too large is reported when the draft is made.
            Of::RoundOff => needs_round_off(&self.posting).unwrap_or(false),
        }
    }

    /// How the draft is expected to show its rows. A company can choose otherwise about VAT, and which way a credit
    /// invoice takes its rows is not known; the draft then says so.
    fn expected(&self, ledger: &Ledger) -> Result<Manner, Error> {
        let customer = receipt(ledger, Step::Customer)?;
        let includes_vat = customer.facts.get(facts::PRIVATE).is_some_and(|private| private == "true");
        Ok(Manner { includes_vat, turned: self.posting.is_credit() })
    }

    fn draft(&self, ledger: &Ledger, manner: Manner) -> Result<super::requests::NewDraft, Error> {
        let rows = rows_of(&self.posting, manner).map_err(|_| {
            let message =
                said!("visma-too-large", "an amount is too large for Visma; book the order by hand");
            Error::park("amount_too_large", message)
        })?;
        let customer = id_of(receipt(ledger, Step::Customer)?)?;
        let credited = self.credited(ledger).map(|sale| sale.external_id.as_str());
        map::draft(&self.posting, customer, &rows, credited, |of| {
            id_of(receipt(ledger, Step::Article(of))?).map(str::to_owned)
        })
    }

    /// Looks for a step's document, or for the state that the step brings about.
    pub(super) async fn find(&self, step: Step, ledger: &Ledger) -> Result<Option<Receipt>, Error> {
        match step {
            Step::Customer => {
                let tried = ledger
                    .steps
                    .get(&StepName::from(step.name()))
                    .is_some_and(|step| step.attempt > 1 || step.last_error.is_some());
                customers::find(&self.api, &self.posting, tried).await
            }
            Step::Article(of) => self.find_article(&self.article_number(of)?).await,
            Step::Draft => match self.find_draft().await? {
                Some(found) => Ok(Some(found)),
                None => self.nobody_credited(ledger).await.map(|()| None),
            },
            Step::PriceDraft => {
                let draft = &receipt(ledger, Step::Draft)?.external_id;
                match self.get_draft(draft).await? {
                    Some(draft) => Ok(Some(draft).filter(|draft| map::has_totals(&self.posting, draft))),
                    None => Ok(self.find_invoice().await?.as_ref().and_then(map::converted_receipt)),
                }
            }
            Step::Invoice => self.find_converted(ledger).await,
            Step::Payment => {
                map::paid(&self.posting, &self.get_invoice(receipt(ledger, Step::Invoice)?).await?)
            }
        }
    }

    /// The invoice as it is now.
    pub(super) async fn get_invoice(&self, invoice: &Receipt) -> Result<Invoice, Error> {
        let found = self.api.get("get_invoice", &invoice_path(invoice)?).await?;
        found.ok_or_else(|| {
            let message =
                said!("visma-invoice-gone", "the invoice is not in Visma any more; book the order by hand");
            Error::park("invoice_canceled", message)
        })
    }

    pub(super) async fn find_article(&self, number: &str) -> Result<Option<Receipt>, Error> {
        let filter = format!("Number eq {}", quoted(number));
        let found: Vec<Article> = self.api.list("search_articles", "/v2/articles", Some(&filter)).await?;
        let usable = |article: &&Article| {
            article.number.as_deref() == Some(number) && article.is_active.to_bool() != Some(false)
        };
        Ok(found.iter().find(usable).and_then(article_receipt))
    }

    /// Looks through all drafts: they have no property of ours that is known to be filterable, and there are few, because
    /// each becomes an invoice. Somebody may have made the invoice already.
    async fn find_draft(&self) -> Result<Option<Receipt>, Error> {
        let drafts: Vec<Draft> = self.api.list("list_drafts", "/v2/customerinvoicedrafts", None).await?;
        match drafts.iter().find(|draft| map::is_our_draft(&self.posting, draft)) {
            Some(draft) => Ok(map::draft_receipt(draft)),
            None => Ok(self.find_invoice().await?.as_ref().and_then(map::converted_receipt)),
        }
    }

    async fn get_draft(&self, id: &str) -> Result<Option<Receipt>, Error> {
        Ok(self.read_draft(id).await?.as_ref().and_then(map::draft_receipt))
    }

    pub(super) async fn read_draft(&self, id: &str) -> Result<Option<Draft>, Error> {
        self.api.get("get_draft", &draft_path(id)).await
    }

    /// The invoice with the order's marker and the lowest number.
    pub(super) async fn find_invoice(&self) -> Result<Option<Invoice>, Error> {
        let filter = format!("Rows/any(c: contains(c/Text,{}))", quoted(self.posting.reference.as_str()));
        let found: Vec<Invoice> =
            self.api.list("search_invoices", "/v2/customerinvoices", Some(&filter)).await?;
        let ours = found.into_iter().filter(|invoice| map::is_our_invoice(&self.posting, invoice));
        Ok(ours.min_by_key(|invoice| {
            invoice
                .invoice_number
                .as_deref()
                .and_then(|number| number.parse::<u64>().ok())
                .unwrap_or(u64::MAX)
        }))
    }

    /// The invoice of the order. A draft that is there and has none has not been converted; one that is gone has, and its
    /// invoice is looked for until it must have shown.
    async fn find_converted(&self, ledger: &Ledger) -> Result<Option<Receipt>, Error> {
        if let Some(invoice) = self.find_invoice().await? {
            let number = invoice.invoice_number.as_deref().unwrap_or_default();
            let receipt = map::invoice_receipt(&invoice);
            return receipt.map(Some).ok_or_else(|| reasons::invoice_unreadable("Visma", number));
        }
        if self.get_draft(&last_draft(ledger)?.external_id).await?.is_some() {
            return Ok(None);
        }
        let sent_at = ledger.steps.get(&StepName::from(Step::Invoice.name())).map(|step| step.sent_at);
        if sent_at.is_some_and(|sent_at| self.api.now().duration_since(sent_at) > CONVERSION_LAG) {
            let message = said!(
                "visma-draft-gone",
                "the draft of the order was deleted in Visma, or its invoice lost the text {text}; book the order by hand",
                text = self.posting.reference
            );
            return Err(Error::park("visma_draft_gone", message));
        }
        Err(Error::NotYet { what: "the invoice that the draft became".to_owned(), after: Some(LOOK_AGAIN) })
    }

    /// Sends a write and reads what later steps need to know.
    async fn write_out(&self, step: Step, write: &Write) -> Result<Receipt, Refused> {
        let (api, operation) = (&self.api, step.operation());
        let receipt = match step {
            Step::Customer => customers::receipt(&api.write::<Customer>(operation, write).await?),
            Step::Article(_) => article_receipt(&api.write::<Article>(operation, write).await?),
            Step::Draft | Step::PriceDraft => {
                map::draft_receipt(&api.write::<Draft>(operation, write).await?)
            }
            Step::Invoice => map::invoice_receipt(&api.write::<Invoice>(operation, write).await?),
            Step::Payment => {
                map::payment_receipt(&self.posting, &api.write::<Payment>(operation, write).await?)
            }
        };
        receipt.ok_or_else(|| Refused::Failed(api.incomplete(operation)))
    }

    /// Looks whether a refusal means that what was asked for is there already.
    async fn there_already(
        &self,
        step: Step,
        code: Option<u32>,
        ledger: &Ledger,
    ) -> Result<Option<Receipt>, Error> {
        match step {
            Step::Customer if code == Some(CONFLICT) => customers::find(&self.api, &self.posting, true).await,
            Step::Article(_) if code == Some(CONFLICT) => self.find(step, ledger).await,
            Step::PriceDraft | Step::Invoice if code == Some(NOT_FOUND) => self.find(step, ledger).await,
            // Which code says that nothing is left to pay is not known.
            Step::Payment => self.find(step, ledger).await,
            Step::Customer | Step::Article(_) | Step::Draft | Step::PriceDraft | Step::Invoice => Ok(None),
        }
    }
}

/// Whether a number that is taken may be that of a customer or article which another order brought a moment ago and lists
/// do not show yet. Every look after a send comes when lists have settled; what none of them shows is inactive, and for
/// people.
fn may_be_unlisted(step: &StepName, ledger: &Ledger) -> bool {
    ledger.steps.get(step).is_some_and(|step| step.attempt < Patience::default().max_attempts)
}

fn not_listed_yet() -> Error {
    Error::NotYet { what: "the document that has the number already".to_owned(), after: None }
}

/// What a step left; a step that is not done has none.
pub(super) fn receipt(ledger: &Ledger, step: Step) -> Result<&Receipt, Error> {
    ledger.receipt(step.name()).ok_or_else(|| reasons::step_missing(step.name()))
}

/// The draft as it was left last.
fn last_draft(ledger: &Ledger) -> Result<&Receipt, Error> {
    match ledger.receipt(Step::PriceDraft.name()) {
        Some(priced) => Ok(priced),
        None => receipt(ledger, Step::Draft),
    }
}

/// How a draft shows its rows that was written as expected. A credit invoice whose total is not negative takes its rows as
/// they are (`apis/visma.md` 2.1: its totals should be negative).
fn shown_by(draft: &Receipt, expected: Manner) -> Manner {
    let includes_vat = draft.facts.get(facts::INCLUDES_VAT).map(|includes| includes == "true");
    Manner {
        includes_vat: includes_vat.unwrap_or(expected.includes_vat),
        turned: expected.turned && map::is_negative(draft) != Some(false),
    }
}

pub(super) fn id_of(receipt: &Receipt) -> Result<&str, Error> {
    let id = receipt.facts.get(facts::ID).map(String::as_str);
    id.ok_or_else(|| reasons::fact_missing(facts::ID))
}

fn draft_path(id: &str) -> String {
    format!("/v2/customerinvoicedrafts/{}", path_segment(id))
}

fn invoice_path(invoice: &Receipt) -> Result<String, Error> {
    Ok(format!("/v2/customerinvoices/{}", path_segment(id_of(invoice)?)))
}

/// Where an invoice's payments are registered.
pub(super) fn payments_path(invoice: &Receipt) -> Result<String, Error> {
    Ok(format!("{}/payments", invoice_path(invoice)?))
}

fn article_receipt(article: &Article) -> Option<Receipt> {
    let facts = [(facts::ID.to_owned(), article.id.0.clone()?)].into();
    Some(Receipt { external_id: article.number.0.clone()?, facts })
}

/// Whether a step is about the buyer or the articles, and so the same for the credits of a sale.
pub(super) fn is_shared(step: &StepName) -> bool {
    matches!(Step::of(step), Ok(Step::Customer | Step::Article(_)))
}

#[async_trait]
impl Effector for Effects {
    fn steps(&self) -> Vec<StepName> {
        let needed = |step: &Step| match step {
            Step::Article(of) => self.is_needed(*of),
            Step::Customer | Step::Draft | Step::PriceDraft | Step::Invoice | Step::Payment => true,
        };
        Step::ALL.into_iter().filter(needed).map(|step| StepName::from(step.name())).collect()
    }

    fn intent(&self, step: &StepName, ledger: &Ledger) -> Result<Option<Intent>, Error> {
        let kind = Step::of(step)?;
        let Some(write) = self.write(kind, ledger)? else { return Ok(None) };
        let reference = match kind {
            Step::Customer => self.posting.keys.own_number.clone(),
            Step::Article(of) => self.article_number(of)?,
            Step::Draft | Step::Invoice => self.posting.reference.clone(),
            Step::PriceDraft => receipt(ledger, Step::Draft)?.external_id.clone(),
            Step::Payment => receipt(ledger, Step::Invoice)?.external_id.clone(),
        };
        // A customer may have bought before, an article has as a rule, and a person may have paid an invoice that waited,
        // or credited one.
        let may_exist = matches!(kind, Step::Customer | Step::Article(_) | Step::Payment)
            || kind == Step::Draft && self.posting.is_credit();
        write.intent(step, reference, may_exist).map(Some)
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
        match self.write_out(step, &write).await {
            Ok(receipt) if step == Step::Payment => self.settled(ledger, receipt).await,
            Ok(receipt) => Ok(receipt),
            Err(Refused::Failed(error)) => Err(error),
            Err(Refused::Final { code, reason }) => match self.there_already(step, code, ledger).await {
                Ok(Some(receipt)) => Ok(receipt),
                Ok(None) if code == Some(CONFLICT) && may_be_unlisted(&intent.step, ledger) => {
                    Err(SendError::Unknown(not_listed_yet()))
                }
                Ok(None) if step == Step::Payment => self.pay_the_other_way(ledger, code, reason).await,
                Ok(None) => Err(SendError::Rejected(reason)),
                // The draft is gone, and its invoice has not shown: it is looked for again, and nothing is sent.
                Err(error @ Error::NotYet { .. }) => Err(SendError::Unknown(error)),
                // The refusal stands: nothing was written. Whether it is there already is asked again later.
                Err(error) => Err(SendError::NotDone(error)),
            },
        }
    }

    fn number_name(&self, step: &StepName) -> Option<&'static str> {
        match Step::of(step).ok()? {
            Step::Customer => Some("customer_number"),
            Step::Invoice => Some("invoice_number"),
            // A payment has no number at Visma.
            Step::Payment | Step::Article(_) | Step::Draft | Step::PriceDraft => None,
        }
    }
}
