//! The shapes that real clusters have and that a table of equal pods hides: pods no two of which are alike, heads that
//! cannot be helped, gangs that want a rack, leaves that borrow from each other. Each is played at `n`, `2n` and `4n`, so
//! that the exponent of a turn's cost says how it grows.

mod full;
mod meter;
mod reclaim;
mod stuck;
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
        play: |meter, n| full::distinct(meter, n, 20),
    },
    Shape {
        name: "one-leaf",
        of: "waiting pods, no two alike, one leaf",
        turn: "an end",
        n: 2000,
        small: 200,
        play: |meter, n| full::distinct(meter, n, 1),
    },
    Shape {
        name: "one-node",
        of: "pods on one node, a reclaim",
        turn: "a reclaim",
        n: 4000,
        small: 200,
        play: reclaim::one_node,
    },
    Shape {
        name: "stuck",
        of: "entitled heads that cannot be helped",
        turn: "a fact that helps nobody",
        n: 1000,
        small: 50,
        play: stuck::play,
    },
    Shape {
        name: "reclaim",
        of: "leaves, half of which reclaim from the other half at once",
        turn: "a reclaim",
        n: 2000,
        small: 100,
        play: reclaim::leaves,
    },
];
