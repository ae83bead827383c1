//! Workloads that come again and again, and those that depend on each other, in a drawn world.

use crate::{features::Feature, places, words::time, work, world::Sketch};
use quotree_sim::scenario::Value;

type Fields = Vec<(&'static str, Value)>;

/// Draws whether, and how, a job or training comes again in the safety phase; gives what it is called then.
pub(crate) fn arrivals(sketch: &mut Sketch<'_>, kind: &'static str, submit: u64, fields: &mut Fields) -> &'static str {
    if kind == "Deployment" || submit >= sketch.safety || !sketch.features.has(Feature::Arrivals) {
        return kind;
    }
    if !sketch.draw.chance(50) {
        return kind;
    }
    let count = Value::number(sketch.draw.between(1, 6));
    let gap = sketch.draw.between(1, (sketch.safety / 4).max(2));
    let until = time(sketch.safety);
    if kind == "Job" && sketch.draw.chance(40) {
        let concurrency = sketch.draw.one_of(&["Allow", "Forbid", "Replace"]).unwrap_or("Allow");
        fields.push(("every", time(gap)));
        fields.push(("concurrency", Value::word(concurrency)));
        fields.extend([("until", until), ("count", count)]);
        return "CronJob";
    }
    let mut pattern: Fields = Vec::new();
    let name = match sketch.draw.between(0, 2) {
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
            pattern.push(("size", Value::number(sketch.draw.between(1, 4))));
            pattern.push(("spread", time(sketch.draw.between(0, gap))));
            "Bursts"
        }
    };
    pattern.extend([("until", until), ("count", count)]);
    fields.push(("arrivals", Value::fields(name, pattern)));
    kind
}

/// The tasks of a workflow: each depends on some of those before it.
pub(crate) fn tasks(sketch: &mut Sketch<'_>) -> Value {
    let count = sketch.draw.between(1, 5);
    let mut tasks: Vec<Value> = Vec::new();
    for number in 0..count {
        let gangs = sketch.features.has(Feature::Gangs) || sketch.features.has(Feature::Elastic);
        let kind = if gangs && sketch.draw.chance(40) { "Training" } else { "Job" };
        let mut fields: Fields = vec![("name", Value::text(format!("t{number}")))];
        let after: Vec<Value> =
            (0..number).filter(|_| sketch.draw.chance(40)).map(|earlier| Value::text(format!("t{earlier}"))).collect();
        if !after.is_empty() {
            fields.push(("after", Value::List(after)));
        }
        if kind == "Training" {
            work::training(sketch, &mut fields);
            fields.extend(places::together(sketch));
        } else {
            work::job(sketch, &mut fields);
        }
        tasks.push(Value::fields(kind, fields));
    }
    Value::List(tasks)
}
