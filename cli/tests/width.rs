//! What `run` prints fits the terminal: every line of every scenario of the catalogue, at most 100 columns, and the branches
//! of each tree are whole.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    path::{Path, PathBuf},
    process::Command,
};
use unicode_width::UnicodeWidthStr;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const MOST: usize = 100;

fn scenarios(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            scenarios(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "ron") {
            found.push(path);
        }
    }
}

/// What `run` prints; nothing if the file is only a part of scenarios.
fn run(file: &Path, more: &[&str]) -> Option<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_quotree")).arg("run").arg(file).args(more).output().unwrap();
    matches!(output.status.code(), Some(0 | 1)).then(|| String::from_utf8(output.stdout).unwrap())
}

/// What is wrong with a text that `run` prints.
fn troubles(text: &str) -> Vec<String> {
    let mut found: Vec<String> = text.lines().filter(|line| line.width() > MOST).map(str::to_owned).collect();
    let words = || text.split([' ', '\n']);
    let plural = |(number, noun): &(&str, &str)| {
        let noun = noun.trim_end_matches([',', ';', '.', ')']);
        *number == "1" && ["claims", "jobs", "evictions", "events", "quotas", "nodes", "refusals"].contains(&noun)
    };
    found.extend(words().zip(words().skip(1)).filter(plural).map(|(number, noun)| format!("{number} {noun}")));
    found.extend(broken_branches(text));
    found
}

/// Lines of the tree below a branch that goes on, and that do not go on with it.
fn broken_branches(text: &str) -> Vec<String> {
    let tree: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("QUOTA")).skip(1).collect();
    let tree: Vec<Vec<char>> =
        tree.iter().take_while(|line| !line.starts_with(['█', '…', '('])).map(|line| line.chars().collect()).collect();
    let cut = text.contains("more quota");
    let mut broken = Vec::new();
    for (i, line) in tree.iter().enumerate() {
        for (column, _) in line.iter().enumerate().filter(|(_, c)| ['│', '├'].contains(c)) {
            let below = tree.get(i + 1).and_then(|line| line.get(column));
            let goes_on = below.is_some_and(|c| ['│', '├', '└'].contains(c));
            if !goes_on && (!cut || i + 1 < tree.len()) {
                broken.push(format!("the branch ends: {}", line.iter().collect::<String>()));
            }
        }
        for (column, _) in line.iter().enumerate().filter(|(_, c)| ['├', '└'].contains(c)) {
            let above = i.checked_sub(1).and_then(|i| tree.get(i)).and_then(|line| line.get(column));
            if above.is_none_or(|c| *c == ' ') {
                broken.push(format!("the branch has no beginning: {}", line.iter().collect::<String>()));
            }
        }
    }
    broken
}

#[test]
fn every_line_of_every_scenario_fits() {
    let mut files = Vec::new();
    scenarios(&Path::new(ROOT).join("scenarios"), &mut files);
    files.sort();
    let (mut runs, mut troubled) = (0, Vec::new());
    for file in files {
        let by = ["--by", "job", "--by", "user", "--by", "quota"];
        let Some(text) = run(&file, &by) else { continue };
        runs += 1;
        let findings = text.lines().skip_while(|line| *line != "What happened").take_while(|line| !line.is_empty());
        let findings = findings.filter(|line| line.starts_with("- ")).count();
        if !(5..=12).contains(&findings) {
            troubled.push(format!("{}: {findings} findings", file.display()));
        }
        troubled.extend(troubles(&text).into_iter().map(|line| format!("{}: {line}", file.display())));
    }
    assert!(runs > 200, "{runs} runs");
    assert!(troubled.is_empty(), "{}", troubled.join("\n"));
}

#[test]
fn names_that_are_too_long_are_shortened_or_wrapped() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("width");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("long.ron");
    let text = std::fs::read_to_string(Path::new(ROOT).join("cli/tests/data/two-teams.ron")).unwrap();
    let long =
        "a-team-with-a-name-that-nobody-wants-to-read-to-its-end-in-a-table-of-the-terminal-or-anywhere-else-at-all";
    let text = text.replace("\"red\"", &format!("\"{long}\"")).replace("\"first\"", &format!("\"{long}\""));
    std::fs::write(&file, text).unwrap();
    let text = run(&file, &["--by", "job"]).unwrap();
    assert_eq!(troubles(&text), Vec::<String>::new());
    assert!(text.contains("… in a name: shortened"), "{text}");
    assert!(text.contains("├─ a-team-with-a-n"), "{text}");
}

#[test]
fn differences_fit_too() {
    let root = Path::new(ROOT).join("scenarios");
    let pairs =
        [("nginx-40-core.ron", "nginx-one-node.ron"), ("traces/philly-like-strict.ron", "traces/philly-like.ron")];
    for (a, b) in pairs {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quotree"));
        let output = command.args(["diff", "--allow-outside"]).arg(root.join(a)).arg(root.join(b)).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.lines().count() > 10, "{text}");
        assert_eq!(text.lines().filter(|line| line.width() > MOST).collect::<Vec<_>>(), Vec::<&str>::new());
    }
}

#[test]
fn a_run_without_pods_says_so_first() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("width");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("nothing.ron");
    let text = r#"Scenario(name: "nothing", cluster: Pool({ "cpu": "4" }), quota: Quota(name: "root"))"#;
    std::fs::write(&file, text).unwrap();
    let text = run(&file, &[]).unwrap();
    assert!(text.starts_with("nothing  nothing is claimed · "), "{text}");
    assert!(text.contains("\nWhat happened\n- No pod was submitted. (whole run)\n"), "{text}");
    assert_eq!(troubles(&text), Vec::<String>::new());
}
