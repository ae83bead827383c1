//! Access to files. The simulator reads no files itself: the caller that loads a scenario passes a [`Loader`].

use std::collections::BTreeMap;

/// Reads files.
pub trait Loader {
    /// The bytes of the file at a `/`-joined path, decompressed if it is compressed.
    ///
    /// # Errors
    /// Why it cannot be read, in one clause such as `no such file`.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// Files in memory, for tests and embedding.
///
/// ```
/// use quotree_scenario::{Loader, MapLoader};
/// let loader = MapLoader::new().with("a.ron", "Scenario()");
/// assert_eq!(loader.read("a.ron").unwrap(), b"Scenario()");
/// assert!(loader.read("b.ron").is_err());
/// ```
#[derive(Debug, Clone, Default)]
pub struct MapLoader(BTreeMap<String, Vec<u8>>);

impl MapLoader {
    /// No files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These files and one more.
    #[must_use]
    pub fn with(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.0.insert(path.to_owned(), content.into());
        self
    }
}

impl Loader for MapLoader {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.0.get(path).cloned().ok_or_else(|| "no such file".to_owned())
    }
}

/// The path of a file that the file at `from` refers to as `named`: relative to the folder of `from`, with `.` and `..`
/// resolved. Leading `..` are kept; the loader decides what they mean.
pub(crate) fn join(from: &str, named: &str) -> Result<String, String> {
    if named.is_empty() {
        return Err("the path is empty".to_owned());
    }
    if named.chars().any(char::is_control) || named.len() > 4096 {
        return Err("not a path: it is too long or has control characters".to_owned());
    }
    let folder = if named.starts_with('/') { "" } else { from.rsplit_once('/').map_or("", |(folder, _)| folder) };
    let absolute = named.starts_with('/') || from.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(named.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            ".." if absolute => return Err("the path leads out of the file system".to_owned()),
            part => parts.push(part),
        }
    }
    if parts.last().is_none_or(|p| *p == "..") {
        return Err("the path names a folder, not a file".to_owned());
    }
    Ok(format!("{}{}", if absolute { "/" } else { "" }, parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn paths_are_relative_to_the_file_that_names_them() {
        let rows = [
            ("scenarios/a.ron", "b.ron", Some("scenarios/b.ron")),
            ("scenarios/a.ron", "../traces/t.csv", Some("traces/t.csv")),
            ("scenarios/a.ron", "../../shared/./t.csv", Some("../shared/t.csv")),
            ("a.ron", "x//y.ron", Some("x/y.ron")),
            ("/w/a.ron", "b.ron", Some("/w/b.ron")),
            ("/w/a.ron", "../../b.ron", None),
            ("a.ron", "/etc/b.ron", Some("/etc/b.ron")),
            ("a.ron", "", None),
            ("a.ron", "..", None),
            ("a.ron", "x/..", None),
            ("a.ron", "b\0.ron", None),
        ];
        for (from, named, wanted) in rows {
            assert_eq!(join(from, named).ok().as_deref(), wanted, "`{named}` in `{from}`");
        }
    }
}
