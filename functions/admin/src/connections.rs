//! Connections over HTTP. No answer holds a secret: what was entered is never shown again.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bokbro_app::audit::By;
use bokbro_app::auth::Caller;
use bokbro_app::connections::{self, Asked, ConnectionView, EntryRefusal, Revoked};
use bokbro_app::orders::Refusal;
use bokbro_app::wire::work_out::job_json;
use bokbro_domain::ids::Provider;
use bokbro_runtime::problem::Problem;
use serde_json::{Value, json};

use crate::api::{Api, Origin, Path, Posted, answer, correlation, refuse};

pub(crate) async fn list(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Origin(origin): Origin,
) -> Response {
    let correlation = correlation(&platform);
    match connections::connections_list(&platform.app, &caller.tenant).await {
        Ok(items) => {
            let items: Vec<Value> = items.iter().map(|item| view_json(item, origin.as_deref())).collect();
            answer(StatusCode::OK, &json!({ "items": items, "next": null }))
        }
        Err(error) => refuse(&Refusal::Failed(error), &correlation),
    }
}

pub(crate) async fn enter(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Path(provider): Path,
    Origin(origin): Origin,
    Posted(body): Posted,
) -> Response {
    let correlation = correlation(&platform);
    let provider = match read_provider(&provider) {
        Ok(provider) => provider,
        Err(refusal) => return refuse(&refusal, &correlation),
    };
    let by = By { tenant: &caller.tenant, who: &caller.who, correlation: &correlation };
    let entered = connections::connection_enter(&platform.app, by, &provider, &body).await;
    match entered {
        Ok(view) => answer(StatusCode::OK, &view_json(&view, origin.as_deref())),
        Err(EntryRefusal::Refusal(refusal)) => refuse(&refusal, &correlation),
        Err(EntryRefusal::NotLetIn { message }) => {
            let detail = format!("{provider} does not let us in: {message}. Nothing was stored.");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "credentials_refused", detail, &correlation)
                .response()
        }
    }
}

pub(crate) async fn health(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Path(provider): Path,
) -> Response {
    let correlation = correlation(&platform);
    let checked = match read_provider(&provider) {
        Ok(provider) => {
            connections::connection_health(&platform.app, &caller.tenant, &provider, &correlation).await
        }
        Err(refusal) => Err(refusal),
    };
    match checked {
        Ok(health) => {
            let body = json!({
                "healthy": health.healthy,
                "name": health.name,
                "details": health.details,
                "message": health.message.as_deref(),
            });
            answer(StatusCode::OK, &body)
        }
        Err(refusal) => refuse(&refusal, &correlation),
    }
}

pub(crate) async fn refresh(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Path(provider): Path,
) -> Response {
    let correlation = correlation(&platform);
    let refreshed = match read_provider(&provider) {
        Ok(provider) => {
            connections::connection_refresh(&platform.app, &caller.tenant, &provider, &correlation).await
        }
        Err(refusal) => Err(refusal),
    };
    match refreshed {
        Ok(done) => {
            let mut body = json!({ "refreshed": done.refreshed, "rotated": done.rotated });
            if let Some(message) = done.message {
                body["message"] = json!(message);
            }
            answer(StatusCode::OK, &body)
        }
        Err(refusal) => refuse(&refusal, &correlation),
    }
}

pub(crate) async fn sync(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Path(provider): Path,
    Posted(body): Posted,
) -> Response {
    let correlation = correlation(&platform);
    let by = By { tenant: &caller.tenant, who: &caller.who, correlation: &correlation };
    let asked = match read_provider(&provider) {
        Ok(provider) => connections::connection_sync(&platform.app, by, &provider, &body).await,
        Err(refusal) => Err(refusal),
    };
    match asked {
        Ok(Asked::Job(job)) => answer(StatusCode::ACCEPTED, &job_json(&job)),
        Ok(Asked::Tasks(tasks)) => {
            answer(StatusCode::ACCEPTED, &json!({ "provider": provider, "reads": tasks }))
        }
        Err(refusal) => refuse(&refusal, &correlation),
    }
}

pub(crate) async fn disconnect(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Path(provider): Path,
) -> Response {
    let correlation = correlation(&platform);
    let by = By { tenant: &caller.tenant, who: &caller.who, correlation: &correlation };
    let disconnected = match read_provider(&provider) {
        Ok(provider) => connections::connection_disconnect(&platform.app, by, &provider).await,
        Err(refusal) => Err(refusal),
    };
    match disconnected {
        Ok(revoked) => {
            let (revoked, message) = match revoked {
                Revoked::Yes => (json!(true), None),
                Revoked::NothingToRevoke => (Value::Null, None),
                Revoked::No => (
                    json!(false),
                    Some("The provider did not take the consent back. Take it away there by hand."),
                ),
            };
            let body = json!({ "disconnected": true, "revoked": revoked, "message": message });
            answer(StatusCode::OK, &body)
        }
        Err(refusal) => refuse(&refusal, &correlation),
    }
}

fn read_provider(text: &str) -> Result<Provider, Refusal> {
    Provider::parse(text).map_err(|_| Refusal::NotFound("provider"))
}

fn view_json(view: &ConnectionView, origin: Option<&str>) -> Value {
    let webhook_url = match (&view.webhook_endpoint, origin) {
        (Some(endpoint), Some(origin)) => Some(format!("{origin}/webhooks/{}/{endpoint}", view.provider)),
        _ => None,
    };
    json!({
        "provider": view.provider,
        "state": view.state.as_str(),
        "company": view.company,
        "settings": view.settings,
        "consent": view.grant.map(|grant| json!({
            "grant": grant,
            "refreshed_at": view.refreshed_at,
            "expires_in_days": view.days_left,
        })),
        "webhook_url": webhook_url,
        "registers": view.registers.map(|known| json!({
            "customers": known.customers,
            "invoices": known.invoices,
            "read_at": known.read_at,
        })),
        "message": view.message.as_deref(),
    })
}
