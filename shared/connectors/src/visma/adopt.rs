//! Documents that a person names for a step: taken when they fit, so that nothing is sent.

use bokbro_app::error::Error;
use bokbro_domain::effect::{Ledger, Receipt};

use super::customers;
use super::effects::{Effects, Step, receipt};
use super::map;
use super::wire::Draft;

impl Effects {
    /// The receipt of the document with this number.
    pub(super) async fn adopted(&self, step: Step, number: &str, ledger: &Ledger) -> Result<Receipt, Error> {
        match step {
            Step::Customer => {
                let found = customers::by_number(&self.api, &self.posting, number).await?;
                let what = "is not there, is inactive, or has neither the buyer's organization number nor e-mail address";
                found.ok_or_else(|| misfit("customer", number, what))
            }
            Step::Article(of) => {
                let known = self.article_number(of)?;
                self.same("article", number, &known)?;
                let found = self.find_article(number).await?;
                found.ok_or_else(|| misfit("article", number, "is not there or is inactive"))
            }
            Step::Draft => self.adopted_draft(number).await,
            Step::PriceDraft => {
                self.same("draft", number, &receipt(ledger, Step::Draft)?.external_id)?;
                let found = self.find(step, ledger).await?;
                found.ok_or_else(|| misfit("draft", number, "is not on the order's total"))
            }
            Step::Invoice => self.adopted_invoice(number).await,
            Step::Payment => {
                let invoice = receipt(ledger, Step::Invoice)?;
                let found = self.get_invoice(invoice).await?;
                // A payment by hand may be of another day: whoever named it has seen that. It has no number to compare.
                if !map::is_settled(&found) {
                    let what = format!("does not settle invoice {}", invoice.external_id);
                    return Err(misfit("payment", number, &what));
                }
                Ok(Receipt { external_id: number.to_owned(), ..Receipt::default() })
            }
        }
    }

    async fn adopted_draft(&self, id: &str) -> Result<Receipt, Error> {
        let draft: Option<Draft> = self.read_draft(id).await?;
        let draft = draft.ok_or_else(|| misfit("draft", id, "is not there"))?;
        if !map::is_our_draft(&self.posting, &draft) {
            let what = format!(
                "does not carry the reference {}; write it there as our reference",
                self.posting.reference
            );
            return Err(misfit("draft", id, &what));
        }
        map::draft_receipt(&draft).ok_or_else(|| misfit("draft", id, "shows no amounts"))
    }

    /// Only the invoice that carries the order's text can be found, and its number must be the one that was named.
    async fn adopted_invoice(&self, number: &str) -> Result<Receipt, Error> {
        let found = self.find_invoice().await?;
        let receipt = found.as_ref().and_then(map::invoice_receipt);
        let receipt = receipt.filter(|receipt| receipt.external_id == number).ok_or_else(|| {
            let what = format!("is not there, or has no row with the text {}", self.posting.reference);
            misfit("invoice", number, &what)
        })?;
        map::check_totals(&self.posting, &receipt, map::what_to_do_when_booked(&self.posting))?;
        Ok(receipt)
    }

    fn same(&self, kind: &str, number: &str, known: &str) -> Result<(), Error> {
        if known == number {
            return Ok(());
        }
        Err(misfit(kind, number, &format!("is not the order's, which is {known}")))
    }
}

/// Why a document that a person named is not taken.
pub(super) fn misfit(kind: &str, number: &str, what: &str) -> Error {
    Error::park("document_does_not_fit", format!("{kind} {number} in Visma {what}. Nothing was sent."))
}
