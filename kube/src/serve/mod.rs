//! `/livez`, `/healthz`, `/readyz`, `/metrics`, `/explain` and `/debug/dump` over HTTP, or HTTPS with a [certificate](tls).
//!
//! Who may read what: health and metrics are for everybody who reaches the port. Explanations and dumps name pods and quotas of
//! others, so they are for callers on the loopback interface alone: on the machine itself, or by `kubectl port-forward`, which the
//! API server grants by roles. A service that [authorizes](Service::authorizing) asks for a token: for metrics and dumps always, for
//! explanations from elsewhere.

mod ask;
pub mod board;
pub mod compat;
pub mod counts;
pub mod dump;
pub mod explain;
pub mod figures;
pub mod heard;
pub mod metric;
mod review;
pub mod tls;

use crate::{clock::Clock, settings::Settings, write::fence::Fence};
use board::{Board, Stage};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use kube::Client;
use review::{Outcome, Reviewer};
use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Duration};
use tls::Certificate;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Semaphore,
};
use tokio_rustls::TlsAcceptor;

/// How many connections there are at once at most.
const CONNECTIONS: usize = 64;
/// How many explanations and dumps are made at once at most.
const EXPLANATIONS: usize = 2;
/// How long a connection lasts at most, and how long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a TLS handshake or the head of a request may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long an explanation or a dump is waited for.
const EXPLAIN_PATIENCE: Duration = Duration::from_secs(10);

const LOCAL_ONLY: &str = "explanations and dumps are for callers on this machine: kubectl port-forward -n quotree-system deployment/quotree-scheduler 8080\n";

/// What answers are made of.
#[derive(Clone)]
pub struct Service {
    board: Board,
    clock: Clock,
    fence: Fence,
    explanations: Arc<Semaphore>,
    reviewer: Option<Reviewer>,
    /// The digest of the settings.
    config: Option<String>,
    tls: Option<TlsAcceptor>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("config", &self.config)
            .field("tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

impl Service {
    /// A service that shows this board. Whether this process leads, the fence says.
    #[must_use]
    pub fn new(board: Board, clock: Clock, fence: Fence) -> Self {
        let explanations = Arc::new(Semaphore::new(EXPLANATIONS));
        Self { board, clock, fence, explanations, reviewer: None, config: None, tls: None }
    }

    /// Shows in dumps by which settings the process runs, as a digest: replicas should have the same one.
    #[must_use]
    pub fn describing(mut self, settings: &Settings) -> Self {
        self.config = Some(settings.digest());
        self
    }

    /// Asks the API server whether the token of a caller lets them read.
    #[must_use]
    pub fn authorizing(mut self, client: Client) -> Self {
        self.reviewer = Some(Reviewer::new(client));
        self
    }

    /// Serves by TLS alone, with this certificate.
    ///
    /// # Errors
    /// If the library cannot be configured so.
    pub fn with_tls(mut self, certificate: &Arc<Certificate>) -> Result<Self, tokio_rustls::rustls::Error> {
        self.tls = Some(certificate.acceptor()?);
        Ok(self)
    }

    /// Serves for ever. A connection that cannot be taken is let go.
    pub async fn serve(self, listener: TcpListener) {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(permit) = room.clone().acquire_owned().await else { return };
            let Ok((stream, peer)) = listener.accept().await else {
                // Such as when there are no file descriptors.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let service = self.clone();
            tokio::spawn(async move {
                let talk = async {
                    let Some(tls) = service.tls.clone() else { return service.talk(stream, peer.ip()).await };
                    // Whoever does not speak TLS is let go.
                    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                        service.talk(stream, peer.ip()).await;
                    }
                };
                let _ = tokio::time::timeout(PATIENCE, talk).await;
                drop(permit);
            });
        }
    }

    /// Answers the requests of a connection until it ends.
    async fn talk(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send, peer: IpAddr) {
        let answer = service_fn(|request| async move { Ok::<_, Infallible>(self.answer(&request, peer).await) });
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(HANDSHAKE).max_buf_size(16 << 10);
        let _ = server.serve_connection(TokioIo::new(stream), answer).await;
    }

    async fn answer(&self, request: &Request<Incoming>, peer: IpAddr) -> Response<Full<Bytes>> {
        if request.method() != Method::GET {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET is served\n");
        }
        let (now, leads) = (self.clock.now(), self.fence.allows(self.clock.now()));
        match request.uri().path() {
            "/livez" | "/healthz" if self.board.is_alive(now) => text(StatusCode::OK, "ok\n"),
            "/livez" | "/healthz" => text(StatusCode::SERVICE_UNAVAILABLE, "the loop has not moved for a minute\n"),
            "/readyz" => match self.board.stage() {
                Stage::Decides => text(StatusCode::OK, "ok\n"),
                Stage::StandsBy => text(StatusCode::OK, "ok: another process leads\n"),
                Stage::Lists => text(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "not everything was listed yet, or there is no valid quota tree\n",
                ),
            },
            "/metrics" => {
                if let Some(refused) = self.refuses(request, "/metrics").await {
                    return refused;
                }
                typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", self.board.text(now, leads))
            }
            path @ ("/explain" | "/debug/dump") => {
                let is_local = is_local(request, peer);
                if self.reviewer.is_none() && !is_local {
                    return text(StatusCode::FORBIDDEN, LOCAL_ONLY);
                }
                // Whoever reaches the loopback interface may ask about a pod, but not read everything at once.
                if (path == "/debug/dump" || !is_local)
                    && let Some(refused) = self.refuses(request, path).await
                {
                    return refused;
                }
                let query = request.uri().query().unwrap_or_default();
                if path == "/explain" { self.explain(query).await } else { self.dump(query).await }
            }
            _ => text(
                StatusCode::NOT_FOUND,
                "try /healthz, /readyz, /metrics, /explain?pod=NAMESPACE/NAME or /debug/dump\n",
            ),
        }
    }

    /// The refusal of a caller who may not read a path, where that is asked.
    async fn refuses(&self, request: &Request<Incoming>, path: &str) -> Option<Response<Full<Bytes>>> {
        let reviewer = self.reviewer.as_ref()?;
        let header = request.headers().get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        let token = header.and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default();
        match reviewer.check(token, path).await {
            Outcome::Allowed => None,
            Outcome::Unknown => {
                let mut refused =
                    text(StatusCode::UNAUTHORIZED, "a token of the cluster is needed: Authorization: Bearer ..\n");
                refused.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                Some(refused)
            }
            Outcome::Forbidden => {
                let why = format!(
                    "no ClusterRole of this account lets it `get` the path {path} (nonResourceURLs); quotree-metrics-reader has /metrics, quotree-debug-reader /explain and /debug/dump\n"
                );
                Some(text(StatusCode::FORBIDDEN, why))
            }
            Outcome::Silent => {
                Some(text(StatusCode::SERVICE_UNAVAILABLE, "the API server does not say who may read\n"))
            }
        }
    }
}

/// Whether a request comes from this machine, and means it: a page in a browser could have another name lead here.
fn is_local(request: &Request<Incoming>, peer: IpAddr) -> bool {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    peer.to_canonical().is_loopback() && ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    typed(status, "text/plain; charset=utf-8", body)
}

fn typed(status: StatusCode, media: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
