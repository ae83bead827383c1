//! Whether every quota can have its min at once: on empty nodes, with pods that its own jobs submit, the largest first.
//!
//! The demand of a leaf is stated, not searched for: its units from the largest down, each as often as its jobs may need
//! it, as long as the min of the leaf and of every quota above it (but an inner root) covers them, as for an entitled
//! workload (O1). Only resources that somebody is guaranteed count (Q5).

use crate::{
    demand::{Demand, Look},
    finding::Finding,
    honour::Lost,
    node::Nodes,
    question::{self, Question},
    unit::Unit,
    words,
};
use quotree_core::{Amounts, Level, Name, PodTemplate, QuotaTree};
use std::collections::{BTreeMap, BTreeSet};

/// Whether pods within a guarantee fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// They do: an arrangement was found.
    Honoured,
    /// They do not, as the finding proves.
    Not(Box<Finding>),
    /// They do not, but they would if only the resources counted that somebody is guaranteed: no promise is broken. The
    /// finding says what lacks.
    OtherResources(Box<Finding>),
    /// The limit of steps was reached after this many.
    Undecided(u64),
    /// No job of the quota fits its min.
    NothingAsked,
}

/// The answer for one leaf quota with a min, alone on the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinAnswer {
    /// The quota.
    pub quota: Name,
    /// Its min.
    pub min: Amounts,
    /// The pods within it, in words.
    pub demand: String,
    /// How many they are.
    pub pods: u64,
    /// Jobs with a unit that is larger than the min, so that it starts only while others lend, in words.
    pub borrows: Vec<String>,
    /// Whether some of its jobs can never start; these ask for nothing here.
    pub has_never: bool,
    /// Whether they fit.
    pub answer: Answer,
}

/// The answer for all quotas when a domain is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The level.
    pub level: Level,
    /// How many domains of the level there are that differ in more than their names.
    pub kinds: usize,
    /// A domain without which the guarantees cannot be honoured, if there is one; then the answer is about it.
    pub domain: Option<String>,
    /// `Honoured`: without any domain of the level.
    pub answer: Answer,
}

/// The guarantees on the nodes at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mins {
    /// By leaf with a min, in the order of the tree.
    pub quotas: Vec<MinAnswer>,
    /// All of them at once.
    pub together: Answer,
    /// All of them at once, without a node, and without a rack.
    pub losses: Vec<Loss>,
}

/// `never`: the units that can never start, which ask for nothing here.
pub(crate) fn mins<'a>(
    question: &Question<'a>,
    units: &[Unit<'a>],
    never: &BTreeSet<String>,
    with_losses: bool,
    steps: &mut u64,
) -> Option<Mins> {
    let tree = QuotaTree::new(question.tree, question.policy.over_promised).ok()?;
    let given = question::at_start(question);
    let templates = || units.iter().flat_map(|unit| unit.sets.iter().map(|(template, _)| *template));
    // The same pods with the guaranteed resources only.
    let all: BTreeSet<&PodTemplate> = templates().collect();
    let promised: BTreeMap<&PodTemplate, PodTemplate> =
        all.into_iter().map(|template| (template, guaranteed_part(template, &tree))).collect();
    let nodes = Nodes::new(given.into_iter(), templates().chain(promised.values()));
    let mut look = Look { nodes, promised: &promised, tree: &tree, units };
    let (demands, borrows) = look.demands(never);
    let stuck = units.iter().filter(|unit| never.contains(&unit.who));
    let stuck: BTreeSet<_> = stuck.filter_map(|unit| tree.leaf_of(unit.namespace.as_str())).collect();
    let mut quotas = Vec::new();
    for demand in &demands {
        let answer = match demand.units.is_empty() {
            true => Answer::NothingAsked,
            false => look.answer(&[demand], Lost::Nothing, steps),
        };
        quotas.push(MinAnswer {
            quota: tree.name(demand.leaf).clone(),
            min: tree.named(tree.min(demand.leaf), 0),
            demand: words::demand(&look.list(demand)),
            pods: look.pods(demand),
            borrows: borrows.get(&demand.leaf).cloned().unwrap_or_default(),
            has_never: stuck.contains(&demand.leaf),
            answer,
        });
    }
    let all: Vec<&Demand> = demands.iter().filter(|demand| !demand.units.is_empty()).collect();
    let alone = quotas.iter().find(|quota| matches!(quota.answer, Answer::Not(_))).map(|quota| quota.answer.clone());
    let together = match (alone, all.len()) {
        (Some(alone), _) => alone,
        (None, 0) => Answer::NothingAsked,
        (None, 1) => quotas.iter().map(|quota| &quota.answer).find(|answer| **answer != Answer::NothingAsked)?.clone(),
        (None, _) => look.answer(&all, Lost::Nothing, steps),
    };
    let levels = [Level::Node, Level::Rack];
    // A pool without nodes has no node to lose.
    let intact = matches!(together, Answer::Honoured) && with_losses && !question.cluster.is_pool;
    let losses = levels.into_iter().filter(|_| intact).filter_map(|level| look.loss(level, &all, steps)).collect();
    Some(Mins { quotas, together, losses })
}

/// A template without the resources that nobody is guaranteed.
fn guaranteed_part(template: &PodTemplate, tree: &QuotaTree) -> PodTemplate {
    let counts = |resource: &Name| tree.is_guaranteed(resource);
    let request = template.request.iter().filter(|(resource, _)| counts(resource)).map(|(name, n)| (name.clone(), n));
    PodTemplate {
        request: request.collect(),
        devices: template.devices.clone().filter(|ask| counts(&ask.resource)),
        ..template.clone()
    }
}
