//! From a call to the answer.

use super::{
    call::{Call, Target},
    discovery, reviews,
};
use crate::{
    access::{Tokens, User, Wish, allows},
    faults::Verb,
    pods,
    refusal::{Refusal, success},
    selector::Selector,
    store::{DeleteOptions, ListOptions, PatchType, Store, Watch, WatchOptions, Writer, in_version},
    value,
};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// The answer to a call that is not refused.
#[derive(Debug)]
pub(crate) enum Reply {
    Json(u16, Value),
    Text(&'static str),
    Watch(Box<Watch>),
}

/// Carries out a call.
pub(crate) fn answer(store: &mut Store, tokens: &mut Tokens, call: &Call, user: &User) -> Result<Reply, Refusal> {
    if call.method == Method::GET
        && let Some(reply) = discovery::answer(store.kinds(), &call.parts())
    {
        return Ok(reply);
    }
    if let Some(reply) = reviews::answer(store, tokens, call, user)? {
        return Ok(reply);
    }
    let target = call.target(store.kinds())?;
    let verb = call.verb(&target)?;
    let wish = Wish {
        verb: verb.name().to_owned(),
        group: target.kind.group.clone(),
        resource: target.resource(),
        namespace: target.namespace.clone(),
        name: target.name.clone(),
        path: String::new(),
    };
    if !allows(store, user, &wish) {
        return Err(denied(user, &wish));
    }
    if is_dry_run(call, verb) {
        return carry_out(&mut store.clone(), &mut tokens.clone(), call, &target, verb);
    }
    carry_out(store, tokens, call, &target, verb)
}

/// Whether nothing is to be written. A delete says so in its body, if it has one.
fn is_dry_run(call: &Call, verb: Verb) -> bool {
    if matches!(verb, Verb::Delete | Verb::DeleteCollection) && !call.body.is_null() {
        return value::items(&call.body, &["dryRun"]).iter().any(|stage| stage == "All");
    }
    call.parameter("dryRun") == "All"
}

fn denied(user: &User, wish: &Wish) -> Refusal {
    let scope = match wish.namespace.as_str() {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace \"{namespace}\""),
    };
    let why = format!(
        "User \"{}\" cannot {} resource \"{}\" in API group \"{}\" {scope}",
        user.name, wish.verb, wish.resource, wish.group
    );
    Refusal::forbidden(&wish.resource, &wish.name, &why)
}

fn carry_out(
    store: &mut Store,
    tokens: &mut Tokens,
    call: &Call,
    target: &Target,
    verb: Verb,
) -> Result<Reply, Refusal> {
    let Target { kind, version, namespace, name, subresource } = target;
    let writer = Writer { manager: manager(call), force: call.flag("force") };
    let selector = || {
        let (labels, fields) = (call.parameter("labelSelector"), call.parameter("fieldSelector"));
        Selector::parse(labels, fields, &kind.group, &kind.plural)
    };
    let shown = |code: u16, object: &Value| Ok(Reply::Json(code, in_version(kind, version, object)));
    let key = (namespace.as_str(), name.as_str());
    match (verb, subresource.as_str()) {
        (Verb::Get, "" | "status") => shown(200, &*store.get(kind, namespace, name)?),
        (Verb::List, "") => {
            Ok(Reply::Json(200, store.list(kind, version, namespace, &list_options(call, selector()?))?))
        }
        (Verb::Watch, "") => {
            let mut options = watch_options(call, selector()?);
            if !name.is_empty() {
                options.selector = Selector::parse("", &format!("metadata.name={name}"), &kind.group, &kind.plural)?;
            }
            Ok(Reply::Watch(Box::new(store.watch(kind, version, namespace, options)?)))
        }
        (Verb::Create, "") => {
            check_kind(target, &call.body, true)?;
            shown(201, &*store.create(kind, namespace, call.body.clone(), &writer)?)
        }
        (Verb::Create, "binding") if kind.is("", "pods") => {
            pods::bind(store, namespace, name, &call.body, &writer)?;
            Ok(Reply::Json(201, success(201)))
        }
        (Verb::Create, "eviction") if kind.is("", "pods") => {
            pods::evict(store, namespace, name, &call.body, &writer)?;
            Ok(Reply::Json(201, success(201)))
        }
        (Verb::Create, "token") if kind.is("", "serviceaccounts") => {
            Ok(Reply::Json(201, tokens.request(store, namespace, name, &call.body)?))
        }
        (Verb::Update, part) if has_part(target, part) => {
            check_kind(target, &call.body, true)?;
            let before = store.find(kind, namespace, name).is_some();
            let object = store.update(kind, key, part, call.body.clone(), &writer)?;
            shown(if before { 200 } else { 201 }, &object)
        }
        (Verb::Patch, part) if has_part(target, part) => {
            let of = PatchType::of(&call.media)?;
            check_kind(target, &call.body, false)?;
            let writer = if of == PatchType::Apply {
                Writer { manager: call.parameter("fieldManager").to_owned(), ..writer }
            } else {
                writer
            };
            let (object, created) = store.patch(kind, key, part, of, call.body.clone(), &writer)?;
            shown(if created { 201 } else { 200 }, &object)
        }
        (Verb::Delete, "") => {
            let options = DeleteOptions::of(&call.body, |name| call.parameter(name).to_owned());
            let (object, gone) = store.delete(kind, namespace, name, &options)?;
            if gone && !kind.is("", "pods") && !kind.is("", "serviceaccounts") {
                let mut status = success(200);
                value::remove(&mut status, &["code"]);
                let uid = value::at(&object, &["metadata", "uid"]);
                let details = json!({ "name": name, "group": kind.group, "kind": kind.plural, "uid": uid });
                value::set(&mut status, &["details"], details);
                return Ok(Reply::Json(200, status));
            }
            shown(200, &object)
        }
        (Verb::DeleteCollection, "") => {
            let options = DeleteOptions::of(&call.body, |name| call.parameter(name).to_owned());
            Ok(Reply::Json(200, store.delete_collection(kind, version, namespace, selector()?, &options)?))
        }
        (_, part) if has_part(target, part) || matches!(part, "binding" | "eviction" | "token") => {
            Err(Refusal::no_such_verb())
        }
        _ => Err(Refusal::no_such_path()),
    }
}

/// Whether a part of an object can be written by itself.
fn has_part(target: &Target, part: &str) -> bool {
    match part {
        "" => true,
        "status" => target.kind.status,
        "resize" => target.kind.is("", "pods"),
        "finalize" => target.kind.is("", "namespaces"),
        _ => false,
    }
}

/// The name that the writer's fields are kept under.
pub(crate) fn manager(call: &Call) -> String {
    match call.parameter("fieldManager") {
        "" if call.agent.is_empty() => "unknown".to_owned(),
        "" => call.agent.clone(),
        manager => manager.to_owned(),
    }
}

/// A body that says what it is must be what the path says. Some bodies need not say it.
fn check_kind(target: &Target, body: &Value, whole: bool) -> Result<(), Refusal> {
    let (kind, version) = (value::text(body, &["kind"]), value::text(body, &["apiVersion"]));
    let wanted = crate::kinds::api_version(&target.kind.group, &target.version);
    if target.kind.custom && whole && (kind.is_empty() || version.is_empty()) {
        return Err(Refusal::bad_request(format!("Object 'Kind' is missing in '{body}'")));
    }
    if !version.is_empty() && version != wanted {
        let message =
            format!("the API version in the data ({version}) does not match the expected API version ({wanted})");
        return Err(Refusal::bad_request(message));
    }
    if !kind.is_empty() && kind != target.kind.kind {
        let message = format!("{kind} in version \"{version}\" cannot be handled as a {}", target.kind.kind);
        return Err(Refusal::bad_request(message));
    }
    Ok(())
}

fn list_options(call: &Call, selector: Selector) -> ListOptions {
    ListOptions {
        selector,
        limit: call.parameter("limit").parse().unwrap_or(0),
        continued: call.parameter("continue").to_owned(),
        revision: call.parameter("resourceVersion").to_owned(),
        revision_match: call.parameter("resourceVersionMatch").to_owned(),
    }
}

fn watch_options(call: &Call, selector: Selector) -> WatchOptions {
    WatchOptions {
        selector,
        revision: call.parameter("resourceVersion").to_owned(),
        revision_match: call.parameter("resourceVersionMatch").to_owned(),
        timeout: call.parameter("timeoutSeconds").parse().ok().map(Duration::from_secs),
        bookmarks: call.flag("allowWatchBookmarks"),
        initial: (!call.parameter("sendInitialEvents").is_empty()).then(|| call.flag("sendInitialEvents")),
    }
}
