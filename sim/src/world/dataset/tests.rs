//! Compares the flow of one dataset with fractions that are computed separately.

use super::{
    exact::{BYTE, compute_rate},
    flow::{Flow, Reader},
};
use crate::model::{Cache, Dataset, Tier};
use proptest::{prelude::*, strategy::ValueTree};
use quotree_core::Time;

#[derive(Debug, Clone)]
struct Case {
    size: u64,
    backend: u64,
    /// Capacity and marks of the cache, and its bandwidth.
    cache: Option<(u64, u64, u64, u64)>,
    passes: u64,
    compute_ms: u64,
    prefetch: bool,
    /// Times at which something else happens.
    stops: Vec<u64>,
}

fn flow(case: &Case) -> Flow {
    let cache = case.cache.map(|(quota, high_permille, low_permille, local)| Cache {
        workload: "d-cache".to_owned(),
        quota,
        tier: Tier::Mem,
        high_permille,
        low_permille,
        local,
        remote: 1,
    });
    let mut flow = Flow::new(&Dataset {
        name: "d".into(),
        namespace: "ns".into(),
        size: case.size,
        backend: case.backend,
        cache,
        preload: None,
    });
    if case.cache.is_some() {
        flow.staff(1, Time(0));
    }
    flow
}

fn reader(case: &Case) -> Reader {
    let bytes = case.size * case.passes;
    Reader {
        pods: 1,
        compute: compute_rate(bytes, 1, case.compute_ms.into()),
        local: true,
        ..Reader::new(0, bytes, case.prefetch, u128::from(bytes) * BYTE)
    }
}

/// Runs all readers to their ends. Returns when each was done, by unit.
fn ends(flow: &mut Flow, stops: &[u64]) -> Vec<(u32, u64)> {
    let mut stops: Vec<u64> = stops.to_vec();
    stops.sort_unstable_by(|a, b| b.cmp(a));
    let (mut now, mut ends) = (Time(0), Vec::new());
    flow.reckon(now);
    while let Some(next) = flow.next(now) {
        while stops.pop_if(|stop| *stop <= now.0).is_some() {}
        now = stops.last().map_or(next, |stop| next.min(Time(*stop)));
        flow.advance(now);
        for unit in flow.done() {
            flow.leave(unit, now);
            ends.push((unit, now.0));
        }
        flow.reckon(now);
    }
    ends
}

/// The time by the formula of the docs, pass by pass, with one common denominator.
fn by_the_formula(case: &Case) -> u64 {
    let [size, backend, passes, compute] = [case.size, case.backend, case.passes, case.compute_ms].map(u128::from);
    let (quota, high, low, cache) = case.cache.unwrap_or((0, 0, 0, 1));
    let mark = |permille: u64| u128::from(quota) * u128::from(permille) / 1000;
    let (high, low, cache) = (mark(high).min(size), mark(low), u128::from(cache));
    let below = cache * backend * passes;
    let (mut cached, mut sum) = (0, 0);
    for _ in 0..passes {
        let hits: u128 = cached;
        let input = 1000 * (hits * backend + (size - hits) * cache) * passes;
        let steps = compute * cache * backend;
        sum += if case.prefetch { input.max(steps) } else { input + steps };
        cached = (cached + size - hits).min(high.max(cached));
        if cached >= high && high < size {
            cached = low.min(cached);
        }
    }
    u64::try_from(sum.div_ceil(below)).unwrap()
}

fn cases() -> impl Strategy<Value = Case> {
    let cache = (1_u64..3_000_000, 0_u64..=1000, 0_u64..=1000, 1_u64..5_000)
        .prop_map(|(quota, a, b, local)| (quota, a.max(b), a.min(b), local));
    let stops = prop::collection::vec(0_u64..5_000_000, 0..8);
    let rest = (1_u64..12, 1_u64..3_000_000, any::<bool>(), stops);
    (1_u64..2_000_000, 1_u64..5_000, prop::option::of(cache), rest).prop_map(
        |(size, backend, cache, (passes, compute_ms, prefetch, stops))| Case {
            size,
            backend,
            cache,
            passes,
            compute_ms,
            prefetch,
            stops,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A single reader takes the time of the formula, to the millisecond, whatever other events occur.
    #[test]
    fn a_lone_reader_ends_when_the_fractions_say(case in cases()) {
        let mut flow = flow(&case);
        flow.join(0, reader(&case), Time(0));
        prop_assert_eq!(ends(&mut flow, &case.stops), [(0, by_the_formula(&case))]);
        prop_assert_eq!(flow.input().read_bytes(), case.size * case.passes);
    }

    /// Readers that share the backend get its bandwidth together: the last one is done when all bytes have been read.
    #[test]
    fn what_is_shared_is_neither_lost_nor_made(sizes in prop::collection::vec(1_u64..100_000, 1..9), backend in 1_u64..5_000) {
        let case = Case { size: 1, backend, cache: None, passes: 1, compute_ms: 1, prefetch: true, stops: Vec::new() };
        let mut flow = flow(&case);
        for (unit, bytes) in (0..).zip(&sizes) {
            let fast = Reader { compute: u128::MAX >> 2, ..Reader::new(unit, *bytes, true, u128::from(*bytes) * BYTE) };
            flow.join(unit, Reader { pods: 1, ..fast }, Time(0));
        }
        let last = ends(&mut flow, &[]).iter().map(|(_, at)| *at).max().unwrap();
        let all = sizes.iter().sum::<u64>() * 1000;
        // Each end is rounded up to a millisecond, in which its share goes to nobody.
        let ends = sizes.len() as u64;
        prop_assert!((all.div_ceil(backend)..=all.div_ceil(backend) + ends).contains(&last), "{last} for {all}");
    }
}

#[test]
fn the_cases_cover_what_there_is() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = [0; 5];
    for _ in 0..500 {
        let case = cases().new_tree(&mut runner).unwrap().current();
        let Some((quota, high, ..)) = case.cache else {
            seen[0] += 1;
            continue;
        };
        let fits = u128::from(quota) * u128::from(high) / 1000 >= u128::from(case.size);
        seen[1] += u32::from(fits);
        seen[2] += u32::from(!fits && case.passes > 2);
        seen[3] += u32::from(by_the_formula(&case) == case.compute_ms);
        seen[4] += u32::from(by_the_formula(&case) > case.compute_ms && case.prefetch);
    }
    assert!(seen.iter().all(|count| *count > 20), "{seen:?}");
}

/// Two readers begin together: each reads half from the backend, then everything is cached.
#[test]
fn two_first_passes_fetch_everything_once() {
    let case = Case {
        size: 1_000_000,
        backend: 1_000_000,
        cache: Some((2_000_000, 950, 750, 10_000_000)),
        passes: 1,
        compute_ms: 1,
        prefetch: true,
        stops: Vec::new(),
    };
    let mut flow = flow(&case);
    for unit in [0, 1] {
        flow.join(unit, Reader { account: unit, ..reader(&case) }, Time(0));
    }
    // 0.5 MB each in 1 s, the other 0.5 MB out of the cache in 0.05 s.
    assert_eq!(ends(&mut flow, &[]), [(0, 1_050), (1, 1_050)]);
    assert_eq!((flow.input().hit_bytes(), flow.input().read_bytes()), (1_000_000, 2_000_000));
}

/// Ten thousand passes of 10^-3 ms each are less than a millisecond each, but their time adds up to 10 ms.
#[test]
fn passes_shorter_than_a_millisecond_add_up() {
    let case = Case {
        size: 1_000,
        backend: 1_000_000_000,
        cache: Some((100, 900, 500, 1_000_000_000)),
        passes: 10_000,
        compute_ms: 1,
        prefetch: true,
        stops: Vec::new(),
    };
    let mut flow = flow(&case);
    flow.join(0, reader(&case), Time(0));
    assert_eq!(ends(&mut flow, &[]), [(0, 10)]);
    assert_eq!(by_the_formula(&case), 10);
}
