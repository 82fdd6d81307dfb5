//! What every HTTP request has: a correlation id, and one line in the log when it is answered.

use std::future::Future;

use bokbro_app::app::App;
use bokbro_app::ports::Clock;
use bokbro_domain::ids::CorrelationId;
use http::Response;
use tracing::Instrument as _;

tokio::task_local! {
    static CORRELATION: CorrelationId;
}

/// The correlation id of the request that is being answered; a new one outside of any.
#[must_use]
pub fn correlation(app: &App) -> CorrelationId {
    CORRELATION.try_with(CorrelationId::clone).unwrap_or_else(|_| app.correlation())
}

/// Answers a request and logs one line about it. `route` is the path's pattern: the path itself may hold what opens a
/// door. Whoever finds out whose request it is says so with [`tracing::Span::record`].
pub async fn request_handle<B>(
    correlation: &CorrelationId,
    clock: &dyn Clock,
    method: &str,
    route: &str,
    answering: impl Future<Output = Response<B>>,
) -> Response<B> {
    let span = tracing::info_span!("request", %correlation, method, route, tenant = tracing::field::Empty);
    let started = clock.now();
    let answered = async {
        let response = CORRELATION.scope(correlation.clone(), answering).await;
        let status = response.status().as_u16();
        let duration_ms = clock.now().duration_since(started).as_millis();
        if response.status().is_server_error() {
            tracing::error!(status, duration_ms, "request handled");
        } else {
            tracing::info!(status, duration_ms, "request handled");
        }
        response
    };
    answered.instrument(span).await
}
