//! Product lines by crate: lines of Rust that are neither blank nor a comment, without tests, test kits, benches and
//! examples. They are counted in the working tree and in each revision that is named, so that a claim such as "not more
//! lines than before" can be checked again.

use crate::files::{self, File};
use std::collections::BTreeMap;

/// Folders that are not part of the product.
const OUTSIDE: &[&str] = &["testkit", "xtask", "benches", "fuzz", "tests", "examples"];

/// Product lines by crate, and their sum under `all`.
type Counts = BTreeMap<String, usize>;

/// A table with one row for each crate: its lines in each of the revisions, and in the working tree.
pub(crate) fn table(revisions: &[String]) -> Result<String, String> {
    let mut heads = revisions.to_vec();
    heads.push("now".to_owned());
    let mut columns = revisions.iter().map(|revision| Ok(count(&at(revision)?))).collect::<Result<Vec<_>, String>>()?;
    columns.push(count(&files::tracked()?));
    Ok(aligned(&heads, &columns))
}

/// The Rust files of a revision.
fn at(revision: &str) -> Result<Vec<File>, String> {
    let list = files::output("git", &["ls-tree", "-r", "--name-only", revision])?;
    let read = |path: &str| {
        let text = files::output("git", &["show", &format!("{revision}:{path}")])?;
        Ok(File { path: path.to_owned(), text })
    };
    list.lines().filter(|path| path.ends_with(".rs")).map(read).collect()
}

fn count(files: &[File]) -> Counts {
    let mut counts = Counts::new();
    for file in files.iter().filter(|file| is_product(file)) {
        let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
        let lines = file.split().0.lines().map(str::trim).filter(is_code).count();
        let of = file.path.split('/').next().unwrap_or_default();
        for key in [of, "all"] {
            *counts.entry(key.to_owned()).or_default() += lines;
        }
    }
    counts
}

fn is_product(file: &File) -> bool {
    let is_outside = |folder: &str| OUTSIDE.contains(&folder) || folder == "tests.rs";
    file.is_rust() && !file.path.split('/').any(is_outside)
}

fn aligned(heads: &[String], columns: &[Counts]) -> String {
    let mut crates: Vec<&str> = columns.iter().flatten().map(|(name, _)| name.as_str()).collect();
    crates.sort_unstable_by_key(|name| (*name == "all", *name));
    crates.dedup();
    let widths: Vec<usize> = heads.iter().map(|head| head.chars().count().max(6)).collect();
    let line = |name: &str, cells: &[String]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("  {cell:>width$}"));
        format!("{name:<9}{}\n", cells.collect::<String>())
    };
    let row = |name: &&str| {
        let cell = |counts: &Counts| counts.get(*name).map_or_else(|| "·".to_owned(), usize::to_string);
        line(name, &columns.iter().map(cell).collect::<Vec<_>>())
    };
    std::iter::once(line("crate", heads)).chain(crates.iter().map(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_the_product_is_counted_and_nothing_else() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let before = [file("a/src/x.rs", "//! Doc.\n\nfn f() {\n    // Why.\n}\n\n#[cfg(test)]\nmod tests {\n}\n")];
        let now = [
            file("a/src/x.rs", "fn f() {}\n"),
            file("bb/src/y/z.rs", "fn g() {}\n"),
            file("bb/src/y/tests.rs", "fn h() {}\n"),
            file("bb/tests/t.rs", "fn h() {}\n"),
            file("testkit/src/k.rs", "fn h() {}\n"),
            file("bb/README.md", "text\n"),
        ];
        let table = aligned(&["v1".to_owned(), "now".to_owned()], &[count(&before), count(&now)]);
        assert_eq!(
            table,
            "crate          v1     now\na               2       1\nbb              ·       1\nall             2       2\n"
        );
    }
}
