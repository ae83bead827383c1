//! Loads a scenario with its policy replaced by one from the command line. This is a scenario that extends the file and
//! states only `policy`. Errors in the policy point at their place in the argument.

use crate::{Loaded, Loader, load};
use quotree_syntax::{Diagnostic, Place, Report, Severity, Source, parse};

/// The path under which diagnostics about the policy are reported.
const NAME: &str = "--policy";

/// Loads a scenario with this policy in place of its own, such as `Capacity(order: Fifo)`.
///
/// ```
/// use quotree_scenario::{MapLoader, load_with_policy};
/// let text = r#"Scenario(
///     name: "one",
///     cluster: [NodePool(name: "node", allocatable: { "cpu": "10" })],
///     quota: Quota(name: "root", min: { "cpu": "10" }, max: { "cpu": "10" }, namespaces: ["ns"]),
/// )"#;
/// let files = MapLoader::new().with("one.ron", text);
/// assert!(load_with_policy("one.ron", "Capacity(order: Fifo)", &files).scenario.is_some());
/// let loaded = load_with_policy("one.ron", "Capacity(order: Fifoo)", &files);
/// assert_eq!(loaded.diagnostics[0].to_string(), "--policy:1:17: error: `Fifoo` is not a valid order");
/// ```
#[must_use]
pub fn load_with_policy(path: &str, policy: &str, loader: &dyn Loader) -> Loaded {
    let mut report = Report::default();
    parse(policy, 0, &mut report);
    if report.errors() > 0 {
        let sources = vec![Source { path: NAME.to_owned(), text: policy.to_owned() }];
        return Loaded { scenario: None, diagnostics: report.finish(&sources), sources };
    }
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let wrapper = if folder.is_empty() { NAME.to_owned() } else { format!("{folder}/{NAME}") };
    let before = format!("Scenario(extends: {name:?}, policy: ");
    let text = format!("{before}{policy})\n");
    let mut loaded = load(&wrapper, &Overlay { loader, path: &wrapper, text: &text });
    let is_outside = |d: &Diagnostic| d.severity == Severity::Error && d.source == 0 && d.span.start < before.len();
    if loaded.diagnostics.iter().any(is_outside) {
        // The file itself is wrong; the rest are consequences.
        let alone = load(path, loader);
        if alone.scenario.is_none() {
            return alone;
        }
    }
    if let Some(source) = loaded.sources.first_mut() {
        *source = Source { path: NAME.to_owned(), text: policy.to_owned() };
        for diagnostic in loaded.diagnostics.iter_mut().filter(|diagnostic| diagnostic.source == 0) {
            let inside = |place: usize| place.saturating_sub(before.len()).min(policy.len());
            diagnostic.span = inside(diagnostic.span.start)..inside(diagnostic.span.end);
            let (line, column) = source.line_column(diagnostic.span.start);
            diagnostic.place = Place { path: NAME.to_owned(), line, column };
        }
    }
    loaded
}

/// The files of a loader with one more.
struct Overlay<'a> {
    loader: &'a dyn Loader,
    path: &'a str,
    text: &'a str,
}

impl Loader for Overlay<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        if path == self.path { Ok(self.text.as_bytes().to_vec()) } else { self.loader.read(path) }
    }
}
