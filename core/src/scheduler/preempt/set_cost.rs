//! What a set of victims costs (V5), best first.

use super::{candidates::Candidate, eligibility::Preemptor, plan::lost_ms};
use crate::{
    api::PodId,
    scheduler::{
        cluster::Cluster,
        state::{QuotaSlot, Ratio},
    },
};
use std::{cmp::Reverse, collections::BTreeSet};

/// The part of the cost that can only grow when another victim is added.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Worst {
    broken_budgets: usize,
    highest_priority: Option<i32>,
    /// The largest fraction of its min that a quota loses by the evictions.
    below_min: Ratio,
    pods: usize,
}

/// The cost of a set that makes room.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SetCost {
    pub(super) worst: Worst,
    lost_ms: u128,
    /// The pods, the highest id first.
    ids: Reverse<Vec<PodId>>,
}

impl Worst {
    /// What the evictions of these victims cost; they must be evicted on trial.
    pub(super) fn of(cluster: &Cluster, preemptor: &Preemptor, victims: &[Candidate]) -> Self {
        Self {
            broken_budgets: victims.iter().filter(|victim| victim.rank.breaks_budget).count(),
            highest_priority: victims.iter().map(|victim| victim.rank.priority).max(),
            below_min: below_min(cluster, preemptor, victims),
            pods: victims.iter().map(|victim| victim.pods.len()).sum(),
        }
    }
}

impl SetCost {
    pub(super) fn of(cluster: &Cluster, worst: Worst, victims: &[Candidate]) -> Self {
        let pods = victims.iter().flat_map(|victim| &victim.pods);
        let mut ids: Vec<PodId> = pods.map(|pod| cluster.workloads.id_of(*pod)).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        Self { worst, lost_ms: victims.iter().map(|victim| lost_ms(cluster, victim)).sum(), ids: Reverse(ids) }
    }
}

/// How far the victims take quotas below min, relative to min: the largest value over the counted resources, and over
/// the quotas of their branches that are not above the preemptor.
fn below_min(cluster: &Cluster, preemptor: &Preemptor, victims: &[Candidate]) -> Ratio {
    let quotas = &cluster.quotas;
    let own: BTreeSet<QuotaSlot> = quotas.ledger.path(preemptor.leaf).collect();
    let leaves: BTreeSet<QuotaSlot> = victims.iter().map(|victim| victim.leaf).collect();
    let branches: BTreeSet<QuotaSlot> = leaves.iter().flat_map(|leaf| quotas.ledger.path(*leaf)).collect();
    let mut most = Ratio { over: 0, of: 1 };
    for quota in branches.difference(&own).filter(|quota| quotas.quota_id(**quota).is_some()) {
        for r in quotas.resources().filter(|r| quotas.counts(*r)) {
            let (min, left) = (quotas.min(*quota, r), quotas.ledger.remaining_usage(*quota, r));
            if left >= min {
                continue;
            }
            let in_quota = |victim: &&Candidate| quotas.ledger.path(victim.leaf).any(|q| q == *quota);
            let pods = victims.iter().filter(in_quota).flat_map(|victim| &victim.pods);
            let taken: i64 = pods.map(|pod| cluster.workloads.template(*pod).amount(r)).sum();
            most = most.max(Ratio { over: taken.min(min - left), of: min });
        }
    }
    most
}
