//! Builds the history at the end of a run: jobs and pods with their names, periods of waiting, evictions.

use super::{
    Recorder,
    rows::{EvictionHistory, History, JobEnd, JobHistory, PlacementHistory, PodEnd, PodHistory, WaitHistory, Why},
    work,
};
use crate::{
    metrics::{Eviction, Evictions, MetricsCollector},
    model::Kind,
    world::{End, NONE, PodLabel, State, World, WorldNames},
};
use quotree_words as words;
use std::collections::{BTreeMap, BTreeSet};

/// The most reasons for one period of waiting of a pod. If there are more, the last of these is extended to the end of
/// the period.
const MOST_REASONS: usize = 40;

impl Recorder {
    /// The history up to now.
    pub(crate) fn finish(mut self, world: &World<'_>, metrics: &MetricsCollector, is_quiet: bool) -> History {
        let end_ms = world.now.0;
        let placements = std::mem::take(&mut self.work.placements);
        let places = Places::new(&placements, world.pods.len());
        let mut history = History {
            end_ms,
            resources: world.shapes.resources().cloned().collect(),
            shapes: world.shapes.rows.iter().map(|row| row.to_vec()).collect(),
            ..History::default()
        };
        let of_unit = self.jobs(world, &mut history);
        self.pods(world, &of_unit, &places, &mut history);
        self.evictions(world, (&metrics.evictions, is_quiet), &of_unit, &places, &mut history);
        self.waited(world, &places, &mut history);
        history.placements = placements;
        history.lost_work = std::mem::take(&mut self.work.lost_work);
        history.loans = std::mem::take(&mut self.quotas.loans).finish(end_ms);
        (history.quotas, history.quota_lines, history.edits) = self.quotas.finish();
        (history.cluster, history.nodes) = self.cluster.finish(end_ms);
        history
    }

    /// Fills in the jobs. Returns the job of each core workload.
    fn jobs(&self, world: &World<'_>, history: &mut History) -> Vec<u32> {
        let mut rows: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        let mut owners: Vec<u32> = vec![NONE; world.controllers.len() as usize];
        let mut of_unit = Vec::new();
        for unit in world.units.ids() {
            let record = &world.units[unit];
            let row = match world.kind(record.owner) {
                Some(Kind::Trace { .. }) => record.number,
                _ => NONE,
            };
            let next = u32::try_from(history.jobs.len()).unwrap_or(NONE);
            let number = match owners.get_mut(record.owner as usize).filter(|_| row == NONE) {
                Some(owner) => {
                    *owner = if *owner == NONE { next } else { *owner };
                    *owner
                }
                None => *rows.entry((record.owner, row)).or_insert(next),
            };
            of_unit.push(number);
            if number == next {
                history.jobs.push(self.job(world, unit, row));
            }
            if let Some(job) = history.jobs.get_mut(number as usize).filter(|_| row != NONE) {
                job.end = row_end(world, unit);
            }
        }
        of_unit
    }

    /// The row of the job whose first core workload this is.
    fn job(&self, world: &World<'_>, unit: u32, row: u32) -> JobHistory {
        let record = &world.units[unit];
        let owner = &world.controllers[record.owner];
        let key = world.accounts.all[record.account].key;
        let known = |number: u32| Some(number).filter(|number| *number != NONE);
        JobHistory {
            workload: owner.workload,
            number: known(owner.number),
            task: known(owner.task),
            row: known(row),
            namespace: world.namespaces[record.namespace].name.clone(),
            quota: self.leaves.get(unit as usize).copied().flatten(),
            user: world.accounts.user_name(key.user).cloned(),
            group: world.accounts.group_names().nth(key.group as usize).cloned(),
            submitted_ms: record.created.0,
            end: match owner.end {
                End::Open => JobEnd::Open,
                End::Succeeded => JobEnd::Succeeded,
                End::Failed => JobEnd::Failed,
                End::Withdrawn => JobEnd::Withdrawn,
            },
        }
    }

    fn pods(&self, world: &World<'_>, of_unit: &[u32], places: &Places<'_>, history: &mut History) {
        history.pods.reserve_exact(world.pods.len() as usize);
        for pod in world.pods.ids() {
            let record = world.pods[pod];
            let last = places.of(pod).next_back();
            let ended = match last.and_then(|placement| placement.gone).filter(|_| !record.state.is_live()) {
                Some(gone) if gone.1 != PodEnd::BindFailed => Some(gone),
                _ => work::end_of(record.state, false, false).map(|end| (record.at.0, end)),
            };
            let old = self.work.replaces.get(&record.unit).map(|old| &world.units[*old]);
            let ordinal = world.id_of(pod).ordinal;
            history.pods.push(PodHistory {
                job: of_unit.get(record.unit as usize).copied().unwrap_or(0),
                label: PodLabel::of(world, pod),
                shape: record.shape,
                created_ms: self.work.created.get(pod as usize).copied().unwrap_or(0),
                ended,
                replaces: old.filter(|old| ordinal < old.first_count).map(|old| old.first_pod + ordinal),
            });
        }
    }

    fn evictions(
        &self,
        world: &World<'_>,
        (evictions, is_quiet): (&Evictions, bool),
        of_unit: &[u32],
        places: &Places<'_>,
        history: &mut History,
    ) {
        let wasted: BTreeSet<_> = evictions.wasted_ones(is_quiet).map(|e| (e.at, e.pod)).collect();
        let mut by_eviction: BTreeMap<u32, &PlacementHistory> = BTreeMap::new();
        for placement in places.all {
            by_eviction.extend(placement.eviction.map(|eviction| (eviction, placement)));
        }
        let row = |(number, e): (u32, &Eviction)| {
            let tree = world.trees.of_version(e.tree);
            let names = WorldNames { world, tree };
            let placement = by_eviction.get(&number);
            let cause = e.reason.cause.map(|cause| cause.0).filter(|cause| *cause < world.units.len());
            let bound = |pod: u32| places.of(pod).map(|placement| placement.bound_ms).filter(|at| *at >= e.at.0).min();
            let waited = |pod: &u32| {
                let created = self.work.created.get(*pod as usize).copied().unwrap_or(u64::MAX);
                created <= e.at.0 && (bound(*pod).is_some() || world.pods[*pod].state == State::Waiting)
            };
            let cause_pods: Vec<u32> = cause.into_iter().flat_map(|unit| world.pods_of(unit)).filter(waited).collect();
            EvictionHistory {
                at_ms: e.at.0,
                pod: e.pod,
                leaf: e.reason.leaf.and_then(|leaf| self.quotas.named(tree.name(leaf))),
                node: placement.map_or(NONE, |placement| placement.node),
                devices: placement.map(|placement| placement.devices).unwrap_or_default(),
                rule: e.reason.rule.to_string(),
                reason: words::evicted(&e.reason, &names),
                cause: cause.map(|unit| {
                    let leaf = self.leaves.get(unit as usize).copied().flatten();
                    (of_unit.get(unit as usize).copied().unwrap_or(0), leaf)
                }),
                cause_bound_ms: cause_pods.iter().filter_map(|pod| bound(*pod)).max(),
                cause_pods,
                left_ms: placement.and_then(|placement| placement.gone).map(|(at, _)| at),
                lost_ms: e.lost_ms,
                wasted: wasted.contains(&(e.at, e.pod)),
            }
        };
        history.evictions = (0u32..).zip(&evictions.all).map(row).collect();
    }

    /// Fills in the periods of waiting.
    fn waited(&self, world: &World<'_>, places: &Places<'_>, history: &mut History) {
        let mut victims: BTreeMap<(u32, u64), Vec<u32>> = BTreeMap::new();
        let end = history.end_ms;
        for (eviction, row) in world_causes(history, world) {
            victims
                .entry((row, history.evictions.get(eviction).map_or(0, |e| e.at_ms)))
                .or_default()
                .push(u32::try_from(eviction).unwrap_or(NONE));
        }
        for pod in world.pods.ids() {
            let unit = world.pods[pod].unit;
            let mut from = history.pods.get(pod as usize).map_or(0, |pod| pod.created_ms);
            let mut open = true;
            for placement in places.of(pod) {
                self.stretch(history, (pod, unit), (from, placement.bound_ms), &victims);
                from = placement.gone.map_or(end, |(at, _)| at);
                open = placement.gone.is_some_and(|(_, end)| end == PodEnd::BindFailed);
            }
            if open {
                let to = history.pods.get(pod as usize).and_then(|pod| pod.ended).map_or(end, |(at, _)| at);
                self.stretch(history, (pod, unit), (from, to), &victims);
            }
        }
        history.waits.sort_by_key(|wait| (wait.from_ms, wait.pod));
    }

    /// Adds the reasons for which a pod waited from one time to another.
    fn stretch(
        &self,
        history: &mut History,
        (pod, unit): (u32, u32),
        (from, to): (u64, u64),
        victims: &BTreeMap<(u32, u64), Vec<u32>>,
    ) {
        let first = history.waits.len();
        let mut push = |from: u64, to: u64, why: Why, own: bool| {
            let mut row =
                WaitHistory { pod, from_ms: from, to_ms: to, why, victims: Vec::new(), victims_until_ms: None };
            if own {
                let gone = victims.range((unit, from)..(unit, to)).flat_map(|(_, all)| all);
                for eviction in gone.filter_map(|eviction| history.evictions.get(*eviction as usize)) {
                    row.victims.push(eviction.pod);
                    row.victims_until_ms = row.victims_until_ms.max(eviction.left_ms);
                }
            }
            let many = history.waits.len() - first >= MOST_REASONS;
            match history.waits.get_mut(first..).and_then(|waits| waits.last_mut()) {
                Some(last) if many || (last.why == row.why && last.to_ms == from && last.victims == row.victims) => {
                    last.to_ms = to;
                    history.joined_waits += u64::from(many);
                }
                _ => history.waits.push(row),
            }
        };
        let class = self.waits.class_of(unit);
        let own = self.waits.own.get(&unit).map_or(&[][..], Vec::as_slice);
        let mut at = from;
        for own in own.iter().filter(|own| own.from < to && own.to.unwrap_or(u64::MAX) > from) {
            let (begin, end) = (own.from.max(from), own.to.unwrap_or(u64::MAX).min(to));
            for (from, to, why) in class.into_iter().flat_map(|class| class.between(at, begin)) {
                push(from, to, *why, false);
            }
            push(begin, end, Why { rule: own.rule, ..Why::default() }, true);
            at = end;
        }
        for (from, to, why) in class.into_iter().flat_map(|class| class.between(at, to)) {
            push(from, to, *why, false);
        }
    }
}

/// The evictions that were made for a workload, with the number of that core workload.
fn world_causes(history: &History, world: &World<'_>) -> Vec<(usize, u32)> {
    let cause = |eviction: &EvictionHistory| eviction.cause_pods.first().map(|pod| world.pods[*pod].unit);
    history.evictions.iter().enumerate().filter_map(|(i, eviction)| Some((i, cause(eviction)?))).collect()
}

/// The placements of each pod, in order.
struct Places<'a> {
    all: &'a [PlacementHistory],
    /// The indices of placements, sorted by pod and then by order.
    sorted: Vec<u32>,
    /// For each pod: the end of its part of that list.
    ends: Vec<u32>,
}

impl<'a> Places<'a> {
    fn new(all: &'a [PlacementHistory], pods: u32) -> Self {
        let mut ends = vec![0; pods as usize];
        for placement in all {
            ends.get_mut(placement.pod as usize).into_iter().for_each(|count| *count += 1);
        }
        let mut sum = 0;
        for end in &mut ends {
            (*end, sum) = (sum, sum + *end);
        }
        // Each end is where the pod begins now, and moves on with each of its placements.
        let mut sorted = vec![0; all.len()];
        for (place, placement) in (0u32..).zip(all) {
            let Some(end) = ends.get_mut(placement.pod as usize) else { continue };
            sorted.get_mut(*end as usize).into_iter().for_each(|slot| *slot = place);
            *end += 1;
        }
        Self { all, sorted, ends }
    }

    fn of(&self, pod: u32) -> impl DoubleEndedIterator<Item = &'a PlacementHistory> {
        let end = |pod: u32| self.ends.get(pod as usize).copied().unwrap_or(0) as usize;
        let from = pod.checked_sub(1).map_or(0, end);
        let all = self.all;
        self.sorted.get(from..end(pod)).into_iter().flatten().filter_map(move |place| all.get(*place as usize))
    }
}

/// How a row of a trace ended, by the pods of its last core workload.
fn row_end(world: &World<'_>, unit: u32) -> JobEnd {
    let states: Vec<State> = world.pods_of(unit).map(|pod| world.pods[pod].state).collect();
    let all = |state: State| !states.is_empty() && states.iter().all(|other| *other == state);
    match () {
        () if all(State::Succeeded) => JobEnd::Succeeded,
        () if states.iter().any(|state| state.is_live())
            || world.rows.retries.contains(&(world.units[unit].owner, unit)) =>
        {
            JobEnd::Open
        }
        () if states.contains(&State::Failed) => JobEnd::Failed,
        () => JobEnd::Withdrawn,
    }
}
