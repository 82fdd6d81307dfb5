//! The hosted payment page, as little of it as a person needs to pay or to fail.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::Shared;
use super::model::{OrderState, Outcome, Pay};
use super::wire::OrderCode;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/web/checkout", get(show).post(submit))
}

#[derive(Deserialize)]
struct Reference {
    r#ref: u64,
}

#[derive(Deserialize)]
struct Choice {
    r#ref: u64,
    outcome: Outcome,
}

async fn show(
    State(shared): State<Arc<Shared>>,
    Query(Reference { r#ref: code }): Query<Reference>,
) -> Response {
    let state = shared.state();
    let Some(order) = state.orders.get(&OrderCode(code)) else {
        return (StatusCode::NOT_FOUND, page("This order does not exist.")).into_response();
    };
    let text = match order.state(shared.now()) {
        OrderState::Pending => format!(
            "<p>Order {code}: {amount} (currency {currency})</p><form method=\"post\" action=\"/web/checkout\">\
             <input type=\"hidden\" name=\"ref\" value=\"{code}\">\
             <button name=\"outcome\" value=\"paid\">Pay</button> \
             <button name=\"outcome\" value=\"failed\">Let the bank refuse</button></form>",
            amount = order.amount,
            currency = order.currency_code.0,
        ),
        OrderState::Paid => "This order is paid.".to_owned(),
        OrderState::Cancelled => "This order was cancelled.".to_owned(),
        OrderState::Expired => "This order has expired.".to_owned(),
    };
    page(&text).into_response()
}

async fn submit(State(shared): State<Arc<Shared>>, Form(choice): Form<Choice>) -> Response {
    let wish = Pay { outcome: choice.outcome, ..Pay::new(OrderCode(choice.r#ref)) };
    match (shared.pay(&wish), choice.outcome) {
        (Ok(_), Outcome::Paid) => page("Thank you, the order is paid.").into_response(),
        (Ok(_), Outcome::Failed) => page("The bank refused the payment.").into_response(),
        (Err(_), _) => (StatusCode::CONFLICT, page("This order cannot be paid.")).into_response(),
    }
}

fn page(content: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Simulated checkout</title>{content}</html>"
    ))
}
