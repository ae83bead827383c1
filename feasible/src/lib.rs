//! What can never run, and which guarantees nodes cannot honour: proofs before any run.
//!
//! A [`Question`] is the part of a scenario that decides it. [`Study::new`] answers two questions:
//!
//! 1. **Which jobs can never start?** A pod that is larger than every node that its selector and its tolerations let it
//!    on; pods that start together and exceed a max on their path, or their min if they may not be evicted; a gang that
//!    no domain holds. Every finding is true of every run: it supposes all nodes that there ever are, empty, and an empty
//!    tree. Where an event may change the answer, there is none.
//! 2. **Can every min be honoured?** Each leaf with a min demands pods of its own jobs, the largest first, as long as its
//!    min covers them. These pods must fit on the nodes at the start, alone and together with those of all other leaves;
//!    the same without a node, and without a rack.
//!
//! To pack pods on nodes is NP-hard. Bounds and a search that counts its steps decide most questions; the others are
//! answered with "not decided". The cost is the number of nodes and rows, times a logarithm, plus the number of different
//! pods times that of different nodes, plus the steps.
//!
//! ```
//! use quotree_core::{Amounts, Name, NodeSpec, Policy, PodTemplate, QuotaSpec, TreeSpec};
//! use quotree_feasible::{Limits, Question, Study};
//! use quotree_model::{Cluster, Node};
//!
//! let cluster = Cluster {
//!     nodes: vec![Node::new("n".into(), Name::from("gpu"), NodeSpec::new(0, Amounts::new().with("cpu", 4000)))],
//!     ..Cluster::default()
//! };
//! let tree: TreeSpec = [QuotaSpec::new("root", None).namespace("ns")].into_iter().collect();
//! let policy = Policy::default();
//! let question = Question {
//!     cluster: &cluster, tree: &tree, policy: &policy, changes: &[], has_faults: false, until: None, workloads: vec![],
//! };
//! assert!(Study::new(&question, Limits::default()).never.is_empty());
//! ```

mod bounds;
mod demand;
mod finding;
mod honour;
mod mins;
mod never;
mod node;
mod pack;
mod question;
mod quota;
mod unit;
mod words;

#[cfg(test)]
mod tests;

pub use finding::{Finding, Kind};
pub use mins::{Answer, Loss, MinAnswer, Mins};
pub use question::Question;

use quotree_core::{Name, Unquotaed};
use quotree_model::{Change, NodeChange};
use std::collections::BTreeSet;

/// How much is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The steps of all searches together; a step is one pod put on one node.
    pub steps: u64,
    /// Whether the loss of a node and of a rack is looked at.
    pub losses: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 1_000_000, losses: true }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Study {
    /// The jobs that can never start.
    pub never: Vec<Finding>,
    /// Jobs about which the search gave up.
    pub undecided: Vec<String>,
    /// How many different units were looked at: pods, and minimums of gangs.
    pub units: usize,
    /// Whether the guarantees can be honoured; nothing if the tree or the nodes are not known.
    pub mins: Option<Mins>,
    /// Whether events add or edit nodes, or edit the tree: the answers about guarantees are about the start.
    pub changes: bool,
}

impl Study {
    /// Answers the question.
    #[must_use]
    pub fn new(question: &Question<'_>, limits: Limits) -> Self {
        let units = unit::units(&question.workloads, question.changes, question.until);
        // Half of the steps for each question, so that the second one has some.
        let mut steps = limits.steps / 2;
        let (mut never, undecided) = never::never(question, &units, &mut steps);
        steps = steps.saturating_add(limits.steps - limits.steps / 2);
        let barred: BTreeSet<String> = never.iter().flat_map(|finding| finding.jobs.iter().cloned()).collect();
        let mins = mins::mins(question, &units, &barred, limits.losses, &mut steps);
        homeless(question, &units, &mut never);
        never.sort_by_key(|finding| finding.place);
        Self { never, undecided, units: units.len(), mins, changes: question.is_changed() }
    }

    /// All findings that say that something fails as it is: jobs that never start, then guarantees without any loss.
    #[must_use]
    pub fn findings(&self) -> Vec<&Finding> {
        let mut all: Vec<&Finding> = self.never.iter().collect();
        for answer in
            self.mins.iter().flat_map(|mins| mins.quotas.iter().map(|one| &one.answer).chain([&mins.together]))
        {
            if let Answer::Not(finding) = answer
                && !all.contains(&&**finding)
            {
                all.push(finding);
            }
        }
        all
    }
}

/// Jobs whose namespace no leaf has, now or later (A4).
fn homeless(question: &Question<'_>, units: &[unit::Unit<'_>], never: &mut Vec<Finding>) {
    if question.policy.unquotaed == Unquotaed::Schedule || question.moves_namespaces() {
        return;
    }
    let homes: BTreeSet<&Name> = question.tree.quotas.iter().flat_map(|quota| &quota.namespaces).collect();
    let mut seen = BTreeSet::new();
    for unit in units.iter().filter(|unit| !homes.contains(unit.namespace)) {
        if seen.insert((unit.workload, unit.namespace)) {
            let (sentence, help) = words::no_quota(unit.namespace);
            let finding = Finding::new(Kind::NoQuota, sentence, help);
            let pods = unit.pods();
            never.push(Finding { pods, ..finding.of(unit.workload, unit.template, unit.who.clone(), None) });
        }
    }
}

impl Question<'_> {
    /// Whether events give namespaces other leaves.
    fn moves_namespaces(&self) -> bool {
        self.changes.iter().any(|timed| match &timed.change {
            Change::ReplaceTree { .. } | Change::MoveNamespace { .. } => true,
            Change::EditQuota { edit, .. } => edit.namespaces.is_some(),
            _ => false,
        })
    }

    /// Whether events add or edit nodes, or edit the tree.
    fn is_changed(&self) -> bool {
        self.moves_namespaces()
            || self.changes.iter().any(|timed| match &timed.change {
                Change::EditQuota { .. } | Change::Devices(_) | Change::NodeUp { .. } => true,
                Change::Nodes(change) => matches!(change, NodeChange::Add { .. } | NodeChange::Edit { .. }),
                _ => false,
            })
    }
}
