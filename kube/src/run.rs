//! The loop: watches feed the actor, the actor feeds the writer, the writer reports what failed. One task does all of
//! it, so that facts, decisions and intents have one order.

use crate::{
    act::{dry, json},
    actor::{Actor, Failure, Intent, Problem, Why},
    beside::{Beside, Done, Made},
    clock::Clock,
    record::Tape,
    remember::{Memory, Place},
    report::{EVERY_MS, Reporter, status::StatusWriter},
    serve::{
        board::{Board, Query},
        compat, counts,
        dump::LoopState,
        figures, metric,
    },
    settings::{Mode, Settings},
    tenancy::{Places, View, controller::Controller},
    watch::{
        Fact,
        streams::{self, Heard, TreeSource},
    },
    write::{Writer, fence::Fence},
};
use kube::Client;
use quotree_core::Time;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{
        mpsc::{Receiver, WeakSender, channel},
        watch,
    },
    task::JoinSet,
    time::Instant,
};

/// A turn takes at most so many facts.
const BATCH: usize = 1000;
/// A turn waits so long for further facts after one has come.
const LINGER: Duration = Duration::from_millis(10);
/// How many facts wait for the actor before the watches do.
const BACKLOG: usize = 10_000;

/// The adapter at work.
#[derive(Debug)]
pub struct Runner {
    actor: Actor,
    writer: Writer,
    reporter: Reporter,
    clock: Clock,
    facts: Receiver<Fact>,
    /// Ends the watches when it is dropped.
    watches: JoinSet<()>,
    /// Where facts go. It does not keep the loop from ending.
    sender: WeakSender<Fact>,
    /// Shows the controller of users the tree that is in force.
    views: Option<watch::Sender<Option<View>>>,
    mode: Mode,
    next_report: Time,
    /// What a dry run has shown last.
    shown: Vec<String>,
    /// Receives what is intended and what is wrong, as lines.
    log: fn(&str),
    board: Board,
    tape: Option<Tape>,
    questions: Receiver<Query>,
    status: StatusWriter,
    next_check: Time,
    beside: Beside,
    /// Pods of ours that the core does not know, as they were last looked at.
    not_reported: Arc<[Why]>,
    memory: Option<Memory>,
    /// Whether decisions are logged as fields.
    structured: bool,
    /// How many decisions there were that meant something to be written.
    decisions: u64,
}

/// Where a loop shows what it does.
#[derive(Debug, Clone)]
pub struct Outlets {
    /// Receives a line for each decision and each problem.
    pub log: fn(&str),
    /// Shows metrics, and takes questions.
    pub board: Board,
    /// Records what the core is told and decides.
    pub tape: Option<Tape>,
}

/// How often the ledger is compared with a recount, milliseconds.
const CHECK_MS: u64 = 600_000;

impl Runner {
    /// Starts the watches. `writes` must be a client that sends nothing twice ([`crate::write::client`]). Nothing is
    /// sent while the fence is closed.
    #[must_use]
    pub fn new(
        reads: &Client,
        writes: Client,
        settings: Settings,
        tree: &TreeSource,
        clock: Clock,
        fence: Fence,
        outlets: Outlets,
    ) -> Self {
        let Outlets { log, board, tape } = outlets;
        let (sender, facts) = channel(BACKLOG);
        let (mode, qps) = (settings.mode, settings.api_qps);
        board.values(|values| {
            figures::build(values, mode);
            if settings.compat_metrics {
                compat::begin(values);
            }
        });
        board.tick(clock.now(), false);
        let heard = Heard { board: board.clone(), clock };
        let beside = Beside::new(settings.advice);
        let actor = Actor::new(settings).fed(beside.feed());
        Self {
            watches: streams::start(reads, tree, &sender, &heard),
            sender: sender.downgrade(),
            views: None,
            actor: match &tape {
                Some(tape) => actor.recorded(tape.clone()),
                None => actor,
            },
            status: StatusWriter::new(writes.clone(), tree, fence.clone()),
            writer: Writer::new(writes, mode, qps, fence, board.clone()),
            reporter: Reporter::new(),
            clock,
            facts,
            mode,
            next_report: clock.now().after_ms(EVERY_MS),
            shown: Vec::new(),
            log,
            questions: board.questions(),
            board,
            tape,
            next_check: clock.now().after_ms(CHECK_MS),
            beside,
            not_reported: Arc::default(),
            memory: None,
            structured: false,
            decisions: 0,
        }
    }

    /// Keeps users and groups, too. The settings must say so ([`Settings::users`]); the clients and the fence are those of
    /// [`new`](Self::new).
    #[must_use]
    pub fn with_users(mut self, reads: &Client, writes: Client, places: Places, fence: Fence) -> Self {
        let Some(facts) = self.sender.upgrade() else { return self };
        let (views, view) = watch::channel(None);
        let controller = Controller::new((reads, writes), places, (self.clock, fence), facts, view, self.log);
        self.watches.spawn(controller.run());
        self.views = Some(views);
        self
    }

    /// Logs each decision as fields ([`json::fields`]), for a log that takes JSON.
    #[must_use]
    pub const fn with_structured_log(mut self) -> Self {
        self.structured = true;
        self
    }

    /// Watches PodGroups, too. The settings must say so ([`Settings::pod_groups`]).
    #[must_use]
    pub fn with_pod_groups(mut self, reads: &Client) -> Self {
        if let Some(facts) = self.sender.upgrade() {
            let heard = Heard { board: self.board.clone(), clock: self.clock };
            streams::start_groups(&mut self.watches, reads, &facts, &heard);
        }
        self
    }

    /// Remembers the tree that is in force, and begins with what was remembered. The settings must say so
    /// ([`Settings::remembers`]).
    #[must_use]
    pub fn with_memory(mut self, writes: Client, place: &Place, tree: &TreeSource, fence: Fence) -> Self {
        let Some(facts) = self.sender.upgrade() else { return self };
        let memory = Memory::new(writes, place, tree, (self.clock, fence), self.log);
        self.watches.spawn(memory.recall(facts));
        self.memory = Some(memory);
        self
    }

    /// The actor.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Works until nobody watches any more, which is never.
    pub async fn run(&mut self) {
        while self.step().await {}
    }

    /// Waits for something to happen, and does what follows from it. Returns whether there is more to come.
    pub async fn step(&mut self) -> bool {
        let wakes = [self.actor.next_wake(), self.writer.next_wake(self.clock.now()), Some(self.next_report)];
        let wake = wakes.into_iter().flatten().min().unwrap_or(self.next_report);
        tokio::select! {
            fact = self.facts.recv() => {
                let Some(fact) = fact else { return false };
                self.actor.take(fact);
                self.gather().await;
            }
            ended = self.writer.ended() => {
                if let Some(admission) = ended.admission() {
                    counts::admission(&self.board, &self.actor, &admission, self.clock.now());
                }
                if let Some(failure) = self.writer.take(ended, self.clock.now()) {
                    (self.log)(&format!("failed {failure:?}"));
                    self.fails(failure);
                }
            }
            Some(query) = self.questions.recv() => {
                self.ask(query);
                return true;
            }
            done = self.beside.ended() => {
                self.explained(done);
                return true;
            }
            () = tokio::time::sleep_until(self.clock.instant(wake)) => {}
        }
        self.turn();
        self.board.tick(self.clock.now(), self.actor.is_started());
        true
    }

    /// Hands a question over to what is beside the loop, with what only the loop knows.
    fn ask(&mut self, query: Query) {
        match query {
            Query::Explain(question) => match self.actor.asked(&question.namespace, &question.name) {
                Some(asked) => self.beside.ask(asked, question.answer),
                // Whoever has asked may be gone.
                None => _ = question.answer.send(None),
            },
            Query::Dump(request) if request.page.from.is_some() => self.beside.dump(request, LoopState::default()),
            Query::Dump(request) => {
                let state = LoopState {
                    now: self.clock.now(),
                    tree_refused: self.actor.tree_refused().map(|(_, why)| why),
                    listed: self.actor.listed(),
                    pending: self.actor.pending(),
                    writes: self.writer.view(request.page.limit),
                    not_reported: self.not_reported.clone(),
                };
                self.beside.dump(request, state);
            }
        }
    }

    /// Takes what was made beside the loop: why pods wait, for their conditions and the figures.
    fn explained(&mut self, done: Option<Done>) {
        let now = self.clock.now();
        let Some(done) = done else {
            return (self.log)("ALARM: an explanation has failed; from now on nothing is explained");
        };
        let Made { reasons, recounted, differs } = self.beside.take(done, now);
        if let Some(recounted) = recounted {
            self.actor.take_recount(recounted);
        }
        if let Some(differs) = differs {
            (self.log)(&format!("ALARM: the core that explains differs from the one that decides: {differs}"));
        }
        let Some(reasons) = reasons.filter(|_| self.mode != Mode::Dry) else { return };
        self.not_reported = self.actor.unreported().into();
        self.board.values(|values| figures::pending(values, &reasons, &self.not_reported));
        let whys = self.actor.whys(&reasons);
        self.show_pending(&whys);
        let due = self.reporter.conditions(whys, &self.actor, now);
        for failure in self.writer.push(due, now) {
            self.fails(failure);
        }
    }

    /// Shows what waits by the names of the kube-scheduler, where that is wanted.
    fn show_pending(&self, whys: &[Why]) {
        if self.actor.settings().compat_metrics {
            self.board.values(|values| compat::pending(values, whys.iter().map(|why| why.reason)));
        }
    }

    fn fails(&mut self, failure: Failure) {
        counts::failure(&self.board, &failure);
        self.actor.take_failure(failure);
    }

    /// A line for each decision.
    fn log_decisions(&mut self, intents: &[Intent]) {
        self.decisions += u64::from(!intents.is_empty());
        for intent in intents {
            let queue = if self.structured { self.actor.leaf_of(&intent.pod().uid) } else { String::new() };
            let fields = self.structured.then(|| json::fields(intent, &queue, self.decisions)).flatten();
            (self.log)(&fields.map_or_else(|| dry::line(intent), |fields| fields.to_string()));
        }
    }

    /// Compares the ledger with a recount now and then, and shows the figures.
    fn look(&mut self, now: Time) {
        if now >= self.next_check
            && self.actor.pending() == 0
            && self.beside.is_free()
            && let Some(recount) = self.actor.recount(now)
        {
            self.next_check = now.after_ms(CHECK_MS);
            self.beside.recount(recount);
        }
        if let Some(views) = &self.views {
            let view = self.actor.view();
            views.send_if_modified(|shown| {
                let differs = *shown != view;
                *shown = view;
                differs
            });
        }
        self.board.values(|values| {
            figures::take(values, &self.actor);
            if let Some(tape) = &self.tape {
                figures::recording(values, tape);
            }
        });
    }

    /// Takes the facts that are there or come at once.
    async fn gather(&mut self) {
        let until = Instant::now() + LINGER;
        while self.actor.pending() < BATCH {
            match tokio::time::timeout_at(until, self.facts.recv()).await {
                Ok(Some(fact)) => self.actor.take(fact),
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// A dry run decides anew each time about what is there, and shows what has changed since the last time.
    fn rehearse(&mut self, now: Time) {
        if now < self.next_report {
            return;
        }
        self.next_report = now.after_ms(EVERY_MS);
        let mut lines: Vec<String> = self.actor.rehearse(now).iter().map(dry::line).collect();
        lines.extend(self.actor.take_problems().iter().map(text_of));
        // A dry run holds nothing up.
        let reasons = self.actor.why_workloads();
        self.not_reported = self.actor.unreported().into();
        self.board.values(|values| figures::pending(values, &reasons, &self.not_reported));
        let whys = self.actor.whys(&reasons);
        self.show_pending(&whys);
        lines.extend(whys.into_iter().map(|why| dry::line(&why.into())));
        if lines.is_empty() {
            lines.push(dry::nothing(self.actor.is_started()).to_owned());
        }
        self.look(now);
        if lines != self.shown {
            lines.iter().for_each(|line| (self.log)(line));
            self.shown = lines;
        }
    }

    /// One turn: decide, write, report.
    fn turn(&mut self) {
        let now = self.clock.now();
        if self.mode == Mode::Dry {
            return self.rehearse(now);
        }
        let since = Instant::now();
        let mut intents = self.actor.turn(now);
        counts::turn(&self.board, &mut self.actor, &intents, now, since.elapsed().as_secs_f64());
        for problem in self.actor.take_problems() {
            if matches!(problem, Problem::Refused { .. }) {
                self.board.count(metric::REFUSED, &[]);
            }
            (self.log)(&text_of(&problem));
        }
        self.log_decisions(&intents);
        intents.extend(self.reporter.events(&intents));
        if now >= self.next_report {
            self.next_report = now.after_ms(EVERY_MS);
            // First: a recount begins only while nothing else is made beside the loop.
            self.look(now);
            self.beside.want_reasons(now);
            self.status.write(&self.actor, now, self.log);
        }
        for failure in self.writer.push(intents, now) {
            self.fails(failure);
        }
        // At once: what is accepted counts for a process that starts a moment later.
        if let Some(memory) = &mut self.memory {
            memory.write(&self.actor);
        }
        self.beside.catch_up();
    }
}

/// A problem in words.
fn text_of(problem: &Problem) -> String {
    match problem {
        Problem::Unreadable(mistake) => format!("cannot read {mistake}"),
        Problem::Tree(findings) => {
            let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
            format!("the quota tree is not valid: {}", texts.join("; "))
        }
        Problem::Refused { about, why } => format!("the core refuses {about}: {why}"),
        Problem::Drift(what) => format!("ALARM: the ledger drifts: {what}"),
    }
}
