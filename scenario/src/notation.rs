//! The notations of scenario files: RON, YAML and JSON. All of them are parsed into the same tree, so that the rest of
//! the reader does not depend on the notation. The file name determines the notation. A file whose text begins like
//! another notation is refused, since the errors of the wrong parser would make no sense.

use crate::{files::MAX_BYTES, typed};
use quotree_syntax::{Node, Report, Shape, Span, parse as parse_ron, yaml};

/// How a scenario is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// `Scenario(name: "a")`
    Ron,
    /// `name: a`
    Yaml,
    /// `{"name": "a"}`
    Json,
}

impl Notation {
    /// All notations.
    pub const ALL: [Self; 3] = [Self::Ron, Self::Yaml, Self::Json];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ron => "RON",
            Self::Yaml => "YAML",
            Self::Json => "JSON",
        }
    }

    /// The ending of its files.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Ron => "ron",
            Self::Yaml => "yaml",
            Self::Json => "json",
        }
    }

    /// The notation of a file. If the name has no known extension, the content determines the notation.
    ///
    /// ```
    /// use quotree_scenario::Notation;
    /// assert_eq!(Notation::of("a.yml", ""), Notation::Yaml);
    /// assert_eq!(Notation::of("a.txt", "# comment\nname: a\n"), Notation::Yaml);
    /// assert_eq!(Notation::of("a", "Scenario(name: \"a\")"), Notation::Ron);
    /// ```
    #[must_use]
    pub fn of(path: &str, text: &str) -> Self {
        Self::named(path).or_else(|| Self::looks_like(text)).unwrap_or(Self::Ron)
    }

    /// The notation that the extension of a file name means.
    #[must_use]
    pub fn named(path: &str) -> Option<Self> {
        let path = path.strip_suffix(".gz").unwrap_or(path);
        match path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("ron") => Some(Self::Ron),
            Some("yaml" | "yml") => Some(Self::Yaml),
            Some("json") => Some(Self::Json),
            _ => None,
        }
    }

    /// The notation that the beginning of a text shows, if that is clear.
    fn looks_like(text: &str) -> Option<Self> {
        let mut rest = text.trim_start_matches('\u{feff}').trim_start();
        while rest.starts_with("//") || rest.starts_with('#') && !rest.starts_with("#!") {
            rest = rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or_default().trim_start();
        }
        if rest.starts_with("#!") || rest.starts_with("/*") || rest.starts_with('(') {
            return Some(Self::Ron);
        }
        if let Some(inside) = rest.strip_prefix('{') {
            return inside.trim_start().starts_with('"').then_some(Self::Json);
        }
        if rest.starts_with("---") || rest.starts_with("- ") {
            return Some(Self::Yaml);
        }
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').filter(|end| *end > 0)?;
        let after = rest.get(word..)?;
        if after.starts_with(": ") || after.starts_with(":\n") || after.starts_with(":\r\n") {
            return Some(Self::Yaml);
        }
        after.trim_start().starts_with('(').then_some(Self::Ron)
    }
}

/// Parses a file, which contains one scenario or a part of one.
pub(crate) fn parse(path: &str, text: &str, source: u32, report: &mut Report) -> Option<Node> {
    let notation = Notation::of(path, text);
    if let Some(real) = Notation::looks_like(text).filter(|real| is_other(notation, *real)) {
        let start = text.len() - text.trim_start_matches('\u{feff}').trim_start().len();
        let end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| start + at);
        let title = format!("this is {}, and the file is named `.{}`", real.name(), ending(path));
        report
            .error(Span::new(source, start..end), title, format!("{} begins like this", real.name()))
            .help(format!("name it `.{}`, and name it so where it is included", real.extension()));
        report.broken = true;
        return None;
    }
    match notation {
        Notation::Ron => parse_ron(text, source, report),
        Notation::Yaml | Notation::Json => {
            let node = plain(text, notation, source, report)?;
            Some(typed::file(node, report))
        }
    }
}

/// Whether a text is in another notation than its file name means; JSON counts as YAML.
fn is_other(named: Notation, real: Notation) -> bool {
    named != real && !(named == Notation::Yaml && real == Notation::Json)
}

fn ending(path: &str) -> &str {
    let path = path.strip_suffix(".gz").unwrap_or(path);
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// The plain value of a text in YAML or JSON.
fn plain(text: &str, notation: Notation, source: u32, report: &mut Report) -> Option<Node> {
    if notation == Notation::Json && !is_json(text, source, report) {
        report.broken = true;
        return None;
    }
    let (documents, problems) = yaml::documents(text);
    for problem in problems {
        let error = report.error(Span::new(source, problem.span), problem.what, "");
        problem.help.into_iter().fold(error, quotree_syntax::Help::help);
    }
    let mut documents = documents.into_iter();
    let Some(first) = documents.next() else {
        if report.errors() == 0 {
            report.error(Span::new(source, 0..0), "the file is empty", "expected a scenario");
        }
        report.broken = true;
        return None;
    };
    if let Some(second) = documents.next() {
        let error = report.error(node(second, source).span, "a second document in the file", "begins here");
        error.help("a file holds one scenario: remove the line `---`, or make it a file of its own");
    }
    Some(node(first, source))
}

/// Whether a file that was found in a folder is a scenario, rather than a part of one or something else. A broken file
/// in YAML or JSON counts as a scenario if it begins like one, so that its mistakes are reported.
///
/// ```
/// use quotree_scenario::is_scenario;
/// assert!(is_scenario("a.ron", "// Ours.\nScenario(name: \"a\")"));
/// assert!(is_scenario("a.yaml", "name: a\nextends: b.yaml\n"));
/// assert!(!is_scenario("quota.yaml", "kind: ElasticQuotaTree\n"));
/// assert!(!is_scenario("pools.yaml", "cluster: []\n"));
/// ```
#[must_use]
pub fn is_scenario(path: &str, text: &str) -> bool {
    if Notation::named(path) == Some(Notation::Ron) {
        return is_scenario_in_ron(text);
    }
    const PARTS: [&str; 4] = ["cluster", "quota", "extends", "include"];
    // Most files in YAML and JSON are something else, and some are large.
    if text.len() > MAX_BYTES || !text.contains("name") || !PARTS.iter().any(|part| text.contains(part)) {
        return false;
    }
    let (documents, _) = yaml::documents(text);
    let Some(first) = documents.first() else {
        let has = |key: &str| text.lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')));
        return has("name") && PARTS.iter().any(|part| has(part)) && !has("apiVersion");
    };
    let has = |key: &str| yaml::find(first, key).is_some();
    let is_other =
        has("apiVersion") || yaml::find(first, "kind").is_some_and(|kind| yaml::scalar(kind) != Some("Scenario"));
    has("Scenario") || !is_other && has("name") && PARTS.iter().any(|part| has(part))
}

/// Whether the first word of a text in RON begins a scenario.
fn is_scenario_in_ron(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').map(|end| end + 1)
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|end| end + 2)
        } else if rest.starts_with("#!") {
            rest.find(']').map(|end| end + 1)
        } else {
            None
        };
        match skipped.and_then(|end| rest.get(end..)) {
            Some(after) => rest = after.trim_start(),
            None => return rest.starts_with("Scenario") || !rest.starts_with(|c: char| c.is_alphabetic() || c == '['),
        }
    }
}

/// Whether a text is JSON. If not, reports the place of the first error.
fn is_json(text: &str, source: u32, report: &mut Report) -> bool {
    let Err(error) = serde_json::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}')) else {
        return true;
    };
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let start: usize = lines.map(str::len).sum();
    let at = (start + error.column().saturating_sub(1)).min(text.len());
    let what = error.to_string();
    let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what);
    report.error(Span::new(source, at..(at + 1).min(text.len())), format!("invalid JSON: {what}"), "");
    false
}

/// Converts a value of YAML to a value of the tree, without structs and words.
pub(crate) fn node(value: yaml::Node, source: u32) -> Node {
    let mut span = Span::new(source, value.span);
    let shape = match value.value {
        yaml::Value::Scalar(text) if value.quoted => Shape::String(text),
        yaml::Value::Scalar(text) => scalar(text),
        yaml::Value::List(items) => {
            let items: Vec<Node> = items.into_iter().map(|item| node(item, source)).collect();
            span = items.first().map_or(span, |first| first.span);
            Shape::List(items)
        }
        yaml::Value::Map(entries) => {
            let entry = |entry: yaml::Entry| {
                let key = Node { span: Span::new(source, entry.key_span), shape: Shape::String(entry.key) };
                (key, node(entry.value, source))
            };
            let entries: Vec<(Node, Node)> = entries.into_iter().map(entry).collect();
            span = entries.first().map_or(span, |(key, _)| key.span);
            Shape::Map(entries)
        }
    };
    Node { span, shape }
}

/// What a scalar without quotes is: nothing, a truth value, a plain decimal number, or a string.
pub(crate) fn scalar(text: String) -> Shape {
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Shape::Absent,
        "true" | "True" | "TRUE" => Shape::Bool(true),
        "false" | "False" | "FALSE" => Shape::Bool(false),
        number if is_plain_number(number) => Shape::Number(text),
        _ => Shape::String(text),
    }
}

fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain
        && digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits.bytes().filter(|byte| *byte == b'.').count() <= 1
}
