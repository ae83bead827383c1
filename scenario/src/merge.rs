//! `include` and `extends`: combines several files into one set of fields, before any field is interpreted. An included
//! file contains some of the fields; lists are concatenated, and other fields may be given once. With `extends`, the
//! fields given here replace those of the base, and entries of lists replace base entries of the same name.

use crate::{files::Files, notation};
use quotree_syntax::{At, Node, Read, Report, Shape, Span, Struct, list, wrong};
use std::collections::BTreeMap;

/// Fields that may be given once.
pub(crate) const SINGLE: [&str; 6] = ["name", "about", "seed", "policy", "quota", "world"];

/// Fields that are lists.
pub(crate) const LISTS: &[&str] =
    &["cluster", "users", "groups", "queues", "datasets", "workloads", "events", "faults", "expect"];

/// Fields that are maps.
pub(crate) const MAPS: [&str; 2] = ["classes", "budgets"];

/// The deepest nesting of included files.
const MAX_DEPTH: usize = 32;

/// A parsed file, and the files it names.
pub(crate) struct File {
    pub(crate) root: Node,
    includes: Vec<File>,
    base: Option<Box<File>>,
}

/// Reads a file and all files that it includes and extends.
pub(crate) fn read_file(path: &str, files: &mut Files<'_>, report: &mut Report) -> Option<File> {
    read(path, None, &mut Vec::new(), files, report)
}

fn read(
    path: &str,
    named_at: Option<Span>,
    above: &mut Vec<String>,
    files: &mut Files<'_>,
    report: &mut Report,
) -> Option<File> {
    let (number, bad) = match files.source(path) {
        Ok(read) => read,
        Err(why) => {
            // Without a place of its own the error is reported at the top of an empty source of that name.
            let span = named_at.unwrap_or_else(|| files.missing(path));
            report.error(span, format!("cannot read `{path}`: {why}"), "this file");
            return None;
        }
    };
    if let Some(at) = bad {
        report.error(Span::new(number, at..at + 1), "the file is not valid UTF-8", "the first bad byte");
    }
    let text = files.sources.get(number as usize).map(|s| s.text.clone()).unwrap_or_default();
    let root = notation::parse(path, &text, number, report)?;
    let mut file = File { root, includes: Vec::new(), base: None };
    above.push(path.to_owned());
    let (includes, base) = named_files(&file.root, report);
    for include in includes {
        file.includes.extend(follow(&include, above, files, report));
    }
    if let Some(base) = base {
        file.base = follow(&base, above, files, report).map(Box::new);
    }
    above.pop();
    Some(file)
}

/// The files that a file includes and extends.
fn named_files(root: &Node, report: &mut Report) -> (Vec<At<String>>, Option<At<String>>) {
    let Shape::Struct(body) = &root.shape else { return (Vec::new(), None) };
    if body.name.as_ref().is_some_and(|name| name.text != "Scenario") {
        return (Vec::new(), None);
    }
    let field = |name: &str| body.fields.iter().find(|(ident, _)| ident.text == name).map(|(_, node)| node);
    let includes = field("include").and_then(|node| match &node.shape {
        Shape::List(_) => Vec::read(node, report),
        _ => At::read(node, report).map(|one| vec![one]),
    });
    (includes.unwrap_or_default(), field("extends").and_then(|node| At::read(node, report)))
}

fn follow(named: &At<String>, above: &mut Vec<String>, files: &mut Files<'_>, report: &mut Report) -> Option<File> {
    let path = match files.resolve(named.span.source, &named.value) {
        Ok(path) => path,
        Err(why) => {
            report.error(named.span, format!("cannot read `{}`: {why}", named.value), "this file");
            return None;
        }
    };
    if above.contains(&path) {
        let title = format!("the files include one another in a cycle: {} -> {path}", above.join(" -> "));
        report.error(named.span, title, "closes the cycle");
        return None;
    }
    if above.len() >= MAX_DEPTH {
        report.error(named.span, format!("files include one another more than {MAX_DEPTH} deep"), "one too deep");
        return None;
    }
    read(&path, Some(named.span), above, files, report)
}

/// The fields of a scenario, combined from all its files.
#[derive(Default)]
pub(crate) struct Merged<'a> {
    single: BTreeMap<&'static str, (&'a Node, Span)>,
    lists: BTreeMap<&'static str, Vec<&'a Node>>,
    /// Each with its layer; the base is the first layer.
    maps: BTreeMap<&'static str, Vec<(u32, &'a Node)>>,
    layers: u32,
}

impl<'a> Merged<'a> {
    /// Combines the fields; nothing if the file is not a scenario.
    pub(crate) fn of_scenario(file: &'a File, report: &mut Report) -> Option<Self> {
        let merged = Self::of(file, report);
        let name = match &file.root.shape {
            Shape::Struct(body) => body.name.as_ref().map(|name| name.text.as_str()),
            _ => return None,
        };
        matches!(name, None | Some("Scenario")).then_some(merged)
    }

    /// Combines the fields.
    fn of(file: &'a File, report: &mut Report) -> Self {
        let mut merged = file.base.as_deref().map(|base| Self::of(base, report)).unwrap_or_default();
        let mut own = Self::default();
        own.gather(file, true, report);
        merged.replace_by(own);
        merged
    }

    /// The node of a field that may be given once.
    pub(crate) fn single(&self, field: &str) -> Option<&'a Node> {
        self.single.get(field).map(|(node, _)| *node)
    }

    /// The entries of a list.
    pub(crate) fn list(&self, field: &str) -> &[&'a Node] {
        self.lists.get(field).map_or(&[], Vec::as_slice)
    }

    /// The maps of a field with their layers, the base first.
    pub(crate) fn maps(&self, field: &str) -> &[(u32, &'a Node)] {
        self.maps.get(field).map_or(&[], Vec::as_slice)
    }

    /// Adds the fields of one file; those of the files it includes come before them.
    fn gather(&mut self, file: &'a File, whole: bool, report: &mut Report) {
        for include in &file.includes {
            if let Some(base) = &include.base {
                report
                    .error(base.root.span, "an included file cannot use `extends`", "not allowed here")
                    .help("use `extends` in the including file");
            }
            self.gather(include, false, report);
        }
        let body = match &file.root.shape {
            Shape::Struct(body) => body,
            Shape::Bad => return,
            _ => {
                wrong(&file.root, "`Scenario(..)`", report);
                return;
            }
        };
        match body.name.as_ref().map(|n| (n.text.as_str(), n.span)) {
            None | Some(("Scenario", _)) => {}
            Some(("Quota", span)) if !whole => return self.add_single("quota", &file.root, span, report),
            Some((name, span)) => {
                let error =
                    report.error(span, format!("expected `Scenario(..)`, found `{name}(..)`"), "not a scenario");
                if name == "Quota" {
                    error.help("a tree alone can be validated, but not run");
                }
                return;
            }
        }
        self.fields(body, report);
    }

    fn fields(&mut self, body: &'a Struct, report: &mut Report) {
        for arg in &body.args {
            if !matches!(arg.shape, Shape::Bad) {
                report
                    .error(arg.span, "`Scenario` takes fields by name", "which field is this?")
                    .help("write `field: value`");
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        for (ident, node) in &body.fields {
            let field = ident.text.as_str();
            if !seen.insert(field) {
                let title = format!("the field `{field}` of `Scenario` is given twice");
                report.error(ident.span, title, "second occurrence");
                continue;
            }
            let known = |names: &[&'static str]| names.iter().find(|name| **name == field).copied();
            if matches!(node.shape, Shape::Absent) || matches!(field, "include" | "extends") {
                continue;
            }
            if let Some(field) = known(&SINGLE) {
                self.add_single(field, node, ident.span, report);
            } else if let Some(field) = known(LISTS) {
                self.add_list(field, node, report);
            } else if let Some(field) = known(&MAPS) {
                self.maps.entry(field).or_default().push((0, node));
            } else {
                unknown(field, ident.span, report);
            }
        }
    }

    fn add_single(&mut self, field: &'static str, node: &'a Node, span: Span, report: &mut Report) {
        if self.single.contains_key(field) {
            let title = format!("`{field}` is also given in an included file; it can be given only once");
            report.error(span, title, "second occurrence");
        } else {
            self.single.insert(field, (node, span));
        }
    }

    fn add_list(&mut self, field: &'static str, node: &'a Node, report: &mut Report) {
        let entries = self.lists.entry(field).or_default();
        match &node.shape {
            Shape::List(items) => entries.extend(items),
            Shape::Struct(_) if field == "cluster" => entries.push(node),
            _ => wrong(node, "a list `[..]`", report),
        }
    }

    /// Replaces fields of the base by these.
    fn replace_by(&mut self, over: Self) {
        self.layers += 1;
        self.single.extend(over.single);
        for (field, entries) in over.lists {
            let here = self.lists.entry(field).or_default();
            if field == "cluster" {
                *here = entries;
                continue;
            }
            let mut places: BTreeMap<String, usize> = BTreeMap::new();
            for (i, entry) in here.iter().enumerate() {
                places.extend(name_of(field, entry).map(|name| (name.to_owned(), i)));
            }
            for entry in entries {
                let place = name_of(field, entry).and_then(|name| places.remove(name));
                match place.and_then(|i| here.get_mut(i)) {
                    Some(slot) => *slot = entry,
                    None => here.push(entry),
                }
            }
        }
        for (field, maps) in over.maps {
            let layer = self.layers;
            self.maps.entry(field).or_default().extend(maps.into_iter().map(|(_, node)| (layer, node)));
        }
    }
}

fn unknown(field: &str, span: Span, report: &mut Report) {
    let known: Vec<&str> = SINGLE.iter().chain(LISTS).chain(&MAPS).chain(&["include", "extends"]).copied().collect();
    let error = report.error(span, format!("`Scenario` has no field `{field}`"), "unknown field");
    if field == "matrix" {
        error.help("sweeps over a matrix are not supported yet");
        return;
    }
    error.did_you_mean(field, known.iter().copied()).help(format!("its fields are {}", list(&known)));
}

/// The key of an entry of a list: its `name`; of a queue, its quota.
fn name_of<'a>(list: &str, entry: &'a Node) -> Option<&'a str> {
    let Shape::Struct(body) = &entry.shape else { return None };
    let known_by = if list == "queues" { "quota" } else { "name" };
    let (_, node) = body.fields.iter().find(|(ident, _)| ident.text == known_by)?;
    match &node.shape {
        Shape::String(text) => Some(text),
        _ => None,
    }
}
