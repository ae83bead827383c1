//! WATCH: a cursor in the log. [`Watch::next`] never waits; it says until when nothing will come of itself.

use super::{Change, Store, read::in_version, with_revision};
use crate::{kinds::Kind, refusal::Refusal, selector::Selector, value};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// How a watch is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchOptions {
    /// Which objects.
    pub selector: Selector,
    /// `resourceVersion`: empty or 0 for the present, or a revision.
    pub revision: String,
    /// `resourceVersionMatch`.
    pub revision_match: String,
    /// The server ends the watch after this time.
    pub timeout: Option<Duration>,
    /// Whether bookmarks are sent.
    pub bookmarks: bool,
    /// `sendInitialEvents`: the objects that there are come first, then a bookmark that says so.
    pub initial: Option<bool>,
}

/// The time between two bookmarks.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
/// A last bookmark comes this long before the end.
const BOOKMARK_BEFORE_END: Duration = Duration::from_secs(2);
/// The server ends a watch that asked for no timeout after this time; the real one after one to two of these.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1800);

/// A watch that is open.
#[derive(Debug, Clone)]
pub struct Watch {
    kind: Arc<Kind>,
    version: String,
    namespace: String,
    selector: Selector,
    /// All changes up to this revision were looked at.
    seen: u64,
    initial: VecDeque<Value>,
    ends: Timestamp,
    bookmark: Option<Timestamp>,
    last_bookmark: Option<Timestamp>,
    over: bool,
}

/// What comes next of a watch.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// An event, with its type and object.
    Event(Value),
    /// Nothing before the store changes or time passes.
    Wait,
    /// The watch has ended.
    End,
}

impl Store {
    /// Opens a watch of a kind: of one namespace, or of all if `namespace` is empty. A revision that is too old is not
    /// refused here: the first event says so.
    pub fn watch(
        &self,
        kind: &Arc<Kind>,
        version: &str,
        namespace: &str,
        options: WatchOptions,
    ) -> Result<Watch, Refusal> {
        let forbidden =
            |field: &str, why: &str| Refusal::invalid("ListOptions", "", field, &format!("Forbidden: {why}"));
        if options.initial.is_some() && options.revision_match != "NotOlderThan" {
            let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            return Err(forbidden("resourceVersionMatch", why));
        }
        if options.initial.is_none() && !options.revision_match.is_empty() {
            let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            return Err(forbidden("resourceVersionMatch", why));
        }
        let asked = match options.revision.as_str() {
            "" | "0" => None,
            text => Some(
                text.parse::<u64>()
                    .map_err(|_| Refusal::new(500, "", format!("resourceVersion: Invalid value: \"{text}\"")))?,
            ),
        };
        let ends = later(self.now, options.timeout.filter(|time| !time.is_zero()).unwrap_or(DEFAULT_TIMEOUT));
        let last_bookmark = ends.saturating_sub(BOOKMARK_BEFORE_END).ok();
        let mut watch = Watch {
            kind: Arc::clone(kind),
            version: version.to_owned(),
            namespace: namespace.to_owned(),
            selector: options.selector,
            seen: asked.unwrap_or(self.revision),
            initial: VecDeque::new(),
            ends,
            bookmark: options.bookmarks.then(|| later(self.now, BOOKMARK_EVERY)),
            last_bookmark: last_bookmark.filter(|at| options.bookmarks && *at > self.now),
            over: false,
        };
        let wants_state = options.initial.unwrap_or(asked.is_none());
        if wants_state {
            watch.seen = self.revision;
            let resource = (kind.group.clone(), kind.plural.clone());
            for (key, object) in self.objects.get(&resource).into_iter().flatten() {
                if (namespace.is_empty() || key.0 == namespace) && watch.selector.selects(object) {
                    watch.initial.push_back(watch.event("ADDED", object));
                }
            }
        }
        if options.initial == Some(true) && options.bookmarks {
            watch.initial.push_back(watch.bookmark_event(true));
        }
        Ok(watch)
    }
}

impl Watch {
    /// What comes next, given the store as it is.
    pub fn next(&mut self, store: &Store) -> Next {
        if self.over {
            return Next::End;
        }
        if let Some(event) = self.initial.pop_front() {
            return Next::Event(event);
        }
        if self.seen < store.log.forgotten() {
            self.over = true;
            let message = format!("too old resource version: {} ({})", self.seen, store.log.forgotten() + 1);
            return Next::Event(json!({ "type": "ERROR", "object": Refusal::expired(message).status() }));
        }
        while let Some(change) = store.log.after(self.seen).next() {
            self.seen = change.revision;
            if let Some(event) = self.shown(change) {
                return Next::Event(event);
            }
        }
        if self.last_bookmark.is_some_and(|at| at <= store.now) {
            self.last_bookmark = None;
            return Next::Event(self.bookmark_event(false));
        }
        if store.now >= self.ends {
            self.over = true;
            return Next::End;
        }
        if self.bookmark.is_some_and(|at| at <= store.now) {
            self.bookmark = Some(later(store.now, BOOKMARK_EVERY));
            return Next::Event(self.bookmark_event(false));
        }
        Next::Wait
    }

    /// The event of a change, if this watch shows it. An object that is no longer selected is shown as deleted, with
    /// its last selected state and the revision of the change.
    fn shown(&self, change: &Change) -> Option<Value> {
        let is_ours = change.resource.0 == self.kind.group
            && change.resource.1 == self.kind.plural
            && (self.namespace.is_empty() || change.key.0 == self.namespace);
        if !is_ours {
            return None;
        }
        let selected = |object: &Arc<Value>| self.selector.selects(object);
        let before = change.before.as_ref().filter(|object| selected(object));
        let after = change.after.as_ref().filter(|object| selected(object));
        match (before, after) {
            (None, None) => None,
            (None, Some(after)) => Some(self.event("ADDED", after)),
            (Some(_), Some(after)) => Some(self.event("MODIFIED", after)),
            (Some(before), None) => Some(self.event("DELETED", &with_revision(before, change.revision))),
        }
    }

    fn event(&self, of: &str, object: &Value) -> Value {
        json!({ "type": of, "object": in_version(&self.kind, &self.version, object) })
    }

    fn bookmark_event(&self, initial_end: bool) -> Value {
        let mut object = in_version(&self.kind, &self.version, &json!({}));
        value::set(&mut object, &["metadata", "resourceVersion"], self.seen.to_string());
        if initial_end {
            value::set(&mut object, &["metadata", "annotations"], json!({ "k8s.io/initial-events-end": "true" }));
        }
        json!({ "type": "BOOKMARK", "object": object })
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.saturating_add(by).unwrap_or(now)
}
