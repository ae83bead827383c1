//! What changes on a real server: all changes of the objects that the laws are about, in their order, each with the request that
//! made it.

use super::authors::Authors;
use crate::{
    journal::Record,
    kinds::Resource,
    store::Change,
    target::{Silence, Target},
    value,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
};

/// Version, plural and group of what is followed.
const KINDS: [(&str, &str, &str); 5] = [
    ("v1", "pods", ""),
    ("v1", "nodes", ""),
    ("policy/v1", "poddisruptionbudgets", "policy"),
    ("coordination.k8s.io/v1", "leases", "coordination.k8s.io"),
    ("scheduling.sigs.k8s.io/v1beta1", "elasticquotatrees", "scheduling.sigs.k8s.io"),
];

/// The watches of different kinds are not in step: a change counts when others had this time to come before it.
const SETTLES: Duration = Duration::from_millis(300);

/// What a watch shows.
enum Seen {
    Change(Change),
    /// Changes may have been missed.
    Gap,
}

/// Follows a real server.
///
/// ```no_run
/// # use quotree_kube_testkit::{Target, laws::{Admission, Checker}, real::{Follower, RealServer}};
/// # async fn judge(server: RealServer) -> Result<(), Box<dyn std::error::Error>> {
/// let mut follower = Follower::start(&Target::real(kube::Client::try_from(server.config())?));
/// let mut laws = Checker::new("system:serviceaccount:quotree-system:quotree-scheduler", Admission::Gate);
/// // Again and again:
/// let changes = follower.take(server.take_journal());
/// laws.judge(jiff::Timestamp::now(), changes.iter().map(|(change, by)| (change, by.as_ref())));
/// assert_eq!(laws.take_broken(), []);
/// # Ok(())
/// # }
/// ```
pub struct Follower {
    seen: UnboundedReceiver<Seen>,
    /// What was seen and does not count yet, by version and number, and when it came. A list shows with one version all that is gone.
    settling: BTreeMap<(u64, usize), (Instant, Change)>,
    count: usize,
    authors: Authors,
    /// Aborted when this is dropped.
    _watches: JoinSet<()>,
}

impl Follower {
    /// Begins to follow, with all that is there. Needs a runtime, and the administrator's target.
    pub fn start(target: &Target) -> Self {
        let (send, seen) = unbounded_channel();
        let mut watches = JoinSet::new();
        for (version, plural, group) in KINDS {
            let path = target.cluster(version, plural);
            let resource = Arc::new((group.to_owned(), plural.to_owned()));
            let watch = Watch { target: target.clone(), path, resource, objects: BTreeMap::new(), send: send.clone() };
            watches.spawn(watch.follow());
        }
        Self { seen, settling: BTreeMap::new(), count: 0, authors: Authors::default(), _watches: watches }
    }

    /// What has changed since the last call, in order, with the requests that did it. What changed in the last 300 ms is left for the
    /// next call. `journal` is what was asked of the server since the last call.
    pub fn take(&mut self, journal: Vec<Record>) -> Vec<(Change, Option<Record>)> {
        journal.into_iter().for_each(|record| self.authors.hear(record));
        let now = Instant::now();
        while let Ok(seen) = self.seen.try_recv() {
            match seen {
                Seen::Change(change) => {
                    self.count += 1;
                    self.settling.insert((change.revision, self.count), (now, change));
                }
                Seen::Gap => self.authors.forget(),
            }
        }
        let mut changes = Vec::new();
        while let Some(first) = self.settling.first_entry() {
            if now.duration_since(first.get().0) < SETTLES {
                break;
            }
            let (_, change) = first.remove();
            let author = self.authors.of(&change);
            changes.push((change, author));
        }
        changes
    }
}

/// The watch of one kind.
struct Watch {
    target: Target,
    path: String,
    resource: Arc<Resource>,
    objects: BTreeMap<(String, String), Arc<Value>>,
    send: UnboundedSender<Seen>,
}

impl Watch {
    /// Lists, watches until that ends, and begins anew.
    async fn follow(mut self) {
        let mut is_first = true;
        loop {
            if let Some(version) = self.list(is_first).await {
                is_first = false;
                // Only a broken connection, or a server that has forgotten the version, ends it.
                let _ = self.watch(version).await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Shows the difference between a list and what was known, and gives the version of the list.
    async fn list(&mut self, is_first: bool) -> Option<u64> {
        let list = self.target.get(&self.path).await.ok().filter(|list| list.code == 200)?;
        let version = version(&list.body)?;
        let mut new: BTreeMap<_, _> =
            value::items(&list.body, &["items"]).iter().map(|object| (key(object), object.clone())).collect();
        let gone: Vec<_> = self.objects.keys().filter(|key| !new.contains_key(*key)).cloned().collect();
        let known = |key: &(String, String)| self.objects.get(key).and_then(|object| self::version(object));
        new.retain(|key, object| known(key) != self::version(object));
        if !(is_first || gone.is_empty() && new.is_empty()) {
            let _ = self.send.send(Seen::Gap);
        }
        for key in gone {
            self.show(key, None, version);
        }
        for (key, object) in new {
            let version = self::version(&object)?;
            self.show(key, Some(object), version);
        }
        Some(version)
    }

    async fn watch(&mut self, since: u64) -> Result<(), Silence> {
        let mut since = since;
        loop {
            let path = format!("{}?resourceVersion={since}&timeoutSeconds=600", self.path);
            let mut watching = self.target.watch(&path).await?;
            if watching.code != 200 {
                return Ok(());
            }
            loop {
                let event = match watching.next().await {
                    Err(Silence::Late(_)) => continue,
                    event => event?,
                };
                let Some(event) = event else { break };
                let object = value::at(&event, &["object"]);
                let Some(version) = version(object).filter(|_| value::text(&event, &["type"]) != "ERROR") else {
                    return Ok(());
                };
                since = version;
                let stays = value::text(&event, &["type"]) != "DELETED";
                self.show(key(object), stays.then(|| object.clone()), version);
            }
        }
    }

    fn show(&mut self, key: (String, String), after: Option<Value>, revision: u64) {
        let after = after.map(Arc::new);
        let before = match &after {
            Some(object) => self.objects.insert(key.clone(), object.clone()),
            None => self.objects.remove(&key),
        };
        // Nobody listens after the end of a test.
        let _ = self.send.send(Seen::Change(Change { revision, resource: self.resource.clone(), key, before, after }));
    }
}

fn key(object: &Value) -> (String, String) {
    (value::namespace(object).to_owned(), value::name(object).to_owned())
}

fn version(object: &Value) -> Option<u64> {
    value::text(object, &["metadata", "resourceVersion"]).parse().ok()
}
