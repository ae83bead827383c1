//! Figures of jobs, computed by hand: waits, turnaround, slowdown, attempts, lost work. Gangs count as one.

mod engine_support;

use engine_support::*;
use quotree_core::{QuotaSpec, TreeSpec};
use quotree_sim::Run;
use quotree_sim::model::{Change, Kind, Runtime, Scenario, Workload};
use quotree_sim::result::{JobRow, JobState};

const S: u64 = 1_000;

/// `owner` and `guest`, each guaranteed half of 10 cores.
fn halves() -> TreeSpec {
    let leaf = |name: &str| QuotaSpec::new(name, Some("root")).min(cpu(5)).namespace(name);
    [QuotaSpec::new("root", None).min(cpu(10)).max(cpu(10)), leaf("owner"), leaf("guest")].into_iter().collect()
}

fn named(namespace: &str, workload: Workload) -> Workload {
    Workload { namespace: namespace.into(), ..workload }
}

/// `guest` uses all 10 cores; from 60 s on `owner` has half of them back for 50 s.
fn reclaimed(guest: Workload) -> Scenario {
    let owner = named("owner", job("owner", 60 * S, 1, 1, 5, 50 * S));
    scenario(pool(10), halves(), vec![named("guest", guest), owner])
}

#[expect(clippy::unwrap_used, reason = "test support: a failure is a failed test")]
fn row(run: &Run, name: &str) -> JobRow {
    run.result.jobs.iter().find(|job| job.job == name).unwrap().clone()
}

/// First wait, all waits, longest wait, seconds.
fn waits(row: &JobRow) -> [u64; 3] {
    [row.first_wait_ms, row.wait_ms, row.longest_wait_ms].map(|ms| ms / S)
}

#[test]
fn a_job_is_whole_when_all_pods_that_it_wants_are_bound() {
    // One of two cores is taken for 30 s. Pods of 60 s: 0 to 60, 30 to 90, 60 to 120, 90 to 150.
    let work = vec![job("other", 0, 1, 1, 1, 30 * S), job("many", 0, 4, 2, 1, 60 * S)];
    let run = twice(&scenario(pool(2), flat(2), work));
    let many = row(&run, "many");
    assert_eq!((waits(&many), many.at_least), ([30, 30, 30], false));
    assert_eq!((many.submitted_ms, many.started_ms, many.ended_ms), (0, Some(30 * S), Some(150 * S)));
    assert_eq!((many.turnaround_ms, many.attempts, many.pods, many.pods_min), (Some(150 * S), 1, 2, 2));
    assert_eq!(many.slowdown_permille, Some(1250), "alone, two at a time, it takes 120 s");
    assert_eq!((many.state, many.kind), (JobState::Succeeded, "Job"));
    assert_eq!(row(&run, "other").slowdown_permille, Some(1000));
}

#[test]
fn a_job_has_started_when_as_many_different_pods_as_it_wants_at_once_have_been_bound() {
    // Five of twelve pods of 45 min fit at a time, and it wants six: the sixth starts at 45 min. At 90 min two are left.
    let run = twice(&scenario(pool(5), flat(5), vec![job("lab", 0, 12, 6, 1, 45 * MINUTE)]));
    let lab = row(&run, "lab");
    assert_eq!((waits(&lab), lab.started_ms), ([45 * 60, 90 * 60, 90 * 60], Some(45 * MINUTE)));
    assert_eq!((lab.turnaround_ms, lab.slowdown_permille), (Some(135 * MINUTE), Some(1500)), "alone: two rounds");
}

#[test]
fn a_gang_that_is_evicted_is_one_job_with_two_attempts() {
    let train = training("train", 0, vec![role("w", 2, 2, 5)], 100 * S, Some(8 * S));
    let run = twice(&reclaimed(train));
    let train = row(&run, "train");
    // Evicted at 60 s with 56 s saved, bound again at 110 s, overhead of 1 s, 44 s of work left.
    assert_eq!((waits(&train), train.attempts, train.evictions), ([0, 50, 50], 2, 1));
    assert_eq!((train.ended_ms, train.turnaround_ms), (Some(155 * S), Some(155 * S)));
    assert_eq!((train.slowdown_permille, train.lost_work_ms), (Some(1550), 2 * 4 * S));
    assert_eq!((train.pods, train.pods_min), (2, 2));
    assert_eq!(run.result.metrics.wait.count, 2, "two jobs, though five pods were created");
}

#[test]
fn a_replica_with_its_replacements_is_one_job() {
    let mut world = reclaimed(deployment("web", "guest", 0, 2, 5));
    world.events = vec![change(200 * S, Change::Scale { workload: 0, replicas: 1 })];
    world.world.until = Some(quotree_core::Time(300 * S));
    let run = twice(&world);
    let rows: Vec<JobRow> = run.result.jobs.iter().filter(|job| job.workload.as_str() == "web").cloned().collect();
    let told: Vec<_> = rows.iter().map(|j| (j.job.as_str(), waits(j), j.attempts, j.evictions, j.state)).collect();
    // The pod that started last is evicted at 60 s and replaced; the newer pod goes when the Deployment is scaled.
    assert_eq!(
        told,
        [("web-1", [0, 0, 0], 1, 0, JobState::Running), ("web-2", [0, 50, 50], 2, 1, JobState::Withdrawn),]
    );
    assert_eq!((rows[1].ended_ms, rows[1].turnaround_ms, rows[1].slowdown_permille), (Some(200 * S), None, None));
    let quota = run.result.quotas.iter().find(|quota| quota.name == "guest").unwrap();
    assert_eq!((quota.wait.count, quota.wait.p50_ms, quota.wait.max_ms, quota.wait.open), (2, 0, 50 * S, 0));
}

#[test]
fn who_never_starts_waits_to_the_end() {
    let mut world =
        scenario(pool(4), flat(4), vec![deployment("web", "ns", 0, 3, 2), job("j", 10 * S, 1, 1, 4, 5 * S)]);
    world.world.until = Some(quotree_core::Time(100 * S));
    let run = twice(&world);
    let web = row(&run, "web-3");
    assert_eq!((waits(&web), web.at_least, web.state), ([100, 100, 100], true, JobState::Pending));
    let job = row(&run, "j");
    assert_eq!((waits(&job), job.at_least, job.turnaround_ms), ([90, 90, 90], true, None));
    let metrics = run.result.metrics;
    assert_eq!((metrics.jobs.submitted, metrics.jobs.started, metrics.jobs.succeeded), (4, 2, 0));
    assert_eq!((metrics.wait.count, metrics.wait.open, metrics.wait.sum_ms), (4, 2, u128::from(190 * S)));
    // Half of the jobs waited for nothing, the others for ever: only the median is known.
    assert_eq!((metrics.wait.p50_ms, metrics.wait.at_least.names()), (0, vec!["mean", "p95", "p99", "max"]));
    assert_eq!((metrics.turnaround.count, metrics.turnaround.p50_ms), (1, 90 * S));
    assert_eq!(metrics.slowdown.p50_permille, 18_000, "at least 90 s for 5 s of work");
}

#[test]
fn replacements_make_no_figure_look_better() {
    // Two nodes of 4 cores, four pods of 2 cores that wait for a minute behind another job, which has all 8 cores.
    let quiet = || {
        let before = job("before", 0, 4, 4, 2, MINUTE);
        scenario(nodes(&[4, 4]), flat(8), vec![before, job("j", 0, 4, 4, 2, 10 * MINUTE)])
    };
    let mut lossy = quiet();
    let node =
        |at: u64, up: bool| change(at, if up { Change::NodeUp { node: 1 } } else { Change::NodeDown { node: 1 } });
    lossy.events = vec![node(5 * MINUTE, false), node(6 * MINUTE, true)];
    let [calm, lossy] = [quiet(), lossy].map(|world| twice(&world).result);
    assert_eq!((calm.metrics.pods_submitted, lossy.metrics.pods_submitted), (8, 10));
    let [a, b] = [&calm, &lossy].map(|result| result.metrics.wait);
    assert_eq!((a.count, a.sum_ms), (2, u128::from(MINUTE)));
    assert_eq!((b.count, b.sum_ms), (2, u128::from(2 * MINUTE)), "one minute more, while the node is down");
    assert_eq!(calm.metrics.first_wait, lossy.metrics.first_wait);
    let job = lossy.jobs.iter().find(|job| job.job == "j").unwrap();
    assert_eq!((job.attempts, job.lost_work_ms, job.evictions), (3, 2 * 4 * MINUTE, 0), "two pods with 4 minutes each");
    assert_eq!((job.turnaround_ms, job.slowdown_permille), (Some(16 * MINUTE), Some(1600)));
}

#[test]
fn rows_and_tasks_are_jobs() {
    let rows = vec![
        engine_support::row("one", 0, 20 * S, 2, 2),
        engine_support::row("two", 12 * S, 30 * S, 1, 4),
        engine_support::row("gone", 13 * S, 30 * S, 1, 4),
    ];
    let mut world = scenario(nodes(&[4]), flat(4), vec![trace("t", rows)]);
    world.events = vec![
        change(8 * S, Change::NodeDown { node: 0 }),
        change(10 * S, Change::NodeUp { node: 0 }),
        change(45 * S, Change::Withdraw { workload: 0 }),
    ];
    let run = twice(&world);
    // `one` is lost at 8 s, starts again at 10 s, and ends at 30 s. `two` runs then, and `gone` never.
    let told: Vec<_> = run.result.jobs.iter().map(|j| (j.job.as_str(), waits(j), j.attempts, j.state)).collect();
    assert_eq!(
        told,
        [
            ("one", [0, 2, 2], 2, JobState::Succeeded),
            ("two", [18, 18, 18], 1, JobState::Withdrawn),
            ("gone", [32, 32, 32], 1, JobState::Withdrawn),
        ]
    );
    let one = row(&run, "one");
    assert_eq!((one.lost_work_ms, one.turnaround_ms, one.slowdown_permille), (2 * 8 * S, Some(30 * S), Some(1500)));
    assert!(row(&run, "gone").at_least && !row(&run, "two").at_least);
}

#[test]
fn a_job_without_a_known_length_has_no_slowdown() {
    let mut endless = job("j", 0, 1, 1, 1, 0);
    if let Kind::Job { runtime, .. } = &mut endless.kind {
        *runtime = Runtime::Forever;
    }
    let mut world = scenario(pool(4), flat(4), vec![endless]);
    world.world.until = Some(quotree_core::Time(10 * S));
    let metrics = twice(&world).result.metrics;
    assert_eq!((metrics.slowdown.count, metrics.turnaround.count, metrics.turnaround.open), (0, 1, 1));
}
