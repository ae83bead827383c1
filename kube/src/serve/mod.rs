//! `/livez`, `/healthz`, `/readyz`, `/metrics` and `/explain` over HTTP.
//!
//! Who may read what: health and metrics are for everybody who reaches the port. Explanations name pods and quotas of others, so
//! they are for callers on the loopback interface alone: on the machine itself, or by `kubectl port-forward`, which the API
//! server grants by roles. A service that [authorizes](Service::authorizing) asks for a token, for metrics and for explanations from
//! elsewhere.

pub mod board;
pub mod explain;
pub mod figures;
pub mod heard;
pub mod metric;
mod review;

use crate::{clock::Clock, write::fence::Fence};
use board::{Board, Stage};
use bytes::Bytes;
use explain::{Answer, Question};
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
use tokio::{
    net::TcpListener,
    sync::{Semaphore, oneshot},
};

/// How many connections there are at once at most.
const CONNECTIONS: usize = 64;
/// How many explanations are made at once at most.
const EXPLANATIONS: usize = 2;
/// How long a connection lasts at most, and how long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest name that is looked for: that of a pod is at most 253 bytes.
const LONGEST: usize = 253;

/// What answers are made of.
#[derive(Debug, Clone)]
pub struct Service {
    board: Board,
    clock: Clock,
    fence: Fence,
    explanations: Arc<Semaphore>,
    reviewer: Option<Reviewer>,
}

impl Service {
    /// A service that shows this board. Whether this process leads, the fence says.
    #[must_use]
    pub fn new(board: Board, clock: Clock, fence: Fence) -> Self {
        Self { board, clock, fence, explanations: Arc::new(Semaphore::new(EXPLANATIONS)), reviewer: None }
    }

    /// Asks the API server whether the token of a caller lets them read.
    #[must_use]
    pub fn authorizing(mut self, client: Client) -> Self {
        self.reviewer = Some(Reviewer::new(client));
        self
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
                let answer = service_fn(|request| {
                    let service = service.clone();
                    async move { Ok::<_, Infallible>(service.answer(&request, peer.ip()).await) }
                });
                let mut server = http1::Builder::new();
                server.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(5)).max_buf_size(16 << 10);
                let _ = tokio::time::timeout(PATIENCE, server.serve_connection(TokioIo::new(stream), answer)).await;
                drop(permit);
            });
        }
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
            "/explain" if !is_local(request, peer) && self.reviewer.is_some() => {
                match self.refuses(request, "/explain").await {
                    Some(refused) => refused,
                    None => self.explain(request.uri().query().unwrap_or_default()).await,
                }
            }
            "/explain" if !is_local(request, peer) => text(
                StatusCode::FORBIDDEN,
                "explanations are for callers on this machine: kubectl port-forward -n quotree-system deployment/quotree-scheduler 8080\n",
            ),
            "/explain" => self.explain(request.uri().query().unwrap_or_default()).await,
            _ => text(StatusCode::NOT_FOUND, "try /healthz, /readyz, /metrics or /explain?pod=NAMESPACE/NAME\n"),
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
                    "no ClusterRole of this account lets it `get` the path {path} (nonResourceURLs); quotree-metrics-reader has /metrics\n"
                );
                Some(text(StatusCode::FORBIDDEN, why))
            }
            Outcome::Silent => {
                Some(text(StatusCode::SERVICE_UNAVAILABLE, "the API server does not say who may read\n"))
            }
        }
    }

    async fn explain(&self, query: &str) -> Response<Full<Bytes>> {
        const USE: &str = "ask /explain?pod=NAMESPACE/NAME, with &format=json for JSON\n";
        let of = |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        let pod = of("pod").map(|pod| pod.replace("%2F", "/").replace("%2f", "/"));
        let json = match of("format") {
            None | Some("text") => false,
            Some("json") => true,
            Some(_) => return text(StatusCode::BAD_REQUEST, USE),
        };
        let Some((namespace, name)) = pod.as_deref().and_then(|pod| pod.split_once('/')) else {
            return text(StatusCode::BAD_REQUEST, USE);
        };
        let is_name = |text: &str| {
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
            !text.is_empty() && text.len() <= LONGEST && text.bytes().all(fits)
        };
        if !is_name(namespace) || !is_name(name) {
            return text(StatusCode::BAD_REQUEST, USE);
        }
        let busy = || {
            text(
                StatusCode::SERVICE_UNAVAILABLE,
                "nobody decides here, or too many ask: try again, or ask the leader\n",
            )
        };
        let Ok(_permit) = self.explanations.try_acquire() else { return busy() };
        let (sender, receiver) = oneshot::channel();
        let question = Question { namespace: namespace.to_owned(), name: name.to_owned(), answer: sender };
        if self.board.ask(question).is_err() {
            return busy();
        }
        let Ok(Ok(answer)) = tokio::time::timeout(PATIENCE / 3, receiver).await else { return busy() };
        let Some(answer) = answer else {
            return text(StatusCode::NOT_FOUND, "there is no such pod, as far as the watch has shown\n");
        };
        if json {
            return typed(StatusCode::OK, "application/json", Answer::json(&answer).to_string());
        }
        text(StatusCode::OK, answer.text())
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
