//! The shapes that real clusters have and that a table of equal pods hides: pods no two of which are alike, heads that
//! cannot be helped, gangs that want a rack, leaves that borrow from each other. Each is played at `n`, `2n` and `4n`, so
//! that the exponent of a turn's cost says how it grows.

mod full;
mod kai;
mod kueue;
mod meter;
mod racks;
mod reclaim;
mod shares;
mod stuck;
mod waiting;
mod world;

pub use meter::{Meter, Sample, exponent};

/// A shape: what it is called, how large it is, and how it is played.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// As `--only` knows it.
    pub name: &'static str,
    /// What there are `n` of, and around what.
    pub of: &'static str,
    /// What one turn is.
    pub turn: &'static str,
    /// The smallest of its three sizes, unless told.
    pub n: u32,
    /// The same where it is only tried.
    pub small: u32,
    /// Whether its turn should cost the same at any size: an exponent of 0.5 at most.
    pub flat: bool,
    /// Plays it at a size. What is measured is told to the meter.
    pub play: fn(&mut Meter, u32),
}

/// All shapes, in the order in which they are printed.
pub const SHAPES: &[Shape] = &[
    Shape {
        name: "distinct",
        of: "waiting pods, no two alike, 20 leaves",
        turn: "an end",
        n: 2000,
        small: 200,
        flat: true,
        play: |meter, n| full::distinct(meter, n, 20, full::UNLIKE),
    },
    Shape {
        name: "one-leaf",
        of: "waiting pods, no two alike, one leaf",
        turn: "an end",
        n: 2000,
        small: 200,
        flat: true,
        play: |meter, n| full::distinct(meter, n, 1, full::UNLIKE),
    },
    Shape {
        name: "one-size",
        of: "waiting pods, no two alike, all about as large, 20 leaves",
        turn: "an end",
        n: 2000,
        small: 200,
        flat: true,
        play: |meter, n| full::distinct(meter, n, 20, full::ALIKE),
    },
    Shape {
        name: "one-size-one-leaf",
        of: "the same in one leaf",
        turn: "an end",
        n: 2000,
        small: 200,
        flat: true,
        play: |meter, n| full::distinct(meter, n, 1, full::ALIKE),
    },
    Shape {
        name: "kueue",
        of: "queues of Kueue's generator, 50 workloads each",
        turn: "a workload",
        n: 250,
        small: 20,
        flat: false,
        play: kueue::play,
    },
    Shape {
        name: "kai",
        of: "nodes of 8 GPUs, half of which a second team reclaims in one decision while as many wait",
        turn: "a reclaim",
        n: 125,
        small: 10,
        flat: false,
        play: kai::reclaim,
    },
    Shape {
        name: "kai-verdict",
        of: "full nodes of 8 GPUs, and a gang of 80 that nobody may be evicted for",
        turn: "decision and verdict",
        n: 125,
        small: 20,
        flat: false,
        play: kai::verdict,
    },
    Shape {
        name: "one-node",
        of: "pods on one node",
        turn: "a reclaim",
        n: 4000,
        small: 200,
        flat: true,
        play: reclaim::one_node,
    },
    Shape {
        name: "stuck",
        of: "entitled heads that cannot be helped",
        turn: "a fact",
        n: 1000,
        small: 50,
        flat: true,
        play: stuck::play,
    },
    Shape {
        name: "reclaim",
        of: "leaves, half of which reclaim from the others at once",
        turn: "a reclaim",
        n: 2000,
        small: 100,
        flat: false,
        play: reclaim::leaves,
    },
    Shape {
        name: "racks",
        of: "gangs of 8 to 64 that want a rack",
        turn: "an end",
        n: 1000,
        small: 50,
        flat: true,
        play: racks::play,
    },
    Shape {
        name: "shares",
        of: "leaves by shares",
        turn: "an end",
        n: 1000,
        small: 100,
        flat: true,
        play: shares::by_share,
    },
    Shape {
        name: "guarantees",
        of: "the same leaves by guarantees",
        turn: "an end",
        n: 1000,
        small: 100,
        flat: true,
        play: shares::by_guarantee,
    },
    Shape {
        name: "replicas",
        of: "replicas that come at once and wait",
        turn: "a replica",
        n: 25_000,
        small: 500,
        flat: true,
        play: waiting::replicas,
    },
    Shape {
        name: "one-alive",
        of: "jobs one after the other, no two alike",
        turn: "a job",
        n: 25_000,
        small: 500,
        flat: true,
        play: waiting::one_alive,
    },
];
