//! The workloads of a random scenario, and the events that scale or withdraw them.

use crate::{
    datasets,
    features::Feature,
    gpus::{self, Part},
    people, recurring, topology,
    units::{CPU, MEMORY, Units, WHOLE_GPU, amounts, time},
    world::WorldBuilder,
};
use quotree_sim::scenario::Value;

type Fields = Vec<(&'static str, Value)>;

/// Draws the workloads; adds the events that scale or withdraw them.
pub(crate) fn workloads(builder: &mut WorldBuilder<'_>) -> Vec<Value> {
    let count = builder.draw.between(1, 10);
    let mut all: Vec<Value> = (0..count).filter_map(|number| workload(builder, format!("w{number}"))).collect();
    if builder.draw.chance(60) {
        all.extend(filler(builder));
    }
    all
}

/// A Deployment of small pods that fills the cluster from the start, so that others have to reclaim their share.
fn filler(builder: &mut WorldBuilder<'_>) -> Option<Value> {
    let namespace = namespace(builder)?;
    let cores: u64 = builder.pools.iter().map(|pool| pool.count * pool.each[CPU]).sum();
    let each = builder.draw.between(1, 3.max(cores / 16));
    let replicas = (cores / each).clamp(1, 24);
    let mut fields = vec![("name", Value::text("filler"))];
    fields.extend(people::submits(builder, &namespace));
    fields.extend([
        ("namespace", Value::text(namespace)),
        ("replicas", Value::number(replicas)),
        ("request", amounts([Some(each), None, None])),
    ]);
    Some(Value::fields("Deployment", fields))
}

pub(crate) fn namespace(builder: &mut WorldBuilder<'_>) -> Option<String> {
    let numbers: Vec<usize> = (0..builder.namespaces.len()).collect();
    builder.draw.one_of(&numbers).and_then(|i| builder.namespaces.get(i)).cloned()
}

fn workload(builder: &mut WorldBuilder<'_>, name: String) -> Option<Value> {
    let mut kinds = vec!["Deployment"];
    if builder.features.has(Feature::Jobs) {
        kinds.push("Job");
    }
    if builder.features.has(Feature::Gangs) || builder.features.has(Feature::Elastic) {
        kinds.extend(["Training"; 2]);
    }
    if builder.features.has(Feature::Workflows) {
        kinds.push("Workflow");
    }
    let kind = builder.draw.one_of(&kinds)?;
    let namespace = namespace(builder)?;
    let user = people::submits(builder, &namespace);
    let mut fields: Fields = vec![("name", Value::text(name.clone())), ("namespace", Value::text(namespace))];
    fields.extend(user);
    let submit = if builder.draw.chance(40) { 0 } else { builder.random_time() };
    if submit > 0 {
        fields.push(("submit", time(submit)));
    }
    if builder.features.has(Feature::Priorities) && builder.draw.chance(60) {
        fields.push(("priority", Value::number(builder.draw.between(1, 3))));
    }
    if builder.features.has(Feature::NonPreemptible) && builder.draw.chance(20) {
        fields.push(("preemptible", Value::Bool(false)));
    }
    if builder.budgets > 0 && builder.draw.chance(60) {
        let budget = builder.draw.between(0, builder.budgets - 1);
        fields.push(("budget", Value::text(format!("b{budget}"))));
    }
    let called = if kind == "Workflow" { kind } else { recurring::arrivals(builder, kind, submit, &mut fields) };
    match kind {
        "Workflow" => fields.push(("tasks", recurring::tasks(builder))),
        "Job" => job(builder, &mut fields),
        "Training" => {
            training(builder, &mut fields);
            fields.extend(topology::together(builder));
        }
        _ => {
            fields.push(("replicas", Value::number(builder.draw.between(1, 6))));
            fields.extend(ask(builder));
        }
    }
    changes(builder, kind, &name, submit);
    Some(Value::fields(called, fields))
}

fn changes(builder: &mut WorldBuilder<'_>, kind: &str, name: &str, submit: u64) {
    let named = || ("workload", Value::text(name.to_owned()));
    if kind == "Deployment" && builder.features.has(Feature::Scale) {
        for _ in 0..builder.draw.between(0, 2) {
            let at = builder.draw.between(submit, builder.safety);
            let replicas = Value::number(builder.draw.between(0, 7));
            builder.events.push((at, Value::fields("Scale", vec![named(), ("replicas", replicas)])));
        }
    }
    if builder.features.has(Feature::Resizes) && matches!(kind, "Deployment" | "Job") {
        resizes(builder, name, submit);
    }
    if builder.features.has(Feature::Withdraw) && builder.draw.chance(25) {
        let at = builder.draw.between(submit, builder.safety);
        builder.events.push((at, Value::fields("Withdraw", vec![named()])));
    }
}

/// Draws resizes of a Deployment or Job.
fn resizes(builder: &mut WorldBuilder<'_>, name: &str, submit: u64) {
    let share = if builder.features.has(Feature::Nodes) { 2 } else { 5 };
    let each = builder.pools.iter().map(|pool| pool.each);
    let [cpu, memory] = each.fold([1, 1], |[a, b], [cpu, memory, _]| [a.max(cpu / share), b.max(memory / share)]);
    let draw = &mut builder.resize_draw;
    for _ in 0..draw.between(0, 2) {
        let at = draw.between(submit, builder.safety);
        let memory = (builder.features.has(Feature::Memory) && draw.chance(40)).then(|| draw.between(1, memory));
        let request = amounts([Some(draw.between(1, cpu)), memory, None]);
        let fields = vec![("workload", Value::text(name.to_owned())), ("request", request)];
        builder.events.push((at, Value::fields("Resize", fields)));
    }
}

pub(crate) fn job(builder: &mut WorldBuilder<'_>, fields: &mut Fields) {
    let completions = builder.draw.between(1, 8);
    fields.push(("completions", Value::number(completions)));
    fields.push(("parallelism", Value::number(builder.draw.between(1, completions.min(4)))));
    runtime(builder, fields);
    fields.extend(ask(builder));
}

pub(crate) fn training(builder: &mut WorldBuilder<'_>, fields: &mut Fields) {
    if builder.draw.chance(40) {
        fields.push(("runtime", Value::word("Forever")));
    } else {
        runtime(builder, fields);
        if builder.draw.chance(30) {
            fields.push(("restart_overhead", time(builder.draw.between(1, 60))));
        }
    }
    if builder.features.has(Feature::LostMembers) && builder.draw.chance(70) {
        fields.push(("on_loss", Value::word("Wait")));
    }
    if builder.features.has(Feature::Limits) && builder.draw.chance(40) {
        fields.push(("max_restarts", Value::number(builder.draw.between(0, 3))));
    }
    let roles = builder.draw.between(1, 2);
    let names = ["master", "worker"];
    let role = |name: &&'static str, builder: &mut WorldBuilder<'_>| {
        let replicas = builder.draw.between(1, 4);
        let mut role: Fields = vec![("name", Value::text(*name)), ("replicas", Value::number(replicas))];
        if builder.features.has(Feature::Elastic) && replicas > 1 && builder.draw.chance(70) {
            role.push(("min", Value::number(builder.draw.between(1, replicas - 1))));
        }
        role.extend(ask(builder));
        Value::fields("Role", role)
    };
    let roles = (0..roles).zip(&names).map(|(_, name)| role(name, builder)).collect();
    fields.push(("roles", Value::List(roles)));
}

fn runtime(builder: &mut WorldBuilder<'_>, fields: &mut Fields) {
    let most = builder.safety * 3 / 2;
    let fixed = builder.draw.between(5, most);
    let runtime = if !builder.features.has(Feature::RandomTimes) {
        time(fixed)
    } else if builder.draw.chance(50) {
        Value::tuple("Exponential", vec![time(fixed)])
    } else {
        builder.delay(5, most)
    };
    fields.push(("runtime", runtime));
    if builder.draw.chance(30) {
        fields.push(("checkpoint", time(builder.draw.between(5, 600))));
        if builder.features.has(Feature::Limits) {
            fields.push(("checkpoint_cost", time(builder.draw.between(0, 10))));
        }
    }
    if builder.features.has(Feature::Limits) && builder.draw.chance(40) {
        fields.push(("runtime_limit", time(builder.draw.between(5, most))));
    }
    datasets::reads(builder, fields);
}

/// Draws the request of a pod: in most cases less than a node has.
pub(crate) fn ask(builder: &mut WorldBuilder<'_>) -> Fields {
    let mut node: Units = [1; 3];
    for pool in &builder.pools {
        for (most, each) in node.iter_mut().zip(pool.each) {
            *most = (*most).max(each);
        }
    }
    let [cpu, memory, gpu] = node;
    let share = if builder.features.has(Feature::Nodes) { 2 } else { 5 };
    let mut units = [None; 3];
    units[CPU] = Some(builder.draw.between(1, (cpu / share).max(1)));
    if builder.features.has(Feature::Memory) && builder.draw.chance(70) {
        units[MEMORY] = Some(builder.draw.between(1, (memory / share).max(1)));
    }
    let mut part = None;
    if builder.features.has(Feature::Gpus) && builder.draw.chance(60) {
        let count = builder.draw.between(1, (gpu / WHOLE_GPU).clamp(1, 4));
        let parts = builder.features.has(Feature::GpuFractions) && builder.draw.chance(60);
        part = Some(Part { count, each: if parts { builder.draw.between(1, WHOLE_GPU - 1) } else { WHOLE_GPU } });
    }
    let mut request = amounts(units);
    let mut spread = Vec::new();
    if let Some(part) = part {
        let asked;
        (asked, spread) = gpus::ask(builder, part);
        if let Value::Map(entries) = &mut request {
            entries.extend(asked.into_iter().map(|(name, amount)| (Value::text(name), Value::text(amount))));
        }
    }
    let mut fields: Fields = vec![("request", request)];
    fields.extend(spread);
    if builder.features.has(Feature::SeveralPools) && builder.features.has(Feature::Nodes) {
        if builder.draw.chance(20) {
            let names: Vec<&'static str> = builder.pools.iter().map(|pool| pool.name).collect();
            let pool = builder.draw.one_of(&names).unwrap_or("a");
            fields.push(("selector", Value::Map(vec![(Value::text("pool"), Value::text(pool))])));
        }
        if builder.draw.chance(40) {
            fields.push(("tolerations", Value::List(vec![Value::text("special")])));
        }
    }
    fields
}
