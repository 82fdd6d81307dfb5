//! What waits for a human, jobs, dead letters and the audit log as pages.

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use bokbro_app::dead_letters::dead_letters_list;
use bokbro_app::orders::Refusal;
use bokbro_app::parked::{ParkedFilter, answer_read, parked_list, parked_resolve};
use bokbro_app::ports::{Cursor, QueueName};
use bokbro_app::records::{Parked, Role};
use bokbro_app::replay::{Asker, replay_ask};
use bokbro_app::wire::replay_in::read_replay;
use bokbro_domain::ids::{JobId, ParkedId};
use bokbro_domain::order::FieldError;
use bokbro_pages::dead_letters::Wish;
use bokbro_pages::form::{Form, Refused};
use bokbro_pages::{dead_letters as letters_page, parked as parked_page, work};
use bokbro_runtime::Platform;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Guest, html, redirect, refused, show};
use crate::api::Api;

/// Items on a page.
const PAGE: usize = 50;

/// `?cursor=`.
#[derive(Deserialize)]
pub(crate) struct From {
    cursor: Option<String>,
}

impl From {
    fn cursor(self) -> Option<Cursor> {
        self.cursor.map(Cursor)
    }
}

pub(crate) async fn parked(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Query(from): Query<From>,
) -> Response {
    let (app, tenant) = (&platform.app, &guest.caller.tenant);
    match parked_list(app, tenant, &ParkedFilter::default(), PAGE, from.cursor().as_ref()).await {
        Ok(page) => show(&guest, &guest.texts.get("nav-parked"), &parked_page::list(&guest.frame(), &page)),
        Err(refusal) => refused(&refusal, &guest, &platform),
    }
}

pub(crate) async fn parked_item(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
) -> Response {
    match read_parked(&platform, &guest, &id).await {
        Ok(parked) => show_parked(&guest, &parked, 200, None),
        Err(refusal) => refused(&refusal, &guest, &platform),
    }
}

pub(crate) async fn resolve(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Extension(form): Extension<Form>,
    Path(id): Path<String>,
) -> Response {
    let resolved = async {
        let parked = read_parked(&platform, &guest, &id).await?;
        let fields = ["action", "number", "order_id", "reason"].into_iter();
        let given = fields.filter(|name| !form.field(name).is_empty());
        let body: Map<String, Value> = given.map(|name| (name.to_owned(), json!(form.field(name)))).collect();
        let (app, tenant, who) = (&platform.app, &guest.caller.tenant, &guest.caller.who);
        let refusal = match answer_read(Value::Object(body).to_string().as_bytes()) {
            Err(error) => Refusal::Invalid(error),
            Ok((decision, reason)) => {
                let (reason, correlation) = (reason.as_deref(), &guest.correlation);
                let done = parked_resolve(app, tenant, who, &parked.id, &decision, reason, correlation).await;
                match done {
                    Ok(_) => return Ok(redirect("/app/parked")),
                    Err(refusal) => refusal,
                }
            }
        };
        let (status, error) = match refusal {
            Refusal::Invalid(error) => (200, error),
            Refusal::Conflict { message, .. } => (409, FieldError::new("", message)),
            other @ (Refusal::NotFound(_) | Refusal::Failed(_)) => return Err(other),
        };
        Ok(show_parked(&guest, &parked, status, Some(Refused { error: &error, form: &form })))
    };
    resolved.await.unwrap_or_else(|refusal: Refusal| refused(&refusal, &guest, &platform))
}

async fn read_parked(platform: &Platform, guest: &Guest, id: &str) -> Result<Parked, Refusal> {
    let id = ParkedId::parse(id).map_err(|_| Refusal::NotFound("parked item"))?;
    let parked = platform.app.parking.parked_get(&guest.caller.tenant, &id).await?;
    parked.ok_or(Refusal::NotFound("parked item"))
}

fn show_parked(guest: &Guest, parked: &Parked, status: u16, refused: Option<Refused<'_>>) -> Response {
    let (title, frame) = (parked_page::title(guest.texts, parked), guest.frame());
    html(status, guest.texts, frame.page(&title, &parked_page::detail(&frame, parked, refused)))
}

pub(crate) async fn jobs(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Query(from): Query<From>,
) -> Response {
    match platform.app.jobs.jobs_list(&guest.caller.tenant, PAGE, from.cursor().as_ref()).await {
        Ok(page) => show(&guest, &guest.texts.get("nav-jobs"), &work::jobs(&guest.frame(), &page)),
        Err(error) => refused(&error.into(), &guest, &platform),
    }
}

pub(crate) async fn job(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Path(id): Path<String>,
) -> Response {
    let found = async {
        let id = JobId::parse(&id).map_err(|_| Refusal::NotFound("job"))?;
        let job = platform.app.jobs.job_get(&guest.caller.tenant, &id).await?;
        job.ok_or(Refusal::NotFound("job"))
    };
    match found.await {
        Ok(job) => show(&guest, &guest.texts.get("nav-jobs"), &work::job(&guest.frame(), &job)),
        Err(refusal) => refused(&refusal, &guest, &platform),
    }
}

pub(crate) async fn audit(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Query(from): Query<From>,
) -> Response {
    match platform.app.audits.audits_list(&guest.caller.tenant, PAGE, from.cursor().as_ref()).await {
        Ok(page) => show(&guest, &guest.texts.get("nav-audit"), &work::audit(&guest.frame(), &page)),
        Err(error) => refused(&error.into(), &guest, &platform),
    }
}

/// `?asked=1`, to which somebody is sent back who has asked for a replay.
#[derive(Deserialize)]
pub(crate) struct Back {
    asked: Option<String>,
}

pub(crate) async fn dead_letters(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Query(back): Query<Back>,
) -> Response {
    let wish = if back.asked.is_some() { Wish::Asked } else { Wish::None };
    show_dead_letters(&platform, &guest, wish).await
}

pub(crate) async fn replay(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Extension(form): Extension<Form>,
) -> Response {
    let ids = form.all("id");
    let all = form.field("which") == "all";
    if !all && ids.is_empty() {
        return show_dead_letters(&platform, &guest, Wish::NoneChosen(&form)).await;
    }
    let mut body = json!({ "reason": form.field("reason") });
    if all {
        body["all"] = json!(true);
    } else {
        body["ids"] = json!(ids);
    }
    let rate = form.field("per_second");
    if !rate.is_empty() {
        body["per_second"] = rate.parse::<u64>().map_or_else(|_| json!(rate), |rate| json!(rate));
    }
    let asked = async {
        let asked = read_replay(body.to_string().as_bytes()).map_err(Refusal::Invalid)?;
        let (tenant, who, correlation) = (Some(&guest.caller.tenant), &guest.caller.who, &guest.correlation);
        Ok::<_, Refusal>(replay_ask(&platform.app, Asker { tenant, who, correlation }, &asked).await?)
    };
    match asked.await {
        // Jobs are not for everybody who may ask for a replay.
        Ok(_) if guest.caller.role < Role::Bookkeeper => redirect("/app/dead-letters?asked=1"),
        Ok(job) => redirect(&format!("/app/jobs/{}", job.id)),
        Err(Refusal::Invalid(error)) => {
            let wish = Wish::Field(Refused { error: &error, form: &form });
            show_dead_letters(&platform, &guest, wish).await
        }
        Err(refusal) => refused(&refusal, &guest, &platform),
    }
}

async fn show_dead_letters(platform: &Platform, guest: &Guest, wish: Wish<'_>) -> Response {
    match dead_letters_list(&platform.app, &guest.caller.tenant, &QueueName::ALL, PAGE).await {
        Ok(listed) => {
            let body = letters_page::page(&guest.frame(), &listed, wish);
            show(guest, &guest.texts.get("nav-dead-letters"), &body)
        }
        Err(error) => refused(&error.into(), guest, platform),
    }
}
