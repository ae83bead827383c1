//! Whether pods fit on empty nodes all together. First the bounds, which prove that they do not; then a search with
//! backtracking, which begins with the fullest node that has room and so finds most arrangements at once.
//!
//! To pack is NP-hard, so the search counts its steps and gives up at a limit. Equal nodes in equal states are one
//! choice, and a position that was left without success is not entered again: what is "tried" is every arrangement that
//! differs in more than the names of nodes.

use crate::{bounds, node::Nodes};
use quotree_core::Level;
use std::collections::{BTreeMap, BTreeSet};

/// Pods that are placed together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gang {
    /// Kinds of pods with their numbers.
    pub(crate) pods: Vec<(u32, u32)>,
    /// The level of which one domain must hold them all.
    pub(crate) together: Option<Level>,
}

/// Nodes by state: how many there are of each.
pub(crate) type Bins = BTreeMap<u32, u32>;

/// Why pods do not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The nodes hold fewer pods of a kind.
    Holds { pod: u32, wanted: u64, holds: u64 },
    /// The suitable nodes have less of a resource.
    Sum { resource: usize, wanted: i128, has: i128 },
    /// In parts of this amount, of which a pod takes whole ones, the suitable nodes have less of a resource.
    Parts { resource: usize, part: i64, wanted: i128, has: i128 },
    /// Rounded as pods can be combined on a node of this amount, they need more nodes than there are.
    Combined { resource: usize, most: i64, wanted: u64, has: u64 },
    /// All arrangements were tried.
    Tried { steps: u64 },
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packed {
    Fits,
    Impossible(Proof),
    /// The limit of steps was reached.
    Undecided {
        steps: u64,
    },
}

/// The largest number of pods that is searched for; the bounds have no limit.
pub(crate) const MOST_PODS: u64 = 20_000;

/// Packs gangs on nodes. `steps` is what is left of the limit.
pub(crate) fn pack(nodes: &mut Nodes<'_>, bins: &Bins, gangs: &[(Gang, u64)], steps: &mut u64) -> Packed {
    if let Some(proof) = bounds::refute(nodes, bins, gangs) {
        return Packed::Impossible(proof);
    }
    let size = |gang: &Gang| gang.pods.iter().map(|(_, pods)| u64::from(*pods)).sum::<u64>();
    let all = gangs.iter().map(|(gang, times)| size(gang).saturating_mul(*times)).fold(0, u64::saturating_add);
    // One kind without a domain: the bound is exact.
    if let [(gang, _)] = gangs
        && (gang.pods.len() <= 1 && gang.together.is_none() || all <= 1)
    {
        return Packed::Fits;
    }
    if all > MOST_PODS || all > *steps {
        return Packed::Undecided { steps: 0 };
    }
    let mut sequence = Vec::new();
    let mut number = 0;
    for (gang, times) in gangs {
        for _ in 0..*times {
            for (kind, pods) in &gang.pods {
                let place = Place { kind: *kind, gang: gang.together.map(|level| (level, number)) };
                sequence.extend(std::iter::repeat_n(place, *pods as usize));
            }
            number += 1;
        }
    }
    let before = *steps;
    let found = Search { nodes, sequence: &sequence, gangs, bins: bins.clone(), failed: BTreeSet::new() }.run(steps);
    let used = before - *steps;
    match found {
        Some(true) => Packed::Fits,
        Some(false) if !nodes.left_out => Packed::Impossible(Proof::Tried { steps: used }),
        _ => Packed::Undecided { steps: used },
    }
}

/// One pod to place.
#[derive(Debug, Clone, Copy)]
struct Place {
    kind: u32,
    gang: Option<(Level, usize)>,
}

/// The choices for one pod.
#[derive(Debug, Default)]
struct Frame {
    /// The state of a node before and after, the best choice last.
    options: Vec<(u32, u32)>,
    applied: Option<(u32, u32)>,
    /// The domain of its gang.
    domain: Option<u32>,
}

/// A place of the sequence, the domain of the gang that goes on there, and the nodes by state.
type Position = (usize, Option<u32>, Vec<(u32, u32)>);

struct Search<'s, 'a> {
    nodes: &'s mut Nodes<'a>,
    sequence: &'s [Place],
    gangs: &'s [(Gang, u64)],
    bins: Bins,
    failed: BTreeSet<Position>,
}

impl Search<'_, '_> {
    /// Whether an arrangement exists; nothing if the steps ran out.
    fn run(&mut self, steps: &mut u64) -> Option<bool> {
        let mut frames: Vec<Frame> = vec![self.frame(0, None)];
        loop {
            let at = frames.len().checked_sub(1)?;
            let frame = frames.last_mut()?;
            if let Some((from, to)) = frame.applied.take() {
                self.shift(to, from);
            }
            let Some((from, to)) = frame.options.pop() else {
                let domain = at.checked_sub(1).and_then(|before| frames.get(before)).and_then(|before| before.domain);
                let key = self.key(at, domain);
                self.failed.insert(key);
                frames.pop();
                if frames.is_empty() {
                    return Some(false);
                }
                continue;
            };
            *steps = steps.checked_sub(1)?;
            frame.applied = Some((from, to));
            frame.domain = match self.sequence.get(at).and_then(|place| place.gang) {
                // The very node, which is in this state now.
                Some((Level::Node, _)) => Some(to),
                Some((level, _)) => self.nodes.domain(to, level),
                None => None,
            };
            let domain = frame.domain;
            self.shift(from, to);
            if at + 1 == self.sequence.len() {
                return Some(true);
            }
            let next = self.frame(at + 1, domain);
            frames.push(next);
        }
    }

    fn shift(&mut self, from: u32, to: u32) {
        if let Some(count) = self.bins.get_mut(&from) {
            *count -= 1;
            if *count == 0 {
                self.bins.remove(&from);
            }
        }
        *self.bins.entry(to).or_default() += 1;
    }

    /// Whether a pod belongs to the gang of the one before it.
    fn continues(&self, at: usize) -> bool {
        let gang = |at: usize| self.sequence.get(at).and_then(|place| place.gang);
        gang(at).is_some() && at.checked_sub(1).is_some_and(|before| gang(before) == gang(at))
    }

    fn key(&self, at: usize, domain: Option<u32>) -> Position {
        let domain = domain.filter(|_| self.continues(at));
        (at, domain, self.bins.iter().map(|(state, count)| (*state, *count)).collect())
    }

    /// The choices for the pod at a place of the sequence. `domain`: that of the pod before it.
    fn frame(&mut self, at: usize, domain: Option<u32>) -> Frame {
        let Some(place) = self.sequence.get(at).copied() else { return Frame::default() };
        if self.failed.contains(&self.key(at, domain)) {
            return Frame::default();
        }
        let continues = self.continues(at);
        let level = place.gang.map(|(level, _)| level);
        let mut options = Vec::new();
        let states: Vec<u32> = self.bins.keys().copied().collect();
        for from in states {
            let allowed = match (level, continues) {
                (None, _) | (Some(Level::Node), false) => true,
                (Some(Level::Node), true) => Some(from) == domain,
                (Some(level), false) => self.nodes.domain(from, level).is_some(),
                (Some(level), true) => self.nodes.domain(from, level) == domain,
            };
            if allowed {
                options.extend(self.nodes.moves(from, place.kind).iter().map(|to| (from, *to)));
            }
        }
        if let Some((level, number)) = place.gang.filter(|_| !continues) {
            options.retain(|(from, _)| self.has_room(*from, level, number));
        }
        // Last the node with the least left: it is taken first.
        let main = self.main_resource(place.kind);
        options.sort_by_key(|(from, to)| std::cmp::Reverse((self.nodes.free(*to, main), *from, *to)));
        Frame { options, applied: None, domain: None }
    }

    /// Whether the empty nodes of a domain would hold the gang, by kind: a quick filter.
    fn has_room(&mut self, state: u32, level: Level, number: usize) -> bool {
        if level == Level::Node {
            return true;
        }
        let domain = self.nodes.domain(state, level);
        let mut before = 0;
        let gang = self.gangs.iter().find(|(_, times)| {
            before += usize::try_from(*times).unwrap_or(usize::MAX);
            number < before
        });
        let Some((gang, _)) = gang else { return true };
        let here: Vec<(u32, u32)> = self.bins.iter().map(|(state, count)| (*state, *count)).collect();
        gang.pods.iter().all(|(kind, pods)| {
            let mut holds = 0u64;
            for (state, count) in &here {
                if self.nodes.domain(*state, level) == domain && !self.nodes.moves(*state, *kind).is_empty() {
                    let class = self.nodes.class_of(*state);
                    holds = holds.saturating_add(self.nodes.holds(class, *kind).saturating_mul(u64::from(*count)));
                }
            }
            holds >= u64::from(*pods)
        })
    }

    /// The resource of which a pod takes the largest part of the largest node.
    fn main_resource(&self, kind: u32) -> usize {
        bounds::main_resource(self.nodes, kind)
    }
}
