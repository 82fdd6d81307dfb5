//! What providers, or whoever poses as them, post to the webhook addresses: no body makes the ingress panic, and what it
//! takes for a hint becomes a message that can be read again.
#![no_main]

use std::sync::{Arc, LazyLock};

use bokbro_app::memory::ManualClock;
use bokbro_app::message::{Envelope, Nudge};
use bokbro_app::ports::{Providers as _, Senders as _};
use bokbro_connectors::registry::{Registry, Urls};
use bokbro_domain::ids::{CorrelationId, TenantId};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH, 1));
    Registry::new(Urls::default(), clock).expect("a client can be built")
});

fn travels(nudge: Nudge) {
    let tenant = TenantId::parse("demo").expect("is a tenant");
    let correlation = CorrelationId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").expect("is an id");
    let message = Envelope::new(tenant, correlation, Timestamp::UNIX_EPOCH, nudge);
    assert_eq!(Envelope::parse(&message.to_json()).as_ref(), Ok(&message));
}

fuzz_target!(|body: &[u8]| {
    for name in REGISTRY.names() {
        if let Some(Ok(hint)) = REGISTRY.webhooks(&name).map(|webhooks| webhooks.parse(body)) {
            travels(Nudge::Payment(hint));
        }
        if let Some(Ok(hint)) = REGISTRY.parcel_webhooks(&name).map(|webhooks| webhooks.parse(body)) {
            travels(Nudge::Parcel(hint));
        }
    }
});
