//! Every page that a person can come to: our own time for it, and what a browser loads to show it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bokbro_app::auth::{random_text, sha256};
use bokbro_app::ports::Keyring as _;
use bokbro_app::records::{Job, JobTask, Parked, Role, Session};
use bokbro_domain::ids::{CorrelationId, JobId, ParkedId, Target, TenantId};
use bokbro_domain::said::Said;
use serde_json::json;
use tokio::time::sleep;

use super::lambda::{Function, http_event};
use super::report::{Budget, Report, millis, percentile};
use super::{Bed, CALLER_PACE, RUNS, goods};
use crate::progress;
use crate::stack::build::Profile;
use crate::stack::seed::TENANT;

/// Orders to show.
const ORDERS: usize = 100;

/// Measures every page that links lead to from the overview, and the one on which people sign in.
///
/// # Errors
/// When a page is not answered with 200.
pub(super) async fn measure(bed: &Bed<'_>, report: &mut Report) -> Result<()> {
    goods::orders(bed, 100_000, ORDERS).await?;
    work(bed).await?;
    let cookie = format!("__Host-bokbro-session={}", session(bed).await?);
    let mut function = Function::spawn(&bed.binary("admin")?, &bed.environment("accounting")).await?;
    function.ready().await?;
    progress::step("opening every page");
    let (mut waiting, mut seen) = (vec!["/app".to_owned(), "/app/sign-in".to_owned()], BTreeSet::new());
    let mut assets: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    'pages: while let Some(path) = waiting.pop() {
        if !seen.insert(kind(&path)) {
            continue;
        }
        let (mut own, mut took, mut html) = (Vec::new(), Vec::new(), String::new());
        for _ in 0..RUNS {
            let event = http_event("GET", &path, &[("cookie", &cookie), ("accept", "text/html")], None);
            sleep(CALLER_PACE).await;
            let answered = function.invoke(&event).await.with_context(|| path.clone())?;
            if answered.payload["statusCode"] == 303 {
                // It leads to somebody else's page, as the start of a sign-in does.
                continue 'pages;
            }
            // Not the answer itself: it may hold what opens a door.
            ensure!(answered.payload["statusCode"] == 200, "{path} is not answered with 200");
            html = answered.payload["body"].as_str().unwrap_or_default().to_owned();
            own.push(answered.own);
            took.push(answered.took);
        }
        let mut bytes = html.len();
        for asset in links(&html, "/app/assets/") {
            if !assets.contains_key(&asset) {
                let answered = function.invoke(&http_event("GET", &asset, &[], None)).await?;
                ensure!(answered.payload["statusCode"] == 200, "{asset} answered {}", answered.payload);
                let text = answered.payload["body"].as_str().unwrap_or_default().len();
                let encoded = answered.payload["isBase64Encoded"] == true;
                assets.insert(asset.clone(), if encoded { text / 4 * 3 } else { text });
            }
            bytes += assets.get(&asset).copied().unwrap_or_default();
        }
        waiting.extend(links(&html, "/app").into_iter().filter(|link| !link.starts_with("/app/assets/")));
        let name = kind(&path);
        let p = |times: &[Duration], percent| millis(percentile(times, percent));
        let budget = if bed.profile == Profile::Release { Budget::Most(50.0) } else { Budget::None };
        report.add(format!("page {name}: own time, p99 of {RUNS}"), "ms", p(&own, 99), budget);
        report.add(
            format!("page {name}: with all that it loads"),
            "KB",
            bytes as f64 / 1000.0,
            Budget::Most(100.0),
        );
        found.push(json!({ "page": name, "own_p50_ms": p(&own, 50), "own_p99_ms": p(&own, 99),
            "p50_ms": p(&took, 50), "p99_ms": p(&took, 99), "html_bytes": html.len(), "bytes": bytes }));
    }
    function.stop().await?;
    report.detail("pages", json!({ "pages": found, "assets": assets }));
    Ok(())
}

/// Something that waits for a human, and a job, so that their pages have something to show.
async fn work(bed: &Bed<'_>) -> Result<()> {
    let app = &bed.stack.inside().app;
    let (tenant, now, ulid) = (TenantId::parse(TENANT)?, app.clock.now(), app.stamps.ulid(&*app.clock));
    let (order, correlation) = (goods::order(bed, "waiting").await?, CorrelationId::from_ulid(ulid));
    let parked = Parked {
        id: ParkedId::from_ulid(ulid),
        at: now,
        code: "foreign_customer".to_owned(),
        message: Said::quoted("for the bench"),
        fingerprint: format!("bench#{ulid}"),
        order: Some(order.id),
        target: Some(Target::Accounting),
        details: [("country".to_owned(), "NO".to_owned())].into(),
        correlation: correlation.clone(),
    };
    app.parking.park_once(&tenant, &parked).await?;
    let job = Job::waiting(JobId::from_ulid(ulid), JobTask::Sweep, "bench", now, &correlation);
    app.jobs.job_put(&tenant, &job).await?;
    Ok(())
}

/// Signs an owner in without a provider.
async fn session(bed: &Bed<'_>) -> Result<String> {
    let inside = bed.stack.inside();
    let (cookie, tenant) = (random_text(""), TenantId::parse(TENANT)?);
    let now = inside.app.clock.now();
    let session = Session {
        subject: "bench".to_owned(),
        name: "bench@example.se".to_owned(),
        grants: [(tenant.clone(), Role::Owner)].into(),
        tenant,
        form_token: random_text("").expose().to_owned(),
        signed_in_at: now,
        expires_at: now + Duration::from_secs(3600),
    };
    inside.hub.session_put(&sha256(cookie.expose()), &session).await?;
    Ok(cookie.expose().to_owned())
}

/// Which page a path is: without its query, and with a mark for an id.
fn kind(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let mark = |part: &str| if part.contains('_') { "{id}".to_owned() } else { part.to_owned() };
    path.split('/').map(mark).collect::<Vec<_>>().join("/")
}

/// What a page links to or loads under a path.
fn links(html: &str, under: &str) -> BTreeSet<String> {
    let after = |attribute| html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
    let values = after(" href=\"").chain(after(" src=\""));
    values.filter(|value| value.starts_with(under)).map(|value| value.replace("&amp;", "&")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_assets_are_found() {
        let html = r#"<link href="/app/assets/x.css"><a href="/app/orders?a=1&amp;b=2">text</a><form action="/app/x"><a href="https://else.where/app">"#;
        assert_eq!(links(html, "/app"), ["/app/assets/x.css".into(), "/app/orders?a=1&b=2".into()].into());
        assert_eq!(links(html, "/app/assets/"), ["/app/assets/x.css".into()].into());
        assert_eq!(kind("/app/orders/ord_01K?x=1"), "/app/orders/{id}");
    }
}
