//! Imports have no cycles, neither between the folders of core, nor between the files of one folder.
//!
//! A folder is a directory of `core/src`, or of `core/src/scheduler`; deeper directories belong to it. Imports are the
//! paths in `use` that begin with `crate::`, `super::` or a child module, outside tests. A re-export counts for the
//! file that contains it.

use crate::files::File;
use std::collections::{BTreeMap, BTreeSet};

/// The imports of each module, by name.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// All cycles.
pub(crate) fn check(files: &[File]) -> Vec<String> {
    let sources: Vec<(&str, &str)> = files
        .iter()
        .filter(|file| file.is_rust() && !file.path.ends_with("/tests.rs"))
        .filter_map(|file| Some((file.path.strip_prefix("core/src/")?, without_tests(&file.text))))
        .collect();
    let modules: BTreeMap<Vec<&str>, &str> = sources.iter().map(|(path, _)| (module_of(path), *path)).collect();
    let mut folders = Graph::new();
    let mut inside = Graph::new();
    for (path, text) in &sources {
        for import in imports(text, &module_of(path), &modules) {
            let graph = if folder_of(import) == folder_of(path) { &mut inside } else { &mut folders };
            let name = |path: &str, by_file: bool| if by_file { path } else { folder_of(path) }.to_owned();
            let by_file = folder_of(import) == folder_of(path);
            graph.entry(name(path, by_file)).or_default().insert(name(import, by_file));
        }
    }
    let folders = circles(&folders).into_iter().map(|circle| ("folders", circle));
    let inside = circles(&inside).into_iter().map(|circle| ("files", circle));
    folders.chain(inside).map(|(kind, circle)| format!("core/src: {kind} import each other: {circle}")).collect()
}

/// The text without the test module at its end.
fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

/// The module of a file: `scheduler/mod.rs` is `scheduler`.
fn module_of(path: &str) -> Vec<&str> {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    stem.split('/').filter(|part| *part != "lib").collect()
}

fn folder_of(path: &str) -> &str {
    let depth = if path.starts_with("scheduler/") { 2 } else { 1 };
    let ends = path.match_indices('/').map(|(at, _)| at);
    ends.take(depth).last().map_or("", |at| path.get(..at).unwrap_or_default())
}

/// The files that a file imports from, except itself.
fn imports<'a>(text: &str, module: &[&str], modules: &BTreeMap<Vec<&str>, &'a str>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    for statement in uses(text) {
        let mut paths = Vec::new();
        expand(&statement, "", &mut paths);
        for path in paths {
            let mut segments: Vec<&str> = path.split("::").map(str::trim).collect();
            let mut full: Vec<&str> = match segments.first() {
                Some(&"crate") => Vec::new(),
                Some(&"super") => module.to_vec(),
                Some(child) if modules.contains_key(&[module, &[child]].concat()) => module.to_vec(),
                _ => continue,
            };
            while segments.first().is_some_and(|first| *first == "crate" || *first == "super") {
                if segments.remove(0) == "super" {
                    full.pop();
                }
            }
            full.extend(segments);
            let known = (0..=full.len()).rev().find_map(|len| modules.get(full.get(..len)?));
            found.extend(known.filter(|file| module_of(file) != module));
        }
    }
    found
}

/// The path of each `use` of a file, without line breaks.
fn uses(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        let code = line.trim();
        let named = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "];
        let begun =
            open.take().or_else(|| named.iter().find_map(|word| code.strip_prefix(word)).map(|_| String::new()));
        let Some(mut statement) = begun else { continue };
        statement.push_str(named.iter().find_map(|word| code.strip_prefix(word)).unwrap_or(code));
        match statement.strip_suffix(';') {
            Some(whole) => found.push(whole.to_owned()),
            None => open = Some(statement),
        }
    }
    found
}

/// All paths of an import tree: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand(tree: &str, prefix: &str, found: &mut Vec<String>) {
    let Some((before, inner)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree).trim();
        if !path.is_empty() {
            found.push(format!("{prefix}{path}"));
        }
        return;
    };
    let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
    let prefix = format!("{prefix}{}", before.trim());
    let mut depth = 0;
    let mut start = 0;
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(inner.get(start..at).unwrap_or_default(), &prefix, found);
                start = at + 1;
            }
            _ => {}
        }
    }
    expand(inner.get(start..).unwrap_or_default(), &prefix, found);
}

/// The sets of names in which each name reaches all others.
fn circles(graph: &Graph) -> Vec<String> {
    let reach = |from: &String| {
        let mut seen: BTreeSet<&String> = BTreeSet::new();
        let mut next: Vec<&String> = graph.get(from).into_iter().flatten().collect();
        while let Some(name) = next.pop() {
            if seen.insert(name) {
                next.extend(graph.get(name).into_iter().flatten());
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<&String>> = graph.keys().map(|name| (name, reach(name))).collect();
    let each_other = |a: &String, b: &String| reached.get(a).is_some_and(|seen| seen.contains(b));
    let mut found = BTreeSet::new();
    for name in graph.keys().filter(|name| each_other(name, name)) {
        let circle: Vec<&str> = graph
            .keys()
            .filter(|other| each_other(name, other) && each_other(other, name))
            .map(String::as_str)
            .collect();
        found.insert(circle.join(", "));
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn folders_and_files_that_import_each_other_are_found() {
        let fine = [
            file("core/src/lib.rs", "mod api;\nmod tree;\npub use api::A;"),
            file("core/src/api/mod.rs", "mod a;\npub use a::{A, B as C};"),
            file("core/src/api/a.rs", "//! A\n#[cfg(test)]\nmod tests {\n    use crate::tree::T;\n}"),
            file("core/src/tree/mod.rs", "use crate::{\n    api::{A, C},\n};"),
        ];
        assert_eq!(check(&fine), Vec::<String>::new());
        let [lib, api, _, tree] = fine;
        let a = file("core/src/api/a.rs", "use super::A;\npub(crate) use crate::tree::{T};");
        let found = check(&[lib, api, a, tree]);
        let wanted = ["folders import each other: api, tree", "files import each other: api/a.rs, api/mod.rs"];
        assert_eq!(found, wanted.map(|what| format!("core/src: {what}")));
    }
}
