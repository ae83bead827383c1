//! Statistics over runs, in whole numbers: the same on every machine.

mod spread;
mod wilson;

pub use spread::{Observed, Spread};
pub use wilson::{Interval, Share};
