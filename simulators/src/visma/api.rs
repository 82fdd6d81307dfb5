//! The API, as far as a connection is checked with it: the company's settings and the refusals of `apis/visma.md` 3.

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::identity::Identity;

/// `GET /v2/companysettings`.
pub(super) fn company_settings(identity: &mut Identity, headers: &HeaderMap, now: Timestamp) -> Response {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let Some(grant) = identity.access(token, now).cloned() else {
        let text = "AuthorizationException - Authorization has been denied for this request.";
        return refused(identity, StatusCode::UNAUTHORIZED, 4005, text, now);
    };
    if identity.module_missing {
        let text = "ForbiddenRequestException - No access to module: api_standard";
        return refused(identity, StatusCode::FORBIDDEN, 4002, text, now);
    }
    if identity.refusal > 0 {
        let code = identity.refusal;
        return refused(identity, StatusCode::FORBIDDEN, code, "ForbiddenRequestException", now);
    }
    if !grant.scopes.iter().any(|scope| scope == "ea:sales" || scope == "ea:sales_readonly") {
        return refused(
            identity,
            StatusCode::FORBIDDEN,
            4006,
            "ForbiddenRequestException - No access to scopes",
            now,
        );
    }
    let Some(company) = identity.company(&grant.company) else {
        return refused(
            identity,
            StatusCode::FORBIDDEN,
            4011,
            "ForbiddenRequestException - No access to company",
            now,
        );
    };
    let settings = json!({
        "Name": company.name, "CorporateIdentityNumber": company.organisation_number,
        "VatCode": format!("SE{}01", company.organisation_number), "Address1": "Storgatan 1", "Address2": null,
        "PostalCode": "35230", "City": "Växjö", "CountryCode": "SE", "CurrencyCode": "SEK",
        "CompanyIdentifier": company.identifier, "CompanyStatus": 1, "ActivatedModules": ["api_standard"],
        "AccountingLockedTo": null, "DomesticCurrencyRounding": 0,
    });
    answer(StatusCode::OK, &settings)
}

/// A refusal as it was captured; the error's id is what support asks for.
fn refused(identity: &mut Identity, status: StatusCode, code: u32, text: &str, now: Timestamp) -> Response {
    let id = identity.error_id(now);
    let body = json!({ "ErrorCode": code, "DeveloperErrorMessage": text, "ErrorId": id, "Errors": [] });
    answer(status, &body)
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    let json = header::HeaderValue::from_static("application/json;charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
