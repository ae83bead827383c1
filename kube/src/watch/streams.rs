//! The watches: one task for each kind of objects, which sends facts in the order in which the API shows them.

use super::{
    Fact, Store, Uid, budget, namespace, node, pod,
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
    core::{ApiResource, DynamicObject},
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use quotree_core::Name;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use tokio::{sync::mpsc::Sender, task::JoinSet};

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

fn config() -> watcher::Config {
    watcher::Config::default().page_size(PAGE).timeout(WATCH_SECONDS)
}

/// How the objects of a kind become facts.
struct Kind<K, Key> {
    store: Store,
    key: fn(&K) -> Key,
    read: fn(&K) -> Result<Fact, Unreadable>,
    gone: fn(Key, Option<&K>) -> Fact,
}

/// Watches for ever. Errors are retried with back-off (0.8 s to 30 s): what is missing meanwhile comes with the next list.
async fn follow<K, Key>(api: Api<K>, config: watcher::Config, kind: Kind<K, Key>, facts: Sender<Fact>, heard: Heard)
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    Key: Ord + Clone + Send,
{
    let mut relist = Relist::new();
    let mut events = std::pin::pin!(watcher(api, config).default_backoff());
    while let Some(event) = events.next().await {
        match &event {
            Err(_) => heard.board.count(metric::WATCH_ERRORS, &[kind.store.name()]),
            Ok(event) => {
                heard.board.heard(kind.store, heard.clock.now());
                if matches!(event, Event::InitDone) {
                    heard.board.count(metric::WATCH_LISTS, &[kind.store.name()]);
                }
            }
        }
        let sent = match event {
            Ok(Event::Init) => {
                relist.begin();
                continue;
            }
            Ok(Event::Apply(object) | Event::InitApply(object)) => {
                relist.shown((kind.key)(&object));
                vec![(kind.read)(&object).unwrap_or_else(Fact::Unreadable)]
            }
            Ok(Event::Delete(object)) => {
                let key = (kind.key)(&object);
                relist.deleted(&key);
                vec![(kind.gone)(key, Some(&object))]
            }
            Ok(Event::InitDone) => {
                let gone = relist.end().into_iter().map(|key| (kind.gone)(key, None));
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
