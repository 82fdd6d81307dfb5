//! Orders that break a rule: each is refused with its field named, and nothing is stored.

use bokbro_app::orders::{Posted, Refusal, order_post};
use bokbro_app::ports::{OrderFilter, Orders};
use bokbro_domain::ids::{CorrelationId, TenantId};
use bokbro_tests::world::{World, sample, tenant};
use futures::future::join_all;
use serde_json::{Value, json};

/// Puts a value at a JSON pointer; `Null` with `remove` takes the field away.
fn with(pointer: &str, value: Value) -> Vec<u8> {
    let mut body = sample();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let place = body.pointer_mut(parent).unwrap();
    match place {
        Value::Array(items) => items[field.parse::<usize>().unwrap()] = value,
        Value::Object(map) => {
            map.insert(field.to_owned(), value);
        }
        other => panic!("{pointer} leads into {other}"),
    }
    body.to_string().into_bytes()
}

fn without(pointer: &str) -> Vec<u8> {
    let mut body = sample();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field).unwrap();
    body.to_string().into_bytes()
}

fn ten_thousand_lines() -> Vec<u8> {
    let mut body = sample();
    body["lines"] = json!(vec![body["lines"][0].clone(); 10_000]);
    body.to_string().into_bytes()
}

fn bad_orders() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let long = "x".repeat(256);
    vec![
        ("not JSON", b"{\"order_number\":".to_vec(), ""),
        ("not an object", b"[1,2]".to_vec(), ""),
        ("no order number", without("/order_number"), "order_number"),
        ("empty order number", with("/order_number", json!(" ")), "order_number"),
        ("order number as a number", with("/order_number", json!(1753)), "order_number"),
        ("long order number", with("/order_number", json!("9".repeat(51))), "order_number"),
        ("unknown field", with("/discount", json!("5.00")), "discount"),
        ("unknown field in a line", with("/lines/0/colour", json!("red")), "lines[0].colour"),
        (
            "unknown field in an address",
            with("/customer/billing/planet", json!("Earth")),
            "customer.billing.planet",
        ),
        ("no customer", without("/customer"), "customer"),
        ("no billing address", without("/customer/billing"), "customer.billing"),
        ("no town", without("/customer/billing/city"), "customer.billing.city"),
        ("customer of a third kind", with("/customer/kind", json!("pet")), "customer.kind"),
        (
            "no e-mail address in the e-mail address",
            with("/customer/email", json!("asa at example.se")),
            "customer.email",
        ),
        ("lower-case country", with("/customer/billing/country", json!("se")), "customer.billing.country"),
        ("no lines", with("/lines", json!([])), "lines"),
        ("lines that are no list", with("/lines", json!({})), "lines"),
        ("ten thousand lines", ten_thousand_lines(), "lines"),
        ("negative quantity", with("/lines/0/quantity", json!("-2")), "lines[0].quantity"),
        ("quantity of nothing", with("/lines/0/quantity", json!("0")), "lines[0].quantity"),
        ("quantity as a number", with("/lines/0/quantity", json!(2)), "lines[0].quantity"),
        ("quantity in words", with("/lines/0/quantity", json!("two")), "lines[0].quantity"),
        ("price as a number", with("/lines/0/unit_price", json!(349.0)), "lines[0].unit_price"),
        ("price with a comma", with("/lines/0/unit_price", json!("349,00")), "lines[0].unit_price"),
        ("price with three decimals", with("/lines/0/unit_price", json!("349.001")), "lines[0].unit_price"),
        ("price with an exponent", with("/lines/0/unit_price", json!("3.49e2")), "lines[0].unit_price"),
        ("negative price of goods", with("/lines/0/unit_price", json!("-349.00")), "lines[0].unit_price"),
        ("goods without SKU", with("/lines/0/sku", json!(null)), "lines[0].sku"),
        ("a fifth VAT rate", with("/lines/1/vat_rate", json!("20")), "lines[1].vat_rate"),
        ("VAT rate as a number", with("/lines/1/vat_rate", json!(25)), "lines[1].vat_rate"),
        ("over-long text", with("/lines/0/text", json!(long)), "lines[0].text"),
        ("control characters", with("/customer/name", json!("Åsa\u{0}Öberg")), "customer.name"),
        ("bad currency", with("/currency", json!("KRO")), "currency"),
        ("currency by number", with("/currency", json!("752")), "currency"),
        ("total an öre short", with("/total", json!("746.99")), "total"),
        ("total too large", with("/total", json!("99999999999999.00")), "total"),
        ("order code in hex", with("/viva_order_code", json!("0x1f")), "viva_order_code"),
        (
            "order code as a number",
            with("/viva_order_code", json!(2_451_234_567_890_123u64)),
            "viva_order_code",
        ),
    ]
}

async fn post(world: &World, key: Option<&str>, body: &[u8]) -> Result<Posted, Refusal> {
    let correlation = CorrelationId::from_ulid(world.app.stamps.ulid(&*world.clock));
    order_post(&world.app, &tenant(), key, &correlation, body).await
}

async fn stored(world: &World, tenant: &TenantId) -> usize {
    world.store.orders_list(tenant, &OrderFilter::default(), 1000, None).await.unwrap().items.len()
}

#[tokio::test]
async fn bad_orders_are_refused_with_the_field_named() {
    let world = World::start().await;
    for (name, body, field) in bad_orders() {
        match post(&world, None, &body).await {
            Err(Refusal::Invalid(error)) => assert_eq!(error.field, field, "{name}: {error}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(stored(&world, &tenant()).await, 0);
}

#[tokio::test]
async fn an_order_number_is_taken_once_however_many_post_it() {
    let world = World::start().await;
    let body = sample().to_string();
    let posts = join_all((0..32).map(|_| post(&world, None, body.as_bytes()))).await;
    let created = posts.iter().filter(|p| matches!(p, Ok(Posted::Created(_)))).count();
    let taken = posts
        .iter()
        .filter(|p| matches!(p, Err(Refusal::Conflict { field: Some("order_number"), .. })))
        .count();
    assert_eq!((created, taken), (1, 31));
}

#[tokio::test]
async fn an_idempotency_key_makes_one_order_of_one_body() {
    let world = World::start().await;
    let body = sample().to_string();
    let posts = join_all((0..32).map(|_| post(&world, Some("k1"), body.as_bytes()))).await;
    let mut ids = Vec::new();
    for posted in posts {
        match posted.unwrap() {
            Posted::Created(order) | Posted::Repeated(order) => ids.push(order.id),
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    // Blanks and the order of members are not another body; a changed total is.
    let spaced = serde_json::to_string_pretty(&sample()).unwrap();
    assert!(matches!(post(&world, Some("k1"), spaced.as_bytes()).await, Ok(Posted::Repeated(_))));
    let mut other = sample();
    other["customer"]["name"] = json!("Bo Ek");
    let refused = post(&world, Some("k1"), other.to_string().as_bytes()).await;
    assert!(matches!(refused, Err(Refusal::Conflict { code: "idempotency_key_reused", .. })), "{refused:?}");
    assert_eq!(stored(&world, &tenant()).await, 1);
}

#[tokio::test]
async fn keys_that_no_header_can_carry_are_refused() {
    let world = World::start().await;
    for key in ["", "a b", "å", &"k".repeat(256)] {
        let refused = post(&world, Some(key), sample().to_string().as_bytes()).await;
        assert!(
            matches!(&refused, Err(Refusal::Invalid(e)) if e.field == "Idempotency-Key"),
            "{key:?}: {refused:?}"
        );
    }
}
