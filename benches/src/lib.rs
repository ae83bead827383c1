//! What the benches share: measuring through criterion, and the one table row that each prints for docs/benchmarks.md.
//!
//! `cargo bench -p quotree-benches` runs all; a row starts with `|`. Peers run in the same process and minute, so that
//! their ratio says something whatever the machine.

pub mod cluster;
pub mod openb;
pub mod plain;
pub mod shapes;

use criterion::{Criterion, SamplingMode};
use std::{
    cell::Cell,
    hint::black_box,
    time::{Duration, Instant},
};

/// Criterion with as few samples as it takes.
#[must_use]
pub fn criterion() -> Criterion {
    let quick = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(100));
    quick.measurement_time(Duration::from_secs(1)).without_plots().configure_from_args()
}

/// Whether cargo only tries whether the benches run (`cargo test --benches`).
#[must_use]
pub fn only_tried() -> bool {
    std::env::args().any(|a| a == "--test") || !std::env::args().any(|a| a == "--bench")
}

/// Whether the bench runs under callgrind to have its instructions counted (`benches/instructions.sh`).
#[must_use]
pub fn counts_instructions() -> bool {
    std::env::args().any(|a| a == "--instructions")
}

/// Runs `work` once as the part of the process whose instructions are counted, and prints how many `units` it did.
/// Callgrind finds the part by the name of [`counted`].
pub fn count_instructions<T>(units: u64, unit: &str, work: impl FnOnce() -> T) {
    black_box(counted(work));
    println!("{units} {unit}");
}

/// The part of the process in which callgrind counts. Its own frame must not be inlined away.
#[inline(never)]
pub fn counted<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

/// Measures `work` and gives the shortest time of one run: what the machine can do, its noise left out.
pub fn shortest<T>(criterion: &mut Criterion, name: &str, mut work: impl FnMut() -> T) -> Duration {
    let best = Cell::new(Duration::MAX);
    let mut group = criterion.benchmark_group(name.split('/').next().unwrap_or(name));
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let mut sum = Duration::ZERO;
            for _ in 0..iterations {
                let start = Instant::now();
                black_box(work());
                let took = start.elapsed();
                best.set(best.get().min(took));
                sum += took;
            }
            sum
        });
    });
    group.finish();
    best.get()
}

/// Runs `work` once and gives what came of it with the time it took.
pub fn once<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// So many a second, with one of the usual prefixes.
#[must_use]
pub fn rate(count: u64, took: Duration) -> String {
    let per_second = u128::from(count) * 1_000_000_000 / took.as_nanos().max(1);
    match per_second {
        n @ 10_000_000.. => format!("{} M/s", n / 1_000_000),
        n @ 1_000_000.. => format!("{}.{:02} M/s", n / 1_000_000, n % 1_000_000 / 10_000),
        n @ 10_000.. => format!("{} k/s", n / 1000),
        n => format!("{n}/s"),
    }
}

/// How many times faster ours is than the other, in hundredths.
#[must_use]
pub fn ratio(ours: Duration, other: Duration) -> String {
    let hundredths = other.as_nanos() * 100 / ours.as_nanos().max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Prints a row of the table in docs/benchmarks.md.
pub fn row(cells: &[&str]) {
    println!("| {} |", cells.join(" | "));
}

/// The most memory this process had at once, MiB; 0 where the system does not tell.
#[must_use]
pub fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}
