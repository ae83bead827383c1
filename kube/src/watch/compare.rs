//! Whether a watch has shown all that there is: now and then a LIST is compared with what was shown, beside the watch. What
//! differs twice, while the watch says nothing, was missed; the watch then begins anew, which mends it.

use kube::{Api, Resource, ResourceExt, api::ListParams};
use serde::de::DeserializeOwned;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    time::Duration,
};

/// How often a LIST is compared.
pub(super) const EVERY: Duration = Duration::from_secs(600);
/// The watch has so long to show what a LIST had and it had not.
pub(super) const SETTLES: Duration = Duration::from_secs(15);

/// Versions of objects. A version is a number that rises; 0 is one that cannot be read.
pub(super) type Versions<K> = BTreeMap<K, u64>;

/// What a LIST has.
#[derive(Debug, Clone)]
pub(super) struct Listed<K> {
    /// The version of the list.
    pub(super) at: u64,
    /// The objects.
    pub(super) objects: Versions<K>,
}

/// A resourceVersion as a number.
pub(super) fn version<K: ResourceExt>(object: &K) -> u64 {
    object.resource_version().and_then(|version| version.parse().ok()).unwrap_or(0)
}

/// Lists all objects by pages. `None` if that fails: the next time will come.
pub(super) async fn list<K, Key>(api: Api<K>, params: ListParams, key: fn(&K) -> Key) -> Option<Listed<Key>>
where
    K: Resource + Clone + DeserializeOwned + Debug,
    Key: Ord,
{
    let mut listed = Listed { at: 0, objects: BTreeMap::new() };
    let mut params = params;
    loop {
        let page = api.list(&params).await.ok()?;
        listed.at = page.metadata.resource_version.as_deref().and_then(|version| version.parse().ok()).unwrap_or(0);
        listed.objects.extend(page.items.iter().map(|object| (key(object), version(object))));
        match page.metadata.continue_.filter(|next| !next.is_empty()) {
            Some(next) => params = params.continue_token(&next),
            None => return Some(listed),
        }
    }
}

/// What a list has otherwise than was shown, where what was shown is not newer than the list.
pub(super) fn differs<K: Ord + Clone>(shown: &Versions<K>, listed: &Listed<K>) -> BTreeMap<K, Option<u64>> {
    let keys: BTreeSet<&K> = shown.keys().chain(listed.objects.keys()).collect();
    let differs = |key: &&K| match (shown.get(*key), listed.objects.get(*key)) {
        (Some(shown), Some(listed)) => shown < listed,
        (Some(shown), None) => *shown <= listed.at,
        (None, _) => true,
    };
    keys.into_iter().filter(differs).map(|key| (key.clone(), shown.get(key).copied())).collect()
}

/// What was missed: it differed before, differs still, and the watch has said nothing of it since.
pub(super) fn missed<K: Ord + Clone>(
    before: &BTreeMap<K, Option<u64>>,
    shown: &Versions<K>,
    listed: &Listed<K>,
) -> usize {
    let now = differs(shown, listed);
    before.iter().filter(|(key, then)| now.get(*key) == Some(*then)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(all: &[(&'static str, u64)]) -> Versions<&'static str> {
        all.iter().copied().collect()
    }

    #[test]
    fn only_what_the_watch_says_nothing_of_was_missed() {
        let shown = versions(&[("same", 5), ("older", 5), ("newer", 9), ("gone", 6), ("created later", 12)]);
        let listed =
            Listed { at: 10, objects: versions(&[("same", 5), ("older", 7), ("newer", 8), ("never shown", 4)]) };
        let first = differs(&shown, &listed);
        assert_eq!(first.keys().copied().collect::<Vec<_>>(), ["gone", "never shown", "older"]);
        // The watch was late with one, another was deleted since, and one differs still.
        let later = versions(&[("same", 5), ("older", 7), ("newer", 9), ("gone", 6), ("created later", 12)]);
        let again =
            Listed { at: 20, objects: versions(&[("same", 5), ("older", 7), ("newer", 9), ("created later", 12)]) };
        assert_eq!(missed(&first, &later, &again), 1);
        assert_eq!(missed(&first, &again.objects.clone(), &again), 0);
    }
}
