//! The rule book (`docs/rules.md`) and the repository agree in both directions: every rule that is cited has a heading,
//! and every heading names a test and code that exist.

use crate::files::File;
use std::collections::BTreeSet;

/// The file that states the rules.
const BOOK: &str = "docs/rules.md";

/// Files in which such a number is the name of a case in another scheduler's repository.
const NAMES_OF_PEERS: &[&str] = &["scenarios/regressions/README.md"];

/// Hand-written files, which may cite rules.
const CITING: &[&str] = &[".rs", ".md", ".ron", ".toml", ".txt"];

/// All differences between the book and the repository.
pub(crate) fn check(files: &[File]) -> Vec<String> {
    let Some(book) = files.iter().find(|file| file.path == BOOK) else {
        return vec![format!("{BOOK}:1: there is no rule book")];
    };
    let entries = entries(book);
    let mut findings = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for entry in &entries {
        if !known.insert(&entry.rule) {
            findings.push(format!("{BOOK}:{}: rule {} has two headings", entry.line, entry.rule));
        }
        findings.extend(entry.ghosts(files));
    }
    for file in files.iter().filter(|file| CITING.iter().any(|end| file.path.ends_with(end))) {
        if NAMES_OF_PEERS.contains(&file.path.as_str()) || file.path.starts_with("xtask/") {
            continue;
        }
        for (number, line) in file.lines() {
            for rule in citations(line, &known).into_iter().filter(|rule| !known.contains(rule.as_str())) {
                findings.push(format!("{}:{number}: cites rule {rule}, which {BOOK} does not have", file.path));
            }
        }
    }
    findings
}

/// A rule of the book: its place, and the names in code marks in its paragraphs `Code` and `Test`.
struct Entry {
    rule: String,
    line: usize,
    /// Whether the line before it is the anchor for links.
    has_anchor: bool,
    code: Vec<String>,
    tests: Vec<String>,
}

fn entries(book: &File) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let (mut paragraph, mut before) = ("", "");
    for (line, text) in book.lines() {
        if let Some(heading) = text.strip_prefix("### ") {
            let rule = heading.split(' ').next().unwrap_or_default().to_owned();
            let has_anchor = before == anchor(&rule);
            entries.push(Entry { rule, line, has_anchor, code: Vec::new(), tests: Vec::new() });
        }
        if !text.is_empty() {
            before = text;
        }
        paragraph = match text {
            "" => "",
            _ if text.starts_with("**Code.**") => "code",
            _ if text.starts_with("**Test.**") => "test",
            _ => paragraph,
        };
        let named = text.split('`').skip(1).step_by(2).map(str::to_owned);
        match (entries.last_mut(), paragraph) {
            (Some(entry), "code") => entry.code.extend(named),
            (Some(entry), "test") => entry.tests.extend(named),
            _ => {}
        }
    }
    entries
}

/// The anchor line before a heading: `docs/rules.md#r2b` leads to it, whatever the text of the heading.
fn anchor(rule: &str) -> String {
    let id: String = rule.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("<a id=\"{}\"></a>", id.to_lowercase())
}

impl Entry {
    /// The names that an entry must contain but lacks, and those that it contains but that do not exist. A path names a
    /// file; any other name is a test function of the file named before it.
    fn ghosts(&self, files: &[File]) -> Vec<String> {
        let Self { rule, line, .. } = self;
        let file = |path: &str| files.iter().find(|file| file.path == path);
        let mut findings = Vec::new();
        if !self.has_anchor {
            findings.push(format!("{BOOK}:{line}: rule {rule} has no anchor before it: {}", anchor(rule)));
        }
        for (what, names) in [("a file", &self.code), ("a test", &self.tests)] {
            if names.is_empty() {
                findings.push(format!("{BOOK}:{line}: rule {rule} does not name {what}"));
            }
            let mut last = None;
            for name in names {
                if name.contains('/') {
                    last = file(name);
                    if last.is_none() {
                        findings.push(format!("{BOOK}:{line}: rule {rule} names {what} that does not exist: {name}"));
                    }
                } else if what == "a test" && !last.is_some_and(|file| file.text.contains(&format!("fn {name}("))) {
                    findings.push(format!("{BOOK}:{line}: rule {rule} names a test that does not exist: {name}"));
                }
            }
        }
        findings
    }
}

/// The rules that a line cites, as the book writes them: numbers of the known families that are words of their own
/// (`R2`, `R2(a)`, `R2a`), and those at the beginning of the name of a function (`r2a_..`).
///
/// The numbers of a family have one digit, except in families with more rules: `A10` and `P95` are not rules.
fn citations(line: &str, known: &BTreeSet<&str>) -> Vec<String> {
    let mut found = Vec::new();
    for (at, letter) in line.char_indices().filter(|(_, c)| c.is_ascii_uppercase()) {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let is_word = before.is_none_or(|c| !c.is_alphanumeric() && !"_-./#".contains(c));
        if is_word && let Some((rule, _)) = rule_at(letter, line.get(at + 1..).unwrap_or_default(), known) {
            found.push(rule);
        }
    }
    let mut name = line.trim_start().strip_prefix("fn ").unwrap_or_default();
    while let Some(letter) = name.chars().next().filter(char::is_ascii_lowercase) {
        let rest = name.get(1..).unwrap_or_default();
        let Some((rule, rest)) = rule_at(letter.to_ascii_uppercase(), rest, known) else { break };
        found.push(rule);
        name = rest.strip_prefix('_').unwrap_or_default();
    }
    found
}

/// A rule of this family whose number is at the beginning of a text, and the rest of the text.
fn rule_at<'a>(family: char, text: &'a str, known: &BTreeSet<&str>) -> Option<(String, &'a str)> {
    let (number, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let rules = || known.iter().filter(|rule| rule.starts_with(family));
    rules().next()?;
    let most = if rules().any(|rule| rule.len() > 2 && !rule.ends_with(')')) { 19 } else { 9 };
    if number.is_empty() || number.starts_with('0') || number.parse().map_or(true, |number: u32| number > most) {
        return None;
    }
    let mut rule = format!("{family}{number}");
    let bare = rest.strip_prefix('(').unwrap_or(rest);
    let part = bare.chars().next().filter(|c| ('a'..='d').contains(c));
    let after = part.and_then(|_| bare.get(1..)).unwrap_or_default();
    let closed = if bare.len() < rest.len() { after.strip_prefix(')') } else { Some(after) };
    let ends = |rest: &str| !rest.starts_with(char::is_alphanumeric);
    match (part, closed) {
        (Some(part), Some(after)) if ends(after) => {
            rule.push_str(&format!("({part})"));
            Some((rule, after))
        }
        _ => ends(rest).then_some((rule, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    const R2: &str =
        "<a id=\"r2\"></a>\n\n### R2 Reclaim\n\n**Code.** `a/x.rs`\n\n**Test.** `a/t.rs`: `one`,\n`two`; `b.d/c.ron`\n";

    /// The findings in these files together with one file of code, one of tests, and a scenario.
    fn findings(others: &[(&str, &str)]) -> Vec<String> {
        let mut files = vec![
            file("a/x.rs", "//! R2"),
            file("a/t.rs", "fn one() {}\nfn two(\nfn r2_three() {"),
            file("b.d/c.ron", "// R2"),
        ];
        files.extend(others.iter().map(|(path, text)| file(path, text)));
        check(&files)
    }

    #[test]
    fn a_book_that_agrees_is_fine() {
        assert_eq!(findings(&[(BOOK, R2)]), [] as [&str; 0]);
        assert_eq!(findings(&[]), ["docs/rules.md:1: there is no rule book"]);
    }

    #[test]
    fn a_rule_that_is_cited_has_a_heading() {
        let cites = |path: &str, text: &str| findings(&[(BOOK, R2), (path, text)]);
        let missing = |place: &str, rule: &str| [format!("{place}: cites rule {rule}, which {BOOK} does not have")];
        assert_eq!(cites("a/y.rs", "//! y\n// as R3 says"), missing("a/y.rs:2", "R3"));
        assert_eq!(cites("a.md", "by R2(d), not"), missing("a.md:1", "R2(d)"));
        assert_eq!(cites("a.ron", "because: \"R2b: x\""), missing("a.ron:1", "R2(b)"));
        assert_eq!(cites("a/y.rs", "    fn r2_r7_both() {"), missing("a/y.rs:1", "R7"));
        for other in ["R20 XR3 x-R3 R3x R0 T4 A10 R", "let r3 = 1;", "R2's R2(s) R2 (b) R2(R2)", "R2; \"R2\""] {
            assert_eq!(cites("a/y.rs", other), [] as [&str; 0], "{other}");
        }
        assert_eq!(cites(NAMES_OF_PEERS[0], "R3"), [] as [&str; 0]);
        assert_eq!(cites("a/y.csv", "R3"), [] as [&str; 0]);
    }

    #[test]
    fn families_of_more_than_nine_have_two_digits() {
        let known = BTreeSet::from(["I9", "I10", "R2", "R2(a)"]);
        assert_eq!(citations("I9, I11, I20, R2(a), R2(c) and R12", &known), ["I9", "I11", "R2(a)", "R2(c)"]);
    }

    #[test]
    fn a_heading_names_code_and_tests_that_exist() {
        let book = |text: &str| findings(&[(BOOK, text)]);
        let at = |what: &str| format!("{BOOK}:3: rule R2 {what}");
        assert_eq!(book("<a id=\"r2\"></a>\n\n### R2 x\n"), [at("does not name a file"), at("does not name a test")]);
        assert_eq!(book(&R2.replace("a/x", "a/gone")), [at("names a file that does not exist: a/gone.rs")]);
        assert_eq!(book(&R2.replace("two", "three")), [at("names a test that does not exist: three")]);
        assert_eq!(book(&R2.replace("c.ron", "d.ron")), [at("names a test that does not exist: b.d/d.ron")]);
        assert_eq!(book(&R2.replace("r2", "r3")), [at("has no anchor before it: <a id=\"r2\"></a>")]);
        let twice = format!("{R2}{R2}");
        assert_eq!(book(&twice), [format!("{BOOK}:11: rule R2 has two headings")]);
    }
}
