//! Whose a leaf's borrowing and starving is: what a leaf uses stands in line by start, and the pods that came when its
//! guarantee was in use are the ones that borrow; what it waits for stands in line, too, and of what it misses of its
//! guarantee those who wait longest miss the first part. So both are whole amounts at every moment, and those of all accounts
//! of a leaf add up to the leaf's own, to the unit.
//!
//! A leaf with a single account needs no line: everything is that account's. BorrowingSplit are kept from the moment at which any leaf
//! has a second account.

use super::ledger::Ledger;
use crate::{
    engine::Engine,
    world::{CoreWorkload, NONE, Pod, Row, State, Table, UsageAccount},
};
use quotree_core::Time;

/// A pod's change, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) pod: u32,
    pub(crate) shape: u32,
    pub(crate) account: u32,
    /// Where it is counted, or nowhere.
    pub(crate) leaf: Option<u32>,
    /// One more that uses, or one less; the same of waiting.
    pub(crate) uses: i128,
    pub(crate) waits: i128,
}

/// A place in a line.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// [`NONE`] once it has left.
    pod: u32,
    account: u32,
    shape: u32,
    /// The how-manieth that ever stood in a line.
    order: u64,
}

/// How far a limit reaches into a line, of one resource.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    limit: i128,
    /// Everything before this place is inside.
    at: usize,
    /// What that is.
    inside: i128,
    /// And so much of what stands at it.
    part: i128,
}

/// Whose accounts follow when something is inside a limit, or is not any more.
struct Book<'a> {
    accounts: &'a mut Table<UsageAccount>,
    rows: &'a Table<Row>,
    now: Time,
    /// Of those who use what is inside is guaranteed; of those who wait it is missed.
    using: bool,
}

impl Book<'_> {
    fn credit(&mut self, account: u32, resource: u32, inside: i128) {
        let more = if self.using { (-inside, 0) } else { (0, inside) };
        self.accounts[account].add_parts(resource, more, self.now);
    }
}

/// Pods in order of their coming, with marks by resource number; nothing where no quota governs the resource.
#[derive(Debug, Default)]
struct Line {
    entries: Vec<Entry>,
    gone: usize,
    marks: Vec<Option<Mark>>,
}

fn amount_in(row: &Row, resource: u32) -> i128 {
    row.iter().find(|(other, _)| *other == resource).map_or(0, |(_, amount)| i128::from(*amount))
}

impl Line {
    /// Whose stands at a place, and how much; nothing past the end.
    fn at(&self, place: usize, resource: u32, rows: &Table<Row>) -> Option<(u32, i128)> {
        let entry = self.entries.get(place)?;
        let amount = if entry.pod == NONE { 0 } else { amount_in(&rows[entry.shape], resource) };
        Some((entry.account, amount))
    }

    /// Moves the mark of a resource to where its limit is.
    fn settle(&mut self, resource: u32, book: &mut Book<'_>) {
        let Some(mut mark) = self.marks.get(resource as usize).copied().flatten() else { return };
        while mark.inside + mark.part < mark.limit {
            let Some((account, amount)) = self.at(mark.at, resource, book.rows) else { break };
            let more = (amount - mark.part).min(mark.limit - mark.inside - mark.part);
            book.credit(account, resource, more);
            mark.part += more;
            if mark.part == amount {
                (mark.inside, mark.part, mark.at) = (mark.inside + amount, 0, mark.at + 1);
            }
        }
        while mark.inside + mark.part > mark.limit.max(0) {
            if mark.part == 0 {
                mark.at -= 1;
                mark.part = self.at(mark.at, resource, book.rows).map_or(0, |(_, amount)| amount);
                mark.inside -= mark.part;
            }
            let less = mark.part.min(mark.inside + mark.part - mark.limit.max(0));
            if let Some((account, _)) = self.at(mark.at, resource, book.rows) {
                book.credit(account, resource, -less);
            }
            mark.part -= less;
        }
        if let Some(slot) = self.marks.get_mut(resource as usize) {
            *slot = Some(mark);
        }
    }

    fn is_marked(&self, resource: u32) -> bool {
        self.marks.get(resource as usize).is_some_and(Option::is_some)
    }

    /// Sets the limit of a resource.
    fn limit(&mut self, resource: u32, limit: i128, book: &mut Book<'_>) {
        let mark = self.marks.get_mut(resource as usize).and_then(Option::as_mut);
        if let Some(mark) = mark.filter(|mark| mark.limit != limit) {
            mark.limit = limit;
            self.settle(resource, book);
        }
    }

    /// Somebody comes, last.
    fn push(&mut self, entry: Entry, book: &mut Book<'_>) -> u32 {
        let place = u32::try_from(self.entries.len()).unwrap_or(NONE);
        self.entries.push(entry);
        for (resource, _) in &book.rows[entry.shape] {
            self.settle(*resource, book);
        }
        place
    }

    /// Somebody leaves.
    fn remove(&mut self, place: u32, book: &mut Book<'_>) {
        let place = place as usize;
        let Some(entry) = self.entries.get_mut(place) else { return };
        let account = entry.account;
        entry.pod = NONE;
        self.gone += 1;
        for (resource, amount) in &book.rows[entry.shape] {
            let Some(mark) = self.marks.get_mut(*resource as usize).and_then(Option::as_mut) else { continue };
            let inside = match place.cmp(&mark.at) {
                std::cmp::Ordering::Less => {
                    mark.inside -= i128::from(*amount);
                    i128::from(*amount)
                }
                std::cmp::Ordering::Equal => std::mem::take(&mut mark.part),
                std::cmp::Ordering::Greater => 0,
            };
            book.credit(account, *resource, -inside);
            self.settle(*resource, book);
        }
    }

    /// Closes up once more have left than stand; who moves up is told of its place.
    fn close_up(&mut self, places: &mut Vec<u32>) {
        if self.gone < 32 || self.gone * 2 < self.entries.len() {
            return;
        }
        for mark in self.marks.iter_mut().flatten() {
            let before = self.entries.get(..mark.at).unwrap_or(&self.entries);
            mark.at = before.iter().filter(|entry| entry.pod != NONE).count();
        }
        self.entries.retain(|entry| entry.pod != NONE);
        self.gone = 0;
        for (place, entry) in (0..).zip(&self.entries) {
            put(places, entry.pod, place);
        }
    }
}

fn put(places: &mut Vec<u32>, pod: u32, place: u32) {
    let pod = pod as usize;
    if pod >= places.len() {
        places.resize(pod + 1, NONE);
    }
    if let Some(slot) = places.get_mut(pod) {
        *slot = place;
    }
}

/// The lines of all leaves, and last of what is on none.
#[derive(Debug, Default)]
pub(crate) struct BorrowingSplit {
    /// While no lines are kept: the one account of each leaf.
    sole: Table<u32>,
    kept: bool,
    using: Table<Line>,
    waiting: Table<Line>,
    /// By pod: its place in the line in which it stands.
    places: Vec<u32>,
    next: u64,
}

impl BorrowingSplit {
    /// A pod begins or ends to use or to wait; the ledger knows of it already. False: lines are wanted from now on, and
    /// are to be laid out of all pods.
    #[inline]
    pub(crate) fn shift(
        &mut self,
        step: Step,
        (ledger, rows): (&Ledger, &Table<Row>),
        accounts: &mut Table<UsageAccount>,
        now: Time,
    ) -> bool {
        if self.kept {
            self.take_step(step, (ledger, rows), accounts, now);
            return true;
        }
        let Some(leaf) = step.leaf else { return true };
        let sole = &mut self.sole[leaf];
        if *sole != step.account {
            if *sole != NONE {
                return false;
            }
            *sole = step.account;
        }
        for (resource, _) in &rows[step.shape] {
            if ledger.totals[*resource].governed {
                let cell = ledger.cell(leaf, *resource);
                accounts[step.account].set_parts(*resource, (cell.borrowed(), cell.starved()), now);
            }
        }
        true
    }

    fn take_step(
        &mut self,
        step: Step,
        (ledger, rows): (&Ledger, &Table<Row>),
        accounts: &mut Table<UsageAccount>,
        now: Time,
    ) {
        let number = step.leaf.unwrap_or_else(|| self.using.len().saturating_sub(1));
        let place = self.places.get(step.pod as usize).copied().unwrap_or(NONE);
        let entry = Entry { pod: step.pod, account: step.account, shape: step.shape, order: self.next };
        let mut book = Book { accounts, rows, now, using: true };
        let using = &mut self.using[number];
        if step.uses != 0 {
            for (resource, amount) in &rows[step.shape] {
                // What stands in this line and is not inside is borrowed.
                if using.is_marked(*resource) {
                    book.accounts[step.account].add_parts(*resource, (step.uses * i128::from(*amount), 0), now);
                }
            }
        }
        if step.uses < 0 {
            using.remove(place, &mut book);
            using.close_up(&mut self.places);
        }
        book.using = false;
        let waiting = &mut self.waiting[number];
        if step.waits < 0 {
            waiting.remove(place, &mut book);
            waiting.close_up(&mut self.places);
        }
        if step.waits > 0 {
            let place = waiting.push(entry, &mut book);
            put(&mut self.places, step.pod, place);
        }
        if let Some(leaf) = step.leaf {
            for (resource, _) in &rows[step.shape] {
                if waiting.is_marked(*resource) {
                    waiting.limit(*resource, ledger.cell(leaf, *resource).unused(), &mut book);
                }
            }
        }
        book.using = true;
        if step.uses > 0 {
            let place = using.push(entry, &mut book);
            put(&mut self.places, step.pod, place);
        }
        self.next += 1;
    }

    /// Makes ready for a tree with these leaves, as the ledger has them, or for lines that are kept from now on. Gives the pods
    /// that stood in lines, in the order in which they came: they are to come again.
    pub(crate) fn lay(&mut self, quotas: u32, governed: &[u32], ledger: &Ledger, keep: bool) -> Option<Vec<u32>> {
        let stood = self.kept.then(|| {
            let lines = self.using.iter().chain(self.waiting.iter());
            let mut all: Vec<Entry> = lines.flat_map(|line| &line.entries).copied().collect();
            all.retain(|entry| entry.pod != NONE);
            all.sort_unstable_by_key(|entry| entry.order);
            all.into_iter().map(|entry| entry.pod).collect()
        });
        let kept = self.kept || keep;
        *self = Self { kept, ..Self::default() };
        if kept {
            let width = ledger.totals.len() as usize;
            let line = |limit: &dyn Fn(u32) -> i128| {
                let mut marks = vec![None; width];
                for resource in governed {
                    if let Some(slot) = marks.get_mut(*resource as usize) {
                        *slot = Some(Mark { limit: limit(*resource), ..Mark::default() });
                    }
                }
                Line { marks, ..Line::default() }
            };
            for quota in 0..quotas {
                self.using.push(line(&|resource| ledger.cell(quota, resource).min));
                self.waiting.push(line(&|resource| ledger.cell(quota, resource).unused()));
            }
            let nowhere = || Line { marks: vec![None; width], ..Line::default() };
            self.using.push(nowhere());
            self.waiting.push(nowhere());
        } else {
            self.sole = (0..quotas).map(|_| NONE).collect();
        }
        stood
    }
}

impl Engine<'_> {
    /// A pod begins or ends to use or to wait: whose borrowing and starving it is follows.
    pub(super) fn stand(&mut self, step: Step) {
        let (lines, world) = (&mut self.figures.lines, &mut self.world);
        let books = (&self.figures.ledger, &world.shapes.rows);
        if !lines.shift(step, books, &mut world.accounts.all, self.now) {
            self.rebuild_split(true);
        }
    }

    /// Everybody stands in line anew, in the order in which they came.
    pub(super) fn rebuild_split(&mut self, keep: bool) {
        let quotas = u32::try_from(self.core.scheduler().tree().len()).unwrap_or(u32::MAX);
        let figures = &mut self.figures;
        let stood = figures.lines.lay(quotas, &figures.governed, &figures.ledger, keep);
        self.world.accounts.all.iter_mut().for_each(|account| account.no_parts(self.now));
        let all = stood.unwrap_or_else(|| self.world.pods.ids().collect());
        for pod in all {
            let Pod { unit, shape, state, .. } = self.world.pods[pod];
            let (uses, waits) = (i128::from(state.uses()), i128::from(state == State::Waiting));
            if uses + waits == 0 {
                continue;
            }
            let CoreWorkload { namespace, account, .. } = self.world.units[unit];
            let leaf = self.world.namespaces[namespace].leaf;
            let (lines, world) = (&mut self.figures.lines, &mut self.world);
            let books = (&self.figures.ledger, &world.shapes.rows);
            let step = Step { pod, shape, account, leaf, uses, waits };
            if !lines.shift(step, books, &mut world.accounts.all, self.now) {
                return self.rebuild_split(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{UsageAccountKey, UsageAccounts};
    use proptest::prelude::*;
    use quotree_core::{Amounts, OverPromised, QuotaSpec, QuotaTree, TreeSpec};
    use smallvec::smallvec;

    const FROM: Time = Time(0);

    fn ledger() -> Ledger {
        let amounts = |cpu: i64, gpu: i64| Amounts::new().with("cpu", cpu).with("gpu", gpu);
        let spec: TreeSpec = [
            QuotaSpec::new("root", None).min(amounts(20, 10)).max(amounts(90, 90)),
            QuotaSpec::new("a", Some("root")).min(amounts(10, 4)).namespace("a"),
            QuotaSpec::new("b", Some("root")).min(amounts(3, 0)).namespace("b"),
        ]
        .into_iter()
        .collect();
        let mut ledger = Ledger::new(3);
        ledger.plant(&QuotaTree::new(&spec, OverPromised::Error).unwrap(), &[0, 1]);
        ledger
    }

    /// Cpu is number 0, gpu 1, and 2 is governed by no quota.
    fn shapes() -> Table<Row> {
        [smallvec![(0, 1)], smallvec![(0, 4), (1, 1)], smallvec![(1, 2), (2, 9)], smallvec![(0, 7), (1, 3)]]
            .into_iter()
            .collect()
    }

    /// A world of pods in two leaves, with what every step must leave true.
    struct World {
        ledger: Ledger,
        lines: BorrowingSplit,
        rows: Table<Row>,
        accounts: UsageAccounts,
        /// Account, shape and leaf of each pod, and whether it waits or uses.
        pods: Vec<(Step, bool, bool)>,
        /// Those that use and those that wait, in order.
        order: Vec<u32>,
    }

    impl World {
        fn new() -> Self {
            let (mut lines, ledger, mut accounts) = (BorrowingSplit::default(), ledger(), UsageAccounts::new(3));
            lines.lay(3, &[0, 1], &ledger, false);
            for user in 0..6 {
                accounts.number(UsageAccountKey { tally: 0, user, group: NONE, namespace: 0 });
            }
            Self { ledger, lines, rows: shapes(), accounts, pods: Vec::new(), order: Vec::new() }
        }

        fn step(&mut self, pod: u32, uses: i128, waits: i128) {
            let entry = &mut self.pods[pod as usize];
            let step = Step { uses, waits, ..entry.0 };
            (entry.1, entry.2) = (entry.1 as i128 + waits == 1, entry.2 as i128 + uses == 1);
            self.order.retain(|other| *other != pod);
            if entry.1 || entry.2 {
                self.order.push(pod);
            }
            for (resource, amount) in &self.rows[step.shape] {
                let amount = i128::from(*amount);
                self.ledger.shift(step.leaf, *resource, uses * amount, waits * amount);
            }
            let books = (&self.ledger, &self.rows);
            if !self.lines.shift(step, books, &mut self.accounts.all, FROM) {
                self.lay(true);
            }
        }

        fn lay(&mut self, keep: bool) {
            let stood = self.lines.lay(3, &[0, 1], &self.ledger, keep);
            self.accounts.all.iter_mut().for_each(|account| account.no_parts(FROM));
            for pod in stood.unwrap_or_else(|| (0..self.pods.len() as u32).collect()) {
                let (step, waits, uses) = self.pods[pod as usize];
                if waits || uses {
                    let step = Step { uses: uses.into(), waits: waits.into(), ..step };
                    assert!(self.lines.shift(step, (&self.ledger, &self.rows), &mut self.accounts.all, FROM) || !keep);
                }
            }
        }

        /// Borrowed and missed by account, worked out from nothing but the order.
        fn plain(&self, resource: u32) -> Vec<[i128; 2]> {
            let mut parts = vec![[0; 2]; 6];
            for leaf in [1, 2] {
                let cell = self.ledger.cell(leaf, resource);
                let (mut guaranteed, mut missed) = (cell.min, cell.unused());
                for pod in &self.order {
                    let (step, waits, _) = self.pods[*pod as usize];
                    if step.leaf != Some(leaf) {
                        continue;
                    }
                    let amount = amount_in(&self.rows[step.shape], resource);
                    let left = if waits { &mut missed } else { &mut guaranteed };
                    let inside = amount.min(*left);
                    *left -= inside;
                    let part = &mut parts[step.account as usize];
                    if waits { part[1] += inside } else { part[0] += amount - inside }
                }
            }
            parts
        }

        fn seen(&self, resource: u32) -> Vec<[i128; 2]> {
            let of = |account: &UsageAccount| {
                let [_, borrowed, starved] = account.amounts(resource);
                [borrowed, starved]
            };
            self.accounts.all.iter().map(of).collect()
        }
    }

    #[test]
    fn l2_who_came_when_the_guarantee_was_in_use_borrows() {
        let mut world = World::new();
        // Leaf a is guaranteed 10 cpus. UsageAccounts 0 and 1 each have two pods of 4, bound in turn: 16 used, 6 borrowed.
        for account in [0, 1, 0, 1] {
            let pod = world.pods.len() as u32;
            let step = Step { pod, shape: 1, account, leaf: Some(1), uses: 0, waits: 0 };
            world.pods.push((step, false, false));
            world.step(pod, 0, 1);
            world.step(pod, 1, -1);
        }
        let borrowed = |world: &World| world.seen(0).iter().map(|[borrowed, _]| *borrowed).collect::<Vec<_>>();
        assert_eq!(borrowed(&world), [2, 4, 0, 0, 0, 0], "2 of the third pod, all of the fourth");
        world.step(0, -1, 0);
        assert_eq!(
            borrowed(&world),
            [0, 2, 0, 0, 0, 0],
            "the others move up: 8 of 10 are the second's and the third's"
        );
        world.step(3, -1, 0);
        assert_eq!(borrowed(&world), [0; 6]);
        // Another that waits for 4 misses the 2 that are left of 10.
        let step = Step { pod: 4, shape: 1, account: 2, leaf: Some(1), uses: 0, waits: 0 };
        world.pods.push((step, false, false));
        world.step(4, 0, 1);
        assert_eq!(world.seen(0), [[0, 0], [0, 0], [0, 2], [0, 0], [0, 0], [0, 0]]);
    }

    proptest! {
        #[test]
        fn parts_are_those_of_the_order_and_add_up_to_their_leaves(
            acts in prop::collection::vec((0u8..8, 0u32..6, 0u32..4, any::<prop::sample::Index>()), 1..400),
            sole in any::<bool>(),
        ) {
            let mut world = World::new();
            for (act, account, shape, which) in acts {
                // With one account a leaf, until now and then another comes.
                let account = if sole && act != 0 { account / 2 * 2 } else { account };
                // A account has one namespace, and so one leaf: none, or the first or second.
                let leaf = Some(account / 2).filter(|leaf| *leaf > 0);
                match act {
                    0..=2 => {
                        let pod = world.pods.len() as u32;
                        world.pods.push((Step { pod, shape, account, leaf, uses: 0, waits: 0 }, false, false));
                        world.step(pod, 0, 1);
                    }
                    7 => world.lay(false),
                    _ if world.order.is_empty() => {}
                    _ => {
                        let pod = world.order[which.index(world.order.len())];
                        let (_, waits, _) = world.pods[pod as usize];
                        match (act, waits) {
                            (3 | 4, true) => world.step(pod, 1, -1),
                            (6, false) => world.step(pod, -1, 1),
                            (_, true) => world.step(pod, 0, -1),
                            (_, false) => world.step(pod, -1, 0),
                        }
                    }
                }
                for resource in 0..2 {
                    prop_assert_eq!(world.seen(resource), world.plain(resource), "resource {}", resource);
                    let total = world.ledger.totals[resource];
                    let sums = world.seen(resource).iter().fold([0; 2], |[a, b], [x, y]| [a + x, b + y]);
                    prop_assert_eq!(sums, [total.borrowed, total.starved]);
                }
                prop_assert_eq!(world.seen(2), vec![[0; 2]; 6]);
            }
        }
    }
}
