//! Why a pod waits, or where it is, on demand.

use serde_json::{Value, json};
use tokio::sync::oneshot;

/// A question about a pod.
#[derive(Debug)]
pub struct Question {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Where the answer goes: `None` if the adapter does not know the pod, or decides nothing yet.
    pub answer: oneshot::Sender<Option<Answer>>,
}

/// What is said about a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `namespace/name`.
    pub pod: String,
    /// Its uid.
    pub uid: String,
    /// `waiting`, `admitted`, `running`, `leaving`, or `other`.
    pub state: &'static str,
    /// Its node.
    pub node: Option<String>,
    /// The reason in one word, if it waits.
    pub reason: Option<&'static str>,
    /// What is to be said, in sentences.
    pub message: String,
}

impl Answer {
    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "pod": self.pod, "uid": self.uid, "state": self.state, "node": self.node, "reason": self.reason,
            "message": self.message,
        })
    }

    /// As text. Whatever is no plain text in it is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        let reason = self.reason.map_or_else(String::new, |reason| format!("{reason}: "));
        let text = format!("{} is {}\n{reason}{}\n", self.pod, self.state, self.message);
        text.chars().map(|letter| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter }).collect()
    }
}
