//! Every route in one list, each with who may call it: a route that says nothing of that does not compile.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use bokbro_app::auth::{Caller, caller_find};
use bokbro_app::records::Role;
use bokbro_runtime::Platform;
use bokbro_runtime::browser::Cookie;
use bokbro_runtime::problem::{Problem, json_response};
use serde_json::json;

use crate::api::{Api, correlation, failed};
use crate::{connections, keys, orders, pages, parked, settings, stock, work};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Whoever comes.
    Nothing,
    /// A caller with this role or a higher one.
    Role(Role),
    /// Somebody who is signed in, with this role or a higher one; others are taken to where they sign in.
    Page(Role),
    /// The same, with a form that one of our pages has sent.
    Form(Role),
}

/// One route.
struct Route {
    path: &'static str,
    needs: Needs,
    handler: MethodRouter<Arc<Platform>>,
}

fn route<H, T>(method: MethodFilter, path: &'static str, needs: Needs, handler: H) -> Route
where
    H: Handler<T, Arc<Platform>>,
    T: 'static,
{
    Route { path, needs, handler: on(method, handler) }
}

/// All routes of the JSON API.
fn routes() -> Vec<Route> {
    use MethodFilter as M;
    let open = Needs::Nothing;
    let [viewer, operator, bookkeeper, owner] =
        [Role::Viewer, Role::Operator, Role::Bookkeeper, Role::Owner].map(Needs::Role);
    let page = Needs::Page(Role::Viewer);
    let form = Needs::Form(Role::Viewer);
    vec![
        route(M::GET, "/health", open, health),
        route(M::GET, "/app/sign-in", open, pages::sign_in::page),
        route(M::GET, "/app/sign-in/start", open, pages::sign_in::start),
        route(M::GET, "/app/sign-in/callback", open, pages::sign_in::callback),
        route(M::GET, "/app/signed-out", open, pages::sign_in::signed_out),
        route(M::GET, "/app/assets/{name}", open, pages::asset),
        route(M::POST, "/app/sign-out", form, pages::sign_in::sign_out),
        route(M::POST, "/app/tenant", form, pages::sign_in::switch_tenant),
        route(M::POST, "/app/language", form, pages::sign_in::switch_language),
        route(M::GET, "/app", page, pages::orders::overview),
        route(M::GET, "/app/orders", page, pages::orders::list),
        route(M::GET, "/app/orders/{id}", page, pages::orders::detail),
        route(M::POST, "/app/orders/{id}/sync", Needs::Form(Role::Operator), pages::orders::sync),
        route(M::POST, "/app/orders/{id}/cancel", Needs::Form(Role::Operator), pages::orders::cancel),
        route(M::GET, "/app/parked", Needs::Page(Role::Bookkeeper), pages::work::parked),
        route(M::GET, "/app/parked/{id}", Needs::Page(Role::Bookkeeper), pages::work::parked_item),
        route(M::POST, "/app/parked/{id}/resolve", Needs::Form(Role::Bookkeeper), pages::work::resolve),
        route(M::GET, "/app/jobs", Needs::Page(Role::Bookkeeper), pages::work::jobs),
        route(M::GET, "/app/jobs/{id}", Needs::Page(Role::Bookkeeper), pages::work::job),
        route(M::GET, "/app/dead-letters", Needs::Page(Role::Operator), pages::work::dead_letters),
        route(M::POST, "/app/dead-letters/replay", Needs::Form(Role::Operator), pages::work::replay),
        route(M::GET, "/app/audit", Needs::Page(Role::Owner), pages::work::audit),
        route(M::GET, "/app/settings", Needs::Page(Role::Owner), pages::settings::page),
        route(M::POST, "/app/settings", Needs::Form(Role::Owner), pages::settings::change),
        route(M::GET, "/app/keys", Needs::Page(Role::Owner), pages::settings::keys),
        route(M::POST, "/app/keys", Needs::Form(Role::Owner), pages::settings::make_key),
        route(M::POST, "/app/keys/{id}/revoke", Needs::Form(Role::Owner), pages::settings::revoke_key),
        route(M::GET, "/app/connections", Needs::Page(Role::Bookkeeper), pages::connections::page),
        route(M::POST, "/app/connections/{provider}", Needs::Form(Role::Owner), pages::connections::enter),
        route(
            M::POST,
            "/app/connections/{provider}/check",
            Needs::Form(Role::Bookkeeper),
            pages::connections::check,
        ),
        route(
            M::POST,
            "/app/connections/{provider}/refresh",
            Needs::Form(Role::Bookkeeper),
            pages::connections::refresh,
        ),
        route(
            M::POST,
            "/app/connections/{provider}/sync",
            Needs::Form(Role::Bookkeeper),
            pages::connections::sync,
        ),
        route(
            M::POST,
            "/app/connections/{provider}/disconnect",
            Needs::Form(Role::Owner),
            pages::connections::disconnect,
        ),
        route(M::POST, "/v1/orders", operator, orders::post_order),
        route(M::GET, "/v1/orders", viewer, orders::list),
        route(M::POST, "/v1/orders/sync-pending", operator, orders::sync_pending),
        route(M::GET, "/v1/orders/{id}", viewer, orders::show),
        route(M::GET, "/v1/orders/{id}/timeline", viewer, orders::timeline),
        route(M::POST, "/v1/orders/{id}/sync", operator, orders::sync),
        route(M::POST, "/v1/orders/{id}/cancel", operator, orders::cancel),
        route(M::GET, "/v1/stock", viewer, stock::list),
        route(M::GET, "/v1/parked", bookkeeper, parked::list),
        route(M::POST, "/v1/parked/{id}/resolve", bookkeeper, parked::resolve),
        route(M::GET, "/v1/dead-letters", operator, work::dead_letters),
        route(M::POST, "/v1/dead-letters/replay", operator, work::replay),
        route(M::GET, "/v1/jobs", bookkeeper, work::jobs),
        route(M::GET, "/v1/jobs/{id}", bookkeeper, work::job),
        route(M::GET, "/v1/audit", owner, work::audit),
        route(M::GET, "/v1/settings", owner, settings::show),
        route(M::PUT, "/v1/settings", owner, settings::change),
        route(M::GET, "/v1/api-keys", owner, keys::list),
        route(M::POST, "/v1/api-keys", owner, keys::make),
        route(M::DELETE, "/v1/api-keys/{id}", owner, keys::revoke),
        route(M::GET, "/v1/connections", bookkeeper, connections::list),
        route(M::PUT, "/v1/connections/{provider}", owner, connections::enter),
        route(M::DELETE, "/v1/connections/{provider}", owner, connections::disconnect),
        route(M::GET, "/v1/connections/{provider}/health", bookkeeper, connections::health),
        route(M::POST, "/v1/connections/{provider}/refresh", bookkeeper, connections::refresh),
        route(M::POST, "/v1/connections/{provider}/sync", bookkeeper, connections::sync),
    ]
}

/// The routes as a service. Who calls is found before anything else is read.
pub(crate) fn router(platform: Arc<Platform>) -> Router {
    let mut router = Router::new();
    for Route { path, needs, handler } in routes() {
        let behind = |role| Guard { platform: platform.clone(), role };
        let handler = match needs {
            Needs::Nothing => handler,
            Needs::Role(role) => handler.layer(from_fn_with_state(behind(role), guard)),
            Needs::Page(role) => handler.layer(from_fn_with_state(behind(role), pages::page_guard)),
            Needs::Form(role) => handler.layer(from_fn_with_state(behind(role), pages::form_guard)),
        };
        router = router.route(path, handler);
    }
    router
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown)
        .layer(DefaultBodyLimit::disable())
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
    match caller_find(&platform.app, header, session.as_ref()).await {
        Ok(Some(caller)) if caller.role >= guard.role => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Ok(Some(Caller { .. })) => {
            let detail = format!("This needs the role {} or a higher one.", guard.role.as_str());
            Problem::new(StatusCode::FORBIDDEN, "forbidden", detail, &correlation(platform)).response()
        }
        Ok(None) => {
            let detail = "Send an API key: Authorization: Bearer bk_…";
            let problem =
                Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail, &correlation(platform));
            let mut response: Response = problem.response();
            let bearer = header::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
            response
        }
        Err(error) => failed(&error, &correlation(platform)),
    }
}

async fn health() -> Response<Body> {
    let body = json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") });
    json_response(200, "application/json", body.to_string())
}

async fn unknown(State(platform): Api) -> Response {
    let detail = "There is nothing at this path. GET /health answers; orders are under /v1/orders.";
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail, &correlation(&platform)).response()
}

async fn wrong_method(State(platform): Api, method: Method) -> Response {
    let detail = format!("This path does not take {method}.");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail, &correlation(&platform))
        .response()
}
