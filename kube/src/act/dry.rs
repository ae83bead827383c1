//! Dry run: intents as lines to read.

use crate::actor::Intent;

/// The intent as a line: `bind ml/train-0 to node-3: within its guarantee, on free capacity, by best fit`. Conditions and
/// Events are lines, too.
#[must_use]
pub fn line(intent: &Intent) -> String {
    let pod = intent.pod();
    let pod = format!("{}/{}", pod.namespace, pod.name);
    match intent {
        Intent::Bind { node, why, .. } => format!("bind {pod} to {node}: {why}"),
        Intent::Evict { why, .. } => format!("evict {pod}: {why}"),
        Intent::Condition { reason, message, .. } => format!("wait {pod}: {reason}: {message}"),
        Intent::Event { reason, note, .. } => format!("event {pod}: {reason}: {note}"),
    }
}
