//! How long a page takes in headless Chromium: `cargo bench -p quotree-page --bench timing -- FILE...` prints a row for each
//! page. Without files, the page of 10,000 made jobs is measured.

#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench that cannot run has nothing to say, and uses a part of the tests' browser"
)]

#[path = "../tests/chrome/mod.rs"]
mod chrome;
#[path = "../tests/worlds/mod.rs"]
mod worlds;

use chrome::{Chrome, WIDE, start};
use std::path::{Path, PathBuf};

/// Moments in each page, spread evenly.
const MOMENTS: u32 = 50;

fn main() {
    let files: Vec<PathBuf> =
        std::env::args().skip(1).filter(|word| !word.starts_with("--")).map(PathBuf::from).collect();
    let Some(chrome) = start("timing") else { return };
    println!("| page | size | first screen | live | tab, median and slowest | moment, median and slowest |");
    println!("|---|---|---|---|---|---|");
    for file in &files {
        row(&chrome, &std::path::absolute(file).expect("the path can be resolved"));
    }
    if files.is_empty() {
        let file = std::env::temp_dir().join("quotree-10000-jobs.html");
        let page = quotree_page::page(&worlds::large(10_000)).expect("every report has a page");
        std::fs::write(&file, page).expect("the page can be written");
        row(&chrome, &file);
    }
}

fn row(chrome: &Chrome, file: &Path) {
    let size = std::fs::metadata(file).map_or(0, |data| data.len());
    let page = chrome.open_file(file, WIDE, "");
    let live = page.eval("performance.now()").as_f64().unwrap_or(0.0);
    let first = page.eval("performance.getEntriesByName('first-contentful-paint')[0]?.startTime");
    // Each is measured with the layout that it causes.
    let timed = |work: &str, times: u32| -> (f64, f64) {
        let script = format!(
            "(() => {{ const all = []; for (let i = 0; i < {times}; i++) {{ const t = performance.now(); {work}; cancelAnimationFrame(pending); pending = 0; draw(); \
             document.body.offsetHeight; all.push(performance.now() - t); }} return all.sort((a, b) => a - b); }})()"
        );
        let all: Vec<f64> =
            page.eval(&script).as_array().into_iter().flatten().filter_map(serde_json::Value::as_f64).collect();
        (all[all.len() / 2], all[all.len() - 1])
    };
    let tabs = "['overview', 'quotas', 'cluster', 'nodes', 'jobs', 'waits', 'claims']";
    let tab = timed(&format!("setTab({tabs}[(i + 1) % 7])"), 21);
    page.eval("setTab('overview')");
    let moment = timed(&format!("setMoment(data.end * (i + 1) / {MOMENTS})"), MOMENTS);
    println!(
        "| {} | {:.1} MB | {:.0} ms | {:.0} ms | {:.0}, {:.0} ms | {:.0}, {:.0} ms |",
        file.file_name().unwrap_or_default().display(),
        size as f64 / 1e6,
        first.as_f64().unwrap_or(0.0),
        live,
        tab.0,
        tab.1,
        moment.0,
        moment.1
    );
}
