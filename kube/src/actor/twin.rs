//! A second core that gets the same input as the one at work, and so comes to the same state. Explanations are made of it, beside
//! the loop: they try what would help on copies of the state, which takes up to some tenths of a second in a large cluster.
//!
//! A core with the same input decides the same (I12), so nothing is copied out of the one at work: it hands over its input, in
//! constant time an event. The input is what a recording holds.

use super::{
    names::Ids,
    reasons::{SMALL, why},
};
use crate::serve::figures::leaf_name;
use quotree_core::{Event, Policy, Scheduler, TreeSpec, WorkloadId};
use quotree_record::Line;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The input of a twin.
#[derive(Debug)]
pub enum Input {
    /// The core at work was begun anew.
    Begin {
        /// Its tree.
        tree: Box<TreeSpec>,
        /// Its policy.
        policy: Box<Policy>,
        /// Its first input.
        lines: Vec<Line>,
    },
    /// It got this event, or has decided.
    Line(Line),
}

/// The input that the twin has not taken yet. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Feed(Arc<Mutex<Vec<Input>>>);

impl Feed {
    fn lock(&self) -> MutexGuard<'_, Vec<Input>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The core was begun anew: what came before counts no more.
    pub(super) fn begin(&self, tree: &TreeSpec, policy: &Policy, lines: Vec<Line>) {
        let mut waiting = self.lock();
        waiting.clear();
        waiting.push(Input::Begin { tree: Box::new(tree.clone()), policy: Box::new(policy.clone()), lines });
    }

    /// Adds a line.
    pub(super) fn line(&self, line: Line) {
        self.lock().push(Input::Line(line));
    }

    /// Takes what there is.
    #[must_use]
    pub fn take(&self) -> Vec<Input> {
        std::mem::take(&mut self.lock())
    }

    /// How much there is.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().len()
    }
}

/// The second core.
#[derive(Debug, Default)]
pub struct Twin {
    pub(super) core: Option<Scheduler>,
    pub(super) ids: Ids,
    /// How often the core at work has begun anew.
    pub(super) begun: u64,
    differs: Option<String>,
}

/// Why a workload waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The workload.
    pub workload: WorkloadId,
    /// The name of its leaf; empty if it has none.
    pub leaf: String,
    /// The reason in one word.
    pub word: &'static str,
    /// The reason in a sentence.
    pub message: String,
}

impl Twin {
    /// Takes the input of the core at work. Costs as much as that core took, once more.
    pub fn take(&mut self, input: Vec<Input>) {
        for one in input {
            match one {
                Input::Begin { tree, policy, lines } => {
                    let (core, begun) = (Scheduler::new(&tree, *policy).ok(), self.begun + 1);
                    *self = Self { core, begun, ..Self::default() };
                    lines.into_iter().for_each(|line| self.line(line));
                }
                Input::Line(line) => self.line(line),
            }
        }
    }

    fn line(&mut self, line: Line) {
        let Some(core) = &mut self.core else { return };
        match line {
            Line::Node(node) => self.ids.name_node(node.id, &node.name),
            Line::Workload(workload) => self.ids.name_workload(workload.id, workload.name),
            Line::Pod(pod) => {
                let workload = WorkloadId(pod.id.0);
                self.ids.name_single(workload, &pod.name);
                self.ids.add_pod(workload.pod(pod.id.1), &pod.uid, pod.name);
            }
            Line::Event(event) => {
                let gone = match &*event {
                    Event::PodGone { pod, .. } => Some(*pod),
                    _ => None,
                };
                if let Err(error) = core.apply(*event) {
                    self.differs.get_or_insert_with(|| format!("an event that was taken is refused: {error}"));
                }
                if let Some(pod) = gone {
                    self.ids.forget_pod(pod);
                    if self.ids.pods_of(pod.workload).next().is_none() {
                        self.ids.forget_workload(pod.workload);
                    }
                }
            }
            Line::Decide(decision) => {
                let digest = format!("{:016x}", core.decide(decision.at).digest());
                if digest != decision.digest {
                    self.differs.get_or_insert_with(|| format!("another plan at {} ms", decision.at.0));
                }
            }
            Line::Head(_) | Line::Sum(_) | Line::End(_) => {}
        }
    }

    /// What differed first from the core at work: a mistake of this program. Says it once.
    pub fn take_difference(&mut self) -> Option<String> {
        self.differs.take()
    }

    /// Why each workload waits, by age. So many of the oldest are said what would help, in a cluster that is not large.
    #[must_use]
    pub fn reasons(&self, advice: usize) -> Vec<Reason> {
        self.core.as_ref().map(|core| reasons(core, &self.ids, advice)).unwrap_or_default()
    }

    /// Why one workload waits, in full: the reason in one word, and the sentences.
    #[must_use]
    pub fn why(&self, workload: WorkloadId) -> Option<(&'static str, String)> {
        why(self.core.as_ref()?, &self.ids, workload, true)
    }
}

/// Why each workload of a core waits.
pub(super) fn reasons(core: &Scheduler, ids: &Ids, advice: usize) -> Vec<Reason> {
    let waiting = core.waiting();
    let small = waiting.len() <= SMALL && core.nodes().len() <= SMALL;
    let of = |(place, workload): (usize, WorkloadId)| {
        let (word, message) = why(core, ids, workload, small && place < advice)?;
        let leaf = core.workload(workload).and_then(|workload| workload.leaf);
        Some(Reason { workload, leaf: leaf_name(core, leaf), word, message })
    };
    waiting.into_iter().enumerate().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_beginning_forgets_what_was_not_taken() {
        let feed = Feed::default();
        feed.line(Line::Sum(String::new()));
        feed.begin(&std::iter::empty().collect(), &Policy::default(), Vec::new());
        feed.line(Line::Sum(String::new()));
        let input = feed.take();
        assert!(matches!(input[..], [Input::Begin { .. }, Input::Line(_)]) && feed.waiting() == 0);
    }
}
