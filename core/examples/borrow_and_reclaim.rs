//! Two teams share a node of eight GPUs, each with a guarantee of four. The first borrows, the second reclaims, and every
//! step is printed as a sentence. Run it with `cargo run -p quotree-core --example borrow_and_reclaim`.
//!
//! The program is also the smallest complete caller of the core: it applies events, asks for a plan, carries the plan
//! out (here by printing it) and reports the outcomes as the next events.

use quotree_core::{
    Action, Amounts, Event, EventError, NodeSpec, Plan, PodOutcome, Policy, QuotaSpec, Scheduler, Time, TreeSpec,
    WorkloadSpec,
};
use std::error::Error;

const GPU: &str = "nvidia.com/gpu";

/// One GPU, in the core's unit for everything that is not bytes: thousandths.
const ONE: i64 = 1000;

/// A number of whole GPUs.
fn gpus(count: i64) -> Amounts {
    Amounts::new().with(GPU, count * ONE)
}

/// Two teams that are guaranteed four GPUs each and may use all eight.
fn two_teams() -> TreeSpec {
    [
        QuotaSpec::new("company", None).min(gpus(8)).max(gpus(8)),
        QuotaSpec::new("vision", Some("company")).min(gpus(4)).max(gpus(8)).namespace("vision"),
        QuotaSpec::new("speech", Some("company")).min(gpus(4)).max(gpus(8)).namespace("speech"),
    ]
    .into_iter()
    .collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    // An invalid tree returns all its findings; this one has none.
    let mut scheduler = Scheduler::new(&two_teams(), Policy::default()).map_err(|findings| format!("{findings:?}"))?;
    scheduler.apply(Event::NodeUp(NodeSpec::new(0, gpus(8))))?;

    println!("0 s: vision submits six pods of one GPU, workloads w1 to w6.");
    for id in 1..=6 {
        let pod = WorkloadSpec::pod(id, "vision", Time(0), gpus(1));
        scheduler.apply(Event::WorkloadSubmitted(pod))?;
    }
    let plan = scheduler.decide(Time(0));
    tell(&scheduler, &plan);
    report_bound(&mut scheduler, &plan, Time(1_000))?;
    tell_usage(&scheduler);

    println!("\n60 s: speech submits a gang of four pods of one GPU, workload w7.");
    let gang = WorkloadSpec::gang(7, "speech", Time(60_000), gpus(1), 4);
    scheduler.apply(Event::WorkloadSubmitted(gang))?;
    let plan = scheduler.decide(Time(60_000));
    tell(&scheduler, &plan);

    println!("\n90 s: the evicted pods are gone.");
    for action in &plan.actions {
        if let Action::Evict { pod, .. } = action {
            scheduler.apply(Event::PodGone { pod: *pod, outcome: PodOutcome::Evicted })?;
        }
    }
    let plan = scheduler.decide(Time(90_000));
    tell(&scheduler, &plan);
    report_bound(&mut scheduler, &plan, Time(91_000))?;
    tell_usage(&scheduler);

    println!("\nNothing has happened since, so the next plan is empty: {}.", scheduler.decide(Time(92_000)).is_empty());
    Ok(())
}

/// What a real caller would do at the cluster for each action, as a sentence with the reason of the action.
fn tell(scheduler: &Scheduler, plan: &Plan) {
    let name = |quota| scheduler.tree().name(quota);
    for action in &plan.actions {
        match action {
            Action::Bind { pod, node, reason, .. } => {
                let room = if reason.held { "the room that was reserved for it" } else { "free room" };
                let right = if reason.entitled { "within its guarantee" } else { "on borrowed quota" };
                println!("  Bind pod {pod} to node {node}: it runs {right}, in {room}.");
            }
            Action::Evict { pod, reason } => {
                let leaf = reason.leaf.map_or("no quota", |leaf| name(leaf).as_str());
                let cause = reason.cause.map_or("nobody".to_owned(), |workload| workload.to_string());
                let over = reason.over / ONE;
                println!("  Evict pod {pod} of {leaf} for {cause}: {leaf} was above its guarantee by {over}.");
                println!("    Rule {}: {}.", reason.rule, reason.rule.doc().sentence);
            }
            Action::Hold { workload, victims, .. } => {
                println!("  Reserve for {workload} what {victims} evicted pods free, until they have left.");
            }
            Action::Release { workload, .. } => println!("  End the reservation of {workload}."),
            other => println!("  {other:?}"),
        }
    }
    for verdict in &plan.verdicts {
        println!(
            "  {} waits. Rule {}: {}.",
            verdict.workload,
            verdict.binding.rule(),
            verdict.binding.rule().doc().sentence
        );
    }
}

/// Reports every bind of the plan as carried out.
fn report_bound(scheduler: &mut Scheduler, plan: &Plan, at: Time) -> Result<(), EventError> {
    for action in &plan.actions {
        if let Action::Bind { pod, .. } = action {
            scheduler.apply(Event::bound(*pod, at))?;
        }
    }
    Ok(())
}

/// What each team uses, and how much of it is borrowed.
fn tell_usage(scheduler: &Scheduler) {
    for leaf in scheduler.tree().ids().filter(|quota| scheduler.tree().is_leaf(*quota)) {
        let usage = scheduler.usage(leaf);
        let gpus = |amounts: &Amounts| amounts.get(GPU).unwrap_or(0) / ONE;
        let name = scheduler.tree().name(leaf);
        println!("  {name} uses {} GPUs, {} of them borrowed.", gpus(&usage.used), gpus(&usage.borrowed));
    }
}
