//! What callers of the API and of functions ask for besides orders: replays, reading back, credentials, ids.
#![no_main]

use bokbro_app::secret::Credentials;
use bokbro_app::wire::registers_in::read_reading;
use bokbro_app::wire::replay_in::{read_invocation, read_replay};
use bokbro_domain::day::DayId;
use bokbro_domain::ids::{OrderId, OrderNumber, Provider, TenantId, TransactionId};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    // Only a body that is wrong as a whole has no field to name.
    let is_object = serde_json::from_slice::<Value>(body).is_ok_and(|value| value.is_object());
    for refused in [read_replay(body).err(), read_reading(body).err()].into_iter().flatten() {
        assert_eq!(refused.field.is_empty(), !is_object, "{refused}");
    }
    if let Ok(event) = serde_json::from_slice(body) {
        read_invocation(&event).ok();
    }
    let Ok(text) = str::from_utf8(body) else { return };
    if let Ok(credentials) = Credentials::from_json(text) {
        assert!(Credentials::from_json(credentials.to_json().expose()).is_ok());
    }
    // An id is the text that it was read from.
    assert!(OrderId::parse(text).is_ok_and(|id| id.to_string() != text) == false);
    assert!(TenantId::parse(text).is_ok_and(|id| id.to_string() != text) == false);
    assert!(Provider::parse(text).is_ok_and(|id| id.to_string() != text) == false);
    assert!(DayId::parse(text).is_ok_and(|id| id.to_string() != text) == false);
    OrderNumber::parse(text).ok();
    TransactionId::parse(text).ok();
});
