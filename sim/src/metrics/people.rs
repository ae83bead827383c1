//! Breakdowns: what the parties of each user, group, namespace, quota or workload came to, added up.

use super::wait_summary;
use crate::{
    driver::Engine,
    result::{GroupRow, QuantityMap, TimeMap, UserRow, WorkRow},
    world::{Counts, NONE, Party, Shapes},
};
use quotree_core::{Amounts, Name};

/// Sums over parties, by the number of what they are of.
pub(super) struct Sums<'e> {
    shapes: &'e Shapes,
    all: Vec<Sum>,
}

#[derive(Clone, Default)]
struct Sum {
    counts: Counts,
    refused: u64,
    lost_ms: u128,
    used: Vec<i128>,
    used_ms: Vec<u128>,
    waits: Vec<u64>,
}

impl<'e> Sums<'e> {
    /// Adds every party to the sums of these numbers.
    pub(super) fn new(engine: &'e Engine<'_>, count: usize, of: impl Fn(&Party) -> Vec<u32>) -> Self {
        let width = engine.world.shapes.resources().len();
        let empty = Sum { used: vec![0; width], used_ms: vec![0; width], ..Sum::default() };
        let mut all = vec![empty; count];
        let places: Vec<Vec<u32>> = engine.world.parties.all.iter().map(of).collect();
        for (party, places) in engine.world.parties.all.iter().zip(&places) {
            for place in places {
                let Some(sum) = all.get_mut(*place as usize) else { continue };
                sum.counts.add(&party.counts);
                sum.refused += party.refused;
                sum.lost_ms = sum.lost_ms.saturating_add(party.lost_ms);
                sum.used.iter_mut().zip(&party.used).for_each(|(sum, used)| *sum += used);
                for (sum, ms) in sum.used_ms.iter_mut().zip(party.used_ms(engine.now)) {
                    *sum = sum.saturating_add(ms);
                }
            }
        }
        for wait in &engine.figures.waits {
            for place in places.get(wait.party as usize).into_iter().flatten() {
                if let Some(sum) = all.get_mut(*place as usize) {
                    sum.waits.push(wait.ms);
                }
            }
        }
        Self { shapes: &engine.world.shapes, all }
    }

    /// What the sum of a number came to; once.
    pub(super) fn take(&mut self, number: u32) -> WorkRow {
        let mut sum = self.all.get_mut(number as usize).map(std::mem::take).unwrap_or_default();
        let mut used = Amounts::new();
        for (name, amount) in self.shapes.resources().zip(&sum.used).filter(|(_, amount)| **amount > 0) {
            used.set(name.clone(), i64::try_from(*amount).unwrap_or(i64::MAX));
        }
        let times = self.shapes.resources().zip(&sum.used_ms).filter(|(_, ms)| **ms > 0);
        WorkRow {
            running: sum.counts.running,
            pending: sum.counts.pending,
            succeeded: sum.counts.succeeded,
            failed: sum.counts.failed,
            evicted: sum.counts.evicted,
            refused: sum.refused,
            wait: wait_summary(&mut sum.waits),
            used: QuantityMap(used),
            used_time_s: TimeMap(times.map(|(name, ms)| (name.clone(), *ms)).collect()),
            lost_work_ms: sum.lost_ms,
        }
    }
}

/// The number as a place, where there is one.
fn place(number: u32) -> Vec<u32> {
    if number == NONE { Vec::new() } else { vec![number] }
}

pub(super) fn users(engine: &Engine<'_>) -> Vec<UserRow> {
    let world = &engine.world;
    let mut sums = Sums::new(engine, world.parties.user_names().len(), |party| place(party.who.user));
    let row = |(number, name): (u32, &Name)| {
        let account = world.tenants.user(name.as_str());
        let mut work = sums.take(number);
        let edits = world.refusals.all.iter().filter(|refused| refused.user == number && refused.party == NONE);
        work.refused += edits.map(|refused| refused.row.times).sum::<u64>();
        UserRow {
            name: name.to_string(),
            role: account.map(|account| account.role),
            groups: account.into_iter().flat_map(|account| &account.groups).map(Name::to_string).collect(),
            work,
        }
    };
    (0..).zip(world.parties.user_names()).map(row).collect()
}

pub(super) fn groups(engine: &Engine<'_>) -> Vec<GroupRow> {
    let world = &engine.world;
    let mut sums = Sums::new(engine, world.parties.group_names().len(), |party| place(party.who.group));
    let row = |(number, name): (u32, &Name)| {
        let members = world.tenants.users().filter(|(_, account)| account.groups.contains(name));
        GroupRow {
            name: name.to_string(),
            quota: world.tenants.leaf_of(name.as_str()).map(Name::to_string),
            members: members.map(|(user, _)| user.to_string()).collect(),
            work: sums.take(number),
        }
    };
    (0..).zip(world.parties.group_names()).map(row).collect()
}
