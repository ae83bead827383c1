//! Who may do what: the users of requests, tokens of service accounts, and the evaluation of roles and bindings.

use crate::{refusal::Refusal, store::Store, value};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// Its groups.
    pub groups: Vec<String>,
}

impl User {
    /// The administrator, of the group `system:masters`, who may do everything.
    pub fn admin() -> Self {
        Self { name: "system:admin".into(), groups: vec!["system:masters".into(), "system:authenticated".into()] }
    }

    /// A user of these groups.
    pub fn new(name: &str, groups: &[&str]) -> Self {
        let groups = groups.iter().copied().chain(["system:authenticated"]).map(str::to_owned).collect();
        Self { name: name.to_owned(), groups }
    }

    fn service_account(namespace: &str, name: &str) -> Self {
        let group = format!("system:serviceaccounts:{namespace}");
        Self::new(&format!("system:serviceaccount:{namespace}:{name}"), &["system:serviceaccounts", &group])
    }
}

/// What a user wants to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// The verb in lower case.
    pub verb: String,
    /// The API group.
    pub group: String,
    /// The plural, and the subresource after a slash.
    pub resource: String,
    /// The namespace; empty for the whole cluster.
    pub namespace: String,
    /// The name; empty for any.
    pub name: String,
    /// The path of what is no resource; empty for a resource.
    pub path: String,
}

impl Wish {
    /// The wish in a `resourceAttributes`.
    fn of_review(attributes: &Value) -> Self {
        let text = |field: &str| value::text(attributes, &[field]).to_owned();
        let subresource = text("subresource");
        let resource = text("resource");
        let resource = if subresource.is_empty() { resource } else { format!("{resource}/{subresource}") };
        Self {
            verb: text("verb"),
            group: text("group"),
            resource,
            namespace: text("namespace"),
            name: text("name"),
            path: String::new(),
        }
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";

/// Whether the roles and bindings of a store, or the group `system:masters`, allow a wish.
pub fn allows(store: &Store, user: &User, wish: &Wish) -> bool {
    if user.groups.iter().any(|group| group == "system:masters") {
        return true;
    }
    let bindings = |plural: &str, namespace: Option<&str>| {
        let within = |binding: &&Arc<Value>| namespace.is_none_or(|namespace| value::namespace(binding) == namespace);
        store.all(RBAC, plural).filter(within).cloned().collect::<Vec<_>>()
    };
    let mut all = bindings("clusterrolebindings", None);
    if !wish.namespace.is_empty() {
        all.extend(bindings("rolebindings", Some(&wish.namespace)));
    }
    let names_user =
        |binding: &&Arc<Value>| value::items(binding, &["subjects"]).iter().any(|subject| is_subject(subject, user));
    all.iter().filter(names_user).any(|binding| {
        role_of(store, binding)
            .is_some_and(|role| value::items(&role, &["rules"]).iter().any(|rule| permits(rule, wish)))
    })
}

fn is_subject(subject: &Value, user: &User) -> bool {
    let name = value::text(subject, &["name"]);
    match value::text(subject, &["kind"]) {
        "User" => name == user.name,
        "Group" => user.groups.iter().any(|group| group == name),
        "ServiceAccount" => {
            user.name == format!("system:serviceaccount:{}:{name}", value::text(subject, &["namespace"]))
        }
        _ => false,
    }
}

fn role_of(store: &Store, binding: &Value) -> Option<Arc<Value>> {
    let name = value::text(binding, &["roleRef", "name"]);
    let (plural, namespace) = match value::text(binding, &["roleRef", "kind"]) {
        "ClusterRole" => ("clusterroles", ""),
        _ => ("roles", value::namespace(binding)),
    };
    store.kinds().get(RBAC, plural).and_then(|kind| store.find(kind, namespace, name)).cloned()
}

fn permits(rule: &Value, wish: &Wish) -> bool {
    let has = |list: &str, wanted: &str| value::items(rule, &[list]).iter().any(|one| one == "*" || one == wanted);
    let any_of = |resource: &str| {
        let of_any = resource.split_once('/').map(|(_, subresource)| format!("*/{subresource}"));
        has("resources", resource) || of_any.is_some_and(|any| has("resources", &any))
    };
    let named = || {
        let names = value::items(rule, &["resourceNames"]);
        names.is_empty() || names.iter().any(|name| *name == wish.name.as_str())
    };
    if !wish.path.is_empty() {
        return has("verbs", &wish.verb) && has("nonResourceURLs", &wish.path);
    }
    has("verbs", &wish.verb) && has("apiGroups", &wish.group) && any_of(&wish.resource) && named()
}

#[derive(Debug, Clone)]
struct Token {
    user: User,
    ends: Timestamp,
    /// Plural, namespace, name and uid of the objects whose end ends the token: the account, and what it is bound to.
    bound: [(String, String, String, String); 2],
}

/// The tokens that were given out.
#[derive(Debug, Clone, Default)]
pub struct Tokens(BTreeMap<String, Token>);

impl Tokens {
    /// Answers a TokenRequest for a service account.
    pub fn request(&mut self, store: &Store, namespace: &str, name: &str, request: &Value) -> Result<Value, Refusal> {
        let accounts = store.kind("", "serviceaccounts")?;
        let account = store.get(&accounts, namespace, name)?;
        let seconds = value::at(request, &["spec", "expirationSeconds"]).as_u64().unwrap_or(3600);
        if seconds < 600 {
            let why = "Invalid value: may not specify a duration less than 10 minutes";
            return Err(Refusal::invalid("TokenRequest", name, "spec.expirationSeconds", why));
        }
        let reference = value::at(request, &["spec", "boundObjectRef"]);
        let bound = match value::text(reference, &["kind"]) {
            "" => ("serviceaccounts", name),
            "Secret" => ("secrets", value::text(reference, &["name"])),
            "Pod" => ("pods", value::text(reference, &["name"])),
            other => {
                let message = format!("cannot bind token to object of type {other}");
                return Err(Refusal::bad_request(message));
            }
        };
        let holder = store.get(&*store.kind("", bound.0)?, namespace, bound.1)?;
        let uid = value::text(&holder, &["metadata", "uid"]).to_owned();
        let wanted = value::text(reference, &["uid"]);
        if !wanted.is_empty() && wanted != uid {
            let why = format!(
                "the UID in the bound object reference ({wanted}) does not match the UID in record. The object might have been deleted and then recreated"
            );
            return Err(Refusal::conflict(bound.0, bound.1, &why));
        }
        let ends = store.now().saturating_add(Duration::from_secs(seconds)).unwrap_or(store.now());
        let token = format!("test-token-{}-{}", self.0.len() + 1, value::text(&account, &["metadata", "uid"]));
        let user = User::service_account(namespace, name);
        let of = |plural: &str, name: &str, uid: &str| {
            (plural.to_owned(), namespace.to_owned(), name.to_owned(), uid.to_owned())
        };
        let its = value::text(&account, &["metadata", "uid"]);
        let bound = [of("serviceaccounts", name, its), of(bound.0, bound.1, &uid)];
        self.0.insert(token.clone(), Token { user, ends, bound });
        let mut answer = request.clone();
        value::set(&mut answer, &["kind"], "TokenRequest");
        value::set(&mut answer, &["apiVersion"], "authentication.k8s.io/v1");
        value::set(&mut answer, &["metadata", "name"], name);
        value::set(&mut answer, &["metadata", "namespace"], namespace);
        value::set(&mut answer, &["spec", "expirationSeconds"], seconds);
        let status = json!({ "token": token, "expirationTimestamp": crate::store::stamp(ends) });
        value::set(&mut answer, &["status"], status);
        Ok(answer)
    }

    /// The user of a token that is still good.
    pub fn user(&self, store: &Store, token: &str) -> Option<User> {
        let token = self.0.get(token).filter(|token| store.now() < token.ends)?;
        let is_there = |(plural, namespace, name, uid): &(String, String, String, String)| {
            let kind = store.kinds().get("", plural);
            let holder = kind.and_then(|kind| store.find(kind, namespace, name));
            holder.is_some_and(|holder| value::text(holder, &["metadata", "uid"]) == uid)
        };
        token.bound.iter().all(is_there).then(|| token.user.clone())
    }
}

/// Answers an access review: of the caller (`selfsubjectaccessreviews`), or of the user that it names.
pub(crate) fn review(store: &Store, caller: &User, of_self: bool, review: &Value) -> Value {
    let user = if of_self {
        caller.clone()
    } else {
        let groups = value::items(review, &["spec", "groups"]).iter().filter_map(Value::as_str);
        User { name: value::text(review, &["spec", "user"]).to_owned(), groups: groups.map(str::to_owned).collect() }
    };
    let path = value::at(review, &["spec", "nonResourceAttributes"]);
    let wish = if path.is_object() {
        let text = |field: &str| value::text(path, &[field]).to_owned();
        Wish { verb: text("verb"), path: text("path"), ..Wish::default() }
    } else {
        Wish::of_review(value::at(review, &["spec", "resourceAttributes"]))
    };
    let mut answer = review.clone();
    value::set(&mut answer, &["status"], json!({ "allowed": allows(store, &user, &wish) }));
    answer
}
