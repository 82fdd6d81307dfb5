//! Documents that a person named by number after nobody told what had become of a step: read, and taken only if they fit.

use bokbro_app::error::Error;
use bokbro_domain::effect::{Ledger, Receipt};
use bokbro_domain::said;

use super::effects::{Effects, Step, receipt};
use super::wire::{Invoice, InvoicePayment, Order, kronor, text};
use super::{customers, map};
use crate::kit::path_segment;
use crate::kit::reasons::{Kind, Misfit};

impl Effects {
    /// Reads the document of a number and takes it as the step's.
    ///
    /// # Errors
    /// `Parked` with what does not fit.
    pub(super) async fn adopted(&self, step: Step, number: &str, ledger: &Ledger) -> Result<Receipt, Error> {
        match step {
            Step::Customer => {
                let found = customers::by_number(&self.api, &self.posting, number).await?;
                found.ok_or_else(|| misfit(Kind::Customer, number).not_the_buyer())
            }
            Step::Order => self.adopted_order(number).await,
            Step::Invoice => self.adopted_invoice(number).await,
            Step::DateInvoice | Step::BookkeepInvoice => {
                self.same(Kind::Invoice, number, receipt(ledger, Step::Invoice)?)?;
                let found = self.find(step, ledger).await?;
                found.ok_or_else(|| {
                    let misfit = misfit(Kind::Invoice, number);
                    if step != Step::DateInvoice {
                        return misfit.not_booked();
                    }
                    misfit.because(said!("misfit-not-dated", "is not dated as the payment"))
                })
            }
            Step::Payment => self.adopted_payment(number, receipt(ledger, Step::Invoice)?).await,
            Step::BookkeepPayment => {
                self.same(Kind::Payment, number, receipt(ledger, Step::Payment)?)?;
                let found = self.find(step, ledger).await?;
                found.ok_or_else(|| misfit(Kind::Payment, number).not_booked())
            }
        }
    }

    async fn adopted_order(&self, number: &str) -> Result<Receipt, Error> {
        let path = format!("/3/orders/{}", path_segment(number));
        let order: Option<Order> = self.api.get("get_order", &path, "Order").await?;
        let order = order.ok_or_else(|| misfit(Kind::Order, number).not_there())?;
        self.ours(Kind::Order, number, text(&order.external_invoice_reference1))?;
        if order.cancelled.to_bool() == Some(true) {
            return Err(misfit(Kind::Order, number).canceled());
        }
        Ok(Receipt { external_id: number.to_owned(), ..Receipt::default() })
    }

    async fn adopted_invoice(&self, number: &str) -> Result<Receipt, Error> {
        let path = format!("/3/invoices/{}", path_segment(number));
        let invoice: Option<Invoice> = self.api.get("get_invoice", &path, "Invoice").await?;
        let invoice = invoice.ok_or_else(|| misfit(Kind::Invoice, number).not_there())?;
        self.ours(Kind::Invoice, number, text(&invoice.external_invoice_reference1))?;
        if invoice.cancelled.to_bool() == Some(true) {
            return Err(misfit(Kind::Invoice, number).canceled());
        }
        let receipt =
            map::invoice_receipt(&invoice).ok_or_else(|| misfit(Kind::Invoice, number).no_amounts())?;
        map::check_totals(&self.posting, &receipt)?;
        Ok(receipt)
    }

    /// A payment by hand may be of another day and on another account: whoever named it has seen that.
    async fn adopted_payment(&self, number: &str, invoice: &Receipt) -> Result<Receipt, Error> {
        let path = format!("/3/invoicepayments/{}", path_segment(number));
        let payment: Option<InvoicePayment> = self.api.get("get_payment", &path, "InvoicePayment").await?;
        let payment = payment.ok_or_else(|| misfit(Kind::Payment, number).not_there())?;
        if text(&payment.invoice_number) != Some(invoice.external_id.as_str()) {
            return Err(misfit(Kind::Payment, number).not_of_invoice(&invoice.external_id));
        }
        let paid = self.posting.payment.amount;
        if kronor(&payment.amount) != Some(paid) {
            return Err(misfit(Kind::Payment, number).not_on(paid));
        }
        map::payment_receipt(&payment).ok_or_else(|| misfit(Kind::Payment, number).no_number())
    }

    fn ours(&self, kind: Kind, number: &str, found: Option<&str>) -> Result<(), Error> {
        let reference = self.posting.reference.as_str();
        if found == Some(reference) {
            return Ok(());
        }
        let what = said!(
            "fortnox-misfit-reference",
            "does not carry the reference {reference}; write it there as external reference 1",
            reference
        );
        Err(misfit(kind, number).because(what))
    }

    /// A step that changes a document leaves no other: the number must be the one that the ledger knows.
    fn same(&self, kind: Kind, number: &str, known: &Receipt) -> Result<(), Error> {
        if known.external_id == number {
            return Ok(());
        }
        Err(misfit(kind, number).not_the_orders(&known.external_id))
    }
}

/// Why a document that a person named is not taken.
pub(super) fn misfit(kind: Kind, number: &str) -> Misfit<'_> {
    Misfit::of("Fortnox", kind, number)
}
