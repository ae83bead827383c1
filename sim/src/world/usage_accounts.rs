//! Usage accounts: one for each combination of workload, user, group and namespace. The usage of a user, a group, a
//! namespace or a workload is the sum over its accounts, so every breakdown of a run comes from the same accounts, and
//! all breakdowns have the same totals.

use super::{Counts, NONE, Outcomes, State, Table, shapes::Row};
use indexmap::{IndexMap, IndexSet};
use quotree_core::{Name, Time};
use rustc_hash::FxBuildHasher;
use smallvec::{SmallVec, smallvec};

/// The numbers of a workload (by its tally: tasks have their own), a user, a group and a namespace; [`NONE`] if there
/// is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct UsageAccountKey {
    pub(crate) tally: u32,
    pub(crate) user: u32,
    pub(crate) group: u32,
    pub(crate) namespace: u32,
}

/// An amount with its integral over time: base units times milliseconds, up to the last change of the amount.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Integral {
    pub(crate) amount: i128,
    ms: u128,
}

impl Integral {
    /// Adds a time of this many milliseconds in which the amount was constant.
    pub(crate) fn advance(&mut self, ms: u128) {
        if self.amount != 0 {
            self.ms = self.until(ms);
        }
    }

    /// The integral this many milliseconds later.
    pub(crate) fn until(&self, ms: u128) -> u128 {
        self.ms.saturating_add(u128::try_from(self.amount).unwrap_or(0).saturating_mul(ms))
    }
}

/// The counts of one key.
#[derive(Debug, Clone)]
pub(crate) struct UsageAccount {
    /// Its index among all accounts.
    pub(crate) number: u32,
    pub(crate) key: UsageAccountKey,
    pub(crate) counts: Counts,
    pub(crate) outcomes: Outcomes,
    /// Submissions that were refused.
    pub(crate) refused: u64,
    /// Work that was lost, pod-milliseconds.
    pub(crate) lost_ms: u128,
    /// Pods that drains evicted.
    pub(crate) drained: u64,
    /// Jobs that job queues released, and jobs that went back to the queue because they did not start in time.
    pub(crate) let_out: u64,
    pub(crate) start_timeouts: u64,
    pub(crate) thrash: Thrash,
    /// When its last pod ended, successfully or not.
    pub(crate) last_end: Time,
    /// Usage by resource number.
    used: SmallVec<[Integral; 1]>,
    /// What it pays for nodes: parts of a node times thousandths of the currency an hour.
    cost: Integral,
    since: Time,
}

impl UsageAccount {
    fn new(number: u32, key: UsageAccountKey, resources: usize) -> Self {
        Self {
            number,
            key,
            counts: Counts::default(),
            outcomes: Outcomes::default(),
            refused: 0,
            lost_ms: 0,
            drained: 0,
            let_out: 0,
            start_timeouts: 0,
            thrash: Thrash::default(),
            last_end: Time::default(),
            used: smallvec![Integral::default(); resources],
            cost: Integral::default(),
            since: Time::default(),
        }
    }

    fn advance(&mut self, now: Time) {
        let ms = u128::from(now.since(self.since));
        if ms > 0 {
            self.used.iter_mut().for_each(|used| used.advance(ms));
            self.cost.advance(ms);
            self.since = now;
        }
    }

    /// Changes the cost per time by `parts`.
    pub(crate) fn charge(&mut self, parts: i128, now: Time) {
        self.advance(now);
        self.cost.amount += parts;
    }

    /// The cost until now.
    pub(crate) fn paid(&self, now: Time) -> u128 {
        self.cost.until(u128::from(now.since(self.since)))
    }

    /// The current usage of a resource.
    pub(crate) fn used(&self, resource: u32) -> i128 {
        self.used.get(resource as usize).map_or(0, |used| used.amount)
    }

    /// The usage integrated until now, base units times milliseconds.
    pub(crate) fn used_ms(&self, resource: u32, now: Time) -> u128 {
        let ms = u128::from(now.since(self.since));
        self.used.get(resource as usize).map_or(0, |used| used.until(ms))
    }
}

/// How often the pods or gangs of an account were evicted; a pod counts as one with its replacements.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Thrash {
    pub(crate) times: u64,
    /// How many of them were evicted at least once.
    pub(crate) works: u64,
    pub(crate) most: u64,
}

impl Thrash {
    /// Counts the `nth` eviction of one of them.
    pub(crate) fn again(&mut self, nth: u32) {
        self.times += 1;
        self.works += u64::from(nth == 1);
        self.most = self.most.max(u64::from(nth));
    }

    /// Adds the counts of another account.
    pub(crate) fn add(&mut self, other: &Self) {
        self.times += other.times;
        self.works += other.works;
        self.most = self.most.max(other.most);
    }

    /// The mean number of evictions over those that were evicted, thousandths.
    pub(crate) fn permille(&self) -> u64 {
        self.times.saturating_mul(1000).checked_div(self.works).unwrap_or(0)
    }
}

/// All accounts by number, and the names of users and groups.
#[derive(Debug, Default)]
pub(crate) struct UsageAccounts {
    pub(crate) all: Table<UsageAccount>,
    numbers: IndexMap<UsageAccountKey, u32, FxBuildHasher>,
    last: Option<(UsageAccountKey, u32)>,
    users: IndexSet<Name, FxBuildHasher>,
    groups: IndexSet<Name, FxBuildHasher>,
    resources: usize,
}

impl UsageAccounts {
    pub(crate) fn new(resources: usize) -> Self {
        Self { resources, ..Self::default() }
    }

    /// The number of the account of a key; the account is created when it is first needed.
    pub(crate) fn number(&mut self, key: UsageAccountKey) -> u32 {
        if let Some((_, number)) = self.last.filter(|(last, _)| *last == key) {
            return number;
        }
        let number = match self.numbers.get(&key) {
            Some(number) => *number,
            None => {
                let number = self.all.push(UsageAccount::new(self.all.len(), key, self.resources));
                self.numbers.insert(key, number);
                number
            }
        };
        self.last = Some((key, number));
        number
    }

    /// The account of a task of the same workflow.
    pub(crate) fn of_task(&mut self, account: u32, task: u32) -> u32 {
        let key = self.all[account].key;
        self.number(UsageAccountKey { tally: key.tally + 1 + task, ..key })
    }

    /// Counts a pod of an account that changes its state.
    #[inline]
    pub(crate) fn shift(&mut self, account: u32, (from, to): (State, State), row: &Row, now: Time) {
        let account = &mut self.all[account];
        account.counts.shift(from, to);
        if matches!(to, State::Succeeded | State::Failed) {
            account.last_end = now;
        }
        let uses = i128::from(to.holds_resources()) - i128::from(from.holds_resources());
        if uses == 0 {
            return;
        }
        account.advance(now);
        for (resource, amount) in row {
            if let Some(used) = account.used.get_mut(*resource as usize) {
                used.amount += uses * i128::from(*amount);
            }
        }
    }

    /// A pod of an account uses this row instead of another from now on.
    pub(crate) fn resize(&mut self, account: u32, (before, after): (&Row, &Row), now: Time) {
        let account = &mut self.all[account];
        account.advance(now);
        for (sign, row) in [(-1, before), (1, after)] {
            for (resource, amount) in row {
                if let Some(used) = account.used.get_mut(*resource as usize) {
                    used.amount += sign * i128::from(*amount);
                }
            }
        }
    }

    /// The number of a user's name; [`NONE`] without a name.
    pub(crate) fn user(&mut self, name: Option<&Name>) -> u32 {
        name.map_or(NONE, |name| number_in(&mut self.users, name))
    }

    /// The number of a group's name.
    pub(crate) fn group(&mut self, name: Option<&Name>) -> u32 {
        name.map_or(NONE, |name| number_in(&mut self.groups, name))
    }

    /// The names of all users so far, by number.
    pub(crate) fn user_names(&self) -> impl ExactSizeIterator<Item = &Name> {
        self.users.iter()
    }

    /// The name of a user.
    pub(crate) fn user_name(&self, user: u32) -> Option<&Name> {
        self.users.get_index(user as usize)
    }

    /// The number of a user, if it is known.
    pub(crate) fn find_user(&self, name: &str) -> Option<u32> {
        self.users.get_index_of(name).and_then(|i| u32::try_from(i).ok())
    }

    /// The names of all groups so far, by number.
    pub(crate) fn group_names(&self) -> impl ExactSizeIterator<Item = &Name> {
        self.groups.iter()
    }

    /// The number of a group, if it is known.
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

    const KEY: UsageAccountKey = UsageAccountKey { tally: 0, user: 1, group: NONE, namespace: 0 };

    #[test]
    fn an_account_is_found_again_and_another_key_has_another() {
        let mut accounts = UsageAccounts::new(1);
        assert_eq!([KEY, UsageAccountKey { user: 2, ..KEY }, KEY].map(|key| accounts.number(key)), [0, 1, 0]);
        assert_eq!(
            [Some("ada"), None, Some("bob"), Some("ada")].map(|n| accounts.user(n.map(Name::from).as_ref())),
            [0, NONE, 1, 0]
        );
    }

    #[test]
    fn time_times_amount_is_exact() {
        let mut accounts = UsageAccounts::new(2);
        let account = accounts.number(KEY);
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
            accounts.shift(account, (from, to), &row, Time(at));
        }
        let seen = |now: u64| [0, 1].map(|r| accounts.all[account].used_ms(r, Time(now)));
        assert_eq!((seen(7000), seen(9000)), ([0, 3_000_000], [0, 3_000_000]));
        let counts = accounts.all[account].counts;
        assert_eq!((counts.made, counts.evicted, counts.running, counts.pending), (1, 1, 0, 0));
    }

    #[test]
    fn what_still_runs_counts_up_to_now() {
        let mut accounts = UsageAccounts::new(1);
        let account = accounts.number(KEY);
        accounts.shift(account, (State::New, State::Running), &smallvec![(0, 2000)], Time(5));
        let seen = |now: u64| accounts.all[account].used_ms(0, Time(now));
        assert_eq!((seen(5), seen(6), seen(105)), (0, 2000, 200_000));
    }

    #[test]
    fn thrash_is_the_mean_over_works_that_were_evicted() {
        let mut thrash = Thrash::default();
        for nth in [1, 2, 3, 1] {
            thrash.again(nth);
        }
        assert_eq!((thrash.most, thrash.permille(), Thrash::default().permille()), (3, 2000, 0));
    }
}
