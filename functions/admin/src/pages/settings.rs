//! Settings and API keys as pages.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use bokbro_app::auth::{api_key_make, api_key_revoke};
use bokbro_app::error::Error;
use bokbro_app::orders::Refusal;
use bokbro_app::settings::{settings_change, settings_show};
use bokbro_domain::posting::AccountRole;
use bokbro_pages::form::{Form, Refused};
use bokbro_pages::keys::{self, Made};
use bokbro_pages::settings::{self, Sent};
use bokbro_runtime::Platform;
use serde_json::{Map, Value, json};

use super::{Guest, redirect, refused, show};
use crate::api::Api;

pub(crate) async fn page(State(platform): Api, Extension(guest): Extension<Guest>) -> Response {
    settings_page(&platform, &guest, Sent::No).await
}

pub(crate) async fn change(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Extension(form): Extension<Form>,
) -> Response {
    let mut accounts = Map::new();
    for role in AccountRole::ALL {
        let text = form.field(&format!("account_{}", role.as_str()));
        if !text.is_empty() {
            // What is no number goes on as text, so that the refusal names the field.
            let value = text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number));
            accounts.insert(role.as_str().to_owned(), value);
        }
    }
    let mut body = json!({ "accounts": Value::Object(accounts) });
    for name in ["payments", "accounting", "warehouse", "posting_profile", "payment_mode"] {
        body[name] = json!(form.field(name));
    }
    let changed = settings_change(&platform.app, guest.by(), body.to_string().as_bytes()).await;
    let sent = match changed {
        Ok(_) => Sent::Stored,
        Err(Refusal::Invalid(ref error)) => Sent::Refused(Refused { error, form: &form }),
        Err(refusal) => return refused(&refusal, &guest, &platform),
    };
    settings_page(&platform, &guest, sent).await
}

async fn settings_page(platform: &Platform, guest: &Guest, sent: Sent<'_>) -> Response {
    match settings_show(&platform.app, &guest.caller.tenant).await {
        Ok(view) => {
            show(guest, &guest.texts.get("nav-settings"), &settings::page(&guest.frame(), &view, sent))
        }
        Err(error) => refused(&error.into(), guest, platform),
    }
}

pub(crate) async fn keys(State(platform): Api, Extension(guest): Extension<Guest>) -> Response {
    keys_page(&platform, &guest, &Made::Nothing).await
}

pub(crate) async fn make_key(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Extension(form): Extension<Form>,
) -> Response {
    let body = json!({ "name": form.field("name"), "role": form.field("role") }).to_string();
    let asked = api_key_make(&platform.app, guest.by(), body.as_bytes()).await;
    let made = match asked {
        Ok((key, about)) => Made::Key(key, about),
        Err(Refusal::Invalid(ref error)) => Made::Refused(Refused { error, form: &form }),
        Err(refusal) => return refused(&refusal, &guest, &platform),
    };
    keys_page(&platform, &guest, &made).await
}

pub(crate) async fn revoke_key(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
) -> Response {
    match api_key_revoke(&platform.app, guest.by(), &id).await {
        Ok(_) => redirect("/app/keys"),
        Err(refusal) => refused(&refusal, &guest, &platform),
    }
}

async fn keys_page(platform: &Platform, guest: &Guest, made: &Made<'_>) -> Response {
    let listed: Result<_, Error> = platform.app.keyring.api_keys_list(&guest.caller.tenant).await;
    match listed {
        Ok(listed) => show(guest, &guest.texts.get("nav-keys"), &keys::page(&guest.frame(), &listed, made)),
        Err(error) => refused(&error.into(), guest, platform),
    }
}
