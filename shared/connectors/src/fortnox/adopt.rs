//! Documents that a person named by number after nobody told what had become of a step: read, and taken only if they fit.

use bokbro_app::error::Error;
use bokbro_domain::effect::{Ledger, Receipt};

use super::effects::{Effects, Step, receipt};
use super::wire::{Invoice, InvoicePayment, Order, kronor, text};
use super::{customers, map};
use crate::kit::path_segment;

impl Effects {
    /// Reads the document of a number and takes it as the step's.
    ///
    /// # Errors
    /// `Parked` with what does not fit.
    pub(super) async fn adopted(&self, step: Step, number: &str, ledger: &Ledger) -> Result<Receipt, Error> {
        match step {
            Step::Customer => {
                let found = customers::by_number(&self.api, &self.posting, number).await?;
                let what = "is not there, is inactive, or has neither the buyer's organization number nor e-mail address";
                found.ok_or_else(|| misfit("customer", number, what))
            }
            Step::Order => self.adopted_order(number).await,
            Step::Invoice => self.adopted_invoice(number).await,
            Step::DateInvoice | Step::BookkeepInvoice => {
                self.same("invoice", number, receipt(ledger, Step::Invoice)?)?;
                let found = self.find(step, ledger).await?;
                let what =
                    if step == Step::DateInvoice { "is not dated as the payment" } else { "is not booked" };
                found.ok_or_else(|| misfit("invoice", number, what))
            }
            Step::Payment => self.adopted_payment(number, receipt(ledger, Step::Invoice)?).await,
            Step::BookkeepPayment => {
                self.same("payment", number, receipt(ledger, Step::Payment)?)?;
                let found = self.find(step, ledger).await?;
                found.ok_or_else(|| misfit("payment", number, "is not booked"))
            }
        }
    }

    async fn adopted_order(&self, number: &str) -> Result<Receipt, Error> {
        let path = format!("/3/orders/{}", path_segment(number));
        let order: Option<Order> = self.api.get("get_order", &path, "Order").await?;
        let order = order.ok_or_else(|| misfit("order", number, "is not there"))?;
        self.ours("order", number, text(&order.external_invoice_reference1))?;
        if order.cancelled.to_bool() == Some(true) {
            return Err(misfit("order", number, "was canceled there"));
        }
        Ok(Receipt { external_id: number.to_owned(), ..Receipt::default() })
    }

    async fn adopted_invoice(&self, number: &str) -> Result<Receipt, Error> {
        let path = format!("/3/invoices/{}", path_segment(number));
        let invoice: Option<Invoice> = self.api.get("get_invoice", &path, "Invoice").await?;
        let invoice = invoice.ok_or_else(|| misfit("invoice", number, "is not there"))?;
        self.ours("invoice", number, text(&invoice.external_invoice_reference1))?;
        if invoice.cancelled.to_bool() == Some(true) {
            return Err(misfit("invoice", number, "was canceled there"));
        }
        let receipt = map::invoice_receipt(&invoice).ok_or_else(|| {
            misfit("invoice", number, "shows no amounts; check the rights of the connection")
        })?;
        map::check_totals(&self.posting, &receipt)?;
        Ok(receipt)
    }

    /// A payment by hand may be of another day and on another account: whoever named it has seen that.
    async fn adopted_payment(&self, number: &str, invoice: &Receipt) -> Result<Receipt, Error> {
        let path = format!("/3/invoicepayments/{}", path_segment(number));
        let payment: Option<InvoicePayment> = self.api.get("get_payment", &path, "InvoicePayment").await?;
        let payment = payment.ok_or_else(|| misfit("payment", number, "is not there"))?;
        if text(&payment.invoice_number) != Some(invoice.external_id.as_str()) {
            let what = format!("is not of invoice {}", invoice.external_id);
            return Err(misfit("payment", number, &what));
        }
        let paid = self.posting.payment.amount;
        if kronor(&payment.amount) != Some(paid) {
            return Err(misfit("payment", number, &format!("is not on {paid} kr")));
        }
        map::payment_receipt(&payment).ok_or_else(|| misfit("payment", number, "shows no number"))
    }

    fn ours(&self, kind: &str, number: &str, found: Option<&str>) -> Result<(), Error> {
        let reference = self.posting.reference.as_str();
        if found == Some(reference) {
            return Ok(());
        }
        let what =
            format!("does not carry the reference {reference}; write it there as external reference 1");
        Err(misfit(kind, number, &what))
    }

    /// A step that changes a document leaves no other: the number must be the one that the ledger knows.
    fn same(&self, kind: &str, number: &str, known: &Receipt) -> Result<(), Error> {
        if known.external_id == number {
            return Ok(());
        }
        Err(misfit(kind, number, &format!("is not the order's, which is {}", known.external_id)))
    }
}

/// Why a document that a person named is not taken.
pub(super) fn misfit(kind: &str, number: &str, what: &str) -> Error {
    Error::park("document_does_not_fit", format!("{kind} {number} in Fortnox {what}. Nothing was sent."))
}
