//! Figures as files: which are written where, the same bytes from `run` and `report`, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod command;

use command::quotree_in;
use snapbox::cmd::Command;
use std::{fs, path::Path};

const DEMO: &str = "scenarios/nginx-40-core.ron";

fn quotree(args: &[&str]) -> Command {
    quotree_in("..", args)
}

/// The files of a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn run_and_report_draw_the_same_figures() {
    let folder = command::scratch("figures/same");
    let out = folder.to_str().unwrap();
    quotree(&["run", DEMO, "--out", out, "--figures", "svg,png"]).assert().code(0).stderr_eq("");
    let figures = folder.join("figures");
    let all = ["fairness", "use-by-quota", "utilisation", "waits"];
    let wanted: Vec<String> = all.iter().flat_map(|name| [format!("{name}.png"), format!("{name}.svg")]).collect();
    assert_eq!(names(&figures), wanted);
    let read = |name: &String| fs::read(figures.join(name)).unwrap();
    let first: Vec<Vec<u8>> = wanted.iter().map(read).collect();
    assert_eq!(&first[0][..8], b"\x89PNG\r\n\x1a\n");
    let text = String::from_utf8(first[3].clone()).unwrap();
    for words in ["Cores in use over time, by quota", "minutes since the start", "root.a.1", "capacity of nodes up"] {
        assert!(text.contains(words), "{words}");
    }
    fs::remove_dir_all(&figures).unwrap();
    quotree(&["report", out, "--figures", "png", "--figures", "svg"]).assert().code(0);
    let again: Vec<Vec<u8>> = wanted.iter().map(read).collect();
    assert!(first == again, "the same bytes");
}

#[test]
fn only_the_formats_that_are_asked_for_are_written() {
    let folder = command::scratch("figures/one");
    let out = folder.to_str().unwrap();
    quotree(&["run", DEMO, "--out", out]).assert().code(0);
    assert!(!folder.join("figures").exists());
    quotree(&["report", out, "--figures", "svg"]).assert().code(0);
    assert!(names(&folder.join("figures")).iter().all(|name| name.ends_with(".svg")));
}

#[test]
fn figures_need_a_folder_and_a_format() {
    quotree(&["run", DEMO, "--figures", "svg"]).assert().code(2).stdout_eq("");
    quotree(&["run", DEMO, "--out", "never", "--figures", "gif"]).assert().code(2).stdout_eq("");
    assert!(!Path::new(env!("CARGO_MANIFEST_DIR")).join("../never").exists());
}
