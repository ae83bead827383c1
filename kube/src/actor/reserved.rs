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

/// The pods that are admitted and not on their node yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Reserved(BTreeMap<Uid, Waits>);

#[derive(Debug, Clone, Copy, Default)]
struct Waits {
    /// Since when its gate is gone; none while our own write is under way.
    since: Option<Time>,
    /// Since when its node cannot take it.
    hopeless: Option<Time>,
    given_up: bool,
    due: Option<Time>,
}

impl Reserved {
    /// A pod is admitted.
    pub(super) fn add(&mut self, uid: &Uid) {
        self.0.entry(uid.clone()).or_default();
    }

    /// The eviction of a pod failed: it is tried again.
    pub(super) fn again(&mut self, uid: &Uid, now: Time) {
        if let Some(waits) = self.0.get_mut(uid) {
            *waits = Waits { since: Some(now), due: Some(now.after_ms(HOPELESS_MS)), ..Waits::default() };
        }
    }

    /// When the next one may have waited too long.
    pub(super) fn next_wake(&self) -> Option<Time> {
        self.0.values().filter(|waits| !waits.given_up).filter_map(|waits| waits.due).min()
    }
}

/// Gives up those that have waited too long. Costs a pass over those that wait.
pub(super) fn give_up(live: &mut Live, seen: &Seen, mode: Mode, now: Time) -> Vec<Intent> {
    let mut intents = Vec::new();
    let mut reserved = std::mem::take(&mut live.reserved);
    reserved.0.retain(|uid, waits| {
        let Some(Progress::Assumed(node)) = live.known.get(uid).map(|known| known.state) else { return false };
        let Some(pod) = seen.pods.get(uid).filter(|pod| mode == Mode::Gate && pod.facts.deleted_ms.is_none()) else {
            return false;
        };
        if waits.given_up || pod.facts.gates.iter().any(|gate| *gate == names::GATE) {
            return true;
        }
        let since = *waits.since.get_or_insert(now);
        let is_hopeless = is_hopeless(live, node);
        let hopeless = is_hopeless.then(|| *waits.hopeless.get_or_insert(now));
        waits.hopeless = hopeless;
        let pinned = pod.facts.node_selector.iter().any(|(label, _)| *label == names::HOSTNAME);
        let patience = if pinned { PINNED_MS } else { UNPINNED_MS };
        let due = since.after_ms(patience).min(hopeless.map_or(Time(u64::MAX), |since| since.after_ms(HOPELESS_MS)));
        waits.due = Some(due);
        if due <= now {
            waits.given_up = true;
            let name = live.ids.node_name(node).map_or_else(|| "a node that is gone".to_owned(), ToString::to_string);
            let why = format!("it was admitted to {name}, and not placed there within {} s", now.since(since) / 1000);
            intents.push(Intent::Evict {
                pod: PodKey::of(pod),
                not_before: now,
                why,
                reason: "NotPlaced",
                cause: None,
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
