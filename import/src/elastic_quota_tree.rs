//! `ElasticQuotaTree` manifests (`scheduling.sigs.k8s.io/v1beta1`): the quota tree as a Kubernetes cluster stores it.
//! Every problem is reported with its place in the text, also those that the validation of the tree finds (T2).

pub use super::yaml::YamlProblem;
use super::yaml::{self, Entry, Node, Value, find, is_null, map, scalar};
use quotree_core::{Amounts, Name, OverPromised, QuotaSpec, QuotaTree, Severity, TreeSpec, Unit, parse_quantity};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// The `apiVersion` of the manifest.
pub const API_VERSION: &str = "scheduling.sigs.k8s.io/v1beta1";

/// The `kind` of the manifest.
pub const KIND: &str = "ElasticQuotaTree";

/// The fields of a node of the tree.
const FIELDS: [&str; 6] = ["name", "min", "max", "children", "namespaces", "attributes"];

/// Reads the manifest from a text of one or more YAML documents, and validates the tree.
///
/// Problems are in the order of the text. The tree is present unless one of them is an error.
///
/// ```
/// let text = "apiVersion: scheduling.sigs.k8s.io/v1beta1\nkind: ElasticQuotaTree\n\
///             spec:\n  root:\n    name: root\n    min: {cpu: 4}\n    max: {cpu: 4}\n    namespaces: [a]\n";
/// let (tree, problems) = quotree_import::elastic_quota_tree::read(text, Default::default());
/// assert_eq!(problems, []);
/// assert_eq!(tree.unwrap().quotas[0].max.get("cpu"), Some(4000));
/// ```
#[must_use]
pub fn read(text: &str, over_promised: OverPromised) -> (Option<TreeSpec>, Vec<YamlProblem>) {
    let (documents, problems) = yaml::documents(text);
    let mut reading = Reading { tree: TreeSpec::default(), places: BTreeMap::new(), problems };
    if reading.problems.is_empty() {
        reading.documents(&documents);
    }
    if reading.problems.iter().all(|problem| problem.warning) {
        reading.validate(over_promised);
    }
    let Reading { tree, mut problems, .. } = reading;
    problems.sort_by_key(|problem| problem.span.start);
    (problems.iter().all(|problem| problem.warning).then_some(tree), problems)
}

struct Reading {
    tree: TreeSpec,
    /// The place of each quota's name.
    places: BTreeMap<Name, Range<usize>>,
    problems: Vec<YamlProblem>,
}

impl Reading {
    fn problem(&mut self, span: &Range<usize>, what: impl Into<String>) {
        self.problems.push(YamlProblem::new(span.clone(), what));
    }

    fn documents(&mut self, documents: &[Node]) {
        let kind = |node: &Node| find(node, "kind").and_then(scalar).map(str::to_owned);
        let objects: Vec<&Node> = documents.iter().flat_map(objects).collect();
        let mut trees = objects.iter().copied().filter(|document| kind(document).as_deref() == Some(KIND));
        let Some(document) = trees.next() else {
            let span = objects.first().map_or(0..0, |document| document.span.clone());
            let seen: BTreeSet<_> = objects.iter().copied().filter_map(kind).map(|kind| format!("`{kind}`")).collect();
            let seen = if seen.is_empty() {
                "no document with a kind".to_owned()
            } else {
                seen.into_iter().collect::<Vec<_>>().join(", ")
            };
            return self.problem(&span, format!("no document of kind `{KIND}`; the file has {seen}"));
        };
        if let Some(second) = trees.next() {
            self.problem(&second.span, format!("second `{KIND}`; a file describes one tree"));
        }
        match find(document, "apiVersion") {
            Some(version) if scalar(version) == Some(API_VERSION) => {}
            Some(version) => self.problem(&version.span, format!("the apiVersion is not `{API_VERSION}`")),
            None => self.problem(&document.span, format!("missing `apiVersion`; expected `{API_VERSION}`")),
        }
        match find(document, "spec").and_then(|spec| find(spec, "root")) {
            Some(root) => self.quota(root, None),
            None => self.problem(&document.span, "missing `spec.root`, the root of the tree"),
        }
    }

    fn quota(&mut self, node: &Node, parent: Option<&Name>) {
        let Some(entries) = map(node) else { return self.problem(&node.span, "a quota must be a map") };
        for entry in entries.iter().filter(|entry| !FIELDS.contains(&entry.key.as_str())) {
            self.unknown_field(entry);
        }
        let (name, place) = match find(node, "name").map(|value| (scalar(value), value)) {
            Some((Some(name), value)) if !name.is_empty() => (Name::from(name), value.span.clone()),
            Some((_, value)) => return self.problem(&value.span, "the name of a quota must be a string"),
            None => return self.problem(&node.span, "a quota has no `name`"),
        };
        self.places.entry(name.clone()).or_insert(place);
        let mut spec = QuotaSpec::new(name.as_str(), parent.map(Name::as_str));
        spec.min = self.amounts(node, "min");
        spec.max = self.amounts(node, "max");
        spec.namespaces = self.namespaces(node);
        spec.attributes = self.attributes(node);
        self.tree.quotas.push(spec);
        match find(node, "children").map(|children| (&children.value, children)) {
            Some((Value::List(children), _)) => children.iter().for_each(|child| self.quota(child, Some(&name))),
            Some((Value::Scalar(text), _)) if is_null(text) => {}
            Some((_, children)) => self.problem(&children.span, "`children` must be a list of quotas"),
            None => {}
        }
    }

    fn unknown_field(&mut self, entry: &Entry) {
        let near = FIELDS.iter().min_by_key(|field| (strsim::damerau_levenshtein(field, &entry.key), **field));
        let problem = YamlProblem::new(entry.key_span.clone(), format!("a quota has no field `{}`", entry.key));
        let close = near.filter(|field| strsim::damerau_levenshtein(field, &entry.key) <= 2);
        self.problems.push(match close {
            Some(field) => problem.help(format!("did you mean `{field}`?")),
            None => problem.help(format!("its fields are {}", FIELDS.join(", "))),
        });
    }

    fn amounts(&mut self, node: &Node, field: &str) -> Amounts {
        let mut amounts = Amounts::new();
        for entry in self.entries(node, field) {
            let Some(text) = scalar(&entry.value) else {
                self.problem(&entry.value.span, format!("`{field}` of `{}` must be a quantity", entry.key));
                continue;
            };
            match parse_quantity(text, Unit::of(&entry.key)) {
                Ok(amount) => amounts.set(entry.key.as_str(), amount),
                Err(error) => self.problem(&entry.value.span, format!("{field} of `{}`: {error}", entry.key)),
            }
        }
        amounts
    }

    fn attributes(&mut self, node: &Node) -> Vec<(Name, Name)> {
        let mut attributes = Vec::new();
        for entry in self.entries(node, "attributes") {
            match scalar(&entry.value) {
                Some(text) => attributes.push((entry.key.as_str().into(), text.into())),
                None => self.problem(&entry.value.span, format!("the attribute `{}` must be a string", entry.key)),
            }
        }
        attributes
    }

    /// The entries of a field that is a map.
    fn entries<'a>(&mut self, node: &'a Node, field: &str) -> &'a [Entry] {
        match find(node, field).map(|value| (&value.value, value)) {
            Some((Value::Map(entries), _)) => entries,
            Some((Value::Scalar(text), _)) if is_null(text) => &[],
            Some((_, value)) => {
                self.problem(&value.span, format!("`{field}` must be a map"));
                &[]
            }
            None => &[],
        }
    }

    fn namespaces(&mut self, node: &Node) -> Vec<Name> {
        let mut namespaces = Vec::new();
        match find(node, "namespaces").map(|value| (&value.value, value)) {
            Some((Value::List(items), _)) => {
                for item in items {
                    match scalar(item) {
                        Some(text) if !text.is_empty() => namespaces.push(text.into()),
                        _ => self.problem(&item.span, "a namespace must be a string that is not empty"),
                    }
                }
            }
            Some((Value::Scalar(text), _)) if is_null(text) => {}
            Some((_, value)) => self.problem(&value.span, "`namespaces` must be a list"),
            None => {}
        }
        namespaces
    }

    /// Adds the errors of the validation of the tree (T2), each at its quota.
    fn validate(&mut self, over_promised: OverPromised) {
        if self.tree.quotas.is_empty() {
            return;
        }
        let findings = QuotaTree::validate(&self.tree, over_promised);
        for finding in findings {
            let span = self.places.get(&finding.quota).cloned().unwrap_or(0..0);
            let warning = finding.severity() == Severity::Warning;
            let what = finding.to_string();
            self.problems.push(YamlProblem { span, what, help: None, warning });
        }
    }
}

/// The objects of a document: the items of a list of objects, or the document itself.
fn objects(document: &Node) -> Vec<&Node> {
    let is_list = find(document, "kind").and_then(scalar).is_some_and(|kind| kind.ends_with("List"));
    match find(document, "items").map(|items| &items.value) {
        Some(Value::List(items)) if is_list => items.iter().collect(),
        _ => vec![document],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: other}
---
apiVersion: scheduling.sigs.k8s.io/v1beta1
kind: ElasticQuotaTree
metadata:
  name: elasticquotatree
  namespace: kube-system
spec:
  root: # the whole cluster
    name: root
    max: {cpu: 40, memory: 40Gi, nvidia.com/gpu: "4"}
    min: {cpu: 40, memory: 40Gi, nvidia.com/gpu: 4}
    children:
      - name: root.a
        max: {cpu: 40}
        min: {cpu: 20}
        attributes: {team: "a"}
        children:
          - {name: root.a.1, namespaces: [namespace1], max: {cpu: 20}, min: {cpu: 10}}
          - name: root.a.2
            namespaces:
              - namespace2
            max: {cpu: 20}
            min: {cpu: 9500m}
      - name: root.b
        namespaces: [namespace3]
        children: ~
"#;

    #[test]
    fn a_manifest_becomes_the_tree_it_says() {
        let (tree, problems) = read(GOOD, OverPromised::Error);
        assert_eq!(problems, []);
        let quotas = tree.unwrap().quotas;
        let seen: Vec<_> = quotas
            .iter()
            .map(|q| (q.name.as_str(), q.parent.as_ref().map(Name::as_str), q.min.to_string(), q.namespaces.len()))
            .collect();
        assert_eq!(
            seen,
            [
                ("root", None, "40 cpu, 40Gi memory, 4 nvidia.com/gpu".to_owned(), 0),
                ("root.a", Some("root"), "20 cpu".to_owned(), 0),
                ("root.a.1", Some("root.a"), "10 cpu".to_owned(), 1),
                ("root.a.2", Some("root.a"), "9500m cpu".to_owned(), 1),
                ("root.b", Some("root"), "nothing".to_owned(), 1),
            ]
        );
        assert_eq!(quotas[1].attributes, [("team".into(), "a".into())]);
    }

    #[test]
    fn all_problems_come_at_once_each_with_its_place() {
        let text = GOOD
            .replace("min: {cpu: 20}", "min: {cpu: 20x}")
            .replace("namespaces: [namespace1]", "namespace: [namespace1]")
            .replace("max: {cpu: 20}\n", "max: [20]\n")
            .replace("name: root.b", "title: root.b");
        let (tree, problems) = read(&text, OverPromised::Error);
        assert!(tree.is_none());
        let seen: Vec<_> = problems.iter().map(|p| &text[p.span.clone()]).collect();
        assert_eq!(seen[..2], ["20x", "namespace"]);
        assert_eq!(problems.len(), 5, "{problems:#?}");
        assert_eq!(problems[1].help.as_deref(), Some("did you mean `namespaces`?"));
    }

    #[test]
    fn the_validation_of_the_tree_is_told_at_the_quota_t2() {
        let text = GOOD.replace("min: {cpu: 9500m}", "min: {cpu: 30}");
        let (tree, problems) = read(&text, OverPromised::Error);
        assert!(tree.is_none());
        let errors: Vec<_> = problems.iter().filter(|p| !p.warning).map(|p| &text[p.span.clone()]).collect();
        assert_eq!(errors, ["root.a", "root.a.2"], "{problems:#?}");
        let (tree, problems) = read(&text.replace("max: {cpu: 20}\n", "max: {cpu: 40}\n"), OverPromised::Warn);
        assert!(tree.is_some() && problems.iter().all(|p| p.warning), "{problems:#?}");
    }

    #[test]
    fn other_files_are_told_what_is_missing() {
        let what = |text: &str| read(text, OverPromised::Error).1.into_iter().map(|p| p.what).collect::<Vec<_>>();
        assert_eq!(what("kind: Pod\n"), ["no document of kind `ElasticQuotaTree`; the file has `Pod`"]);
        assert_eq!(what("").len(), 1);
        assert_eq!(what("\u{0}\u{1}{{{").len(), 1);
        assert_eq!(what("kind: ElasticQuotaTree\n").len(), 2);
        assert_eq!(
            what(&format!("apiVersion: {API_VERSION}\nkind: {KIND}\nspec: {{root: 3}}\n")),
            ["a quota must be a map"]
        );
    }

    #[test]
    fn five_hundred_problems_are_five_hundred() {
        let leaf = |i: usize| format!("      - {{name: q{i}, namespaces: [n{i}], max: {{cpu: 1}}, min: {{cpu: 2}}}}\n");
        let leaves: String = (0..500).map(leaf).collect();
        let text = format!(
            "apiVersion: {API_VERSION}\nkind: {KIND}\nspec:\n  root:\n    name: r\n    max: {{cpu: 1000}}\n    min: {{cpu: 1000}}\n    children:\n{leaves}"
        );
        assert_eq!(read(&text, OverPromised::Error).1.len(), 500);
    }
}
