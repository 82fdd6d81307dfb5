//! The routes that a shop calls: token, orders, transactions, refunds and the webhook key.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::Shared;
use super::model::{NewOrder, Refund, Refused, Transaction};
use super::state::TOKEN_LIFETIME;
use super::wire::{Amount, Currency, OrderCode, greek, local_time, long_time_with_offset, time_with_offset};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/connect/token", post(token))
        .route("/api/messages/config/token", get(webhook_key))
        .route("/checkout/v2/orders", post(create_order))
        .route("/checkout/v2/transactions/{id}", get(transaction))
        .route("/api/orders/{code}", get(order_state).delete(cancel_order))
        .route("/api/transactions", get(search))
        .route("/api/transactions/", get(search))
        .route("/api/transactions/{id}", get(legacy_transaction).delete(refund))
}

/// Whether the request carries these Basic credentials.
fn basic(headers: &HeaderMap, user: &str, password: &str) -> Result<(), StatusCode> {
    let given = authorization(headers, "Basic ").and_then(|given| STANDARD.decode(given).ok());
    let wanted = format!("{user}:{password}").into_bytes();
    if given == Some(wanted) { Ok(()) } else { Err(StatusCode::UNAUTHORIZED) }
}

/// Whether the request carries the merchant's credentials for the older API.
fn merchant(headers: &HeaderMap, shared: &Shared) -> Result<(), StatusCode> {
    basic(headers, &shared.account.merchant_id, &shared.account.api_key)
}

/// The refusal of an access token.
type BadToken = (StatusCode, [(header::HeaderName, &'static str); 1]);

/// Whether the request carries an access token that is still good.
fn bearer(headers: &HeaderMap, shared: &Shared) -> Result<(), BadToken> {
    match authorization(headers, "Bearer ") {
        Some(token) if shared.state().knows_token(token, shared.now()) => Ok(()),
        _ => Err((StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")])),
    }
}

fn authorization<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix(scheme)
}

/// A handler's answer; `?` leaves early with a refusal.
type Answer = axum::response::Result<Response>;

#[derive(Deserialize)]
struct TokenRequest {
    grant_type: Option<String>,
}

async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(form): Form<TokenRequest>,
) -> Response {
    let refused = |error| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    if basic(&headers, &shared.account.client_id, &shared.account.client_secret).is_err() {
        return refused("invalid_client");
    }
    if form.grant_type.as_deref() != Some("client_credentials") {
        return refused("unsupported_grant_type");
    }
    let access_token = shared.state().issue_token(shared.now());
    Json(json!({
        "access_token": access_token,
        "expires_in": TOKEN_LIFETIME,
        "token_type": "Bearer",
        "scope": "urn:viva:payments:core:api:redirectcheckout",
    }))
    .into_response()
}

async fn webhook_key(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Answer {
    merchant(&headers, &shared)?;
    Ok(Json(json!({ "Key": shared.account.webhook_key })).into_response())
}

async fn create_order(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Result<Json<NewOrder>, JsonRejection>,
) -> Answer {
    bearer(&headers, &shared)?;
    let refused = |message: String| {
        let status = StatusCode::BAD_REQUEST;
        (status, Json(json!({ "status": status.as_u16(), "message": message, "eventId": 0 }))).into_response()
    };
    let Json(wish) = body.map_err(|rejection| refused(rejection.body_text()))?;
    let now = shared.now();
    match shared.state().create_order(wish, &shared.account, now) {
        Ok(order_code) => Ok(Json(json!({ "orderCode": order_code })).into_response()),
        Err(Refused::Unknown(why) | Refused::Conflict(why)) => Err(refused(why.to_owned()).into()),
        Err(Refused::Invalid(why)) => Err(refused(why).into()),
    }
}

/// The answer about one transaction. It repeats neither the transaction's id nor its parent's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TransactionAnswer<'a> {
    email: Option<&'a str>,
    bank_id: &'a str,
    amount: Box<RawValue>,
    switching: bool,
    order_code: OrderCode,
    status_id: &'a str,
    full_name: Option<&'a str>,
    ins_date: String,
    card_number: &'a str,
    currency_code: Currency,
    customer_trns: Option<&'a str>,
    merchant_trns: Option<&'a str>,
    transaction_type_id: u16,
    recurring_support: bool,
    total_installments: u8,
    card_country_code: Option<&'a str>,
    card_issuing_bank: Option<&'a str>,
    current_installment: u8,
    card_unique_reference: &'a str,
    card_type_id: u8,
}

async fn transaction(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    bearer(&headers, &shared)?;
    let now = shared.now();
    let mut state = shared.state();
    let found = state.read_transaction(&id, now).cloned().ok_or(StatusCode::NOT_FOUND)?;
    let order = state.orders.get(&found.order_code);
    let answer = TransactionAnswer {
        email: order.and_then(|order| order.email.as_deref()),
        bank_id: "SIM_BANK",
        amount: found.shown_amount().lexeme(),
        switching: false,
        order_code: found.order_code,
        status_id: &found.status_id,
        full_name: order.and_then(|order| order.full_name.as_deref()),
        ins_date: time_with_offset(found.ins_date),
        card_number: "400000XXXXXX0002",
        currency_code: found.currency_code,
        customer_trns: found.customer_trns.as_deref(),
        merchant_trns: found.merchant_trns.as_deref(),
        transaction_type_id: found.type_id,
        recurring_support: false,
        total_installments: 0,
        card_country_code: None,
        card_issuing_bank: None,
        current_installment: 0,
        card_unique_reference: "A11CE0FB0B5133A11CE0FB0B5133A11CE0FB0B51",
        card_type_id: 0,
    };
    Ok(Json(answer).into_response())
}

/// An answer of the older API: members of its own, then those that all of them end with.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Legacy<T> {
    #[serde(flatten)]
    members: T,
    error_code: u16,
    error_text: Option<String>,
    time_stamp: String,
    correlation_id: Option<&'static str>,
    event_id: u8,
    success: bool,
}

impl<T: Serialize> Legacy<T> {
    fn success(members: T, now: Timestamp) -> Response {
        Self::answer(members, 0, None, now).into_response()
    }

    fn answer(members: T, error_code: u16, error_text: Option<String>, now: Timestamp) -> Json<Self> {
        Json(Self {
            members,
            error_code,
            success: error_text.is_none(),
            error_text,
            time_stamp: long_time_with_offset(now),
            correlation_id: None,
            event_id: 0,
        })
    }
}

/// A refusal of the older API, with `ErrorCode` in the body.
fn legacy_refusal(shared: &Shared, members: impl Serialize, refused: Refused) -> Response {
    let (code, text) = match refused {
        Refused::Unknown(why) => (404, why.to_owned()),
        Refused::Conflict(why) => (403, why.to_owned()),
        Refused::Invalid(why) => (400, why),
    };
    let status = StatusCode::from_u16(shared.state().switches.legacy_error_status).unwrap_or(StatusCode::OK);
    (status, Legacy::answer(members, code, Some(text), shared.now())).into_response()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OrderAnswer<'a> {
    order_code: OrderCode,
    source_code: &'a str,
    tags: &'a [String],
    tip_amount: Box<RawValue>,
    request_lang: &'a str,
    merchant_trns: Option<&'a str>,
    customer_trns: Option<&'a str>,
    max_installments: u8,
    request_amount: Box<RawValue>,
    expiration_date: String,
    state_id: u8,
}

async fn order_state(State(shared): State<Arc<Shared>>, headers: HeaderMap, Path(code): Path<u64>) -> Answer {
    let code = OrderCode(code);
    merchant(&headers, &shared)?;
    let state = shared.state();
    let order = state.orders.get(&code).ok_or(StatusCode::NOT_FOUND)?;
    let answer = OrderAnswer {
        order_code: code,
        source_code: &order.source_code,
        tags: &order.tags,
        tip_amount: Amount(0).lexeme(),
        request_lang: &order.request_lang,
        merchant_trns: order.merchant_trns.as_deref(),
        customer_trns: order.customer_trns.as_deref(),
        max_installments: 0,
        request_amount: order.amount.lexeme(),
        expiration_date: local_time(order.expires_at),
        state_id: order.state(shared.now()) as u8,
    };
    Ok(Json(answer).into_response())
}

async fn cancel_order(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(code): Path<u64>,
) -> Answer {
    let code = OrderCode(code);
    merchant(&headers, &shared)?;
    let members = json!({ "OrderCode": code });
    match shared.cancel(code) {
        Ok(()) => Ok(Legacy::success(members, shared.now())),
        Err(refused) => Err(legacy_refusal(&shared, members, refused).into()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
struct SearchQuery {
    ordercode: Option<u64>,
    date: Option<String>,
    clearancedate: Option<String>,
    sourcecode: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    transaction_id: String,
    parent_id: Option<String>,
    status_id: String,
    amount: Box<RawValue>,
    fee: Box<RawValue>,
    commission: Box<RawValue>,
    ins_date: String,
    clearance_date: Option<String>,
    merchant_trns: Option<String>,
    customer_trns: Option<String>,
    currency_code: Currency,
    order: FoundOrder,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FoundOrder {
    order_code: OrderCode,
}

impl From<&Transaction> for Found {
    fn from(transaction: &Transaction) -> Self {
        Self {
            transaction_id: transaction.transaction_id.clone(),
            parent_id: transaction.parent_id.clone(),
            status_id: transaction.status_id.clone(),
            amount: transaction.shown_amount().lexeme(),
            fee: Amount(0).lexeme(),
            commission: Amount(0).lexeme(),
            ins_date: local_time(transaction.ins_date),
            clearance_date: None,
            merchant_trns: transaction.merchant_trns.clone(),
            customer_trns: transaction.customer_trns.clone(),
            currency_code: transaction.currency_code,
            order: FoundOrder { order_code: transaction.order_code },
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Transactions {
    transactions: Vec<Found>,
}

/// Finds by order code, or by the Greek day of the transaction, narrowed by source code. Nothing clears here, so a
/// search by clearance date finds nothing.
async fn search(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Query(query): Query<SearchQuery>,
) -> Answer {
    merchant(&headers, &shared)?;
    if query.ordercode.is_none() && query.date.is_none() && query.clearancedate.is_none() {
        let refused = Refused::Invalid("ordercode, date or clearancedate is required".to_owned());
        return Err(legacy_refusal(&shared, Transactions { transactions: Vec::new() }, refused).into());
    }
    let now = shared.now();
    let fits = |known: &Transaction| {
        query.ordercode.is_none_or(|code| known.order_code.0 == code)
            && query.date.as_ref().is_none_or(|day| greek(known.ins_date).date().to_string() == *day)
            && query.clearancedate.is_none()
            && query.sourcecode.as_ref().is_none_or(|source| known.source_code == *source)
    };
    let transactions = shared.state().search(now).filter(|known| fits(known)).map(Found::from).collect();
    Ok(Legacy::success(Transactions { transactions }, now))
}

async fn legacy_transaction(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    merchant(&headers, &shared)?;
    let now = shared.now();
    let transactions =
        shared.state().search(now).filter(|known| known.transaction_id == id).map(Found::from).collect();
    Ok(Legacy::success(Transactions { transactions }, now))
}

#[derive(Deserialize)]
struct RefundQuery {
    /// Minor units; everything that is left when absent.
    amount: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RefundAnswer {
    emv: Option<&'static str>,
    amount: Box<RawValue>,
    status_id: Option<String>,
    currency_code: Option<Currency>,
    transaction_id: Option<String>,
    reference_number: Option<u32>,
    authorization_id: Option<String>,
    retrieval_reference_number: Option<String>,
    three_d_secure_status_id: Option<u8>,
}

async fn refund(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(query): Query<RefundQuery>,
) -> Answer {
    merchant(&headers, &shared)?;
    let allowed = shared.state().switches.refunds_over_api;
    let outcome = if allowed {
        shared.refund(&Refund { amount: query.amount.map(Amount), ..Refund::new(&id) })
    } else {
        Err(Refused::Conflict("refunds over the API are switched off for this account"))
    };
    match outcome {
        Ok((reversal, _)) => {
            let members = RefundAnswer {
                emv: None,
                amount: Amount(-reversal.amount.0).lexeme(),
                status_id: Some(reversal.status_id),
                currency_code: Some(reversal.currency_code),
                transaction_id: Some(reversal.transaction_id),
                reference_number: Some(reversal.reference_number),
                authorization_id: Some(reversal.reference_number.to_string()),
                retrieval_reference_number: Some(format!("109012{}", reversal.reference_number)),
                three_d_secure_status_id: Some(2),
            };
            Ok(Legacy::success(members, shared.now()))
        }
        Err(refused) => {
            let members = RefundAnswer {
                emv: None,
                amount: Amount(0).lexeme(),
                status_id: None,
                currency_code: None,
                transaction_id: None,
                reference_number: None,
                authorization_id: None,
                retrieval_reference_number: None,
                three_d_secure_status_id: None,
            };
            Err(legacy_refusal(&shared, members, refused).into())
        }
    }
}
