//! What a million replicas that wait would cost, measured on a tenth of them: bytes a pod, which do not grow with the world.
//! One test, since what other threads allocate would be counted with it.

use peak_alloc::PeakAlloc;
use quotree_core::{Amounts, Event, Policy, QuotaSpec, Scheduler, Time, TreeSpec, WorkloadId, WorkloadSpec};
use quotree_reports::{RunSource, Style, brief_report, summary_text};
use quotree_sim::{
    RunOptions, run,
    scenario::{MapLoader, load},
};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const PODS: u32 = 100_000;

const WORLD: &str = r#"Scenario(
    name: "replicas",
    cluster: Pool({ "cpu": "10" }),
    quota: Quota(name: "root", min: { "cpu": "10" }, max: { "cpu": "200000" }, namespaces: ["a"]),
    workloads: [Deployment(name: "web", namespace: "a", replicas: 100000, request: { "cpu": "1" })],
)"#;

#[test]
fn replicas_that_wait_take_few_bytes() {
    let before = MEMORY.current_usage();
    let cpu = |n: i64| Amounts::new().with("cpu", n);
    let tree: TreeSpec = [QuotaSpec::new("root", None).min(cpu(1)).max(cpu(1)).namespace("a")].into_iter().collect();
    let mut scheduler = Scheduler::new(&tree, Policy::default()).unwrap();
    let one = WorkloadSpec::pod(0, "a", Time(0), cpu(1));
    for id in 0..PODS {
        let spec = WorkloadSpec { id: WorkloadId(id), ..one.clone() };
        scheduler.apply(Event::WorkloadSubmitted(spec)).unwrap();
    }
    scheduler.decide(Time(0));
    let core = (MEMORY.current_usage() - before) / PODS as usize;
    assert!(core < 400, "the core keeps {core} bytes for each");
    drop((scheduler, tree, one));

    let scenario = load("x.ron", &MapLoader::new().with("x.ron", WORLD)).scenario.unwrap();
    MEMORY.reset_peak_usage();
    let options =
        RunOptions { history: true, job_rows: 0, explained_state: 3 * PODS as usize, ..RunOptions::default() };
    let run = run(&scenario, &options, &mut ()).unwrap();
    let report = brief_report(&scenario, &run, &RunSource::default());
    let text = summary_text(&run.result, report.as_ref(), &[], Style::default());
    let whole = (MEMORY.peak_usage() - before) / PODS as usize;
    assert!(text.contains("99,990 pods are still pending"), "{text}");
    assert!(whole < 1_200, "a run that prints text takes {whole} bytes for each at most");
}
