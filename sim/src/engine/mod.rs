//! The driver: it moves time, feeds the scheduler what happens, and makes its plans come true with the world's delays.
//!
//! At one moment, everything that happens is handled in class order (outcomes, edits, controllers, arrivals), then the
//! scheduler decides once; what a decision brings about without delay happens at the same moment, and the scheduler decides
//! again, until nothing is new. A run is a function of scenario and options alone.

mod core;
mod plan;

use self::core::Core;
use crate::{
    claims::ClaimEvaluator,
    metrics::Figures,
    model::{Change, Scenario},
    options::{Run, RunError, RunOptions},
    queue::Queue,
    result::{BreachRow, FailureRow},
    timeline::Timeline,
    trace::{Digest, Observer, TraceEvent, TraceRecord},
    world::{ARRIVAL, EDIT, QuotaOverrun, State, World, WorldEvent, WorldNames},
};
use quotree_core::{Breach, Event, Finding, Placement, QuotaTree, Time};

/// Decisions at one moment before the run gives up on it.
const MOST_ROUNDS: u32 = 10_000;
/// Broken invariants that are told; more are not looked for.
const MOST_BREACHES: usize = 100;

/// Everything a run works on.
pub(crate) struct Engine<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) options: &'a RunOptions,
    pub(crate) seed: u64,
    pub(crate) now: Time,
    pub(crate) queue: Queue<WorldEvent>,
    /// Outcomes without delay: they happen before anything else at this moment.
    pub(crate) immediate: Vec<WorldEvent>,
    pub(crate) core: Core,
    /// Deadlines that are now.
    pub(crate) due: Vec<WorldEvent>,
    /// Whether the scheduler was told something since it last decided.
    pub(crate) dirty: bool,
    pub(crate) world: World,
    pub(crate) figures: Figures,
    pub(crate) timeline: Timeline,
    /// Trees that were replaced; evictions refer to them by place.
    pub(crate) old_trees: Vec<QuotaTree>,
    pub(crate) digest: Digest,
    pub(crate) events: u64,
    pub(crate) breaches: Vec<BreachRow>,
    /// Quotas that an edit left over a limit.
    pub(crate) overruns: Vec<QuotaOverrun>,
    pub(crate) failures: Vec<FailureRow>,
    /// Whether the run came to an end by itself: nothing more can happen.
    pub(crate) ended: bool,
    observer: &'a mut dyn Observer,
}

/// Runs a scenario to its end.
///
/// # Errors
/// [`RunError`]: an invalid tree, a runaway scenario, or a scheduler that disagrees with the world.
pub fn run(scenario: &Scenario, options: &RunOptions, observer: &mut dyn Observer) -> Result<Run, RunError> {
    let mut engine = Engine::new(scenario, options, observer).map_err(RunError::Tree)?;
    let mut claims = ClaimEvaluator::new(scenario, options);
    engine.run(&mut claims)?;
    let claims = claims.finish(&engine)?;
    let result = crate::metrics::result_of(&engine, claims);
    let timeline_pods = engine.timeline_pods();
    Ok(Run { result, log: engine.core.log(), timeline: engine.timeline.lines, timeline_pods })
}

impl<'a> Engine<'a> {
    fn new(
        scenario: &'a Scenario,
        options: &'a RunOptions,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Vec<Finding>> {
        let seed = options.seed.unwrap_or(scenario.seed);
        let mut policy = scenario.policy.clone();
        if policy.placement == Placement::Fgd && policy.typical.is_empty() {
            policy.typical = scenario.typical();
        }
        let core = Core::new(&scenario.tree, policy, options.record, options.audit)?;
        let world = World::new(scenario, seed);
        let figures = Figures::new(world.shapes.resources().len());
        let mut engine = Self {
            scenario,
            options,
            seed,
            now: Time(0),
            queue: Queue::with_known(known(scenario)),
            immediate: Vec::new(),
            due: Vec::new(),
            core,
            dirty: false,
            world,
            figures,
            timeline: Timeline::of(options.timeline_of.as_ref(), &scenario.workloads),
            old_trees: Vec::new(),
            digest: Digest::default(),
            events: 0,
            breaches: Vec::new(),
            overruns: Vec::new(),
            failures: Vec::new(),
            ended: false,
            observer,
        };
        engine.plant();
        Ok(engine)
    }

    /// An engine that has run: for tests of what stands in it.
    #[cfg(test)]
    pub(crate) fn at_its_end(scenario: &'a Scenario, options: &'a RunOptions, observer: &'a mut dyn Observer) -> Self {
        let mut engine = Self::new(scenario, options, observer).unwrap();
        engine.run(&mut ClaimEvaluator::new(scenario, options)).unwrap();
        engine
    }

    fn run(&mut self, claims: &mut ClaimEvaluator<'_>) -> Result<(), RunError> {
        let until = match (self.options.until, self.scenario.world.until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.world.nodes.ids().try_for_each(|node| self.node_up(node))?;
        self.begin_faults();
        self.watch_cells();
        self.settle(claims, false)?;
        loop {
            while self.queue.peek().is_some_and(|(_, event)| self.is_stale(event)) {
                self.queue.pop();
            }
            let wake = self.core.scheduler().next_wake().filter(|wake| *wake > self.now);
            let next = match (self.queue.next_time(), wake) {
                (Some(a), Some(b)) => a.min(b),
                (Some(next), None) | (None, Some(next)) => next,
                (None, None) => {
                    self.ended = true;
                    // Nothing more happens, but who asks for a time is told of that time.
                    if let Some(end) = self.options.until.filter(|end| *end > self.now) {
                        self.claims_before(claims, end.after_ms(1));
                        self.pass(end);
                    }
                    return Ok(());
                }
            };
            if let Some(end) = until.filter(|end| next > *end) {
                self.claims_before(claims, end.after_ms(1));
                self.pass(end);
                return Ok(());
            }
            self.claims_before(claims, next);
            self.pass(next);
            self.settle(claims, wake == Some(next))?;
        }
    }

    /// Judges what is claimed of times before `next`, each at its time.
    fn claims_before(&mut self, claims: &mut ClaimEvaluator<'_>, next: Time) {
        while let Some(time) = claims.next_time().filter(|time| *time < next) {
            self.pass(time.max(self.now));
            claims.at(time, self);
        }
        claims.before(next, self);
    }

    /// Time moves on to `next`.
    fn pass(&mut self, next: Time) {
        self.figures.advance(next);
        self.now = next;
    }

    /// Everything that happens now, until nothing is new.
    fn settle(&mut self, claims: &mut ClaimEvaluator<'_>, woken: bool) -> Result<(), RunError> {
        self.events += u64::from(woken);
        for round in 0..MOST_ROUNDS {
            self.drain_events()?;
            self.let_jobs_out()?;
            if woken && round == 0 && !self.dirty {
                self.feed(Event::Tick)?;
            }
            if !self.dirty {
                self.fleet_settles()?;
            }
            if !self.dirty {
                self.settle_datasets();
                self.judge_deadlines();
                self.tell_waits();
                self.check_overruns();
                self.settled();
                claims.settled(self);
                self.observer.progress(self.now, self.events);
                return Ok(());
            }
            self.dirty = false;
            let (plan, breaches) = self.core.decide(self.now);
            self.enact(plan)?;
            self.check_invariants(breaches);
            claims.decided(self);
        }
        Err(RunError::Unsettled { at: self.now, rounds: MOST_ROUNDS })
    }

    /// Handles what happens now, in order.
    fn drain_events(&mut self) -> Result<(), RunError> {
        loop {
            let immediate = std::mem::take(&mut self.immediate);
            for event in &immediate {
                self.handle(*event)?;
            }
            if !self.immediate.is_empty() {
                continue;
            }
            // The emptied list is used again: a moment should cost no allocation.
            self.immediate = immediate;
            self.immediate.clear();
            match self.queue.pop_until(self.now) {
                Some(event) => self.handle(event)?,
                None => return Ok(()),
            }
        }
    }

    fn handle(&mut self, event: WorldEvent) -> Result<(), RunError> {
        self.events += 1;
        if self.events > self.scenario.world.max_events {
            return Err(RunError::TooManyEvents { at: self.now, most: self.scenario.world.max_events });
        }
        match event {
            WorldEvent::Bound(pod) => self.bound(pod),
            WorldEvent::BindFailed(pod) => self.bind_failed(pod),
            WorldEvent::EvictAgain(pod) => self.evict_again(pod),
            WorldEvent::Gone(pod) => self.gone(pod),
            WorldEvent::Finished { unit, epoch } => self.finished(unit, epoch),
            WorldEvent::Change(index) => self.change(index),
            WorldEvent::Retry(unit) => self.retry(unit),
            WorldEvent::Rejoin { unit, role } => self.rejoin(unit, role),
            WorldEvent::StartTimeout { unit, tries } => self.start_timeout(unit, tries),
            // Who may be let out again is looked at after everything that happens at a moment.
            WorldEvent::BackOffOver(unit) => {
                self.world.job_queues.may_try_again(unit);
                Ok(())
            }
            WorldEvent::Submit(owner) => self.arrive(owner),
            WorldEvent::Arrive(owner) => self.arrival(owner),
            // What is done at the moment of its deadline is in time, in whichever round: that is judged when it has settled.
            WorldEvent::Deadline(_) | WorldEvent::RowDeadline { .. } => {
                self.due.push(event);
                Ok(())
            }
            WorldEvent::Row { owner, row } => self.submit_row(owner, row, None),
            WorldEvent::Node(what) => self.node_happens(what),
            WorldEvent::Dataset { dataset, epoch } => self.dataset_moves(dataset, epoch),
            WorldEvent::Preload(dataset) => {
                self.preload(dataset);
                Ok(())
            }
        }
    }

    fn change(&mut self, index: u32) -> Result<(), RunError> {
        let number = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
        let scenario = self.scenario;
        let Some(timed) = scenario.events.get(index as usize).filter(|timed| self.lets(timed)) else {
            return Ok(());
        };
        let by = timed.by.as_ref();
        match &timed.change {
            Change::Scale { workload, replicas } => {
                let owner = &self.world.controllers[number(*workload)];
                // What has not come yet, and what is over, has nothing to scale.
                if owner.begun && !owner.closed { self.scale(number(*workload), *replicas) } else { Ok(()) }
            }
            Change::Withdraw { workload } => self.close(number(*workload), State::Deleted),
            Change::ReplaceTree { tree } => self.replace_tree(tree, by),
            Change::EditQuota { quota, edit } => self.edit_quota(quota, edit, by),
            Change::MoveNamespace { namespace, to } => self.move_namespace(namespace, to.as_ref(), by),
            Change::People(edit) => {
                self.edit_people(edit, by);
                Ok(())
            }
            Change::NodeDown { node } => self.node_down(number(*node)),
            Change::NodeUp { node } => self.node_up(number(*node)),
            Change::Cordon { node, cordoned } => self.cordon(number(*node), *cordoned),
            Change::Devices(change) => self.change_devices(change, by),
            Change::SetBudget { budget, allowed } => {
                self.trace(TraceEvent::Budget { allowed: *allowed });
                self.world.fleet.budgets.insert(budget.clone(), *allowed);
                self.feed(Event::BudgetChanged { budget: budget.clone(), allowed: *allowed })
            }
            Change::SetClass { class, priority } => {
                self.set_class(class, *priority);
                Ok(())
            }
            Change::EditWorkload { workload, priority, preemptible } => {
                self.edit_workload(number(*workload), *priority, *preemptible)
            }
            Change::Nodes(change) => self.nodes_change(change, index),
        }
    }

    /// Tells the scheduler something it has to believe.
    pub(crate) fn feed(&mut self, event: Event) -> Result<(), RunError> {
        // Cloned beforehand only where it is cheap: of a submission the id is enough.
        let (submitted, told) = match &event {
            Event::WorkloadSubmitted(spec) => (Some(spec.id), None),
            Event::TreeChanged(_) => (None, None),
            small => (None, Some(small.clone())),
        };
        self.dirty = true;
        let nodes = matches!(event, Event::NodeUp(_) | Event::NodeChanged(_) | Event::NodeDown { .. });
        self.core.apply(event).map_err(|error| {
            let tree = self.core.scheduler().tree();
            let names = WorldNames { scenario: self.scenario, world: &self.world, tree };
            let what = match (submitted, told) {
                (Some(id), _) => format!("`{}`", crate::text::Names::workload(&names, id)),
                (None, Some(event)) => format!("{event:?}"),
                (None, None) => "a quota tree".to_owned(),
            };
            RunError::Refused { at: self.now, what, error }
        })?;
        if nodes {
            self.look_at_cells();
        }
        Ok(())
    }

    /// Writes something into the trace.
    #[inline]
    pub(crate) fn trace(&mut self, what: TraceEvent) {
        let record = TraceRecord { at: self.now, what };
        self.digest.add(&record);
        self.watch(&record);
    }

    /// Shows a record to who watches.
    pub(crate) fn watch(&mut self, record: &TraceRecord) {
        let tree = self.core.scheduler().tree();
        self.observer.record(record, &WorldNames { scenario: self.scenario, world: &self.world, tree });
    }

    /// What everything is called now.
    pub(crate) fn names(&self) -> WorldNames<'_> {
        WorldNames { scenario: self.scenario, world: &self.world, tree: self.core.scheduler().tree() }
    }

    /// What is wrong with the last decision, and whether the world agrees.
    fn check_invariants(&mut self, found: Vec<Breach>) {
        if !self.options.audit || self.breaches.len() >= MOST_BREACHES {
            return;
        }
        for breach in found {
            self.breaches.push(BreachRow { at_ms: self.now.0, what: breach.to_string() });
        }
        // The world keeps books of its own: that both agree is worth more than either.
        if let Some(what) = self.disagreement() {
            self.breaches.push(BreachRow { at_ms: self.now.0, what });
        }
    }
}

/// What is known beforehand: edits and arrivals.
fn known(scenario: &Scenario) -> Vec<(Time, u8, WorldEvent)> {
    let number = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
    let edits = scenario.events.iter().enumerate().map(|(i, e)| (e.at, EDIT, WorldEvent::Change(number(i))));
    let mut known: Vec<_> = edits.collect();
    for (i, dataset) in scenario.datasets.iter().enumerate() {
        known.extend(dataset.preload.map(|at| (at, EDIT, WorldEvent::Preload(number(i)))));
    }
    for (owner, workload) in scenario.workloads.iter().enumerate() {
        match &workload.kind {
            crate::model::Kind::Trace { rows, .. } => known.extend(rows.iter().enumerate().map(|(row, traced)| {
                (traced.submit, ARRIVAL, WorldEvent::Row { owner: number(owner), row: number(row) })
            })),
            _ => known.push((workload.submit, ARRIVAL, WorldEvent::Submit(number(owner)))),
        }
    }
    known
}
