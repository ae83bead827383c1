//! What goes wrong between a decision and the cluster: binds that fail, and requests to evict that are lost and sent again.
//!
//! The scheduler is told of a bind that failed, and of a pod only when it is gone: that a request was lost is the
//! driver's affair. Meanwhile the pod works on, may end its work, and is charged as leaving all the time (L1). Each kind of
//! trouble has a random stream of its own and draws nothing where it cannot happen.

use super::{OUTCOME, State, WorldEvent};
use crate::{
    engine::Engine,
    options::{RunError, TimelineEvent},
    random::Stream,
    trace::TraceEvent,
};
use quotree_core::Event;
use std::collections::BTreeSet;

/// The dice of an unreliable world, and what they did.
#[derive(Debug)]
pub(crate) struct Unreliable {
    binds: Stream,
    evictions: Stream,
    /// Units of which a bind failed.
    failed: BTreeSet<u32>,
}

impl Unreliable {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            binds: Stream::new(seed, "failed-binds"),
            evictions: Stream::new(seed, "lost-evictions"),
            failed: BTreeSet::new(),
        }
    }

    /// Whether a bind of this unit ever failed.
    pub(crate) fn failed_to_bind(&self, unit: u32) -> bool {
        self.failed.contains(&unit)
    }
}

impl Engine<'_> {
    /// Whether things go wrong now and then.
    fn is_unreliable(&self) -> bool {
        self.scenario.world.reliable_from.is_none_or(|from| self.now < from)
    }

    /// A pod is to be bound: after the latency it is, or is not.
    pub(crate) fn request_bind(&mut self, pod: u32) {
        let delay = self.world.bind_stream.duration_ms(&self.scenario.world.bind_latency);
        let permille = self.scenario.world.failed_binds_permille;
        let fails = permille > 0 && self.is_unreliable() && self.world.unreliable.binds.below(1000) < permille;
        self.outcome(delay, if fails { WorldEvent::BindFailed(pod) } else { WorldEvent::Bound(pod) });
    }

    /// A pod is to be evicted: the request reaches it and its grace begins, or is lost. Only what runs needs a request that
    /// can be lost; a bind that is under way is taken back by who made it.
    pub(crate) fn request_eviction(&mut self, pod: u32) {
        let permille = self.scenario.world.lost_evictions_permille;
        let works = self.world.pods[pod].state.works();
        if works && permille > 0 && self.is_unreliable() && self.world.unreliable.evictions.below(1000) < permille {
            self.set_state(pod, State::Unreached);
            let (id, unit) = (self.world.id_of(pod), self.world.pods[pod].unit);
            self.trace(TraceEvent::LostEviction { pod: id });
            self.tell_mishap(unit, id, TimelineEvent::EvictionLost, "keeps running: the eviction request was lost");
            let again = self.now.after_ms(self.scenario.world.eviction_retry_ms);
            self.queue.schedule(again, OUTCOME, WorldEvent::EvictAgain(pod));
            return;
        }
        self.set_state(pod, State::Leaving);
        let delay = self.world.grace(self.scenario, pod);
        self.outcome(delay, WorldEvent::Gone(pod));
    }

    /// A lost request is sent again. Once it gets through, the work stops, of a gang that is not whole without it all of it.
    pub(crate) fn evict_again(&mut self, pod: u32) -> Result<(), RunError> {
        if self.world.pods[pod].state != State::Unreached {
            return Ok(());
        }
        self.request_eviction(pod);
        if self.world.pods[pod].state != State::Leaving {
            return Ok(());
        }
        let unit = self.world.pods[pod].unit;
        if self.still_trains(unit) {
            self.pace(self.world.units[unit].owner);
        } else {
            let lost = self.interrupt(unit);
            if let Some(eviction) = self.figures.evictions.all.iter_mut().rev().find(|e| e.pod == pod) {
                eviction.lost_ms += lost;
            }
        }
        Ok(())
    }

    /// A planned bind does not come true: the pod waits again.
    pub(crate) fn bind_failed(&mut self, pod: u32) -> Result<(), RunError> {
        if self.world.pods[pod].state != State::Binding {
            return Ok(());
        }
        self.set_state(pod, State::Waiting);
        self.world.takes_off(pod);
        self.discharge(pod);
        let (id, unit) = (self.world.id_of(pod), self.world.pods[pod].unit);
        self.world.unreliable.failed.insert(unit);
        self.trace(TraceEvent::BindFailed { pod: id });
        self.tell_mishap(unit, id, TimelineEvent::BindFailed, "is pending again: binding it to the node failed");
        self.feed(Event::BindFailed { pod: id })
    }
}
