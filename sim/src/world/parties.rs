//! Whose work it is: a party is one workload, its user, the group it went in by and its namespace. Each has accounts of
//! its own, and what a user, a group, a namespace or a workload has is the sum over its parties: every breakdown of a run
//! comes out of the same accounts, and all of them add up to the same totals.

use super::{Counts, NONE, Outcomes, State, Table, shapes::Row};
use indexmap::{IndexMap, IndexSet};
use quotree_core::{Name, Time};
use rustc_hash::FxBuildHasher;
use smallvec::{SmallVec, smallvec};

/// Numbers of a workload (by its tally: tasks have their own), a user, a group and a namespace; [`NONE`] where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Who {
    pub(crate) tally: u32,
    pub(crate) user: u32,
    pub(crate) group: u32,
    pub(crate) namespace: u32,
}

/// The accounts of a party.
#[derive(Debug, Clone)]
pub(crate) struct Party {
    pub(crate) who: Who,
    pub(crate) counts: Counts,
    pub(crate) outcomes: Outcomes,
    /// Submissions that were refused.
    pub(crate) refused: u64,
    /// Work thrown away, pod-milliseconds.
    pub(crate) lost_ms: u128,
    /// What its pods use, by resource number.
    pub(crate) used: SmallVec<[i128; 4]>,
    /// Up to `since`: base units times milliseconds.
    used_ms: SmallVec<[u128; 4]>,
    since: Time,
}

impl Party {
    fn new(who: Who, resources: usize) -> Self {
        let (used, used_ms) = (smallvec![0; resources], smallvec![0; resources]);
        Self {
            who,
            counts: Counts::default(),
            outcomes: Outcomes::default(),
            refused: 0,
            lost_ms: 0,
            used,
            used_ms,
            since: Time::default(),
        }
    }

    fn advance(&mut self, now: Time) {
        let ms = u128::from(now.since(self.since));
        if ms > 0 {
            for (sum, used) in self.used_ms.iter_mut().zip(&self.used) {
                *sum = sum.saturating_add(area(*used, ms));
            }
            self.since = now;
        }
    }

    /// What it has used until now, base units times milliseconds, by resource number.
    pub(crate) fn used_ms(&self, now: Time) -> impl Iterator<Item = u128> + '_ {
        let ms = u128::from(now.since(self.since));
        self.used_ms.iter().zip(&self.used).map(move |(sum, used)| sum.saturating_add(area(*used, ms)))
    }
}

fn area(amount: i128, ms: u128) -> u128 {
    u128::try_from(amount).unwrap_or(0).saturating_mul(ms)
}

/// All parties, by number, and the names of users and groups.
#[derive(Debug, Default)]
pub(crate) struct Parties {
    pub(crate) all: Table<Party>,
    numbers: IndexMap<Who, u32, FxBuildHasher>,
    last: Option<(Who, u32)>,
    users: IndexSet<Name, FxBuildHasher>,
    groups: IndexSet<Name, FxBuildHasher>,
    resources: usize,
}

impl Parties {
    pub(crate) fn new(resources: usize) -> Self {
        Self { resources, ..Self::default() }
    }

    /// The number of a party, which is new where it is the first time.
    pub(crate) fn number(&mut self, who: Who) -> u32 {
        if let Some((_, number)) = self.last.filter(|(last, _)| *last == who) {
            return number;
        }
        let number = match self.numbers.get(&who) {
            Some(number) => *number,
            None => {
                let number = self.all.push(Party::new(who, self.resources));
                self.numbers.insert(who, number);
                number
            }
        };
        self.last = Some((who, number));
        number
    }

    /// The same party's task of a workflow.
    pub(crate) fn of_task(&mut self, party: u32, task: u32) -> u32 {
        let who = self.all[party].who;
        self.number(Who { tally: who.tally + 1 + task, ..who })
    }

    /// A pod of a party goes from one state to another.
    pub(crate) fn shift(&mut self, party: u32, (from, to): (State, State), row: &Row, now: Time) {
        let party = &mut self.all[party];
        party.counts.shift(from, to);
        let uses = i128::from(to.uses()) - i128::from(from.uses());
        if uses == 0 {
            return;
        }
        party.advance(now);
        for (resource, amount) in row {
            if let Some(used) = party.used.get_mut(*resource as usize) {
                *used += uses * i128::from(*amount);
            }
        }
    }

    /// The number of a user's name; nobody's is [`NONE`].
    pub(crate) fn user(&mut self, name: Option<&Name>) -> u32 {
        name.map_or(NONE, |name| number_in(&mut self.users, name))
    }

    /// The number of a group's name.
    pub(crate) fn group(&mut self, name: Option<&Name>) -> u32 {
        name.map_or(NONE, |name| number_in(&mut self.groups, name))
    }

    /// The names of all users that ever were, by number.
    pub(crate) fn user_names(&self) -> impl ExactSizeIterator<Item = &Name> {
        self.users.iter()
    }

    /// The name of a user.
    pub(crate) fn user_name(&self, user: u32) -> Option<&Name> {
        self.users.get_index(user as usize)
    }

    /// The number of a user that is known.
    pub(crate) fn find_user(&self, name: &str) -> Option<u32> {
        self.users.get_index_of(name).and_then(|i| u32::try_from(i).ok())
    }

    /// The names of all groups that ever were, by number.
    pub(crate) fn group_names(&self) -> impl ExactSizeIterator<Item = &Name> {
        self.groups.iter()
    }

    /// The number of a group that is known.
    pub(crate) fn find_group(&self, name: &str) -> Option<u32> {
        self.groups.get_index_of(name).and_then(|i| u32::try_from(i).ok())
    }
}

fn number_in(names: &mut IndexSet<Name, FxBuildHasher>, name: &Name) -> u32 {
    let place = match names.get_index_of(name) {
        Some(place) => place,
        None => names.insert_full(name.clone()).0,
    };
    u32::try_from(place).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: Who = Who { tally: 0, user: 1, group: NONE, namespace: 0 };

    #[test]
    fn a_party_is_found_again_and_another_one_is_another() {
        let mut parties = Parties::new(1);
        assert_eq!([WHO, Who { user: 2, ..WHO }, WHO].map(|who| parties.number(who)), [0, 1, 0]);
        assert_eq!(
            [Some("ada"), None, Some("bob"), Some("ada")].map(|n| parties.user(n.map(Name::from).as_ref())),
            [0, NONE, 1, 0]
        );
    }

    #[test]
    fn time_times_amount_is_exact() {
        let mut parties = Parties::new(2);
        let party = parties.number(WHO);
        let row: Row = smallvec![(1, 500)];
        // Binding from 1 s, running from 2 s, leaving from 4 s, gone at 7 s: six seconds of 500 thousandths.
        let steps = [
            (0, State::New, State::Waiting),
            (1000, State::Waiting, State::Binding),
            (2000, State::Binding, State::Running),
            (4000, State::Running, State::Leaving),
            (7000, State::Leaving, State::Evicted),
        ];
        for (at, from, to) in steps {
            parties.shift(party, (from, to), &row, Time(at));
        }
        let seen = |now: u64| parties.all[party].used_ms(Time(now)).collect::<Vec<_>>();
        assert_eq!((seen(7000), seen(9000)), (vec![0, 3_000_000], vec![0, 3_000_000]));
        let counts = parties.all[party].counts;
        assert_eq!((counts.made, counts.evicted, counts.running, counts.pending), (1, 1, 0, 0));
    }

    #[test]
    fn what_still_runs_counts_up_to_now() {
        let mut parties = Parties::new(1);
        let party = parties.number(WHO);
        parties.shift(party, (State::New, State::Running), &smallvec![(0, 2000)], Time(5));
        let seen = |now: u64| parties.all[party].used_ms(Time(now)).sum::<u128>();
        assert_eq!((seen(5), seen(6), seen(105)), (0, 2000, 200_000));
    }
}
