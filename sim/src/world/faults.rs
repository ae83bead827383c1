//! Nodes that fail at random. The k-th failure and repair of a node come out of a stream of their own, labelled with the
//! faults' name, the node's and k: nothing that befalls one node, or changes elsewhere, moves another one's draws. The clock
//! of a node runs on while something else holds it down.

use super::{EDIT, NodeEvent, WorldEvent};
use crate::{engine::Engine, model::Faults, options::RunError, random::Stream};
use quotree_core::Time;

impl Engine<'_> {
    /// Draws the first failure of every node.
    pub(crate) fn begin_faults(&mut self) {
        let scenario = self.scenario;
        for (number, faults) in (0u32..).zip(&scenario.faults) {
            for node in faults.nodes.iter() {
                self.next_fault(number, faults, *node, 1, faults.from);
            }
        }
    }

    /// The stream of the `nth` outage of a node, and the time to it.
    fn draw(&self, faults: &Faults, node: u32, nth: u32) -> (Stream, Option<u64>) {
        let name = self.scenario.cluster.nodes.get(node as usize).map_or("", |node| node.name.as_str());
        let mut stream = Stream::new(self.seed, &format!("faults/{}/{name}/{nth}", faults.name));
        // At least a millisecond, so that time goes on.
        let up = stream.duration_ms(&faults.mtbf).map(|ms| ms.max(1));
        (stream, up)
    }

    fn next_fault(&mut self, number: u32, faults: &Faults, node: u32, nth: u32, from: Time) {
        let (_, Some(up)) = self.draw(faults, node, nth) else {
            return;
        };
        let at = from.after_ms(up);
        if at <= faults.until {
            let what = NodeEvent::Fault { faults: number, node, nth, down: true };
            self.queue.schedule(at, EDIT, WorldEvent::Node(what));
        }
    }

    /// A node fails, or is repaired.
    pub(crate) fn fault(&mut self, number: u32, node: u32, nth: u32, down: bool) -> Result<(), RunError> {
        let scenario = self.scenario;
        let Some(faults) = scenario.faults.get(number as usize) else {
            return Ok(());
        };
        if down {
            self.world.fleet.failures += 1;
            let (mut stream, _) = self.draw(faults, node, nth);
            if let Some(repair) = stream.duration_ms(&faults.mttr) {
                let what = NodeEvent::Fault { faults: number, node, nth, down: false };
                self.queue.schedule(self.now.after_ms(repair), EDIT, WorldEvent::Node(what));
            }
        } else {
            self.next_fault(number, faults, node, nth.saturating_add(1), self.now);
        }
        self.hold_down(node, down)
    }
}
