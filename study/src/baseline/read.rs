//! Reads the file of a baseline: every mistake with its place.

use super::{
    Baseline, Held,
    tolerance::{DEFAULT, Tolerance, is_family, names},
    write::OUTCOME,
};
use crate::{
    facts::{Key, MEASURES},
    gate::amount,
    seeds::Seeds,
    stats::Observed,
};
use quotree_syntax::{
    Diagnostic, Report, Source, Span,
    yaml::{self, Entry, Node},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What stands before a value that is a lower bound.
pub(super) const AT_LEAST: &str = "at least ";

impl Baseline {
    /// Reads a file.
    ///
    /// # Errors
    /// All mistakes, with their places.
    pub fn read(source: &Source) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader { source, report: Report::default() };
        let read = reader.file(source.text.as_str(), false);
        reader.finish(read)
    }

    /// Reads what people wrote of a file, to write the outcome below it again, whatever that is now: after a merge it may be in conflict.
    ///
    /// # Errors
    /// All mistakes, with their places.
    pub fn read_head(source: &Source) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader { source, report: Report::default() };
        let read = reader.file(head(&source.text), true);
        reader.finish(read)
    }
}

/// The text above the line of the outcome; all of it, if there is no such line.
fn head(text: &str) -> &str {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with(OUTCOME) {
            break;
        }
        at += line.len();
    }
    text.get(..at).unwrap_or(text)
}

struct Reader<'s> {
    source: &'s Source,
    report: Report,
}

impl Reader<'_> {
    fn finish(self, read: Option<Baseline>) -> Result<Baseline, Vec<Diagnostic>> {
        let diagnostics = self.report.finish(std::slice::from_ref(self.source));
        read.filter(|_| diagnostics.is_empty()).ok_or(diagnostics)
    }

    fn error(&mut self, span: &std::ops::Range<usize>, what: impl Into<String>, help: &str) {
        let error = self.report.error(Span::new(0, span.clone()), what, "");
        if !help.is_empty() {
            error.help(help);
        }
    }

    fn line(&self, entry: &Entry) -> usize {
        self.source.line_column(entry.key_span.start).0
    }

    fn file(&mut self, text: &str, head_only: bool) -> Option<Baseline> {
        let (documents, problems) = yaml::documents(text);
        for problem in problems {
            let help = "`quotree check FILE --bless` writes the part below `outcome:` again";
            self.error(&problem.span, problem.what, help);
        }
        let mut baseline = Baseline {
            head: head(&self.source.text).to_owned(),
            tolerances: BTreeMap::new(),
            seeds: Vec::new(),
            scenario: String::new(),
            figures: Vec::new(),
        };
        let root = documents.first();
        for entry in root.and_then(yaml::map).unwrap_or_default() {
            match entry.key.as_str() {
                "tolerance" => self.tolerances(&entry.value, &mut baseline),
                "outcome" => self.outcome(&entry.value, &mut baseline),
                other => self.error(
                    &entry.key_span,
                    format!("`{other}` is no part of an outcome file"),
                    "it has `tolerance:` and `outcome:`",
                ),
            }
        }
        if !head_only && root.is_none_or(|root| yaml::find(root, "outcome").is_none()) {
            self.error(&(0..0), "there is no `outcome:`", "`quotree check FILE --bless` writes it");
        }
        self.check_tolerances(&baseline);
        Some(baseline)
    }

    fn tolerances(&mut self, node: &Node, baseline: &mut Baseline) {
        for entry in yaml::map(node).unwrap_or_default() {
            let Some(text) = yaml::scalar(&entry.value) else {
                self.error(&entry.value.span, "a tolerance is a text such as `10% or 1m`", "");
                continue;
            };
            let name = normal(&entry.key);
            match keys_of(&name) {
                Ok(keys) => {
                    // One that is of several figures must be right for one of each unit that it is asked for; here the first decides.
                    if let Some(error) = keys.first().and_then(|key| Tolerance::parse(key, text).err()) {
                        self.error(&entry.value.span, error, "");
                        continue;
                    }
                    let line = self.line(entry);
                    baseline.tolerances.insert(name, (text.trim().to_owned(), line));
                }
                Err(what) => self.error(&entry.key_span, what, ""),
            }
        }
    }

    /// A tolerance of several figures that is none of one of them: `default: 1m` of a count. Each tolerance is reported once, at its line.
    fn check_tolerances(&mut self, baseline: &Baseline) {
        let mut wrong: BTreeSet<usize> = BTreeSet::new();
        for held in &baseline.figures {
            let Err(error) = baseline.tolerance(&held.key) else { continue };
            let mut names = names(&held.key).into_iter();
            let Some(line) = names.find_map(|name| Some(baseline.tolerances.get(&name)?.1)) else { continue };
            if wrong.insert(line) {
                let before = self.source.text.split_inclusive('\n').take(line.saturating_sub(1));
                let start: usize = before.map(str::len).sum();
                let rest = self.source.text.get(start..).unwrap_or_default();
                let row = rest.lines().next().unwrap_or_default();
                let indent = row.len() - row.trim_start().len();
                let help = format!("or give `{}` a tolerance of its own", held.key.name());
                self.error(&(start + indent..start + row.trim_end().len()), error, &help);
            }
        }
    }

    fn outcome(&mut self, node: &Node, baseline: &mut Baseline) {
        for entry in yaml::map(node).unwrap_or_default() {
            let text = yaml::scalar(&entry.value).unwrap_or_default();
            match entry.key.as_str() {
                "scenario" => text.clone_into(&mut baseline.scenario),
                "seeds" => match seeds(text) {
                    Ok(seeds) => baseline.seeds = seeds,
                    Err(what) => self.error(&entry.value.span, what, ""),
                },
                "run" => self.figures(&entry.value, None, baseline),
                "teams" => {
                    for team in yaml::map(&entry.value).unwrap_or_default() {
                        self.figures(&team.value, Some(Arc::from(team.key.as_str())), baseline);
                    }
                }
                other => self.error(
                    &entry.key_span,
                    format!("`{other}` is no part of an outcome"),
                    "it has `scenario:`, `seeds:`, `run:` and `teams:`",
                ),
            }
        }
        if baseline.seeds.is_empty() {
            self.error(&node.span, "the outcome does not say of which seeds it is", "`--bless` writes it again");
        }
    }

    fn figures(&mut self, node: &Node, team: Option<Arc<str>>, baseline: &mut Baseline) {
        for entry in yaml::map(node).unwrap_or_default() {
            let key = match Key::parse(&entry.key) {
                Ok(key) => key.of_team(team.as_ref()),
                Err(what) => {
                    self.error(&entry.key_span, what, "");
                    continue;
                }
            };
            let text = yaml::scalar(&entry.value).unwrap_or_default();
            let (at_least, amount) = text.strip_prefix(AT_LEAST).map_or((false, text), |rest| (true, rest));
            match amount::value(&key, amount.trim()) {
                Ok(value) => {
                    let line = self.line(entry);
                    baseline.figures.push(Held { key, value: Observed { value, at_least }, line });
                }
                Err(what) => {
                    let what = format!("`{text}` is no value of `{}`: {what}", key.name());
                    self.error(&entry.value.span, what, "`--bless` writes it again");
                }
            }
        }
    }
}

/// A name with single spaces.
fn normal(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Figures for which a tolerance is, for a first check of its text; none for `default`.
fn keys_of(name: &str) -> Result<Vec<Key>, String> {
    if name == DEFAULT {
        return Ok(Vec::new());
    }
    let (figure, _) = name.split_once(" of ").unwrap_or((name, ""));
    match Key::parse(name) {
        Ok(key) => Ok(vec![key]),
        Err(_) if is_family(figure) => {
            let known =
                MEASURES.iter().find(|known| known.name == figure || known.name.starts_with(&format!("{figure}.")));
            Ok(known.and_then(|known| Key::new(known.name, None, None)).into_iter().collect())
        }
        Err(what) => Err(what),
    }
}

fn seeds(text: &str) -> Result<Vec<u64>, String> {
    // One number is a seed here, not how many.
    match text.trim().parse::<u64>() {
        Ok(seed) => Ok(vec![seed]),
        Err(_) => text.parse::<Seeds>().and_then(|seeds| seeds.of(0)),
    }
}
