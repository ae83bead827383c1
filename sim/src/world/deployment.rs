//! The controller of Deployments: it keeps the wanted number of pods. Lost pods are replaced, surplus pods deleted.
//! Many new pods are created in parts, since the outbox keeps everything that one step emits.

use super::{End, State, World, job_record, resize, submit, submit::NewWorkload};
use crate::model::Kind;
use quotree_core::PodSet;
use smallvec::smallvec;
use std::cmp::Reverse;

/// Sets the replica count. A pod that is already terminating is replaced by its own retry. Surplus pods are deleted at
/// once: pending pods first, then running ones, newest first in each.
pub(crate) fn scale(world: &mut World<'_>, owner: u32, replicas: u32) {
    world.controllers[owner].wanted = replicas;
    let mut units = std::mem::take(&mut world.controllers[owner].units);
    units.retain(|u| world.units[*u].live > 0);
    let leaving = |u: &&u32| world.pods[world.units[**u].first_pod].state.is_leaving();
    let on_their_way = units.iter().filter(leaving).count();
    let staying = units.len() - on_their_way;
    let wanted = replicas as usize;
    let mut surplus: Vec<u32> = Vec::new();
    if staying > wanted {
        surplus = units.iter().filter(|u| !leaving(u)).copied().collect();
        let waits = |u: u32| world.pods[world.units[u].first_pod].state == State::Waiting;
        surplus.sort_by_key(|u| (!waits(*u), Reverse((world.units[*u].created, *u))));
        surplus.truncate(staying - wanted);
    }
    world.controllers[owner].units = units;
    for unit in surplus {
        submit::withdraw(world, unit, State::Deleted);
        job_record::end(world, world.units[unit].job, End::Withdrawn);
    }
    let coming = staying + on_their_way + world.controllers[owner].retrying as usize;
    let pods = replicas.saturating_sub(u32::try_from(coming).unwrap_or(u32::MAX));
    world.unmade.retain(|unmade| unmade.owner != owner);
    create(world, Unmade { owner, pods });
}

/// Pods that a Deployment must still create before anything else happens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unmade {
    owner: u32,
    pods: u32,
}

/// How many pods are created in one step.
const PART: u32 = 1024;

/// Creates the next part of these pods, and notes how many are left.
fn create(world: &mut World<'_>, Unmade { owner, pods }: Unmade) {
    let now = pods.min(PART);
    for _ in 0..now {
        if add_pod(world, owner, 0, None).is_none() {
            return;
        }
    }
    if pods > now {
        world.unmade.push(Unmade { owner, pods: pods - now });
    }
}

/// Creates the next part of pods that [`scale`] has noted. Returns whether there were any.
pub(crate) fn create_rest(world: &mut World<'_>) -> bool {
    let Some(unmade) = world.unmade.pop() else { return false };
    if !world.controllers[unmade.owner].closed {
        create(world, unmade);
    }
    true
}

/// Creates a replacement for a pod that was evicted or lost with its node, if the Deployment is below its replica
/// count.
pub(crate) fn replace(world: &mut World<'_>, owner: u32, lost: u32) {
    let state = &world.controllers[owner];
    if state.running + state.pending - state.leaving >= state.wanted {
        job_record::end(world, world.units[lost].job, End::Withdrawn);
        return;
    }
    let evictions = world.units[lost].evictions;
    add_pod(world, owner, evictions, None);
}

/// Adds a pod of a Deployment or Job. `work` is the remaining work and how long it has run before, milliseconds; if
/// absent, the pod runs without end.
pub(crate) fn add_pod(world: &mut World<'_>, owner: u32, evictions: u32, work: Option<(u64, u64)>) -> Option<u32> {
    let (Kind::Deployment { template, .. } | Kind::Job { template, .. }) = world.kind(owner)? else { return None };
    let (left_ms, ran_ms) = work.unwrap_or((u64::MAX, 0));
    let (workload, shape) = (world.controllers[owner].workload, world.controllers[owner].shape);
    let (template, shape) = resize::current(world, workload, (template, shape));
    let state = &world.controllers[owner];
    let set = PodSet { template, count: 1, min: 1 };
    let new = NewWorkload {
        owner,
        namespace: state.namespace,
        priority: None,
        number: state.made + 1,
        turn: 0,
        left_ms,
        ran_ms,
        evictions,
        sets: smallvec![(set, shape)],
    };
    submit::submit(world, new)
}
