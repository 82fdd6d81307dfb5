//! What is different when money is given back: somebody may have credited the sale already, and which way a credit
//! invoice's payment goes is not known.

use bokbro_app::error::{Error, Reason};
use bokbro_app::ports::SendError;
use bokbro_domain::effect::{Ledger, Receipt, StepName};
use bokbro_domain::said;
use bokbro_domain::said::Said;

use super::api::Refused;
use super::effects::{Effects, Step, payments_path, receipt};
use super::errors::{INVALID, NOT_NOW};
use super::map;
use super::requests::Write;
use super::wire::{CreditedBy, Invoice, Payment};
use crate::kit::{path_segment, reasons};

impl Effects {
    /// The invoice of the sale that the posting takes back, when it is a credit.
    pub(super) fn credited<'a>(&self, ledger: &'a Ledger) -> Option<&'a Receipt> {
        let sale = StepName::of_sale(Step::Invoice.name());
        ledger.receipt(&sale.0).filter(|_| self.posting.is_credit())
    }

    /// Stops a credit whose sale somebody has credited in Visma, which names such credit invoices with the invoice. Ours
    /// may be among them: whether Visma links them by itself is not known.
    pub(super) async fn nobody_credited(&self, ledger: &Ledger) -> Result<(), Error> {
        let Some(sale) = self.credited(ledger) else { return Ok(()) };
        for credit in self.get_invoice(sale).await?.credited_by.unwrap_or_default() {
            let credit = self.credit_invoice(&credit).await?;
            let reference = credit.as_ref().and_then(|credit| credit.our_reference.as_deref());
            if reference.is_some_and(|reference| self.posting.is_credit_of_same_sale(reference)) {
                continue;
            }
            let number = credit.as_ref().and_then(|credit| credit.invoice_number.as_deref()).unwrap_or("?");
            return Err(reasons::credited_by_hand("Visma", &sale.external_id, number));
        }
        Ok(())
    }

    async fn credit_invoice(&self, credit: &CreditedBy) -> Result<Option<Invoice>, Error> {
        let Some(id) = credit.credit_invoice_id.as_deref() else { return Ok(None) };
        self.api.get("get_invoice", &format!("/v2/customerinvoices/{}", path_segment(id))).await
    }

    /// The receipt of a payment that Visma took. Of a credit invoice it counts once nothing remains: had it gone the wrong
    /// way, twice the amount would.
    pub(super) async fn settled(&self, ledger: &Ledger, paid: Receipt) -> Result<Receipt, SendError> {
        if !self.posting.is_credit() {
            return Ok(paid);
        }
        let invoice = receipt(ledger, Step::Invoice).map_err(SendError::Unknown)?;
        let found = self.get_invoice(invoice).await.map_err(SendError::Unknown)?;
        match map::remaining(&found) {
            Some(remaining) if remaining.minor == 0 => Ok(paid),
            remaining => {
                let what = match remaining {
                    Some(amount) => said!(
                        "visma-credit-left",
                        "was paid, and yet {amount} kr is shown as left of it";
                        amount = amount.said()
                    ),
                    None => said!("visma-credit-silent", "was paid, and no amount is shown as left of it"),
                };
                Err(SendError::Rejected(unpaid(&invoice.external_id, what)))
            }
        }
    }

    /// Tries the other direction after a payment was refused and nothing of it is there: the description does not say
    /// whether what is paid back is negative (`apis/visma.md` 2.2). Whichever is taken is looked up in the same way, so
    /// both are one step.
    pub(super) async fn pay_the_other_way(
        &self,
        ledger: &Ledger,
        code: Option<u32>,
        reason: Reason,
    ) -> Result<Receipt, SendError> {
        if !self.posting.is_credit() || !matches!(code, Some(INVALID | NOT_NOW)) {
            return Err(SendError::Rejected(reason));
        }
        let invoice = receipt(ledger, Step::Invoice).map_err(SendError::NotDone)?;
        match self.api.write::<Payment>("create_payment", &self.turned_payment(invoice)?).await {
            Ok(payment) => match map::payment_receipt(&self.posting, &payment) {
                Some(paid) => self.settled(ledger, paid).await,
                None => Err(self.api.incomplete("create_payment")),
            },
            Err(Refused::Failed(error)) => Err(error),
            Err(Refused::Final { .. }) => {
                let what =
                    said!("visma-credit-neither", "can be paid neither way ({why})"; why = reason.message);
                Err(SendError::Rejected(unpaid(&invoice.external_id, what)))
            }
        }
    }

    fn turned_payment(&self, invoice: &Receipt) -> Result<Write, SendError> {
        let write = || Write::post(payments_path(invoice)?, &map::payment(&self.posting, invoice)?.turned());
        write().map_err(SendError::NotDone)
    }
}

fn unpaid(number: &str, what: Said) -> Reason {
    let message = said!(
        "visma-credit-unpaid",
        "credit invoice {number} in Visma {what}; settle it there by hand against the account of the payment provider, \
         then try again or dismiss this",
        number;
        what
    );
    Reason::new("visma_credit_unpaid", message)
}
