//! Reads deliveries of Ongoing's webhooks from their exact bytes.
//!
//! Not signed: at most a fixed secret in a header, and no promise of order or uniqueness (`apis/viva-ongoing-bank.md`
//! 2.5). So a delivery says which order to read, and nothing more.

use bokbro_app::message::{ParcelHint, Unreadable};
use bokbro_app::ports::ParcelWebhooks;
use bokbro_domain::ids::Provider;
use bokbro_domain::said::Said;

use super::NAME;
use super::wire::Event;
use crate::kit::LooseText;

/// Longest text that is carried on.
const LONGEST: usize = 100;

/// Reads deliveries. It knows nothing of the rest of the connector.
pub(crate) struct Deliveries;

impl ParcelWebhooks for Deliveries {
    fn token_header(&self) -> &'static str {
        "x-auth-token"
    }

    fn parse(&self, body: &[u8]) -> Result<ParcelHint, Unreadable> {
        parse(body)
    }
}

fn parse(body: &[u8]) -> Result<ParcelHint, Unreadable> {
    // A JSON array would fill the members in their order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(unreadable("not a JSON object"));
    }
    let event: Event =
        serde_json::from_slice(body).map_err(|_| unreadable("not a JSON object with an orderNumber"))?;
    let order_number =
        short(Some(event.order_number)).ok_or_else(|| unreadable("orderNumber is no number"))?;
    let text = |text: LooseText| short(text.0);
    Ok(ParcelHint {
        provider: Provider::parse(NAME).map_err(|_| unreadable("not a provider's name"))?,
        system: text(event.system),
        order_id: text(event.order_id),
        order_number,
        status: event.order_status.and_then(|status| status.number),
        at: text(event.timestamp),
    })
}

/// A text that is worth carrying on.
fn short(text: Option<String>) -> Option<String> {
    text.filter(|text| {
        !text.is_empty() && text.chars().count() <= LONGEST && !text.chars().any(char::is_control)
    })
}

fn unreadable(why: &str) -> Unreadable {
    Unreadable { why: Said::quoted(why) }
}
