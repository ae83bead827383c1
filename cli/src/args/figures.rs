//! The formats of figures.

use clap::ValueEnum;

/// The format of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Picture {
    /// A drawing that scales.
    Svg,
    /// A picture of 2400 x 1400 pixels.
    Png,
}
