//! The watches: one task for each kind of objects, which sends facts in the order in which the API shows them.

use super::{
    Fact, GROUP_KINDS, Store, Uid, budget,
    compare::{self, Listed, Versions},
    group::Served,
    groups, namespace, node, pod,
    read::Unreadable,
    relist::Relist,
    slim::{SlimNode, SlimPod},
    tree, tree_resource,
};
use crate::{
    clock::Clock,
    serve::{board::Board, metric},
};
use futures::StreamExt;
use k8s_openapi::api::{
    core::v1::{Namespace, Node, Pod},
    policy::v1::PodDisruptionBudget,
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::ListParams,
    core::{ApiResource, DynamicObject},
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use quotree_core::Name;
use quotree_k8s::gang::GangKind;
use serde::de::DeserializeOwned;
use std::{collections::BTreeMap, fmt::Debug, time::Duration};
use tokio::{
    sync::mpsc::Sender,
    task::{JoinHandle, JoinSet},
    time::Instant,
};

/// How many objects a page of a list has.
const PAGE: u32 = 500;
/// After so many seconds the API server ends a watch, and a new one begins where it ended. A connection that is dead is
/// noticed a few seconds later.
const WATCH_SECONDS: u32 = 45;

/// Where the quota tree is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeSource {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Where watches note what they hear, and the time of that.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The board.
    pub board: Board,
    /// The clock.
    pub clock: Clock,
}

/// Starts all watches. They end when the set is dropped, or when nobody receives the facts.
#[must_use]
pub fn start(client: &Client, source: &TreeSource, facts: &Sender<Fact>, seen: &Heard) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let erased = |resource| Api::<SlimPod>::all_with(client.clone(), &resource);
    let pods = Kind {
        store: Store::Pods,
        key: |pod: &SlimPod| Uid::from(pod.uid().unwrap_or_default()),
        read: |pod_object: &SlimPod| pod(pod_object).map(|pod| Fact::Pod(Box::new(pod))),
        gone: |uid, last: Option<&SlimPod>| Fact::PodGone {
            uid,
            last: last.and_then(|last| pod(last).ok()).map(Box::new),
        },
    };
    tasks.spawn(follow(erased(ApiResource::erase::<Pod>(&())), config(), pods, facts.clone(), seen.clone()));
    let nodes = Kind {
        store: Store::Nodes,
        key: |node: &SlimNode| Name::from(node.name_any()),
        read: |object: &SlimNode| node(object).map(|node| Fact::Node(Box::new(node))),
        gone: |name, _: Option<&SlimNode>| Fact::NodeGone(name),
    };
    let api = Api::<SlimNode>::all_with(client.clone(), &ApiResource::erase::<Node>(&()));
    tasks.spawn(follow(api, config(), nodes, facts.clone(), seen.clone()));
    let namespaces = Kind {
        store: Store::Namespaces,
        key: |object: &Namespace| Name::from(object.name_any()),
        read: |object: &Namespace| Ok(Fact::Namespace(namespace(object))),
        gone: |name, _: Option<&Namespace>| Fact::NamespaceGone(name),
    };
    tasks.spawn(follow(Api::all(client.clone()), config(), namespaces, facts.clone(), seen.clone()));
    let budgets = Kind {
        store: Store::Budgets,
        key: |object: &PodDisruptionBudget| {
            (Name::from(object.namespace().unwrap_or_default()), Name::from(object.name_any()))
        },
        read: |object: &PodDisruptionBudget| budget(object).map(Fact::Budget),
        gone: |(namespace, name): (Name, Name), _: Option<&PodDisruptionBudget>| Fact::BudgetGone(namespace, name),
    };
    tasks.spawn(follow(Api::all(client.clone()), config(), budgets, facts.clone(), seen.clone()));
    let trees = Kind {
        store: Store::Tree,
        key: |object: &DynamicObject| Name::from(object.name_any()),
        read: |object: &DynamicObject| tree(object).map(Fact::Tree),
        gone: |_: Name, _: Option<&DynamicObject>| Fact::TreeGone,
    };
    let api = Api::namespaced_with(client.clone(), &source.namespace, &tree_resource());
    let only = config().fields(&format!("metadata.name={}", source.name));
    tasks.spawn(follow(api, only, trees, facts.clone(), seen.clone()));
    tasks
}

/// Starts the watches of PodGroups and Workloads. A kind that the API server does not have has none; where its CRD comes later, the
/// watch does, too.
pub fn start_groups(tasks: &mut JoinSet<()>, client: &Client, facts: &Sender<Fact>, seen: &Heard) {
    for (kind, resources) in GROUP_KINDS.iter().copied() {
        let (client, facts, seen) = (client.clone(), facts.clone(), seen.clone());
        tasks.spawn(async move {
            let mut said = false;
            let resource = loop {
                match served(&client, resources).await {
                    Ok(Some(resource)) => break resource,
                    Ok(None) if !std::mem::replace(&mut said, true) => {
                        if facts.send(Fact::Synced(Store::Gangs(kind))).await.is_err() {
                            return;
                        }
                    }
                    Ok(None) => {}
                    Err(error) => eprintln!("quotree-scheduler: which PodGroups are served: {error}"),
                }
                tokio::time::sleep(if said { LATER } else { Duration::from_secs(1) }).await;
            };
            follow_groups(kind, client, resource, facts, seen).await;
        });
    }
}

/// A kind that is not served is looked for again after so long.
const LATER: Duration = Duration::from_secs(300);

/// The first of these resources that the API server has.
async fn served(client: &Client, resources: &[Served]) -> kube::Result<Option<ApiResource>> {
    for resource in resources {
        match client.list_api_group_resources(resource.0).await {
            Ok(list) if list.resources.iter().any(|one| one.name == resource.2) => {
                return Ok(Some(super::group::resource(*resource)));
            }
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Watches the groups of one kind of gangs, by its place in [`GROUP_KINDS`].
/// Watches the objects of one kind of gang.
async fn follow_groups(kind: GangKind, client: Client, resource: ApiResource, facts: Sender<Fact>, seen: Heard) {
    let key =
        |object: &DynamicObject| (Name::from(object.namespace().unwrap_or_default()), Name::from(object.name_any()));
    let of = Kind {
        store: Store::Gangs(kind),
        key,
        read: move |object: &DynamicObject| {
            groups(kind, object).map(|groups| Fact::PodGroups { kind, object: key(object), groups })
        },
        gone: move |object, _: Option<&DynamicObject>| Fact::PodGroups { kind, object, groups: Vec::new() },
    };
    follow(Api::all_with(client, &resource), config(), of, facts, seen).await;
}

fn config() -> watcher::Config {
    watcher::Config::default().page_size(PAGE).timeout(WATCH_SECONDS)
}

/// How the objects of a kind become facts.
struct Kind<K, Key, R, G>
where
    R: Fn(&K) -> Result<Fact, Unreadable>,
    G: Fn(Key, Option<&K>) -> Fact,
{
    store: Store,
    key: fn(&K) -> Key,
    read: R,
    gone: G,
}

/// Watches for ever. Errors are retried with back-off (0.8 s to 30 s): what is missing meanwhile comes with the next list. Now and
/// then a LIST is [compared](compare) with what was shown; where something was missed, the watch begins anew.
async fn follow<K, Key, R, G>(
    api: Api<K>,
    config: watcher::Config,
    kind: Kind<K, Key, R, G>,
    facts: Sender<Fact>,
    heard: Heard,
) where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    Key: Ord + Clone + Send + 'static,
    R: Fn(&K) -> Result<Fact, Unreadable>,
    G: Fn(Key, Option<&K>) -> Fact,
{
    let name = kind.store.name();
    heard.board.values(|values| {
        values.add(metric::WATCH_LISTS, &[name], 0.0);
        values.add(metric::WATCH_MISSED, &[name], 0.0);
    });
    let mut relist = Relist::new();
    let mut shown: Versions<Key> = Versions::new();
    let mut listed_once = false;
    let params = || {
        let params = ListParams::default().limit(PAGE);
        config.field_selector.iter().fold(params, |params, selector| params.fields(selector))
    };
    loop {
        let mut events = std::pin::pin!(watcher(api.clone(), config.clone()).default_backoff());
        let mut before: Option<BTreeMap<Key, Option<u64>>> = None;
        let mut look = Instant::now() + compare::EVERY;
        let mut listing: Option<JoinHandle<Option<Listed<Key>>>> = None;
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                () = tokio::time::sleep_until(look), if listing.is_none() => {
                    listing = Some(tokio::spawn(compare::list(api.clone(), params(), kind.key)));
                    continue;
                }
                listed = ended(&mut listing) => {
                    let (next, missed) = compared(listed, &shown, &mut before);
                    look = Instant::now() + next;
                    if missed > 0 {
                        heard.board.values(|values| values.add(metric::WATCH_MISSED, &[name], missed as f64));
                        eprintln!("quotree-scheduler: ALARM: the watch of {name} has missed {missed} objects; it begins anew");
                        break;
                    }
                    continue;
                }
            };
            let Some(event) = event else { return };
            match &event {
                Err(_) => heard.board.count(metric::WATCH_ERRORS, &[name]),
                Ok(event) => {
                    heard.board.heard(kind.store, heard.clock.now());
                    // The first one is no repetition.
                    if matches!(event, Event::InitDone) && std::mem::replace(&mut listed_once, true) {
                        heard.board.count(metric::WATCH_LISTS, &[name]);
                    }
                }
            }
            let sent = match event {
                Ok(Event::Init) => {
                    relist.begin();
                    continue;
                }
                Ok(Event::Apply(object) | Event::InitApply(object)) => {
                    let key = (kind.key)(&object);
                    shown.insert(key.clone(), compare::version(&object));
                    relist.shown(key);
                    vec![(kind.read)(&object).unwrap_or_else(Fact::Unreadable)]
                }
                Ok(Event::Delete(object)) => {
                    let key = (kind.key)(&object);
                    shown.remove(&key);
                    relist.deleted(&key);
                    vec![(kind.gone)(key, Some(&object))]
                }
                Ok(Event::InitDone) => {
                    let gone: Vec<Key> = relist.end().into_iter().collect();
                    gone.iter().for_each(|key| _ = shown.remove(key));
                    let gone = gone.into_iter().map(|key| (kind.gone)(key, None));
                    gone.chain([Fact::Synced(kind.store)]).collect()
                }
                Err(error) => {
                    eprintln!("quotree-scheduler: watch of {:?}: {error}", kind.store);
                    continue;
                }
            };
            for fact in sent {
                if facts.send(fact).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Waits for a list that is under way; for ever if none is.
async fn ended<K>(listing: &mut Option<JoinHandle<Option<Listed<K>>>>) -> Option<Listed<K>> {
    let Some(task) = listing else { return std::future::pending().await };
    let listed = task.await.ok().flatten();
    *listing = None;
    listed
}

/// Compares a list with what was shown: when to list again, and how many objects were missed.
fn compared<K: Ord + Clone>(
    listed: Option<Listed<K>>,
    shown: &Versions<K>,
    before: &mut Option<BTreeMap<K, Option<u64>>>,
) -> (Duration, usize) {
    let Some(listed) = listed else {
        *before = None;
        return (compare::EVERY, 0);
    };
    if let Some(before) = before.take() {
        return (compare::EVERY, compare::missed(&before, shown, &listed));
    }
    let differs = compare::differs(shown, &listed);
    if differs.is_empty() {
        return (compare::EVERY, 0);
    }
    *before = Some(differs);
    (compare::SETTLES, 0)
}
