//! What is made beside the loop: explanations and dumps, of a [`Twin`] of the core. The loop hands over the input of the core, and goes on
//! deciding; only one thing at a time is made, and what is asked meanwhile waits.

use crate::{
    actor::{Asked, Feed, Reason, Recount, Recounted, Twin},
    serve::{
        dump::{LoopState, Request},
        explain::Answer,
    },
};
use quotree_core::Time;
use tokio::{sync::oneshot, task::JoinHandle};

/// The twin takes its input when there is so much of it, though nobody asks: in small parts, so that a machine with few cores does not
/// stop for it.
const BACKLOG: usize = 2000;

/// After all waiting workloads were explained, so many times as long passes before they are again: at most a fifth of a core is for
/// that, however many wait.
const REST: u64 = 4;

/// A question, and where its answer goes.
type Question = (Asked, oneshot::Sender<Option<Answer>>);

/// The twin, at home or at work.
#[derive(Debug, Default)]
pub struct Beside {
    feed: Feed,
    twin: Option<Twin>,
    work: Option<JoinHandle<Done>>,
    questions: Vec<Question>,
    dumps: Vec<(Request, LoopState)>,
    wants_reasons: bool,
    /// How many workloads are said what would help.
    advice: usize,
    recount: Option<Recount>,
    /// When reasons were asked for last.
    asked: Time,
    /// Until when nobody needs them anew.
    rests: Time,
}

/// What comes back, with the twin.
#[derive(Debug)]
pub struct Done {
    twin: Twin,
    made: Made,
}

/// What was made beside the loop.
#[derive(Debug)]
pub struct Made {
    /// Why each workload waits, if that was wanted.
    pub reasons: Option<Vec<Reason>>,
    /// What a recount gave, if one was wanted.
    pub recounted: Option<Recounted>,
    /// Where the twin differs from the core at work: a mistake of this program.
    pub differs: Option<String>,
}

impl Beside {
    /// A twin without any input yet, which says to so many workloads what would help ([`Settings::advice`]).
    ///
    /// [`Settings::advice`]: crate::settings::Settings::advice
    #[must_use]
    pub fn new(advice: usize) -> Self {
        Self { twin: Some(Twin::default()), advice, ..Self::default() }
    }

    /// Where the core at work must hand over its input.
    #[must_use]
    pub fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// Asks about a pod. The answer is sent from beside the loop.
    pub fn ask(&mut self, asked: Asked, answer: oneshot::Sender<Option<Answer>>) {
        self.questions.push((asked, answer));
        self.start();
    }

    /// Asks for a page of a dump, which also has what the loop adds. It is sent from beside the loop.
    pub fn dump(&mut self, request: Request, state: LoopState) {
        self.dumps.push((request, state));
        self.start();
    }

    /// Whether nothing is under way, so that what is asked for is made of the state at this moment.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.twin.is_some()
    }

    /// Asks for a recount of the ledger. Only while nothing is [under way](Self::is_free): what was shown and what the core was told
    /// must be of one moment.
    pub fn recount(&mut self, recount: Recount) {
        self.recount = Some(recount);
        self.start();
    }

    /// Asks why all workloads wait, unless that was found just now and took long.
    pub fn want_reasons(&mut self, now: Time) {
        if now < self.rests || self.wants_reasons {
            return;
        }
        (self.wants_reasons, self.asked) = (true, now);
        self.start();
    }

    /// Has the twin take its input, if there is much of it.
    pub fn catch_up(&mut self) {
        if self.feed.waiting() > BACKLOG {
            self.start();
        }
    }

    /// Begins what is wanted, if nothing is under way.
    fn start(&mut self) {
        let Some(mut twin) = self.twin.take() else {
            if self.work.is_none() {
                // It has failed: whoever asks is answered at once that there is none.
                self.questions.clear();
                self.dumps.clear();
            }
            return;
        };
        let (input, questions) = (self.feed.take(), std::mem::take(&mut self.questions));
        let (dumps, recount) = (std::mem::take(&mut self.dumps), self.recount.take());
        let (reasons, advice) = (std::mem::take(&mut self.wants_reasons), self.advice);
        self.work = Some(tokio::task::spawn_blocking(move || {
            twin.take(input);
            for (asked, answer) in questions {
                // Whoever has asked may be gone.
                let _ = answer.send(Some(asked.answer(&twin)));
            }
            for (request, state) in dumps {
                request.answer(&twin, &state);
            }
            let reasons = reasons.then(|| twin.reasons(advice));
            let recounted = recount.map(|recount| twin.recounted(&recount));
            let differs = twin.take_difference();
            Done { twin, made: Made { reasons, recounted, differs } }
        }));
    }

    /// Waits for what is under way to end; for ever if nothing is. `None`: it has failed, and nothing is explained any more.
    pub async fn ended(&mut self) -> Option<Done> {
        let Some(work) = &mut self.work else { return std::future::pending().await };
        let done = work.await.ok();
        self.work = None;
        done
    }

    /// Takes the twin back, and begins what was asked meanwhile.
    pub fn take(&mut self, done: Done, now: Time) -> Made {
        self.twin = Some(done.twin);
        if done.made.reasons.is_some() {
            self.rests = now.after_ms(now.since(self.asked).saturating_mul(REST));
        }
        if self.wants_reasons || !self.questions.is_empty() || !self.dumps.is_empty() {
            self.start();
        }
        done.made
    }
}
