//! The loop: watches feed the actor, the actor feeds the writer, the writer reports what failed. One task does all of
//! it, so that facts, decisions and intents have one order.

use crate::{
    act::dry,
    actor::{Actor, Problem},
    clock::Clock,
    report::{EVERY_MS, Reporter},
    settings::{Mode, Settings},
    watch::{
        Fact,
        streams::{self, TreeSource},
    },
    write::{Writer, fence::Fence},
};
use kube::Client;
use quotree_core::Time;
use std::time::Duration;
use tokio::{
    sync::mpsc::{Receiver, channel},
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
    _watches: JoinSet<()>,
    mode: Mode,
    next_report: Time,
    /// What a dry run has shown last.
    shown: Vec<String>,
    /// Receives what is intended and what is wrong, as lines.
    log: fn(&str),
}

impl Runner {
    /// Starts the watches. `writes` must be a client that sends nothing twice ([`crate::write::client`]). `log` receives a
    /// line for each decision and each problem. Nothing is sent while the fence is closed.
    #[must_use]
    pub fn new(
        reads: &Client,
        writes: Client,
        settings: Settings,
        tree: &TreeSource,
        clock: Clock,
        fence: Fence,
        log: fn(&str),
    ) -> Self {
        let (sender, facts) = channel(BACKLOG);
        let mode = settings.mode;
        Self {
            _watches: streams::start(reads, tree, &sender),
            actor: Actor::new(settings),
            writer: Writer::new(writes, mode, fence),
            reporter: Reporter::new(),
            clock,
            facts,
            mode,
            next_report: clock.now().after_ms(EVERY_MS),
            shown: Vec::new(),
            log,
        }
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
                if let Some(failure) = self.writer.take(ended, self.clock.now()) {
                    (self.log)(&format!("failed {failure:?}"));
                    self.actor.take_failure(failure);
                }
            }
            () = tokio::time::sleep_until(self.clock.instant(wake)) => {}
        }
        self.turn();
        true
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
        lines.extend(self.actor.reasons().into_iter().map(|why| dry::line(&why.into())));
        if lines.is_empty() {
            lines.push(dry::nothing(self.actor.is_started()).to_owned());
        }
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
        let mut intents = self.actor.turn(now);
        for problem in self.actor.take_problems() {
            (self.log)(&text_of(&problem));
        }
        for intent in &intents {
            (self.log)(&dry::line(intent));
        }
        intents.extend(self.reporter.events(&intents));
        if now >= self.next_report {
            self.next_report = now.after_ms(EVERY_MS);
            intents.extend(self.reporter.conditions(&self.actor, now));
        }
        for failure in self.writer.push(intents, now) {
            self.actor.take_failure(failure);
        }
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
    }
}
