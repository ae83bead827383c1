//! Settings from outside a file, such as `--set quota.nlp.min.cpu=26`. They replace values in the files of a scenario
//! before any field is read. Mistakes are reported at their place in the setting.
//!
//! A path consists of words with dots between them: a field of the scenario, then fields, entries of lists by name, and
//! keys of maps. Names and keys may contain dots themselves; if several of them match, the longest counts.

mod deployed;
mod descend;
mod value;

use crate::{
    language::{self, field},
    merge::File,
};
pub(crate) use deployed::set as set_deployed;
use descend::{holds, set};
use quotree_syntax::{At, Ident, Node, Report, Shape, Span, choices};
use std::{fmt, ops::Range};

/// A field of a scenario, and the value that it gets.
///
/// ```
/// use quotree_scenario::{MapLoader, Setting, load_with};
/// let text = r#"Scenario(
///     name: "one",
///     cluster: [NodePool(name: "node", count: 2, allocatable: { "cpu": "10" })],
///     quota: Quota(name: "root", min: { "cpu": "20" }, max: { "cpu": "20" }, namespaces: ["ns"]),
/// )"#;
/// let files = MapLoader::new().with("one.ron", text);
/// let settings = ["cluster.node.count=3", "quota.root.min.cpu=30", "quota.root.max.cpu=30"].map(Setting::new);
/// let scenario = load_with("one.ron", &settings, &files).scenario.unwrap();
/// assert_eq!(scenario.cluster.nodes.len(), 3);
///
/// let loaded = load_with("one.ron", &[Setting::new("cluster.nodes.count=3")], &files);
/// assert_eq!(loaded.diagnostics[0].to_string(), "--set:1:9: error: `cluster` has no entry `nodes`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The name and the text of the source that diagnostics refer to.
    name: String,
    source: String,
    /// Where the setting stands in that text.
    at: Range<usize>,
    what: What,
}

/// What the text of a setting is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// `PATH=VALUE`.
    Field,
    /// The policy.
    Policy,
    /// Claims, which replace those of the scenario: where each stands in the text.
    Claims(Vec<Range<usize>>),
}

impl Setting {
    fn of(name: &str, text: impl Into<String>, what: What) -> Self {
        let source = text.into();
        Self { name: name.to_owned(), at: 0..source.len(), source, what }
    }

    /// A setting `PATH=VALUE`, in the notation of `--set`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self::of("--set", text, What::Field)
    }

    /// The setting of a policy such as `Capacity(order: Fifo)`, in the notation of `--policy`.
    #[must_use]
    pub fn policy(text: impl Into<String>) -> Self {
        Self::of("--policy", text, What::Policy)
    }

    /// The setting of the claims of a scenario, in the notation of `--such-that`: each is an entry of `expect`, or what must hold at
    /// the end. Diagnostics count them as lines.
    #[must_use]
    pub fn claims<'c>(claims: impl IntoIterator<Item = &'c str>) -> Self {
        let (mut text, mut parts) = (String::new(), Vec::new());
        for claim in claims {
            if !parts.is_empty() {
                text.push('\n');
            }
            parts.push(text.len()..text.len() + claim.len());
            text.push_str(claim);
        }
        Self::of("--such-that", text, What::Claims(parts))
    }

    /// The same setting, as it stands in a larger text: places are those in the source of this name, and the setting begins at this byte
    /// of it.
    ///
    /// ```
    /// use quotree_scenario::{MapLoader, Setting, load_with};
    /// let files = MapLoader::new().with("one.ron", r#"Scenario(name: "one", cluster: Pool({ "cpu": "4" }))"#);
    /// let edits = "# larger\nsed=3\n";
    /// let setting = Setting::new("sed=3").part_of("edits.txt", edits, 9);
    /// let found = load_with("one.ron", &[setting], &files).diagnostics;
    /// assert!(found.iter().any(|one| one.to_string() == "edits.txt:2:1: error: `Scenario` has no field `sed`"));
    /// ```
    #[must_use]
    pub fn part_of(mut self, name: impl Into<String>, text: impl Into<String>, at: usize) -> Self {
        let length = self.at.len();
        self.name = name.into();
        self.source = text.into();
        self.at = at..at + length;
        self
    }

    /// The name and the text of the source that diagnostics refer to.
    pub(crate) fn source(&self) -> (&str, &str) {
        (&self.name, &self.source)
    }

    /// The change that this setting describes. Reports a missing `=`, and then returns nothing.
    fn change(&self, source: u32, report: &mut Report) -> Option<Change> {
        let text = self.source.get(self.at.clone()).unwrap_or_default();
        let whole = |field: &str, claims: &[Range<usize>]| {
            let path = vec![Ident { text: field.to_owned(), span: Span::new(source, self.at.start..self.at.start) }];
            Some(Change { path, text: text.to_owned(), source, at: self.at.start, claims: claims.to_vec() })
        };
        match &self.what {
            What::Field => change(text, source, self.at.start, report),
            What::Policy => whole("policy", &[]),
            What::Claims(claims) => whole("expect", claims),
        }
    }
}

/// A setting with its path split into words.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The words of the path; the first one names a field of the scenario.
    pub(crate) path: Vec<Ident>,
    /// The text of the value.
    pub(crate) text: String,
    /// The source, and the byte at which the value begins in it.
    pub(crate) source: u32,
    pub(crate) at: usize,
    /// If the text has claims rather than one value: where each stands in it.
    pub(crate) claims: Vec<Range<usize>>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: Vec<&str> = self.path.iter().map(|word| word.text.as_str()).collect();
        write!(f, "{}={}", path.join("."), self.text.trim())
    }
}

/// Parses the change `PATH=VALUE` at this place of a source.
fn change(text: &str, source: u32, at: usize, report: &mut Report) -> Option<Change> {
    let Some((path, value)) = text.split_once('=') else {
        report
            .error(Span::new(source, at..at + text.len()), "a setting is `PATH=VALUE`", "there is no `=`")
            .help("for example `cluster.gpu.count=12` or `quota.nlp.min.cpu=26`");
        return None;
    };
    let mut words = Vec::new();
    let mut start = at;
    for word in path.split('.') {
        words.push(Ident { text: word.to_owned(), span: Span::new(source, start..start + word.len()) });
        start += word.len() + 1;
    }
    Some(Change { path: words, text: value.to_owned(), source, at: start, claims: Vec::new() })
}

/// Parses settings, whose sources have the numbers from `first` on.
pub(crate) fn changes(settings: &[Setting], first: u32, report: &mut Report) -> Vec<Change> {
    settings.iter().zip(first..).filter_map(|(setting, source)| setting.change(source, report)).collect()
}

/// Parses the strings of the field `set` of a file.
pub(crate) fn changes_of_file(settings: &[At<String>], report: &mut Report) -> Vec<Change> {
    // The text begins behind the quote, if there is one.
    let at = |one: &At<String>| {
        let quote = (one.span.end - one.span.start) as usize > one.value.len();
        one.span.start as usize + usize::from(quote)
    };
    settings.iter().filter_map(|one| change(&one.value, one.span.source, at(one), report)).collect()
}

/// Applies a change to the files of a scenario. A change of a quota tree in a file that was not read yet is returned
/// instead.
pub(crate) fn apply(file: &mut File, change: Change, report: &mut Report) -> Option<Change> {
    let (first, below) = change.path.split_first()?;
    let scenario = language::group("file").and_then(|group| group.types.first());
    let row = scenario.and_then(|ty| field(ty, &first.text));
    let Some(row) = row.filter(|row| !matches!(row.name, "include" | "extends" | "set")) else {
        let known: Vec<&str> = scenario.into_iter().flat_map(|ty| ty.rows.iter().map(|row| row.name)).collect();
        report
            .error(first.span, format!("`Scenario` has no field `{}`", first.text), "unknown field")
            .did_you_mean(&first.text, known.iter().copied())
            .help(choices(&known));
        return None;
    };
    if below.is_empty() {
        // The whole field, in whichever files parts of it are.
        file.clear(row.name);
    }
    let mut nodes = file.fields_mut(row.name);
    let place = nodes.iter().position(|node| holds(node, &row.kind, below)).unwrap_or(0);
    if let Some(node) = nodes.get_mut(place) {
        if row.name == "quota" && matches!(node.shape, Shape::String(_)) {
            return Some(change);
        }
        set(node, &row.kind, (first, below), &change, report);
        return None;
    }
    let mut node = Node { span: first.span, shape: Shape::Absent };
    set(&mut node, &row.kind, (first, below), &change, report);
    file.add(Ident { text: row.name.to_owned(), span: first.span }, node);
    None
}

/// Applies a change to a quota tree that is in a file of its own.
pub(crate) fn apply_to_tree(root: &mut Node, change: &Change, report: &mut Report) {
    if let Some((first, below)) = change.path.split_first() {
        set(root, "quota", (first, below), change, report);
    }
}
