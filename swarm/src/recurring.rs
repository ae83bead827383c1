//! Recurring workloads and workflows of a random scenario.

use crate::{features::Feature, topology, units::time, workloads, world::WorldBuilder};
use quotree_sim::scenario::Value;

type Fields = Vec<(&'static str, Value)>;

/// Draws whether, and how, a job or training recurs in the safety phase; returns the kind of workload to write.
pub(crate) fn arrivals(
    builder: &mut WorldBuilder<'_>,
    kind: &'static str,
    submit: u64,
    fields: &mut Fields,
) -> &'static str {
    if kind == "Deployment" || submit >= builder.safety || !builder.features.has(Feature::Arrivals) {
        return kind;
    }
    if !builder.draw.chance(50) {
        return kind;
    }
    let count = Value::number(builder.draw.between(1, 6));
    let gap = builder.draw.between(1, (builder.safety / 4).max(2));
    let until = time(builder.safety);
    if kind == "Job" && builder.draw.chance(40) {
        let concurrency = builder.draw.one_of(&["Allow", "Forbid", "Replace"]).unwrap_or("Allow");
        fields.push(("every", time(gap)));
        fields.push(("concurrency", Value::word(concurrency)));
        fields.extend([("until", until), ("count", count)]);
        return "CronJob";
    }
    let mut pattern: Fields = Vec::new();
    let name = match builder.draw.between(0, 2) {
        0 => {
            pattern.push(("period", time(gap)));
            "Every"
        }
        1 => {
            pattern.push(("mean", time(gap)));
            "Poisson"
        }
        _ => {
            pattern.push(("every", time(gap)));
            pattern.push(("size", Value::number(builder.draw.between(1, 4))));
            pattern.push(("spread", time(builder.draw.between(0, gap))));
            "Bursts"
        }
    };
    pattern.extend([("until", until), ("count", count)]);
    fields.push(("arrivals", Value::fields(name, pattern)));
    kind
}

/// Draws the tasks of a workflow: each depends on some of the tasks before it.
pub(crate) fn tasks(builder: &mut WorldBuilder<'_>) -> Value {
    let count = builder.draw.between(1, 5);
    let mut tasks: Vec<Value> = Vec::new();
    for number in 0..count {
        let gangs = builder.features.has(Feature::Gangs) || builder.features.has(Feature::Elastic);
        let kind = if gangs && builder.draw.chance(40) { "Training" } else { "Job" };
        let mut fields: Fields = vec![("name", Value::text(format!("t{number}")))];
        let after: Vec<Value> =
            (0..number).filter(|_| builder.draw.chance(40)).map(|earlier| Value::text(format!("t{earlier}"))).collect();
        if !after.is_empty() {
            fields.push(("after", Value::List(after)));
        }
        if kind == "Training" {
            workloads::training(builder, &mut fields);
            fields.extend(topology::together(builder));
        } else {
            workloads::job(builder, &mut fields);
        }
        tasks.push(Value::fields(kind, fields));
    }
    Value::List(tasks)
}
