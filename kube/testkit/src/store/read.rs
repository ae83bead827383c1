//! GET and LIST. A list with a limit shows the state of its first page to its last one: later pages go back along the
//! log. When the log no longer reaches that far, the continue token is expired.

use super::{Objects, Store};
use crate::{
    kinds::{Kind, api_version},
    refusal::Refusal,
    selector::Selector,
    value,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// How a list is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Which objects.
    pub selector: Selector,
    /// The most objects of one page; 0 for all.
    pub limit: usize,
    /// Where the page before ended.
    pub continued: String,
    /// `resourceVersion`: empty, 0, or a revision.
    pub revision: String,
    /// `resourceVersionMatch`.
    pub revision_match: String,
}

impl Store {
    /// An object.
    pub fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Arc<Value>, Refusal> {
        self.find(kind, namespace, name).cloned().ok_or_else(|| kind.not_found(name))
    }

    /// A List object of a kind: of one namespace, or of all if `namespace` is empty.
    pub fn list(&self, kind: &Kind, version: &str, namespace: &str, options: &ListOptions) -> Result<Value, Refusal> {
        let (revision, from) = self.page(kind, options)?;
        let then;
        let none = Objects::new();
        let resource = (kind.group.clone(), kind.plural.clone());
        let objects = if revision == self.revision {
            self.objects.get(&resource).unwrap_or(&none)
        } else {
            then = self.back_to(&resource, revision);
            &then
        };
        let selected = |object: &Arc<Value>| options.selector.selects(object);
        let after = |key: &&(String, String)| from.as_ref().is_none_or(|from| *key > from);
        let mut rest = objects
            .iter()
            .filter(|(key, _)| (namespace.is_empty() || key.0 == namespace) && after(key))
            .filter(|(_, object)| selected(object));
        let limit = if options.limit == 0 { usize::MAX } else { options.limit };
        let page: Vec<_> = rest.by_ref().take(limit).collect();
        let remaining = rest.count();
        let mut metadata = json!({ "resourceVersion": revision.to_string() });
        if let (Some((key, _)), true) = (page.last(), remaining > 0) {
            value::set(&mut metadata, &["continue"], format!("{revision}:{}:{}", key.0, key.1));
            if options.selector.is_all() {
                value::set(&mut metadata, &["remainingItemCount"], remaining);
            }
        }
        // The items of a list of built-in kinds have neither apiVersion nor kind.
        let shown = |object: &Arc<Value>| {
            let mut object = in_version(kind, version, object);
            if !kind.custom {
                value::remove(&mut object, &["kind"]);
                value::remove(&mut object, &["apiVersion"]);
            }
            object
        };
        let items: Vec<Value> = page.into_iter().map(|(_, object)| shown(object)).collect();
        Ok(json!({
            "kind": format!("{}List", kind.kind), "apiVersion": api_version(&kind.group, version),
            "metadata": metadata, "items": items,
        }))
    }

    /// The revision that a list shows, and the key after which it goes on.
    fn page(&self, kind: &Kind, options: &ListOptions) -> Result<(u64, Option<(String, String)>), Refusal> {
        let forbidden = |why: &str| Refusal::invalid("ListOptions", "", "resourceVersionMatch", why);
        let matching = options.revision_match.as_str();
        if !matching.is_empty() && options.revision.is_empty() {
            return Err(forbidden("Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"));
        }
        if !matching.is_empty() && !options.continued.is_empty() {
            return Err(forbidden("Forbidden: resourceVersionMatch is forbidden when continue is provided"));
        }
        if !options.continued.is_empty() {
            let invalid = || Refusal::bad_request("continue key is not valid");
            let mut parts = options.continued.splitn(3, ':');
            let revision: u64 = parts.next().and_then(|text| text.parse().ok()).ok_or_else(invalid)?;
            let namespace = parts.next().ok_or_else(invalid)?;
            let name = parts.next().ok_or_else(invalid)?;
            if revision < self.log.forgotten() {
                return Err(Refusal::expired(
                    "The provided continue parameter is too old to display a consistent list result. You can start a new \
                     list without the continue parameter.",
                ));
            }
            return Ok((revision, Some((namespace.to_owned(), name.to_owned()))));
        }
        let asked = match options.revision.as_str() {
            "" | "0" => return Ok((self.revision, None)),
            text => text.parse::<u64>().map_err(|_| {
                Refusal::invalid("ListOptions", "", "resourceVersion", "Invalid value: must be a number")
            })?,
        };
        if asked > self.revision {
            let message = format!("Too large resource version: {asked}, current: {}", self.revision);
            let mut refusal = Refusal::new(504, "Timeout", message);
            refusal.details = json!({
                "retryAfterSeconds": 1,
                "causes": [{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }],
            });
            return Err(refusal);
        }
        // A page of an older revision is that revision; a whole list is the latest, which is not older.
        if matching == "Exact" || options.limit > 0 && matching.is_empty() {
            if asked < self.log.forgotten() {
                let what = kind.full_name();
                return Err(Refusal::expired(format!(
                    "The resourceVersion for the provided list of {what} is too old."
                )));
            }
            return Ok((asked, None));
        }
        Ok((self.revision, None))
    }

    /// The objects of a kind as they were at a revision that the log still reaches.
    fn back_to(&self, resource: &(String, String), revision: u64) -> Objects {
        let mut objects = self.objects.get(resource).cloned().unwrap_or_default();
        for change in self.log.after(revision).rev().filter(|change| *change.resource == *resource) {
            match &change.before {
                Some(before) => objects.insert(change.key.clone(), Arc::clone(before)),
                None => objects.remove(&change.key),
            };
        }
        objects
    }
}

/// The object as a version of its kind shows it.
pub(crate) fn in_version(kind: &Kind, version: &str, object: &Value) -> Value {
    let mut shown = object.clone();
    value::set(&mut shown, &["kind"], kind.kind.as_str());
    value::set(&mut shown, &["apiVersion"], api_version(&kind.group, version));
    shown
}
