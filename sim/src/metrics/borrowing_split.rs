//! Which accounts borrow, and which lack their guarantee. The pods that use the quota of a leaf are kept in the order
//! of their start; those that started when the guarantee of the leaf was already used up are the borrowers. Pending
//! pods are kept in order, too; what the leaf lacks of its guarantee is attributed to those that have waited longest.
//! So both are whole amounts at every moment, and the amounts of all accounts of a leaf add up exactly to those of the
//! leaf.
//!
//! A leaf with a single account needs no order: everything belongs to that account. Orders are kept from the moment
//! when some leaf has a second account.

use super::{account_parts::AccountParts, binding::Binding, ledger::Ledger};
use crate::world::{NONE, Row, Table};
use quotree_core::Time;

/// A change of a pod's state, reduced to what the orders need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) pod: u32,
    pub(crate) shape: u32,
    pub(crate) account: u32,
    /// The class that determines which resource it waits for, if it waits.
    pub(crate) class: u32,
    /// The leaf that it is counted in, if any.
    pub(crate) leaf: Option<u32>,
    /// Usage: 1 if it begins to use quota, -1 if it stops, else 0. Pending: likewise.
    pub(crate) uses: i128,
    pub(crate) waits: i128,
}

/// A pod in an order.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// [`NONE`] once it has been removed.
    pod: u32,
    account: u32,
    class: u32,
    shape: u32,
    /// Its sequence number over all pods that ever entered an order.
    order: u64,
}

/// The position at which a limit is reached in an order, for one resource.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    limit: i128,
    /// All pods before this position are within the limit.
    at: usize,
    /// The amount of those pods.
    inside: i128,
    /// How much of the pod at the position is within the limit.
    part: i128,
}

/// The accounts to which amounts within a limit are credited.
struct Book<'a> {
    parts: &'a mut AccountParts,
    rows: &'a Table<Row>,
    binding: &'a Binding,
    now: Time,
    /// For pods that use quota, an amount within the limit is guaranteed; for pending pods, it is lacking.
    using: bool,
}

impl Book<'_> {
    /// Whether a pod counts in a resource: a waiting pod counts only in the resource that it waits for.
    fn counts(&self, entry: &Entry, resource: u32) -> bool {
        entry.pod != NONE && (self.using || self.binding.waits_for(entry.class, resource))
    }

    fn credit(&mut self, account: u32, resource: u32, inside: i128) {
        let more = if self.using { (-inside, 0) } else { (0, inside) };
        self.parts.add(account, resource, more, self.now);
    }
}

/// Pods in the order in which they were added, with the mark of each resource by number. Resources that no quota
/// governs have no mark.
#[derive(Debug, Default)]
struct Order {
    entries: Vec<Entry>,
    gone: usize,
    marks: Vec<Option<Mark>>,
}

fn amount_in(row: &Row, resource: u32) -> i128 {
    row.iter().find(|(other, _)| *other == resource).map_or(0, |(_, amount)| i128::from(*amount))
}

impl Order {
    /// The account at a position, and its amount; nothing past the end.
    fn at(&self, place: usize, resource: u32, book: &Book<'_>) -> Option<(u32, i128)> {
        let entry = self.entries.get(place)?;
        let amount = if book.counts(entry, resource) { amount_in(&book.rows[entry.shape], resource) } else { 0 };
        Some((entry.account, amount))
    }

    /// Moves the mark of a resource to where its limit is reached.
    fn settle(&mut self, resource: u32, book: &mut Book<'_>) {
        let Some(mut mark) = self.marks.get(resource as usize).copied().flatten() else { return };
        while mark.inside + mark.part < mark.limit {
            let Some((account, amount)) = self.at(mark.at, resource, book) else { break };
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
                mark.part = self.at(mark.at, resource, book).map_or(0, |(_, amount)| amount);
                mark.inside -= mark.part;
            }
            let less = mark.part.min(mark.inside + mark.part - mark.limit.max(0));
            if let Some((account, _)) = self.at(mark.at, resource, book) {
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

    /// Starts again at the first pod, with every limit at 0.
    fn rewind(&mut self) {
        for mark in self.marks.iter_mut().flatten() {
            *mark = Mark::default();
        }
    }

    /// Sets the limit of every resource.
    fn limit_all(&mut self, limit: impl Fn(u32) -> i128, book: &mut Book<'_>) {
        for resource in (0..).zip(&self.marks).filter(|(_, mark)| mark.is_some()).map(|(r, _)| r).collect::<Vec<u32>>()
        {
            self.limit(resource, limit(resource), book);
        }
    }

    /// Adds a pod at the end.
    fn push(&mut self, entry: Entry, book: &mut Book<'_>) -> u32 {
        let place = u32::try_from(self.entries.len()).unwrap_or(NONE);
        self.entries.push(entry);
        for (resource, _) in &book.rows[entry.shape] {
            self.settle(*resource, book);
        }
        place
    }

    /// Removes a pod.
    fn remove(&mut self, place: u32, book: &mut Book<'_>) {
        let place = place as usize;
        let Some(entry) = self.entries.get_mut(place) else { return };
        let (account, before) = (entry.account, *entry);
        entry.pod = NONE;
        self.gone += 1;
        for (resource, amount) in &book.rows[before.shape] {
            if !book.counts(&before, *resource) {
                continue;
            }
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

    /// Removes the gaps when more pods were removed than remain, and updates `places`.
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

/// The ledger, the requests of all shapes, and the resources that waiting pods wait for.
type Books<'a> = (&'a Ledger, &'a Table<Row>, &'a Binding);

/// The orders of all leaves; the last one is for pods without a leaf.
#[derive(Debug, Default)]
pub(crate) struct BorrowingSplit {
    /// While no orders are kept: the only account of each leaf.
    sole: Table<u32>,
    ordered: bool,
    using: Table<Order>,
    waiting: Table<Order>,
    /// The position of each pod in its order.
    places: Vec<u32>,
    next: u64,
}

impl BorrowingSplit {
    /// Counts a pod that begins or stops to use quota or to be pending; the ledger must contain the change already.
    /// Returns false if orders are needed from now on; then the caller must build them from all pods.
    #[inline]
    pub(crate) fn shift(&mut self, step: Step, books: Books<'_>, parts: &mut AccountParts, now: Time) -> bool {
        let (ledger, rows, _) = books;
        if self.ordered {
            self.take_step(step, books, parts, now);
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
                parts.set(step.account, *resource, (cell.borrowed(), cell.starved()), now);
            }
        }
        true
    }

    /// Removes what is missing for the pods of a leaf, before the resource that they wait for changes.
    pub(crate) fn forget_waiting(
        &mut self,
        leaf: Option<u32>,
        (_, rows, binding): Books<'_>,
        parts: &mut AccountParts,
        now: Time,
    ) {
        if let Some(leaf) = leaf.filter(|_| self.ordered) {
            let mut book = Book { parts, rows, binding, now, using: false };
            self.waiting[leaf].limit_all(|_| 0, &mut book);
        }
    }

    /// Attributes what is missing again, after the change of the resource that the pods of a leaf wait for. The ledger
    /// must contain the change already.
    pub(crate) fn count_waiting(
        &mut self,
        leaf: Option<u32>,
        (ledger, rows, binding): Books<'_>,
        parts: &mut AccountParts,
        now: Time,
    ) {
        let Some(leaf) = leaf else { return };
        if self.ordered {
            let mut book = Book { parts, rows, binding, now, using: false };
            // What lies within a limit of 0 may be other pods than before.
            self.waiting[leaf].rewind();
            self.waiting[leaf].limit_all(|resource| ledger.cell(leaf, resource).unused(), &mut book);
        } else if self.sole[leaf] != NONE {
            for resource in ledger.totals.ids().filter(|resource| ledger.totals[*resource].governed) {
                let cell = ledger.cell(leaf, resource);
                parts.set(self.sole[leaf], resource, (cell.borrowed(), cell.starved()), now);
            }
        }
    }

    fn take_step(&mut self, step: Step, (ledger, rows, binding): Books<'_>, parts: &mut AccountParts, now: Time) {
        let number = step.leaf.unwrap_or_else(|| self.using.len().saturating_sub(1));
        let place = self.places.get(step.pod as usize).copied().unwrap_or(NONE);
        let Step { pod, account, class, shape, .. } = step;
        let entry = Entry { pod, account, class, shape, order: self.next };
        let mut book = Book { parts, rows, binding, now, using: true };
        let using = &mut self.using[number];
        if step.uses != 0 {
            for (resource, amount) in &rows[step.shape] {
                // What is in this order and not within the limit is borrowed.
                if using.is_marked(*resource) {
                    book.parts.add(step.account, *resource, (step.uses * i128::from(*amount), 0), now);
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

    /// Builds the orders again: for a tree with these leaves, as in the ledger, or to keep orders from now on. Returns
    /// the pods of the old orders, in the order in which they were added; the caller must add them again.
    pub(crate) fn rebuild(&mut self, quotas: u32, governed: &[u32], ledger: &Ledger, keep: bool) -> Option<Vec<u32>> {
        let stood = self.ordered.then(|| {
            let lines = self.using.iter().chain(self.waiting.iter());
            let mut all: Vec<Entry> = lines.flat_map(|line| &line.entries).copied().collect();
            all.retain(|entry| entry.pod != NONE);
            all.sort_unstable_by_key(|entry| entry.order);
            all.into_iter().map(|entry| entry.pod).collect()
        });
        let ordered = self.ordered || keep;
        *self = Self { ordered, ..Self::default() };
        if ordered {
            let width = ledger.totals.len() as usize;
            let line = |limit: &dyn Fn(u32) -> i128| {
                let mut marks = vec![None; width];
                for resource in governed {
                    if let Some(slot) = marks.get_mut(*resource as usize) {
                        *slot = Some(Mark { limit: limit(*resource), ..Mark::default() });
                    }
                }
                Order { marks, ..Order::default() }
            };
            for quota in 0..quotas {
                self.using.push(line(&|resource| ledger.cell(quota, resource).min));
                self.waiting.push(line(&|resource| ledger.cell(quota, resource).unused()));
            }
            let nowhere = || Order { marks: vec![None; width], ..Order::default() };
            self.using.push(nowhere());
            self.waiting.push(nowhere());
        } else {
            self.sole = (0..quotas).map(|_| NONE).collect();
        }
        stood
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    /// Pods in two leaves, with the conditions that must hold after every step.
    struct World {
        ledger: Ledger,
        lines: BorrowingSplit,
        rows: Table<Row>,
        parts: AccountParts,
        /// Account, shape and leaf of each pod, and whether it is pending or uses quota.
        pods: Vec<(Step, bool, bool)>,
        /// The pods that use quota and those that are pending, in order.
        order: Vec<u32>,
    }

    impl World {
        fn new() -> Self {
            let (mut lines, ledger) = (BorrowingSplit::default(), ledger());
            lines.rebuild(3, &[0, 1], &ledger, false);
            Self { ledger, lines, rows: shapes(), parts: AccountParts::new(3), pods: Vec::new(), order: Vec::new() }
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
            let books = (&self.ledger, &self.rows, &Binding::default());
            if !self.lines.shift(step, books, &mut self.parts, FROM) {
                self.lay(true);
            }
        }

        fn lay(&mut self, keep: bool) {
            let stood = self.lines.rebuild(3, &[0, 1], &self.ledger, keep);
            self.parts.clear(FROM);
            for pod in stood.unwrap_or_else(|| (0..self.pods.len() as u32).collect()) {
                let (step, waits, uses) = self.pods[pod as usize];
                if waits || uses {
                    let step = Step { uses: uses.into(), waits: waits.into(), ..step };
                    assert!(
                        self.lines.shift(step, (&self.ledger, &self.rows, &Binding::default()), &mut self.parts, FROM)
                            || !keep
                    );
                }
            }
        }

        /// Borrowed and lacking amounts by account, computed from the order alone.
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
            (0..6).map(|account| self.parts.amounts(account, resource)).collect()
        }
    }

    #[test]
    fn l2_who_came_when_the_guarantee_was_in_use_borrows() {
        let mut world = World::new();
        // Leaf a is guaranteed 10 cpus. UsageAccounts 0 and 1 each have two pods of 4, bound in turn: 16 used, 6 borrowed.
        for account in [0, 1, 0, 1] {
            let pod = world.pods.len() as u32;
            let step = Step { pod, shape: 1, account, class: 0, leaf: Some(1), uses: 0, waits: 0 };
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
        let step = Step { pod: 4, shape: 1, account: 2, class: 0, leaf: Some(1), uses: 0, waits: 0 };
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
                        world.pods.push((Step { pod, shape, account, class: 0, leaf, uses: 0, waits: 0 }, false, false));
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
