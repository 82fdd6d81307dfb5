//! Orders: the list with its search, and one order with all that is known of it.

use bokbro_app::ports::Cursor;
use bokbro_app::records::{Role, Settings, TimelineEntry};
use bokbro_app::test_orders::is_test;
use bokbro_domain::order::{Address, Line, Order, OrderState, SyncState, SyncStatus};
use maud::{Markup, html};

use crate::catalog::Texts;
use crate::format::{amount, provider_name, quantity, time};
use crate::layout::Frame;
use crate::words::{known, said};

/// What somebody is looking for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Only orders in this state.
    pub state: Option<OrderState>,
    /// An order's number, id, or its code at the payment provider.
    pub text: String,
}

/// Who sends the tenant's parcels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parcels {
    /// The warehouse of the settings.
    Warehouse,
    /// Nobody whom the settings name, so that nothing is waited for.
    Nobody,
}

impl Parcels {
    /// By the tenant's settings.
    #[must_use]
    pub fn of(settings: Option<&Settings>) -> Self {
        let warehouse = settings.and_then(|settings| settings.warehouse.as_ref());
        warehouse.map_or(Self::Nobody, |_| Self::Warehouse)
    }
}

/// The list.
#[must_use]
pub fn list(
    frame: &Frame<'_>,
    wanted: &Wanted,
    orders: &[Order],
    parcels: Parcels,
    next: Option<&Cursor>,
) -> Markup {
    let texts = frame.texts;
    html! {
        form.row method="get" action="/app/orders" role="search" {
            div.field {
                label for="q" { (texts.get("orders-search")) }
                input #q name="q" value=(wanted.text) autocomplete="off";
                p.hint { (texts.get("orders-search-hint")) }
            }
            div.field {
                label for="state" { (texts.get("orders-state")) }
                select #state name="state" {
                    option value="" { (texts.get("orders-state-any")) }
                    @for state in OrderState::ALL {
                        option value=(state.as_str()) selected[wanted.state == Some(state)] { (state_name(texts, state)) }
                    }
                }
            }
            div.field { button { (texts.get("orders-show")) } }
        }
        @if orders.is_empty() {
            p { (texts.get("orders-none")) }
        } @else {
            (table(texts, orders, parcels))
        }
        @if let Some(next) = next {
            p {
                a.button.second href=(next_path(wanted, next)) rel="next" { (texts.get("older")) }
            }
        }
    }
}

/// Orders as a table; other pages show some too.
#[must_use]
pub fn table(texts: Texts, orders: &[Order], parcels: Parcels) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(texts.get("nav-orders")) {
            table {
                thead {
                    tr {
                        th scope="col" { (texts.get("order-number")) }
                        th scope="col" { (texts.get("order-accepted")) }
                        th.number scope="col" { (texts.get("order-total")) }
                        th scope="col" { (texts.get("order-state")) }
                        th scope="col" { (texts.get("order-books")) }
                        th scope="col" { (texts.get("order-parcel")) }
                    }
                }
                tbody {
                    @for order in orders {
                        tr {
                            th scope="row" { a href=(path(order)) { (order.body.order_number) } }
                            td { (time(order.created_at)) }
                            td.number { (amount(order.body.total)) }
                            td { (state_name(texts, order.state)) }
                            td { (sync_name(texts, order, &order.accounting)) }
                            td { (parcel_name(texts, order, parcels)) }
                        }
                    }
                }
            }
        }
    }
}

/// One order, with what is known around it.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The order.
    pub order: &'a Order,
    /// What happened to it last.
    pub timeline: &'a [TimelineEntry],
    /// Whether more has happened before.
    pub more: bool,
    /// Who sends its parcel.
    pub parcels: Parcels,
    /// The page to pay it on, if it can be paid on one.
    pub pay_at: Option<&'a str>,
}

/// One order.
#[must_use]
pub fn detail(frame: &Frame<'_>, shown: &Shown<'_>) -> Markup {
    let texts = frame.texts;
    let Shown { order, timeline, more, parcels, pay_at } = *shown;
    html! {
        section #order data-refresh=[is_under_way(order, parcels).then_some("5")] {
            (actions(frame, order))
            @if order.state == OrderState::Pending && is_test(order) && frame.role >= Role::Operator { (how_to_pay(texts, order, pay_at)) }
            div.cards {
                (payment(texts, order, pay_at))
                (target(frame, "order-books", &order.accounting, &sync_name(texts, order, &order.accounting)))
                (target(frame, "order-parcel", &order.warehouse, &parcel_name(texts, order, parcels)))
                (customer(texts, order))
            }
            h2 { (texts.get("order-lines")) }
            (lines(texts, order))
            h2 #timeline-title { (texts.get("order-timeline")) }
            section #timeline aria-labelledby="timeline-title" {
                ol {
                    @for entry in timeline {
                        li { (time(entry.at)) " · " (happened(texts, entry)) }
                    }
                }
                @if more { p.faint { (texts.get("order-timeline-more")) } }
            }
        }
    }
}

fn payment(texts: Texts, order: &Order, pay_at: Option<&str>) -> Markup {
    html! {
        section.card {
            h2 { (texts.get("order-payment")) }
            dl.facts {
                dt { (texts.get("order-state")) } dd.state { (state_name(texts, order.state)) }
                dt { (texts.get("order-captured")) } dd { (amount(order.payment.captured)) }
                @if order.payment.reversed.minor != 0 {
                    dt { (texts.get("order-reversed")) } dd { (amount(order.payment.reversed)) }
                }
                @if let Some(paid_at) = order.payment.paid_at {
                    dt { (texts.get("order-paid-at")) } dd { (time(paid_at)) }
                }
                @if let Some(page) = pay_at {
                    dt { (texts.get("order-pay-page")) }
                    dd { a href=(page) rel="noreferrer" { (texts.get("order-pay-page-open")) } }
                }
                @for transaction in &order.payment.transactions {
                    dt { (texts.get("order-transaction")) } dd { code { (transaction) } }
                }
            }
        }
    }
}

fn customer(texts: Texts, order: &Order) -> Markup {
    let customer = &order.body.customer;
    html! {
        section.card {
            h2 { (texts.get("order-customer")) }
            dl.facts {
                dt { (texts.get("customer-name")) } dd { (customer.name) }
                @if let Some(number) = &customer.organisation_number {
                    dt { (texts.get("customer-organisation")) } dd { (number) }
                }
                @if let Some(email) = &customer.email {
                    dt { (texts.get("customer-email")) } dd { (email) }
                }
                dt { (texts.get("customer-billing")) } dd { (address(&customer.billing)) }
                @if let Some(delivery) = &customer.delivery {
                    dt { (texts.get("customer-delivery")) } dd { (address(delivery)) }
                }
            }
        }
    }
}

/// What to do with a test order next.
fn how_to_pay(texts: Texts, order: &Order, pay_at: Option<&str>) -> Markup {
    let number = order.body.order_number.as_str();
    html! {
        section.notice aria-labelledby="pay-title" {
            h2 #pay-title { (texts.get("test-order-pay")) }
            @match pay_at {
                Some(page) => {
                    p { (texts.get("test-order-pay-text")) }
                    p { a.button href=(page) rel="noreferrer" { (texts.with("test-order-pay-now", &[("sum", amount(order.body.total).into())])) } }
                }
                None => {
                    p {
                        (texts.with("test-order-pay-by-hand", &[("sum", amount(order.body.total).into()), ("number", number.into())]))
                    }
                }
            }
        }
    }
}

/// A button that makes a test order.
#[must_use]
pub fn test_order(frame: &Frame<'_>) -> Markup {
    html! {
        form method="post" action="/app/orders/test" {
            (frame.token())
            button { (frame.texts.get("test-order-make")) }
        }
    }
}

/// Whether something will change by itself soon.
fn is_under_way(order: &Order, parcels: Parcels) -> bool {
    let moves = |state: SyncState| match state {
        SyncState::Waiting | SyncState::Running | SyncState::Retrying => true,
        SyncState::Done | SyncState::NeedsAttention => false,
    };
    let parcel_moves = !is_nobodys(order, parcels) && moves(order.warehouse.state);
    order.state == OrderState::Pending || moves(order.accounting.state) || parcel_moves
}

fn actions(frame: &Frame<'_>, order: &Order) -> Markup {
    let texts = frame.texts;
    if frame.role < Role::Operator {
        return Markup::default();
    }
    html! {
        div.row {
            form method="post" action=(format!("{}/sync", path(order))) {
                (frame.token())
                button { (texts.get("order-sync")) }
            }
            @if order.state == OrderState::Pending {
                form method="post" action=(format!("{}/cancel", path(order))) data-confirm=(texts.get("order-cancel-confirm")) {
                    (frame.token())
                    button.danger { (texts.get("order-cancel")) }
                }
            }
        }
    }
}

fn target(frame: &Frame<'_>, title: &str, status: &SyncStatus, state: &Markup) -> Markup {
    let texts = frame.texts;
    let parked = status.parked.as_ref().filter(|_| frame.role >= Role::Bookkeeper);
    html! {
        section.card {
            h2 { (texts.get(title)) }
            dl.facts {
                dt { (texts.get("order-state")) } dd.state { (state) }
                @if let Some(provider) = &status.provider {
                    dt { (texts.get("order-at")) } dd { (provider_name(provider)) }
                }
                @for (name, number) in &status.numbers {
                    dt { (number_name(texts, name)) } dd { (number) }
                }
                @for (number, seen) in &status.in_books {
                    dt { (texts.with("order-in-books", &[("number", number.as_str().into())])) }
                    dd {
                        (texts.get(&format!("books-{}", seen.state.as_str())))
                        @for change in &seen.changed {
                            br; span.warn { (texts.get("order-changed")) ": " (known(texts, "change", change.as_str())) }
                        }
                    }
                }
                @if let Some(shipment) = &status.shipment {
                    dt { (texts.get("order-warehouse-status")) } dd { (shipment.status_text()) }
                    @for parcel in &shipment.parcels {
                        dt { (texts.get("order-tracking")) }
                        dd {
                            @match parcel.url.as_deref().filter(|url| url.starts_with("https://")) {
                                Some(url) => { a href=(url) rel="noreferrer" { (parcel.number) } }
                                None => { (parcel.number) }
                            }
                        }
                    }
                }
            }
            @if let Some(message) = &status.message { p { (said(texts, message)) } }
            @if let Some(parked) = parked {
                p { a href=(format!("/app/parked/{parked}")) { (texts.get("order-to-parked")) } }
            }
        }
    }
}

fn lines(texts: Texts, order: &Order) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(texts.get("order-lines")) {
            table {
                thead {
                    tr {
                        th scope="col" { (texts.get("line-sku")) }
                        th scope="col" { (texts.get("line-text")) }
                        th.number scope="col" { (texts.get("line-quantity")) }
                        th.number scope="col" { (texts.get("line-price")) }
                        th.number scope="col" { (texts.get("line-vat")) }
                    }
                }
                tbody {
                    @for line in &order.body.lines { (row(line)) }
                }
                tfoot {
                    tr {
                        th scope="row" colspan="3" { (texts.get("order-total")) }
                        td.number { (amount(order.body.total)) }
                        td {}
                    }
                }
            }
        }
    }
}

fn row(line: &Line) -> Markup {
    html! {
        tr {
            td { (line.sku.as_deref().unwrap_or("")) }
            td { (line.text) }
            td.number { (quantity(line.quantity)) }
            td.number { (amount(line.unit_price)) }
            td.number { (line.vat_rate.percent()) "\u{a0}%" }
        }
    }
}

fn address(address: &Address) -> Markup {
    html! {
        (address.name) br;
        (address.address1) br;
        @if let Some(second) = &address.address2 { (second) br; }
        (address.zip) " " (address.city) ", " (address.country)
    }
}

/// Where an order's page is.
#[must_use]
pub fn path(order: &Order) -> String {
    format!("/app/orders/{}", order.id)
}

fn next_path(wanted: &Wanted, next: &Cursor) -> String {
    let state = wanted.state.map_or("", OrderState::as_str);
    // A cursor is made of letters, digits, - and _ alone.
    format!("/app/orders?state={state}&cursor={}", next.0)
}

fn state_name(texts: Texts, state: OrderState) -> String {
    texts.get(&format!("state-{}", state.as_str()))
}

fn sync_name(texts: Texts, order: &Order, status: &SyncStatus) -> Markup {
    if !order.state.has_been_paid() && status.state == SyncState::Waiting {
        return html! { span.faint { (texts.get("sync-not-yet")) } };
    }
    let class = match status.state {
        SyncState::Done => "good",
        SyncState::NeedsAttention => "bad",
        SyncState::Retrying => "warn",
        SyncState::Waiting | SyncState::Running => "faint",
    };
    html! { span class=(class) { (texts.get(&format!("sync-{}", status.state.as_str()))) } }
}

/// Whether a parcel waits for a warehouse that there is not.
fn is_nobodys(order: &Order, parcels: Parcels) -> bool {
    parcels == Parcels::Nobody && order.warehouse.state == SyncState::Waiting
}

fn parcel_name(texts: Texts, order: &Order, parcels: Parcels) -> Markup {
    if is_nobodys(order, parcels) {
        return html! { span.faint { (texts.get("sync-no-warehouse")) } };
    }
    sync_name(texts, order, &order.warehouse)
}

/// What happened, with the stored message as its detail; an event that the catalog does not know is its message alone.
fn happened(texts: Texts, entry: &TimelineEntry) -> Markup {
    html! {
        @if let Some(event) = texts.find(&format!("event-{}", entry.event)) {
            (event)
            br; span.faint { (said(texts, &entry.message)) }
        } @else {
            (said(texts, &entry.message))
        }
    }
}

/// A number's name; one that the catalog does not know shows as the API has it.
fn number_name(texts: Texts, name: &str) -> String {
    known(texts, "number", name)
}
