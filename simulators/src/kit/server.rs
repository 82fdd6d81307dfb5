//! The local HTTP server of a simulator, which can break a client's connection at will.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::faults::{Fault, Kind, When};
use super::log::RequestLine;
use super::{Kit, SharedProvider, control};

/// Starts simulators.
pub struct Server;

impl Server {
    /// Serves the provider's routes and the kit's `/_sim` routes on 127.0.0.1, on a free port when `port` is `None`.
    ///
    /// # Errors
    /// When the port cannot be bound.
    pub async fn start(
        port: Option<u16>,
        kit: Kit,
        provider: SharedProvider,
        routes: Router,
    ) -> io::Result<Running> {
        let listener = TcpListener::bind(("127.0.0.1", port.unwrap_or(0))).await?;
        let address = listener.local_addr()?;
        let app = routes
            .layer(middleware::from_fn_with_state(kit.clone(), misbehave))
            .merge(control::routes(kit, provider))
            .into_make_service_with_connect_info::<Wire>();
        let (shutdown, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            axum::serve(Severable(listener), app)
                .with_graceful_shutdown(async {
                    // Dropping the sender stops the server as well as sending does.
                    stopped.await.ok();
                })
                .await
        });
        Ok(Running { url: format!("http://{address}"), shutdown: Some(shutdown), task: Some(task) })
    }
}

/// A server that runs until it is stopped or dropped.
pub struct Running {
    /// Its origin without a trailing slash, for example `http://127.0.0.1:40123`.
    pub url: String,
    shutdown: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    /// Stops the server and waits until it has let go of its port.
    pub async fn stop(mut self) {
        self.shutdown.take();
        if let Some(task) = self.task.take() {
            // The task ends with an error only when it panicked or was aborted; either way it is gone.
            task.await.ok();
        }
    }
}

/// Runs the request through the fault that is scripted for it, if any, and writes the log.
async fn misbehave(
    State(kit): State<Kit>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
    next: Next,
) -> Response {
    // Providers add `/_sim` routes of their own, which are no more counted or faulted than the kit's.
    if request.uri().path().starts_with("/_sim/") {
        return next.run(request).await;
    }
    let method = request.method().to_string();
    let path = request.uri().path().to_owned();
    let target = request.uri().path_and_query().map_or_else(|| path.clone(), ToString::to_string);
    let route = request.extensions().get::<MatchedPath>().map_or(path.as_str(), MatchedPath::as_str);
    kit.log.count(format!("{method} {}", route.trim_end_matches('/')));

    let fault = kit.faults.take(&method, &path);
    let response = match &fault {
        None => next.run(request).await,
        Some(fault) => {
            let runs = match fault.kind {
                Kind::DropAfterCommit | Kind::Delay => true,
                Kind::Reset => false,
                Kind::Status | Kind::Body => fault.when == When::After,
            };
            let answer = if runs { next.run(request).await } else { Response::default() };
            tokio::time::sleep(Duration::from_millis(fault.delay_ms.unwrap_or(0))).await;
            match fault.kind {
                Kind::Status => scripted(fault, 500),
                Kind::Body => scripted(fault, 200),
                Kind::DropAfterCommit | Kind::Reset => {
                    wire.cut();
                    answer
                }
                Kind::Delay => answer,
            }
        }
    };
    let status = (!wire.is_cut()).then(|| response.status().as_u16());
    kit.log.push(RequestLine { method, path: target, status, at: kit.clock.now() });
    response
}

fn scripted(fault: &Fault, default_status: u16) -> Response {
    let mut response = Response::new(Body::from(fault.body.clone().unwrap_or_default()));
    *response.status_mut() = StatusCode::from_u16(fault.status.unwrap_or(default_status))
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = fault.content_type.as_deref().unwrap_or("application/json");
    for (name, value) in
        [(header::CONTENT_TYPE, Some(content_type)), (header::RETRY_AFTER, fault.retry_after.as_deref())]
    {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// One client's connection, as far as a fault may break it.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<AtomicBool>);

impl Wire {
    /// Lets every later read and write fail, so that whatever answer is under way never leaves.
    pub(crate) fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_cut(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Connected<IncomingStream<'_, Severable>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Severable>) -> Self {
        stream.io().wire.clone()
    }
}

/// A listener whose connections can be cut.
pub(crate) struct Severable(pub(crate) TcpListener);

impl Listener for Severable {
    type Io = SeverableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (SeverableStream { stream, wire: Wire::default() }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A connection that fails once it is cut, so that the client sees a reset instead of an answer.
pub(crate) struct SeverableStream {
    stream: TcpStream,
    wire: Wire,
}

impl SeverableStream {
    fn check(&self) -> io::Result<()> {
        if self.wire.is_cut() {
            // Without this the client would see an orderly close; a lost connection is not orderly.
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for SeverableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for SeverableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
