//! The controller of Deployments: as many pods as wanted; lost ones are made anew, surplus ones taken away.

use super::{State, submit::Order};
use crate::{engine::Engine, model::Kind, options::RunError};
use quotree_core::PodSet;
use smallvec::smallvec;
use std::{cmp::Reverse, sync::Arc};

impl Engine<'_> {
    /// Another replica count. Pods on their way out are made up for by their own retries; surplus pods go at once, waiting
    /// before running, youngest first.
    pub(crate) fn scale(&mut self, owner: u32, replicas: u32) -> Result<(), RunError> {
        self.world.controllers[owner].wanted = replicas;
        let mut units = std::mem::take(&mut self.world.controllers[owner].units);
        units.retain(|u| self.world.units[*u].live > 0);
        let leaving = |u: &&u32| self.world.pods[self.world.units[**u].first_pod].state.goes();
        let on_their_way = units.iter().filter(leaving).count();
        let staying = units.len() - on_their_way;
        let wanted = replicas as usize;
        let mut surplus: Vec<u32> = Vec::new();
        if staying > wanted {
            surplus = units.iter().filter(|u| !leaving(u)).copied().collect();
            let waits = |u: u32| self.world.pods[self.world.units[u].first_pod].state == State::Waiting;
            surplus.sort_by_key(|u| (!waits(*u), Reverse((self.world.units[*u].created, *u))));
            surplus.truncate(staying - wanted);
        }
        self.world.controllers[owner].units = units;
        for unit in surplus {
            self.withdraw(unit, State::Deleted)?;
        }
        let coming = staying + on_their_way + self.world.controllers[owner].retrying as usize;
        (coming..wanted).try_for_each(|_| self.one_more(owner, 0, None))
    }

    /// Makes up for a pod that was evicted or lost, if it is still wanted.
    pub(crate) fn replace_replica(&mut self, owner: u32, lost: u32) -> Result<(), RunError> {
        let state = &self.world.controllers[owner];
        if state.running + state.pending - state.leaving >= state.wanted {
            return Ok(());
        }
        self.one_more(owner, self.world.units[lost].evictions, None)
    }

    /// One more pod of a Deployment or Job; `work` is what it has to do and how long that ran before, milliseconds,
    /// absent: without end.
    pub(crate) fn one_more(&mut self, owner: u32, evictions: u32, work: Option<(u64, u64)>) -> Result<(), RunError> {
        let Some(Kind::Deployment { template, .. } | Kind::Job { template, .. }) = self.kind(owner) else {
            return Ok(());
        };
        let (left_ms, ran_ms) = work.unwrap_or((u64::MAX, 0));
        let state = &self.world.controllers[owner];
        let set = PodSet { template: Arc::clone(template), count: 1, min: 1 };
        let order = Order {
            owner,
            namespace: state.namespace,
            priority: None,
            number: state.made + 1,
            turn: 0,
            left_ms,
            ran_ms,
            evictions,
            sets: smallvec![(set, state.shape)],
        };
        self.submit(order).map(drop)
    }
}
