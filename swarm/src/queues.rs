//! The job queues of a drawn world. The dice are their own.

use crate::{features::Feature, words::time, world::Sketch};
use quotree_sim::scenario::Value;

/// A world in which jobs come and go between queue and scheduler has no end by itself: it stops after so many safety phases.
const PHASES: u64 = 40;

/// The job queues, and whether jobs may go back into some of them.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    pub(crate) all: Vec<Value>,
    go_back: bool,
}

impl Queues {
    /// When the world stops, seconds.
    pub(crate) fn until(&self, safety: u64) -> Option<u64> {
        self.go_back.then_some(safety * PHASES)
    }
}

/// Draws a queue before some leaves of the first tree.
pub(crate) fn queues(sketch: &mut Sketch<'_>) -> Queues {
    let mut queues = Queues::default();
    if !sketch.features.has(Feature::JobQueues) {
        return queues;
    }
    let leaves = sketch.tree.leaves();
    for (number, leaf) in leaves.into_iter().enumerate() {
        if number == 0 || sketch.queue_draw.chance(60) {
            queues.all.push(queue(sketch, leaf, &mut queues.go_back));
        }
    }
    queues
}

fn queue(sketch: &mut Sketch<'_>, leaf: String, go_back: &mut bool) -> Value {
    let draw = &mut sketch.queue_draw;
    let safety = sketch.safety;
    let mut fields = vec![("quota", Value::text(leaf))];
    if draw.chance(50) {
        fields.push(("max_jobs", Value::number(draw.between(1, 4))));
    }
    let mut orders = vec!["Skip", "Block"];
    if sketch.features.has(Feature::StartTimeouts) && draw.chance(70) {
        *go_back = true;
        orders.extend(["RoundRobin"; 2]);
        let backoff = draw.between(safety / 60, safety / 4).max(1);
        fields.push(("start_timeout", time(draw.between(safety / 60, safety / 4).max(1))));
        fields.push(("backoff", time(backoff)));
        // Not much less than the safety phase, so that the many tries of a job that can never start are not too many.
        fields.push(("backoff_max", time(draw.between(safety / 2, safety * 2).max(backoff))));
    }
    fields.push(("queueing", Value::word(draw.one_of(&orders).unwrap_or("Skip"))));
    Value::fields("JobQueue", fields)
}
