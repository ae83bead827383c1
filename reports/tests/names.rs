//! Every workload and pod that the trace or the summary of a run names is found when it is asked for.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use quotree_sim::{
    Observer, RunOptions, TimelineEvent, run,
    scenario::{Loader, load},
    trace::{RunNames, TraceRecord},
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The files of the catalogue.
struct Disk;

impl Loader for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios")).join(path))
            .map_err(|error| error.to_string())
    }
}

/// The names in a trace.
#[derive(Default)]
struct Named(BTreeSet<String>);

impl Observer for Named {
    fn record(&mut self, record: &TraceRecord, names: &dyn RunNames) {
        let json = record.json(names);
        let found = ["workload", "pod", "cause"].into_iter().filter_map(|field| json.get(field)?.as_str());
        self.0.extend(found.map(str::to_owned));
    }
}

fn scenarios(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scenarios(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "ron") {
            found.push(path);
        }
    }
}

#[test]
fn every_name_in_the_trace_and_the_summary_is_found() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
    let mut files = Vec::new();
    scenarios(root, &mut files);
    files.sort();
    let (mut runs, mut asked, mut joined) = (0, 0, 0);
    for file in files {
        let path = file.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        let Some(scenario) = load(&path, &Disk).scenario else { continue };
        let options = RunOptions { judge: false, explained_rows: 0, ..RunOptions::default() };
        let mut named = Named::default();
        let Ok(first) = run(&scenario, &options, &mut named) else { continue };
        // A run for each name: large scenarios would take too long.
        if first.result.events > 2_000 {
            continue;
        }
        let Named(mut names) = named;
        names.extend(first.result.pending.iter().map(|row| row.pod.clone()));
        names.extend(first.result.jobs.iter().map(|row| row.job.clone()));
        names.extend(first.result.evictions.iter().flat_map(|row| row.cause.clone()));
        runs += 1;
        let step = names.len() / 40 + 1;
        for name in names.into_iter().step_by(step) {
            let options = RunOptions { timeline_of: Some(name.clone()), pending_rows: 0, ..options.clone() };
            let run = run(&scenario, &options, &mut ()).unwrap();
            assert!(!run.timeline_pods.is_empty(), "{path}: `{name}` is named and not found");
            assert!(!run.timeline.is_empty(), "{path}: `{name}` has no timeline");
            asked += 1;
            joined += usize::from(run.timeline.iter().any(|entry| entry.event == TimelineEvent::Joined));
        }
    }
    assert!(runs > 80 && asked > 1_000 && joined > 5, "{runs} runs, {asked} names, {joined} of gangs that were joined");
}
