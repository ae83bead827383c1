//! A server to test against, whichever it is: requests as they go over the wire, and time that passes.

use crate::{server::FakeServer, store::PatchType};
use bytes::BytesMut;
use http::{Method, Request, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// The answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP code.
    pub code: u16,
    /// The body, if it is JSON; else the text of it.
    pub body: Value,
}

impl Answer {
    /// `reason` of a Status.
    pub fn reason(&self) -> &str {
        self.text("/reason")
    }

    /// The text at a JSON pointer; empty if there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// The value at a JSON pointer; null if there is none.
    pub fn at(&self, pointer: &str) -> &Value {
        self.body.pointer(pointer).unwrap_or(&Value::Null)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Silence {
    /// The request could not be made.
    #[error("the request cannot be made: {0}")]
    Request(#[from] http::Error),
    /// The connection failed.
    #[error("no answer: {0}")]
    Client(#[from] kube::Error),
    /// Nothing came in the time that a test waits.
    #[error("nothing came within {0:?}")]
    Late(Duration),
}

/// How long a test waits, in real time, for what should come at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server under test, and a namespace of its own.
#[derive(Clone)]
pub struct Target {
    client: kube::Client,
    fake: Option<FakeServer>,
    /// The namespace that [`Target::core`] and [`Target::of`] mean.
    pub namespace: String,
    user: Option<(String, Vec<String>)>,
}

impl Target {
    /// The server in memory, over any client of it.
    pub fn fake(server: &FakeServer, client: kube::Client) -> Self {
        Self { client, fake: Some(server.clone()), namespace: "default".to_owned(), user: None }
    }

    /// A server of its own time.
    pub fn real(client: kube::Client) -> Self {
        Self { client, fake: None, namespace: "default".to_owned(), user: None }
    }

    /// The server in memory, if it is that.
    pub fn server(&self) -> Option<&FakeServer> {
        self.fake.as_ref()
    }

    /// A client of the server, as the administrator.
    pub fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// The same server, with another namespace, which is created.
    ///
    /// # Errors
    ///
    /// If the server does not answer.
    pub async fn within(&self, namespace: &str) -> Result<Self, Silence> {
        let target = self.in_namespace(namespace);
        let body = json!({ "metadata": { "name": namespace } });
        target.post(&target.cluster("v1", "namespaces"), body).await?;
        Ok(target)
    }

    /// The same server, with another namespace, which is there.
    pub fn in_namespace(&self, namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..self.clone() }
    }

    /// The same server, asked by another user.
    pub fn as_user(&self, name: &str, groups: &[&str]) -> Self {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Self { user: Some((name.to_owned(), groups)), ..self.clone() }
    }

    /// The time of the server.
    pub fn now(&self) -> Timestamp {
        self.fake.as_ref().map_or_else(Timestamp::now, FakeServer::now)
    }

    /// Lets time pass for the server.
    pub async fn pass(&self, time: Duration) {
        match &self.fake {
            Some(server) => server.advance(time),
            None => tokio::time::sleep(time).await,
        }
    }

    /// The path of a core resource of the namespace: `pods`, `pods/x`, `pods/x/status`.
    pub fn core(&self, rest: &str) -> String {
        self.of("v1", rest)
    }

    /// The path of a resource of the namespace, of this API version: `policy/v1`.
    pub fn of(&self, version: &str, rest: &str) -> String {
        self.cluster(version, &format!("namespaces/{}/{rest}", self.namespace))
    }

    /// The path of a resource of the cluster.
    pub fn cluster(&self, version: &str, rest: &str) -> String {
        let root = if version.contains('/') { "apis" } else { "api" };
        format!("/{root}/{version}/{rest}")
    }

    /// Sends a request.
    ///
    /// # Errors
    ///
    /// If no answer comes.
    pub async fn send(&self, method: Method, path: &str, media: &str, body: Option<Value>) -> Result<Answer, Silence> {
        let response = self.open(method, path, media, body).await?;
        let code = response.status().as_u16();
        let read = tokio::time::timeout(PATIENCE, response.into_body().collect());
        let bytes = read.await.map_err(|_| Silence::Late(PATIENCE))??.to_bytes();
        let text = || Value::from(String::from_utf8_lossy(&bytes).into_owned());
        Ok(Answer { code, body: serde_json::from_slice(&bytes).unwrap_or_else(|_| text()) })
    }

    async fn open(
        &self,
        method: Method,
        path: &str,
        media: &str,
        body: Option<Value>,
    ) -> Result<http::Response<kube::client::Body>, Silence> {
        let mut request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, media);
        if let Some((user, groups)) = &self.user {
            request = request.header("Impersonate-User", user);
            request = groups.iter().fold(request, |request, group| request.header("Impersonate-Group", group));
        }
        let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let sent = self.client.send(request.body(kube::client::Body::from(body))?);
        Ok(tokio::time::timeout(PATIENCE, sent).await.map_err(|_| Silence::Late(PATIENCE))??)
    }

    /// GET.
    ///
    /// # Errors
    ///
    /// If no answer comes; so with all of these.
    pub async fn get(&self, path: &str) -> Result<Answer, Silence> {
        self.send(Method::GET, path, "application/json", None).await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: Value) -> Result<Answer, Silence> {
        self.send(Method::POST, path, "application/json", Some(body)).await
    }

    /// PUT.
    pub async fn put(&self, path: &str, body: Value) -> Result<Answer, Silence> {
        self.send(Method::PUT, path, "application/json", Some(body)).await
    }

    /// DELETE, with options.
    pub async fn delete(&self, path: &str, options: Value) -> Result<Answer, Silence> {
        self.send(Method::DELETE, path, "application/json", Some(options)).await
    }

    /// PATCH.
    pub async fn patch(&self, path: &str, of: PatchType, body: Value) -> Result<Answer, Silence> {
        let media = match of {
            PatchType::Json => "application/json-patch+json",
            PatchType::Merge => "application/merge-patch+json",
            PatchType::Strategic => "application/strategic-merge-patch+json",
            PatchType::Apply => "application/apply-patch+yaml",
        };
        self.send(Method::PATCH, path, media, Some(body)).await
    }

    /// Opens a watch: a path with a query, which need not say `watch=true`.
    pub async fn watch(&self, path: &str) -> Result<Watching, Silence> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{separator}watch=true");
        let response = self.open(Method::GET, &path, "application/json", None).await?;
        Ok(Watching { code: response.status().as_u16(), body: response.into_body(), read: BytesMut::new() })
    }
}

/// A watch that is open.
pub struct Watching {
    /// The code of the answer.
    pub code: u16,
    body: kube::client::Body,
    read: BytesMut,
}

impl Watching {
    /// The next event; none at the end.
    ///
    /// # Errors
    ///
    /// If the connection is cut, or nothing comes.
    pub async fn next(&mut self) -> Result<Option<Value>, Silence> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line = self.read.split_to(end + 1);
                return Ok(serde_json::from_slice(&line).ok());
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await;
            match frame.map_err(|_| Silence::Late(PATIENCE))? {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        self.read.extend_from_slice(&data);
                    }
                }
            }
        }
    }

    /// All events until the end.
    ///
    /// # Errors
    ///
    /// If the connection is cut, or nothing comes.
    pub async fn rest(&mut self) -> Result<Vec<Value>, Silence> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await? {
            events.push(event);
        }
        Ok(events)
    }
}
