//! Replays a recording: every segment by itself, every decision compared.

use crate::{
    folder,
    line::{Decision, Line, pod_id},
    read::{Ending, Steps, Trouble},
};
use quotree_core::{Name, NodeId, PodId, SEMANTICS_VERSION, Scheduler, Time};
use std::{
    collections::BTreeMap,
    fmt::Write,
    path::{Path, PathBuf},
};

/// What came of replaying a segment.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The file.
    pub file: PathBuf,
    /// The number of the segment.
    pub segment: u64,
    /// The version of the rules that it was recorded by.
    pub rules: String,
    /// When it begins, and its last decision.
    pub times: (Time, Time),
    /// How many events were taken.
    pub events: u64,
    /// How many decisions gave the same plan.
    pub agreed: u64,
    /// The first that did not: nothing after it was replayed.
    pub difference: Option<Difference>,
    /// How it ends; `None` after a difference.
    pub ending: Option<Ending>,
    /// Whether it goes on where the segment before ended: `None` if it does not say so.
    pub follows: Option<bool>,
}

impl Replayed {
    /// Whether the rules have moved since it was recorded: then other plans may be meant.
    #[must_use]
    pub fn is_by_other_rules(&self) -> bool {
        self.rules != SEMANTICS_VERSION
    }
}

/// Where a replay differs first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The line in the segment.
    pub line: usize,
    /// The time of the decision: that after the event, if an event is refused.
    pub at: Time,
    /// What differs, with names.
    pub what: String,
}

/// Replays the segments of a folder, oldest first. Each is handed to `show` when it is done, with the number of segments in
/// all; the replay ends where that returns `false`. Gives the segments to which nothing is written yet.
///
/// # Errors
/// If the folder has no segment, or one of them cannot be read.
pub fn replay(path: &Path, mut show: impl FnMut(Replayed, usize) -> bool) -> Result<Vec<PathBuf>, Trouble> {
    let files = listed(path)?;
    let mut last: Option<String> = None;
    let mut empty = Vec::new();
    for (_, file) in &files {
        let mut steps = match Steps::open(file) {
            Ok(steps) => steps,
            Err(trouble) if trouble.empty => {
                empty.push(trouble.file);
                continue;
            }
            Err(trouble) => return Err(trouble),
        };
        let (done, sum) = one(&mut steps, file, last.as_deref())?;
        last = sum;
        if !show(done, files.len()) {
            break;
        }
    }
    Ok(empty)
}

/// The segments of a folder, oldest first; a file is one.
///
/// # Errors
/// If there is none.
pub fn listed(path: &Path) -> Result<Vec<(u64, PathBuf)>, Trouble> {
    if path.is_file() {
        return Ok(vec![(0, path.to_owned())]);
    }
    let trouble = |what: String| Trouble { file: path.to_owned(), what, empty: false };
    let files = folder::segments(path).map_err(|error| trouble(format!("cannot be read: {error}")))?;
    if files.is_empty() {
        return Err(trouble("has no segment-NNNNNN.jsonl.zst: it is no recording".to_owned()));
    }
    Ok(files)
}

fn one(steps: &mut Steps, file: &Path, before: Option<&str>) -> Result<(Replayed, Option<String>), Trouble> {
    let head = steps.head().clone();
    let mut core = Scheduler::new(&head.tree, head.policy.clone()).map_err(|findings| Trouble {
        file: file.to_owned(),
        what: format!("its quota tree is not valid by the rules of this program ({} findings)", findings.len()),
        empty: false,
    })?;
    let mut names = Names::default();
    let mut done = Replayed {
        file: file.to_owned(),
        segment: head.segment,
        rules: head.rules.clone(),
        times: (head.at, head.at),
        events: 0,
        agreed: 0,
        difference: None,
        ending: None,
        follows: head.follows.as_deref().zip(before).map(|(follows, before)| follows == before),
    };
    let mut last = None;
    while let Some(step) = steps.step()? {
        let at = step.decision.as_ref().map_or(done.times.1, |decision| decision.at);
        for (line, what) in step.lines {
            if let Line::Event(event) = what {
                if let Err(error) = core.apply(*event) {
                    let what = format!("an event that was taken is refused: {error}");
                    done.difference = Some(Difference { line, at, what });
                    return Ok((done, None));
                }
                done.events += 1;
            } else {
                names.take(what);
            }
        }
        if let Some(recorded) = step.decision {
            let now = Decision::of(recorded.at, &core.decide(recorded.at));
            if now.digest != recorded.digest {
                let what = names.difference(&recorded, &now);
                done.difference = Some(Difference { line: step.line.saturating_sub(1), at, what });
                return Ok((done, None));
            }
            done.agreed += 1;
            done.times.1 = at;
        }
        last = Some(steps.last_sum().to_owned());
    }
    done.ending = steps.ending().cloned();
    let whole = matches!(done.ending, Some(Ending::Whole(_)));
    Ok((done, last.filter(|_| whole)))
}

/// The names of a segment.
#[derive(Debug, Default)]
struct Names {
    pods: BTreeMap<PodId, Name>,
    nodes: BTreeMap<NodeId, Name>,
}

impl Names {
    fn take(&mut self, line: Line) {
        match line {
            Line::Pod(pod) => _ = self.pods.insert(pod_id(pod.id), pod.name),
            Line::Node(node) => _ = self.nodes.insert(node.id, node.name),
            _ => {}
        }
    }

    fn pod(&self, id: (u32, u32)) -> String {
        self.pods.get(&pod_id(id)).map_or_else(|| pod_id(id).to_string(), ToString::to_string)
    }

    fn actions(&self, decision: &Decision) -> Vec<String> {
        let node = |id: u32| self.nodes.get(&NodeId(id)).map_or_else(|| NodeId(id).to_string(), ToString::to_string);
        let evicts = decision.evicts.iter().map(|pod| format!("evict {}", self.pod(*pod)));
        let binds = decision.binds.iter().map(|(w, o, n)| format!("bind {} to {}", self.pod((*w, *o)), node(*n)));
        evicts.chain(binds).collect()
    }

    /// What two decisions do not have in common, in words.
    fn difference(&self, recorded: &Decision, now: &Decision) -> String {
        let mut text = format!("another plan (digest {} recorded, {} now)", recorded.digest, now.digest);
        let (then, now) = (self.actions(recorded), self.actions(now));
        let missing: Vec<&String> = then.iter().filter(|action| !now.contains(action)).collect();
        let new: Vec<&String> = now.iter().filter(|action| !then.contains(action)).collect();
        for (what, actions) in [("recorded only", &missing), ("now only", &new)] {
            for action in actions.iter().take(SHOWN) {
                let _ = write!(text, "\n  {what}: {action}");
            }
            if actions.len() > SHOWN {
                let _ = write!(text, "\n  {what}: {} more", actions.len() - SHOWN);
            }
        }
        if missing.is_empty() && new.is_empty() {
            text.push_str("\n  the same pods are bound and evicted; their order, reasons or verdicts differ");
        }
        text
    }
}

/// How many actions of each kind a difference shows.
const SHOWN: usize = 5;
