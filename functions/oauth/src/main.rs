//! Consent in a browser: sends it to a provider's page and takes it back.

mod answer;

use bokbro_app::auth::{Unknown, caller_admit};
use bokbro_app::gate::TooMany;
use bokbro_app::oauth::{Callback, Started, oauth_callback, oauth_start};
use bokbro_app::orders::Refusal;
use bokbro_app::records;
use bokbro_app::secret::SecretText;
use bokbro_domain::ids::{CorrelationId, Provider};
use bokbro_pages::{Texts, consent};
use bokbro_runtime::Platform;
use bokbro_runtime::browser::{self, Cookie};
use bokbro_runtime::config::Role;
use bokbro_runtime::http::{correlation, request_handle};
use lambda_http::http::{HeaderMap, Method, header};
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};

/// What logs name.
const ROUTE: &str = "/oauth/{provider}/{leg}";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let platform = Platform::start(Role::Oauth).await?;
    run(service_fn(|request: Request| async {
        let method = request.method().clone();
        let answering = handle(&platform, request);
        Ok::<_, std::convert::Infallible>(
            request_handle(
                &platform.app.correlation(),
                &*platform.app.clock,
                method.as_str(),
                ROUTE,
                answering,
            )
            .await,
        )
    }))
    .await
}

async fn handle(platform: &Platform, request: Request) -> Response<Body> {
    let correlation = correlation(&platform.app);
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
        Leg::Start => match start(platform, &request, &provider, &origin).await {
            Ok(started) => answer::started(&started, accepts(&request, "application/json"), &correlation),
            Err(refused) if accepts(&request, "text/html") => {
                answer::refused_page(&refused, &request, texts(&request), &correlation)
            }
            Err(refused) => answer::refused(&refused, &correlation),
        },
        Leg::Callback => callback(platform, &request, &provider, &origin, &correlation).await,
    }
}

/// Why a consent is not begun.
enum Refused {
    /// Nobody says who they are.
    Unauthorized,
    /// Somebody who is no owner.
    Forbidden,
    /// Somebody who has come too often.
    TooMany(TooMany),
    /// `service` is neither true nor false.
    BadService,
    /// As other requests are refused.
    Refusal(Refusal),
}

impl From<Unknown> for Refused {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Stranger => Self::Unauthorized,
            Unknown::TooMany(many) => Self::TooMany(many),
            Unknown::Failed(error) => Self::Refusal(error.into()),
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

async fn start(
    platform: &Platform,
    request: &Request,
    provider: &Provider,
    origin: &str,
) -> Result<Started, Refused> {
    let session = Cookie::Session.read(request.headers());
    let authorization = header_text(request.headers(), "authorization");
    let from = browser::source(request.extensions());
    let caller = caller_admit(&platform.app, authorization, session.as_ref(), &from).await?;
    if caller.role < records::Role::Owner {
        return Err(Refused::Forbidden);
    }
    let service_account = match request.query_string_parameters().first("service") {
        None | Some("true") => true,
        Some("false") => false,
        Some(_) => return Err(Refused::BadService),
    };
    Ok(oauth_start(&platform.app, &caller.tenant, provider, service_account, origin).await?)
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
    let texts = texts(request);
    let page = consent::page(texts, &outcome, provider, correlation);
    let mut response = answer::page(consent::status(&outcome), page, texts);
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

fn texts(request: &Request) -> Texts {
    Texts::of(browser::language(request.headers()))
}

fn accepts(request: &Request, kind: &str) -> bool {
    header_text(request.headers(), header::ACCEPT.as_str()).is_some_and(|accept| accept.contains(kind))
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
