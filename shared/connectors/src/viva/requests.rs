//! The requests that go to Viva, as values.

use std::sync::Arc;

use bokbro_app::ports::Tokens;
use bokbro_app::secret::SecretText;
use bokbro_domain::ids::{CheckoutCode, TransactionId};
use http::Method;

use super::VivaUrls;
use super::wire::NewOrder;
use crate::kit::{Auth, Body, Request, path_segment};

/// Name of [`read_transaction`] in logs.
pub(super) const READ_TRANSACTION: &str = "read_transaction";

/// Asks for an access token. Without a scope all granted ones come (`apis/viva-ongoing-bank.md` 1.1).
pub(super) fn fetch_token(urls: &VivaUrls, client_id: &str, client_secret: &SecretText) -> Request {
    let form = Body::Form(vec![("grant_type", "client_credentials".to_owned())]);
    let auth = Auth::Basic { user: client_id.to_owned(), password: client_secret.clone() };
    Request::write("fetch_token", Method::POST, &urls.accounts, "/connect/token", form, auth)
}

/// Reads one transaction.
pub(super) fn read_transaction(urls: &VivaUrls, id: &TransactionId, tokens: Arc<dyn Tokens>) -> Request {
    let path = format!("/checkout/v2/transactions/{}", path_segment(id.as_str()));
    Request::get(READ_TRANSACTION, &urls.api, path, Auth::Bearer(tokens))
}

/// Searches an order's transactions. Deprecated, and the only search that ordinary credentials may use
/// (`apis/viva-ongoing-bank.md` 1.8).
pub(super) fn search_transactions(urls: &VivaUrls, code: CheckoutCode, merchant: Auth) -> Request {
    Request::get("search_transactions", &urls.basic, "/api/transactions/", merchant)
        .with_query("ordercode", code.to_string())
}

/// Reads the state of an order.
pub(super) fn read_order(urls: &VivaUrls, code: CheckoutCode, merchant: Auth) -> Request {
    Request::get("read_order", &urls.basic, format!("/api/orders/{code}"), merchant)
}

/// Makes an order to be paid on Viva's page. `Idempotency-Key` is not honored there; an order that nobody pays expires
/// (`apis/viva-ongoing-bank.md` 1.9).
pub(super) fn create_order(urls: &VivaUrls, order: &NewOrder<'_>, tokens: Arc<dyn Tokens>) -> Request {
    let body = serde_json::to_string(order).unwrap_or_default();
    let (path, auth) = ("/checkout/v2/orders", Auth::Bearer(tokens));
    Request::write("create_order", Method::POST, &urls.api, path, Body::Json(body), auth)
}

/// Reads the key that webhook addresses answer the handshake with; the same for the merchant's whole life
/// (`apis/viva-ongoing-bank.md` 1.2).
pub(super) fn read_webhook_key(urls: &VivaUrls, merchant: Auth) -> Request {
    Request::get("read_webhook_key", &urls.basic, "/api/messages/config/token", merchant)
}
