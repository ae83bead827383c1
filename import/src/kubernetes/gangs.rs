//! Gangs as rows. A row of a trace is a gang without elastic members. So the pods of the minimum of a gang become one
//! row, and every pod above the minimum becomes a row of its own.

use quotree_core::Name;

/// A pod of a gang.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Its number among all pods.
    pub(super) pod: usize,
    /// Whether it is on a node.
    pub(super) bound: bool,
    /// Its role, if the gang has a minimum for each role.
    pub(super) role: Option<Name>,
}

/// The members of a gang, arranged as rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arranged {
    /// Pods that are placed together or not at all.
    pub(super) together: Vec<Vec<usize>>,
    /// Pods above the minimum.
    pub(super) elastic: Vec<usize>,
    /// Pods that wait for further members before a scheduler tries them.
    pub(super) waiting: Vec<usize>,
    /// Pods that run although their gang is below its minimum.
    pub(super) torn: usize,
}

/// Arranges the members of a gang, given in the order of their creation.
///
/// In a running gang, the pods of the minimum form a row. In a gang that has lost members, the running ones form a row,
/// and the pods that are missing from the minimum form another, since the core places them together (G1).
pub(super) fn arrange(members: &[Member], min: u32, by_role: &[(Name, u32)]) -> Arranged {
    let min = min.max(1) as usize;
    let (bound, pending): (Vec<&Member>, Vec<&Member>) = members.iter().partition(|member| member.bound);
    let mut arranged = Arranged::default();
    let complete =
        members.len() >= min && by_role.iter().all(|(role, least)| of_role(members, role) >= *least as usize);
    if bound.len() >= min {
        let (core, rest) = core_of(&bound, min, by_role);
        arranged.together.push(core);
        arranged.elastic.extend(rest);
        arranged.elastic.extend(pending.iter().map(|member| member.pod));
        return arranged;
    }
    arranged.torn = bound.len();
    if !bound.is_empty() {
        arranged.together.push(bound.iter().map(|member| member.pod).collect());
    }
    if !complete {
        arranged.waiting.extend(pending.iter().map(|member| member.pod));
        return arranged;
    }
    let missing: Vec<(Name, u32)> = by_role
        .iter()
        .map(|(role, least)| {
            let there = bound.iter().filter(|member| member.role.as_ref() == Some(role)).count();
            (role.clone(), least.saturating_sub(u32::try_from(there).unwrap_or(u32::MAX)))
        })
        .collect();
    let (core, rest) = core_of(&pending, min - bound.len(), &missing);
    arranged.together.push(core);
    arranged.elastic.extend(rest);
    arranged
}

fn of_role(members: &[Member], role: &Name) -> usize {
    members.iter().filter(|member| member.role.as_ref() == Some(role)).count()
}

/// Divides members into those of the minimum and the others: first the required number of each role, then the first of
/// the rest.
fn core_of(members: &[&Member], min: usize, by_role: &[(Name, u32)]) -> (Vec<usize>, Vec<usize>) {
    let mut chosen = vec![false; members.len()];
    for (role, least) in by_role {
        let of_role = members.iter().zip(&mut chosen).filter(|(member, _)| member.role.as_ref() == Some(role));
        of_role.take(*least as usize).for_each(|(_, chosen)| *chosen = true);
    }
    let short = min.saturating_sub(chosen.iter().filter(|chosen| **chosen).count());
    chosen.iter_mut().filter(|chosen| !**chosen).take(short).for_each(|chosen| *chosen = true);
    let pods = |wanted: bool| {
        let picked = members.iter().zip(&chosen).filter(move |(_, chosen)| **chosen == wanted);
        picked.map(|(member, _)| member.pod).collect()
    };
    (pods(true), pods(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses members from a short notation: `B` bound, `p` pending, followed by a role.
    fn members(text: &str) -> Vec<Member> {
        let member = |(pod, word): (usize, &str)| {
            let role = word.get(1..).filter(|role| !role.is_empty()).map(Name::from);
            Member { pod, bound: word.starts_with('B'), role }
        };
        text.split_whitespace().enumerate().map(member).collect()
    }

    #[test]
    fn a_gang_is_its_minimum_and_what_is_above_it() {
        // members, minimum | together, elastic, waiting, torn
        let rows = [
            ("p p p p", 4, "0123", "", "", 0),
            ("p p p p p", 4, "0123", "4", "", 0),
            ("p p p", 4, "", "", "012", 0),
            ("B B B B", 4, "0123", "", "", 0),
            ("B p B p B", 3, "024", "13", "", 0),
            ("B p B p B", 2, "02", "413", "", 0),
            ("B p p p p", 4, "0 123", "4", "", 1),
            ("B B p", 4, "01", "", "2", 2),
            ("B B B", 4, "012", "", "", 3),
            ("p p", 1, "0", "1", "", 0),
        ];
        for (text, min, together, elastic, waiting, torn) in rows {
            let seen = arrange(&members(text), min, &[]);
            let digits = |pods: &[usize]| pods.iter().map(ToString::to_string).collect::<String>();
            let groups: Vec<String> = seen.together.iter().map(|pods| digits(pods)).collect();
            assert_eq!(
                (groups.join(" ").as_str(), digits(&seen.elastic).as_str(), digits(&seen.waiting).as_str(), seen.torn),
                (together, elastic, waiting, torn),
                "{text} of {min}"
            );
        }
    }

    #[test]
    fn minima_by_role_are_kept() {
        let least = [("m".into(), 1), ("w".into(), 2)];
        let seen = arrange(&members("pw pw pw pm"), 3, &least);
        assert_eq!((seen.together, seen.elastic), (vec![vec![0, 1, 3]], vec![2]));
        let seen = arrange(&members("pw pw pw"), 3, &least);
        assert_eq!(seen.waiting, [0, 1, 2], "no master yet");
        let seen = arrange(&members("Bm pw pw pw"), 3, &least);
        assert_eq!((seen.together, seen.elastic, seen.torn), (vec![vec![0], vec![1, 2]], vec![3], 1));
    }
}
