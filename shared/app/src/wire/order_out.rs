//! Orders, their history and what waits for a human, as the API shows them.

use bokbro_domain::in_books::InBooks;
use bokbro_domain::order::{Address, CustomerKind, Line, LineKind, Order, PARCEL_ORDER, SyncStatus};
use bokbro_domain::shipment::{Parcel, PickedLine, Shipment, Stage};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::parked::{Action, actions};
use crate::ports::Stock;
use crate::records::{Parked, TimelineEntry};

/// An order as `GET /v1/orders/{id}` shows it.
#[must_use]
pub fn order_json(order: &Order) -> Value {
    let body = &order.body;
    let customer = &body.customer;
    let accounting = &order.accounting;
    let warehouse = &order.warehouse;
    let shipment = warehouse.shipment.as_ref();
    json!({
        "id": order.id,
        "order_number": body.order_number,
        "state": order.state.as_str(),
        "currency": body.currency,
        "viva_order_code": body.checkout_code.map(|code| code.to_string()),
        "payment_reference": body.payment_reference,
        "customer": {
            "kind": match customer.kind { CustomerKind::Private => "private", CustomerKind::Company => "company" },
            "name": customer.name,
            "email": customer.email,
            "phone": customer.phone,
            "organisation_number": customer.organisation_number,
            "billing": address_json(&customer.billing),
            "delivery": customer.delivery.as_ref().map(address_json),
        },
        "lines": body.lines.iter().map(line_json).collect::<Vec<_>>(),
        "total": body.total.to_string(),
        "payment": {
            "captured": order.payment.captured.to_string(),
            "reversed": order.payment.reversed.to_string(),
            "currency": order.payment.captured.currency,
            "paid_at": order.payment.paid_at,
            "transactions": order.payment.transactions,
        },
        "sync": {
            "accounting": {
                "state": accounting.state.as_str(),
                "provider": accounting.provider,
                "customer_number": number(accounting, "customer_number"),
                "order_number": number(accounting, "order_number"),
                "invoice_number": number(accounting, "invoice_number"),
                "payment_number": number(accounting, "payment_number"),
                "credit_invoice_number": number(accounting, "credit_invoice_number"),
                "credit_payment_number": number(accounting, "credit_payment_number"),
                "voucher_number": number(accounting, "voucher_number"),
                "credit_voucher_number": number(accounting, "credit_voucher_number"),
                "in_books": in_books_json(accounting),
                "message": accounting.message.as_deref(),
                "parked": accounting.parked,
            },
            "warehouse": {
                "state": warehouse.state.as_str(),
                "provider": warehouse.provider,
                "order_id": number(warehouse, PARCEL_ORDER),
                "status": shipment.map(Shipment::status_text),
                "stage": shipment.map(|shipment| shipment.stage.as_str()),
                "shipped_at": shipment.and_then(|shipment| shipment.shipped_at),
                "tracking": shipment.map_or_else(Vec::new, tracking_json),
                "lines": shipment.map_or_else(Vec::new, picked_json),
                "message": warehouse.message.as_deref(),
                "parked": warehouse.parked,
            },
        },
        "created_at": order.created_at,
        "updated_at": order.updated_at,
    })
}

fn number<'a>(status: &'a SyncStatus, name: &str) -> Option<&'a str> {
    status.numbers.get(name).map(String::as_str)
}

/// How the order's invoice stands in the books, and its credit invoices, as last read back from there.
fn in_books_json(accounting: &SyncStatus) -> Value {
    let seen = |number: &str| accounting.in_books.get(number).map(|seen| document_json(number, seen));
    let credits: Vec<Value> = accounting.credit_invoices().filter_map(seen).collect();
    let Some(mut shown) = accounting.invoice().and_then(seen) else { return Value::Null };
    shown["credits"] = json!(credits);
    shown
}

fn document_json(number: &str, seen: &InBooks) -> Value {
    json!({
        "number": number,
        "state": seen.state.as_str(),
        "balance": seen.balance.map(|balance| balance.to_string()),
        "changed": seen.changed.iter().map(|change| change.as_str()).collect::<Vec<_>>(),
        "read_at": seen.read_at,
    })
}

/// Parcels, each with its number and where people follow it.
fn tracking_json(shipment: &Shipment) -> Vec<Value> {
    let parcel = |parcel: &Parcel| json!({ "number": parcel.number, "url": parcel.url });
    shipment.parcels.iter().map(parcel).collect()
}

/// What was picked, which is what was shipped once the parcels have left.
fn picked_json(shipment: &Shipment) -> Vec<Value> {
    let (text, shipped) = (|d: Decimal| d.normalize().to_string(), shipment.stage == Stage::Shipped);
    let line = |line: &PickedLine| {
        let shipped = shipped.then(|| text(line.picked));
        json!({ "sku": line.sku, "ordered": text(line.ordered), "picked": text(line.picked), "shipped": shipped })
    };
    shipment.lines.iter().map(line).collect()
}

fn address_json(address: &Address) -> Value {
    json!({
        "name": address.name,
        "address1": address.address1,
        "address2": address.address2,
        "zip": address.zip,
        "city": address.city,
        "country": address.country,
    })
}

fn line_json(line: &Line) -> Value {
    let kind = match line.kind {
        LineKind::Goods => "goods",
        LineKind::Shipping => "shipping",
        LineKind::Fee => "fee",
        LineKind::Discount => "discount",
    };
    json!({
        "kind": kind,
        "sku": line.sku,
        "text": line.text,
        "quantity": line.quantity.normalize().to_string(),
        "unit_price": line.unit_price.to_string(),
        "vat_rate": line.vat_rate.percent().to_string(),
    })
}

/// How many of an article the warehouse had, and when that was read.
#[must_use]
pub fn stock_json((stock, read_at): &(Stock, Timestamp)) -> Value {
    let text = |number: Decimal| number.normalize().to_string();
    json!({ "sku": stock.sku, "on_hand": text(stock.on_hand), "sellable": text(stock.sellable), "read_at": read_at })
}

/// One entry of an order's history.
#[must_use]
pub fn timeline_json(entry: &TimelineEntry) -> Value {
    json!({
        "id": entry.id,
        "at": entry.at,
        "event": entry.event,
        "message": entry.message.as_str(),
        "correlation_id": entry.correlation,
    })
}

/// Something that waits for a human, and what can be done about it.
#[must_use]
pub fn parked_json(parked: &Parked) -> Value {
    json!({
        "id": parked.id,
        "at": parked.at,
        "code": parked.code,
        "reason": parked.message.as_str(),
        "actions": actions(parked).into_iter().map(Action::as_str).collect::<Vec<_>>(),
        "order_id": parked.order,
        "target": parked.target,
        "details": parked.details,
        "correlation_id": parked.correlation,
    })
}
