//! A sale and its credits as one row of steps, whatever the ledger program: a credit is a posting with everything
//! negative, so the connector books it as it books a sale. Only the names of its steps differ.

use std::sync::Arc;

use async_trait::async_trait;
use bokbro_domain::effect::{Intent, Ledger, Receipt, StepName};
use bokbro_domain::posting::{CreditId, Posting};
use bokbro_domain::said;

use crate::error::Error;
use crate::ports::{Access, Accounting, Effector, Found, SendError};

/// The way of a posting and its credits into one ledger program.
pub(crate) fn effector(
    accounting: Arc<dyn Accounting>,
    access: Access,
    posting: Posting,
) -> Box<dyn Effector> {
    if posting.credits.is_empty() {
        return accounting.effector(access, posting);
    }
    let credits = posting.credits.iter();
    let credits = credits
        .map(|credit| (credit.id, accounting.effector(access.clone(), credit.posting.clone())))
        .collect();
    Box::new(Credited { sale: accounting.effector(access, posting), credits, accounting })
}

struct Credited {
    accounting: Arc<dyn Accounting>,
    sale: Box<dyn Effector>,
    credits: Vec<(CreditId, Box<dyn Effector>)>,
}

/// Whose step it is, and what it is called there.
struct Own<'a> {
    effector: &'a dyn Effector,
    step: StepName,
    ledger: Ledger,
}

impl Credited {
    fn own(&self, step: &StepName, ledger: &Ledger) -> Result<Own<'_>, Error> {
        let (name, credit) = step.parts();
        let own = StepName::from(name);
        let Some(id) = credit else {
            return Ok(Own { effector: &*self.sale, step: own, ledger: ledger.clone() });
        };
        let effector = self.credits.iter().find(|(known, _)| *known == id).map(|(_, effector)| &**effector);
        let effector = effector.ok_or_else(|| {
            let message = said!(
                "parked-no-credit",
                "there is no credit for step {step}; report this as a bug",
                step = step.0
            );
            Error::park("unknown_step", message)
        })?;
        Ok(Own { effector, step: own, ledger: self.view(ledger, id) })
    }

    /// The ledger as a credit sees it: its own steps and those that it shares with the sale under their plain names, the
    /// others of the sale under [`StepName::of_sale`].
    fn view(&self, ledger: &Ledger, id: CreditId) -> Ledger {
        let seen = ledger.steps.iter().filter_map(|(name, step)| {
            let (own, credit) = name.parts();
            let plain = StepName::from(own);
            match credit {
                Some(credit) => (credit == id).then(|| (plain, step.clone())),
                None if self.accounting.is_shared(&plain) => Some((plain, step.clone())),
                None => Some((StepName::of_sale(own), step.clone())),
            }
        });
        Ledger { steps: seen.collect(), ..ledger.clone() }
    }
}

#[async_trait]
impl Effector for Credited {
    fn steps(&self) -> Vec<StepName> {
        let mut steps = self.sale.steps();
        for (id, credit) in &self.credits {
            for step in credit.steps() {
                let shared = self.accounting.is_shared(&step);
                let step = if shared { step } else { StepName::of_credit(&step.0, *id) };
                // A part may need an article for öre that the whole did without.
                if !steps.contains(&step) {
                    steps.push(step);
                }
            }
        }
        steps
    }

    fn intent(&self, step: &StepName, ledger: &Ledger) -> Result<Option<Intent>, Error> {
        let own = self.own(step, ledger)?;
        let intent = own.effector.intent(&own.step, &own.ledger)?;
        Ok(intent.map(|intent| Intent { step: step.clone(), ..intent }))
    }

    async fn look_up(&self, intent: &Intent, ledger: &Ledger) -> Result<Found, Error> {
        let own = self.own(&intent.step, ledger)?;
        own.effector.look_up(&Intent { step: own.step, ..intent.clone() }, &own.ledger).await
    }

    async fn adopt(&self, intent: &Intent, number: &str, ledger: &Ledger) -> Result<Receipt, Error> {
        let own = self.own(&intent.step, ledger)?;
        own.effector.adopt(&Intent { step: own.step, ..intent.clone() }, number, &own.ledger).await
    }

    async fn send(&self, intent: &Intent, ledger: &Ledger) -> Result<Receipt, SendError> {
        let own = self.own(&intent.step, ledger).map_err(SendError::NotDone)?;
        own.effector.send(&Intent { step: own.step, ..intent.clone() }, &own.ledger).await
    }

    fn number_name(&self, step: &StepName) -> Option<&'static str> {
        let (own, credit) = step.parts();
        let name = self.sale.number_name(&StepName::from(own))?;
        match (credit, name) {
            (None, name) => Some(name),
            (Some(_), "invoice_number") => Some("credit_invoice_number"),
            (Some(_), "payment_number") => Some("credit_payment_number"),
            (Some(_), _) => None,
        }
    }
}
