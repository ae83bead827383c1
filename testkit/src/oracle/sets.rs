//! Every set of evictions that the rules allow for a workload, whatever procedure would find it.
//!
//! A set is a bit for each pod. It is legal if some order of evictions makes each legal when its turn comes: a workload
//! that may be evicted at all (R2(c)), of a leaf whose whole branch is over in something contested that the victim uses
//! (R2(b)), which uses something that is lacking (R5); whole gangs or single elastic pods (G2). It makes room if in the
//! end no limit of the path bars the ask (A1, A2), the ask's side is within its guarantee (R2(a)), and all its pods find
//! a node.

use super::picture::{Asked, Picture, Pod};
use quotree_core::{Floor, NodeId, RespectBudgets};
use std::collections::BTreeMap;

/// Where room is made: on one node, or wherever there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Spot {
    /// On one node, for one pod.
    Node(usize),
    /// On all nodes, for several pods.
    All,
    /// There is room already, and only quota is missing.
    Anywhere,
}

/// A set that makes room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LegalSet {
    pub(crate) spot: Spot,
    pub(crate) pods: u64,
    /// How many of its evictions break a disruption budget.
    pub(crate) broken: usize,
}

/// More evictable workloads than this are not searched.
const MOST: usize = 12;

/// All legal sets that make room for `asked` and of which no part makes room; nothing where there are too many
/// candidates. With `later`, what was bound at this moment may be evicted, too.
pub(crate) fn legal_sets(picture: &Picture, asked: &Asked, later: bool) -> Option<Vec<LegalSet>> {
    let mut found = Vec::new();
    for spot in spots(picture, asked) {
        let mut search = Search { picture, asked, spot, later, seen: BTreeMap::new(), found: Vec::new() };
        let all = search.all_evictable();
        if (0..picture.owners.len()).filter(|o| search.pods_of(*o) & all != 0).count() > MOST {
            return None;
        }
        if search.makes_room(all) {
            search.extend(0, 0);
        }
        found.append(&mut search.found);
    }
    Some(found)
}

fn spots(picture: &Picture, asked: &Asked) -> Vec<Spot> {
    let everywhere = Search { picture, asked, spot: Spot::All, later: false, seen: BTreeMap::new(), found: Vec::new() };
    if everywhere.has_room(0) {
        return vec![Spot::Anywhere];
    }
    if asked.count > 1 {
        return vec![Spot::All];
    }
    (0..picture.nodes.len()).filter(|node| everywhere.suits(*node)).map(Spot::Node).collect()
}

/// What is lacking, and where: below a quota, on a node, or on any node.
struct Lack {
    below: Option<usize>,
    on: Option<usize>,
    what: Vec<usize>,
}

struct Search<'a> {
    picture: &'a Picture,
    asked: &'a Asked,
    spot: Spot,
    later: bool,
    /// For each set that was looked at, how many budgets it breaks.
    seen: BTreeMap<u64, usize>,
    found: Vec<LegalSet>,
}

impl<'a> Search<'a> {
    fn in_set(&self, set: u64) -> impl Iterator<Item = (usize, &'a Pod)> {
        let picture = self.picture;
        picture.pods.iter().enumerate().filter(move |(i, _)| set >> i & 1 == 1)
    }

    fn pods_of(&self, owner: usize) -> u64 {
        self.picture.pods.iter().enumerate().filter(|(_, pod)| pod.owner == owner).fold(0, |set, (i, _)| set | 1 << i)
    }

    fn may_be_evicted(&self, owner: usize) -> bool {
        let who = &self.picture.owners[owner];
        who.evictable && (self.later || !who.just_bound) && who.leaf != self.asked.leaf && who.id != self.asked.id
    }

    /// All pods that might be evicted at all.
    fn all_evictable(&self) -> u64 {
        let owners = (0..self.picture.owners.len()).filter(|owner| self.may_be_evicted(*owner));
        owners.fold(0, |set, owner| set | self.pods_of(owner))
    }

    /// What a quota uses in a resource without these pods.
    fn used(&self, quota: usize, r: usize, without: u64) -> i64 {
        let below = |pod: &&Pod| self.picture.path(self.picture.owners[pod.owner].leaf).any(|q| q == quota);
        let gone: i64 = self.in_set(without).map(|(_, pod)| pod).filter(below).map(|pod| pod.row[r]).sum();
        self.picture.quotas[quota].used[r] - gone
    }

    fn free(&self, node: usize, r: usize, without: u64) -> i64 {
        let gone: i64 = self.in_set(without).filter(|(_, pod)| pod.node == node).map(|(_, pod)| pod.row[r]).sum();
        self.picture.nodes[node].free[r] + gone
    }

    fn suits(&self, node: usize) -> bool {
        let (spec, template) = (&self.picture.nodes[node].spec, &self.asked.template);
        let has = |(label, values): &(quotree_core::Name, Vec<quotree_core::Name>)| {
            spec.labels.iter().any(|(name, value)| name == label && values.contains(value))
        };
        spec.schedulable
            && spec.taints.iter().all(|taint| template.tolerations.contains(taint))
            && template.selector.iter().all(has)
    }

    /// The resources that one pod more than there is room for lacks on a node.
    fn lacks(&self, node: usize, without: u64) -> Vec<usize> {
        let room = self.holds(node, without);
        let short = |r: &usize| self.asked.row[*r] > 0 && self.holds_by(node, *r, without) == room;
        (0..self.asked.row.len()).filter(short).collect()
    }

    /// How many pods of the ask have room on a node without these pods, by one resource.
    fn holds_by(&self, node: usize, r: usize, without: u64) -> i64 {
        self.free(node, r, without).max(0) / self.asked.row[r]
    }

    /// How many pods of the ask have room on a node without these pods.
    fn holds(&self, node: usize, without: u64) -> i64 {
        let requested = (0..self.asked.row.len()).filter(|r| self.asked.row[*r] > 0);
        requested.map(|r| self.holds_by(node, r, without)).min().unwrap_or(i64::MAX)
    }

    /// Whether all pods of the ask find a node without these pods: equal pods fit if the nodes hold enough of them.
    fn has_room(&self, without: u64) -> bool {
        let nodes = (0..self.picture.nodes.len()).filter(|node| match self.spot {
            Spot::Node(target) => *node == target,
            _ => true,
        });
        nodes.filter(|n| self.suits(*n)).map(|n| self.holds(n, without)).fold(0, i64::saturating_add)
            >= self.asked.count
    }

    /// The limits of the path that the ask passes without these pods (A1).
    fn passed(&self, without: u64) -> Vec<(usize, usize)> {
        let mut passed = Vec::new();
        for q in self.picture.path(self.asked.leaf) {
            for (r, amount) in self.picture.requested(self.asked).filter(|(r, _)| self.picture.governed[*r]) {
                let max = self.picture.quotas[q].max[r];
                if max != i64::MAX && self.used(q, r, without) + amount > max {
                    passed.push((q, r));
                }
            }
        }
        passed
    }

    fn makes_room(&self, without: u64) -> bool {
        let counted = || self.picture.requested(self.asked).filter(|(r, _)| self.picture.counted[*r]);
        let fixed = |q: usize| {
            let quota = &self.picture.quotas[q];
            self.asked.preemptible || counted().all(|(r, amount)| quota.fixed[r] + amount <= quota.min[r])
        };
        // R2(a): up to where a victim's branch meets the path.
        let commons = self.in_set(without).map(|(_, pod)| self.common(self.picture.owners[pod.owner].leaf));
        let reach: Vec<usize> = commons.collect();
        let within = |q: usize| {
            let quota = &self.picture.quotas[q];
            counted().all(|(r, amount)| self.used(q, r, without) + amount <= quota.min[r])
        };
        let entitled = |common: &usize| self.picture.path(self.asked.leaf).take_while(|q| q != common).all(within);
        self.passed(without).is_empty()
            && self.picture.path(self.asked.leaf).all(fixed)
            && reach.iter().all(entitled)
            && self.has_room(without)
    }

    /// Where the branch of a leaf meets the path of the ask.
    fn common(&self, leaf: usize) -> usize {
        let own: Vec<usize> = self.picture.path(self.asked.leaf).collect();
        self.picture.path(leaf).find(|q| own.contains(q)).unwrap_or(0)
    }

    fn lacking(&self, without: u64) -> Vec<Lack> {
        let mut lacking: Vec<Lack> = Vec::new();
        for (q, r) in self.passed(without) {
            match lacking.iter_mut().find(|lack| lack.below == Some(q)) {
                Some(lack) => lack.what.push(r),
                None => lacking.push(Lack { below: Some(q), on: None, what: vec![r] }),
            }
        }
        match self.spot {
            Spot::Anywhere => {}
            Spot::Node(node) => lacking.push(Lack { below: None, on: Some(node), what: self.lacks(node, without) }),
            Spot::All => {
                let nodes = (0..self.picture.nodes.len()).filter(|node| self.suits(*node));
                let lack = |node| Lack { below: None, on: Some(node), what: self.lacks(node, without) };
                lacking.extend(nodes.map(lack));
            }
        }
        lacking
    }

    /// What one eviction of a workload takes, if it helps: the last elastic pod that helps, or all (G2).
    fn unit(&self, owner: usize, without: u64, helps: impl Fn(&Pod) -> bool) -> Option<u64> {
        let left = self.pods_of(owner) & !without;
        let placed = |kind: usize| self.in_set(left).filter(|(_, pod)| pod.kind == kind).count();
        let minimums = &self.picture.owners[owner].minimums;
        let broken = minimums.iter().enumerate().any(|(kind, min)| placed(kind) < *min as usize);
        let spare = |pod: &Pod| placed(pod.kind) > minimums[pod.kind] as usize && helps(pod);
        let elastic = self.in_set(left).filter(|(_, pod)| spare(pod)).max_by_key(|(_, pod)| pod.id.ordinal);
        match elastic.filter(|_| !broken) {
            Some((i, _)) => Some(1 << i),
            None => self.in_set(left).any(|(_, pod)| helps(pod)).then_some(left),
        }
    }

    /// The evictions that are legal next, each with whether it breaks a budget.
    fn picks(&self, without: u64) -> Vec<(u64, bool)> {
        let mut picks = Vec::new();
        for lack in self.lacking(without) {
            let counted: Vec<usize> = lack.what.iter().copied().filter(|r| self.picture.counted[*r]).collect();
            let requested = self.picture.requested(self.asked).map(|(r, _)| r).filter(|r| self.picture.counted[*r]);
            let contested: Vec<usize> = if counted.is_empty() { requested.collect() } else { counted };
            for owner in (0..self.picture.owners.len()).filter(|owner| self.may_be_evicted(*owner)) {
                let who = &self.picture.owners[owner];
                if lack.below.is_some_and(|below| self.picture.path(who.leaf).all(|q| q != below)) {
                    continue;
                }
                let here = |pod: &Pod| lack.on.is_none_or(|node| pod.node == node);
                let helps = |pod: &Pod| here(pod) && lack.what.iter().any(|r| pod.row[*r] > 0);
                let Some(unit) = self.unit(owner, without, helps) else { continue };
                if !self.is_over(who.leaf, &contested, unit, without) {
                    continue;
                }
                let breaks = who.budget.is_some_and(|left| left < unit.count_ones());
                if breaks && self.picture.policy.respect_budgets == RespectBudgets::Always {
                    continue;
                }
                picks.push((unit, breaks));
            }
        }
        picks
    }

    /// R2(b), with the knob `floor`.
    fn is_over(&self, leaf: usize, contested: &[usize], unit: u64, without: u64) -> bool {
        let common = self.common(leaf);
        let branch: Vec<usize> = self.picture.path(leaf).take_while(|q| *q != common).collect();
        let above = |q: usize, r: usize, without: u64| self.used(q, r, without) - self.picture.quotas[q].min[r];
        let over = |r: &usize| branch.iter().all(|q| above(*q, *r, without) > 0);
        let uses = |r: &usize| self.in_set(unit).any(|(_, pod)| pod.row[*r] > 0);
        let strict = self.picture.policy.floor == Floor::Strict;
        let keeps = |r: &usize| branch.iter().all(|q| above(*q, *r, without | unit) >= 0);
        let all_over: Vec<usize> = contested.iter().copied().filter(over).collect();
        all_over.iter().any(uses) && (!strict || all_over.iter().all(keeps))
    }

    fn extend(&mut self, set: u64, broken: usize) {
        if self.seen.get(&set).is_some_and(|seen| *seen <= broken) {
            return;
        }
        self.seen.insert(set, broken);
        if self.makes_room(set) {
            self.found.retain(|other| other.pods != set);
            self.found.push(LegalSet { spot: self.spot, pods: set, broken });
            return;
        }
        for (unit, breaks) in self.picks(set) {
            self.extend(set | unit, broken + usize::from(breaks));
        }
    }
}

impl LegalSet {
    /// The node that it clears, if it is one.
    pub(crate) fn node(&self, picture: &Picture) -> Option<NodeId> {
        match self.spot {
            Spot::Node(node) => picture.nodes.get(node).map(|node| node.id),
            _ => None,
        }
    }
}
