//! The way of one posting into Fortnox: its steps, what each sends, how each is found again.

use async_trait::async_trait;
use bokbro_app::error::Error;
use bokbro_app::ports::{Effector, Found, SendError};
use bokbro_domain::effect::{Intent, Ledger, Receipt, StepName};
use bokbro_domain::posting::{Posting, PostingProfile};
use bokbro_domain::said;
use http::Method;

use super::api::{Api, Refused};
use super::errors::{ALREADY_PAID, CUSTOMER_NUMBER_TAKEN};
use super::map::{self, is_booked};
use super::requests::Write;
use super::wire::{Customer, Invoice, InvoicePayment, Order, account, kronor, reference, text};
use super::{customers, map::invoice_receipt};
use crate::kit::{LooseText, path_segment, reasons};

/// One step. Its name is stored in ledgers and must not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Customer,
    Order,
    Invoice,
    DateInvoice,
    BookkeepInvoice,
    Payment,
    BookkeepPayment,
}

impl Step {
    const ALL: [Self; 7] = [
        Self::Customer,
        Self::Order,
        Self::Invoice,
        Self::DateInvoice,
        Self::BookkeepInvoice,
        Self::Payment,
        Self::BookkeepPayment,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Order => "order",
            Self::Invoice => "invoice",
            Self::DateInvoice => "date_invoice",
            Self::BookkeepInvoice => "bookkeep_invoice",
            Self::Payment => "payment",
            Self::BookkeepPayment => "bookkeep_payment",
        }
    }

    /// Name in logs and in what people read.
    fn operation(self) -> &'static str {
        match self {
            Self::Customer => "create_customer",
            Self::Order => "create_order",
            Self::Invoice => "create_invoice",
            Self::DateInvoice => "date_invoice",
            Self::BookkeepInvoice => "bookkeep_invoice",
            Self::Payment => "create_payment",
            Self::BookkeepPayment => "bookkeep_payment",
        }
    }

    fn of(name: &StepName) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|step| step.name() == name.0);
        known.ok_or_else(|| reasons::unknown_step("Fortnox", name))
    }
}

/// The way of one posting into the books of one company.
pub(super) struct Effects {
    pub(super) api: Api,
    pub(super) posting: Posting,
}

impl Effects {
    /// Whether the invoice is made from an order, and so has rows of its own no more.
    fn by_order(&self) -> bool {
        self.posting.profile == PostingProfile::OrderAndInvoice
    }

    /// Whether the invoice is paid as it is made, so that booking it books the payment too.
    fn is_cash(&self) -> bool {
        self.posting.profile == PostingProfile::CashInvoice
    }

    /// Stops a posting whose money would land elsewhere than where it is.
    fn check_profile(&self) -> Result<(), Error> {
        match self.posting.profile {
            PostingProfile::Invoice | PostingProfile::OrderAndInvoice => Ok(()),
            PostingProfile::CashInvoice => map::check_card_account(&self.posting),
            PostingProfile::VoucherPerDay => Err(reasons::no_documents()),
        }
    }

    fn write(&self, step: Step, ledger: &Ledger) -> Result<Option<Write>, Error> {
        let posting = &self.posting;
        let number = |step: Step| receipt(ledger, step).map(|receipt| receipt.external_id.as_str());
        match step {
            Step::Customer => {
                self.check_profile()?;
                let document = map::customer(posting);
                Write::document(Method::POST, "/3/customers".to_owned(), "Customer", &document).map(Some)
            }
            Step::Order => {
                let document = map::order(posting, number(Step::Customer)?);
                Write::document(Method::POST, "/3/orders".to_owned(), "Order", &document).map(Some)
            }
            Step::Invoice if self.by_order() => {
                let order = path_segment(number(Step::Order)?);
                Ok(Some(Write::action(format!("/3/orders/{order}/createinvoice"))))
            }
            Step::Invoice => {
                let credited = self.credited(ledger).map(|sale| sale.external_id.as_str());
                let document = map::invoice(posting, number(Step::Customer)?, credited);
                Write::document(Method::POST, "/3/invoices".to_owned(), "Invoice", &document).map(Some)
            }
            Step::DateInvoice => {
                let invoice = receipt(ledger, Step::Invoice)?;
                if map::has_date(posting, invoice) || is_booked(invoice) {
                    return Ok(None);
                }
                let path = format!("/3/invoices/{}", path_segment(&invoice.external_id));
                let document = map::dates(posting);
                Write::document(Method::PUT, path, "Invoice", &document).map(Some)
            }
            Step::BookkeepInvoice => {
                let invoice = receipt(ledger, Step::Invoice)?;
                map::check_totals(posting, invoice)?;
                if self.is_cash() {
                    map::check_cash(posting, invoice)?;
                }
                let waits_for_payment = posting.cash_method || map::is_cash_method(invoice);
                if is_booked(invoice) || waits_for_payment && !self.is_cash() {
                    return Ok(None);
                }
                let invoice = path_segment(&invoice.external_id);
                Ok(Some(Write::action(format!("/3/invoices/{invoice}/bookkeep"))))
            }
            Step::Payment => {
                // What Fortnox said last: somebody may have changed the invoice before it was booked.
                let invoice = match ledger.receipt(Step::BookkeepInvoice.name()) {
                    Some(booked) => booked,
                    None => receipt(ledger, Step::Invoice)?,
                };
                map::check_totals(posting, invoice)?;
                let document = map::payment(posting, invoice)?;
                let path = "/3/invoicepayments".to_owned();
                Write::document(Method::POST, path, "InvoicePayment", &document).map(Some)
            }
            Step::BookkeepPayment => {
                let payment = receipt(ledger, Step::Payment)?;
                if is_booked(payment) {
                    return Ok(None);
                }
                let payment = path_segment(&payment.external_id);
                Ok(Some(Write::action(format!("/3/invoicepayments/{payment}/bookkeep"))))
            }
        }
    }

    /// Looks for a step's document, or for the state that the step brings about.
    pub(super) async fn find(&self, step: Step, ledger: &Ledger) -> Result<Option<Receipt>, Error> {
        let number = |step: Step| receipt(ledger, step).map(|receipt| receipt.external_id.as_str());
        match step {
            Step::Customer => customers::find(&self.api, &self.posting).await,
            Step::Order => self.find_order().await,
            Step::Invoice if self.by_order() => self.invoice_of_order(number(Step::Order)?).await,
            Step::Invoice => match self.find_invoice().await? {
                Some(found) => Ok(Some(found)),
                None => self.nobody_credited(ledger).await.map(|()| None),
            },
            Step::DateInvoice => {
                let found = self.get_invoice(number(Step::Invoice)?).await?;
                Ok(found.filter(|invoice| map::has_date(&self.posting, invoice)))
            }
            Step::BookkeepInvoice => {
                let found = self.get_invoice(number(Step::Invoice)?).await?;
                if let Some(invoice) = &found {
                    map::check_totals(&self.posting, invoice)?;
                }
                Ok(found.filter(is_booked))
            }
            Step::Payment => self.find_payment(number(Step::Invoice)?).await,
            Step::BookkeepPayment => {
                let found = self.get_payment(number(Step::Payment)?).await?;
                Ok(found.as_ref().and_then(map::payment_receipt).filter(is_booked))
            }
        }
    }

    async fn find_order(&self) -> Result<Option<Receipt>, Error> {
        let reference = self.posting.reference.as_str();
        let query = [("externalinvoicereference1", reference)];
        let found: Vec<Order> = self.api.list("search_orders", "/3/orders", "Orders", &query).await?;
        let ours = found.iter().filter(|order| text(&order.external_invoice_reference1) == Some(reference));
        let number = lowest(ours.map(|order| (&order.document_number, &order.cancelled)));
        Ok(number.map(|number| Receipt { external_id: number.to_owned(), ..Receipt::default() }))
    }

    async fn find_invoice(&self) -> Result<Option<Receipt>, Error> {
        let reference = self.posting.reference.as_str();
        let query = [("externalinvoicereference1", reference)];
        let found: Vec<Invoice> = self.api.list("search_invoices", "/3/invoices", "Invoices", &query).await?;
        let ours =
            found.iter().filter(|invoice| text(&invoice.external_invoice_reference1) == Some(reference));
        // A credit note may carry the reference too; it is younger and has a higher number.
        match lowest(ours.map(|invoice| (&invoice.document_number, &invoice.cancelled))) {
            Some(number) => self.get_invoice(number).await,
            None => Ok(None),
        }
    }

    /// The invoice of the sale that the posting takes back, when it is a credit.
    fn credited<'a>(&self, ledger: &'a Ledger) -> Option<&'a Receipt> {
        let sale = StepName::of_sale(Step::Invoice.name());
        ledger.receipt(&sale.0).filter(|_| self.posting.is_credit())
    }

    /// Stops a credit whose sale somebody has credited in Fortnox: it names its credit invoice then, which it does for
    /// none of ours.
    async fn nobody_credited(&self, ledger: &Ledger) -> Result<(), Error> {
        let Some(sale) = self.credited(ledger) else { return Ok(()) };
        let path = format!("/3/invoices/{}", path_segment(&sale.external_id));
        let invoice: Option<Invoice> = self.api.get("get_invoice", &path, "Invoice").await?;
        match invoice.as_ref().and_then(|invoice| reference(&invoice.credit_invoice_reference)) {
            None => Ok(()),
            Some(credit) => Err(reasons::credited_by_hand("Fortnox", &sale.external_id, credit)),
        }
    }

    async fn invoice_of_order(&self, order: &str) -> Result<Option<Receipt>, Error> {
        let path = format!("/3/orders/{}", path_segment(order));
        let order: Option<Order> = self.api.get("get_order", &path, "Order").await?;
        match order.as_ref().and_then(|order| reference(&order.invoice_reference)) {
            Some(number) => self.get_invoice(number).await,
            None => Ok(None),
        }
    }

    async fn get_invoice(&self, number: &str) -> Result<Option<Receipt>, Error> {
        let path = format!("/3/invoices/{}", path_segment(number));
        let invoice: Option<Invoice> = self.api.get("get_invoice", &path, "Invoice").await?;
        let Some(invoice) = invoice else { return Ok(None) };
        if invoice.cancelled.to_bool() == Some(true) {
            let message = said!(
                "fortnox-invoice-canceled",
                "invoice {number} in Fortnox was canceled there; book the order by hand",
                number
            );
            return Err(Error::park("invoice_canceled", message));
        }
        invoice_receipt(&invoice).map(Some).ok_or_else(|| reasons::invoice_unreadable("Fortnox", number))
    }

    /// Looks for the payment among all of the invoice. Fortnox takes a second payment of the same invoice without a word
    /// (`apis/fortnox.md` 2.8), so a payment that is not the one meant stops the work.
    async fn find_payment(&self, invoice: &str) -> Result<Option<Receipt>, Error> {
        let query = [("invoicenumber", invoice)];
        let found: Vec<InvoicePayment> =
            self.api.list("search_payments", "/3/invoicepayments", "InvoicePayments", &query).await?;
        let paid = &self.posting.payment;
        let date = paid.date.to_string();
        let of_invoice = found.iter().filter(|payment| text(&payment.invoice_number) == Some(invoice));
        let mut payments: Vec<_> = of_invoice.filter_map(|one| Some((text(&one.number)?, one))).collect();
        payments.sort_by_key(|(number, _)| customers::number_order(number));
        for (number, payment) in &payments {
            let alike = kronor(&payment.amount) == Some(paid.amount)
                && text(&payment.payment_date) == Some(date.as_str());
            // Lists do not show the account, which tells a payment at the till or the bank from this one.
            if alike
                && let Some(payment) = self.get_payment(number).await?
                && account(&payment.mode_of_payment_account).is_none_or(|account| account == paid.account)
            {
                return Ok(map::payment_receipt(&payment));
            }
        }
        if payments.is_empty() {
            return Ok(None);
        }
        let numbers: Vec<&str> = payments.iter().map(|(number, _)| *number).collect();
        let message = said!(
            "fortnox-paid-by-hand",
            "invoice {invoice} in Fortnox has payment {numbers} already, which Bokbro did not register; remove it there and \
             try again, or finish the order by hand",
            invoice,
            numbers = numbers.join(", ")
        );
        Err(Error::park("paid_by_hand", message))
    }

    async fn get_payment(&self, number: &str) -> Result<Option<InvoicePayment>, Error> {
        let path = format!("/3/invoicepayments/{}", path_segment(number));
        self.api.get("get_payment", &path, "InvoicePayment").await
    }

    /// Sends a write and reads what later steps need to know.
    async fn write_out(&self, step: Step, write: Write) -> Result<Receipt, Refused> {
        let (api, operation) = (&self.api, step.operation());
        let receipt = match step {
            Step::Customer => customers::receipt(&api.write::<Customer>(operation, write, "Customer").await?),
            Step::Order => {
                let order: Order = api.write(operation, write, "Order").await?;
                text(&order.document_number)
                    .map(|number| Receipt { external_id: number.to_owned(), ..Receipt::default() })
            }
            Step::Invoice | Step::DateInvoice | Step::BookkeepInvoice => {
                invoice_receipt(&api.write::<Invoice>(operation, write, "Invoice").await?)
            }
            Step::Payment | Step::BookkeepPayment => {
                map::payment_receipt(&api.write::<InvoicePayment>(operation, write, "InvoicePayment").await?)
            }
        };
        receipt.ok_or_else(|| Refused::Failed(api.incomplete(operation)))
    }

    /// Looks whether a refusal means that what was asked for is there already: the state that an action brings about,
    /// the customer, or the payment.
    async fn there_already(
        &self,
        step: Step,
        code: Option<u32>,
        ledger: &Ledger,
    ) -> Result<Option<Receipt>, Error> {
        let may_be_there = match step {
            Step::Customer => code == Some(CUSTOMER_NUMBER_TAKEN),
            Step::Order => false,
            Step::Invoice => self.by_order(),
            Step::DateInvoice | Step::BookkeepInvoice | Step::BookkeepPayment => true,
            Step::Payment => code == Some(ALREADY_PAID),
        };
        if may_be_there { self.find(step, ledger).await } else { Ok(None) }
    }
}

/// What a step left; a step that is not done has none.
pub(super) fn receipt(ledger: &Ledger, step: Step) -> Result<&Receipt, Error> {
    ledger.receipt(step.name()).ok_or_else(|| reasons::step_missing(step.name()))
}

/// The lowest number of the documents that are not canceled.
fn lowest<'a>(documents: impl Iterator<Item = (&'a LooseText, &'a LooseText)>) -> Option<&'a str> {
    documents
        .filter(|(_, cancelled)| cancelled.to_bool() != Some(true))
        .filter_map(|(number, _)| text(number))
        .min_by_key(|number| customers::number_order(number))
}

/// Whether a step is about the buyer, and so the same for the credits of a sale.
pub(super) fn is_shared(step: &StepName) -> bool {
    step.0 == Step::Customer.name()
}

#[async_trait]
impl Effector for Effects {
    fn steps(&self) -> Vec<StepName> {
        let needed = |step: &Step| match step {
            // An invoice made from an order gets its dates from Fortnox; one that is posted brings its own.
            Step::Order | Step::DateInvoice => self.by_order(),
            Step::Payment | Step::BookkeepPayment => !self.is_cash(),
            Step::Customer | Step::Invoice | Step::BookkeepInvoice => true,
        };
        Step::ALL.into_iter().filter(needed).map(|step| StepName::from(step.name())).collect()
    }

    fn intent(&self, step: &StepName, ledger: &Ledger) -> Result<Option<Intent>, Error> {
        let kind = Step::of(step)?;
        let Some(write) = self.write(kind, ledger)? else { return Ok(None) };
        let reference = match kind {
            Step::Customer => self.posting.keys.own_number.clone(),
            Step::Order | Step::Invoice => self.posting.reference.clone(),
            Step::DateInvoice | Step::BookkeepInvoice | Step::Payment => {
                receipt(ledger, Step::Invoice)?.external_id.clone()
            }
            Step::BookkeepPayment => receipt(ledger, Step::Payment)?.external_id.clone(),
        };
        // A customer may have bought before, and a person may have paid an invoice that waited, or credited one.
        let may_exist = matches!(kind, Step::Customer | Step::Payment)
            || kind == Step::Invoice && self.posting.is_credit();
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
        match self.write_out(step, write).await {
            Ok(receipt) => Ok(receipt),
            Err(Refused::Failed(error)) => Err(error),
            Err(Refused::Final { code, reason }) => match self.there_already(step, code, ledger).await {
                Ok(Some(receipt)) => Ok(receipt),
                Ok(None) => Err(SendError::Rejected(reason)),
                // The refusal stands: nothing was written. Whether it is there already is asked again later.
                Err(error) => Err(SendError::NotDone(error)),
            },
        }
    }

    fn number_name(&self, step: &StepName) -> Option<&'static str> {
        match Step::of(step).ok()? {
            Step::Customer => Some("customer_number"),
            Step::Order => Some("order_number"),
            Step::Invoice => Some("invoice_number"),
            Step::Payment => Some("payment_number"),
            Step::DateInvoice | Step::BookkeepInvoice | Step::BookkeepPayment => None,
        }
    }
}
