//! Slow nodes: work goes at a part of full speed, and that of a gang at the speed of its slowest member. Speeds are whole
//! thousandths and work is counted in thousandths of a millisecond, so what is done is exact however often speeds change.

use super::World;
use crate::{engine::Engine, trace::TraceEvent};
use quotree_core::{NodeId, Time};

/// Full speed.
pub(crate) const FULL: u32 = 1000;

/// How far a unit has come that works, or worked, at less than full speed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Which of its ends is the one that counts.
    pub(crate) epoch: u32,
    /// Work done up to `since`, thousandths of milliseconds.
    done: u128,
    since: Time,
    permille: u32,
}

impl Pace {
    /// Work done up to now, thousandths of milliseconds.
    fn done(&self, now: Time) -> u128 {
        self.done + u128::from(now.since(self.since)) * u128::from(self.permille)
    }
}

impl World {
    /// The speed of a unit: that of the slowest node one of its working pods is on.
    pub(crate) fn speed(&self, unit: u32) -> u32 {
        if self.fleet.slow == 0 {
            return FULL;
        }
        let working = self.pods_of(unit).filter(|pod| self.pods[*pod].state.works());
        let nodes = working.map(|pod| self.pods[pod].node).filter(|node| *node < self.nodes.len());
        nodes.map(|node| self.nodes[node].permille).min().unwrap_or(FULL)
    }

    /// What a unit that works has done, thousandths of milliseconds, and its speed.
    pub(crate) fn progress(&self, unit: u32, since: Time, now: Time) -> (u128, u32) {
        match self.fleet.paces.get(&unit) {
            Some(pace) => (pace.done(now), pace.permille),
            None => (u128::from(now.since(since)) * u128::from(FULL), FULL),
        }
    }

    /// How long a unit that works has worked, counted at full speed, rounded down to milliseconds.
    pub(crate) fn worked_ms(&self, unit: u32, since: Time, now: Time) -> u64 {
        u64::try_from(self.progress(unit, since, now).0 / u128::from(FULL)).unwrap_or(u64::MAX)
    }
}

impl Engine<'_> {
    /// Work on a node goes at another speed from now on.
    pub(crate) fn slow_node(&mut self, node: u32, permille: u32) {
        let before = std::mem::replace(&mut self.world.nodes[node].permille, permille);
        if before == permille {
            return;
        }
        let fleet = &mut self.world.fleet;
        fleet.slow = fleet.slow + u32::from(permille < FULL) - u32::from(before < FULL);
        self.trace(TraceEvent::Slow { node: NodeId(node), permille });
        let mut units: Vec<u32> = self.world.pods_on(node).iter().map(|pod| self.world.pods[*pod].unit).collect();
        units.sort_unstable();
        units.dedup();
        for unit in units {
            let owner = self.world.units[unit].owner;
            if self.world.controllers[owner].training.as_ref().is_some_and(|t| t.unit == Some(unit)) {
                self.pace(owner);
            } else if let Some(since) = self.world.units[unit].working_since {
                self.change_pace(unit, since);
            }
        }
    }

    /// A unit that works since then goes on at the speed of its nodes, and will be done at another time.
    pub(crate) fn change_pace(&mut self, unit: u32, since: Time) {
        // How fast a pod that reads gets on, its dataset decides: slow is how it computes.
        if self.is_reader(self.world.units[unit].owner) {
            return self.read_job(unit);
        }
        let (now, permille) = (self.now, self.world.speed(unit));
        let old = self.world.fleet.paces.get(&unit).copied();
        if old.map_or(FULL, |pace| pace.permille) == permille {
            return;
        }
        let old = old.unwrap_or(Pace { epoch: 0, done: 0, since, permille: FULL });
        let pace = Pace { epoch: old.epoch + 1, done: old.done(now), since: now, permille };
        self.world.fleet.paces.insert(unit, pace);
        let (work, limit) = self.job_pod_work(unit);
        let done_at = work.map(|ms| {
            let left = (u128::from(ms) * u128::from(FULL)).saturating_sub(pace.done).div_ceil(u128::from(permille));
            now.after_ms(u64::try_from(left).unwrap_or(u64::MAX))
        });
        let limit = limit.map(|ms| since.after_ms(ms));
        if let Some(at) = done_at.into_iter().chain(limit).min() {
            self.finish_at(at, unit, pace.epoch);
        }
    }
}
