//! Every route in one list, each with who may call it and, in the API, with what it promises: a route that says nothing of
//! that does not compile.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use bokbro_app::auth::{Unknown, caller_admit};
use bokbro_app::contract::{self, Build, Described, Operation, Verb};
use bokbro_app::records::{self, Role};
use bokbro_domain::ids::CorrelationId;
use bokbro_runtime::Platform;
use bokbro_runtime::browser::{Cookie, source};
use bokbro_runtime::problem::{Problem, json_response, too_many};

use crate::api::{Api, correlation, failed, logged};
use crate::{connections, health, keys, orders, pages, parked, settings, stock, work};

/// Who may call a route, and what a route of the API promises: none is without.
#[derive(Clone, Copy)]
enum Needs {
    /// Whoever comes, to the API.
    Nothing(&'static Operation),
    /// A caller of the API with this role or a higher one.
    Role(Role, &'static Operation),
    /// Whoever comes, to a page.
    Visit,
    /// Whoever comes to sign in, not too often from one address.
    SignIn,
    /// Somebody who is signed in, with this role or a higher one; others are taken to where they sign in.
    Page(Role),
    /// The same, with a form that one of our pages has sent.
    Form(Role),
}

/// One route.
struct Route {
    verb: Verb,
    path: &'static str,
    needs: Needs,
    handler: MethodRouter<Arc<Platform>>,
}

fn route<H, T>(verb: Verb, path: &'static str, needs: Needs, handler: H) -> Route
where
    H: Handler<T, Arc<Platform>>,
    T: 'static,
{
    let method = match verb {
        Verb::Get => MethodFilter::GET,
        Verb::Post => MethodFilter::POST,
        Verb::Put => MethodFilter::PUT,
        Verb::Delete => MethodFilter::DELETE,
    };
    Route { verb, path, needs, handler: on(method, handler) }
}

/// All routes.
fn routes() -> Vec<Route> {
    pages().into_iter().chain(api()).collect()
}

/// Pages for people.
fn pages() -> Vec<Route> {
    use Needs::{Form, Page, SignIn, Visit};
    use Role::{Bookkeeper, Operator, Owner, Viewer};
    use Verb::{Get, Post};
    vec![
        route(Get, "/app/sign-in", Visit, pages::sign_in::page),
        route(Get, "/app/sign-in/start", SignIn, pages::sign_in::start),
        route(Get, "/app/sign-in/callback", SignIn, pages::sign_in::callback),
        route(Get, "/app/signed-out", Visit, pages::sign_in::signed_out),
        route(Get, "/app/assets/{name}", Visit, pages::asset),
        route(Post, "/app/sign-out", Form(Viewer), pages::sign_in::sign_out),
        route(Post, "/app/tenant", Form(Viewer), pages::sign_in::switch_tenant),
        route(Post, "/app/language", Form(Viewer), pages::sign_in::switch_language),
        route(Get, "/app", Page(Viewer), pages::orders::overview),
        route(Get, "/app/guide", Page(Viewer), pages::orders::guide),
        route(Get, "/app/orders", Page(Viewer), pages::orders::list),
        route(Post, "/app/orders/test", Form(Operator), pages::orders::test),
        route(Get, "/app/orders/{id}", Page(Viewer), pages::orders::detail),
        route(Post, "/app/orders/{id}/sync", Form(Operator), pages::orders::sync),
        route(Post, "/app/orders/{id}/cancel", Form(Operator), pages::orders::cancel),
        route(Get, "/app/parked", Page(Bookkeeper), pages::work::parked),
        route(Get, "/app/parked/{id}", Page(Bookkeeper), pages::work::parked_item),
        route(Post, "/app/parked/{id}/resolve", Form(Bookkeeper), pages::work::resolve),
        route(Get, "/app/jobs", Page(Bookkeeper), pages::work::jobs),
        route(Get, "/app/jobs/{id}", Page(Bookkeeper), pages::work::job),
        route(Get, "/app/dead-letters", Page(Operator), pages::work::dead_letters),
        route(Post, "/app/dead-letters/replay", Form(Operator), pages::work::replay),
        route(Get, "/app/api", Page(Viewer), pages::api::page),
        route(Get, "/app/audit", Page(Owner), pages::work::audit),
        route(Get, "/app/settings", Page(Owner), pages::settings::page),
        route(Post, "/app/settings", Form(Owner), pages::settings::change),
        route(Get, "/app/keys", Page(Owner), pages::settings::keys),
        route(Post, "/app/keys", Form(Owner), pages::settings::make_key),
        route(Post, "/app/keys/{id}/revoke", Form(Owner), pages::settings::revoke_key),
        route(Get, "/app/connections", Page(Bookkeeper), pages::connections::page),
        route(Post, "/app/connections/{provider}", Form(Owner), pages::connections::enter),
        route(Post, "/app/connections/{provider}/check", Form(Bookkeeper), pages::connections::check),
        route(Post, "/app/connections/{provider}/refresh", Form(Bookkeeper), pages::connections::refresh),
        route(Post, "/app/connections/{provider}/sync", Form(Bookkeeper), pages::connections::sync),
        route(Post, "/app/connections/{provider}/disconnect", Form(Owner), pages::connections::disconnect),
    ]
}

/// The JSON API.
fn api() -> Vec<Route> {
    use Needs::{Nothing, Role};
    use Verb::{Delete, Get, Post, Put};
    use records::Role::{Bookkeeper, Operator, Owner, Viewer};
    vec![
        route(Get, "/health", Nothing(&contract::HEALTH), health::shallow),
        route(Get, "/health/deep", Role(Operator, &contract::HEALTH_DEEP), health::deep),
        route(Get, "/openapi.json", Nothing(&contract::CONTRACT), document),
        route(Post, "/v1/orders", Role(Operator, &contract::ORDER_POST), orders::post_order),
        route(Get, "/v1/orders", Role(Viewer, &contract::ORDERS_LIST), orders::list),
        route(Post, "/v1/orders/sync-pending", Role(Operator, &contract::ORDERS_SYNC), orders::sync_pending),
        route(Post, "/v1/orders/test", Role(Operator, &contract::ORDER_TEST), orders::test),
        route(Get, "/v1/orders/{id}", Role(Viewer, &contract::ORDER_SHOW), orders::show),
        route(Get, "/v1/orders/{id}/timeline", Role(Viewer, &contract::ORDER_TIMELINE), orders::timeline),
        route(Post, "/v1/orders/{id}/sync", Role(Operator, &contract::ORDER_SYNC), orders::sync),
        route(Post, "/v1/orders/{id}/cancel", Role(Operator, &contract::ORDER_CANCEL), orders::cancel),
        route(Get, "/v1/stock", Role(Viewer, &contract::STOCK_LIST), stock::list),
        route(Get, "/v1/parked", Role(Bookkeeper, &contract::PARKED_LIST), parked::list),
        route(Post, "/v1/parked/{id}/resolve", Role(Bookkeeper, &contract::PARKED_RESOLVE), parked::resolve),
        route(Get, "/v1/dead-letters", Role(Operator, &contract::DEAD_LETTERS_LIST), work::dead_letters),
        route(Post, "/v1/dead-letters/replay", Role(Operator, &contract::DEAD_LETTERS_REPLAY), work::replay),
        route(Get, "/v1/jobs", Role(Bookkeeper, &contract::JOBS_LIST), work::jobs),
        route(Get, "/v1/jobs/{id}", Role(Bookkeeper, &contract::JOB_SHOW), work::job),
        route(Get, "/v1/audit", Role(Owner, &contract::AUDIT_LIST), work::audit),
        route(Get, "/v1/settings", Role(Owner, &contract::SETTINGS_SHOW), settings::show),
        route(Put, "/v1/settings", Role(Owner, &contract::SETTINGS_CHANGE), settings::change),
        route(Get, "/v1/api-keys", Role(Owner, &contract::API_KEYS_LIST), keys::list),
        route(Post, "/v1/api-keys", Role(Owner, &contract::API_KEY_MAKE), keys::make),
        route(Delete, "/v1/api-keys/{id}", Role(Owner, &contract::API_KEY_REVOKE), keys::revoke),
        route(Get, "/v1/connections", Role(Bookkeeper, &contract::CONNECTIONS_LIST), connections::list),
        route(
            Put,
            "/v1/connections/{provider}",
            Role(Owner, &contract::CONNECTION_ENTER),
            connections::enter,
        ),
        route(
            Delete,
            "/v1/connections/{provider}",
            Role(Owner, &contract::CONNECTION_DISCONNECT),
            connections::disconnect,
        ),
        route(
            Get,
            "/v1/connections/{provider}/health",
            Role(Bookkeeper, &contract::CONNECTION_CHECK),
            connections::health,
        ),
        route(
            Post,
            "/v1/connections/{provider}/refresh",
            Role(Bookkeeper, &contract::CONNECTION_REFRESH),
            connections::refresh,
        ),
        route(
            Post,
            "/v1/connections/{provider}/sync",
            Role(Bookkeeper, &contract::CONNECTION_SYNC),
            connections::sync,
        ),
    ]
}

/// What the API promises, that of the functions beside this one too.
pub(crate) fn described() -> Vec<Described> {
    let promised = |route: Route| {
        let Route { verb, path, needs, .. } = route;
        let (role, operation) = match needs {
            Needs::Nothing(operation) => (None, operation),
            Needs::Role(role, operation) => (Some(role), operation),
            Needs::Visit | Needs::SignIn | Needs::Page(_) | Needs::Form(_) => return None,
        };
        Some(Described { verb, path, role, operation })
    };
    api().into_iter().filter_map(promised).chain(contract::ELSEWHERE).collect()
}

/// The routes as a service. Who calls is found before anything else is read.
pub(crate) fn router(platform: Arc<Platform>) -> Router {
    let mut router = Router::new();
    for Route { path, needs, handler, .. } in routes() {
        let behind = |role| Guard { platform: platform.clone(), role };
        let handler = match needs {
            Needs::Nothing(_) | Needs::Visit => handler,
            Needs::SignIn => handler.layer(from_fn_with_state(platform.clone(), pages::sign_in::guard)),
            Needs::Role(role, _) => handler.layer(from_fn_with_state(behind(role), guard)),
            Needs::Page(role) => handler.layer(from_fn_with_state(behind(role), pages::page_guard)),
            Needs::Form(role) => handler.layer(from_fn_with_state(behind(role), pages::form_guard)),
        };
        router = router.route(path, handler);
    }
    router
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown)
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(pages::protect))
        .layer(from_fn_with_state(platform.clone(), logged))
        .with_state(platform)
}

/// What stands before a route.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) platform: Arc<Platform>,
    pub(crate) role: Role,
}

async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let platform = &guard.platform;
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let session = Cookie::Session.read(request.headers());
    let from = source(request.extensions());
    let caller = match caller_admit(&platform.app, header, session.as_ref(), &from).await {
        Ok(caller) => caller,
        Err(Unknown::Stranger) => return unauthorized(&correlation(platform)),
        Err(Unknown::TooMany(many)) => return too_many(many, &correlation(platform)),
        Err(Unknown::Failed(error)) => return failed(&error, &correlation(platform)),
    };
    // A browser sends the cookie along whoever asks it to; only our own pages know the token.
    if header.is_none()
        && let Some(cookie) = &session
        && !request.method().is_safe()
        && !pages::own_token(platform, cookie, request.headers()).await
    {
        let detail = "Send the session's form token in the header X-Form-Token, or an API key.";
        let correlation = correlation(platform);
        return Problem::new(StatusCode::FORBIDDEN, "form_token_missing", detail, &correlation).response();
    }
    if caller.role < guard.role {
        let detail = format!("This needs the role {} or a higher one.", guard.role.as_str());
        return Problem::new(StatusCode::FORBIDDEN, "forbidden", detail, &correlation(platform)).response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

fn unauthorized(correlation: &CorrelationId) -> Response {
    let detail = "Send an API key: Authorization: Bearer bk_…";
    let mut response: Response =
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail, correlation).response();
    let bearer = header::HeaderValue::from_static("Bearer");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
    response
}

async fn document(State(platform): Api) -> Response<Body> {
    let build = Build::of(&*platform.app.providers);
    let document = contract::openapi(&described(), &build);
    json_response(200, "application/json", document.to_string())
}

async fn unknown(State(platform): Api) -> Response {
    let detail = "There is nothing at this path. GET /openapi.json tells what there is.";
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail, &correlation(&platform)).response()
}

async fn wrong_method(State(platform): Api, method: Method) -> Response {
    let detail = format!("This path does not take {method}.");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail, &correlation(&platform))
        .response()
}
