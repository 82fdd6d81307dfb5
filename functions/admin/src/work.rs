//! Dead letters, jobs and the audit log, over HTTP.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bokbro_app::auth::Caller;
use bokbro_app::dead_letters::dead_letters_list;
use bokbro_app::orders::Refusal;
use bokbro_app::replay::{Asker, replay_ask};
use bokbro_app::wire::replay_in::{read_queues, read_replay};
use bokbro_app::wire::work_out::{audit_json, dead_letter_json, job_json};
use bokbro_domain::ids::JobId;
use bokbro_domain::order::FieldError;
use bokbro_domain::said;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{Api, Path, Posted, Query, answer, correlation, refuse};
use crate::orders::{ListQuery, page_json, read_limit, respond};

/// `?queue=&limit=`, still as text so that a bad one is named.
#[derive(Deserialize)]
pub(crate) struct DeadLettersQuery {
    queue: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

pub(crate) async fn dead_letters(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Query(query): Query<DeadLettersQuery>,
) -> Response {
    let correlation = correlation(&platform);
    let listed = async {
        if query.cursor.is_some() {
            let message = said!(
                "field-no-pages",
                "is not for this list: a queue shows its messages in no order, so it has no pages"
            );
            return Err(Refusal::Invalid(FieldError::new("cursor", message)));
        }
        let queues = read_queues(query.queue.as_deref()).map_err(Refusal::Invalid)?;
        let limit = read_limit(query.limit.as_deref())?;
        Ok(dead_letters_list(&platform.app, &caller.tenant, &queues, limit).await?)
    };
    let body = listed.await.map(|listed| {
        let items = listed.items.iter().map(|(queue, letter)| dead_letter_json(*queue, letter));
        let items: Vec<Value> = items.collect();
        json!({ "items": items, "next": null, "truncated": listed.truncated })
    });
    respond(body, &correlation)
}

pub(crate) async fn replay(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Posted(body): Posted,
) -> Response {
    let correlation = correlation(&platform);
    let asked = async {
        let asked = read_replay(&body).map_err(Refusal::Invalid)?;
        let asker = Asker { tenant: Some(&caller.tenant), who: &caller.who, correlation: &correlation };
        Ok(replay_ask(&platform.app, asker, &asked).await?)
    };
    match asked.await {
        Ok(job) => {
            tracing::info!(tenant = %caller.tenant, job = %job.id, %correlation, "replay asked for");
            answer(StatusCode::ACCEPTED, &job_json(&job))
        }
        Err(refusal) => refuse(&refusal, &correlation),
    }
}

pub(crate) async fn jobs(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Query(query): Query<ListQuery>,
) -> Response {
    let correlation = correlation(&platform);
    let listed = async {
        let (limit, cursor) = (query.limit()?, query.cursor());
        Ok(platform.app.jobs.jobs_list(&caller.tenant, limit, cursor.as_ref()).await?)
    };
    respond(listed.await.map(|page| page_json(&page, job_json)), &correlation)
}

pub(crate) async fn job(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Path(id): Path,
) -> Response {
    let correlation = correlation(&platform);
    let found = async {
        let id = JobId::parse(&id).map_err(|_| Refusal::NotFound("job"))?;
        let job = platform.app.jobs.job_get(&caller.tenant, &id).await?;
        job.ok_or(Refusal::NotFound("job"))
    };
    respond(found.await.map(|job| job_json(&job)), &correlation)
}

pub(crate) async fn audit(
    State(platform): Api,
    Extension(caller): Extension<Caller>,
    Query(query): Query<ListQuery>,
) -> Response {
    let correlation = correlation(&platform);
    let listed = async {
        let (limit, cursor) = (query.limit()?, query.cursor());
        Ok(platform.app.audits.audits_list(&caller.tenant, limit, cursor.as_ref()).await?)
    };
    respond(listed.await.map(|page| page_json(&page, audit_json)), &correlation)
}
