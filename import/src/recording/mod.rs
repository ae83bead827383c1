//! Recordings of a live scheduler as the parts of a scenario: nodes, quotas, and the work that was there, with the times that
//! were observed.
//!
//! Segments are joined by the uids of pods, and pods that replaced one another by their controller: what was evicted and
//! created again is one piece of work, as in a scenario.

mod observe;
mod work;

pub use work::{Runs, Scale, Work};

use jiff::civil::DateTime;
use observe::Observer;
use quotree_core::{Name, NodeSpec, Policy, TreeSpec};
use quotree_record::{Ending, Steps, Trouble, replay::listed};
use std::{collections::BTreeMap, path::Path};

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

/// Reads a recording: a folder of segments, or one of them.
///
/// # Errors
/// If there is none, or one cannot be read.
pub fn recorded(path: &Path) -> Result<Recorded, Trouble> {
    let mut observer = Observer::default();
    let mut notes = Vec::new();
    for (_, file) in listed(path)? {
        let mut steps = match Steps::open(&file) {
            Err(trouble) if trouble.empty => continue,
            other => other?,
        };
        observer.begin(steps.head());
        while let Some(step) = steps.step()? {
            observer.step(step);
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
    let mut recorded = observer.end();
    notes.append(&mut recorded.notes);
    recorded.notes = notes;
    Ok(recorded)
}
