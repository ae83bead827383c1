//! Nodes that fail at random. The k-th failure and repair of a node are drawn from a stream of their own, labelled with
//! the name of the faults, the node, and k. So events of other nodes and edits of the scenario never change these
//! draws. The time to the next failure of a node passes even while another cause keeps the node down.

use super::{EDIT, NodeEvent, World, WorldEvent, nodes};
use crate::{model::Faults, random::Stream};
use quotree_core::Time;

/// Draws the first failure of every node.
pub(crate) fn begin(world: &mut World<'_>) {
    let scenario = world.scenario;
    for (number, faults) in (0u32..).zip(&scenario.faults) {
        for node in faults.nodes.iter() {
            schedule_next(world, number, faults, *node, 1, faults.from);
        }
    }
}

/// The stream of the `nth` outage of a node, and the time until it.
fn draw(world: &World<'_>, faults: &Faults, node: u32, nth: u32) -> (Stream, Option<u64>) {
    let name = world.scenario.cluster.nodes.get(node as usize).map_or("", |node| node.name.as_str());
    let mut stream = Stream::new(world.seed, &format!("faults/{}/{name}/{nth}", faults.name));
    // At least a millisecond, so that time goes on.
    let up = stream.duration_ms(&faults.mtbf).map(|ms| ms.max(1));
    (stream, up)
}

fn schedule_next(world: &mut World<'_>, number: u32, faults: &Faults, node: u32, nth: u32, from: Time) {
    let (_, Some(up)) = draw(world, faults, node, nth) else {
        return;
    };
    let at = from.after_ms(up);
    if at <= faults.until {
        let what = NodeEvent::Fault { faults: number, node, nth, down: true };
        world.schedule(at, EDIT, WorldEvent::Node(what));
    }
}

/// Fails a node, or repairs it.
pub(crate) fn apply(world: &mut World<'_>, number: u32, node: u32, nth: u32, down: bool) {
    let scenario = world.scenario;
    let Some(faults) = scenario.faults.get(number as usize) else {
        return;
    };
    if down {
        world.fleet.failures += 1;
        let (mut stream, _) = draw(world, faults, node, nth);
        if let Some(repair) = stream.duration_ms(&faults.mttr) {
            let what = NodeEvent::Fault { faults: number, node, nth, down: false };
            world.schedule(world.now.after_ms(repair), EDIT, WorldEvent::Node(what));
        }
    } else {
        schedule_next(world, number, faults, node, nth.saturating_add(1), world.now);
    }
    nodes::hold_down(world, node, down)
}
