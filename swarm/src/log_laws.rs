//! The laws of the scheduler log. A second scheduler replays the log with the same plans (I12). Every plan is checked
//! (S1, S3), and so is the state at rest (S4, H2, and that no pending workload fits).

use crate::{
    age_law::AgeLaw,
    fit_law::FitCheck,
    job_queue_law::JobQueueLaw,
    play::{Played, is_guaranteed},
    restart_law::RestartLaw,
};
use quotree_core::{
    Action, DeviceMode, Entry, Event, Listing, Log, Plan, PodOutcome, PodState, ReleaseReason, Rule, Scheduler, Time,
    WorkloadId, WorkloadSpec,
};
use quotree_sim::{Scenario, result::PendingRow};
use std::collections::BTreeMap;

/// The name under which a bind on devices of this mode is counted.
const fn mode(mode: &DeviceMode) -> &'static str {
    match mode {
        DeviceMode::Exclusive => "binds on exclusive devices",
        DeviceMode::Share => "binds on shared devices",
        DeviceMode::Topology { .. } => "binds on close devices",
        _ => "binds on devices",
    }
}

/// Longer than any time that a policy can define.
const LATER_MS: u64 = 365 * 24 * 3_600_000;

/// How a run ended.
pub(crate) struct End<'a> {
    /// When its calm phase began; `None` if the laws of the calm phase do not apply.
    pub(crate) calm: Option<Time>,
    /// The time of its end.
    pub(crate) at: Time,
    /// Set if the run had to be stopped because jobs are released and requeued for ever. Such a run counts as at rest
    /// if nothing else happened for this long.
    pub(crate) round_ms: Option<u64>,
    pub(crate) suspended: &'a JobQueueLaw,
    pub(crate) ages: &'a AgeLaw,
    pub(crate) pending: &'a [PendingRow],
}

/// A part of the log of a run, and with how many events of a LIST it begins: none but after a restart of the scheduler.
pub(crate) type Segment<'a> = (&'a Log, usize);

/// Checks all laws of a log. Each restart of the scheduler begins another segment.
pub(crate) fn judge(scenario: &Scenario, segments: &[Segment<'_>], end: &End<'_>, played: &mut Played) {
    let mut replay = Replay {
        end,
        changed: Time(0),
        changes: true,
        evicted_for: BTreeMap::new(),
        withdrawn: BTreeMap::new(),
        specs: BTreeMap::new(),
        nodes: BTreeMap::new(),
    };
    let mut last: Option<(Scheduler, Listing)> = None;
    for segment in segments {
        let restart = last.take().map(|(before, listing)| RestartLaw::new(before, &listing));
        match replay.segment(scenario, *segment, restart, played) {
            Some(after) => last = Some(after),
            None => return,
        }
    }
    let Some((scheduler, _)) = last else { return };
    if end.calm.is_some() && replay.is_at_rest(&scheduler) {
        replay.at_rest(scenario, scheduler, played);
        played.count("runs judged at rest", 1);
    }
}

/// The state of the cluster, as derived from the events of the log.
pub(crate) struct Replay<'a> {
    end: &'a End<'a>,
    /// The time of the last event other than a requeue of a job.
    changed: Time,
    changes: bool,
    /// Evictions in the calm phase, by the workload for which they were made, until it is bound (S3).
    evicted_for: BTreeMap<WorkloadId, u64>,
    /// How often each workload was withdrawn.
    withdrawn: BTreeMap<WorkloadId, u32>,
    pub(crate) specs: BTreeMap<WorkloadId, WorkloadSpec>,
    pub(crate) nodes: BTreeMap<u32, quotree_core::NodeSpec>,
}

impl Replay<'_> {
    /// Replays a segment. Gives the scheduler at its end and what the cluster shows then; nothing if the replay failed.
    fn segment(
        &mut self,
        scenario: &Scenario,
        (log, listed): Segment<'_>,
        mut restart: Option<RestartLaw>,
        played: &mut Played,
    ) -> Option<(Scheduler, Listing)> {
        let mut listing = Listing::new(&log.tree);
        let mut scheduler = match Scheduler::new(&log.tree, log.policy.clone()) {
            Ok(scheduler) => scheduler,
            Err(findings) => {
                played.breaks("I12", format!("the quota tree of the log is refused: {findings:?}"));
                return None;
            }
        };
        for (place, entry) in log.entries.iter().enumerate() {
            match entry {
                Entry::Event(event) => {
                    listing.note(event);
                    // What a LIST shows is nothing new.
                    if place >= listed {
                        self.end.suspended.judge(scenario, &scheduler, event, played);
                        self.follow(event);
                        restart.iter_mut().for_each(|law| law.follow(event));
                    }
                    if let Err(error) = scheduler.apply(event.clone()) {
                        played.breaks("I12", format!("the replay refuses {event:?}: {error}"));
                        return None;
                    }
                }
                Entry::Decide { at, digest } => {
                    let before = scheduler.clone();
                    let plan = scheduler.decide(*at);
                    if plan.digest() != *digest {
                        played.breaks("I12", format!("at {} ms the replay gives another plan", at.0));
                        return None;
                    }
                    listing.carry_out(&plan);
                    if let Some(law) = restart.take() {
                        law.judge(&plan, *at, played);
                    }
                    self.plan(&before, &scheduler, &plan, *at, played);
                }
            }
        }
        Some((scheduler, listing))
    }

    /// Whether nothing happens any more, apart from jobs that are released and requeued.
    fn is_at_rest(&self, scheduler: &Scheduler) -> bool {
        let timers = scheduler.next_wake().is_some_and(|wake| wake > self.end.at);
        self.end.round_ms.is_none_or(|round| !timers && self.changed.after_ms(round) < self.end.at)
    }

    fn follow(&mut self, event: &Event) {
        let again = |id: &WorkloadId| self.specs.contains_key(id);
        self.changes |= match event {
            Event::WorkloadSubmitted(spec) => !again(&spec.id),
            Event::WorkloadWithdrawn { .. } | Event::Tick => false,
            _ => true,
        };
        match event {
            Event::WorkloadSubmitted(spec) => drop(self.specs.insert(spec.id, spec.clone())),
            Event::WorkloadChanged(change) => {
                if let (Some(spec), Some(set)) = (self.specs.get_mut(&change.workload), &change.add_pods) {
                    spec.pods.push(quotree_core::PodSet { min: 0, ..set.clone() });
                }
            }
            Event::PodChanged { pod, template } => {
                // Only single pods are resized.
                if let Some([set]) = self.specs.get_mut(&pod.workload).map(|spec| spec.pods.as_mut_slice()) {
                    set.template = std::sync::Arc::clone(template);
                }
            }
            Event::WorkloadWithdrawn { workload } => {
                // A deleted workload owes nothing for its victims, but a requeued one does.
                let withdrawn = self.withdrawn.entry(*workload).or_default();
                *withdrawn += 1;
                if *withdrawn > self.end.suspended.requeues(*workload) {
                    self.evicted_for.remove(workload);
                }
            }
            // A workload that finished without the pod it evicted for, such as a training without its last member, owes
            // nothing.
            Event::PodGone { pod, outcome: PodOutcome::Succeeded } => drop(self.evicted_for.remove(&pod.workload)),
            Event::NodeUp(spec) | Event::NodeChanged(spec) => drop(self.nodes.insert(spec.id.0, spec.clone())),
            Event::NodeDown { node } => drop(self.nodes.remove(&node.0)),
            _ => {}
        }
    }

    fn plan(&mut self, before: &Scheduler, after: &Scheduler, plan: &Plan, at: Time, played: &mut Played) {
        let again = after.clone().decide(at);
        if !again.is_empty() {
            let message = format!("at {} ms a second decision at once is not empty: {:?}", at.0, again.actions);
            played.breaks("S1", message);
        }
        self.end.ages.judge((before, after), (plan, at), &self.specs, played);
        if std::mem::take(&mut self.changes) || !plan.is_empty() {
            self.changed = at;
        }
        let calm = self.end.calm.is_some_and(|calm| at >= calm);
        let mut evicted: BTreeMap<WorkloadId, u32> = BTreeMap::new();
        for action in &plan.actions {
            match action {
                Action::Bind { pod, node, devices, .. } => {
                    self.evicted_for.remove(&pod.workload);
                    if self.specs.get(&pod.workload).is_some_and(|spec| spec.together.is_some()) {
                        played.count("binds with a topology level", 1);
                    }
                    if let Some(node) = self.nodes.get(&node.0).filter(|_| devices.0 != 0) {
                        let what = if node.devices.len() > 1 { "binds on cores and memory" } else { mode(&node.mode) };
                        played.count(what, 1);
                    }
                }
                Action::Evict { pod, reason } => {
                    *evicted.entry(pod.workload).or_default() += 1;
                    if reason.budget_broken {
                        played.count("budgets broken", 1);
                    }
                    if before.workload(pod.workload).is_some_and(|w| w.leaf.is_none()) {
                        played.count("evictions without quota", 1);
                    }
                    if let Some(cause) = reason.cause.filter(|_| calm) {
                        played.count("evictions in the calm phase", 1);
                        *self.evicted_for.entry(cause).or_default() += 1;
                    }
                }
                Action::Release { workload, reason } => {
                    played.count("holds that ended early", 1);
                    match reason {
                        ReleaseReason::NeededBy(taker) => {
                            played.count("holds taken over", 1);
                            let pods = self.evicted_for.remove(workload).unwrap_or(0);
                            *self.evicted_for.entry(*taker).or_default() += pods;
                        }
                        // With a hold timeout, evictions are meant to be in vain when it passes.
                        ReleaseReason::TimedOut => drop(self.evicted_for.remove(workload)),
                        // The workload may be placed all the same.
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        for _ in evicted.values().filter(|pods| **pods > 1) {
            played.count("gangs evicted", 1);
        }
    }

    /// Checks the laws of a state at rest.
    fn at_rest(&self, scenario: &Scenario, scheduler: Scheduler, played: &mut Played) {
        let (at, pending) = (self.end.at, self.end.pending);
        self.end.suspended.at_rest((scenario, self, &scheduler), (self.changed, at), pending, played);
        let later = scheduler.clone().decide(at.after_ms(LATER_MS));
        if !later.is_empty() {
            let message = format!("nothing happens any more, and a later decision is not empty: {:?}", later.actions);
            played.breaks("S1", message);
        }
        let in_vain: u64 = self.evicted_for.values().sum();
        if in_vain > 0 {
            played.breaks(
                "S3",
                format!("{in_vain} evictions in the calm phase did not place the workload they were for"),
            );
        }
        let tree = scheduler.tree();
        let of = |id: WorkloadId| self.specs.get(&id).map_or_else(String::new, |s| format!("{id} ({})", s.namespace));
        let mut unsettled = Vec::new();
        for id in self.specs.keys() {
            let Some(view) = scheduler.workload(*id) else { continue };
            if view.held {
                unsettled.push(format!("{} has a hold", of(*id)));
            }
            let moving =
                view.pods.iter().filter(|p| matches!(p.state, PodState::Binding | PodState::Terminating)).count();
            if moving > 0 {
                unsettled.push(format!("{moving} pods of {} are being bound or terminating", of(*id)));
            }
        }
        unsettled.extend(
            tree.ids()
                .filter(|q| !scheduler.usage(*q).held.iter().all(|(_, n)| n == 0))
                .map(|q| format!("{} still counts a hold", tree.name(q))),
        );
        if !unsettled.is_empty() {
            return played.breaks("H2", format!("nothing happens any more, and {}", unsettled.join(", ")));
        }
        let fit = FitCheck::new(self, &scheduler);
        let guaranteed = is_guaranteed(scenario) && fit.covers_guarantees();
        for id in scheduler.waiting() {
            let Some(verdict) = scheduler.explain(id) else {
                played.breaks("X1", format!("{} is pending without a reason", of(id)));
                continue;
            };
            let rule = verdict.binding.rule();
            if fit.admits(id) {
                let message = format!("{} is pending by {rule} at rest, although quotas and nodes have room", of(id));
                played.breaks("no pending workload fits", message);
            }
            // Nobody is owed what nobody is guaranteed (Q5).
            let lacks = verdict.binding.amounts().map(|(resource, ..)| resource);
            let is_owed = lacks.is_none_or(|resource| tree.is_guaranteed(resource));
            let by_quota = matches!(rule, Rule::A1 | Rule::P1) && verdict.bounds_hit.is_empty() && is_owed;
            if guaranteed && verdict.entitled && by_quota && fit.is_covered(id) {
                played.breaks("S4", format!("{} is entitled and pending by {rule}: {:?}", of(id), verdict.binding));
            }
        }
    }
}
