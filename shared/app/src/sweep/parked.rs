//! Deliveries that were parked and may fit by now: an order was posted after its payment, or a connection works again.

use bokbro_domain::ids::{CorrelationId, TenantId};

use super::{PAGE, Sweep};
use crate::app::App;
use crate::effects::OUTCOME_UNKNOWN;
use crate::error::Error;
use crate::message::{Nudge, PaymentHint};
use crate::payments::{UNMATCHED, keys_of, order_find};
use crate::ports::{Cursor, QueueName};
use crate::records::Parked;
use crate::resume::{HINT, NEEDS_CONSENT};

impl Sweep<'_> {
    /// Sends the deliveries of one page of parked items again if that may help by now.
    pub(super) async fn parked(&mut self, cursor: Option<&Cursor>) -> Result<Option<Cursor>, Error> {
        let page = self.app.parking.parked_list(self.tenant, PAGE, cursor).await?;
        let mut ready = Vec::new();
        for parked in page.items {
            self.waiting.items += 1;
            if parked.code == OUTCOME_UNKNOWN {
                let since = self.waiting.unknown_since.into_iter().chain([parked.at]).min();
                self.waiting.unknown_since = since;
            }
            let Some(hint) = hint_of(&parked) else { continue };
            let fits = match parked.code.as_str() {
                UNMATCHED => {
                    let (keys, numbers) = keys_of(&parked);
                    order_find(self.app, self.tenant, &keys, numbers).await?.is_some()
                }
                NEEDS_CONSENT => self.works(&hint.provider).await?,
                _ => false,
            };
            if fits {
                ready.push((parked, hint));
            }
        }
        let sent = deliveries_resend(self.app, self.tenant, &self.job.correlation, ready).await?;
        self.count("deliveries_sent_again", sent);
        Ok(page.next)
    }
}

/// The delivery that a parked item was made of.
pub(crate) fn hint_of(parked: &Parked) -> Option<PaymentHint> {
    serde_json::from_str(parked.details.get(HINT)?).ok()
}

/// Sends deliveries again and closes what was parked of them; says how many.
///
/// # Errors
/// When table or queue fail; calling again goes on.
pub(crate) async fn deliveries_resend(
    app: &App,
    tenant: &TenantId,
    correlation: &CorrelationId,
    deliveries: Vec<(Parked, PaymentHint)>,
) -> Result<usize, Error> {
    let (parked, hints): (Vec<Parked>, Vec<PaymentHint>) = deliveries.into_iter().unzip();
    let nudges = hints.into_iter().map(Nudge::Payment).collect();
    let sent = super::nudge(app, tenant, correlation, QueueName::Payments, nudges).await?;
    // Sent before they are closed: nothing is lost between the two.
    for parked in parked {
        app.parking.parked_close(tenant, &parked.id).await?;
    }
    Ok(sent)
}
