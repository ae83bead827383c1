//! The job queues of a random scenario, drawn from their own random stream.

use crate::{features::Feature, units::time, world::WorldBuilder};
use quotree_sim::scenario::Value;

/// If jobs are requeued in a scenario, its run never ends by itself. It is stopped after this many times its safety
/// phase.
const PHASES: u64 = 40;

/// The job queues, and whether some of them requeue jobs.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    pub(crate) all: Vec<Value>,
    requeues: bool,
}

impl Queues {
    /// When the run is stopped, seconds.
    pub(crate) fn until(&self, safety: u64) -> Option<u64> {
        self.requeues.then_some(safety * PHASES)
    }
}

/// Draws a queue for some leaves of the first tree.
pub(crate) fn queues(builder: &mut WorldBuilder<'_>) -> Queues {
    let mut queues = Queues::default();
    if !builder.features.has(Feature::JobQueues) {
        return queues;
    }
    let leaves = builder.tree.leaves();
    for (number, leaf) in leaves.into_iter().enumerate() {
        if number == 0 || builder.queue_draw.chance(60) {
            queues.all.push(queue(builder, leaf, &mut queues.requeues));
        }
    }
    queues
}

fn queue(builder: &mut WorldBuilder<'_>, leaf: String, requeues: &mut bool) -> Value {
    let draw = &mut builder.queue_draw;
    let safety = builder.safety;
    let mut fields = vec![("quota", Value::text(leaf))];
    if draw.chance(50) {
        fields.push(("max_jobs", Value::number(draw.between(1, 4))));
    }
    let mut orders = vec!["Skip", "Block"];
    if builder.features.has(Feature::StartTimeouts) && draw.chance(70) {
        *requeues = true;
        orders.extend(["RoundRobin"; 2]);
        let backoff = draw.between(safety / 60, safety / 4).max(1);
        fields.push(("start_timeout", time(draw.between(safety / 60, safety / 4).max(1))));
        fields.push(("backoff", time(backoff)));
        // Not much less than the safety phase: otherwise a job that can never start is released too often.
        fields.push(("backoff_max", time(draw.between(safety / 2, safety * 2).max(backoff))));
    }
    fields.push(("queueing", Value::word(draw.one_of(&orders).unwrap_or("Skip"))));
    Value::fields("JobQueue", fields)
}
