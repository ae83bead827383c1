//! Faults: what goes wrong with which request. A fault before the commit leaves the store as it is; one after it is the
//! hard case, since the write counts and the client does not know.

use std::time::Duration;

/// What a request does, as access rules name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// GET of an object.
    Get,
    /// GET of a collection.
    List,
    /// GET of a collection with `watch`.
    Watch,
    /// POST.
    Create,
    /// PUT.
    Update,
    /// PATCH.
    Patch,
    /// DELETE of an object.
    Delete,
    /// DELETE of a collection.
    DeleteCollection,
}

impl Verb {
    /// The verb in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }

    /// The verb of this name.
    pub fn of(name: &str) -> Option<Self> {
        use Verb::{Create, Delete, DeleteCollection, Get, List, Patch, Update, Watch};
        [Get, List, Watch, Create, Update, Patch, Delete, DeleteCollection].into_iter().find(|verb| verb.name() == name)
    }

    /// Whether it writes.
    pub fn writes(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch)
    }
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends without an answer.
    Cut,
    /// No answer comes, ever.
    Silence,
    /// The answer has this code, and says to wait for so many seconds.
    Status(u16, Option<u32>),
    /// A watch goes wrong after it was opened.
    Watch(WatchFault),
}

/// How a watch goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchFault {
    /// The connection ends after so many events.
    CutAfter(usize),
    /// An ERROR event says 410 after so many events.
    ExpiredAfter(usize),
    /// Nothing comes: no event, no bookmark, no end.
    Stalled,
    /// Each event comes twice.
    Doubled,
    /// Each event comes this much later.
    Late(Duration),
    /// Bookmarks come, events do not.
    BookmarksOnly,
    /// The first event of this type, such as `DELETED`, never comes. What follows it does.
    Lost(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    Nth(u64),
    Next(u64),
    Every(u64),
    Chance { per_mille: u64, draw: u64 },
}

/// Which requests a fault is for. A new rule is for all requests, always, before the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    verb: Option<Verb>,
    writes_only: bool,
    resource: Option<String>,
    when: When,
    after_commit: bool,
    fault: Fault,
    matched: u64,
}

impl Rule {
    /// A fault of every request.
    pub fn any(fault: Fault) -> Self {
        Self {
            verb: None,
            writes_only: false,
            resource: None,
            when: When::Always,
            after_commit: false,
            fault,
            matched: 0,
        }
    }

    /// A fault of requests of this verb and resource, such as `pods`, or `pods/eviction`.
    pub fn on(verb: Verb, resource: &str, fault: Fault) -> Self {
        Self { verb: Some(verb), resource: Some(resource.to_owned()), ..Self::any(fault) }
    }

    /// A fault of every write.
    pub fn writes(fault: Fault) -> Self {
        Self { writes_only: true, ..Self::any(fault) }
    }

    /// Only the n-th of the requests, from 1.
    pub fn nth(self, n: u64) -> Self {
        Self { when: When::Nth(n), ..self }
    }

    /// Only the next n requests.
    pub fn next(self, n: u64) -> Self {
        Self { when: When::Next(n), ..self }
    }

    /// Each n-th request.
    pub fn every(self, n: u64) -> Self {
        Self { when: When::Every(n.max(1)), ..self }
    }

    /// So many of 1,000 requests, drawn from this seed: the same ones in every run.
    pub fn chance(self, per_mille: u64, seed: u64) -> Self {
        Self { when: When::Chance { per_mille, draw: seed }, ..self }
    }

    /// The request is carried out first.
    pub fn after_commit(self) -> Self {
        Self { after_commit: true, ..self }
    }

    /// Counts a request, and says whether the fault is for it.
    fn takes(&mut self, verb: Verb, resource: &str) -> bool {
        let is_for = self.verb.is_none_or(|wanted| wanted == verb)
            && (!self.writes_only || verb.writes())
            && self.resource.as_deref().is_none_or(|wanted| wanted == resource)
            && (verb == Verb::Watch || !matches!(self.fault, Fault::Watch(_)));
        if !is_for {
            return false;
        }
        self.matched += 1;
        match &mut self.when {
            When::Always => true,
            When::Nth(n) => self.matched == *n,
            When::Next(n) => self.matched <= *n,
            When::Every(n) => self.matched.is_multiple_of(*n),
            When::Chance { per_mille, draw } => {
                *draw = draw.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mixed = (*draw ^ *draw >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                (mixed ^ mixed >> 27) % 1000 < *per_mille
            }
        }
    }
}

/// The faults of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<Rule>);

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// One more rule. The first that takes a request is the one.
    pub fn with(mut self, rule: Rule) -> Self {
        self.add(rule);
        self
    }

    /// One more rule.
    pub fn add(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// The fault of a request, and whether the request is carried out all the same.
    pub(crate) fn of(&mut self, verb: Verb, resource: &str) -> Option<(Fault, bool)> {
        let mut found = None;
        // A rule counts every request that it matches, also one that an earlier rule answers.
        for rule in &mut self.0 {
            if rule.takes(verb, resource) && found.is_none() {
                found = Some((rule.fault.clone(), rule.after_commit));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_takes_the_requests_that_it_names() {
        let taken = |rule: Rule, requests: u64| -> Vec<u64> {
            let mut faults = Faults::none().with(rule);
            (1..=requests).filter(|_| faults.of(Verb::Patch, "pods").is_some()).collect()
        };
        let rule = || Rule::on(Verb::Patch, "pods", Fault::Cut);
        assert_eq!(taken(rule().nth(2), 4), [2]);
        assert_eq!(taken(rule().next(2), 4), [1, 2]);
        assert_eq!(taken(rule().every(2), 5), [2, 4]);
        assert!(taken(Rule::on(Verb::Patch, "nodes", Fault::Cut), 2).is_empty());
        assert!(taken(Rule::any(Fault::Watch(WatchFault::Doubled)), 2).is_empty());
        let drawn = taken(Rule::writes(Fault::Cut).chance(100, 7), 1000).len();
        assert!((70..130).contains(&drawn), "{drawn} of 1,000 at 10 %");
    }
}
