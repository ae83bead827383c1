//! Questions to the loop: `/explain` and `/debug/dump`. The loop hands them over to a twin of its core, and goes on.

use super::{
    EXPLAIN_PATIENCE, Service,
    board::{Query, Stage},
    dump::{FORMAT, LIMIT, MOST, Page, Request, seconds, stamp, text as dump_text},
    explain::{Answer, Question},
    text, typed,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

/// The longest name that is looked for: that of a pod is at most 253 bytes.
const LONGEST: usize = 253;

/// The value of a key in the query of a request.
fn value_of<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}

fn busy() -> Response<Full<Bytes>> {
    text(StatusCode::SERVICE_UNAVAILABLE, "nobody decides here, or too many ask: try again, or ask the leader\n")
}

impl Service {
    pub(super) async fn explain(&self, query: &str) -> Response<Full<Bytes>> {
        const USE: &str = "ask /explain?pod=NAMESPACE/NAME, with &format=json for JSON\n";
        let pod = value_of(query, "pod").map(|pod| pod.replace("%2F", "/").replace("%2f", "/"));
        let json = match value_of(query, "format") {
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
        let (sender, receiver) = oneshot::channel();
        let question = Question { namespace: namespace.to_owned(), name: name.to_owned(), answer: sender };
        let Some(answer) = self.ask(Query::Explain(question), receiver).await else { return busy() };
        let Some(answer) = answer else {
            return text(StatusCode::NOT_FOUND, "there is no such pod, as far as the watch has shown\n");
        };
        if json {
            return typed(StatusCode::OK, "application/json", Answer::json(&answer).to_string());
        }
        text(StatusCode::OK, answer.text())
    }

    /// A page of what the scheduler knows. A process that stands by knows nothing of the cluster, and shows itself only.
    pub(super) async fn dump(&self, query: &str) -> Response<Full<Bytes>> {
        let from = value_of(query, "continue").map(str::parse).transpose();
        let limit = value_of(query, "limit").map_or(Ok(LIMIT), str::parse);
        let (Ok(from), Some(limit)) = (from, limit.ok().filter(|limit| (1..=MOST).contains(limit))) else {
            let usage = format!(
                "ask /debug/dump, with &limit=1..{MOST} for the nodes and pods of a page, and &continue=TOKEN for the next one\n"
            );
            return text(StatusCode::BAD_REQUEST, usage);
        };
        let head = self.head();
        if !self.board.has_loop() {
            return typed(StatusCode::OK, "application/json", dump_text(head, [], None));
        }
        let (sender, receiver) = oneshot::channel();
        let request = Request { head, page: Page { from, limit }, answer: sender };
        match self.ask(Query::Dump(request), receiver).await {
            Some(Ok(page)) => typed(StatusCode::OK, "application/json", page),
            Some(Err(expired)) => text(StatusCode::GONE, format!("{expired}\n")),
            None => busy(),
        }
    }

    /// What the process says of itself at the head of a dump.
    fn head(&self) -> Map<String, Value> {
        let now = self.clock.now();
        let stage = match self.board.stage() {
            Stage::StandsBy => "stands by",
            Stage::Lists => "lists",
            Stage::Decides => "decides",
        };
        let watches = self.board.silences(now).into_iter();
        let watches = watches.map(|(store, ms)| json!({ "kind": store.name(), "silentSeconds": seconds(ms) }));
        let fields = [
            ("format", FORMAT.into()),
            ("time", stamp(now).into()),
            ("version", env!("CARGO_PKG_VERSION").into()),
            ("rules", quotree_core::SEMANTICS_VERSION.into()),
            ("configDigest", json!(self.config)),
            ("leader", self.fence.allows(now).into()),
            ("stage", stage.into()),
            ("watches", watches.collect()),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Asks the loop, and waits for the answer. `None`: it takes no question, or does not answer in time.
    async fn ask<T>(&self, query: Query, receiver: oneshot::Receiver<T>) -> Option<T> {
        let _permit = self.explanations.try_acquire().ok()?;
        if !self.board.ask(query) {
            return None;
        }
        tokio::time::timeout(EXPLAIN_PATIENCE, receiver).await.ok()?.ok()
    }
}
