//! What workloads of a drawn world read.

use crate::{
    words::time,
    work::{ask, namespace},
    world::Sketch,
};
use quotree_sim::scenario::Value;

type Fields = Vec<(&'static str, Value)>;

/// Draws the datasets: each takes seconds to a quarter of the safety phase to read once.
pub(crate) fn datasets(sketch: &mut Sketch<'_>) -> Vec<Value> {
    apart(sketch, |sketch| (0..sketch.datasets).filter_map(|number| dataset(sketch, number)).collect())
}

/// Draws from the stream of what is read.
fn apart<T>(sketch: &mut Sketch<'_>, draw: impl FnOnce(&mut Sketch<'_>) -> T) -> T {
    std::mem::swap(&mut sketch.draw, &mut sketch.data);
    let drawn = draw(sketch);
    std::mem::swap(&mut sketch.draw, &mut sketch.data);
    drawn
}

fn dataset(sketch: &mut Sketch<'_>, number: u64) -> Option<Value> {
    let gigabytes = |n: u64| Value::text(format!("{n}G"));
    let size = sketch.draw.between(1, sketch.safety / 4);
    let mut fields: Fields = vec![
        ("name", Value::text(format!("d{number}"))),
        ("namespace", Value::text(namespace(sketch)?)),
        ("size", gigabytes(size)),
        ("backend", Value::text("1GB/s")),
    ];
    if sketch.draw.chance(70) {
        let low = sketch.draw.between(0, 90);
        let high = sketch.draw.between(low, 100);
        let mut cache: Fields = vec![
            ("workers", Value::number(sketch.draw.between(1, 3))),
            ("quota", gigabytes(sketch.draw.between(1, size * 2))),
            ("tier", Value::word("SSD")),
            ("high", Value::text(format!("{high}%"))),
            ("low", Value::text(format!("{low}%"))),
            ("local", Value::text("8GB/s")),
            ("remote", Value::text("3GB/s")),
        ];
        cache.extend(ask(sketch));
        fields.push(("accelerate", Value::fields("Accelerate", cache)));
        if sketch.draw.chance(40) {
            let at = sketch.moment();
            fields.push(("preload", if at == 0 { Value::Bool(true) } else { time(at) }));
        }
    }
    Some(Value::fields("Dataset", fields))
}

/// Draws whether, and what, work that ends reads.
pub(crate) fn reads(sketch: &mut Sketch<'_>, fields: &mut Fields) {
    if sketch.datasets > 0 {
        apart(sketch, |sketch| read(sketch, fields));
    }
}

fn read(sketch: &mut Sketch<'_>, fields: &mut Fields) {
    if sketch.draw.chance(30) {
        return;
    }
    let number = sketch.draw.between(0, sketch.datasets - 1);
    let reads = vec![
        ("dataset", Value::text(format!("d{number}"))),
        ("passes", Value::number(sketch.draw.between(1, 4))),
        ("prefetch", Value::Bool(sketch.draw.chance(70))),
    ];
    fields.push(("reads", Value::fields("Reads", reads)));
}
