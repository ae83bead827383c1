//! Full reasons of chosen waits. At the moment of each question, after all its events, the run asks the scheduler why
//! the pod waits. A full reason costs far more than a decision. So the questions come in a second, identical run, when
//! it is known which waits matter.

use crate::{
    options::Question,
    world::{State, World, WorldNames},
};
use quotree_core::{
    BlockingReason, Holder, Name, NodeCheck, NodeTally, NodeTest, PodId, Protection, Scheduler, Verdict, WorkloadId,
};
use quotree_words::{self as words, Names};

/// How many pods each list of a verdict names.
const NAMED: usize = 8;
/// For how many nodes a verdict records the test that they failed.
pub const NAMED_NODES: usize = 64;

/// Why a pod waits, in full (X1), with names, and with numbers as in [`History`](super::History).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerdictHistory {
    /// The moment of the question.
    pub at_ms: u64,
    /// The pod.
    pub pod: u32,
    /// What blocks it.
    pub binding: ObstacleHistory,
    /// Whether it is within every guarantee on its path.
    pub entitled: bool,
    /// How much of the missing resource is free on all nodes together; only where room is missing.
    pub free: Option<i64>,
    /// Whether that would be enough on one node (S4).
    pub fragmented: bool,
    /// The workload that blocks the queue before it (O2).
    pub head: Option<String>,
    /// Who uses what is missing.
    pub holders: Vec<HolderHistory>,
    /// What else blocks it.
    pub also: Vec<ObstacleHistory>,
    /// The pods that are not evicted for it.
    pub spared: Vec<SparedHistory>,
    /// Changes that would help, in words.
    pub helps: Vec<String>,
    /// At which limits the search for victims stopped.
    pub bounds_hit: Vec<&'static str>,
    /// How many nodes fail each test.
    pub nodes: Option<NodeTally>,
    /// The nodes that lack least.
    pub closest: Vec<ClosestHistory>,
    /// The first test that each node fails, for the first [`NAMED_NODES`] nodes.
    pub checks: Vec<CheckHistory>,
}

/// An obstacle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObstacleHistory {
    /// The rule.
    pub rule: String,
    /// In a sentence, without the rule.
    pub text: String,
    /// The quota.
    pub quota: Option<Name>,
    /// The resource.
    pub resource: Option<u32>,
    /// The requested and the available amount.
    pub amounts: Option<(i64, i64)>,
}

/// A leaf that uses what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HolderHistory {
    /// The leaf.
    pub quota: Option<Name>,
    /// What it uses.
    pub used: i64,
    /// How much of that is borrowed.
    pub borrowed: i64,
    /// How many pods use it.
    pub pods: u32,
    /// The first of these pods.
    pub who: Vec<u32>,
}

/// Pods that are not evicted, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SparedHistory {
    /// The rule.
    pub rule: String,
    /// Why, without the rule.
    pub why: String,
    /// How many pods.
    pub pods: u32,
    /// The first of these pods.
    pub who: Vec<u32>,
}

/// A node, and the test that it fails first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckHistory {
    /// The node, by index in the cluster of the scenario.
    pub node: u32,
    /// The test; nothing for a node that is down.
    pub failed: Option<NodeTest>,
    /// What it lacks: the resource, and how much.
    pub lacks: Option<(u32, i64)>,
}

/// A node that lacks little.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClosestHistory {
    /// The node, by index in the cluster of the scenario.
    pub node: u32,
    /// What it lacks.
    pub resource: Option<u32>,
    /// What is needed.
    pub needed: i64,
    /// What would be free there.
    pub available: i64,
    /// The pods that count as gone in this calculation.
    pub taken: Vec<u32>,
}

/// The questions to ask in a run, and the answers so far.
#[derive(Debug, Default)]
pub(crate) struct Interview {
    /// The questions, the last one first.
    questions: Vec<Question>,
    answers: Vec<VerdictHistory>,
}

impl Interview {
    pub(crate) fn new(questions: &[Question]) -> Self {
        let mut questions = questions.to_vec();
        questions.sort_unstable_by(|a, b| b.cmp(a));
        Self { questions, answers: Vec::new() }
    }

    /// Asks the questions of this moment, after all its events.
    pub(crate) fn settled(&mut self, world: &World<'_>, scheduler: &Scheduler) {
        let mut last: Option<(u32, VerdictHistory)> = None;
        while let Some(question) = self.questions.pop_if(|question| question.at_ms <= world.now.0) {
            let pod = question.pod;
            if question.at_ms < world.now.0 || pod >= world.pods.len() || world.pods[pod].state != State::Waiting {
                continue;
            }
            let unit = world.pods[pod].unit;
            // The pods of a gang wait for the same reason.
            if last.as_ref().is_none_or(|(of, _)| *of != unit) {
                last = answer(world, scheduler, unit).map(|verdict| (unit, verdict));
            }
            if let Some((_, verdict)) = &last {
                self.answers.push(VerdictHistory { at_ms: question.at_ms, pod, ..verdict.clone() });
            }
        }
    }

    pub(crate) fn finish(self) -> Vec<VerdictHistory> {
        self.answers
    }
}

fn answer(world: &World<'_>, scheduler: &Scheduler, unit: u32) -> Option<VerdictHistory> {
    let id = WorkloadId(unit);
    let verdict = scheduler.explain(id)?;
    let names = WorldNames { world, tree: scheduler.tree() };
    let of = Answer { world, names: &names, verdict: &verdict };
    let room = verdict.obstacles().find_map(|(reason, _)| reason.room());
    let mut answer = VerdictHistory {
        binding: of.obstacle(&verdict.binding),
        entitled: verdict.entitled,
        free: room.filter(|room| room.resource.is_some()).map(|room| room.free),
        fragmented: room.is_some_and(quotree_core::Room::is_fragmented),
        head: match &verdict.binding {
            BlockingReason::Behind { head } => Some(names.workload(*head).into_owned()),
            _ => None,
        },
        holders: verdict.holders.iter().map(|holder| of.holder(holder)).collect(),
        also: verdict.also.iter().map(|also| of.obstacle(&also.binding)).collect(),
        helps: verdict.helps.iter().map(|help| words::advice(help, &names)).collect(),
        bounds_hit: verdict.bounds_hit.iter().map(|bound| words::search_limit(*bound)).collect(),
        ..VerdictHistory::default()
    };
    let spared = |class: &quotree_core::Protected| {
        let (rule, why) = (class.shield.rule().to_string(), words::protection(class, &names));
        let why = why.strip_suffix(&format!(" ({rule})")).map_or(why.clone(), str::to_owned);
        SparedHistory { rule, why, pods: class.pods, who: of.pods(&class.who) }
    };
    let helped = verdict.protected.iter().filter(|class| class.shield != Protection::NoHelp);
    answer.spared = helped.map(spared).collect();
    if let Some(room) = room {
        answer.nodes = Some(room.nodes);
        let near = |near: &quotree_core::NearMissNode| ClosestHistory {
            node: near.node.0,
            resource: world.shapes.resource(near.resource.as_str()),
            needed: near.needed,
            available: near.available,
            taken: of.pods(&near.taken),
        };
        answer.closest = room.closest.iter().map(near).collect();
        let row = |check: NodeCheck| {
            let lacks = check.lacks.and_then(|(name, amount)| Some((world.shapes.resource(name.as_str())?, amount)));
            CheckHistory { node: check.node.0, failed: Some(check.failed), lacks }
        };
        let up = scheduler.node_checks(id);
        let is_down = |node: &u32| !world.nodes[*node].absent && !world.nodes[*node].up;
        let down = world.nodes.ids().filter(is_down).map(|node| CheckHistory { node, failed: None, lacks: None });
        answer.checks = if up.is_empty() { Vec::new() } else { down.chain(up.into_iter().map(row)).collect() };
        answer.checks.sort_by_key(|check| check.node);
        answer.checks.truncate(NAMED_NODES);
    }
    Some(answer)
}

/// Converts a verdict to names and numbers.
struct Answer<'a> {
    world: &'a World<'a>,
    names: &'a WorldNames<'a>,
    verdict: &'a Verdict,
}

impl Answer<'_> {
    fn pods(&self, all: &[PodId]) -> Vec<u32> {
        all.iter().filter_map(|pod| self.world.find(*pod)).take(NAMED).collect()
    }

    fn quota(&self, quota: quotree_core::QuotaId) -> Name {
        self.names.tree().name(quota).clone()
    }

    fn obstacle(&self, reason: &BlockingReason) -> ObstacleHistory {
        let amounts = reason.amounts();
        ObstacleHistory {
            rule: reason.rule().to_string(),
            text: words::blocking(self.verdict, reason, self.names),
            quota: reason.quota().map(|quota| self.quota(quota)),
            resource: amounts.and_then(|(name, ..)| self.world.shapes.resource(name.as_str())),
            amounts: amounts.map(|(_, needed, available)| (needed, available)),
        }
    }

    fn holder(&self, holder: &Holder) -> HolderHistory {
        HolderHistory {
            quota: holder.quota.map(|quota| self.quota(quota)),
            used: holder.used,
            borrowed: holder.borrowed,
            pods: u32::try_from(holder.pods.len()).unwrap_or(u32::MAX),
            who: self.pods(&holder.pods),
        }
    }
}
