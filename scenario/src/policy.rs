//! `policy: Capacity(..)` and `world: World(..)`: the knobs of the scheduler and of the world around it.

use super::{
    diagnostic::Report,
    files::Files,
    reader::{Fields, Read, choice, variant},
    syntax::{Node, Shape},
    times::latency,
    values::{Ms, Permille, Positive},
};
use quotree_core::{
    BorrowWhilePreempting, EnforceMax, Floor, Order, OverPromised, Placement, Policy, Preemption, Reclaim,
    RespectBudgets, SearchBounds, Time, Unquotaed, VictimOrder, WithinQueuePreemption,
};
use quotree_model::World;

/// The names of the policies there are.
pub(crate) const POLICIES: [&str; 1] = ["Capacity"];

/// A knob that is one of some words.
fn knob<T: Copy>(f: &mut Fields<'_>, field: &'static str, words: &[(&'static str, T)], slot: &mut T, r: &mut Report) {
    if let Some(value) = f.node(field).and_then(|node| choice(node, words, r)) {
        *slot = value;
    }
}

/// Reads a policy; its name in lower case, as reports show it, comes with it.
pub(crate) fn policy(node: &Node, report: &mut Report) -> (String, Policy) {
    let mut policy = Policy::default();
    let name = "capacity".to_owned();
    let Some(variant) = variant(node, &POLICIES, "a policy", report) else { return (name, policy) };
    let mut fields = variant.fields(&[], report);
    let f = &mut fields;
    let p = &mut policy;
    let orders = [("GuaranteedFirst", Order::GuaranteedFirst), ("Fifo", Order::Fifo), ("Share", Order::Share)];
    knob(f, "order", &orders, &mut p.order, report);
    let reclaims = [("Off", Reclaim::Off), ("Min", Reclaim::Min), ("FairShare", Reclaim::FairShare)];
    knob(f, "reclaim", &reclaims, &mut p.reclaim, report);
    let withins = [
        ("LowerPriority", WithinQueuePreemption::LowerPriority),
        ("LowerOrNewerEqual", WithinQueuePreemption::LowerOrNewerEqual),
        ("Never", WithinQueuePreemption::Never),
    ];
    knob(f, "within", &withins, &mut p.within, report);
    knob(
        f,
        "growth",
        &[("Refused", BorrowWhilePreempting::Refused), ("Allowed", BorrowWhilePreempting::Allowed)],
        &mut p.growth,
        report,
    );
    let preemptions = [
        ("Auto", Preemption::Auto),
        ("ReclaimOnly", Preemption::ReclaimOnly),
        ("PriorityOnly", Preemption::PriorityOnly),
        ("None", Preemption::None),
    ];
    preemption(f, &preemptions, p, report);
    knob(f, "floor", &[("Pod", Floor::Pod), ("Strict", Floor::Strict)], &mut p.floor, report);
    let victims = [("FairThenLatest", VictimOrder::FairThenLatest), ("Latest", VictimOrder::Latest)];
    knob(f, "victims", &victims, &mut p.victims, report);
    if let Some(node) = f.node("placement") {
        p.placement = placement(node, report).unwrap_or(p.placement);
    }
    let budgets = [("Prefer", RespectBudgets::Prefer), ("Always", RespectBudgets::Always)];
    knob(f, "respect_budgets", &budgets, &mut p.respect_budgets, report);
    let unquotaed = [("Refuse", Unquotaed::Refuse), ("Schedule", Unquotaed::Schedule)];
    knob(f, "unquotaed", &unquotaed, &mut p.unquotaed, report);
    if let Some(node) = f.node("enforce_max") {
        p.enforce_max = enforce_max(node, report).unwrap_or(p.enforce_max);
    }
    let promised = [("Error", OverPromised::Error), ("Warn", OverPromised::Warn)];
    knob(f, "over_promised", &promised, &mut p.over_promised, report);
    p.min_runtime_ms = f.or("min_runtime", Ms(0), report).0;
    p.hold_timeout_ms = f.optional::<Positive>("hold_timeout", report).map(|ms| ms.0);
    p.stale_after_ms = f.optional::<Positive>("stale_after", report).map(|ms| ms.0);
    if let Some(node) = f.node("bounds") {
        p.bounds = bounds(node, report);
    }
    fields.finish(report);
    (name, policy)
}

/// `None` is a word of this knob, but an absent value everywhere else.
fn preemption(f: &mut Fields<'_>, words: &[(&'static str, Preemption)], policy: &mut Policy, report: &mut Report) {
    match f.given("preemption") {
        Some(Node { shape: Shape::Absent, .. }) => policy.preemption = Preemption::None,
        Some(node) => policy.preemption = choice(node, words, report).unwrap_or(policy.preemption),
        None => {}
    }
}

/// The name of a word or struct, if it is this one in whatever case.
fn named<'a>(node: &'a Node, wanted: &str) -> Option<&'a str> {
    let name = match &node.shape {
        Shape::Word(word) => word,
        Shape::Struct(body) => &body.name.as_ref()?.text,
        _ => return None,
    };
    name.eq_ignore_ascii_case(wanted).then_some(name)
}

fn placement(node: &Node, report: &mut Report) -> Option<Placement> {
    let words = [
        ("BestFit", Placement::BestFit),
        ("Binpack", Placement::Binpack),
        ("Spread", Placement::Spread),
        ("DotProduct", Placement::DotProduct),
        ("GpuPacking", Placement::GpuPacking),
        ("GpuClustering", Placement::GpuClustering),
        ("Fgd", Placement::Fgd),
    ];
    if let Some(name) = named(node, "random") {
        let variant = variant(node, &[name], "a placement", report)?;
        let mut fields = variant.fields(&["seed"], report);
        let seed = fields.required::<u64>("seed", report);
        fields.finish(report);
        return seed.map(|seed| Placement::Random { seed });
    }
    let mut known = words.to_vec();
    known.push(("Random", Placement::BestFit));
    choice(node, &known, report)
}

fn enforce_max(node: &Node, report: &mut Report) -> Option<EnforceMax> {
    if let Some(name) = named(node, "after") {
        let variant = variant(node, &[name], "a way to enforce max", report)?;
        let mut fields = variant.fields(&["time"], report);
        let after = fields.required::<Ms>("time", report);
        fields.finish(report);
        return after.map(|ms| EnforceMax::After { ms: ms.0 });
    }
    choice(node, &[("Never", EnforceMax::Never), ("After", EnforceMax::Never)], report)
}

fn bounds(node: &Node, report: &mut Report) -> SearchBounds {
    let mut bounds = SearchBounds::default();
    let Some(mut fields) = Fields::unnamed(node, "Bounds", report) else { return bounds };
    bounds.nodes = fields.or("nodes", bounds.nodes, report);
    bounds.candidates = fields.or("candidates", bounds.candidates, report);
    fields.finish(report);
    bounds
}

/// Reads the world's behaviour.
pub(crate) fn world(node: &Node, files: &mut Files<'_>, report: &mut Report) -> World {
    let mut world = World::default();
    let Some(mut fields) = Fields::unnamed(node, "World", report) else { return world };
    let mut optional = |field, default, report: &mut Report| match fields.node(field) {
        None => default,
        Some(node) => latency(field, node, files, report).unwrap_or(default),
    };
    world.bind_latency = optional("bind_latency", world.bind_latency, report);
    world.eviction_grace = optional("eviction_grace", world.eviction_grace, report);
    world.recreate_delay_ms = fields.or("recreate_delay", Ms(0), report).0;
    let mut chance = |field, slot: &mut u64, report: &mut Report| {
        let Some(node) = fields.node(field) else { return };
        match Permille::read(node, report) {
            Some(Permille(value)) if value >= 1000 => {
                report.error(
                    node.span,
                    format!("`{field}` must be below 100%: nothing would ever get through"),
                    "too much",
                );
            }
            Some(Permille(value)) => *slot = value,
            None => {}
        }
    };
    chance("failed_binds", &mut world.failed_binds_permille, report);
    chance("lost_evictions", &mut world.lost_evictions_permille, report);
    if let Some(Positive(ms)) = fields.optional("eviction_retry", report) {
        world.eviction_retry_ms = ms;
    }
    world.reliable_from = fields.optional::<Ms>("reliable_from", report).map(|ms| Time(ms.0));
    world.until = fields.optional::<Positive>("until", report).map(|ms| Time(ms.0));
    if let Some(node) = fields.node("max_events") {
        match u64::read(node, report) {
            Some(0) => drop(report.error(node.span, "a run of 0 events makes no sense", "must be 1 or more")),
            Some(count) => world.max_events = count,
            None => {}
        }
    }
    fields.finish(report);
    world
}
