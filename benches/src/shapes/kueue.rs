//! The workloads of Kueue's performance generator, at once: each queue gets small, medium and large ones in fixed
//! intervals, a fifth more than its guarantee, and borrows from its cohort. 500 workloads a queue there are 50 here, as
//! in its test of many queues.

#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]

use super::{
    Meter,
    world::{cpu, leaf},
};
use crate::cluster::Cluster;
use quotree_core::{
    Event, NodeSpec, PodId, PodOutcome, Policy, QuotaSpec, Scheduler, Time, TreeSpec, WorkloadId, WorkloadSpec,
};
use std::{cmp::Reverse, collections::BinaryHeap};

const QUEUES_PER_COHORT: u32 = 100;
const NOMINAL: u32 = 20;
const BORROW: u32 = 100;

/// Workloads that every queue gets.
struct Set {
    count: u64,
    interval_ms: u64,
    run_ms: u64,
    priority: i32,
    cores: u32,
}

const SETS: [Set; 3] = [
    Set { count: 35, interval_ms: 100, run_ms: 200, priority: 50, cores: 1 },
    Set { count: 10, interval_ms: 500, run_ms: 500, priority: 100, cores: 5 },
    Set { count: 5, interval_ms: 1200, run_ms: 1000, priority: 200, cores: 20 },
];

fn tree(queues: u32) -> TreeSpec {
    let all = cpu(queues * NOMINAL);
    let mut quotas = vec![QuotaSpec::new("root", None).min(all.clone()).max(all)];
    for cohort in 0..queues.div_ceil(QUEUES_PER_COHORT) {
        let members = cohort * QUEUES_PER_COHORT..((cohort + 1) * QUEUES_PER_COHORT).min(queues);
        let (name, all) = (format!("cohort-{cohort}"), cpu(members.len() as u32 * NOMINAL));
        quotas.push(QuotaSpec::new(&name, Some("root")).min(all.clone()).max(all));
        let queue = |index| QuotaSpec::new(&leaf(index), Some(&name)).min(cpu(NOMINAL)).namespace(&leaf(index));
        quotas.extend(members.map(|index| queue(index).max(cpu(NOMINAL + BORROW))));
    }
    quotas.into_iter().collect()
}

/// What came and is not done.
struct Play {
    cluster: Cluster,
    /// The queue, the set and the time of every workload, by id.
    workloads: Vec<(u32, &'static Set, Time)>,
    ends: BinaryHeap<Reverse<(u64, WorkloadId)>>,
    done: u64,
}

impl Play {
    fn submit(&mut self, (queue, set, since): (u32, &'static Set, Time), replaces: Option<WorkloadId>) {
        let id = u32::try_from(self.workloads.len()).unwrap();
        self.workloads.push((queue, set, since));
        let spec = WorkloadSpec::pod(id, &leaf(queue), since, cpu(set.cores)).priority(set.priority);
        self.cluster.tell(Event::WorkloadSubmitted(WorkloadSpec { replaces, ..spec })).unwrap();
    }

    /// One moment: what ends, what comes, and decisions until nothing is left to do.
    fn moment(&mut self, meter: &mut Meter, now: u64, arrivals: &[(u32, &'static Set)]) {
        meter.part(|| {
            while let Some(Reverse((_, workload))) = self.ends.peek().copied().filter(|Reverse((at, _))| *at <= now) {
                self.ends.pop();
                let pod = PodId { workload, ordinal: 0 };
                // One that was evicted is no more there.
                if self.cluster.tell(Event::PodGone { pod, outcome: PodOutcome::Succeeded }).is_ok() {
                    self.done += 1;
                }
            }
            for (queue, set) in arrivals {
                self.submit((*queue, set, Time(now)), None);
            }
        });
        loop {
            let (mut evicted, ends, workloads) = (Vec::new(), &mut self.ends, &self.workloads);
            let mut bound = |pod: PodId| {
                let run_ms = workloads.get(pod.workload.0 as usize).map_or(0, |(_, set, _)| set.run_ms);
                ends.push(Reverse((now + run_ms, pod.workload)));
            };
            let cluster = &mut self.cluster;
            let plan = meter.turns(0, || cluster.decide(Time(now), |pod, _| bound(pod), |gone| evicted.push(gone)));
            if plan.unwrap().is_empty() {
                break;
            }
            meter.part(|| {
                for gone in evicted {
                    let again = *self.workloads.get(gone.0 as usize).unwrap();
                    self.submit(again, Some(gone));
                }
            });
        }
    }
}

/// `n` queues.
pub(super) fn play(meter: &mut Meter, n: u32) {
    let cluster = Cluster::new(Scheduler::new(&tree(n), Policy::default()).unwrap());
    let mut play = Play { cluster, workloads: Vec::new(), ends: BinaryHeap::new(), done: 0 };
    play.cluster.tell(Event::NodeUp(NodeSpec::new(0, cpu(n * NOMINAL)))).unwrap();
    let of_set = |set: &'static Set| (1..=set.count).map(move |turn| (turn * set.interval_ms, set));
    let mut arrivals: Vec<(u64, &Set)> = SETS.iter().flat_map(of_set).collect();
    arrivals.sort_by_key(|(at, _)| Reverse(*at));
    loop {
        let next_end = play.ends.peek().map(|Reverse((at, _))| *at);
        let next_arrival = arrivals.last().map(|(at, _)| *at);
        let Some(now) = next_end.into_iter().chain(next_arrival).min() else { break };
        let mut come = Vec::new();
        while let Some((_, set)) = arrivals.pop_if(|(at, _)| *at <= now) {
            come.extend((0..n).map(|queue| (queue, set)));
        }
        play.moment(meter, now, &come);
        if !meter.may_go_on() {
            break;
        }
    }
    meter.turns(play.done, || {});
    let each: u64 = SETS.iter().map(|set| set.count).sum();
    assert!(meter.sample().cut_off || play.done == each * u64::from(n), "all ran in the end");
}
