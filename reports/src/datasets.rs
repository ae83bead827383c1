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
    let right = |head, spare| Column { head, right: true, spare };
    let columns = [
        Column { head: "DATASET", right: false, spare: 0 },
        Column { head: "PHASE", right: false, spare: 0 },
        right("SIZE", 3),
        right("CACHE WORKERS", 2),
        right("CACHED", 0),
        right("HIT RATE", 0),
        right("READ", 4),
        right("THROUGHPUT", 0),
        right("INPUT WAIT", 0),
        right("GPU IDLE", 1),
        right("TIME SAVED", 0),
    ];
    let rows: Vec<Vec<Cell>> = result.datasets.iter().take(style.rows).map(row).collect();
    let mut text = format!("\n{}", grid::lines(style, &columns, &rows));
    let more = result.datasets.len().saturating_sub(style.rows);
    if more > 0 {
        text.push_str(&style.paint(Tone::Faint, &format!("… and {}\n", format::many(more as u64, "more dataset"))));
    }
    text
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
