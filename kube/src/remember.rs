//! The last quota tree that was accepted, in a ConfigMap. A tree that is refused while the scheduler runs leaves the old one in
//! force; so must one that was broken, or deleted, while nobody ran.

use crate::{
    actor::Actor,
    clock::Clock,
    watch::{Fact, Store, streams::TreeSource},
    write::{fence::Fence, requests::MANAGER},
};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use quotree_core::TreeSpec;
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc::Sender;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// A read that failed is tried again after so long.
const AGAIN: Duration = Duration::from_secs(1);
/// The key of the tree in the ConfigMap, and of the object that it was read from.
const TREE: &str = "tree.json";
const SOURCE: &str = "source";

/// Where the tree is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The namespace of the ConfigMap.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Remembers the tree that is in force.
pub struct Memory {
    maps: Api<ConfigMap>,
    name: String,
    source: String,
    fence: Fence,
    clock: Clock,
    log: fn(&str),
    /// What was sent last.
    sent: Option<Arc<TreeSpec>>,
    busy: Arc<AtomicBool>,
    failed: Arc<AtomicBool>,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Memory {
    /// A memory of the tree of this source. Nothing is written while the fence is closed.
    #[must_use]
    pub fn new(
        client: Client,
        place: &Place,
        source: &TreeSource,
        (clock, fence): (Clock, Fence),
        log: fn(&str),
    ) -> Self {
        Self {
            maps: Api::namespaced(client, &place.namespace),
            name: place.name.clone(),
            source: format!("{}/{}", source.namespace, source.name),
            fence,
            clock,
            log,
            sent: None,
            busy: Arc::default(),
            failed: Arc::default(),
        }
    }

    /// Reads what was remembered, and says so to the actor: nothing is decided before. What is of another source, or of a form
    /// that is not understood, counts as nothing, and that is logged.
    pub fn recall(&self, facts: Sender<Fact>) -> impl Future<Output = ()> + 'static {
        let (maps, name, source, log) = (self.maps.clone(), self.name.clone(), self.source.clone(), self.log);
        async move {
            let found = loop {
                match tokio::time::timeout(PATIENCE, maps.get_opt(&name)).await {
                    Ok(Ok(found)) => break found,
                    Ok(Err(error)) => log(&format!("the last accepted quota tree is not read yet: {error}")),
                    Err(_) => log("the last accepted quota tree is not read yet: no answer"),
                }
                tokio::time::sleep(AGAIN).await;
            };
            let data = found.and_then(|map| map.data).unwrap_or_default();
            let ours = data.get(SOURCE) == Some(&source);
            let text = data.get(TREE).filter(|_| ours);
            let tree = text.and_then(|text| {
                serde_json::from_str::<TreeSpec>(text)
                    .inspect_err(|error| log(&format!("the last accepted quota tree cannot be read: {error}")))
                    .ok()
            });
            // If nobody receives them, nobody needs them.
            for fact in [Fact::Accepted(tree), Fact::Synced(Store::Accepted)] {
                let _ = facts.send(fact).await;
            }
        }
    }

    /// Writes the tree in force beside the loop, if it is another one than was written last. Every turn asks this, so trees are
    /// compared only after the core was begun anew.
    pub fn write(&mut self, actor: &Actor) {
        let Some(tree) = actor.tree() else { return };
        if self.busy.load(Ordering::Acquire) || !self.fence.allows(self.clock.now()) {
            return;
        }
        if self.failed.swap(false, Ordering::AcqRel) {
            self.sent = None;
        }
        let sent = self.sent.replace(tree.clone());
        if sent.is_some_and(|sent| Arc::ptr_eq(&sent, tree) || sent == *tree) {
            return;
        }
        let text = match serde_json::to_string(&**tree) {
            Ok(text) => text,
            Err(error) => return (self.log)(&format!("the quota tree is not remembered: {error}")),
        };
        self.busy.store(true, Ordering::Release);
        let patch = Patch::Apply(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": self.name },
            "data": { TREE: text, SOURCE: self.source },
        }));
        let (maps, name, log) = (self.maps.clone(), self.name.clone(), self.log);
        let (busy, failed) = (self.busy.clone(), self.failed.clone());
        tokio::spawn(async move {
            let params = PatchParams::apply(MANAGER).force();
            let answer = tokio::time::timeout(PATIENCE, maps.patch_metadata(&name, &params, &patch)).await;
            if let Ok(Err(error)) = &answer {
                log(&format!("the quota tree is not remembered: {error}"));
            }
            failed.store(!matches!(answer, Ok(Ok(_))), Ordering::Release);
            busy.store(false, Ordering::Release);
        });
    }
}
