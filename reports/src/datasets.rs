//! The table of datasets: cache workers, hit rates, throughput, and the time that pods waited for input.

use crate::{
    format::{self, percent, span},
    grid::{self, Cell, Column},
    style::{Style, Tone},
};
use quotree_sim::result::{DatasetRow, RunResult};

/// The table, after an empty line; empty if there are no datasets.
pub(crate) fn section(result: &RunResult, style: Style) -> String {
    if result.datasets.is_empty() {
        return String::new();
    }
    let columns = [
        Column::left("DATASET", 0),
        Column::left("PHASE", 0),
        Column::right("SIZE", 3),
        Column::right("CACHE WORKERS", 2),
        Column::right("CACHED", 0),
        Column::right("HIT RATE", 0),
        Column::right("READ", 4),
        Column::right("THROUGHPUT", 0),
        Column::right("INPUT WAIT", 0),
        Column::right("GPU IDLE", 1),
        Column::right("TIME SAVED", 0),
    ];
    format!("\n{}", grid::first(style, &columns, result.datasets.iter().map(row), "dataset"))
}

fn row(dataset: &DatasetRow) -> Vec<Cell> {
    let input = &dataset.input;
    let time = |ms: u64| if ms == 0 { Cell::none() } else { Cell::new(span(ms)) };
    let (workers, cached) = match &dataset.cache {
        None => (Cell::none(), Cell::none()),
        Some(cache) => {
            let workers = format!("{} of {}", cache.workers, cache.workers_wanted);
            let missing = cache.workers < cache.workers_wanted;
            let workers = Cell::new(workers);
            (if missing { workers.tone(Tone::Odd) } else { workers }, Cell::new(percent(cache.cached_permille)))
        }
    };
    let saved = match (input.saved_ms, span(input.saved_ms.unsigned_abs())) {
        (0, _) => Cell::none(),
        (1.., time) => Cell::new(time).tone(Tone::Good),
        (_, time) => Cell::new(format!("-{time}")).tone(Tone::Bad),
    };
    let is_read = input.read_bytes > 0;
    vec![
        Cell::new(&dataset.name),
        Cell::new(dataset.phase),
        Cell::new(format::bytes(dataset.size_bytes)),
        workers,
        cached,
        if is_read { Cell::new(percent(input.hit_permille)) } else { Cell::none() },
        if is_read { Cell::new(format::bytes(input.read_bytes)) } else { Cell::none() },
        if is_read { Cell::new(format!("{}/s", format::bytes(dataset.rate_bytes_s))) } else { Cell::none() },
        time(input.wait_ms),
        time(input.gpu_idle_ms).tone(Tone::Odd),
        saved,
    ]
}
