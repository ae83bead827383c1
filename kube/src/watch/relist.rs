//! What disappeared while nobody watched. After a gap the API lists what there is, and says nothing of what is gone: that
//! is the difference between what was known and what is listed.

use std::collections::BTreeSet;

/// The keys of one kind of objects.
#[derive(Debug, Default)]
pub struct Relist<K> {
    known: BTreeSet<K>,
    /// What the list has shown so far, while one is under way.
    listed: Option<BTreeSet<K>>,
}

impl<K: Ord + Clone> Relist<K> {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self { known: BTreeSet::new(), listed: None }
    }

    /// A list begins. One that was under way is forgotten.
    pub fn begin(&mut self) {
        self.listed = Some(BTreeSet::new());
    }

    /// An object was shown.
    pub fn shown(&mut self, key: K) {
        if let Some(listed) = &mut self.listed {
            listed.insert(key.clone());
        }
        self.known.insert(key);
    }

    /// An object was deleted.
    pub fn deleted(&mut self, key: &K) {
        self.known.remove(key);
        if let Some(listed) = &mut self.listed {
            listed.remove(key);
        }
    }

    /// The list is complete: what is gone, in order.
    pub fn end(&mut self) -> Vec<K> {
        let Some(listed) = self.listed.take() else { return Vec::new() };
        let gone = self.known.difference(&listed).cloned().collect();
        self.known = listed;
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_any_more_is_gone() {
        let mut relist = Relist::new();
        relist.begin();
        ["a", "b", "c"].into_iter().for_each(|key| relist.shown(key));
        assert!(relist.end().is_empty(), "nothing was known before");
        relist.shown("d");
        relist.deleted(&"a");
        relist.begin();
        relist.shown("b");
        relist.begin();
        relist.shown("d");
        assert_eq!(relist.end(), ["b", "c"], "a list that was broken off does not count");
        assert!(relist.end().is_empty());
    }
}
