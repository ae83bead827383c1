//! Philly as one pooled strict FIFO: 82,247 jobs through the whole core, beside the same FIFO written in simcore. The
//! mean waits are known to the hundredth of a second and asserted.

#![allow(missing_docs, reason = "criterion's mains have no readers")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run has nothing to say")]

use quotree_benches::{
    cluster::Cluster, count_instructions, counts_instructions, criterion, only_tried, rate, ratio, row, shortest,
};
use quotree_core::{
    Amounts, Event, NodeSpec, Order, PodId, PodOutcome, PodSet, PodTemplate, Policy, Preemption, Queueing, QuotaSpec,
    Scheduler, Time, WorkloadId, WorkloadSpec,
};
use quotree_testkit::shared::{read_shared, shared};
use serde::Serialize;
use simcore::{Event as SimEvent, EventHandler, Simulation, SimulationContext, cast};
use std::{cell::RefCell, cmp::Reverse, collections::BinaryHeap, collections::VecDeque, rc::Rc, sync::Arc};

/// GPUs, and the mean wait in hundredths of a second.
const KNOWN: [(u32, u64); 4] = [(520, 42_912_888), (640, 3_316_673), (800, 70_955), (1024, 1148)];

#[derive(Debug, Clone, Copy)]
struct Job {
    submit_ms: u64,
    run_ms: u64,
    gpus: u32,
}

/// The jobs, sorted stably by time; times count from the first.
fn jobs(text: &str) -> Vec<Job> {
    let mut jobs: Vec<Job> =
        text.lines().skip(1).filter(|l| !l.is_empty()).map(|line| job(line).expect("a row of the trace")).collect();
    jobs.sort_by_key(|j| j.submit_ms);
    let first = jobs.first().map_or(0, |j| j.submit_ms);
    jobs.iter_mut().for_each(|j| j.submit_ms -= first);
    jobs
}

fn job(line: &str) -> Option<Job> {
    let mut cells = line.split(',');
    let (date, time) = cells.next()?.split_once(' ')?;
    let mut date = date.split('-').map(|n| n.parse::<u64>().ok());
    let (_year, month, day) = (date.next()??, date.next()??, date.next()??);
    // The trace runs from September to December of one year.
    let days = day + [0, 30, 61, 91].get(usize::try_from(month.checked_sub(9)?).ok()?)?;
    let mut clock = time.split(':').map(|n| n.parse::<u64>().ok());
    let seconds = (clock.next()?? * 60 + clock.next()??) * 60 + clock.next()??;
    let (whole, part) = cells.next()?.split_once('.')?;
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    let run_ms = whole.parse::<u64>().ok()? * 1000 + part.parse::<u64>().ok()?;
    let gpus = cells.next()?.parse().ok()?;
    Some(Job { submit_ms: (days * 86_400 + seconds) * 1000, run_ms, gpus })
}

/// Sum of the waits, milliseconds, through the core: a pool, one leaf that blocks, order by submission.
fn quotree(jobs: &[Job], gpus: u32) -> u64 {
    let all = Amounts::new().with("nvidia.com/gpu", i64::from(gpus) * 1000);
    let mut leaf = QuotaSpec::new("pool", Some("root")).min(all.clone()).max(all.clone()).namespace("jobs");
    leaf.queueing = Queueing::Block;
    let root = QuotaSpec::new("root", None).min(all.clone()).max(all.clone());
    let policy = Policy { order: Order::Fifo, preemption: Preemption::None, ..Policy::default() };
    let scheduler = Scheduler::new(&[root, leaf].into_iter().collect(), policy).unwrap();
    let mut cluster = Cluster::new(scheduler);
    cluster.tell(Event::NodeUp(NodeSpec::new(0, all))).unwrap();
    let most = jobs.iter().map(|j| j.gpus).max().unwrap_or(0);
    let templates: Vec<Arc<PodTemplate>> = (0..=most)
        .map(|n| {
            let request = Amounts::new().with("nvidia.com/gpu", i64::from(n) * 1000);
            Arc::new(PodTemplate { request, ..PodTemplate::default() })
        })
        .collect();
    let namespace = quotree_core::Name::from("jobs");
    let mut ends: BinaryHeap<Reverse<(u64, u32)>> = BinaryHeap::new();
    let mut arrivals = jobs.iter().zip(0u32..).peekable();
    let mut waited = 0;
    loop {
        let next_end = ends.peek().map(|Reverse((at, _))| *at);
        let next_arrival = arrivals.peek().map(|(job, _)| job.submit_ms);
        let Some(now) = [next_end, next_arrival].into_iter().flatten().min() else { break };
        while let Some(Reverse((_, id))) = ends.peek().copied().filter(|Reverse((at, _))| *at == now) {
            ends.pop();
            let pod = PodId { workload: WorkloadId(id), ordinal: 0 };
            cluster.tell(Event::PodGone { pod, outcome: PodOutcome::Succeeded }).unwrap();
        }
        while let Some((job, id)) = arrivals.next_if(|(job, _)| job.submit_ms == now) {
            let template = templates.get(job.gpus as usize).unwrap().clone();
            let spec = WorkloadSpec {
                id: WorkloadId(id),
                namespace: namespace.clone(),
                quota: None,
                submitted: Time(now),
                priority: 0,
                preemptible: true,
                may_evict: true,
                pods: [PodSet { template, count: 1, min: 1 }].into_iter().collect(),
                budget: None,
                together: None,
                replaces: None,
            };
            cluster.tell(Event::WorkloadSubmitted(spec)).unwrap();
        }
        let started = |pod: PodId, _| {
            if let Some(job) = jobs.get(pod.workload.0 as usize) {
                waited += now - job.submit_ms;
                ends.push(Reverse((now + job.run_ms, pod.workload.0)));
            }
        };
        cluster.decide(Time(now), started, |_| {}).unwrap();
    }
    waited
}

#[derive(Clone, Serialize)]
struct Arrive {
    job: u32,
}

#[derive(Clone, Serialize)]
struct End {
    gpus: u32,
}

struct Fifo {
    jobs: Rc<Vec<Job>>,
    free: u32,
    queue: VecDeque<u32>,
    waited: u64,
    context: SimulationContext,
}

impl Fifo {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the peer counts time in floats"
    )]
    fn start(&mut self) {
        while let Some(job) =
            self.queue.front().and_then(|j| self.jobs.get(*j as usize)).filter(|j| j.gpus <= self.free)
        {
            self.queue.pop_front();
            self.free -= job.gpus;
            self.waited += self.context.time() as u64 - job.submit_ms;
            self.context.emit_self(End { gpus: job.gpus }, job.run_ms as f64);
        }
    }
}

impl EventHandler for Fifo {
    fn on(&mut self, event: SimEvent) {
        cast!(match event.data {
            Arrive { job } => {
                self.queue.push_back(job);
            }
            End { gpus } => {
                self.free += gpus;
            }
        });
        self.start();
    }
}

#[expect(clippy::cast_precision_loss, reason = "the peer counts time in floats")]
fn simcore(jobs: &Rc<Vec<Job>>, gpus: u32) -> u64 {
    let mut simulation = Simulation::new(1);
    let context = simulation.create_context("fifo");
    for (job, id) in jobs.iter().zip(0..) {
        context.emit_ordered_self(Arrive { job: id }, job.submit_ms as f64);
    }
    let fifo = Fifo { jobs: jobs.clone(), free: gpus, queue: VecDeque::new(), waited: 0, context };
    let fifo = Rc::new(RefCell::new(fifo));
    simulation.add_handler("fifo", fifo.clone());
    simulation.step_until_no_events();
    fifo.borrow().waited
}

/// The mean in hundredths of a second, rounded.
fn mean_cs(waited_ms: u64, jobs: u64) -> u64 {
    (waited_ms + 5 * jobs) / (10 * jobs)
}

fn main() {
    let Some(folder) = shared() else { return };
    let jobs = Rc::new(jobs(&read_shared(&folder, "traces/philly/philly.csv.gz").unwrap()));
    let count = jobs.len() as u64;
    assert_eq!(count, 82_247);
    if counts_instructions() {
        return count_instructions(count, "jobs", || quotree(&jobs, 520));
    }
    for (gpus, known) in KNOWN {
        assert_eq!(mean_cs(simcore(&jobs, gpus), count), known, "simcore, mean wait at {gpus} GPUs in 1/100 s");
        assert_eq!(mean_cs(quotree(&jobs, gpus), count), known, "quotree, mean wait at {gpus} GPUs in 1/100 s");
    }
    if only_tried() {
        return;
    }
    let mut criterion = criterion();
    let mine = shortest(&mut criterion, "philly/quotree 520", || quotree(&jobs, 520));
    let theirs = shortest(&mut criterion, "philly/simcore 520", || simcore(&jobs, 520));
    row(&[
        "Philly, pooled strict FIFO, 520 GPUs, 82,247 jobs",
        &rate(count, mine),
        &format!("simcore {}: {} times", rate(count, theirs), ratio(mine, theirs)),
        "mean waits 429128.88, 33166.73, 709.55, 11.48 s: exact",
    ]);
    criterion.final_summary();
}
