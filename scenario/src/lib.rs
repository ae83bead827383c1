//! Loads scenario files: from text to a checked [`Scenario`], or to the list of all errors.
//!
//! A file goes through three steps: it is parsed into a tree that knows the place of each value ([`quotree_syntax`]),
//! the fields of all included files are combined (`merge`), and the scenario is built from them and checked
//! (`assemble`). Each step reports its errors and continues with what is valid, so one load reports all errors. No
//! partial scenario is returned.
//!
//! Each file here first states the fields of its part of the language (`record!`), and then checks them. To add a
//! field, state it there and use it: the struct, its reader, the schema and the reference page are generated from that.

mod arrivals;
mod assemble;
mod bandwidth;
mod canonical;
mod checks;
mod claim;
mod cluster;
mod convert;
mod dataset;
mod event;
mod feasible;
mod files;
mod gpus;
mod job_queue;
mod language;
mod loader;
mod merge;
mod no_min;
mod nodes;
mod notation;
mod outage;
mod part;
mod people;
mod pod;
mod pods_limit;
mod policy;
mod pools;
mod quota;
mod quota_file;
mod schema;
mod set;
mod times;
mod trace;
mod training;
mod typed;
mod workflow;
mod workload;

pub use convert::{Converted, convert};
pub use loader::{Loader, MapLoader};
pub use notation::{Notation, is_scenario};
pub use quotree_syntax::{Diagnostic, Place, Severity, Source, Value, format, parse_amount};
pub use schema::{reference, schema};
pub use set::Setting;

use files::Files;
use quotree_core::{OverPromised, TreeSpec};
use quotree_model::Scenario;
use quotree_syntax::{Node, Report, Shape};

/// The result of loading a scenario.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The scenario; present if and only if no diagnostic is an error.
    pub scenario: Option<Scenario>,
    /// All errors and warnings, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were read, in the order of reading; the first is the requested one.
    pub sources: Vec<Source>,
}

/// The result of loading a quota tree.
#[derive(Debug, Clone)]
pub struct LoadedTree {
    /// The tree; present if and only if no diagnostic is an error.
    pub tree: Option<TreeSpec>,
    /// Whether the file contains only a quota tree, not a scenario.
    pub alone: bool,
    /// All errors and warnings, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were read, in the order of reading.
    pub sources: Vec<Source>,
}

/// Loads a scenario and everything it includes.
///
/// ```
/// use quotree_scenario::{MapLoader, load};
/// let text = r#"Scenario(
///     name: "one",
///     cluster: [NodePool(name: "node", allocatable: { "cpu": "10" })],
///     quota: Quota(name: "root", min: { "cpu": "10" }, max: { "cpu": "10" }, namespaces: ["ns"]),
///     workloads: [Deployment(name: "web", namespace: "ns", replicas: 2, request: { "cpu": "5" }, submitted: "0s")],
/// )"#;
/// let loaded = load("one.ron", &MapLoader::new().with("one.ron", text));
/// assert!(loaded.scenario.is_none());
/// assert_eq!(loaded.diagnostics[0].to_string(), "one.ron:5:96: error: `Deployment` has no field `submitted`");
/// assert_eq!(loaded.diagnostics[0].help[0], "did you mean `submit`?");
/// ```
#[must_use]
pub fn load(path: &str, loader: &dyn Loader) -> Loaded {
    load_with(path, &[], loader)
}

/// Loads a scenario in which some fields have other values, one setting after the other. Places in the files stay as they
/// are, and a scenario is the same, and has the same digest, whether a value is set or written. If a setting is wrong,
/// only that is reported.
#[must_use]
pub fn load_with(path: &str, settings: &[Setting], loader: &dyn Loader) -> Loaded {
    let mut files = Files::new(loader);
    let mut report = Report::default();
    let file = merge::read_file(path, &mut files, &mut report);
    let first = files.add(settings.iter().map(Setting::source));
    let scenario = file.filter(|_| !report.broken).and_then(|mut file| {
        let changes = set::changes(settings, first, &mut report).into_iter();
        let of_tree: Vec<_> = changes.filter_map(|change| set::apply(&mut file, change, &mut report)).collect();
        file.of_tree.extend(of_tree);
        let merged = merge::Merged::of_scenario(&file, &mut report)?;
        Some(assemble::assemble(&merged, &file.root, &file.of_tree, &mut files, &mut report))
    });
    let scenario = scenario.filter(|_| report.errors() == 0);
    let mut diagnostics = report.finish(&files.sources);
    // With a wrong setting the file is not as it was meant: what else is found may only follow from that.
    let first = first as usize;
    let is_of_setting = |found: &Diagnostic| (first..first + settings.len()).contains(&found.source);
    if diagnostics.iter().any(|found| found.severity == Severity::Error && is_of_setting(found)) {
        diagnostics.retain(is_of_setting);
    }
    Loaded { scenario, diagnostics, sources: files.sources }
}

/// Loads a quota tree from a file that contains only `Quota(..)`, or from a scenario, which is checked as a whole.
#[must_use]
pub fn load_tree(path: &str, loader: &dyn Loader) -> LoadedTree {
    let mut files = Files::new(loader);
    let mut report = Report::default();
    let file = merge::read_file(path, &mut files, &mut report);
    let is_tree = |root: &Node| match &root.shape {
        Shape::Struct(body) => body.name.as_ref().is_some_and(|name| name.text == "Quota"),
        _ => false,
    };
    if file.as_ref().is_none_or(|file| !is_tree(&file.root)) {
        let Loaded { scenario, diagnostics, sources } = load(path, loader);
        return LoadedTree { tree: scenario.map(|s| s.tree), alone: false, diagnostics, sources };
    }
    let tree = file.filter(|_| !report.broken).and_then(|file| quota::read(&file.root, &mut report));
    if let Some(tree) = &tree {
        tree.check(OverPromised::Error, &mut report);
    }
    let tree = tree.filter(|_| report.errors() == 0).map(|tree| tree.spec);
    LoadedTree { tree, alone: true, diagnostics: report.finish(&files.sources), sources: files.sources }
}
