//! Runs every command in the documents and compares its output and exit code; checks every policy that they show.
//!
//! A block marked `ron NAME.ron` or `yaml NAME.yaml` is a file that the reader writes. In a block marked `console`, a line `$ quotree ..` (or
//! `$ cargo run --release -- ..`, the same) is a command, and what follows is its output. `...` stands for lines that are
//! left out. `exit: 1` at the end is the exit code; without it the code is 0. The commands of a document run one after the
//! other, in a folder with a copy of the catalogue.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A command in a document, with the output that the document shows.
struct Example {
    line: usize,
    args: Vec<String>,
    shown: Vec<String>,
    exit: i32,
}

/// The code blocks of a document with this mark, and the line of each.
fn blocks<'a>(text: &'a str, mark: &str) -> Vec<(usize, Vec<&'a str>)> {
    let mut found = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        if line.starts_with("```") {
            let body: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            if line.strip_prefix("```") == Some(mark) {
                found.push((number + 1, body));
            }
        }
    }
    found
}

/// The files that a reader of the document writes: blocks marked `ron NAME.ron` and `yaml NAME.yaml`.
fn files(text: &str) -> Vec<(&str, String)> {
    let named = |line: &'static str| text.lines().filter_map(move |head| head.strip_prefix("```")?.strip_prefix(line));
    let is_file = |(kind, name): &(&str, &str)| name.ends_with(&format!(".{}", kind.trim_end()));
    let marks = ["ron ", "yaml "].into_iter().flat_map(|kind| named(kind).map(move |name| (kind, name)));
    let content = |kind, name| blocks(text, &format!("{kind}{name}")).into_iter().flat_map(|(_, body)| body);
    marks.filter(is_file).map(|(kind, name)| (name, content(kind, name).collect::<Vec<_>>().join("\n"))).collect()
}

/// Words of a command line; single quotes keep a word together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (i, part) in line.split('\'').enumerate() {
        if i % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn examples(text: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    for (start, body) in blocks(text, "console") {
        let mut ours = false;
        for (line, text) in (start..).zip(body) {
            if let Some(command) = text.strip_prefix("$ ") {
                let rest = ["quotree", "cargo run --release --"].iter().find_map(|head| command.strip_prefix(head));
                ours = rest.is_some();
                if let Some(rest) = rest {
                    found.push(Example { line, args: words(rest), shown: Vec::new(), exit: 0 });
                }
            } else if let Some(example) = found.last_mut().filter(|_| ours) {
                match text.strip_prefix("exit: ") {
                    Some(code) => example.exit = code.parse().unwrap(),
                    None => example.shown.push(text.to_owned()),
                }
            }
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A folder with the files of the repository that scenarios use.
fn workplace(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    copy(&Path::new(ROOT).join("scenarios"), &folder.join("scenarios"));
    copy(&Path::new(ROOT).join("cli/tests/data"), &folder.join("cli/tests/data"));
    folder
}

/// Why an example fails: its exit code, or the first line that is not printed in this order.
fn trouble(example: &Example, folder: &Path) -> Option<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quotree"));
    let output = command.current_dir(folder).env("NO_COLOR", "1").args(&example.args).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.code() != Some(example.exit) {
        return Some(format!("exit code {:?} instead of {}:\n{text}", output.status.code(), example.exit));
    }
    let mut printed = text.lines().map(str::trim_end);
    for shown in example.shown.iter().map(|line| line.trim_end()).filter(|line| *line != "...") {
        if !printed.any(|line| line == shown) {
            return Some(format!("does not print, or not in this order:\n{shown}\nbut prints:\n{text}"));
        }
    }
    None
}

/// Runs all examples of a document.
fn verify(document: &str, least: usize) {
    let text = std::fs::read_to_string(Path::new(ROOT).join(document)).unwrap();
    verify_text(document, &text, least);
}

fn verify_text(document: &str, text: &str, least: usize) {
    let folder = workplace(&document.replace('/', "-"));
    for (name, content) in files(text) {
        std::fs::write(folder.join(name), content).unwrap();
    }
    let examples = examples(text);
    assert!(examples.len() >= least, "{document} has only {} examples", examples.len());
    let troubles: Vec<String> = examples
        .iter()
        .filter_map(|e| Some(format!("{document}:{}: quotree {} {}", e.line, e.args.join(" "), trouble(e, &folder)?)))
        .collect();
    assert!(troubles.is_empty(), "{}", troubles.join("\n\n"));
}

#[test]
fn the_readme_shows_the_real_output() {
    verify("README.md", 2);
}

#[test]
fn the_page_of_the_command_line_shows_the_real_output() {
    verify("docs/cli.md", 10);
}

#[test]
fn the_guide_shows_the_real_output() {
    verify("docs/guide.md", 20);
}

#[test]
fn the_page_about_ci_shows_the_real_output() {
    verify("docs/ci.md", 1);
}

#[test]
fn the_picture_of_the_readme_is_up_to_date() {
    let folder = workplace("picture");
    let mut command = Command::new(env!("CARGO_BIN_EXE_quotree"));
    let args = ["run", "scenarios/nginx-40-core.ron", "--at", "2m30s", "--out", "out"];
    // Half-way through, claims about the end may fail.
    assert!(matches!(command.current_dir(&folder).args(args).output().unwrap().status.code(), Some(0 | 1)));
    let drawn = std::fs::read_to_string(folder.join("out/tree.svg")).unwrap();
    let kept = std::fs::read_to_string(Path::new(ROOT).join("docs/images/nginx-40-core.svg")).unwrap();
    assert!(drawn == kept, "docs/images/nginx-40-core.svg is out of date");
}

#[test]
fn every_policy_in_policies_md_is_valid() {
    let text = std::fs::read_to_string(Path::new(ROOT).join("docs/policies.md")).unwrap();
    let folder = workplace("policies");
    let blocks = blocks(&text, "ron policy");
    assert!(blocks.len() >= 12, "only {} policies", blocks.len());
    for (line, body) in blocks {
        let args = ["run", "cli/tests/data/two-teams.ron", "--policy", &body.join(" ")].map(str::to_owned);
        let code = |args: &[String]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_quotree"));
            command.current_dir(&folder).args(args).output().unwrap().status.code()
        };
        // Claims may fail under another policy, but the policy itself must be valid.
        assert!(matches!(code(&args), Some(0 | 1)), "docs/policies.md:{line}: {body:?}");
    }
}

#[test]
fn every_policy_knob_is_in_policies_md() {
    let text = std::fs::read_to_string(Path::new(ROOT).join("docs/policies.md")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_quotree"));
    let schema: serde_json::Value = serde_json::from_slice(&command.arg("schema").output().unwrap().stdout).unwrap();
    let knobs = schema["$defs"]["policy.Capacity"]["properties"].as_object().unwrap();
    assert!(knobs.len() > 10, "{} knobs", knobs.len());
    // `kind` is how YAML names the struct.
    for knob in knobs.keys().filter(|knob| *knob != "kind") {
        assert!(text.contains(&format!("`{knob}`")), "docs/policies.md does not mention `{knob}`");
    }
}
