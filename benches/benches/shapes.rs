//! How the cost of a turn grows on the shapes that real clusters have, each at three sizes. `--help` says more.

#![allow(missing_docs, reason = "criterion's mains have no readers")]

use clap::{Parser, builder::PossibleValuesParser};
use cpu_time::ProcessTime;
use peak_alloc::PeakAlloc;
use quotree_benches::{
    row,
    shapes::{Meter, SHAPES, Sample, Shape, exponent},
};
use std::{process::ExitCode, time::Duration};

/// Knows how much memory is in use.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const EXAMPLES: &str = "\
Each shape is played at n, 2n and 4n. A row has, for each size, what a turn took in the mean and what the longest step
took, and the exponent of the mean: 0 if a turn costs the same at any size, 1 if it costs twice as much at twice the
size. Time is that of the processor: other work on the machine is not counted.

Examples:
  cargo bench -p quotree-benches --bench shapes
  cargo bench -p quotree-benches --bench shapes -- --only distinct --only stuck
  cargo bench -p quotree-benches --bench shapes -- --only distinct --n 25000 --budget-ms 300000
  cargo test -p quotree-benches --bench shapes --features counters -- --small --count";

/// Shapes whose turns should cost the same at any size, and do not yet: their exponents are printed, and no failure.
const STEEP: &[&str] = &["racks"];

/// The largest exponent of what the turns of a flat shape touch.
const MOST: f64 = 0.5;

/// Measures how the cost of a turn grows on the shapes that real clusters have.
#[derive(Debug, Parser)]
#[command(name = "shapes", after_help = EXAMPLES)]
struct Arguments {
    /// Only this shape; may be given several times
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(SHAPES.iter().map(|shape| shape.name)))]
    only: Vec<String>,
    /// The smallest of the three sizes; else each shape has its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(4..=2_500_000))]
    n: Option<u32>,
    /// Small sizes, to see whether all works
    #[arg(long, conflicts_with = "n")]
    small: bool,
    /// Prints how many entries of indexes a turn touched instead of its time, and fails if that grows too fast. Needs
    /// the feature `counters`
    #[arg(long)]
    count: bool,
    /// How much time of the processor one shape may take; a step that has begun is not cut off. What was not played is
    /// said on stderr
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    budget_ms: u64,
    /// Passed by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
    /// Passed by `cargo bench -- --test`
    #[arg(long, hide = true)]
    test: bool,
}

/// Plays a shape at its three sizes, as far as the budget goes.
fn play(shape: &Shape, n: u32, budget: Duration) -> Vec<(u32, Sample)> {
    let start = ProcessTime::now();
    let mut samples: Vec<(u32, Sample)> = Vec::new();
    for size in [n, n * 2, n * 4] {
        // The next size would take longer than all before it together.
        let too_slow = start.elapsed() * 2 > budget || samples.iter().any(|(_, sample)| sample.cut_off);
        if too_slow {
            eprintln!("{} was not played at {size}: its budget is {} ms", shape.name, budget.as_millis());
            continue;
        }
        let mut meter = Meter::new(budget / 4);
        (shape.play)(&mut meter, size);
        let sample = meter.sample();
        if sample.cut_off {
            eprintln!("{} at {size} was cut off: its budget is {} ms", shape.name, budget.as_millis());
        }
        samples.push((size, sample));
    }
    samples
}

fn time(ns: u64) -> String {
    match ns {
        1_000_000_000.. => format!("{}.{:02} s", ns / 1_000_000_000, ns / 10_000_000 % 100),
        10_000_000.. => format!("{} ms", ns / 1_000_000),
        1_000_000.. => format!("{}.{} ms", ns / 1_000_000, ns / 100_000 % 10),
        100_000.. => format!("{} µs", ns / 1000),
        _ => format!("{}.{} µs", ns / 1000, ns / 100 % 10),
    }
}

/// Prints the row of a shape. Gives the exponent of a turn's cost.
fn show(shape: &Shape, samples: &[(u32, Sample)], count: bool) -> Option<f64> {
    let cell = |of: &dyn Fn(&Sample) -> String| {
        samples.iter().map(|(n, sample)| format!("{n}: {}", of(sample))).collect::<Vec<_>>().join(", ")
    };
    let costs = samples.iter().map(|(_, sample)| if count { sample.touched_per_turn() } else { sample.ns_per_turn() });
    let slope = exponent(&costs.collect::<Vec<_>>());
    let mean = |sample: &Sample| match (count, sample.bytes) {
        (true, _) => sample.touched_per_turn().to_string(),
        (false, Some(bytes)) => format!("{} and {bytes} bytes", time(sample.ns_per_turn())),
        (false, None) => time(sample.ns_per_turn()),
    };
    let most = |sample: &Sample| match count {
        true => sample.most_touched.to_string(),
        false => time(u64::try_from(sample.longest.as_nanos()).unwrap_or(u64::MAX)),
    };
    let what = format!("{}: {}", shape.name, shape.of);
    let slope_cell = slope.map_or_else(|| "?".to_owned(), |slope| format!("{slope:.2}"));
    row(&[&what, shape.turn, &cell(&mean), &cell(&most), &slope_cell]);
    slope
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.count && !cfg!(feature = "counters") {
        eprintln!(
            "error: `--count` needs the feature `counters`: cargo test -p quotree-benches --bench shapes --features counters -- --count"
        );
        return ExitCode::from(2);
    }
    let small = arguments.small || arguments.test || !arguments.bench;
    let mut too_steep = 0;
    for shape in SHAPES {
        if !arguments.only.is_empty() && !arguments.only.iter().any(|name| name == shape.name) {
            continue;
        }
        let n = arguments.n.unwrap_or(if small { shape.small } else { shape.n });
        let samples = play(shape, n, Duration::from_millis(arguments.budget_ms));
        let slope = show(shape, &samples, arguments.count);
        let must_be_flat = arguments.count && shape.flat && !STEEP.contains(&shape.name);
        if must_be_flat && slope.is_none_or(|slope| slope > MOST) {
            eprintln!("error: {} grows with an exponent above {MOST}, or was not played at two sizes", shape.name);
            too_steep += 1;
        }
    }
    ExitCode::from(u8::from(too_steep > 0))
}
