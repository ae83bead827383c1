//! The rows of datasets, and of what workloads read.

use crate::{
    model::Dataset,
    result::{CacheRow, DatasetRow, InputRow},
    view::RunView,
    world::{DatasetFlow, Input, Preload},
};

/// One row for each dataset.
pub(super) fn rows(view: &RunView<'_>) -> Vec<DatasetRow> {
    let flow = |i: usize| view.world.datasets.at(i, view.now());
    let rows = view.world.scenario.datasets.iter().enumerate();
    rows.filter_map(|(i, dataset)| Some(row(dataset, &flow(i)?))).collect()
}

fn row(dataset: &Dataset, flow: &DatasetFlow) -> DatasetRow {
    DatasetRow {
        name: dataset.name.to_string(),
        namespace: dataset.namespace.to_string(),
        phase: if flow.workers > 0 { "Bound" } else { "NotBound" },
        size_bytes: dataset.size,
        backend_bytes_s: dataset.backend,
        readers: flow.reading(),
        cache: dataset.cache.as_ref().map(|cache| CacheRow {
            workload: cache.workload.clone(),
            tier: cache.tier.name(),
            workers: flow.workers,
            workers_wanted: flow.wanted,
            capacity_bytes: flow.capacity(flow.workers),
            cached_bytes: flow.cached_bytes(),
            cached_permille: flow.cached_permille(),
            evicted_bytes: flow.evicted,
            lost_bytes: flow.lost,
            preload: match flow.preload {
                Preload::None if dataset.preload.is_none() => "none",
                Preload::None => "waiting",
                Preload::Asked if flow.workers == 0 => "waiting",
                Preload::Asked => "loading",
                Preload::Done(_) => "done",
            },
            preload_done_ms: if let Preload::Done(at) = flow.preload { Some(at.0) } else { None },
            preload_bytes: flow.loaded_bytes(),
        }),
        rate_bytes_s: flow.rate(),
        busy_ms: flow.busy_ms,
        input: input(&flow.input()),
    }
}

/// The input of a workload.
pub(super) fn input(input: &Input) -> InputRow {
    InputRow {
        read_bytes: input.read_bytes(),
        hit_bytes: input.hit_bytes(),
        hit_permille: input.hit_permille(),
        took_ms: input.took_ms(),
        wait_ms: input.wait_ms(),
        gpu_idle_ms: input.gpu_idle_ms(),
        saved_ms: input.saved_ms(),
        gpu_saved_ms: input.gpu_saved_ms(),
    }
}
