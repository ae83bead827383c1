//! `quotree explain --rule`: prints the rule book. It is included in the command, so that it can be read without the
//! repository.

use crate::{
    args::Format,
    exit::{Exit, Outcome, Trouble},
    terminal::Terminal,
};
use quotree_reports::Style;
use serde_json::{Value, json};
use std::fmt::Write;

/// The text of `docs/rules.md`. The file in this crate is a link to it, so that the package of the crate contains the
/// book.
const BOOK: &str = include_str!("../../rules.md");

/// The longest line, even if the terminal is wider, since longer lines are hard to read.
const MOST_COLUMNS: usize = 100;

/// The columns of a label such as `Example`.
const LABEL: usize = 9;

/// A hint below the list: how to print a rule.
const HINT: &str =
    "`quotree explain --rule R2` prints a rule, `--rule R` a chapter, `--rule vocabulary` what the words mean.";

/// Prints the rule or the chapter of this name, or lists all rules if none is given.
pub(super) fn rule(name: &str, format: Format, terminal: Terminal) -> Outcome {
    let (book, style) = (chapters(BOOK), terminal.style);
    let is_wanted = |other: &str| key(other) == key(name);
    let chapter = book.iter().find(|chapter| is_wanted(chapter.letter()));
    let rule = book.iter().flat_map(|chapter| &chapter.rules).find(|rule| is_wanted(rule.number));
    let (text, json) = match (rule, chapter) {
        _ if name.is_empty() => {
            let chapters = book.iter().filter(|chapter| !chapter.rules.is_empty());
            let lists: Vec<String> = chapters.clone().map(|chapter| chapter.list(style)).collect();
            (format!("{}\n{HINT}\n", lists.join("\n")), chapters.flat_map(Chapter::summaries).collect())
        }
        (Some(rule), _) => (rule.text(style), rule.json()),
        (None, Some(chapter)) => (chapter.text(style), chapter.json()),
        (None, None) => return Err(Trouble::invalid(unknown(name, &book))),
    };
    terminal.show(&if format == Format::Json { super::pretty(&json) } else { text })?;
    Ok(Exit::Fine)
}

/// A chapter of the book, with its rules.
struct Chapter<'a> {
    /// The heading, such as `R. Reclaim and preemption`.
    heading: &'a str,
    intro: Vec<&'a str>,
    rules: Vec<Rule<'a>>,
}

struct Rule<'a> {
    number: &'a str,
    title: &'a str,
    /// The paragraphs with their labels. The paragraphs that state the rule have none.
    paragraphs: Vec<(Option<&'a str>, &'a str)>,
}

/// All chapters, in the order of the book.
fn chapters(book: &str) -> Vec<Chapter<'_>> {
    let chapter = |text| {
        let mut sections = str::split(text, "\n### ");
        let (heading, intro) = heading(sections.next().unwrap_or_default());
        Chapter { heading, intro, rules: sections.map(rule_of).collect() }
    };
    book.split("\n## ").skip(1).map(chapter).collect()
}

fn rule_of(section: &str) -> Rule<'_> {
    let (heading, paragraphs) = heading(section);
    let (number, title) = heading.split_once(' ').unwrap_or((heading, ""));
    Rule { number, title, paragraphs: paragraphs.into_iter().map(labelled).collect() }
}

/// The label of a paragraph that begins with `**Label.**`, and its text.
fn labelled(paragraph: &str) -> (Option<&str>, &str) {
    let split = paragraph.strip_prefix("**").and_then(|rest| rest.split_once(".** "));
    split.map_or((None, paragraph), |(label, text)| (Some(label), text))
}

/// The first line of a section, and the paragraphs below it, without the anchor of the next section.
fn heading(section: &str) -> (&str, Vec<&str>) {
    let (heading, body) = section.split_once('\n').unwrap_or((section, ""));
    let is_shown = |text: &&str| !text.is_empty() && !text.starts_with("<a id=");
    (heading, body.split("\n\n").map(str::trim).filter(is_shown).collect())
}

/// A name in the form in which names are compared: `R2(b)`, `R2b` and `r2b` are the same rule.
fn key(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
}

/// The error that there is no such rule. It lists similar names.
fn unknown(name: &str, book: &[Chapter]) -> String {
    let first = |name: &str| key(name).chars().next();
    let near = book.iter().find(|chapter| !chapter.rules.is_empty() && first(chapter.letter()) == first(name));
    let near = near.map_or_else(String::new, |chapter| {
        let numbers: Vec<&str> = chapter.rules.iter().map(|rule| rule.number).collect();
        format!("the nearest are {}; ", numbers.join(", "))
    });
    format!("there is no rule `{name}`: {near}`quotree explain --rules` lists all rules")
}

impl<'a> Chapter<'a> {
    /// The name of a chapter: the letter of its rules, or its heading.
    fn letter(&self) -> &'a str {
        self.heading.split('.').next().unwrap_or_default()
    }

    /// All rules, one line each.
    fn list(&self, style: Style) -> String {
        let mut text = format!("{}\n", style.heading(self.heading));
        for rule in &self.rules {
            let _ = writeln!(text, "  {:<6}{}", rule.number, plain(rule.title));
        }
        text
    }

    fn text(&self, style: Style) -> String {
        let list = self.list(style);
        let (heading, rules) = list.split_once('\n').unwrap_or((&list, ""));
        let intro: String = self.intro.iter().map(|text| format!("\n{}", paragraph(None, text, style))).collect();
        let gap = if rules.is_empty() { "" } else { "\n" };
        format!("{heading}\n{intro}{gap}{rules}")
    }

    fn summaries(&self) -> impl Iterator<Item = Value> {
        let summary = |rule: &Rule| json!({ "rule": rule.number, "title": plain(rule.title), "chapter": self.heading });
        self.rules.iter().map(summary)
    }

    fn json(&self) -> Value {
        let rules: Vec<Value> = self.summaries().collect();
        json!({ "chapter": self.heading, "text": in_lines(self.intro.iter().copied()), "rules": rules })
    }
}

impl Rule<'_> {
    fn text(&self, style: Style) -> String {
        let mut text = format!("{}\n", style.heading(&plain(&format!("{} {}", self.number, self.title))));
        for (label, words) in &self.paragraphs {
            let _ = write!(text, "\n{}", paragraph(*label, words, style));
        }
        text
    }

    fn json(&self) -> Value {
        let labelled =
            |wanted| self.paragraphs.iter().filter(move |(label, _)| *label == wanted).map(|(_, text)| *text);
        let part = |label| in_lines(labelled(label));
        let named = |label| labelled(Some(label)).flat_map(|text| text.split('`').skip(1).step_by(2));
        let mut tests: Vec<(&str, Vec<&str>)> = Vec::new();
        for name in named("Test") {
            match tests.last_mut().filter(|_| !name.contains('/')) {
                Some((_, functions)) => functions.push(name),
                None => tests.push((name, Vec::new())),
            }
        }
        let test = |(file, functions): &(&str, Vec<&str>)| json!({ "file": file, "functions": functions });
        json!({
            "rule": self.number,
            "title": plain(self.title),
            "text": part(None),
            "why": part(Some("Why")),
            "example": part(Some("Example")),
            "peers": part(Some("Peers")),
            "code": named("Code").collect::<Vec<_>>(),
            "tests": tests.iter().map(test).collect::<Vec<_>>(),
        })
    }
}

/// A paragraph, wrapped for the terminal: with its label before it, or its list or table item by item.
fn paragraph(label: Option<&str>, text: &str, style: Style) -> String {
    let items = match label {
        Some(label) => vec![(label, text.to_owned())],
        None => items(text),
    };
    let head = items.iter().map(|(head, _)| head.chars().count()).max().unwrap_or_default();
    let indent = if label.is_some() {
        LABEL
    } else if head > 0 {
        head + 1
    } else {
        0
    };
    let mut shown = String::new();
    for (head, item) in items {
        let pad = " ".repeat(indent.saturating_sub(head.chars().count()));
        let head = if label.is_some() { style.heading(head) } else { head.to_owned() };
        let lines = fill(&plain(&item), style.width.min(MOST_COLUMNS).saturating_sub(indent));
        let _ = writeln!(shown, "{head}{pad}{}", lines.join(&format!("\n{}", " ".repeat(indent))));
    }
    shown
}

/// Paragraphs as JSON text: each paragraph, and each item of a list or table, on one line. Nothing if there are none.
fn in_lines<'a>(paragraphs: impl Iterator<Item = &'a str>) -> Value {
    let line = |(head, text): (&str, String)| fill(&format!("{head} {}", plain(&text)), usize::MAX).concat();
    let lines: Vec<String> = paragraphs.flat_map(items).map(line).collect();
    if lines.is_empty() { Value::Null } else { lines.join("\n").into() }
}

/// The items of a numbered list, each with its number, or the rows of a table of two columns. Any other paragraph is
/// returned as one item without a number.
fn items(paragraph: &str) -> Vec<(&str, String)> {
    if paragraph.starts_with('|') {
        let rows = paragraph.lines().skip(2).filter_map(|line| line.trim_matches('|').split_once('|'));
        return rows.map(|(head, text)| (head.trim(), text.to_owned())).collect();
    }
    let mut items: Vec<(&str, String)> = Vec::new();
    for line in paragraph.lines() {
        let numbered = line.split_once(' ').filter(|(head, _)| *head == format!("{}.", items.len() + 1));
        match (numbered, items.last_mut()) {
            (Some((head, text)), _) => items.push((head, text.to_owned())),
            (None, Some((_, item))) => *item += &format!("\n{line}"),
            (None, None) => items.push(("", line.to_owned())),
        }
    }
    items
}

/// Text without Markdown: links become their text, and emphasis marks are removed. Code keeps its marks.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for (i, part) in text.split('`').enumerate() {
        if i % 2 == 1 {
            let _ = write!(out, "`{part}`");
            continue;
        }
        for (j, piece) in part.split("](").enumerate() {
            let shown = if j == 0 { piece } else { piece.split_once(')').map_or("", |(_, rest)| rest) };
            out.extend(shown.chars().filter(|c| !matches!(c, '*' | '[')));
        }
    }
    out
}

/// The words, wrapped into lines of at most this many columns.
fn fill(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut().filter(|line| line.chars().count() + 1 + word.chars().count() <= columns) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_the_book_states_itself_and_says_why() {
        let book = chapters(BOOK);
        let rules: Vec<&Rule> = book.iter().flat_map(|chapter| &chapter.rules).collect();
        assert!(rules.len() > 60, "{}", rules.len());
        for rule in rules {
            let labels: Vec<Option<&str>> = rule.paragraphs.iter().map(|(label, _)| *label).collect();
            for wanted in [None, Some("Why"), Some("Example"), Some("Code"), Some("Test")] {
                assert!(labels.contains(&wanted), "{}: {labels:?}", rule.number);
            }
            let text = rule.text(Style { width: 60, ..Style::default() });
            assert!(!text.contains("**") && !text.contains("]("), "{text}");
            let is_long = |line: &&str| line.chars().count() > 60 && line.split_whitespace().count() > 2;
            assert_eq!(text.lines().skip(1).find(is_long), None);
        }
    }

    #[test]
    fn a_number_may_be_written_in_three_ways() {
        assert_eq!([key("R2(b)"), key("R2b"), key("r2b")], ["r2b"; 3]);
        assert_ne!(key("R2"), key("R2b"));
    }

    #[test]
    fn marks_are_taken_off_and_lists_keep_their_numbers() {
        assert_eq!(plain("an *entitled* `a * [b](c)` ([decision 3](x/y.md))"), "an entitled `a * [b](c)` (decision 3)");
        let of = |text| items(text).into_iter().map(|(head, text)| format!("{head}|{text}")).collect::<Vec<_>>();
        assert_eq!(of("1. a\n   b\n2. c"), ["1.|a\n   b", "2.|c"]);
        assert_eq!(of("as\n1. says"), ["|as\n1. says"]);
        assert_eq!(of("| word | means |\n|---|---|\n| a | b (c) |"), ["a| b (c) "]);
        assert_eq!(fill("one two three", 8), ["one two", "three"]);
    }
}
