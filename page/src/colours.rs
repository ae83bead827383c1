//! The colours of quotas: the hue depends on the branch, the lightness on the leaf. Up to six leaves have a hue each.

use crate::model::{Quota, QuotaIx};
use std::collections::BTreeMap;

/// The number of hues. Further branches share the colour [`OTHERS`].
const HUES: u32 = 6;
/// The hue of inner quotas and of branches beyond the six hues: slate.
pub const OTHERS: u32 = HUES;
/// Lightnesses of one hue.
pub const SHADES: u32 = 4;

/// The colour of one quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Colour {
    /// The hue, 0 to 5; [`OTHERS`] for inner quotas and branches beyond the six hues.
    pub team: u32,
    /// The lightness, below [`SHADES`].
    pub shade: u32,
    /// The depth of the quota in the tree.
    pub depth: u32,
}

impl Colour {
    pub(crate) fn class(self) -> String {
        format!("team-{} shade-{}", self.team, self.shade)
    }

    /// The name of the pattern for amounts that it borrows.
    pub(crate) fn pattern(self) -> String {
        format!("url(#borrowed-{}-{})", self.team, self.shade)
    }
}

/// The colours of all quotas, in their order.
#[must_use]
pub fn colours(quotas: &[Quota]) -> Vec<Colour> {
    let few = quotas.iter().filter(|q| q.leaf).count() <= usize::try_from(HUES).unwrap_or(0);
    let depth_of = |quota: &Quota| {
        let (mut depth, mut at) = (0, quota.parent);
        while let Some(parent) = at.and_then(|i| get(quotas, i)) {
            depth += 1;
            at = parent.parent;
            if depth > 64 {
                break;
            }
        }
        depth
    };
    // The branches are the children of the root, or the roots where there are many.
    let roots = quotas.iter().filter(|q| q.parent.is_none()).count();
    let branch_depth = if roots > 1 { 0 } else { 1 };
    let (mut branches, mut leaves) = (BTreeMap::<u32, u32>::new(), BTreeMap::<u32, u32>::new());
    let mut next = 0;
    (0_u32..)
        .zip(quotas)
        .map(|(i, quota)| {
            let depth = depth_of(quota);
            if few {
                let team = if quota.leaf { next.min(OTHERS) } else { OTHERS };
                next += u32::from(quota.leaf);
                return Colour { team, shade: 0, depth };
            }
            let (mut branch, mut above) = (i, quota.parent);
            for _ in branch_depth..depth {
                let Some(parent) = above else { break };
                branch = parent;
                above = get(quotas, parent).and_then(|q| q.parent);
            }
            let count = u32::try_from(branches.values().filter(|team| **team != OTHERS).count()).unwrap_or(u32::MAX);
            let team = *branches.entry(branch).or_insert_with(|| if depth < branch_depth { OTHERS } else { count });
            let shade = leaves.entry(team).or_insert(0);
            let own = *shade % SHADES;
            *shade += u32::from(quota.leaf);
            Colour { team: team.min(OTHERS), shade: if quota.leaf { own } else { 0 }, depth }
        })
        .collect()
}

fn get(quotas: &[Quota], at: QuotaIx) -> Option<&Quota> {
    usize::try_from(at).ok().and_then(|i| quotas.get(i))
}

/// The colours of the quotas of two runs: quotas with the same name have the same colour.
#[must_use]
pub fn shared(before: &[Quota], after: &[Quota]) -> [Vec<Colour>; 2] {
    let mut all = before.to_vec();
    let mut places: BTreeMap<&str, u32> = (0..).zip(before).map(|(i, quota)| (quota.name.as_str(), i)).collect();
    // The one root of each is the same, whatever its name: else every leaf would have the hue of its root.
    let root = |quotas: &[Quota]| {
        let mut roots = (0..).zip(quotas).filter(|(_, quota)| quota.parent.is_none()).map(|(i, _): (u32, _)| i);
        roots.next().filter(|_| roots.next().is_none())
    };
    if let (Some(first), Some(second)) = (root(before), root(after).and_then(|i| get(after, i))) {
        places.entry(&second.name).or_insert(first);
    }
    for quota in after {
        if places.contains_key(quota.name.as_str()) {
            continue;
        }
        let above = quota.parent.and_then(|parent| get(after, parent));
        let parent = above.and_then(|parent| places.get(parent.name.as_str()).copied());
        places.insert(&quota.name, u32::try_from(all.len()).unwrap_or(u32::MAX));
        all.push(Quota { parent, ..quota.clone() });
    }
    let colours = colours(&all);
    let of = |quota: &Quota| {
        let place = places.get(quota.name.as_str()).and_then(|i| usize::try_from(*i).ok());
        place.and_then(|i| colours.get(i)).copied().unwrap_or_default()
    };
    [before, after].map(|quotas| quotas.iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(parents: &[Option<u32>]) -> Vec<Quota> {
        let is_parent = |i: usize| parents.iter().any(|p| *p == Some(u32::try_from(i).unwrap()));
        let quota =
            |(i, parent): (usize, &Option<u32>)| Quota { parent: *parent, leaf: !is_parent(i), ..Quota::default() };
        parents.iter().enumerate().map(quota).collect()
    }

    #[test]
    fn few_leaves_have_a_hue_each() {
        let teams: Vec<u32> = colours(&tree(&[None, Some(0), Some(0), Some(0)])).iter().map(|c| c.team).collect();
        assert_eq!(teams, [OTHERS, 0, 1, 2]);
    }

    #[test]
    fn many_leaves_share_the_hue_of_their_branch() {
        let mut parents = vec![None, Some(0), Some(0)];
        parents.extend([Some(1); 4]);
        parents.extend([Some(2); 4]);
        let all = colours(&tree(&parents));
        let of = |i: usize| (all[i].team, all[i].shade, all[i].depth);
        assert_eq!([of(3), of(4), of(6), of(7), of(8)], [(0, 0, 2), (0, 1, 2), (0, 3, 2), (1, 0, 2), (1, 1, 2)]);
    }

    #[test]
    fn a_name_has_one_colour_in_two_runs() {
        let quota = |name: &str, parent, leaf| Quota { name: name.to_owned(), parent, leaf, ..Quota::default() };
        let before = [quota("root", None, false), quota("a", Some(0), true), quota("b", Some(0), true)];
        let after = [quota("root", None, false), quota("new", Some(0), true), quota("b", Some(0), true)];
        let teams = shared(&before, &after).map(|all| all.iter().map(|c| c.team).collect::<Vec<u32>>());
        assert_eq!(teams, [vec![OTHERS, 0, 1], vec![OTHERS, 2, 1]]);
    }

    #[test]
    fn other_names_of_the_root_do_not_take_the_hues() {
        let named = |root: &str, leaf: &str, count: u32| {
            let root = Quota { name: root.to_owned(), ..Quota::default() };
            let leaves = (0..count).map(|i| Quota {
                name: format!("{leaf}{i}"),
                parent: Some(0),
                leaf: true,
                ..Quota::default()
            });
            std::iter::once(root).chain(leaves).collect::<Vec<Quota>>()
        };
        let [before, after] = shared(&named("root", "a", 4), &named("org", "b", 4));
        let hues = |all: &[Colour]| all.iter().map(|c| c.team).collect::<Vec<u32>>();
        assert_eq!(hues(&before), [OTHERS, 0, 1, 2, 3]);
        assert_eq!(hues(&after), [OTHERS, 4, 5, OTHERS, OTHERS]);
    }
}
