//! Signing in and out.

use axum::Extension;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use bokbro_app::error::{Error, chain};
use bokbro_app::gate::{Door, Halted};
use bokbro_app::secret::SecretText;
use bokbro_app::signin::{HOME, Refused, Return, session_end, session_switch, signin_begin, signin_finish};
use bokbro_domain::ids::TenantId;
use bokbro_pages::form::Form;
use bokbro_pages::sign_in as page_of;
use bokbro_pages::sign_in::Message;
use bokbro_pages::{Language, Texts};
use bokbro_runtime::Platform;
use bokbro_runtime::browser::{self, Cookie, LANGUAGE};
use serde::Deserialize;

use super::{Guest, failed, html, message, redirect, texts, too_many};
use crate::api::{Api, correlation};

/// How long a choice of language is kept, in seconds: a year.
const LANGUAGE_AGE: u32 = 31_536_000;

/// Lets in whoever has not come too often from the same address.
pub(crate) async fn guard(State(platform): Api, request: Request, next: Next) -> Response {
    let from = browser::source(request.extensions());
    match platform.app.gate.pass(Door::SignIn, &from).await {
        Ok(()) => next.run(request).await,
        Err(Halted::TooMany(many)) => too_many(many, texts(request.headers())),
        Err(Halted::Failed(error)) => failed(&error, texts(request.headers()), &platform),
    }
}

/// Where somebody was on their way to.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    to: Option<String>,
}

pub(crate) async fn page(State(platform): Api, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Response {
    let texts = texts(&headers);
    if platform.sign_in.is_none() {
        return message(&Message::NoSignIn, texts);
    }
    html(200, texts, page_of::sign_in(texts, wanted.to.as_deref().unwrap_or(HOME)))
}

pub(crate) async fn start(State(platform): Api, Query(wanted): Query<Wanted>, request: Request) -> Response {
    let texts = texts(request.headers());
    let origin = browser::origin(&platform, request.extensions());
    let (Some(at), Some(origin)) = (&platform.sign_in, origin) else {
        return message(&Message::NoSignIn, texts);
    };
    match signin_begin(&**at, &origin, wanted.to.as_deref()).await {
        Ok(begun) => keeping(redirect(&begun.location), [Cookie::Visit.keep(&begun.kept)]),
        Err(error @ Error::Unavailable { .. }) => not_signed_in(&platform, &Refused::Failed(error), texts),
        // What else can fail here is set up wrongly.
        Err(error) => failed(&error, texts, &platform),
    }
}

/// The page that says why nobody is signed in, and what to do.
fn not_signed_in(platform: &Platform, refused: &Refused, texts: Texts) -> Response {
    let reference = correlation(platform);
    if let Refused::Failed(error) = refused {
        tracing::warn!(code = "sign_in_failed", correlation = %reference, error = chain(error), "nobody was signed in");
    }
    message(&Message::refused(refused, reference.as_str()), texts)
}

/// What a browser brings from the sign-in provider.
#[derive(Deserialize)]
pub(crate) struct Brought {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

pub(crate) async fn callback(
    State(platform): Api,
    Query(brought): Query<Brought>,
    request: Request,
) -> Response {
    let texts = texts(request.headers());
    let origin = browser::origin(&platform, request.extensions());
    let (Some(at), Some(origin)) = (&platform.sign_in, origin) else {
        return message(&Message::NoSignIn, texts);
    };
    let back = Return {
        state: brought.state,
        code: brought.code.map(SecretText::new),
        error: brought.error,
        kept: Cookie::Visit.read(request.headers()),
    };
    let answer = match signin_finish(&platform.app, &**at, &origin, &back).await {
        Ok(signed_in) => keeping(redirect(&signed_in.wanted), [Cookie::Session.keep(&signed_in.cookie)]),
        Err(refused) => not_signed_in(&platform, &refused, texts),
    };
    keeping(answer, [Cookie::Visit.forget()])
}

pub(crate) async fn sign_out(State(platform): Api, Extension(guest): Extension<Guest>) -> Response {
    match session_end(&platform.app, &guest.cookie).await {
        Ok(()) => keeping(redirect("/app/signed-out"), [Cookie::Session.forget()]),
        Err(error) => failed(&error, guest.texts, &platform),
    }
}

pub(crate) async fn signed_out(State(platform): Api, request: Request) -> Response {
    let texts = texts(request.headers());
    let there = match (&platform.sign_in, browser::origin(&platform, request.extensions())) {
        (Some(at), Some(origin)) => at.leave(&format!("{origin}/app/signed-out")).await.ok().flatten(),
        _ => None,
    };
    message(&Message::SignedOut(there), texts)
}

pub(crate) async fn switch_tenant(
    State(platform): Api,
    Extension(guest): Extension<Guest>,
    Extension(form): Extension<Form>,
) -> Response {
    let Ok(tenant) = TenantId::parse(form.field("tenant")) else {
        return message(&Message::NotFound, guest.texts);
    };
    match session_switch(&platform.app, &guest.cookie, &guest.session, &tenant).await {
        Ok(true) => redirect(HOME),
        Ok(false) => message(&Message::NotFound, guest.texts),
        Err(error) => failed(&error, guest.texts, &platform),
    }
}

pub(crate) async fn switch_language(
    Extension(_guest): Extension<Guest>,
    Extension(form): Extension<Form>,
) -> Response {
    let tag = Language::parse(form.field("language")).map_or("", Language::tag);
    let back = form.field("back");
    let back = if back.starts_with("/app") && !back.contains("//") { back } else { HOME };
    let cookie = format!("{LANGUAGE}={tag}; Max-Age={LANGUAGE_AGE}; Path=/; Secure; HttpOnly; SameSite=Lax");
    keeping(redirect(back), [HeaderValue::from_str(&cookie).ok()])
}

fn keeping<const N: usize>(mut answer: Response, cookies: [Option<HeaderValue>; N]) -> Response {
    for cookie in cookies.into_iter().flatten() {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}
