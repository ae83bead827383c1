//! The workloads of a drawn world, and what happens to them.

use crate::{
    cards::{self, Part},
    data,
    features::Feature,
    lives, people, places,
    words::{CPU, MEMORY, Units, WHOLE_GPU, amounts, time},
    world::Sketch,
};
use quotree_sim::scenario::Value;

type Fields = Vec<(&'static str, Value)>;

/// Draws the workloads; scaling and withdrawals become events of the sketch.
pub(crate) fn workloads(sketch: &mut Sketch<'_>) -> Vec<Value> {
    let count = sketch.draw.between(1, 10);
    let mut all: Vec<Value> = (0..count).filter_map(|number| workload(sketch, format!("w{number}"))).collect();
    if sketch.draw.chance(60) {
        all.extend(filler(sketch));
    }
    all
}

/// Somebody who fills the cluster from the beginning with small pods, so that others have to take their part back.
fn filler(sketch: &mut Sketch<'_>) -> Option<Value> {
    let namespace = namespace(sketch)?;
    let cores: u64 = sketch.pools.iter().map(|pool| pool.count * pool.each[CPU]).sum();
    let each = sketch.draw.between(1, 3.max(cores / 16));
    let replicas = (cores / each).clamp(1, 24);
    let mut fields = vec![("name", Value::text("filler"))];
    fields.extend(people::submits(sketch, &namespace));
    fields.extend([
        ("namespace", Value::text(namespace)),
        ("replicas", Value::number(replicas)),
        ("request", amounts([Some(each), None, None])),
    ]);
    Some(Value::fields("Deployment", fields))
}

pub(crate) fn namespace(sketch: &mut Sketch<'_>) -> Option<String> {
    let numbers: Vec<usize> = (0..sketch.namespaces.len()).collect();
    sketch.draw.one_of(&numbers).and_then(|i| sketch.namespaces.get(i)).cloned()
}

fn workload(sketch: &mut Sketch<'_>, name: String) -> Option<Value> {
    let mut kinds = vec!["Deployment"];
    if sketch.features.has(Feature::Jobs) {
        kinds.push("Job");
    }
    if sketch.features.has(Feature::Gangs) || sketch.features.has(Feature::Elastic) {
        kinds.extend(["Training"; 2]);
    }
    if sketch.features.has(Feature::Workflows) {
        kinds.push("Workflow");
    }
    let kind = sketch.draw.one_of(&kinds)?;
    let namespace = namespace(sketch)?;
    let user = people::submits(sketch, &namespace);
    let mut fields: Fields = vec![("name", Value::text(name.clone())), ("namespace", Value::text(namespace))];
    fields.extend(user);
    let submit = if sketch.draw.chance(40) { 0 } else { sketch.moment() };
    if submit > 0 {
        fields.push(("submit", time(submit)));
    }
    if sketch.features.has(Feature::Priorities) && sketch.draw.chance(60) {
        fields.push(("priority", Value::number(sketch.draw.between(1, 3))));
    }
    if sketch.features.has(Feature::NonPreemptible) && sketch.draw.chance(20) {
        fields.push(("preemptible", Value::Bool(false)));
    }
    if sketch.budgets > 0 && sketch.draw.chance(60) {
        let budget = sketch.draw.between(0, sketch.budgets - 1);
        fields.push(("budget", Value::text(format!("b{budget}"))));
    }
    let called = if kind == "Workflow" { kind } else { lives::arrivals(sketch, kind, submit, &mut fields) };
    match kind {
        "Workflow" => fields.push(("tasks", lives::tasks(sketch))),
        "Job" => job(sketch, &mut fields),
        "Training" => {
            training(sketch, &mut fields);
            fields.extend(places::together(sketch));
        }
        _ => {
            fields.push(("replicas", Value::number(sketch.draw.between(1, 6))));
            fields.extend(ask(sketch));
        }
    }
    changes(sketch, kind, &name, submit);
    Some(Value::fields(called, fields))
}

fn changes(sketch: &mut Sketch<'_>, kind: &str, name: &str, submit: u64) {
    let named = || ("workload", Value::text(name.to_owned()));
    if kind == "Deployment" && sketch.features.has(Feature::Scale) {
        for _ in 0..sketch.draw.between(0, 2) {
            let at = sketch.draw.between(submit, sketch.safety);
            let replicas = Value::number(sketch.draw.between(0, 7));
            sketch.events.push((at, Value::fields("Scale", vec![named(), ("replicas", replicas)])));
        }
    }
    if sketch.features.has(Feature::Withdraw) && sketch.draw.chance(25) {
        let at = sketch.draw.between(submit, sketch.safety);
        sketch.events.push((at, Value::fields("Withdraw", vec![named()])));
    }
}

pub(crate) fn job(sketch: &mut Sketch<'_>, fields: &mut Fields) {
    let completions = sketch.draw.between(1, 8);
    fields.push(("completions", Value::number(completions)));
    fields.push(("parallelism", Value::number(sketch.draw.between(1, completions.min(4)))));
    runtime(sketch, fields);
    fields.extend(ask(sketch));
}

pub(crate) fn training(sketch: &mut Sketch<'_>, fields: &mut Fields) {
    if sketch.draw.chance(40) {
        fields.push(("runtime", Value::word("Forever")));
    } else {
        runtime(sketch, fields);
        if sketch.draw.chance(30) {
            fields.push(("restart_overhead", time(sketch.draw.between(1, 60))));
        }
    }
    if sketch.features.has(Feature::LostMembers) && sketch.draw.chance(70) {
        fields.push(("on_loss", Value::word("Wait")));
    }
    if sketch.features.has(Feature::Limits) && sketch.draw.chance(40) {
        fields.push(("max_restarts", Value::number(sketch.draw.between(0, 3))));
    }
    let roles = sketch.draw.between(1, 2);
    let names = ["master", "worker"];
    let role = |name: &&'static str, sketch: &mut Sketch<'_>| {
        let replicas = sketch.draw.between(1, 4);
        let mut role: Fields = vec![("name", Value::text(*name)), ("replicas", Value::number(replicas))];
        if sketch.features.has(Feature::Elastic) && replicas > 1 && sketch.draw.chance(70) {
            role.push(("min", Value::number(sketch.draw.between(1, replicas - 1))));
        }
        role.extend(ask(sketch));
        Value::fields("Role", role)
    };
    let roles = (0..roles).zip(&names).map(|(_, name)| role(name, sketch)).collect();
    fields.push(("roles", Value::List(roles)));
}

fn runtime(sketch: &mut Sketch<'_>, fields: &mut Fields) {
    let most = sketch.safety * 3 / 2;
    let fixed = sketch.draw.between(5, most);
    let runtime = if !sketch.features.has(Feature::RandomTimes) {
        time(fixed)
    } else if sketch.draw.chance(50) {
        Value::tuple("Exponential", vec![time(fixed)])
    } else {
        sketch.delay(5, most)
    };
    fields.push(("runtime", runtime));
    if sketch.draw.chance(30) {
        fields.push(("checkpoint", time(sketch.draw.between(5, 600))));
        if sketch.features.has(Feature::Limits) {
            fields.push(("checkpoint_cost", time(sketch.draw.between(0, 10))));
        }
    }
    if sketch.features.has(Feature::Limits) && sketch.draw.chance(40) {
        fields.push(("runtime_limit", time(sketch.draw.between(5, most))));
    }
    data::reads(sketch, fields);
}

/// What a pod asks: mostly less than a node has.
pub(crate) fn ask(sketch: &mut Sketch<'_>) -> Fields {
    let mut node: Units = [1; 3];
    for pool in &sketch.pools {
        for (most, each) in node.iter_mut().zip(pool.each) {
            *most = (*most).max(each);
        }
    }
    let [cpu, memory, gpu] = node;
    let share = if sketch.features.has(Feature::Nodes) { 2 } else { 5 };
    let mut units = [None; 3];
    units[CPU] = Some(sketch.draw.between(1, (cpu / share).max(1)));
    if sketch.features.has(Feature::Memory) && sketch.draw.chance(70) {
        units[MEMORY] = Some(sketch.draw.between(1, (memory / share).max(1)));
    }
    let mut part = None;
    if sketch.features.has(Feature::Gpus) && sketch.draw.chance(60) {
        let count = sketch.draw.between(1, (gpu / WHOLE_GPU).clamp(1, 4));
        let parts = sketch.features.has(Feature::GpuFractions) && sketch.draw.chance(60);
        part = Some(Part { count, each: if parts { sketch.draw.between(1, WHOLE_GPU - 1) } else { WHOLE_GPU } });
    }
    let mut request = amounts(units);
    let mut spread = Vec::new();
    if let Some(part) = part {
        let asked;
        (asked, spread) = cards::ask(sketch, part);
        if let Value::Map(entries) = &mut request {
            entries.extend(asked.into_iter().map(|(name, amount)| (Value::text(name), Value::text(amount))));
        }
    }
    let mut fields: Fields = vec![("request", request)];
    fields.extend(spread);
    if sketch.features.has(Feature::SeveralPools) && sketch.features.has(Feature::Nodes) {
        if sketch.draw.chance(20) {
            let names: Vec<&'static str> = sketch.pools.iter().map(|pool| pool.name).collect();
            let pool = sketch.draw.one_of(&names).unwrap_or("a");
            fields.push(("selector", Value::Map(vec![(Value::text("pool"), Value::text(pool))])));
        }
        if sketch.draw.chance(40) {
            fields.push(("tolerations", Value::List(vec![Value::text("special")])));
        }
    }
    fields
}
