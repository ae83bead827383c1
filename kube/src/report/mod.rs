//! What users see of decisions: a condition on each pod that waits, and Events on those that are evicted and on those for
//! whom. The sentences are those of `quotree explain`. Nothing of this is ever read back.

pub mod status;

use crate::{
    actor::{Actor, Intent, Why},
    watch::Uid,
};
use quotree_core::Time;
use std::collections::BTreeMap;

/// The condition that says whether a pod is admitted by its quotas.
pub const CONDITION: &str = "quotree.io/QuotaAdmitted";

/// How often reasons are looked at, milliseconds.
pub const EVERY_MS: u64 = 5000;
/// A pod has waited so long before its reason is written, milliseconds: most are admitted before.
const PATIENCE_MS: u64 = 5000;
/// The condition of a pod changes at most so often, milliseconds.
const UPDATE_MS: u64 = 30_000;
/// The longest text of a condition or an Event, in bytes: the API server refuses Events with more than 1,024.
const LONGEST: usize = 1000;

/// What was written about a pod.
#[derive(Debug, Clone)]
struct Said {
    /// Since when it waits.
    since: Time,
    /// When the condition was written last, and what it said.
    written: Option<(Time, String)>,
    /// Why it was admitted, once it is.
    admitted: Option<String>,
}

/// Writes reasons, as seldom as is useful.
#[derive(Debug, Default)]
pub struct Reporter {
    said: BTreeMap<Uid, Said>,
}

impl Reporter {
    /// A reporter that has written nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The Events of these intents.
    pub fn events(&mut self, intents: &[Intent]) -> Vec<Intent> {
        let mut events = Vec::new();
        for intent in intents {
            match intent {
                Intent::Bind { pod, node, why, .. } => {
                    if let Some(said) = self.said.get_mut(&pod.uid) {
                        said.admitted = Some(shortened(format!("admitted to {node}: {why}")));
                    }
                }
                Intent::Evict { pod, why, reason, cause, .. } => {
                    events.push(Intent::Event {
                        about: pod.clone(),
                        related: cause.clone(),
                        reason,
                        action: "Evicting",
                        note: shortened(why.clone()),
                    });
                    if let Some(cause) = cause {
                        events.push(Intent::Event {
                            about: cause.clone(),
                            related: Some(pod.clone()),
                            reason: "Preempting",
                            action: "Evicting",
                            note: shortened(format!("evicts {}/{}: {why}", pod.namespace, pod.name)),
                        });
                    }
                }
                Intent::TakeBack { .. } | Intent::Condition { .. } | Intent::Event { .. } => {}
            }
        }
        events
    }

    /// The conditions that are due, by why pods wait. To be called about every [`EVERY_MS`].
    pub fn conditions(&mut self, reasons: Vec<Why>, actor: &Actor, now: Time) -> Vec<Intent> {
        let mut intents = Vec::new();
        for why in reasons {
            // It may have been admitted, or have gone, since that was found.
            if actor.is_admitted(&why.pod.uid) || actor.pod(&why.pod.uid).is_none() {
                continue;
            }
            let new = || Said { since: now, written: None, admitted: None };
            let said = self.said.entry(why.pod.uid.clone()).or_insert_with(new);
            let message = shortened(why.message);
            let due = match &said.written {
                None => now.since(said.since) >= PATIENCE_MS,
                Some((at, text)) => *text != message && now.since(*at) >= UPDATE_MS,
            };
            if due {
                said.written = Some((now, message.clone()));
                intents.push(Intent::Condition { pod: why.pod, admitted: false, reason: why.reason, message });
            }
        }
        self.said.retain(|uid, said| {
            let Some(pod) = actor.pod(uid) else { return false };
            if !actor.is_admitted(uid) {
                return true;
            }
            if said.written.is_some() {
                let message = said.admitted.clone().unwrap_or_default();
                let pod = crate::actor::PodKey::of(pod);
                intents.push(Intent::Condition { pod, admitted: true, reason: "Admitted", message });
            }
            false
        });
        intents
    }
}

/// The text, cut where it is too long.
fn shortened(text: String) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    let end = (0..=LONGEST - 3).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}...", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn long_texts_are_cut_between_letters() {
        assert_eq!(shortened("short".to_owned()), "short");
        let cut = shortened("ä".repeat(600));
        assert!(cut.len() <= 1000 && cut.ends_with("ä..."), "{}", cut.len());
    }
}
