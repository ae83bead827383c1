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
        Intent::TakeBack { .. } => format!("spare {pod}: its eviction does not stand any more (E2)"),
        Intent::Condition { reason, message, .. } => format!("wait {pod}: {reason}: {message}"),
        Intent::Event { reason, note, .. } => format!("event {pod}: {reason}: {note}"),
    }
}

/// What a dry run shows that has nothing to decide. Until the quota tree and everything else was listed, it decides nothing.
#[must_use]
pub const fn nothing(is_started: bool) -> &'static str {
    if is_started {
        "nothing to decide: no pod is pending in a managed namespace (--namespaces)"
    } else {
        "nothing is decided yet: no valid quota tree was found (--tree), or not everything was listed"
    }
}
