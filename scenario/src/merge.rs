//! `include` and `extends`: combines several files into one set of fields, before any field is interpreted. An included
//! file contains some of the fields; lists are concatenated, and other fields may be given once. With `extends`, the
//! fields given here replace those of the base, and entries of lists replace base entries of the same name.

use crate::{
    canonical,
    files::Files,
    notation, part,
    set::{self, Change},
};
use quotree_syntax::{At, Ident, Node, Read, Report, Shape, Span, Struct, list, wrong};
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
    /// What is set in a quota tree that is in a file of its own.
    pub(crate) of_tree: Vec<Change>,
}

impl File {
    /// The values of a field, those first that take effect over others: of this file and what it includes, then of the
    /// scenario that it extends.
    pub(crate) fn fields_mut(&mut self, field: &str) -> Vec<&mut Node> {
        let mut own = Vec::new();
        own_fields(&mut self.root, &mut self.includes, field, &mut own);
        // A cluster replaces that of the base as a whole.
        if own.is_empty() || field != "cluster" {
            own.extend(self.base.iter_mut().flat_map(|base| base.fields_mut(field)));
        }
        own
    }

    /// Takes a field out of all files.
    pub(crate) fn clear(&mut self, field: &str) {
        if let Shape::Struct(body) = &mut self.root.shape {
            body.fields.retain(|(ident, _)| ident.text != field);
            if field == "quota" && is_named(body, "Quota") {
                *body = Struct { name: None, args: Vec::new(), fields: Vec::new() };
            }
        }
        self.includes.iter_mut().chain(self.base.as_deref_mut()).for_each(|file| file.clear(field));
    }

    /// Adds a field.
    pub(crate) fn add(&mut self, field: Ident, value: Node) {
        if let Shape::Struct(body) = &mut self.root.shape {
            body.fields.push((field, value));
        }
    }
}

fn is_named(body: &Struct, name: &str) -> bool {
    body.name.as_ref().is_some_and(|named| named.text == name)
}

fn own_fields<'f>(root: &'f mut Node, includes: &'f mut [File], field: &str, found: &mut Vec<&'f mut Node>) {
    let is_tree = matches!(&root.shape, Shape::Struct(body) if is_named(body, "Quota"));
    if is_tree {
        found.extend((field == "quota").then_some(root));
    } else if let Shape::Struct(body) = &mut root.shape {
        found.extend(body.fields.iter_mut().filter(|(ident, _)| ident.text == field).map(|(_, node)| node));
    }
    for File { root, includes, .. } in includes {
        own_fields(root, includes, field, found);
    }
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
    let mut file = File { root, includes: Vec::new(), base: None, of_tree: Vec::new() };
    above.push(path.to_owned());
    let (includes, base, settings) = named_files(&file.root, report);
    for include in includes {
        file.includes.extend(follow(&include, above, files, report));
    }
    if let Some(base) = base {
        file.base = follow(&base, above, files, report).map(Box::new);
    }
    if let (Some(base), settings) = (&mut file.base, set::changes_of_file(&settings, report)) {
        file.of_tree = std::mem::take(&mut base.of_tree);
        file.of_tree.extend(settings.into_iter().filter_map(|change| set::apply(base, change, report)));
    } else if let Some(first) = settings.first() {
        let error = report.error(first.span, "`set` changes fields of a base, and there is none", "without `extends`");
        error.help("write the values at their places, or extend the scenario that is changed");
    }
    above.pop();
    Some(file)
}

/// What a file says of other files.
type Named = (Vec<At<String>>, Option<At<String>>, Vec<At<String>>);

/// The files that a file includes and extends, and what it sets in the latter.
fn named_files(root: &Node, report: &mut Report) -> Named {
    let Shape::Struct(body) = &root.shape else { return Named::default() };
    if body.name.as_ref().is_some_and(|name| name.text != "Scenario") {
        return Named::default();
    }
    let field = |name: &str| body.fields.iter().find(|(ident, _)| ident.text == name).map(|(_, node)| node);
    let texts = |node: &Node, report: &mut Report| match &node.shape {
        Shape::List(_) => Vec::read(node, report),
        _ => At::read(node, report).map(|one| vec![one]),
    };
    let includes = field("include").and_then(|node| texts(node, report)).unwrap_or_default();
    let settings = field("set").and_then(|node| texts(node, report)).unwrap_or_default();
    (includes, field("extends").and_then(|node| At::read(node, report)), settings)
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
    /// The maps of each field, each with the number of its layer; the base is the first layer.
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
        if file.base.is_some() {
            own.refuse_parts(&merged, report);
        }
        merged.replace_by(own);
        merged
    }

    /// All fields, the same however they are written, set or spread over files.
    pub(crate) fn canonical(&self) -> String {
        let mut text = String::new();
        let single = self.single.iter().map(|(field, (node, _))| (*field, vec![*node]));
        let lists = self.lists.iter().map(|(field, nodes)| (*field, nodes.clone()));
        let maps = self.maps.iter().map(|(field, maps)| (*field, maps.iter().map(|(_, node)| *node).collect()));
        for (field, nodes) in single.chain(lists).chain(maps) {
            text.push_str(field);
            for node in nodes {
                text.push('\n');
                canonical::write(node, &mut text);
            }
        }
        text
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
            if matches!(node.shape, Shape::Absent) || matches!(field, "include" | "extends" | "set") {
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

    /// Refuses a part of a quota tree or of a pool where the whole of it is replaced. The base then stays as it is.
    fn refuse_parts(&mut self, base: &Self, report: &mut Report) {
        let tree = self.single.get("quota").map(|(node, _)| *node);
        if tree.is_some_and(|tree| part::is_of_tree(tree, base.single("quota"), report)) {
            self.single.remove("quota");
        }
        if part::are_of_pools(self.list("cluster"), base.list("cluster"), report) {
            self.lists.remove("cluster");
        }
    }

    /// Replaces fields of the base by those of `over`.
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
    let known: Vec<&str> =
        SINGLE.iter().chain(LISTS).chain(&MAPS).chain(&["include", "extends", "set"]).copied().collect();
    let error = report.error(span, format!("`Scenario` has no field `{field}`"), "unknown field");
    if field == "matrix" {
        error.help("sweeps over a matrix are not supported yet");
        return;
    }
    error.did_you_mean(field, known.iter().copied()).help(format!("its fields are {}", list(&known)));
}

/// The key of an entry of a list: its `name`, or the quota of a queue.
fn name_of<'a>(list: &str, entry: &'a Node) -> Option<&'a str> {
    let Shape::Struct(body) = &entry.shape else { return None };
    let known_by = if list == "queues" { "quota" } else { "name" };
    let (_, node) = body.fields.iter().find(|(ident, _)| ident.text == known_by)?;
    match &node.shape {
        Shape::String(text) => Some(text),
        _ => None,
    }
}
