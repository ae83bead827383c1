//! Why is my job pending? A pod asks for more GPUs than it can get. The verdict says which limit blocks it, who uses what is
//! missing, which rule protects them, and which change would start it. The program then makes that change. Run it with
//! `cargo run -p quotree-core --example why_pending`.
//!
//! A verdict is data. This program turns it into sentences by matching on that data, as a dashboard would.

use quotree_core::{
    Action, Amounts, Event, Help, NodeSpec, Policy, QuotaSpec, Scheduler, Time, TreeSpec, Verdict, WorkloadId,
    WorkloadSpec,
};
use std::error::Error;

/// One GPU, in the core's unit for everything that is not bytes: thousandths.
const ONE: i64 = 1000;

/// A number of whole GPUs.
fn gpus(count: i64) -> Amounts {
    Amounts::new().with("nvidia.com/gpu", count * ONE)
}

/// Two teams share twelve GPUs. Vision has the guarantee that is given, speech one of two, and what is left is promised
/// to nobody.
fn two_teams(vision_min: i64) -> TreeSpec {
    [
        QuotaSpec::new("company", None).min(gpus(12)).max(gpus(12)),
        QuotaSpec::new("vision", Some("company")).min(gpus(vision_min)).namespace("vision"),
        QuotaSpec::new("speech", Some("company")).min(gpus(2)).namespace("speech"),
    ]
    .into_iter()
    .collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let tree = two_teams(8);
    let mut scheduler = Scheduler::new(&tree, Policy::default()).map_err(|findings| format!("{findings:?}"))?;
    scheduler.apply(Event::NodeUp(NodeSpec::new(0, gpus(12))))?;

    println!("vision runs a gang of six pods and speech runs six pods. vision submits one pod of three GPUs, w20.\n");
    scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::gang(1, "vision", Time(0), gpus(1), 6)))?;
    for id in 2..=7 {
        scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(id, "speech", Time(0), gpus(1))))?;
    }
    for action in &scheduler.decide(Time(0)).actions {
        if let Action::Bind { pod, .. } = action {
            scheduler.apply(Event::bound(*pod, Time(0)))?;
        }
    }
    scheduler.apply(Event::WorkloadSubmitted(WorkloadSpec::pod(20, "vision", Time(60_000), gpus(3))))?;
    scheduler.decide(Time(60_000));

    // `explain` returns nothing for a workload that does not wait.
    let verdict = scheduler.explain(WorkloadId(20)).ok_or("w20 does not wait")?;
    tell(&scheduler, &verdict);

    println!("\nThe administrator follows the advice and raises vision's guarantee to nine:");
    scheduler.apply(Event::TreeChanged(two_teams(9)))?;
    for action in &scheduler.decide(Time(120_000)).actions {
        match action {
            Action::Evict { pod, .. } => println!("- pod {pod} is evicted"),
            Action::Hold { workload, victims, .. } => {
                println!("- {workload} starts when these {victims} pods are gone")
            }
            other => println!("- {other:?}"),
        }
    }
    Ok(())
}

/// Everything that a verdict says, as sentences.
fn tell(scheduler: &Scheduler, verdict: &Verdict) {
    let name = |quota| scheduler.tree().name(quota).as_str();

    println!("{} waits.", verdict.workload);
    for (reason, holders) in verdict.obstacles() {
        println!("- Rule {}: {}.", reason.rule(), reason.rule().doc().sentence);
        if let Some((_, needed, available)) = reason.amounts() {
            let place = reason.quota().map_or("the closest node", name);
            println!("  At {place} it needs {} GPUs, and {} are available.", needed / ONE, available / ONE);
        }
        for holder in holders {
            let leaf = holder.quota.map_or("pods without a quota", name);
            let (used, borrowed) = (holder.used / ONE, holder.borrowed / ONE);
            println!("  {leaf} uses {used} GPUs in {} pods; {borrowed} of them are borrowed.", holder.pods.len());
        }
    }
    for class in &verdict.protected {
        let rule = class.shield.rule();
        println!("- {} pods are not evicted for it. Rule {rule}: {}.", class.pods, rule.doc().sentence);
    }
    for help in &verdict.helps {
        match help {
            Help::MoreMin { quota, by, .. } => {
                println!("- It would start with {} more min for {}.", by / ONE, name(*quota))
            }
            Help::MoreMax { quota, by, .. } => {
                println!("- It would start with {} more max for {}.", by / ONE, name(*quota))
            }
            Help::FreeOnNode { node, by, .. } => println!("- It would start with {} more free on {node}.", by / ONE),
            other => println!("- It would start with {other:?}."),
        }
    }
}
