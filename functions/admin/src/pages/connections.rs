//! Connections as pages. What is entered goes to the provider and the vault, and never comes back.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use bokbro_app::connections::{
    Asked, ConnectionView, EntryRefusal, ShownState, connection_disconnect, connection_enter,
    connection_health, connection_reading, connection_refresh, connection_sync, connections_list,
};
use bokbro_app::error::Error;
use bokbro_app::orders::Refusal;
use bokbro_app::ports::Shipping;
use bokbro_domain::ids::Provider;
use bokbro_pages::connections::{self as page_of, Offered, Told};
use bokbro_pages::form::Form;
use bokbro_runtime::Platform;
use serde_json::{Map, Value, json};

use super::{Guest, redirect, refused, show};
use crate::api::{Api, Origin};

pub(crate) async fn page(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Origin(origin): Origin,
) -> Response {
    show_all(&platform, &guest, origin.as_deref(), Ok(Told::Nothing), None).await
}

pub(crate) async fn enter(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Extension(form): Extension<Form>,
    Path(provider): Path<String>,
    Origin(origin): Origin,
) -> Response {
    let provider = match read(&provider) {
        Ok(provider) => provider,
        Err(refusal) => return refused(&refusal, &guest, &platform),
    };
    let entered = async {
        let fields = platform.app.providers.entry_fields(&provider).unwrap_or_default();
        let given = fields.iter().filter(|field| !form.field(field.name).is_empty());
        let body: Map<String, Value> =
            given.map(|field| (field.name.to_owned(), json!(form.field(field.name)))).collect();
        let body = Value::Object(body).to_string();
        match connection_enter(&platform.app, guest.by(), &provider, body.as_bytes()).await {
            Ok(_) => Ok(Told::Good("connection-told-stored")),
            Err(EntryRefusal::NotLetIn { message }) => Ok(Told::Bad(message)),
            Err(EntryRefusal::Refusal(refusal)) => Err(refusal),
        }
    };
    show_all(&platform, &guest, origin.as_deref(), entered.await, Some((&provider, &form))).await
}

pub(crate) async fn check(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Path(provider): Path<String>,
    Origin(origin): Origin,
) -> Response {
    let checked = async {
        let (app, tenant) = (&platform.app, &guest.caller.tenant);
        let health = connection_health(app, tenant, &read(&provider)?, &guest.correlation).await?;
        Ok(match health.message {
            Some(message) => Told::Bad(message),
            None => Told::Good("connection-told-checked"),
        })
    };
    show_all(&platform, &guest, origin.as_deref(), checked.await, None).await
}

pub(crate) async fn refresh(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Path(provider): Path<String>,
    Origin(origin): Origin,
) -> Response {
    let refreshed = async {
        let (app, tenant) = (&platform.app, &guest.caller.tenant);
        let done = connection_refresh(app, tenant, &read(&provider)?, &guest.correlation).await?;
        Ok(match done.message {
            Some(message) => Told::Bad(message),
            None => Told::Good("connection-told-refreshed"),
        })
    };
    show_all(&platform, &guest, origin.as_deref(), refreshed.await, None).await
}

pub(crate) async fn sync(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Path(provider): Path<String>,
    Origin(origin): Origin,
) -> Response {
    let asked = async { connection_sync(&platform.app, guest.by(), &read(&provider)?, b"").await };
    match asked.await {
        Ok(Asked::Job(job)) => redirect(&format!("/app/jobs/{}", job.id)),
        Ok(Asked::Tasks(_)) => {
            show_all(&platform, &guest, origin.as_deref(), Ok(Told::Good("connection-told-reading")), None)
                .await
        }
        Err(refusal) => show_all(&platform, &guest, origin.as_deref(), Err(refusal), None).await,
    }
}

pub(crate) async fn disconnect(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Path(provider): Path<String>,
    Origin(origin): Origin,
) -> Response {
    let gone = async {
        connection_disconnect(&platform.app, guest.by(), &read(&provider)?).await?;
        Ok(Told::Good("connection-told-disconnected"))
    };
    show_all(&platform, &guest, origin.as_deref(), gone.await, None).await
}

fn read(provider: &str) -> Result<Provider, Refusal> {
    Provider::parse(provider).map_err(|_| Refusal::NotFound("provider"))
}

/// All connections, with what became of an action on one of them, and what was typed if it was an entry.
async fn show_all(
    platform: &Platform,
    guest: &Guest,
    origin: Option<&str>,
    done: Result<Told, Refusal>,
    entered: Option<(&Provider, &Form)>,
) -> Response {
    let told = match done {
        Ok(told) => told,
        Err(Refusal::Invalid(error)) => Told::Refused(error),
        Err(Refusal::Conflict { message, .. }) => Told::Bad(message),
        Err(Refusal::Failed(
            error @ (Error::Unavailable { .. } | Error::Busy { .. } | Error::Consent { .. }),
        )) => Told::Bad(error.said()),
        Err(refusal) => return refused(&refusal, guest, platform),
    };
    match offered(platform, guest, origin).await {
        Ok(mut offered) => {
            let refused = entered.filter(|_| matches!(told, Told::Bad(_) | Told::Refused(_)));
            for one in &mut offered {
                one.typed = refused.filter(|(of, _)| **of == one.view.provider).map(|(_, form)| form);
            }
            let body = page_of::page(&guest.frame(), &offered, &told);
            show(guest, &guest.texts.get("nav-connections"), &body)
        }
        Err(error) => refused(&error.into(), guest, platform),
    }
}

async fn offered<'a>(
    platform: &Platform,
    guest: &Guest,
    origin: Option<&str>,
) -> Result<Vec<Offered<'a>>, Error> {
    let (app, tenant) = (&platform.app, &guest.caller.tenant);
    let mut all = Vec::new();
    for view in connections_list(app, tenant).await? {
        let is_read =
            view.state != ShownState::Disconnected && app.providers.registers(&view.provider).is_some();
        let reading = if is_read { connection_reading(app, tenant, &view.provider).await? } else { None };
        let offered = Offered { reading, ..offer(platform, view, origin) };
        // There is nothing to do about a provider that takes neither credentials nor a consent.
        if offered.by_consent || !offered.fields.is_empty() {
            all.push(offered);
        }
    }
    Ok(all)
}

fn offer<'a>(platform: &Platform, view: ConnectionView, origin: Option<&str>) -> Offered<'a> {
    let providers = &platform.app.providers;
    let webhook = view.webhook_endpoint.as_ref().zip(origin);
    Offered {
        fields: providers.entry_fields(&view.provider).unwrap_or_default(),
        by_consent: providers.oauth(&view.provider).is_some(),
        readable: providers.registers(&view.provider).is_some()
            || matches!(providers.shipping(&view.provider), Some(Shipping::Ours(_))),
        webhook_url: webhook
            .map(|(endpoint, origin)| format!("{origin}/webhooks/{}/{endpoint}", view.provider)),
        reading: None,
        typed: None,
        view,
    }
}
