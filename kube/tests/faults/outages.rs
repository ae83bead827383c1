//! LF3 to LF6: an API server that does not answer, answers wrongly, or shows what happens late, twice or not at all.

use crate::{
    storm::{S, SMALL, Size, Storm},
    times,
};
use quotree_core::Time;
use quotree_kube::settings::Mode;
use quotree_kube_testkit::faults::{Fault, Faults, Rule, Verb, WatchFault};
use serde_json::Value;
use std::time::Duration;

/// LF3. There is no Lease, which nobody could renew: the same process goes on.
async fn outages(mode: Mode, rounds: usize, seed: u64) {
    let mut storm = Storm::new(S, mode, seed);
    // Nobody is served for a minute.
    storm.laws.limits.served_within = 105;
    storm.start();
    storm.pass(12_000).await;
    for round in 0..rounds {
        let cut = (round + seed as usize).is_multiple_of(2);
        let fault = if cut { Fault::Cut } else { Fault::Status(503, None) };
        let before = 100 * storm.draw.below(30) as u64;
        storm.stir();
        storm.pass(before).await;
        storm.server.set_faults(Faults::none().with(Rule::any(fault)));
        if cut {
            storm.server.cut_watches();
        }
        storm.stir();
        // Somebody is owed something when it is over.
        let odd = 2 * storm.draw.below(storm.size.leaves / 2) + 1;
        let min = storm.size.min();
        storm.scale(odd, min);
        storm.pass(60_000).await;
        storm.laws.excuse();
        storm.server.set_faults(Faults::none());
        let writes = storm.writes;
        storm.pass(35_000).await;
        assert!(storm.writes > writes, "round {round}: it goes on within 35 s");
        assert_eq!(storm.restart_ended(), 0, "round {round}: nobody had to start it again");
        storm.holds(&format!("round {round}"));
        let less = storm.size.replicas(odd);
        storm.scale(odd, less);
        storm.rests(180, &format!("after round {round}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn lf3_a_minute_without_an_api_server_in_gate_mode() {
    outages(Mode::Gate, times(10, 1), 5).await;
}

#[tokio::test(start_paused = true)]
async fn lf3_a_minute_without_an_api_server_in_bind_mode() {
    outages(Mode::Bind, times(10, 1), 6).await;
}

/// LF4.
#[tokio::test(start_paused = true)]
async fn lf4_one_answer_in_five_is_wrong() {
    let (runs, writes) = (times(100, 1), times(10_000, 1500));
    for run in 0..runs {
        let mode = if run % 2 == 0 { Mode::Gate } else { Mode::Bind };
        let mut storm = Storm::new(S, mode, 100 + run as u64);
        storm.laws.limits.served_within = 100;
        storm.start();
        storm.pass(3000).await;
        let seed = 7 * run as u64;
        let faults = [
            (Fault::Status(409, None), 100, false),
            (Fault::Status(429, Some(1)), 50, false),
            (Fault::Status(500, None), 20, false),
            (Fault::Cut, 20, true),
            (Fault::Cut, 20, false),
        ];
        let rules = faults.into_iter().zip(seed..).map(|((fault, per_mille, after), seed)| {
            let rule = Rule::writes(fault).chance(per_mille, seed);
            if after { rule.after_commit() } else { rule }
        });
        storm.server.set_faults(rules.fold(Faults::none(), Faults::with));
        let mut round = 0;
        while storm.writes < writes {
            // A borrower gives all back, and others take it.
            let even = 2 * storm.draw.below(storm.size.leaves / 2);
            let (all, some) = (storm.size.replicas(even) + storm.size.waiting(), storm.draw.below(40));
            storm.scale(even, some);
            storm.stir();
            storm.pass(5000).await;
            storm.scale(even, all);
            storm.stir();
            storm.pass(5000).await;
            round += 1;
            storm.holds(&format!("run {run}, round {round}"));
        }
        storm.server.set_faults(Faults::none());
        storm.laws.excuse();
        // A write that failed again and again goes again after a minute at most.
        storm.pass(70_000).await;
        storm.rests(300, &format!("run {run}")).await;
        assert!(storm.faults * 10 > storm.writes, "{} faults beside {} writes", storm.faults, storm.writes);
        eprintln!(
            "LF4 {run} {mode:?}: {} writes, {} faults, {} evictions",
            storm.writes, storm.faults, storm.laws.evictions
        );
    }
}

/// LF5 and, in memory, the compaction of LF6: one kind of fault of the watches of pods and nodes, again and again.
async fn watches(name: &str, seed: u64, rounds: usize, set: impl Fn(&Storm)) {
    // What a watch passes over without a word comes with the list that there is every ten minutes.
    let lies = name == "lf5_only_bookmarks_come";
    let mode = if seed.is_multiple_of(2) { Mode::Gate } else { Mode::Bind };
    let mut storm = Storm::new(S, mode, 200 + seed);
    // A watch may show nothing for 50 s, and what it missed comes a back-off later.
    storm.laws.limits.served_within = if lies { 740 } else { 140 };
    storm.start();
    storm.pass(12_000).await;
    for round in 0..rounds {
        set(&storm);
        storm.server.cut_watches();
        storm.stir();
        storm.stir();
        storm.pass(2000).await;
        let asked = storm.watches;
        storm.stir();
        storm.pass(50_000).await;
        assert!(storm.watches > asked, "{name} {round}: another watch begins 50 s after the last at the latest");
        storm.server.set_faults(Faults::none());
        // A watch that began before the end of the fault ends 50 s later.
        storm.pass(if lies { 610_000 } else { 60_000 }).await;
        storm.holds(&format!("{name} {round}"));
        if round % 10 == 9 || round + 1 == rounds {
            storm.pass(60_000).await;
            storm.rests(180, &format!("{name} {round}")).await;
        }
    }
}

/// Both watches go wrong, always.
fn both(fault: WatchFault) -> impl Fn(&Storm) {
    move |storm| {
        let rule = |resource| Rule::on(Verb::Watch, resource, Fault::Watch(fault.clone()));
        storm.server.set_faults(Faults::none().with(rule("pods")).with(rule("nodes")));
    }
}

macro_rules! of_watches {
    ($($name:ident($seed:expr): $set:expr;)*) => { $(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            watches(stringify!($name), $seed, times(100, 1), $set).await;
        }
    )* };
}

of_watches! {
    lf5_watches_expire(0): both(WatchFault::ExpiredAfter(3));
    lf5_watches_are_refused_as_expired(1): |storm| {
        let rule = |resource| Rule::on(Verb::Watch, resource, Fault::Status(410, None)).next(3);
        storm.server.set_faults(Faults::none().with(rule("pods")).with(rule("nodes")));
    };
    lf5_watches_are_cut(2): both(WatchFault::CutAfter(3));
    lf5_watches_stall(3): both(WatchFault::Stalled);
    lf5_events_come_twice(4): both(WatchFault::Doubled);
    lf5_events_come_30_s_late(5): both(WatchFault::Late(Duration::from_secs(30)));
    lf5_only_bookmarks_come(6): both(WatchFault::BookmarksOnly);
    lf6_the_log_is_compacted(7): |storm| storm.server.with_store(|store| store.compact(store.revision()));
}

/// The value of a row of the metrics of the only process.
fn shown(storm: &Storm, row: &str) -> f64 {
    let text = storm.processes[0].board.text(Time(0), true);
    let value = text.lines().find_map(|line| line.strip_prefix(row)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("there is no {row}")).parse().unwrap()
}

/// LF5: the watch of pods never shows that one is gone, and goes on. Nothing but the LIST beside it can find that.
#[tokio::test(start_paused = true)]
async fn lf5_an_event_is_lost() {
    const MISSED: &str = "quotree_watch_missed_total{kind=\"pods\"}";
    let mut storm = Storm::new(SMALL, Mode::Gate, 208);
    // What is counted in vain is missing to others until the next list.
    storm.laws.limits.served_within = 740;
    storm.start();
    storm.pass(12_000).await;
    for round in 0..times(100, 1) {
        let team = Size::leaf(2 * storm.draw.below(storm.size.leaves / 2));
        let counted = format!("quotree_quota_pods{{queue=\"root.{team}\"}}");
        let placed = |storm: &Storm| {
            storm.server.with_store(|store| {
                let ours = store.all("", "pods").filter(|pod| pod["metadata"]["namespace"] == team.as_str());
                ours.filter(|pod| pod["spec"]["nodeName"].is_string()).count() as f64
            })
        };
        assert_eq!(shown(&storm, &counted), placed(&storm), "round {round}: before");
        let missed = shown(&storm, MISSED);
        let rule = Rule::on(Verb::Watch, "pods", Fault::Watch(WatchFault::Lost("DELETED")));
        storm.server.set_faults(Faults::none().with(rule));
        storm.server.cut_watches();
        storm.pass(5000).await;
        storm.server.with_store(|store| {
            let is_it = |pod: &&std::sync::Arc<Value>| {
                pod["metadata"]["namespace"] == team.as_str() && pod["spec"]["nodeName"].is_string()
            };
            let name = store.all("", "pods").find(is_it).unwrap()["metadata"]["name"].as_str().unwrap().to_owned();
            let kind = store.kinds().get("", "pods").cloned().unwrap();
            store.remove(&kind, &team, &name).unwrap();
        });
        storm.server.set_faults(Faults::none());
        storm.pass(30_000).await;
        assert_eq!(shown(&storm, &counted), placed(&storm) + 1.0, "round {round}: it counts what is gone");
        assert_eq!(shown(&storm, MISSED), missed, "round {round}: nobody has noticed");
        // A list every ten minutes, and a second one after 15 s.
        storm.pass(640_000).await;
        assert_eq!(shown(&storm, MISSED), missed + 1.0, "round {round}: it is noticed");
        assert_eq!(shown(&storm, &counted), placed(&storm), "round {round}: and mended");
        storm.holds(&format!("round {round}"));
    }
    storm.rests(180, "at the end").await;
}
