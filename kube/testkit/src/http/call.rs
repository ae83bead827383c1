//! A request, read: which verb on which resource, by whom, with what.

use crate::{
    access::User,
    faults::Verb,
    kinds::{Kind, Kinds},
    refusal::Refusal,
};
use http::{Method, header, request::Parts};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// A request as the server understands it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The parts of the path.
    pub(crate) path: Vec<String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) media: String,
    pub(crate) agent: String,
    /// Whom the request says to speak for, else the one whom the connection belongs to.
    pub(crate) impersonated: Option<User>,
    pub(crate) token: Option<String>,
    pub(crate) body: Value,
}

/// What a path of a resource means.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) kind: Arc<Kind>,
    pub(crate) version: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) subresource: String,
}

impl Target {
    /// `pods/eviction`.
    pub(crate) fn resource(&self) -> String {
        match self.subresource.as_str() {
            "" => self.kind.plural.clone(),
            subresource => format!("{}/{subresource}", self.kind.plural),
        }
    }
}

impl Call {
    pub(crate) fn read(parts: &Parts, body: &[u8]) -> Result<Self, Refusal> {
        let header = |name: header::HeaderName| {
            parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let body = if body.is_empty() {
            Value::Null
        } else {
            let undecodable = |error| Refusal::bad_request(format!("the body of the request is not JSON: {error}"));
            serde_json::from_slice(body).map_err(undecodable)?
        };
        let groups = parts.headers.get_all("impersonate-group").iter().filter_map(|value| value.to_str().ok());
        let groups: Vec<&str> = groups.collect();
        let user = parts.headers.get("impersonate-user").and_then(|value| value.to_str().ok());
        let agent = header(header::USER_AGENT);
        Ok(Self {
            method: parts.method.clone(),
            path: parts.uri.path().split('/').filter(|part| !part.is_empty()).map(decode).collect(),
            query: pairs(parts.uri.query().unwrap_or_default()),
            media: header(header::CONTENT_TYPE),
            agent: agent.split(['/', ' ']).next().unwrap_or_default().to_owned(),
            impersonated: user.map(|user| User::new(user, &groups)),
            token: header(header::AUTHORIZATION).strip_prefix("Bearer ").map(str::to_owned),
            body,
        })
    }

    /// A parameter of the query; empty if it is not there.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.parameter(name), "true" | "1")
    }

    /// The parts of the path as texts, to match on.
    pub(crate) fn parts(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// What the path means, if it is that of a resource: `/api/v1/...` or `/apis/GROUP/VERSION/...`.
    pub(crate) fn target(&self, kinds: &Kinds) -> Result<Target, Refusal> {
        let parts = self.parts();
        let (group, version, rest) = match parts.as_slice() {
            ["api", "v1", rest @ ..] => ("", "v1", rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return Err(Refusal::no_such_path()),
        };
        let (namespace, rest) = match rest {
            // `namespaces/NAME/status` is of the namespace itself.
            ["namespaces", _, "status" | "finalize"] | ["namespaces"] | ["namespaces", _] if group.is_empty() => {
                ("", rest)
            }
            ["namespaces", namespace, rest @ ..] => (*namespace, rest),
            _ => ("", rest),
        };
        let (plural, name, subresource) = match rest {
            [plural] => (*plural, "", ""),
            [plural, name] => (*plural, *name, ""),
            [plural, name, subresource] => (*plural, *name, *subresource),
            _ => return Err(Refusal::no_such_path()),
        };
        let kind = kinds.get(group, plural).filter(|kind| kind.versions.iter().any(|served| served == version));
        let kind = Arc::clone(kind.ok_or_else(Refusal::no_such_path)?);
        // A name needs its namespace, and a kind of the cluster has none.
        if kind.namespaced == namespace.is_empty() && !(kind.namespaced && name.is_empty()) {
            return Err(Refusal::no_such_path());
        }
        let owned = |text: &str| text.to_owned();
        Ok(Target {
            kind,
            version: owned(version),
            namespace: owned(namespace),
            name: owned(name),
            subresource: owned(subresource),
        })
    }

    pub(crate) fn verb(&self, target: &Target) -> Result<Verb, Refusal> {
        let named = !target.name.is_empty();
        match (&self.method, named) {
            (&Method::GET, true) if !self.flag("watch") => Ok(Verb::Get),
            (&Method::GET, false) if !self.flag("watch") => Ok(Verb::List),
            (&Method::GET, _) => Ok(Verb::Watch),
            (&Method::POST, named) if named != target.subresource.is_empty() => Ok(Verb::Create),
            (&Method::PUT, true) => Ok(Verb::Update),
            (&Method::PATCH, true) => Ok(Verb::Patch),
            (&Method::DELETE, true) => Ok(Verb::Delete),
            (&Method::DELETE, false) => Ok(Verb::DeleteCollection),
            _ => Err(Refusal::no_such_verb()),
        }
    }
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key), decode(value))
    };
    query.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// Undoes the escapes of a URL.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                if let (Some(high), Some(low)) = (digit(), digit()) {
                    bytes.push((high * 16 + low) as u8);
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
