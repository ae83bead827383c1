//! The engine: it advances time, lets the world handle its events, passes what the world reports to the scheduler, and
//! carries out the scheduler's plans.
//!
//! Data flows in one direction: an event changes the world; the world emits facts, core events and timers into its
//! outbox; the scheduler makes a plan from the core events; the plan changes the world. Subscribers (observer, metrics,
//! timeline) receive the facts; claims read a view of the run.
//!
//! All events of one time are handled in order of class (outcomes, edits, controllers, arrivals); then the scheduler
//! decides once. What a decision causes without delay happens at the same time, and the scheduler decides again, until
//! there are no more events. A run depends only on scenario and options.

mod changes;
mod core;
mod plan;
mod restart;

use self::core::Core;
use crate::{
    claims::ClaimEvaluator,
    history::{Interview, Recorder},
    metrics::MetricsCollector,
    model::Scenario,
    options::{Run, RunError, RunOptions},
    queue::Queue,
    report,
    result::{BreachRow, EndReason},
    timeline::Timeline,
    trace::{Digest, Observer, TraceRecord},
    view::RunView,
    world::{self, Fact, Growth, World, WorldEvent},
};
use quotree_core::{Breach, Event, Finding, Placement, Time, WorkloadId};
use quotree_words::Names;
use std::{cell::RefCell, ops::ControlFlow};

/// The most decisions at one time. A run that needs more ends with an error.
const MOST_ROUNDS: u32 = 10_000;
/// The most violations of invariants that are reported. After these, the run checks no invariants any more.
const MOST_BREACHES: usize = 100;

/// The capacity that each list of the outbox keeps between steps.
const KEPT: usize = 1 << 12;

/// A run: the clock, the event queue, the scheduler under test, the world, and the subscribers.
pub(crate) struct Engine<'a> {
    scenario: &'a Scenario,
    options: &'a RunOptions,
    queue: Queue<WorldEvent>,
    /// Outcomes without delay, which happen before anything else at this time.
    immediate: Vec<WorldEvent>,
    core: Core,
    /// Whether the scheduler got an event since its last decision.
    dirty: bool,
    pub(crate) world: World<'a>,
    pub(crate) metrics: MetricsCollector,
    timeline: Timeline,
    history: Option<Box<Recorder>>,
    interview: Interview,
    digest: Digest,
    events: u64,
    breaches: Vec<BreachRow>,
    /// Since when nothing more can happen, if the run ended by itself.
    quiet_since: Option<Time>,
    /// Whether the observer stopped the run.
    is_stopped: bool,
    observer: &'a mut dyn Observer,
}

/// An observer of a run for comparison: it shows progress to the observer of the main run, which may stop it.
struct Stopper<'o>(&'o RefCell<&'o mut dyn Observer>);

impl Observer for Stopper<'_> {
    fn progress(&mut self, now: Time, events: u64) -> ControlFlow<()> {
        self.0.borrow_mut().progress(now, events)
    }
}

/// Runs a scenario to its end.
///
/// # Errors
/// [`RunError`]: an invalid tree, a runaway scenario, or a scheduler that disagrees with the world.
pub fn run(scenario: &Scenario, options: &RunOptions, observer: &mut dyn Observer) -> Result<Run, RunError> {
    let mut nobody = ();
    let mut engine = Engine::new(scenario, options, observer).map_err(RunError::Tree)?;
    let mut claims = ClaimEvaluator::new(scenario, options);
    engine.run(&mut claims)?;
    // The run is over: its observer can stop the runs for comparison.
    let observer = RefCell::new(std::mem::replace(&mut engine.observer, &mut nobody));
    let alone = |scenario: &Scenario, options: &RunOptions| {
        let alone = run(scenario, options, &mut Stopper(&observer))?;
        match alone.result.end {
            EndReason::Stopped => Err(RunError::Stopped { at: Time(alone.result.end_ms) }),
            _ => Ok(alone),
        }
    };
    let (claims, finished) = claims.finish(&engine.view(), &alone)?;
    engine.is_stopped |= !finished;
    let result = report::result_of(&engine.view(), claims, engine.events, &engine.breaches);
    let timeline_pods = engine.timeline.pods(&engine.world);
    let explained = engine.interview.finish();
    let (log, restarts) = engine.core.into_logs();
    // What is not needed any more is gone by now, since a history may be as large.
    let recorder = engine.history.take();
    let is_quiet = engine.quiet_since.is_some();
    let history = recorder.map(|recorder| Box::new(recorder.finish(&engine.world, &engine.metrics, is_quiet)));
    Ok(Run { result, log, restarts, timeline: engine.timeline.into_entries(), timeline_pods, history, explained })
}

impl<'a> Engine<'a> {
    fn new(
        scenario: &'a Scenario,
        options: &'a RunOptions,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Vec<Finding>> {
        let mut policy = scenario.policy.clone();
        if policy.placement == Placement::Fgd && policy.typical.is_empty() {
            policy.typical = scenario.typical();
        }
        let core = Core::new(scenario, policy, options)?;
        let seed = options.seed.unwrap_or(scenario.seed);
        let world = World::new(scenario, seed, core.scheduler().tree().clone());
        let mut metrics = MetricsCollector::new(world.shapes.resources().len());
        metrics.plant(&world);
        Ok(Self {
            scenario,
            options,
            queue: Queue::with_known(world::known_events(scenario)),
            immediate: Vec::new(),
            core,
            dirty: false,
            interview: Interview::new(&options.explain),
            history: options.history.then(|| Box::new(Recorder::new(&world))),
            world,
            metrics,
            timeline: Timeline::new(options.timeline_of.as_ref(), &scenario.workloads),
            digest: Digest::default(),
            events: 0,
            breaches: Vec::new(),
            quiet_since: None,
            is_stopped: false,
            observer,
        })
    }

    /// An engine after its run, for tests.
    #[cfg(test)]
    pub(crate) fn at_its_end(scenario: &'a Scenario, options: &'a RunOptions, observer: &'a mut dyn Observer) -> Self {
        let mut engine = Self::new(scenario, options, observer).unwrap();
        engine.run(&mut ClaimEvaluator::new(scenario, options)).unwrap();
        engine
    }

    /// The current state of the run.
    fn view(&self) -> RunView<'_> {
        RunView {
            world: &self.world,
            scheduler: self.core.scheduler(),
            metrics: &self.metrics,
            options: self.options,
            digest: &self.digest,
            quiet_since: self.quiet_since,
            is_stopped: self.is_stopped,
        }
    }

    fn run(&mut self, claims: &mut ClaimEvaluator<'_>) -> Result<(), RunError> {
        let until = self.until()?;
        world::begin(&mut self.world);
        self.deliver()?;
        self.settle(claims, false)?;
        while !self.is_stopped {
            while self.queue.peek().is_some_and(|(_, event)| world::is_stale(&self.world, event)) {
                self.queue.pop();
            }
            let wake = self.core.scheduler().next_wake().filter(|wake| *wake > self.world.now);
            let next = match (self.queue.next_time(), wake) {
                (Some(a), Some(b)) => a.min(b),
                (Some(next), None) | (None, Some(next)) => next,
                (None, None) => {
                    self.quiet_since = Some(self.world.now);
                    // Nothing more happens, but the figures go on to the end that was asked for.
                    if let Some(end) = until.or(self.options.horizon).filter(|end| *end > self.world.now) {
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
        Ok(())
    }

    /// When the run stops at the latest: at `until` of the scenario, or where the caller stops it.
    fn until(&self) -> Result<Option<Time>, RunError> {
        match (self.options.until, self.scenario.world.until) {
            (Some(at), Some(until)) if at > until => Err(RunError::AfterTheEnd { at, until }),
            (at, until) => Ok(at.or(until)),
        }
    }

    /// Evaluates the claims about times before `next`, each at its time.
    fn claims_before(&mut self, claims: &mut ClaimEvaluator<'_>, next: Time) {
        while let Some(time) = claims.next_time().filter(|time| *time < next) {
            self.pass(time.max(self.world.now));
            claims.at(time, &self.view());
        }
        claims.before(next, &self.view());
    }

    /// Advances time to `next`.
    fn pass(&mut self, next: Time) {
        self.metrics.advance(next);
        self.world.now = next;
    }

    /// Handles all events of this time and decides, until there are no more events.
    fn settle(&mut self, claims: &mut ClaimEvaluator<'_>, woken: bool) -> Result<(), RunError> {
        self.events += u64::from(woken);
        for round in 0..MOST_ROUNDS {
            self.drain_events()?;
            self.release_jobs()?;
            if woken && round == 0 && !self.dirty {
                self.tell(Event::Tick)?;
            }
            if !self.dirty {
                self.settle_nodes()?;
            }
            if !self.dirty {
                self.settled()?;
                claims.settled(&self.view());
                self.is_stopped = self.observer.progress(self.world.now, self.events).is_break();
                return Ok(());
            }
            self.dirty = false;
            let (plan, breaches) = self.core.decide(self.world.now);
            self.enact(plan)?;
            self.check_invariants(breaches);
            claims.decided(&self.view());
        }
        Err(RunError::Unsettled { at: self.world.now, rounds: MOST_ROUNDS })
    }

    /// Handles the events of this time, in order.
    fn drain_events(&mut self) -> Result<(), RunError> {
        loop {
            let immediate = std::mem::take(&mut self.immediate);
            for event in &immediate {
                self.handle(*event)?;
            }
            if !self.immediate.is_empty() {
                continue;
            }
            self.immediate = immediate;
            self.immediate.clear();
            match self.queue.pop_until(self.world.now) {
                Some(event) => self.handle(event)?,
                None => return Ok(()),
            }
        }
    }

    fn handle(&mut self, event: WorldEvent) -> Result<(), RunError> {
        self.events += 1;
        let most = self.scenario.world.max_events;
        if self.events > most {
            return Err(RunError::TooManyEvents { at: self.world.now, most });
        }
        match event {
            WorldEvent::Change(index) => self.change(index)?,
            event => world::handle(&mut self.world, event, self.core.scheduler()),
        }
        self.deliver()
    }

    /// Makes every job queue release the jobs that it may release.
    fn release_jobs(&mut self) -> Result<(), RunError> {
        for queue in 0..self.world.job_queues.len() {
            while world::release_job(&mut self.world, queue, self.core.scheduler()) {
                self.deliver()?;
            }
        }
        Ok(())
    }

    /// After all other events of this time: continues drains and scales pools. Both may emit events.
    fn settle_nodes(&mut self) -> Result<(), RunError> {
        if !self.world.fleet.drains.is_empty() {
            world::continue_drains(&mut self.world);
            self.deliver()?;
        }
        if self.dirty || !self.world.fleet.scaler.is_on() {
            return Ok(());
        }
        if std::mem::take(&mut self.world.fleet.scaler.wanted) {
            let mut growth = Growth::new(&self.world, self.core.scheduler())?;
            for pool in self.world.fleet.scaler.pools() {
                growth.grow(&mut self.world, self.core.scheduler(), pool)?;
                self.deliver()?;
            }
        }
        world::release_idle(&mut self.world, self.core.scheduler());
        self.deliver()
    }

    /// Informs all subscribers that all events of this time have been handled.
    fn settled(&mut self) -> Result<(), RunError> {
        let scheduler = self.core.scheduler();
        self.events += world::settle_datasets(&mut self.world);
        world::check_deadlines(&mut self.world);
        if self.timeline.is_on() {
            self.timeline.settled(&self.world, scheduler, self.options);
        }
        world::check_overruns(&mut self.world, scheduler);
        self.metrics.judged(&self.world, scheduler);
        if self.options.fairness_integral && !self.metrics.settled(scheduler, self.core.checked_last()) {
            self.breach("kept fair shares are out of date".to_owned());
        }
        if let Some(history) = &mut self.history {
            history.settled(&self.world, self.core.scheduler(), &self.metrics);
        }
        self.interview.settled(&self.world, self.core.scheduler());
        self.deliver()
    }

    /// Empties the outbox of the world, until it emits no more.
    fn deliver(&mut self) -> Result<(), RunError> {
        self.empty_outbox()?;
        while world::create_rest(&mut self.world) {
            self.empty_outbox()?;
        }
        Ok(())
    }

    fn empty_outbox(&mut self) -> Result<(), RunError> {
        if let Some(error) = self.world.out.error.take() {
            return Err(error);
        }
        let mut facts = std::mem::take(&mut self.world.out.facts);
        for fact in &facts {
            self.metrics.on(fact, &self.world);
            if self.timeline.is_on() {
                self.timeline.on(fact, &self.world, self.core.scheduler());
            }
            if let Some(history) = &mut self.history {
                history.on(fact, &self.world, &self.metrics);
            }
            if let Fact::Trace(what) | Fact::Derived(what) = *fact {
                let record = TraceRecord { at: self.world.now, what };
                if matches!(fact, Fact::Trace(_)) {
                    self.digest.add(&record);
                }
                self.observer.record(&record, &self.world.names());
            }
        }
        // The lists are used again: a step should allocate nothing. After a large step they are not kept as they are.
        facts.clear();
        facts.shrink_to(KEPT);
        self.world.out.facts = facts;
        if !self.world.out.core_events.is_empty() {
            let mut core_events = std::mem::take(&mut self.world.out.core_events);
            for event in core_events.drain(..) {
                self.tell(event)?;
            }
            core_events.shrink_to(KEPT);
            self.world.out.core_events = core_events;
        }
        for (at, class, event) in &self.world.out.timers {
            self.queue.schedule(*at, *class, *event);
        }
        self.world.out.timers.clear();
        self.immediate.append(&mut self.world.out.immediate);
        Ok(())
    }

    /// Passes an event to the scheduler. A refusal ends the run with an error.
    fn tell(&mut self, event: Event) -> Result<(), RunError> {
        // Cloned before only where that is cheap: of a submission the id is enough.
        let (submitted, small) = match &event {
            Event::WorkloadSubmitted(spec) => (Some(spec.id), None),
            small => (None, Some(small.clone())),
        };
        self.dirty = true;
        self.metrics.told(&event);
        self.core.apply(event).map_err(|error| {
            let name = |id: WorkloadId| format!("`{}`", self.world.names().workload(id));
            let what = submitted.map_or_else(|| small.map_or_else(String::new, |event| format!("{event:?}")), name);
            RunError::Refused { at: self.world.now, what, error }
        })
    }

    /// Records violations by the last decision, and differences between the world and the scheduler.
    fn check_invariants(&mut self, found: Vec<Breach>) {
        if !self.options.audit || self.breaches.len() >= MOST_BREACHES {
            return;
        }
        found.into_iter().for_each(|breach| self.breach(breach.to_string()));
        if !self.core.checked_last() {
            return;
        }
        if let Some(what) = self.metrics.disagreement(&self.world, self.core.scheduler()) {
            self.breach(what);
        }
    }

    fn breach(&mut self, what: String) {
        self.breaches.push(BreachRow { at_ms: self.world.now.0, what });
    }
}
