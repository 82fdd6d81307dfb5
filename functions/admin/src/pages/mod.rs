//! Pages over HTTP: who is let in, which forms count, and how a page is answered.

pub(crate) mod api;
pub(crate) mod connections;
pub(crate) mod orders;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod work;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use bokbro_app::audit::By;
use bokbro_app::auth::{Caller, Unknown, session_admit};
use bokbro_app::error::{Error, chain};
use bokbro_app::gate::TooMany;
use bokbro_app::orders::Refusal;
use bokbro_app::records::Session;
use bokbro_app::secret::SecretText;
use bokbro_app::signin::{is_own_form, session_find};
use bokbro_domain::ids::CorrelationId;
use bokbro_pages::form::Form;
use bokbro_pages::layout::{Frame, PROTECTION};
use bokbro_pages::sign_in::Message;
use bokbro_pages::{Texts, assets};
use bokbro_runtime::Platform;
use bokbro_runtime::browser::{self, Cookie, source};

use crate::api::{correlation, header_text};
use crate::routes::Guard;

/// Largest form, in bytes.
const MAX_FORM: usize = 64 * 1024;

/// Somebody who is signed in, on one of our pages.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) session: Session,
    pub(crate) caller: Caller,
    pub(crate) cookie: SecretText,
    pub(crate) texts: Texts,
    pub(crate) correlation: CorrelationId,
    path: String,
}

impl Guest {
    /// The frame of the page.
    pub(crate) fn frame(&self) -> Frame<'_> {
        Frame { texts: self.texts, session: &self.session, role: self.caller.role, path: &self.path }
    }

    /// Who asks for a change.
    pub(crate) fn by(&self) -> By<'_> {
        By { tenant: &self.caller.tenant, who: &self.caller.who, correlation: &self.correlation }
    }
}

/// Lets in who is signed in with the role that the page needs.
pub(crate) async fn page_guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match admit(&guard, &parts).await {
        Ok(guest) => {
            parts.extensions.insert(guest);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(refused) => refused,
    }
}

/// The same for a form; it counts only when one of our pages has sent it in the same session.
pub(crate) async fn form_guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut guest = match admit(&guard, &parts).await {
        Ok(guest) => guest,
        Err(refused) => return refused,
    };
    // What is shown in answer to a form belongs to the page of its section: a form's own address cannot be opened.
    guest.path = guest.path.split('/').take(3).collect::<Vec<_>>().join("/");
    let from_elsewhere =
        header_text(&parts.headers, "sec-fetch-site").is_some_and(|site| site != "same-origin");
    let bytes = match axum::body::to_bytes(body, MAX_FORM).await {
        Ok(bytes) if !from_elsewhere => bytes,
        Ok(_) | Err(_) => return message(&Message::FormExpired, guest.texts),
    };
    let form: Form = form_urlencoded::parse(&bytes).into_owned().collect();
    if !is_own_form(&guest.session, form.field("form_token")) {
        return message(&Message::FormExpired, guest.texts);
    }
    parts.extensions.insert(guest);
    parts.extensions.insert(form);
    next.run(Request::from_parts(parts, Body::empty())).await
}

async fn admit(guard: &Guard, request: &Parts) -> Result<Guest, Response> {
    let (platform, headers) = (&guard.platform, &request.headers);
    let texts = texts(headers);
    let found = match Cookie::Session.read(headers) {
        None => None,
        Some(cookie) => match session_admit(&platform.app, &cookie, &source(&request.extensions)).await {
            Ok(session) => Some((cookie, session)),
            Err(Unknown::Stranger) => None,
            Err(Unknown::TooMany(many)) => return Err(too_many(many, texts)),
            Err(Unknown::Failed(error)) => return Err(failed(&error, texts, platform)),
        },
    };
    let caller = found.as_ref().and_then(|(_, session)| Caller::of(session));
    let (Some((cookie, session)), Some(caller)) = (found, caller) else {
        let wanted = if request.method.is_safe() {
            request.uri.path_and_query().map_or("/app", |path| path.as_str())
        } else {
            "/app"
        };
        let to: String = form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
        return Err(redirect(&format!("/app/sign-in?to={to}")));
    };
    if caller.role < guard.role {
        return Err(message(&Message::Forbidden(guard.role), texts));
    }
    let path = request.uri.path().to_owned();
    let correlation = correlation(platform);
    Ok(Guest { session, caller, cookie, texts, correlation, path })
}

/// Whether a request that is no form carries the token of its session in a header.
pub(crate) async fn own_token(platform: &Platform, cookie: &SecretText, headers: &HeaderMap) -> bool {
    let Some(token) = header_text(headers, "x-form-token") else { return false };
    match session_find(&platform.app, cookie).await {
        Ok(session) => session.is_some_and(|session| is_own_form(&session, token)),
        Err(error) => {
            tracing::error!(error = chain(&error), "session not read");
            false
        }
    }
}

/// What is said to a browser.
pub(crate) fn texts(headers: &HeaderMap) -> Texts {
    Texts::of(browser::language(headers))
}

/// A page as an answer.
pub(crate) fn html(status: u16, texts: Texts, html: String) -> Response {
    browser::page_response(status, html, texts.language())
}

/// Protects everything under `/app` unless an answer says otherwise itself, and says as a page what no page has said: that there is no such address, or that it
/// cannot be read.
pub(crate) async fn protect(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_ours = path == "/app" || path.starts_with("/app/");
    let texts = texts(request.headers());
    let mut answer = next.run(request).await;
    if !is_ours {
        return answer;
    }
    let is_page = answer.headers().contains_key(header::CONTENT_LANGUAGE);
    if answer.status().is_client_error() && !is_page {
        answer = html(answer.status().as_u16(), texts, Message::NotFound.page(texts));
    }
    for (name, value) in PROTECTION {
        answer.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    answer
}

/// A page of somebody who is signed in.
pub(crate) fn show(guest: &Guest, title: &str, body: &bokbro_pages::Markup) -> Response {
    html(200, guest.texts, guest.frame().page(title, body))
}

/// A page with a message.
pub(crate) fn message(message: &Message, texts: Texts) -> Response {
    html(message.status(), texts, message.page(texts))
}

/// The page that says that somebody came too often.
pub(crate) fn too_many(many: TooMany, texts: Texts) -> Response {
    let seconds = many.after.as_secs();
    let mut response = message(&Message::TooMany { seconds }, texts);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

/// The page that says that something of ours failed.
pub(crate) fn failed(error: &Error, texts: Texts, platform: &Platform) -> Response {
    let reference = correlation(platform);
    tracing::error!(correlation = %reference, error = chain(error), "page failed");
    message(&Message::Failed { reference: reference.to_string() }, texts)
}

/// Sends the browser on with a GET.
pub(crate) fn redirect(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// Style and script.
pub(crate) async fn asset(headers: HeaderMap, Path(name): Path<String>) -> Response {
    let Some(asset) = assets::find(&format!("/app/assets/{name}")) else {
        return message(&Message::NotFound, texts(&headers));
    };
    let mut response = Response::new(Body::from(asset.body));
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The page that a refusal leads to.
pub(crate) fn refused(refusal: &Refusal, guest: &Guest, platform: &Platform) -> Response {
    match refusal {
        Refusal::NotFound(_) | Refusal::Invalid(_) => message(&Message::NotFound, guest.texts),
        Refusal::Conflict { message: why, .. } => {
            message(&Message::Conflict { why: why.clone() }, guest.texts)
        }
        Refusal::Failed(error) => failed(error, guest.texts, platform),
    }
}
