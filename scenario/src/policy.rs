//! `policy: Capacity(..)` and `world: World(..)`: the settings of the scheduler and of the simulated world.

use crate::{
    files::Files,
    times::{RandomTime, latency},
};
use quotree_core::{
    Age, BorrowWhilePreempting, EnforceMax, Floor, Order, OverPromised, Placement, Policy as Knobs, Preemption,
    Reclaim, RespectBudgets, SearchBounds, Time, Unquotaed, VictimOrder, WithinQueuePreemption,
};
use quotree_model::{Start, World as Checked};
use quotree_syntax::{
    At, Ms, Node, Permille, Positive, Read, Record, Report, Shape, Unnamed, choice, group, record, variant,
};

group! {
    /// The settings of the scheduler; each selects how a rule is applied.
    pub(crate) enum Policy in "policy", "a policy" { Capacity }
}

record! {
    /// The policy of the quota tree.
    pub(crate) struct Capacity in "policy" {
        /// Which pending workload is tried first (O1).
        order: Order = Knobs::default().order,
        /// The age of a pod that is created again (O3).
        age: Age = Knobs::default().age,
        /// What a leaf may reclaim (R2, R8).
        reclaim: Reclaim = Knobs::default().reclaim,
        /// Which pods of its own leaf a workload may preempt (R1).
        within: WithinQueuePreemption = Knobs::default().within,
        /// Whether preemption within the own leaf may make the leaf borrow more (R1).
        growth: BorrowWhilePreempting = Knobs::default().growth,
        /// Which kinds of preemption are enabled (R8).
        preemption: Preemption = Knobs::default().preemption,
        /// How far a victim may take its quota below its min (R2b).
        floor: Floor = Knobs::default().floor,
        /// The order of victims (V1).
        victims: VictimOrder = Knobs::default().victims,
        /// Which node a pod gets (P2).
        placement: PlacementKnob = PlacementKnob(Placement::BestFit),
        /// Whether exhausted disruption budgets may be broken (R7).
        respect_budgets: RespectBudgets = Knobs::default().respect_budgets,
        /// What happens to pods whose namespace is on no leaf (A4).
        unquotaed: Unquotaed = Knobs::default().unquotaed,
        /// What happens when a max is lowered below the usage (T4).
        enforce_max: EnforceMaxKnob = EnforceMaxKnob(EnforceMax::Never),
        /// Whether a tree whose children's min exceed the parent's min is an error (T2).
        over_promised: OverPromised = Knobs::default().over_promised,
        /// No pod is evicted before it has run this long (R2c).
        min_runtime: Ms = Ms(0),
        /// A hold ends after this time (H2).
        hold_timeout: Positive => "never",
        /// A gang below its minimum is evicted after this time (G3).
        stale_after: Positive => "never",
        /// A workload of which a bind failed waits this long, then twice as long each time, up to ten times (E6).
        bind_back_off: Positive => "it is tried again at once",
        /// Bounds of one search.
        bounds: Unnamed<Bounds> => "`(nodes: 64, candidates: 100000, sets: 65536)`",
    }
}

record! {
    /// Bounds of a search. The name may be left out.
    pub(crate) struct Bounds in "bounds" {
        /// The most nodes tried for one pod of a plan.
        nodes: u32 = SearchBounds::default().nodes,
        /// The most candidate victims examined in one search.
        candidates: u32 = SearchBounds::default().candidates,
        /// The most sets of victims examined in one search over sets (V5).
        sets: u32 = SearchBounds::default().sets,
    }
}

record! {
    /// Delays and limits. The name may be left out.
    pub(crate) struct World in "world" {
        /// The time from a bind decision until the pod runs.
        bind_latency: At<RandomTime> => "`0s`",
        /// The time from an eviction decision until the pod is gone.
        eviction_grace: At<RandomTime> => "`0s`",
        /// The time from when a pod is gone until its controller creates the replacement.
        recreate_delay: Ms = Ms(0),
        /// The fraction of binds that fail, after their latency; the pod is then pending again.
        failed_binds: At<Permille> => "0",
        /// The fraction of eviction requests for running pods that are lost; the pod then keeps running.
        lost_evictions: At<Permille> => "0",
        /// The fraction of evictions of running pods that the API refuses, as it does for a disruption budget; the pod then
        /// keeps running, and the scheduler learns that the eviction failed (E2).
        refused_evictions: At<Permille> => "0",
        /// The time from a lost eviction request to the next one. A refused one is sent again for so long before the
        /// scheduler gives it up, and after as long again the pod may be evicted.
        eviction_retry: Positive = Positive(Checked::default().eviction_retry_ms),
        /// From this time on no bind fails and no eviction request is lost or refused.
        reliable_from: Time => "never",
        /// The latest end of the run.
        until: Positive => "when nothing more can happen",
        /// A run that handles more events than this stops with an error.
        max_events: At<u64> => "1000000000",
        /// The currency of prices, such as `EUR`, as reports print it.
        currency: String => "none",
        /// The calendar time of moment 0, such as `2026-11-30T08:00Z`; `Z`, a fixed offset such as `+01:00`, or nothing may follow the time. Outputs show dates beside times.
        starts_at: At<String> => "absent",
    }
}

/// The values of `placement`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlacementKnob(Placement);

impl Read for PlacementKnob {
    fn kind() -> String {
        let words = PLACEMENTS.map(|(word, _)| format!("`{word}`")).join(", ");
        format!("{words} or `Random(seed: n)`")
    }

    fn show(&self) -> String {
        let word = PLACEMENTS.iter().find(|(_, placement)| *placement == self.0);
        word.map_or_else(String::new, |(word, _)| format!("`{word}`"))
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        if let Some(name) = named(node, "random") {
            let seed = open::<Random>(node, name, "a placement", report)?.seed;
            return seed.map(|seed| Self(Placement::Random { seed }));
        }
        let mut known = PLACEMENTS.to_vec();
        known.push(("Random", Placement::BestFit));
        choice(node, &known, report).map(Self)
    }
}

const PLACEMENTS: [(&str, Placement); 8] = [
    ("BestFit", Placement::BestFit),
    ("Binpack", Placement::Binpack),
    ("Spread", Placement::Spread),
    ("DotProduct", Placement::DotProduct),
    ("GpuPacking", Placement::GpuPacking),
    ("GpuClustering", Placement::GpuClustering),
    ("Fgd", Placement::Fgd),
    ("LeastGpus", Placement::LeastGpus),
];

record! {
    /// Any node that fits, drawn from a random stream.
    struct Random(seed) in "placement" {
        /// The seed of the stream.
        seed: u64 => required,
    }
}

/// The values of `enforce_max`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EnforceMaxKnob(EnforceMax);

impl Read for EnforceMaxKnob {
    fn kind() -> String {
        "`Never` or `After(\"10m\")`".to_owned()
    }

    fn show(&self) -> String {
        "`Never`".to_owned()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        if let Some(name) = named(node, "after") {
            let after = open::<After>(node, name, "a way to enforce max", report)?.time;
            return after.map(|ms| Self(EnforceMax::After { ms: ms.0 }));
        }
        choice(node, &[("Never", EnforceMax::Never), ("After", EnforceMax::Never)], report).map(Self)
    }
}

record! {
    /// Pods above a lowered max are evicted after this time.
    struct After(time) in "enforce_max" {
        /// How long usage may stay above the max.
        time: Ms => required,
    }
}

/// Whether a word or struct has this name, in any case.
fn named<'a>(node: &'a Node, wanted: &str) -> Option<&'a str> {
    let name = match &node.shape {
        Shape::Word(word) => word,
        Shape::Struct(body) => &body.name.as_ref()?.text,
        _ => return None,
    };
    name.eq_ignore_ascii_case(wanted).then_some(name)
}

/// Opens a struct by the name that is written in the file.
fn open<T: Record>(node: &Node, name: &str, what: &str, report: &mut Report) -> Option<T> {
    variant(node, &[name], what, report).map(|variant| T::open(variant, report))
}

/// The settings of a policy, and its name in lower case, as in reports.
pub(crate) fn policy(read: Option<&Policy>) -> (String, Knobs) {
    let name = "capacity".to_owned();
    let Some(Policy::Capacity(read)) = read else { return (name, Knobs::default()) };
    let knobs = Knobs {
        order: read.order,
        age: read.age,
        reclaim: read.reclaim,
        within: read.within,
        growth: read.growth,
        preemption: read.preemption,
        floor: read.floor,
        victims: read.victims,
        placement: read.placement.0,
        respect_budgets: read.respect_budgets,
        unquotaed: read.unquotaed,
        enforce_max: read.enforce_max.0,
        over_promised: read.over_promised,
        min_runtime_ms: read.min_runtime.0,
        hold_timeout_ms: read.hold_timeout.map(|ms| ms.0),
        stale_after_ms: read.stale_after.map(|ms| ms.0),
        bind_back_off_ms: read.bind_back_off.map(|ms| ms.0),
        bounds: read.bounds.as_ref().map_or_else(SearchBounds::default, |bounds| SearchBounds {
            nodes: bounds.0.nodes,
            candidates: bounds.0.candidates,
            sets: bounds.0.sets,
        }),
        ..Knobs::default()
    };
    (name, knobs)
}

/// Checks the settings of the simulated world.
pub(crate) fn world(read: Option<&Unnamed<World>>, files: &mut Files<'_>, report: &mut Report) -> Checked {
    let default = Checked::default();
    let Some(Unnamed(read)) = read else { return default };
    let bind_latency = latency("bind_latency", read.bind_latency.as_ref(), files, report);
    let eviction_grace = latency("eviction_grace", read.eviction_grace.as_ref(), files, report);
    let max_events = read.max_events.as_ref();
    if let Some(zero) = max_events.filter(|count| count.value == 0) {
        report.error(zero.span, "`max_events` must be at least 1", "must be 1 or more");
    }
    Checked {
        bind_latency: bind_latency.unwrap_or(default.bind_latency),
        eviction_grace: eviction_grace.unwrap_or(default.eviction_grace),
        recreate_delay_ms: read.recreate_delay.0,
        failed_binds_permille: chance("failed_binds", read.failed_binds.as_ref(), report),
        lost_evictions_permille: chance("lost_evictions", read.lost_evictions.as_ref(), report),
        refused_evictions_permille: chance("refused_evictions", read.refused_evictions.as_ref(), report),
        eviction_retry_ms: read.eviction_retry.0,
        reliable_from: read.reliable_from,
        until: read.until.map(|ms| Time(ms.0)),
        max_events: max_events.map_or(default.max_events, |count| count.value),
        currency: read.currency.clone().unwrap_or_default(),
        starts_at: starts_at(read.starts_at.as_ref(), report),
    }
}

/// The calendar time of moment 0: `2026-11-30T08:00`, with `Z` or a fixed offset such as `+01:00`, or without.
fn starts_at(text: Option<&At<String>>, report: &mut Report) -> Option<Start> {
    let text = text?;
    let found = calendar(&text.value);
    if found.is_none() {
        let title = format!("`{}` is not a calendar time", text.value);
        report
            .error(text.span, title, "expected a time such as `2026-11-30T08:00`")
            .help("`Z` or an offset such as `+01:00` may follow; names of time zones are not supported");
    }
    found
}

fn calendar(text: &str) -> Option<Start> {
    let clock = text.find('T').map_or(text.len(), |at| at + 1);
    let (civil, offset) = match text.get(clock..)?.find(['Z', '+', '-']) {
        None => (text, None),
        Some(at) => (text.get(..clock + at)?, Some(offset(text.get(clock + at..)?)?)),
    };
    let civil = civil.parse::<jiff::civil::DateTime>().ok()?;
    let seconds = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    Some(Start::new(seconds, offset))
}

/// Minutes ahead of UTC.
fn offset(text: &str) -> Option<i16> {
    if text == "Z" {
        return Some(0);
    }
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let number = |text: &str| (text.len() == 2).then(|| text.parse::<u8>().ok()).flatten().map(i16::from);
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let sum = (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)?;
    Some(if text.starts_with('-') { -sum } else { sum })
}

/// A probability below 100%.
fn chance(field: &str, chance: Option<&At<Permille>>, report: &mut Report) -> u64 {
    let Some(chance) = chance else { return 0 };
    if chance.value.0 >= 1000 {
        let title = format!("`{field}` must be below 100%, or nothing would ever succeed");
        report.error(chance.span, title, "too large");
        return 0;
    }
    chance.value.0
}
