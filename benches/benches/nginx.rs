//! The demo as a user runs it: the whole process, from the shell's view. Needs `cargo build --release -p quotree-cli`.

#![allow(missing_docs, reason = "criterion's mains have no readers")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]

use quotree_benches::{criterion, only_tried, row, shortest};
use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The command beside this bench: both are built into the same folder.
fn command() -> Option<PathBuf> {
    let here = env::current_exe().ok()?;
    let command = here.parent()?.parent()?.join("quotree");
    command.is_file().then_some(command)
}

fn main() {
    let Some(command) = command().filter(|_| !only_tried()) else {
        eprintln!("SKIPPED: no `quotree` beside the bench: cargo build --release -p quotree-cli");
        return;
    };
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut run = Command::new(command);
    run.args(["run", "scenarios/nginx-40-core.ron"])
        .current_dir(repository)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    assert!(run.status().unwrap().success(), "the demo's claims hold");
    let mut criterion = criterion();
    let took = shortest(&mut criterion, "nginx/whole process", || run.status());
    let hundredths = took.as_micros() / 10;
    row(&["nginx-40-core, whole process", &format!("{}.{:02} ms", hundredths / 100, hundredths % 100)]);
    criterion.final_summary();
}
