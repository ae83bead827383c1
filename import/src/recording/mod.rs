//! Recordings of a live scheduler as the parts of a scenario: nodes, quotas, and the work that was there, with the times that
//! were observed.
//!
//! Segments are joined by the uids of pods, and pods that replaced one another by their controller: what was evicted and
//! created again is one piece of work, as in a scenario.

mod observe;
mod window;
mod work;

pub use window::{Moment, Window};
pub use work::{Runs, Scale, Work};

use jiff::{Timestamp, civil::DateTime};
use observe::Observer;
use quotree_core::{Name, NodeSpec, Policy, Time, TreeSpec};
use quotree_record::{Ending, Steps, Trouble, replay::listed};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// What a recording shows, with times in milliseconds since its begin.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// When it begins, in universal time.
    pub start: DateTime,
    /// Its last decision.
    pub end_ms: u64,
    /// How many segments there are.
    pub segments: usize,
    /// All nodes that there were, as they were first, without what DaemonSets and static pods use of them.
    pub nodes: Vec<(Name, NodeSpec)>,
    /// Nodes that came and went.
    pub node_changes: Vec<(u64, Name, NodeChange)>,
    /// The first quota tree. Leaves have a namespace `NAMESPACE@LEAF` for work that names its quota.
    pub tree: TreeSpec,
    /// Later trees.
    pub trees: Vec<(u64, TreeSpec)>,
    /// The policy of the last segment.
    pub policy: Policy,
    /// Disruption budgets, each with the most evictions that it ever allowed.
    pub budgets: BTreeMap<Name, u32>,
    /// The work.
    pub work: Vec<Work>,
    /// What has no place in a scenario, in words.
    pub notes: Vec<String>,
}

/// What became of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeChange {
    /// It joined, or joined again.
    Up,
    /// It went.
    Down,
    /// It takes no new pods.
    Cordon,
    /// It takes new pods again.
    Uncordon,
}

/// Reads a part of a recording: of a folder of segments, or of one of them.
///
/// # Errors
/// If there is none, one cannot be read, or nothing of it is in the window.
pub fn recorded(path: &Path, window: Window) -> Result<Recorded, Trouble> {
    let mut observer = Observer::default();
    let mut notes = Vec::new();
    let ((from, to), files) = within(path, window)?;
    let (from_time, to_time) = (from.unwrap_or_default(), to.unwrap_or(Time(u64::MAX)));
    'all: for file in files {
        let mut steps = match Steps::open(&file) {
            Err(trouble) if trouble.empty => continue,
            other => other?,
        };
        if steps.head().at > to_time {
            break;
        }
        observer.begin(steps.head());
        while let Some(step) = steps.step()? {
            if step.decision.as_ref().is_some_and(|decision| decision.at > to_time) {
                observer.stop(to_time);
                break 'all;
            }
            observer.step(step, from_time);
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match steps.ending() {
            Some(Ending::Cut { lines }) => {
                notes.push(format!("{name} breaks off: its last {lines} lines do not count"));
            }
            Some(Ending::Whole(end)) if end.dropped > 0 => {
                notes.push(format!("{name} lacks {} lines at its end", end.dropped));
            }
            _ => {}
        }
    }
    let last = observer.last();
    if from.is_some_and(|from| last < from) {
        let what = format!("the last decision is of {}, so nothing is in the window", stamp(last));
        return Err(Trouble { file: path.to_owned(), what, empty: false });
    }
    let mut recorded = observer.end();
    notes.append(&mut recorded.notes);
    recorded.notes = notes;
    Ok(recorded)
}

/// A time in words.
fn stamp(time: Time) -> String {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// When a window begins and ends.
type Bounds = (Option<Time>, Option<Time>);

/// The times of a window, and the segments that are needed for it: each begins with all that there is, so of those that begin
/// before it the last is enough.
fn within(path: &Path, window: Window) -> Result<(Bounds, Vec<PathBuf>), Trouble> {
    let files: Vec<PathBuf> = listed(path)?.into_iter().map(|(_, file)| file).collect();
    if window == Window::default() {
        return Ok((Bounds::default(), files));
    }
    let mut begins: Vec<(Time, PathBuf)> = Vec::new();
    for file in files {
        match Steps::open(&file) {
            Err(trouble) if trouble.empty => {}
            other => begins.push((other?.head().at, file)),
        }
    }
    let begin = begins.first().map_or(Time(0), |(at, _)| *at);
    let times = (window.from.map(|from| from.time(begin)), window.to.map(|to| to.time(begin)));
    if let (Some(from), Some(to)) = times
        && from >= to
    {
        let what = format!("the window ends at {}, and begins at {}", stamp(to), stamp(from));
        return Err(Trouble { file: path.to_owned(), what, empty: false });
    }
    if let (_, Some(to)) = times
        && to <= begin
    {
        let what = format!("it begins at {}, so nothing is in the window", stamp(begin));
        return Err(Trouble { file: path.to_owned(), what, empty: false });
    }
    let first = begins.iter().rposition(|(at, _)| times.0.is_some_and(|from| *at <= from)).unwrap_or(0);
    Ok((times, begins.into_iter().skip(first).map(|(_, file)| file).collect()))
}
