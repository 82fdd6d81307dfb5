//! Jobs and the audit log.

use bokbro_app::ports::{Cursor, Page};
use bokbro_app::records::{AuditEntry, Job, JobState, JobTask};
use bokbro_app::registers::shown;
use bokbro_app::wire::work_out::job_json;
use maud::{Markup, html};

use crate::catalog::Texts;
use crate::format::{time, whole};
use crate::layout::Frame;
use crate::words::{known, said};

/// The list of jobs.
#[must_use]
pub fn jobs(frame: &Frame<'_>, page: &Page<Job>) -> Markup {
    let texts = frame.texts;
    html! {
        section #jobs data-refresh=[page.items.iter().any(is_under_way).then_some("5")] {
            @if page.items.is_empty() {
                p { (texts.get("jobs-none")) }
            } @else {
                div.scroll tabindex="0" role="region" aria-label=(texts.get("nav-jobs")) {
                    table {
                        thead {
                            tr {
                                th scope="col" { (texts.get("jobs-what")) }
                                th scope="col" { (texts.get("jobs-state")) }
                                th scope="col" { (texts.get("jobs-started")) }
                                th scope="col" { (texts.get("jobs-by")) }
                            }
                        }
                        tbody {
                            @for job in &page.items {
                                tr {
                                    th scope="row" { a href=(format!("/app/jobs/{}", job.id)) { (kind(texts, job)) } }
                                    td { (state(texts, job.state)) }
                                    td { (time(job.started_at)) }
                                    td { (job.by) }
                                }
                            }
                        }
                    }
                }
            }
        }
        (older(texts, "/app/jobs", page.next.as_ref()))
    }
}

/// One job.
#[must_use]
pub fn job(frame: &Frame<'_>, job: &Job) -> Markup {
    let texts = frame.texts;
    html! {
        section #job data-refresh=[is_under_way(job).then_some("2")] {
            dl.facts {
                dt { (texts.get("jobs-what")) } dd { (kind(texts, job)) }
                dt { (texts.get("jobs-state")) } dd.state { (state(texts, job.state)) }
                dt { (texts.get("jobs-started")) } dd { (time(job.started_at)) }
                @if let Some(at) = job.finished_at { dt { (texts.get("jobs-finished")) } dd { (time(at)) } }
                dt { (texts.get("jobs-by")) } dd { (job.by) }
                @if let Some(reason) = &job.reason { dt { (texts.get("reason")) } dd { (reason) } }
                @for (name, count) in &job.counts { dt { (known(texts, "count", name)) } dd { (whole(*count)) } }
                @if let Some(error) = &job.error { dt { (texts.get("jobs-error")) } dd.bad { (said(texts, error)) } }
                dt { (texts.get("reference")) } dd { code { (job.correlation) } }
            }
            (progress(texts, job))
            @if is_under_way(job) { p { a href=(format!("/app/jobs/{}", job.id)) { (texts.get("look-again")) } } }
        }
    }
}

/// How far a job has come, when it reads registers and has begun.
#[must_use]
pub fn progress(texts: Texts, job: &Job) -> Markup {
    let JobTask::Registers { reading, .. } = &job.task else { return Markup::default() };
    let Some(at) = shown(job, reading).filter(|_| is_under_way(job)) else { return Markup::default() };
    let register = texts.get(&format!("register-{}", at.register.as_str()));
    let part = [("register", register.into()), ("part", at.slice.into()), ("parts", at.slices.into())];
    html! {
        p {
            progress value=(at.slice - 1) max=(at.slices) aria-label=(texts.get("jobs-progress")) {}
            " " (texts.with("jobs-progress-part", &part))
            @match (at.page, at.pages) {
                (Some(page), Some(pages)) => {
                    ", " (texts.with("jobs-progress-page-of", &[("page", page.into()), ("pages", pages.max(page.into()).into())]))
                }
                (Some(page), None) => { ", " (texts.with("jobs-progress-page", &[("page", page.into())])) }
                (None, _) => {}
            }
        }
    }
}

/// The audit log.
#[must_use]
pub fn audit(frame: &Frame<'_>, page: &Page<AuditEntry>) -> Markup {
    let texts = frame.texts;
    html! {
        @if page.items.is_empty() {
            p { (texts.get("audit-none")) }
        } @else {
            div.scroll tabindex="0" role="region" aria-label=(texts.get("nav-audit")) {
                table {
                    thead {
                        tr {
                            th scope="col" { (texts.get("audit-at")) }
                            th scope="col" { (texts.get("audit-who")) }
                            th scope="col" { (texts.get("audit-what")) }
                            th scope="col" { (texts.get("audit-change")) }
                        }
                    }
                    tbody {
                        @for entry in &page.items {
                            tr {
                                td { (time(entry.at)) }
                                td { (entry.who) }
                                td { (known(texts, "audit-what", &entry.what)) br; code { (entry.subject) } }
                                td {
                                    @if let Some(reason) = &entry.reason { p { (reason) } }
                                    @if let Some(before) = &entry.before { p { (texts.get("audit-before")) ": " code { (before) } } }
                                    @if let Some(after) = &entry.after { p { (texts.get("audit-after")) ": " code { (after) } } }
                                }
                            }
                        }
                    }
                }
            }
        }
        (older(texts, "/app/audit", page.next.as_ref()))
    }
}

/// The way to older items.
fn older(texts: Texts, path: &str, next: Option<&Cursor>) -> Markup {
    html! {
        @if let Some(next) = next {
            p { a.button.second href=(format!("{path}?cursor={}", next.0)) rel="next" { (texts.get("older")) } }
        }
    }
}

/// Whether a job is not over.
#[must_use]
pub fn is_under_way(job: &Job) -> bool {
    match job.state {
        JobState::Waiting | JobState::Running => true,
        JobState::Done | JobState::Failed => false,
    }
}

/// What a job does; a kind that the catalog does not know shows as the API has it.
fn kind(texts: Texts, job: &Job) -> String {
    let shown = job_json(job);
    let name = shown["kind"].as_str().unwrap_or_default();
    known(texts, "job", name)
}

fn state(texts: Texts, state: JobState) -> Markup {
    let (class, key) = match state {
        JobState::Waiting => ("faint", "job-state-waiting"),
        JobState::Running => ("faint", "job-state-running"),
        JobState::Done => ("good", "job-state-done"),
        JobState::Failed => ("bad", "job-state-failed"),
    };
    html! { span class=(class) { (texts.get(key)) } }
}
