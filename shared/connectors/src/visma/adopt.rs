//! Documents that a person names for a step: taken when they fit, so that nothing is sent.

use bokbro_app::error::Error;
use bokbro_domain::effect::{Ledger, Receipt};
use bokbro_domain::said;

use super::customers;
use super::effects::{Effects, Step, receipt};
use super::map;
use super::wire::Draft;
use crate::kit::reasons::{Kind, Misfit};

impl Effects {
    /// The receipt of the document with this number.
    pub(super) async fn adopted(&self, step: Step, number: &str, ledger: &Ledger) -> Result<Receipt, Error> {
        match step {
            Step::Customer => {
                let found = customers::by_number(&self.api, &self.posting, number).await?;
                found.ok_or_else(|| misfit(Kind::Customer, number).not_the_buyer())
            }
            Step::Article(of) => {
                let known = self.article_number(of)?;
                self.same(Kind::Article, number, &known)?;
                let found = self.find_article(number).await?;
                let what = || said!("misfit-inactive", "is not there or is inactive");
                found.ok_or_else(|| misfit(Kind::Article, number).because(what()))
            }
            Step::Draft => self.adopted_draft(number).await,
            Step::PriceDraft => {
                self.same(Kind::Draft, number, &receipt(ledger, Step::Draft)?.external_id)?;
                let found = self.find(step, ledger).await?;
                let what = || said!("misfit-other-total", "is not on the order's total");
                found.ok_or_else(|| misfit(Kind::Draft, number).because(what()))
            }
            Step::Invoice => self.adopted_invoice(number).await,
            Step::Payment => {
                let invoice = receipt(ledger, Step::Invoice)?;
                let found = self.get_invoice(invoice).await?;
                // A payment by hand may be of another day: whoever named it has seen that. It has no number to compare.
                if !map::is_settled(&found) {
                    let what = said!(
                        "visma-misfit-not-settled",
                        "does not settle invoice {invoice}",
                        invoice = invoice.external_id
                    );
                    return Err(misfit(Kind::Payment, number).because(what));
                }
                Ok(Receipt { external_id: number.to_owned(), ..Receipt::default() })
            }
        }
    }

    async fn adopted_draft(&self, id: &str) -> Result<Receipt, Error> {
        let draft: Option<Draft> = self.read_draft(id).await?;
        let draft = draft.ok_or_else(|| misfit(Kind::Draft, id).not_there())?;
        if !map::is_our_draft(&self.posting, &draft) {
            let what = said!(
                "visma-misfit-reference",
                "does not carry the reference {reference}; write it there as our reference",
                reference = self.posting.reference
            );
            return Err(misfit(Kind::Draft, id).because(what));
        }
        map::draft_receipt(&draft).ok_or_else(|| misfit(Kind::Draft, id).no_amounts())
    }

    /// Only the invoice that carries the order's text can be found, and its number must be the one that was named.
    async fn adopted_invoice(&self, number: &str) -> Result<Receipt, Error> {
        let found = self.find_invoice().await?;
        let receipt = found.as_ref().and_then(map::invoice_receipt);
        let receipt = receipt.filter(|receipt| receipt.external_id == number).ok_or_else(|| {
            let what = said!(
                "visma-misfit-text",
                "is not there, or has no row with the text {text}",
                text = self.posting.reference
            );
            misfit(Kind::Invoice, number).because(what)
        })?;
        map::check_totals(&self.posting, &receipt, map::what_to_do_when_booked(&self.posting))?;
        Ok(receipt)
    }

    fn same(&self, kind: Kind, number: &str, known: &str) -> Result<(), Error> {
        if known == number {
            return Ok(());
        }
        Err(misfit(kind, number).not_the_orders(known))
    }
}

/// Why a document that a person named is not taken.
pub(super) fn misfit(kind: Kind, number: &str) -> Misfit<'_> {
    Misfit::of("Visma", kind, number)
}
