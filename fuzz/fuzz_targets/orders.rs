//! Bodies of `POST /v1/orders`: none makes the API panic, what is accepted adds up, and what is refused names its field.
#![no_main]

use bokbro_app::wire::order_in::read_order;
use bokbro_app::wire::order_out::order_json;
use bokbro_domain::ids::{OrderId, TenantId};
use bokbro_domain::order::Order;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|body: &[u8]| match read_order(body) {
    Err(refused) => {
        // Only a body that is wrong as a whole has no field to name.
        let is_object = serde_json::from_slice::<Value>(body).is_ok_and(|value| value.is_object());
        assert_eq!(refused.field.is_empty(), !is_object, "{refused}");
        assert!(!refused.message.is_empty());
    }
    Ok(body) => {
        let sum: i64 = body.lines.iter().map(|line| line.gross().expect("was checked").minor).sum();
        assert_eq!(sum, body.total.minor, "the lines do not add up to the total");
        let id = OrderId::parse("ord_01ARZ3NDEKTSV4RRFFQ69G5FAV").expect("is an id");
        let order = Order::new(id, TenantId::parse("demo").expect("is a tenant"), body, Timestamp::UNIX_EPOCH);
        assert!(order_json(&order).is_object());
    }
});
