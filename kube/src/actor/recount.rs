//! Whether the ledger is right: a new core that is told all that the watches have shown must come to the same one. To tell it takes
//! long in a large cluster, so the loop only hands over what was shown, which costs no copy of a pod, and a [twin](Twin) of the core
//! compares, beside the loop.

use super::{
    Actor, Live, Problem, Twin,
    names::Ids,
    restate::Recorder,
    seen::{Changes, Seen},
};
use crate::{settings::Settings, watch::Uid};
use quotree_core::{Amounts, DeviceSet, Name, Scheduler, Time, TreeSpec, WorkloadId};
use std::{collections::BTreeMap, sync::Arc};

/// All that was shown at one moment.
#[derive(Debug)]
pub struct Recount {
    seen: Seen,
    settings: Settings,
    tree: Arc<TreeSpec>,
    quiet_until: Time,
    now: Time,
}

/// What a recount gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recounted {
    /// Quota, resource, what is counted as used less what a recount gives, in base units.
    pub drift: Vec<(Name, Name, i64)>,
    /// What is counted differently, in words.
    pub differs: Option<String>,
}

impl Actor {
    /// What a recount needs, if decisions are made. To be called when no fact waits, and to be given to a twin that has got all input
    /// of this moment and none since.
    #[must_use]
    pub fn recount(&self, now: Time) -> Option<Recount> {
        let live = self.live.as_ref()?;
        Some(Recount {
            seen: self.seen.snapshot(),
            settings: self.settings.clone(),
            tree: live.tree.clone(),
            quiet_until: live.quiet_until,
            now,
        })
    }

    /// Takes what a recount gave. A difference is a mistake of this program.
    pub fn take_recount(&mut self, recounted: Recounted) {
        self.drift = recounted.drift;
        self.problems.extend(recounted.differs.map(Problem::Drift));
    }

    /// Where the ledger differed when it was compared last: quota, resource, what is counted less what a recount gives.
    #[must_use]
    pub fn drift(&self) -> &[(Name, Name, i64)] {
        &self.drift
    }
}

impl Twin {
    /// Compares the ledger with that of a new core that is told all that was shown.
    #[must_use]
    pub fn recounted(&self, recount: &Recount) -> Recounted {
        let Recount { seen, settings, tree, quiet_until, now } = recount;
        let Some(core) = &self.core else { return Recounted::default() };
        let Ok(mut new) = Live::new(tree.clone(), settings, *quiet_until, Recorder::default()) else {
            return Recounted::default();
        };
        new.carried = carried(core, &self.ids);
        let changes = Changes { tree: false, ..seen.as_changes() };
        new.report(seen, settings, changes, Vec::new(), *now);
        let differs = difference((core, &self.ids), (&new.core, &new.ids));
        Recounted { drift: differences(core, &new.core), differs }
    }
}

/// What a new core must be told of a pod that the API server does not show yet, or never shows.
#[derive(Debug, Clone)]
pub(super) struct Carried {
    /// Where it is.
    pub(super) node: Name,
    /// The devices that it was given there.
    pub(super) devices: DeviceSet,
}

/// Where pods are that are on a node or on their way there.
pub(super) fn carried(core: &Scheduler, ids: &Ids) -> BTreeMap<Uid, Carried> {
    let workloads = ids.workloads_from(WorkloadId(0)).filter_map(|(id, _)| core.workload(id));
    let pods = workloads.flat_map(|workload| workload.pods).filter_map(|pod| {
        let (uid, node) = (ids.uid(pod.id)?, ids.node_name(pod.node?)?);
        Some((uid.clone(), Carried { node: node.clone(), devices: pod.devices }))
    });
    pods.collect()
}

/// What two cores count differently as used.
fn differences(old: &Scheduler, new: &Scheduler) -> Vec<(Name, Name, i64)> {
    let mut all = Vec::new();
    let tree = old.tree();
    for quota in tree.ids() {
        let (name, used, other) = (tree.name(quota), old.usage(quota).used, used_by_name(new, tree.name(quota)));
        for resource in tree.governed() {
            let of = |amounts: &Amounts| amounts.get(resource.as_str()).unwrap_or(0);
            let more = of(&used).saturating_sub(of(&other));
            if more != 0 {
                all.push((name.clone(), resource.clone(), more));
            }
        }
    }
    all
}

fn used_by_name(core: &Scheduler, name: &Name) -> Amounts {
    core.tree().by_name(name.as_str()).map(|quota| core.usage(quota).used).unwrap_or_default()
}

/// What two cores count differently, in words.
pub(super) fn difference(old: (&Scheduler, &Ids), new: (&Scheduler, &Ids)) -> Option<String> {
    let tree = old.0.tree();
    for quota in tree.ids() {
        let (name, used, other) = (tree.name(quota), old.0.usage(quota).used, used_by_name(new.0, tree.name(quota)));
        if used != other {
            return Some(format!("quota {name}: {used} is counted, and {other} by what the API server shows"));
        }
    }
    let by_name = |(core, ids): (&Scheduler, &Ids)| -> BTreeMap<Name, Amounts> {
        let named = core.nodes().into_iter();
        named.filter_map(|node| ids.node_name(node.id).map(|name| (name.clone(), node.used))).collect()
    };
    let (before, after) = (by_name(old), by_name(new));
    let differs = before.iter().find(|(name, used)| after.get(*name) != Some(*used));
    differs.map(|(name, used)| {
        let other = after.get(name).cloned().unwrap_or_default();
        format!("node {name}: {used} is counted, and {other} by what the API server shows")
    })
}
