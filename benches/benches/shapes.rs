//! How the cost of a turn grows on the shapes that real clusters have, each at three sizes. `--help` says more.

#![allow(missing_docs, reason = "criterion's mains have no readers")]

use clap::{Parser, builder::PossibleValuesParser};
use cpu_time::ProcessTime;
use quotree_benches::{
    only_tried, row,
    shapes::{Meter, SHAPES, Sample, Shape, exponent},
};
use std::time::Duration;

const EXAMPLES: &str = "\
Each shape is played at n, 2n and 4n. A row has, for each size, what a turn took in the mean and what the longest took,
and the exponent of the mean: 0 if a turn costs the same at any size, 1 if it costs twice as much at twice the size.

Examples:
  cargo bench -p quotree-benches --bench shapes
  cargo bench -p quotree-benches --bench shapes -- --only distinct --only stuck
  cargo bench -p quotree-benches --bench shapes -- --only distinct --n 25000 --budget-ms 300000
  cargo bench -p quotree-benches --bench shapes -- --small";

/// Measures how the cost of a turn grows on the shapes that real clusters have.
#[derive(Debug, Parser)]
#[command(name = "shapes", after_help = EXAMPLES)]
struct Arguments {
    /// Only this shape; may be given several times
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(SHAPES.iter().map(|shape| shape.name)))]
    only: Vec<String>,
    /// The smallest of the three sizes; else each shape has its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(4..=1_000_000))]
    n: Option<u32>,
    /// Small sizes, to see whether all works
    #[arg(long, conflicts_with = "n")]
    small: bool,
    /// How much time of the processor one shape may take; a turn that has begun is not cut off. What was not played is said
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    budget_ms: u64,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
    /// Passed by cargo
    #[arg(long, hide = true)]
    test: bool,
}

/// Plays a shape at its three sizes, as far as the budget goes.
fn play(shape: &Shape, n: u32, budget: Duration) -> Vec<(u32, Sample)> {
    let start = ProcessTime::now();
    let mut samples = Vec::new();
    for size in [n, n * 2, n * 4] {
        // A size that takes as long as all before it together would not end in time.
        if start.elapsed() * 2 > budget {
            eprintln!("{} was not played at {size}: its budget of {} ms is spent", shape.name, budget.as_millis());
            continue;
        }
        let mut meter = Meter::new(budget / 4);
        (shape.play)(&mut meter, size);
        samples.push((size, meter.sample()));
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

fn show(shape: &Shape, samples: &[(u32, Sample)]) {
    let cell = |of: &dyn Fn(&Sample) -> u64| {
        samples.iter().map(|(n, sample)| format!("{n}: {}", time(of(sample)))).collect::<Vec<_>>().join(", ")
    };
    let worst = |sample: &Sample| u64::try_from(sample.worst.as_nanos()).unwrap_or(u64::MAX);
    let costs: Vec<u64> = samples.iter().map(|(_, sample)| sample.ns_per_turn()).collect();
    let slope = exponent(&costs).map_or_else(|| "?".to_owned(), |slope| format!("{slope:.2}"));
    let what = format!("{}: {}", shape.name, shape.of);
    row(&[&what, shape.turn, &cell(&Sample::ns_per_turn), &cell(&worst), &slope]);
}

fn main() {
    let arguments = Arguments::parse();
    let small = arguments.small || only_tried();
    for shape in SHAPES {
        if !arguments.only.is_empty() && !arguments.only.iter().any(|name| name == shape.name) {
            continue;
        }
        let n = arguments.n.unwrap_or(if small { shape.small } else { shape.n });
        show(shape, &play(shape, n, Duration::from_millis(arguments.budget_ms)));
    }
}
