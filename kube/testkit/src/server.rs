//! The server: a store behind a lock, its faults, its journal, and two ways in: a [`tower::Service`] in the same process,
//! and HTTP on loopback.

use crate::{
    access::{Tokens, User},
    faults::{Fault, Faults, Rule, Verb},
    http::{Call, Reply, answer, stream},
    journal::Record,
    refusal::Refusal,
    store::Store,
    trap::{Moment, Trap, Traps},
};
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde_json::Value;
use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// The connection ended before the answer was there, or in the middle of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection was cut")]
pub struct Cut;

/// The body of an answer.
pub type Body = UnsyncBoxBody<Bytes, Cut>;

#[derive(Debug)]
struct State {
    store: Store,
    tokens: Tokens,
    faults: Faults,
    traps: Traps,
    journal: Vec<Record>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<()>,
    /// How often all open watches were cut.
    cuts: AtomicU64,
}

/// A Kubernetes API server in memory. Clones are the same server. Its time stands still until [`advance`] moves it.
///
/// [`advance`]: FakeServer::advance
#[derive(Debug, Clone)]
pub struct FakeServer {
    shared: Arc<Shared>,
}

impl Default for FakeServer {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeServer {
    /// A new server, in which nothing goes wrong.
    pub fn new() -> Self {
        Self::with_faults(Faults::none())
    }

    /// A new server with faults.
    pub fn with_faults(faults: Faults) -> Self {
        Self::of(Store::new(), faults)
    }

    /// A server that goes on from the state of another.
    pub fn of(store: Store, faults: Faults) -> Self {
        let state = State { store, tokens: Tokens::default(), faults, traps: Traps::default(), journal: Vec::new() };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                changed: watch::Sender::new(()),
                cuts: AtomicU64::new(0),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whenever the store or the time changed.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.shared.changed.subscribe()
    }

    /// Reads the store, or changes it past the API. Open watches see what changed.
    pub fn with_store<T>(&self, work: impl FnOnce(&mut Store) -> T) -> T {
        let mut state = self.lock();
        let before = (state.store.revision(), state.store.now());
        let result = work(&mut state.store);
        let moved = before != (state.store.revision(), state.store.now());
        drop(state);
        if moved {
            self.shared.changed.send_replace(());
        }
        result
    }

    /// Lets time pass: watches end, bookmarks come, tokens expire.
    pub fn advance(&self, by: Duration) {
        self.with_store(|store| store.advance(by));
    }

    /// The time of the server.
    pub fn now(&self) -> Timestamp {
        self.lock().store.now()
    }

    /// Lets the time of the server pass as that of the machine does, until the handle is dropped.
    pub fn run_clock(&self) -> Running {
        let server = self.clone();
        Running(tokio::spawn(async move {
            let mut last = Instant::now();
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let now = Instant::now();
                server.advance(now.duration_since(last));
                last = now;
            }
        }))
    }

    /// Adds a fault.
    pub fn add_fault(&self, rule: Rule) {
        self.lock().faults.add(rule);
    }

    /// Puts these faults in place of those that there are.
    pub fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// Cuts all watches that are open.
    pub fn cut_watches(&self) {
        self.shared.cuts.fetch_add(1, Ordering::AcqRel);
        self.shared.changed.send_replace(());
    }

    /// How often all watches were cut.
    pub(crate) fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::Acquire)
    }

    /// Adds a trap.
    pub fn add_trap(&self, trap: Trap) {
        self.lock().traps.add(trap);
    }

    /// Removes the traps that nobody has sprung.
    pub fn clear_traps(&self) {
        self.lock().traps.clear();
    }

    /// All requests since the last call, the oldest first.
    pub fn take_journal(&self) -> Vec<Record> {
        std::mem::take(&mut self.lock().journal)
    }

    /// The service of a user, for clients in the same process.
    pub fn service(&self, user: User) -> FakeService {
        FakeService { server: self.clone(), user, process: Arc::from("") }
    }

    /// A client in the same process, for the administrator. Needs a Tokio runtime.
    pub fn client(&self) -> kube::Client {
        self.client_of(User::admin())
    }

    /// A client in the same process, for a user. Unlike the client that kube makes from a configuration, it sends
    /// nothing twice.
    pub fn client_of(&self, user: User) -> kube::Client {
        kube::Client::new(self.service(user), "default")
    }

    /// A client in the same process, for one of several processes of a user. The journal names it.
    pub fn client_of_process(&self, user: User, process: &str) -> kube::Client {
        kube::Client::new(FakeService { process: Arc::from(process), ..self.service(user) }, "default")
    }

    /// Serves HTTP on a free port of loopback, until the handle is dropped. All who connect are administrators, unless
    /// they bring a token or impersonate.
    pub async fn listen(&self) -> io::Result<Listening> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let service = self.service(User::admin());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let handler = hyper::service::service_fn(move |request| service.clone().respond(request));
                    // An error is a connection that ended: the other side sees it, too.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), handler)
                        .await;
                });
            }
        });
        Ok(Listening { address, _task: Running(task) })
    }
}

/// Something that runs until this is dropped.
#[derive(Debug)]
pub struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A server on loopback. Connections that are open stay open when it is dropped.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    _task: Running,
}

impl Listening {
    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The configuration of a client.
    ///
    /// # Errors
    ///
    /// None in practice: the address is a URL.
    pub fn config(&self) -> Result<kube::Config, http::uri::InvalidUri> {
        Ok(kube::Config::new(self.url().parse()?))
    }
}

/// The server as a service of one user.
#[derive(Debug, Clone)]
pub struct FakeService {
    server: FakeServer,
    user: User,
    /// Which of the user's processes asks; empty if that is not said.
    process: Arc<str>,
}

impl FakeService {
    async fn respond<B>(self, request: Request<B>) -> Result<Response<Body>, Cut>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
    {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let outcome = Call::read(&parts, &body).and_then(|call| self.carry_out(&call));
        match outcome {
            Ok(Outcome::Reply(Reply::Json(code, value))) => json(code, &value, None),
            Ok(Outcome::Reply(Reply::Text(text))) => respond(200, "text/plain", full(text), None),
            Ok(Outcome::Reply(Reply::Watch(_)) | Outcome::Silent) => std::future::pending().await,
            Ok(Outcome::Watch(body)) => respond(200, "application/json", body, None),
            Ok(Outcome::Cut) => Err(Cut),
            Err(refusal) => json(refusal.code, &refusal.status(), refusal.retry_after()),
        }
    }

    /// Carries out a call with its fault, and writes the journal.
    fn carry_out(&self, call: &Call) -> Result<Outcome, Refusal> {
        let mut state = self.server.lock();
        let State { store, tokens, faults, traps, journal } = &mut *state;
        let user = self.user_of(store, tokens, call)?;
        let target = call.target(store.kinds()).ok();
        let verb = target.as_ref().and_then(|target| call.verb(target).ok());
        let resource = target.as_ref().map_or_else(String::new, |target| target.resource());
        let fault = verb.and_then(|verb| faults.of(verb, &resource));
        let trap = verb.filter(|verb| verb.writes()).and_then(|_| traps.of(&user.name, &resource));
        let key = target.as_ref().map(|target| (target.namespace.clone(), target.name.clone())).unwrap_or_default();
        let (mut trap, mut hangs, start) = (trap, false, store.revision());
        if let Some(trap) = trap.take_if(|trap| trap.moment() == Moment::Before) {
            hangs = trap.spring(store, &key.0, &key.1);
        }
        let before = store.revision();
        if before > start {
            self.server.shared.changed.send_replace(());
        }
        if hangs {
            note(journal, (call, &self.process), &user, verb, &target, (0, true), (before, before), None);
            return Ok(Outcome::Silent);
        }
        if let Some((fault, false)) = fault.as_ref().filter(|(fault, _)| !matches!(fault, Fault::Watch(_))) {
            note(journal, (call, &self.process), &user, verb, &target, (0, true), (before, before), None);
            return broken(fault);
        }
        let reply = answer(store, tokens, call, &user);
        let after = store.revision();
        let code = match &reply {
            Ok(Reply::Json(code, _)) => *code,
            Ok(_) => 200,
            Err(refusal) => refusal.code,
        };
        let object = match &reply {
            Ok(Reply::Json(_, object)) => Some(object),
            _ => None,
        };
        let asked = (call, &*self.process);
        note(journal, asked, &user, verb, &target, (code, fault.is_some()), (before, after), object);
        if let Some(trap) = trap {
            hangs = trap.spring(store, &key.0, &key.1);
        }
        let after = store.revision();
        drop(state);
        if after > before {
            self.server.shared.changed.send_replace(());
        }
        if hangs {
            return Ok(Outcome::Silent);
        }
        match (reply, fault) {
            (Ok(Reply::Watch(watch)), fault) => {
                let fault = match fault {
                    Some((Fault::Watch(fault), _)) => Some(fault),
                    Some((fault, _)) => return broken(&fault),
                    None => None,
                };
                let lines = stream::lines(self.server.clone(), *watch, fault);
                let frames = futures::StreamExt::map(lines, |line| line.map(hyper::body::Frame::data));
                Ok(Outcome::Watch(BodyExt::boxed_unsync(StreamBody::new(frames))))
            }
            (reply, None | Some((Fault::Watch(_), _))) => Ok(Outcome::Reply(reply?)),
            (_, Some((fault, _))) => broken(&fault),
        }
    }

    fn user_of(&self, store: &Store, tokens: &Tokens, call: &Call) -> Result<User, Refusal> {
        let user = match &call.token {
            Some(token) => {
                tokens.user(store, token).ok_or_else(|| Refusal::new(401, "Unauthorized", "Unauthorized"))?
            }
            None => self.user.clone(),
        };
        match &call.impersonated {
            Some(other) if user.groups.iter().any(|group| group == "system:masters") => Ok(other.clone()),
            Some(other) => {
                let why = format!("User \"{}\" cannot impersonate resource \"users\"", user.name);
                Err(Refusal::forbidden("users", &other.name, &why))
            }
            None => Ok(user),
        }
    }
}

enum Outcome {
    Reply(Reply),
    Watch(Body),
    Cut,
    Silent,
}

fn broken(fault: &Fault) -> Result<Outcome, Refusal> {
    match fault {
        Fault::Cut | Fault::Watch(_) => Ok(Outcome::Cut),
        Fault::Silence => Ok(Outcome::Silent),
        Fault::Status(code, retry_after) => Err(Refusal::from_code(*code, *retry_after)),
    }
}

#[allow(clippy::too_many_arguments)]
fn note(
    journal: &mut Vec<Record>,
    (call, process): (&Call, &str),
    user: &User,
    verb: Option<Verb>,
    target: &Option<crate::http::Target>,
    (code, faulty): (u16, bool),
    (before, after): (u64, u64),
    answered: Option<&Value>,
) {
    let (Some(verb), Some(target)) = (verb, target) else { return };
    let name = match (target.name.as_str(), answered) {
        ("", Some(object)) if verb == Verb::Create => crate::value::name(object).to_owned(),
        (name, _) => name.to_owned(),
    };
    journal.push(Record {
        user: user.name.clone(),
        process: process.to_owned(),
        manager: crate::http::answer::manager(call),
        verb,
        resource: target.resource(),
        namespace: target.namespace.clone(),
        name,
        code,
        faulty,
        before,
        after,
    });
}

fn full(text: impl Into<Bytes>) -> Body {
    BodyExt::boxed_unsync(Full::new(text.into()).map_err(|never: Infallible| match never {}))
}

fn json(code: u16, value: &Value, retry_after: Option<u64>) -> Result<Response<Body>, Cut> {
    respond(code, "application/json", full(value.to_string()), retry_after)
}

fn respond(code: u16, media: &str, body: Body, retry_after: Option<u64>) -> Result<Response<Body>, Cut> {
    let mut response = Response::builder().status(code).header(header::CONTENT_TYPE, media);
    if let Some(seconds) = retry_after {
        response = response.header(header::RETRY_AFTER, seconds);
    }
    response.body(body).map_err(|_| Cut)
}

impl<B> tower::Service<Request<B>> for FakeService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = Cut;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Cut>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Cut>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(self.clone().respond(request))
    }
}
