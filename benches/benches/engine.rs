//! Self-rescheduling timers with 1000 distinct periods: our event queue beside the whole of simcore, and beside a bare
//! binary heap that orders by time alone.

#![allow(missing_docs, reason = "criterion's mains have no readers")]

use quotree_benches::{criterion, only_tried, rate, ratio, row, shortest};
use quotree_core::Time;
use quotree_sim::queue::Queue;
use serde::Serialize;
use simcore::{Event, EventHandler, Simulation, SimulationContext};
use std::{cell::RefCell, cmp::Reverse, collections::BinaryHeap, rc::Rc};

const TIMERS: u64 = 1000;

/// The period of a timer, milliseconds: a thousand different ones.
const fn period(timer: u64) -> u64 {
    1000 + 7 * timer
}

fn ours(events: u64) -> u64 {
    let mut queue = Queue::new();
    for timer in 0..TIMERS {
        queue.schedule(Time(period(timer)), 0, timer);
    }
    let mut sum = 0u64;
    for _ in 0..events {
        if let Some((now, timer)) = queue.pop() {
            sum = sum.wrapping_add(now.0 ^ timer);
            queue.schedule(now.after_ms(period(timer)), 0, timer);
        }
    }
    sum
}

fn bare_heap(events: u64) -> u64 {
    let mut heap: BinaryHeap<Reverse<(u64, u64)>> = (0..TIMERS).map(|t| Reverse((period(t), t))).collect();
    let mut sum = 0u64;
    for _ in 0..events {
        if let Some(mut top) = heap.peek_mut() {
            let Reverse((now, timer)) = *top;
            sum = sum.wrapping_add(now ^ timer);
            *top = Reverse((now + period(timer), timer));
        }
    }
    sum
}

#[derive(Clone, Serialize)]
struct Tick {}

struct Timer {
    period: f64,
    context: SimulationContext,
}

impl EventHandler for Timer {
    fn on(&mut self, _event: Event) {
        self.context.emit_self(Tick {}, self.period);
    }
}

fn simcore(events: u64) -> u64 {
    let mut simulation = Simulation::new(1);
    for timer in 0..TIMERS {
        let name = format!("timer-{timer}");
        #[expect(clippy::cast_precision_loss, reason = "the peer counts time in floats")]
        let period = period(timer) as f64;
        let context = simulation.create_context(&name);
        context.emit_self(Tick {}, period);
        simulation.add_handler(&name, Rc::new(RefCell::new(Timer { period, context })));
    }
    simulation.steps(events);
    simulation.event_count()
}

fn main() {
    let mut criterion = criterion();
    let events = if only_tried() { 10_000 } else { 2_000_000 };
    let mine = shortest(&mut criterion, "engine/quotree", || ours(events));
    let theirs = shortest(&mut criterion, "engine/simcore", || simcore(events));
    let bare = shortest(&mut criterion, "engine/bare heap", || bare_heap(events));
    row(&[
        "engine: self-rescheduling timers, 1000 periods",
        &rate(events, mine),
        &format!("simcore {}: {} times", rate(events, theirs), ratio(mine, theirs)),
        &format!("bare heap {}", rate(events, bare)),
    ]);
    criterion.final_summary();
}
