//! Pods that were admitted and that the kube-scheduler does not place. A gate cannot be put back, so such a pod is evicted, for its
//! owner to create another one, about which is decided anew. In bind mode there are none: a binding counts at once.

use super::{Intent, Live, PodKey, nodes, pods::Progress, seen::Seen};
use crate::{settings::Mode, watch::Uid};
use quotree_core::{NodeId, Time};
use quotree_k8s::names;
use std::collections::BTreeMap;

/// So long the kube-scheduler may take for a pod that is pinned to its node, milliseconds.
const PINNED_MS: u64 = 30_000;
/// And for one that is not: a node may have to be made for it.
const UNPINNED_MS: u64 = 300_000;
/// And for one whose node is gone, closed, or smaller than what is charged to it: as long as a pod takes that still fits.
const HOPELESS_MS: u64 = 5000;

/// They are looked at so often, milliseconds.
const EVERY_MS: u64 = 1000;

/// The pods that are admitted and not on their node yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Reserved {
    pods: BTreeMap<Uid, Waits>,
    next_look: Time,
}

#[derive(Debug, Clone, Copy, Default)]
struct Waits {
    /// Since when its gate is gone; none while our own write is under way.
    since: Option<Time>,
    /// Since when its node cannot take it.
    hopeless: Option<Time>,
    given_up: bool,
}

impl Reserved {
    /// A pod is admitted.
    pub(super) fn add(&mut self, uid: &Uid) {
        self.pods.entry(uid.clone()).or_default();
    }

    /// A pod is on its node, or waits again.
    pub(super) fn remove(&mut self, uid: &Uid) {
        self.pods.remove(uid);
    }

    /// The eviction of a pod failed: it is tried again.
    pub(super) fn again(&mut self, uid: &Uid, now: Time) {
        if let Some(waits) = self.pods.get_mut(uid) {
            *waits = Waits { since: Some(now), ..Waits::default() };
        }
    }

    /// When they are looked at next, if there are any.
    pub(super) fn next_wake(&self) -> Option<Time> {
        (!self.pods.is_empty()).then_some(self.next_look)
    }
}

/// Gives up those that have waited too long. Costs a pass over those that wait and their nodes, once a second.
pub(super) fn give_up(live: &mut Live, seen: &Seen, mode: Mode, now: Time) -> Vec<Intent> {
    let mut intents = Vec::new();
    if now < live.reserved.next_look {
        return intents;
    }
    let mut reserved = std::mem::take(&mut live.reserved);
    reserved.next_look = now.after_ms(EVERY_MS);
    let mut hopeless: BTreeMap<NodeId, bool> = BTreeMap::new();
    reserved.pods.retain(|uid, waits| {
        let Some(Progress::Assumed(node)) = live.known.get(uid).map(|known| known.state) else { return false };
        let Some(pod) = seen.pods.get(uid).filter(|pod| mode == Mode::Gate && pod.facts.deleted_ms.is_none()) else {
            return false;
        };
        if waits.given_up || pod.facts.gates.iter().any(|gate| *gate == names::GATE) {
            return true;
        }
        let since = *waits.since.get_or_insert(now);
        let is_hopeless = *hopeless.entry(node).or_insert_with(|| is_hopeless(live, node));
        waits.hopeless = is_hopeless.then(|| waits.hopeless.unwrap_or(now));
        let pinned = pod.facts.node_selector.iter().any(|(label, _)| *label == names::HOSTNAME);
        let too_long = now.since(since) >= if pinned { PINNED_MS } else { UNPINNED_MS };
        waits.given_up = too_long || waits.hopeless.is_some_and(|since| now.since(since) >= HOPELESS_MS);
        if waits.given_up {
            let name = live.ids.node_name(node).map_or_else(|| "a node that is gone".to_owned(), ToString::to_string);
            let why = format!("it was admitted to {name}, and not placed there within {} s", now.since(since) / 1000);
            intents.push(Intent::Evict {
                pod: PodKey::of(pod),
                not_before: now,
                why,
                reason: "NotPlaced",
                cause: None,
                unplaced: true,
            });
        }
        true
    });
    live.reserved = reserved;
    intents
}

/// Whether a node cannot take what is charged to it: it is gone or closed, or has become too small.
fn is_hopeless(live: &Live, node: NodeId) -> bool {
    nodes::is_leaving(live, node)
        || live.core.node(node).is_none_or(|node| {
            let over = |(resource, used): (&quotree_core::Name, i64)| {
                node.allocatable.get(resource.as_str()).is_some_and(|all| used > all)
            };
            !node.schedulable || node.used.iter().any(over)
        })
}
