//! Consent in a browser: sends it to a provider's page and takes it back.

mod answer;

use bokbro_app::auth::caller_find;
use bokbro_app::oauth::{Callback, oauth_callback, oauth_start};
use bokbro_app::pages::{Language, consent_page};
use bokbro_app::records;
use bokbro_app::secret::SecretText;
use bokbro_domain::ids::{CorrelationId, Provider};
use bokbro_runtime::Platform;
use bokbro_runtime::browser::{self, Cookie};
use bokbro_runtime::config::Role;
use lambda_http::http::{HeaderMap, Method, header};
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let platform = Platform::start(Role::Oauth).await?;
    run(service_fn(|request: Request| async {
        Ok::<_, std::convert::Infallible>(handle(&platform, request).await)
    }))
    .await
}

async fn handle(platform: &Platform, request: Request) -> Response<Body> {
    let app = &platform.app;
    let correlation = CorrelationId::from_ulid(app.stamps.ulid(&*app.clock));
    let Some((provider, leg)) = address(request.uri().path()) else {
        return answer::not_found(&correlation);
    };
    if *request.method() != Method::GET {
        return answer::method_not_allowed(&correlation);
    }
    let Some(origin) = browser::origin(platform, request.extensions()) else {
        return answer::no_origin(&correlation);
    };
    match leg {
        Leg::Start => start(platform, &request, &provider, &origin, &correlation).await,
        Leg::Callback => callback(platform, &request, &provider, &origin, &correlation).await,
    }
}

async fn start(
    platform: &Platform,
    request: &Request,
    provider: &Provider,
    origin: &str,
    correlation: &CorrelationId,
) -> Response<Body> {
    let session = Cookie::Session.read(request.headers());
    let authorization = header_text(request.headers(), "authorization");
    let caller = match caller_find(&platform.app, authorization, session.as_ref()).await {
        Ok(Some(caller)) if caller.role >= records::Role::Owner => caller,
        Ok(Some(_)) => return answer::forbidden(correlation),
        Ok(None) => return answer::unauthorized(correlation),
        Err(error) => return answer::failed(&error, correlation),
    };
    let service_account = match request.query_string_parameters().first("service") {
        None | Some("true") => true,
        Some("false") => false,
        Some(_) => return answer::bad_service(correlation),
    };
    match oauth_start(&platform.app, &caller.tenant, provider, service_account, origin).await {
        Ok(started) => {
            let wants_json = header_text(request.headers(), header::ACCEPT.as_str())
                .is_some_and(|accept| accept.contains("application/json"));
            answer::started(&started, wants_json, correlation)
        }
        Err(refusal) => answer::refused(&refusal, correlation),
    }
}

async fn callback(
    platform: &Platform,
    request: &Request,
    provider: &Provider,
    origin: &str,
    correlation: &CorrelationId,
) -> Response<Body> {
    let query = request.query_string_parameters();
    let text = |name: &str| query.first(name).filter(|value| !value.is_empty()).map(str::to_owned);
    let callback = Callback {
        state: text("state"),
        code: text("code").map(SecretText::new),
        error: text("error"),
        nonce: Cookie::Consent.read(request.headers()),
    };
    let outcome = oauth_callback(&platform.app, provider, &callback, origin, correlation).await;
    let language = Language::accepted(header_text(request.headers(), "accept-language"));
    let page = consent_page(&outcome, provider, language, correlation);
    let mut response: Response<Body> = browser::page_response(page, language);
    if let Some(forget) = Cookie::Consent.forget() {
        response.headers_mut().insert(header::SET_COOKIE, forget);
    }
    response
}

/// Which half of a consent.
#[derive(Clone, Copy)]
enum Leg {
    Start,
    Callback,
}

/// Provider and leg of `/oauth/{provider}/start` and `/oauth/{provider}/callback`.
fn address(path: &str) -> Option<(Provider, Leg)> {
    let (_, rest) = path.split_once("/oauth/")?;
    let (provider, leg) = rest.split_once('/')?;
    let leg = match leg {
        "start" => Leg::Start,
        "callback" => Leg::Callback,
        _ => return None,
    };
    Some((Provider::parse(provider).ok()?, leg))
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
