//! The writer: it sends what is intended, finds out what came of it, and reports failures to the actor. What succeeded is
//! confirmed by the watch, and by nothing else.
//!
//! - [`queue`]: which write goes next. [`bucket`]: how many may. [`fence`]: whether any may.
//! - [`resolve`]: what an answer means.
//! - [`requests`]: one request.

pub mod bucket;
pub mod fence;
pub mod queue;
pub mod requests;
pub mod resolve;

use crate::{
    actor::{Failure, Intent},
    serve::{board::Board, metric},
    settings::Mode,
    watch::{Store, Uid},
};
use fence::Fence;
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use kube::Client;
use queue::{Queue, Work, Writes};
use quotree_core::Time;
use resolve::{Verdict, back_off, gives_up, judge, settle};

/// What came of a write.
#[derive(Debug)]
struct Outcome {
    work: Work,
    verdict: Verdict,
    /// The code of the answer; none: no answer came.
    code: Option<u16>,
    /// Whether the pod was looked at.
    looked: bool,
    /// Whether there was no answer to that, either.
    silent: bool,
    seconds: f64,
}

/// After an outage, news of pods has this time to come before evictions go on, milliseconds.
const NEWS_MS: u64 = 2_000;

/// Sends writes.
pub struct Writer {
    client: Client,
    mode: Mode,
    fence: Fence,
    board: Board,
    queue: Queue,
    in_flight: FuturesUnordered<BoxFuture<'static, Outcome>>,
    /// When the API server was silent last, until news of pods has come since.
    silent: Option<Time>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl Writer {
    /// A writer that sends while the fence is open, so many writes a second at most. The client must not retry by itself
    /// ([`client`]).
    #[must_use]
    pub fn new(client: Client, mode: Mode, qps: u32, fence: Fence, board: Board) -> Self {
        let (queue, in_flight) = (Queue::new(qps), FuturesUnordered::new());
        Self { client, mode, fence, board, queue, in_flight, silent: None }
    }

    /// Adds what is to be written, and sends what may be sent. Returns the evictions that were taken back before they were
    /// sent.
    pub fn push(&mut self, intents: impl IntoIterator<Item = Intent>, now: Time) -> Vec<Failure> {
        let mut taken_back = Vec::new();
        for intent in intents {
            match intent {
                Intent::TakeBack { pod } => {
                    let taken = self.queue.take_back(&pod.uid);
                    taken_back.extend(taken.then_some(Failure::TakenBack { uid: pod.uid }));
                }
                intent => self.queue.push(intent, now),
            }
        }
        self.pump(now);
        taken_back
    }

    /// Sends what may be sent.
    pub fn pump(&mut self, now: Time) {
        self.hear(now);
        while self.fence.allows(now)
            && let Some(work) = self.queue.next(now)
        {
            let (client, mode) = (self.client.clone(), self.mode);
            let now_ms = i64::try_from(now.0).unwrap_or(i64::MAX);
            self.in_flight.push(Box::pin(async move { carry_out(&client, mode, work, now_ms).await }));
        }
    }

    /// After an outage, an eviction was decided by what was known before it. It waits until pods were heard of again, so that the
    /// actor can take it back.
    fn hear(&mut self, now: Time) {
        let Some(silent) = self.silent else { return };
        if self.board.heard_since(Store::Pods, silent) {
            self.silent = None;
        }
        // Where nothing was heard, this is asked again by then.
        self.queue.hold_evictions(now.after_ms(NEWS_MS));
    }

    /// Counts a write that has ended.
    fn note(&self, outcome: &Outcome) {
        let verb = outcome.work.intent.verb();
        let code = outcome.code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        let resolved = match outcome.verdict {
            Verdict::Done => "done",
            Verdict::Failed(_) => "failed",
            Verdict::Again { .. } | Verdict::Look(_) => "again",
        };
        let dropped = self.queue.dropped() as f64;
        self.board.values(|values| {
            values.add(metric::WRITES, &[verb, &code], 1.0);
            values.observe(metric::WRITE_SECONDS, metric::SHORT, &[verb], outcome.seconds);
            if outcome.looked {
                values.add(metric::AMBIGUOUS, &[resolved], 1.0);
            }
            values.set(metric::DROPPED, &[], dropped);
        });
    }

    /// When something may be sent that cannot be now.
    #[must_use]
    pub fn next_wake(&self, now: Time) -> Option<Time> {
        self.queue.wake().filter(|_| self.fence.allows(now))
    }

    /// What waits and what is in flight. Shows at most so many writes that wait, and costs as many.
    #[must_use]
    pub fn view(&self, most: usize) -> Writes {
        self.queue.view(most)
    }

    /// Whether nothing waits and nothing is in flight.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_idle()
    }

    /// Waits for a write to end; for ever if none is in flight.
    pub async fn ended(&mut self) -> Ended {
        match self.in_flight.next().await {
            Some(outcome) => Ended(outcome),
            None => std::future::pending().await,
        }
    }

    /// Takes the end of a write, and sends what may be sent now. Returns what the actor must know.
    pub fn take(&mut self, ended: Ended, now: Time) -> Option<Failure> {
        self.note(&ended.0);
        let Outcome { mut work, verdict, code, silent, .. } = ended.0;
        if silent {
            self.silent = Some(now);
        }
        let uid = work.intent.pod().uid.clone();
        self.queue.done(&uid);
        let spared = self.queue.is_spared(&uid);
        let failure = match verdict {
            Verdict::Done => None,
            Verdict::Failed(why) => match work.intent {
                Intent::Bind { .. } => Some(Failure::Bind { uid, why }),
                Intent::Evict { .. } => Some(Failure::Evict { uid, why }),
                Intent::Condition { .. } | Intent::Event { .. } => Some(Failure::Report { uid, why }),
                Intent::TakeBack { .. } => None,
            },
            Verdict::Look(_) => None,
            Verdict::Again { .. } if spared && matches!(work.intent, Intent::Evict { .. }) => {
                Some(Failure::TakenBack { uid })
            }
            Verdict::Again { why, .. } if matches!(work.intent, Intent::Evict { .. }) && gives_up(code, work.tries) => {
                Some(Failure::Evict { uid, why })
            }
            Verdict::Again { after_ms, version, .. } => {
                let at = now.after_ms(back_off(after_ms, work.tries, &uid));
                work.tries += 1;
                if let (Some(version), Intent::Bind { pod, .. } | Intent::Evict { pod, .. }) =
                    (version, &mut work.intent)
                {
                    pod.version = version;
                }
                self.queue.again(work, at);
                None
            }
        };
        self.pump(now);
        failure
    }
}

/// A write that has ended.
#[derive(Debug)]
pub struct Ended(Outcome);

/// An admission that has ended for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// The pod.
    pub uid: Uid,
    /// When it was intended.
    pub since: Time,
    /// How often it was sent.
    pub attempts: u32,
    /// Whether the pod is admitted.
    pub succeeded: bool,
}

impl Ended {
    /// The admission that has ended, if it was one and does not go again.
    #[must_use]
    pub fn admission(&self) -> Option<Admission> {
        let Outcome { work, verdict, .. } = &self.0;
        let Intent::Bind { pod, .. } = &work.intent else { return None };
        let succeeded = match verdict {
            Verdict::Done => true,
            Verdict::Failed(_) => false,
            Verdict::Again { .. } | Verdict::Look(_) => return None,
        };
        Some(Admission { uid: pod.uid.clone(), since: work.since, attempts: work.tries + 1, succeeded })
    }
}

/// Sends a write, and looks at the pod if nobody knows what came of it.
async fn carry_out(client: &Client, mode: Mode, work: Work, now_ms: i64) -> Outcome {
    let since = tokio::time::Instant::now();
    let intent = &work.intent;
    let answer = requests::send(client, mode, intent, now_ms).await;
    let seconds = since.elapsed().as_secs_f64();
    // A success of a subresource may come without a code.
    let code = answer.as_ref().map(|status| if status.is_success() && status.code == 0 { 200 } else { status.code });
    let (mut looked, mut silent) = (false, false);
    let verdict = match judge(intent, answer.as_ref()) {
        Verdict::Look(why) => match looks(&mut looked, requests::look(client, intent)).await {
            Ok(pod) => settle(intent, pod.as_ref(), &why),
            // The API server does not answer at all. The write may have been carried out, so it stays assumed, and the
            // next send is safe: it names the uid and the resourceVersion.
            Err(why) => {
                silent = true;
                Verdict::Again { after_ms: 1000, version: None, why }
            }
        },
        verdict => verdict,
    };
    Outcome { work, verdict, code, looked, silent, seconds }
}

/// Notes that a pod is looked at.
async fn looks<T>(looked: &mut bool, look: impl Future<Output = T>) -> T {
    *looked = true;
    look.await
}

/// A client for writes from a configuration: unlike the client of `kube` by default, it sends nothing twice. The default one
/// answers a write that was carried out and timed out with the 409 of its own success.
///
/// # Errors
/// If the configuration has no usable TLS settings.
pub fn client(config: kube::Config) -> Result<Client, kube::Error> {
    let mut config = config;
    config.default_retry = false;
    Client::try_from(config)
}
