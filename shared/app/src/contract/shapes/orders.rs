//! Orders, their history and stock.

use bokbro_domain::order::{MAX_LINES, OrderState};
use serde_json::{Value, json};

use super::{about, any_text, decimal, id, list, names, object, or_null, text, text_or_none, time};
use crate::contract::{Build, Shape};

const CURRENCIES: [&str; 9] = ["SEK", "EUR", "NOK", "DKK", "GBP", "USD", "PLN", "CHF", "CZK"];
const LINE_KINDS: [&str; 4] = ["goods", "shipping", "fee", "discount"];

/// An order as a webshop posts it (`crate::wire::order_in`).
pub const ORDER_IN: Shape = Shape {
    name: "OrderIn",
    schema: |_| {
        let customer = object(
            &[("kind", names(["private", "company"])), ("name", text(200)), ("billing", address_in())],
            &[
                ("email", text_or_none(254)),
                ("phone", text_or_none(40)),
                ("organisation_number", about("Ten digits, with or without a dash.", text_or_none(20))),
                ("delivery", about("Where the parcel goes when that is elsewhere.", or_null(address_in()))),
            ],
        );
        let price = about("Price of one, VAT included; not above zero for a discount.", decimal());
        let line = object(
            &[
                ("kind", names(LINE_KINDS)),
                ("text", text(255)),
                ("quantity", decimal()),
                ("unit_price", price),
                ("vat_rate", about("Percent: 25, 12, 6 or 0.", json!({"type": "string", "maxLength": 10}))),
            ],
            &[("sku", about("Goods must have one.", text_or_none(50)))],
        );
        let lines = json!({"type": "array", "items": line, "minItems": 1, "maxItems": MAX_LINES});
        let code = json!({"type": ["string", "null"], "maxLength": 19, "pattern": "^([1-9][0-9]*)?$"});
        object(
            &[
                ("order_number", about("The webshop's own number, unique.", text(50))),
                ("currency", names(CURRENCIES)),
                ("customer", customer),
                ("lines", lines),
                ("total", about("What is to be paid; the lines must add up to it.", decimal())),
            ],
            &[
                ("viva_order_code", about("The order's code at the payment provider.", code)),
                ("payment_reference", about("Another reference that the payment carries.", text_or_none(64))),
            ],
        )
    },
    example: |_| order_in(),
};

/// An order as it stands (`crate::wire::order_out::order_json`).
pub const ORDER: Shape = Shape { name: "Order", schema: |_| object(&order_members(), &[]), example: order };

/// A test order as it was made, and where to pay it.
pub const TEST_ORDER: Shape = Shape {
    name: "TestOrder",
    schema: |_| {
        let page = json!({"type": ["string", "null"], "format": "uri"});
        let mut members = order_members().to_vec();
        members.push(("pay_at", about("The page to pay it on, while it waits for that.", page)));
        object(&members, &[])
    },
    example: |build| {
        let mut order = order(build);
        order["order_number"] = json!("TEST-7Z2M4N6P8Q");
        order["pay_at"] = json!(null);
        order
    },
};

fn order_members() -> [(&'static str, Value); 13] {
    [
        ("id", id("ord_")),
        ("order_number", any_text()),
        ("state", names(OrderState::ALL.map(OrderState::as_str))),
        ("currency", names(CURRENCIES)),
        ("viva_order_code", or_null(any_text())),
        ("payment_reference", or_null(any_text())),
        ("customer", customer_out()),
        ("lines", list(line_out())),
        ("total", decimal()),
        ("payment", payment()),
        ("sync", object(&[("accounting", books()), ("warehouse", parcels())], &[])),
        ("created_at", time()),
        ("updated_at", time()),
    ]
}

/// One entry of an order's history (`crate::wire::order_out::timeline_json`).
pub const TIMELINE_ENTRY: Shape = Shape {
    name: "TimelineEntry",
    schema: |_| {
        object(
            &[
                ("id", any_text()),
                ("at", time()),
                ("event", about("Stable short name.", any_text())),
                ("message", any_text()),
                ("correlation_id", any_text()),
            ],
            &[],
        )
    },
    example: |_| {
        json!({"id": "01KB0Q5V3YQ6Z4E7B9C2D5F8HJ", "at": "2026-11-21T08:25:00Z", "event": "order_accepted",
            "message": "Order accepted; waits for its payment.", "correlation_id": "01KB0Q5V3X8K5T0V1R7W2M4N6P"})
    },
};

/// How many of an article the warehouse had (`crate::wire::order_out::stock_json`).
pub const STOCK: Shape = Shape {
    name: "Stock",
    schema: |_| {
        object(
            &[("sku", any_text()), ("on_hand", decimal()), ("sellable", decimal()), ("read_at", time())],
            &[],
        )
    },
    example: |_| json!({"sku": "OIL-30", "on_hand": "120", "sellable": "118", "read_at": "2026-11-21T08:00:03Z"}),
};

fn address_in() -> Value {
    object(
        &[
            ("name", text(200)),
            ("address1", text(200)),
            ("zip", text(10)),
            ("city", text(100)),
            ("country", json!({"type": "string", "pattern": "^[A-Z]{2}$"})),
        ],
        &[("address2", text_or_none(200))],
    )
}

fn customer_out() -> Value {
    let address = || {
        object(
            &[
                ("name", any_text()),
                ("address1", any_text()),
                ("address2", or_null(any_text())),
                ("zip", any_text()),
                ("city", any_text()),
                ("country", any_text()),
            ],
            &[],
        )
    };
    object(
        &[
            ("kind", names(["private", "company"])),
            ("name", any_text()),
            ("email", or_null(any_text())),
            ("phone", or_null(any_text())),
            ("organisation_number", or_null(any_text())),
            ("billing", address()),
            ("delivery", or_null(address())),
        ],
        &[],
    )
}

fn line_out() -> Value {
    object(
        &[
            ("kind", names(LINE_KINDS)),
            ("sku", or_null(any_text())),
            ("text", any_text()),
            ("quantity", decimal()),
            ("unit_price", decimal()),
            ("vat_rate", names(["25", "12", "6", "0"])),
        ],
        &[],
    )
}

fn payment() -> Value {
    object(
        &[
            ("captured", decimal()),
            ("reversed", decimal()),
            ("currency", names(CURRENCIES)),
            ("paid_at", or_null(time())),
            ("transactions", list(any_text())),
        ],
        &[],
    )
}

fn sync_state() -> Value {
    names(["waiting", "running", "done", "retrying", "needs_attention"])
}

fn books() -> Value {
    let number = || or_null(any_text());
    let document = || {
        vec![
            ("number", any_text()),
            ("state", names(["paid", "partly_paid", "unpaid", "canceled", "credited", "gone"])),
            ("balance", or_null(decimal())),
            ("changed", list(names(["total", "date", "customer"]))),
            ("read_at", time()),
        ]
    };
    let mut invoice = document();
    invoice.push(("credits", list(object(&document(), &[]))));
    let in_books = about("The invoice as last read back from the books.", or_null(object(&invoice, &[])));
    object(
        &[
            ("state", sync_state()),
            ("provider", or_null(any_text())),
            ("customer_number", number()),
            ("order_number", number()),
            ("invoice_number", number()),
            ("payment_number", number()),
            ("credit_invoice_number", number()),
            ("credit_payment_number", number()),
            ("voucher_number", number()),
            ("credit_voucher_number", number()),
            ("in_books", in_books),
            ("message", or_null(any_text())),
            ("parked", about("The item that waits for a human.", or_null(id("prk_")))),
        ],
        &[],
    )
}

fn parcels() -> Value {
    let tracking = object(&[("number", any_text()), ("url", or_null(any_text()))], &[]);
    let picked = object(
        &[
            ("sku", any_text()),
            ("ordered", decimal()),
            ("picked", decimal()),
            ("shipped", or_null(decimal())),
        ],
        &[],
    );
    object(
        &[
            ("state", sync_state()),
            ("provider", or_null(any_text())),
            ("order_id", or_null(any_text())),
            ("status", or_null(any_text())),
            ("stage", or_null(names(["open", "picking", "shipped", "cancelled"]))),
            ("shipped_at", or_null(time())),
            ("tracking", list(tracking)),
            ("lines", list(picked)),
            ("message", or_null(any_text())),
            ("parked", or_null(id("prk_"))),
        ],
        &[],
    )
}

fn order_in() -> Value {
    json!({"order_number": "1753-1001", "currency": "SEK", "viva_order_code": "2451234567890123",
        "payment_reference": null,
        "customer": {"kind": "private", "name": "Åsa Öberg", "email": "asa@example.se", "phone": null,
            "organisation_number": null,
            "billing": {"name": "Åsa Öberg", "address1": "Storgatan 1", "address2": null, "zip": "11122",
                "city": "Stockholm", "country": "SE"},
            "delivery": null},
        "lines": [
            {"kind": "goods", "sku": "OIL-30", "text": "Ansiktsolja 30 ml", "quantity": "2",
                "unit_price": "349.00", "vat_rate": "25"},
            {"kind": "shipping", "sku": null, "text": "Frakt", "quantity": "1", "unit_price": "49.00",
                "vat_rate": "25"}],
        "total": "747.00"})
}

fn order(build: &Build) -> Value {
    let mut order = order_in();
    let paid_at = "2026-11-21T08:26:10Z";
    order["id"] = json!("ord_01KB0Q5V3XJ4A6C8E0G2J5K7M9");
    order["state"] = json!("paid");
    order["payment"] = json!({"captured": "747.00", "reversed": "0.00", "currency": "SEK", "paid_at": paid_at,
        "transactions": ["19e058a5-2b5b-4b4e-92d0-de9a73c8b3ae"]});
    order["sync"] = json!({
        "accounting": {"state": "done", "provider": Build::first(&build.accounting), "customer_number": "1",
            "order_number": null, "invoice_number": "1", "payment_number": "1", "credit_invoice_number": null,
            "credit_payment_number": null, "voucher_number": null, "credit_voucher_number": null,
            "in_books": {"number": "1", "state": "paid", "balance": "0.00", "changed": [],
                "read_at": "2026-11-21T09:00:02Z", "credits": []},
            "message": null, "parked": null},
        "warehouse": {"state": "done", "provider": Build::first(&build.warehouses), "order_id": "1001",
            "status": "450 Sent", "stage": "shipped", "shipped_at": "2026-11-21T13:10:00Z",
            "tracking": [{"number": "UN938485761SE", "url": "https://carrier.example/UN938485761SE"}],
            "lines": [{"sku": "OIL-30", "ordered": "2", "picked": "2", "shipped": "2"}],
            "message": null, "parked": null}});
    order["created_at"] = json!("2026-11-21T08:25:00Z");
    order["updated_at"] = json!("2026-11-21T13:12:44Z");
    order
}
