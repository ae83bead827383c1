//! Random small worlds with everything in them: whatever happens, the run ends, its invariants hold, both ledgers agree,
//! and it comes out the same again and from its recorded log.

mod engine_support;

use engine_support::*;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use quotree_core::{QuotaSpec, TreeSpec};
use quotree_sim::model::{Change, Kind, Runtime, Scenario, What, When, Workload};
use quotree_sim::text::Names;
use quotree_sim::trace::TraceRecord;
use quotree_sim::{Observer, RunOptions, run};
use std::cell::Cell;

/// How many worlds are played.
const CASES: u32 = 4000;

fn tree(mins: &[i64], total: i64) -> TreeSpec {
    let leaf = |(i, min): (usize, &i64)| {
        let name = format!("leaf{i}");
        let parent = if i < 2 { "left" } else { "right" };
        QuotaSpec::new(&name, Some(parent)).min(cpu(*min)).max(cpu(total)).namespace(&format!("ns{i}"))
    };
    let inner = |name: &str, min: i64| QuotaSpec::new(name, Some("root")).min(cpu(min)).max(cpu(total));
    let sum = |part: &[i64]| part.iter().sum::<i64>();
    let (left, right) = mins.split_at(2);
    [QuotaSpec::new("root", None).min(cpu(total)).max(cpu(total)), inner("left", sum(left)), inner("right", sum(right))]
        .into_iter()
        .chain(mins.iter().enumerate().map(leaf))
        .collect()
}

fn any_workload() -> impl Strategy<Value = (u8, u8, u64, i64, u32, i32, u64)> {
    (0u8..4, 0u8..4, 0u64..30, 1i64..5, 1u32..5, 0i32..3, 1u64..40)
}

fn make(index: usize, (kind, leaf, at, cores, pods, priority, seconds): (u8, u8, u64, i64, u32, i32, u64)) -> Workload {
    let (name, submit, ms) = (format!("w{index}"), at * 1000, seconds * 1000);
    let mut made = match kind {
        0 => deployment(&name, "ns", submit, pods, cores),
        1 => {
            let mut job = job(&name, submit, pods + 1, pods, cores, ms);
            if let Kind::Job { runtime, checkpoint_ms, .. } = &mut job.kind {
                *runtime = Runtime::Uniform(ms / 2, ms);
                *checkpoint_ms = (seconds % 2 == 0).then_some(3_000);
            }
            job
        }
        2 => {
            training(&name, submit, vec![role("m", 1, 1, cores), role("w", pods, pods.div_ceil(2), 1)], ms, Some(5_000))
        }
        _ => trace(&name, vec![row(&name, submit, ms, pods, cores)]),
    };
    let namespace: quotree_core::Name = format!("ns{leaf}").into();
    if let Kind::Trace { rows } = &mut made.kind {
        *rows = rows
            .iter()
            .map(|r| quotree_sim::model::TraceRow { namespace: namespace.clone(), priority, ..r.clone() })
            .collect();
    }
    (made.namespace, made.priority) = (namespace, priority);
    made
}

fn any_world() -> impl Strategy<Value = Scenario> {
    let mins = prop::collection::vec(0i64..5, 4);
    let cores = prop_oneof![Just(vec![16i64]), Just(vec![4; 4]), Just(vec![8, 5, 3])];
    let work = prop::collection::vec(any_workload(), 1..9);
    let edits = prop::collection::vec((0u64..60, 0u8..4, 0usize..9), 0..5);
    let delays = (0u64..3, 0u64..3, 0u64..3);
    (mins, cores, work, edits, delays).prop_map(|(mins, cores, work, edits, (bind, grace, again))| {
        let cluster = if cores.len() == 1 { pool(16) } else { nodes(&cores) };
        let machines = cluster.nodes.len();
        let made: Vec<Workload> = work.into_iter().enumerate().map(|(i, w)| make(i, w)).collect();
        let mut world = scenario(cluster, tree(&mins, 16), made);
        world.events = edits
            .into_iter()
            .filter_map(|(at, kind, which)| {
                let workload = which % world.workloads.len();
                let node = which % machines;
                let deployed = world.workloads.get(workload).is_some_and(|w| matches!(w.kind, Kind::Deployment { .. }));
                let change = match kind {
                    0 if deployed => Change::Scale { workload, replicas: u32::try_from(which).ok()? },
                    0 | 1 => Change::Withdraw { workload },
                    2 => Change::NodeDown { node },
                    _ => Change::NodeUp { node },
                };
                Some(quotree_sim::model::TimedChange { at: quotree_core::Time(at * 1000), change })
            })
            .collect();
        world.events.sort_by_key(|e| e.at);
        world.world.bind_latency = Runtime::Uniform(0, bind * 1000);
        world.world.eviction_grace = Runtime::Uniform(0, grace * 1000);
        world.world.recreate_delay_ms = again * 500;
        world.world.until = Some(quotree_core::Time(600_000));
        world.world.max_events = 100_000;
        world.claims = vec![claim(When::Always, What::GangsWhole)];
        world
    })
}

/// The trace of a run, for a person who looks into a failure.
fn told(world: &Scenario) -> String {
    struct Lines(String);
    impl Observer for Lines {
        fn record(&mut self, record: &TraceRecord, names: &dyn Names) {
            self.0 += &format!("{}\n", record.json(names));
        }
    }
    let mut lines = Lines(String::new());
    let _ = run(world, &RunOptions::default(), &mut lines);
    lines.0
}

/// What the worlds were good for, so that it shows when they become tame.
#[derive(Debug, Default)]
struct Seen {
    worlds: Cell<u32>,
    evicting: Cell<u32>,
    losing: Cell<u32>,
    failing: Cell<u32>,
}

fn count(cell: &Cell<u32>, seen: bool) {
    cell.set(cell.get() + u32::from(seen));
}

fn fail(error: impl std::fmt::Display, world: &Scenario) -> TestCaseError {
    TestCaseError::fail(format!("{error}\n{}", told(world)))
}

fn lawful(world: &Scenario, seen: &Seen) -> Result<(), TestCaseError> {
    let options = RunOptions { audit: true, record: true, ..RunOptions::default() };
    let one = run(world, &options, &mut ()).map_err(|e| fail(e, world))?;
    let two = run(world, &RunOptions::default(), &mut ()).map_err(|e| fail(e, world))?;
    prop_assert_eq!(&one.result.digest, &two.result.digest, "watching changes nothing");
    prop_assert!(one.result.breaches.is_empty(), "{:?}\n{}", one.result.breaches, told(world));
    prop_assert!(one.result.claims.failed == 0, "{:?}\n{}", one.result.claims.results, told(world));
    prop_assert!(one.log.is_some_and(|log| log.replay().is_ok()));
    let m = &one.result.metrics;
    let sum: u64 = one.result.workloads.iter().map(|w| w.running + w.pending + w.succeeded + w.failed).sum();
    prop_assert!(sum <= m.pods_submitted, "the rest was evicted or deleted");
    prop_assert_eq!(one.result.evictions.len() as u64, m.evictions);
    prop_assert!(one.result.evictions.iter().map(|e| u128::from(e.lost_ms)).sum::<u128>() <= m.lost_work_ms);
    count(&seen.worlds, true);
    count(&seen.evicting, m.evictions > 0);
    count(&seen.losing, m.lost_work_ms > 0);
    count(&seen.failing, one.result.workloads.iter().any(|w| w.failed > 0));
    Ok(())
}

#[test]
fn i1_i6_i12_hold_in_random_worlds() {
    let usual = ProptestConfig::default();
    let rng_seed = if usual.rng_seed == RngSeed::Random { RngSeed::Fixed(2026) } else { usual.rng_seed };
    let config = ProptestConfig {
        cases: CASES,
        rng_seed,
        max_shrink_iters: 500,
        failure_persistence: None,
        source_file: None,
        ..usual
    };
    let seen = Seen::default();
    let outcome = TestRunner::new(config).run(&any_world(), |world| lawful(&world, &seen));
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let often = CASES / 20;
    assert!(seen.worlds.get() == CASES && seen.evicting.get() > often && seen.losing.get() > often, "{seen:?}");
    println!("{seen:?}");
}
