//! What was asked of a server: tests read in it how often something was written, and by whom.

use crate::faults::Verb;

/// One request that the server has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The user.
    pub user: String,
    /// Which of the user's processes, where the client says so; empty otherwise.
    pub process: String,
    /// The field manager, or the first word of the user agent.
    pub manager: String,
    /// The verb.
    pub verb: Verb,
    /// The plural, and the subresource after a slash: `pods/eviction`.
    pub resource: String,
    /// The namespace; empty for the whole cluster.
    pub namespace: String,
    /// The name; empty for a collection. Of a create it is the name that the object got.
    pub name: String,
    /// The code of the answer, as the store gave it. The client did not see it if a fault came between.
    pub code: u16,
    /// Whether a fault was in the way.
    pub faulty: bool,
    /// The latest resourceVersion before the request. A real server does not say it: 0.
    pub before: u64,
    /// The latest resourceVersion after it: larger if something was written. Of a real server: the resourceVersion of the object in
    /// the answer to a write, or 1 if the answer has none.
    pub after: u64,
}

impl Record {
    /// Whether the request wrote something.
    pub fn wrote(&self) -> bool {
        self.after > self.before
    }
}
