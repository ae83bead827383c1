//! What a client asks to find out what the server has: groups, versions, kinds, its own version, whether it is well.

use super::answer::Reply;
use crate::kinds::{Kind, Kinds, api_version};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The version that the server says it has.
const VERSION: (&str, &str) = ("1", "36");

/// The answer to a GET of a path, if it is one of discovery.
pub(super) fn answer(kinds: &Kinds, path: &[&str]) -> Option<Reply> {
    Some(Reply::Json(
        200,
        match path {
            ["healthz" | "livez" | "readyz", ..] => return Some(Reply::Text("ok")),
            ["version"] => json!({
                "major": VERSION.0, "minor": VERSION.1, "gitVersion": format!("v{}.{}.0", VERSION.0, VERSION.1),
                "gitCommit": "", "gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z", "goVersion": "",
                "compiler": "", "platform": "linux/amd64",
            }),
            ["api"] => json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] }),
            ["apis"] => {
                let groups: Vec<Value> =
                    groups(kinds).iter().map(|(group, versions)| of_group(group, versions)).collect();
                json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
            }
            ["apis", group] => {
                let groups = groups(kinds);
                let mut of = of_group(group, groups.get(*group)?);
                crate::value::set(&mut of, &["kind"], "APIGroup");
                crate::value::set(&mut of, &["apiVersion"], "v1");
                of
            }
            ["api", version @ "v1"] => resources(kinds, "", version)?,
            ["apis", group, version] => resources(kinds, group, version)?,
            _ => return None,
        },
    ))
}

/// The groups other than the core one, with their versions.
fn groups(kinds: &Kinds) -> BTreeMap<&str, Vec<&str>> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for kind in kinds.iter().filter(|kind| !kind.group.is_empty()) {
        let versions = groups.entry(&kind.group).or_default();
        for version in &kind.versions {
            if !versions.contains(&version.as_str()) {
                versions.push(version);
            }
        }
    }
    for group in ["authorization.k8s.io", "authentication.k8s.io"] {
        groups.insert(group, vec!["v1"]);
    }
    groups
}

fn of_group(group: &str, versions: &[&str]) -> Value {
    let version = |version: &&str| json!({ "groupVersion": api_version(group, version), "version": version });
    let versions: Vec<Value> = versions.iter().map(version).collect();
    json!({ "name": group, "versions": versions, "preferredVersion": versions.first() })
}

fn resources(kinds: &Kinds, group: &str, version: &str) -> Option<Value> {
    let served = |kind: &&Kind| kind.group == group && kind.versions.iter().any(|one| one == version);
    let list: Vec<Value> = kinds.iter().map(|kind| &**kind).filter(served).flat_map(of_kind).collect();
    (!list.is_empty()).then(|| {
        json!({
            "kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": api_version(group, version), "resources": list,
        })
    })
}

/// A kind with its subresources.
fn of_kind(kind: &Kind) -> Vec<Value> {
    let one = |name: String, of: &str, verbs: &[&str]| json!({ "name": name, "singularName": of.to_lowercase(), "namespaced": kind.namespaced, "kind": of, "verbs": verbs });
    let all = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    let mut list = vec![one(kind.plural.clone(), &kind.kind, &all)];
    let mut sub = |name: &str, of: &str, verbs: &[&str]| list.push(one(format!("{}/{name}", kind.plural), of, verbs));
    if kind.status {
        sub("status", &kind.kind, &["get", "patch", "update"]);
    }
    if kind.is("", "pods") {
        sub("binding", "Binding", &["create"]);
        sub("eviction", "Eviction", &["create"]);
        sub("resize", "Pod", &["get", "patch", "update"]);
    }
    if kind.is("", "serviceaccounts") {
        sub("token", "TokenRequest", &["create"]);
    }
    list
}
