//! The form of source files: not too long, with a paragraph at the head, no unfinished work, no paths of a machine.

use crate::files::File;

/// The most lines of a file without its tests; a longer one contains more than one idea.
const MOST_LINES: usize = 450;

/// Words that must not occur in a tracked file. They are in pieces here, since this file is tracked, too.
const UNDONE: &[&[&str]] = &[&["TO", "DO"], &["FIX", "ME"], &["#[", "ignore"]];

/// Folders of a particular machine.
const MACHINE: &[&[&str]] = &[&["/wo", "rk/"], &["/ro", "ot/"], &["/tmp", "/bash"], &["/ho", "me/"], &["/tmp", "/wt"]];

/// All violations, file by file.
pub(crate) fn check(files: &[File]) -> Vec<String> {
    let join = |pieces: &&[&str]| pieces.concat();
    let undone: Vec<String> = UNDONE.iter().map(join).collect();
    let machine: Vec<String> = MACHINE.iter().map(join).collect();
    let mut findings = Vec::new();
    for file in files {
        let File { path, .. } = file;
        if file.is_rust() {
            if !file.text.starts_with("//!") {
                findings.push(format!("{path}:1: the file does not open with a paragraph (`//!`)"));
            }
            let length = file.split().0.lines().count();
            if !file.is_test() && length > MOST_LINES {
                findings.push(format!("{path}:{MOST_LINES}: {length} lines without tests: split it by idea"));
            }
        }
        for (number, line) in file.lines() {
            for word in undone.iter().filter(|word| has(line, word)) {
                findings.push(format!("{path}:{number}: `{word}`"));
            }
            for folder in machine.iter().filter(|folder| has(line, folder)) {
                findings.push(format!("{path}:{number}: a path of one machine: `{folder}`"));
            }
        }
    }
    findings
}

/// Whether the word occurs in the line, and not as the end of a longer one.
fn has(line: &str, word: &str) -> bool {
    let tail = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    line.match_indices(word).any(|(at, _)| !line.get(..at).is_some_and(|before| before.ends_with(tail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: String) -> Vec<String> {
        check(&[File { path: path.to_owned(), text }])
    }

    #[test]
    fn breaches_are_told_with_file_and_line() {
        let undone = UNDONE[0].concat();
        assert_eq!(findings("a/src/x.rs", format!("//! x\n// {undone}")), [format!("a/src/x.rs:2: `{undone}`")]);
        assert_eq!(findings("a.md", format!("see {}x", MACHINE[0].concat())).len(), 1);
        assert_eq!(findings("a.md", format!("see docs{}x", MACHINE[0].concat())).len(), 0);
        assert_eq!(findings("a/src/x.rs", "fn main() {}".to_owned()).len(), 1);
        assert_eq!(findings("a/src/x.rs", "//!\n".repeat(451)).len(), 1);
        let tests = "x\n".repeat(451);
        assert_eq!(findings("a/src/x.rs", format!("//! x\n\n#[cfg(test)]\nmod tests {{\n{tests}}}")).len(), 0);
    }
}
