//! The datasets of a random scenario, and which workloads read them.

use crate::{
    units::time,
    workloads::{ask, namespace},
    world::WorldBuilder,
};
use quotree_sim::scenario::Value;

type Fields = Vec<(&'static str, Value)>;

/// Draws the datasets. One pass over a dataset takes between some seconds and a quarter of the safety phase.
pub(crate) fn datasets(builder: &mut WorldBuilder<'_>) -> Vec<Value> {
    with_dataset_stream(builder, |builder| {
        (0..builder.datasets).filter_map(|number| dataset(builder, number)).collect()
    })
}

/// Draws from the random stream of datasets, so that no other draw changes.
fn with_dataset_stream<T>(builder: &mut WorldBuilder<'_>, draw: impl FnOnce(&mut WorldBuilder<'_>) -> T) -> T {
    std::mem::swap(&mut builder.draw, &mut builder.dataset_draw);
    let drawn = draw(builder);
    std::mem::swap(&mut builder.draw, &mut builder.dataset_draw);
    drawn
}

fn dataset(builder: &mut WorldBuilder<'_>, number: u64) -> Option<Value> {
    let gigabytes = |n: u64| Value::text(format!("{n}G"));
    let size = builder.draw.between(1, builder.safety / 4);
    let mut fields: Fields = vec![
        ("name", Value::text(format!("d{number}"))),
        ("namespace", Value::text(namespace(builder)?)),
        ("size", gigabytes(size)),
        ("backend", Value::text("1GB/s")),
    ];
    if builder.draw.chance(70) {
        let low = builder.draw.between(0, 90);
        let high = builder.draw.between(low, 100);
        let mut cache: Fields = vec![
            ("workers", Value::number(builder.draw.between(1, 3))),
            ("quota", gigabytes(builder.draw.between(1, size * 2))),
            ("tier", Value::word("SSD")),
            ("high", Value::text(format!("{high}%"))),
            ("low", Value::text(format!("{low}%"))),
            ("local", Value::text("8GB/s")),
            ("remote", Value::text("3GB/s")),
        ];
        cache.extend(ask(builder));
        fields.push(("accelerate", Value::fields("Accelerate", cache)));
        if builder.draw.chance(40) {
            let at = builder.random_time();
            fields.push(("preload", if at == 0 { Value::Bool(true) } else { time(at) }));
        }
    }
    Some(Value::fields("Dataset", fields))
}

/// Draws whether a job or training reads a dataset, and which one.
pub(crate) fn reads(builder: &mut WorldBuilder<'_>, fields: &mut Fields) {
    if builder.datasets > 0 {
        with_dataset_stream(builder, |builder| read(builder, fields));
    }
}

fn read(builder: &mut WorldBuilder<'_>, fields: &mut Fields) {
    if builder.draw.chance(30) {
        return;
    }
    let number = builder.draw.between(0, builder.datasets - 1);
    let reads = vec![
        ("dataset", Value::text(format!("d{number}"))),
        ("passes", Value::number(builder.draw.between(1, 4))),
        ("prefetch", Value::Bool(builder.draw.chance(70))),
    ];
    fields.push(("reads", Value::fields("Reads", reads)));
}
