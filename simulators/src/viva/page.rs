//! Pages for people: the hosted payment page, as little of it as a person needs to pay or to fail, and the shop's own desk.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::Value;

use super::Shared;
use super::model::{OrderState, Outcome, Pay};
use super::wire::OrderCode;
use crate::kit::desk::Desk;
use crate::kit::http_client;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/web/checkout", get(show).post(submit)).route("/", get(desk).post(enter))
}

async fn desk(State(shared): State<Arc<Shared>>) -> Html<String> {
    shared.desk("")
}

#[derive(Deserialize)]
struct Entered {
    webhook_url: String,
}

/// Takes where events go, if the address knows the account's key: a GET must answer it (apis/viva-ongoing-bank.md 1.2).
async fn enter(
    State(shared): State<Arc<Shared>>,
    Form(Entered { webhook_url }): Form<Entered>,
) -> Html<String> {
    let url = webhook_url.trim();
    let answers = async {
        let answer = http_client().get(url).send().await.ok()?.error_for_status().ok()?;
        let body: Value = answer.json().await.ok()?;
        (body["Key"] == shared.account.webhook_key.as_str()).then_some(())
    };
    if answers.await.is_none() {
        return shared.desk("The address does not answer with the account's key, so nothing was changed.");
    }
    shared.state().switches.webhook_url = Some(url.to_owned());
    shared.desk("The address is verified: events go there from now on.")
}

impl Shared {
    fn desk(&self, told: &str) -> Html<String> {
        let account = &self.account;
        let url = self.state().switches.webhook_url.clone();
        let desk = Desk {
            title: "Simulated payment provider: API access",
            entries: &[
                ("merchant id", &account.merchant_id),
                ("api key", &account.api_key),
                ("client id", &account.client_id),
                ("client secret", &account.client_secret),
            ],
            fields: &[("webhook_url", "Webhook address", url.as_deref())],
            told,
        };
        desk.page()
    }
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
        (Ok(_), Outcome::Paid) => {
            page("Thank you, the order is paid. You can go back to where you came from.").into_response()
        }
        (Ok(_), Outcome::Failed) => page("The bank refused the payment.").into_response(),
        (Err(_), _) => (StatusCode::CONFLICT, page("This order cannot be paid.")).into_response(),
    }
}

fn page(content: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Simulated checkout</title>{content}</html>"
    ))
}
