//! `ElasticQuotaTree` manifests (`scheduling.sigs.k8s.io/v1beta1`): the quota tree as a Kubernetes cluster stores it.
//! Every problem is reported with its place in the text, also those that the validation of the tree finds (T2).

pub use super::yaml::YamlProblem;
use super::yaml::{self, Node};
use crate::quota::{self, QuotaFormat, QuotaOptions};
use quotree_core::{OverPromised, TreeSpec};
pub use quotree_k8s::quota::take_max_jobs;
use quotree_syntax::Severity;

/// The `apiVersion` of the manifest.
pub const API_VERSION: &str = "scheduling.sigs.k8s.io/v1beta1";

/// The `kind` of the manifest.
pub const KIND: &str = "ElasticQuotaTree";

/// Reads the manifest from a text of one or more YAML documents, and validates the tree.
///
/// Problems are in the order of the text. The tree is present unless one of them is an error. What has no place in the
/// model is a warning.
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
    if problems.is_empty() { of_documents(&documents, over_promised) } else { (None, problems) }
}

/// Reads the manifest from documents, as [`read`] does.
pub(super) fn of_documents(documents: &[Node], over_promised: OverPromised) -> (Option<TreeSpec>, Vec<YamlProblem>) {
    let options = QuotaOptions { over_promised, ..QuotaOptions::default() };
    let read = quota::of_documents(QuotaFormat::ElasticQuotaTree, documents, &options);
    let problem = |diagnostic: quotree_syntax::Diagnostic| YamlProblem {
        span: diagnostic.span,
        what: diagnostic.title,
        help: diagnostic.help.into_iter().next(),
        warning: diagnostic.severity == Severity::Warning,
    };
    let mut problems: Vec<YamlProblem> = read.diagnostics.into_iter().map(problem).collect();
    problems.extend(read.notes.into_iter().map(|note| YamlProblem {
        what: note.to_string(),
        span: note.span.start as usize..note.span.end as usize,
        help: None,
        warning: true,
    }));
    problems.sort_by_key(|problem| problem.span.start);
    (read.tree, problems)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quotree_core::Name;

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
        let seen: Vec<_> = problems.iter().map(|p| (&text[p.span.clone()], p.warning)).collect();
        assert_eq!(seen[..2], [("20x", false), ("namespace", false)]);
        assert_eq!(seen.iter().filter(|(_, warning)| !warning).count(), 4, "{problems:#?}");
        assert!(seen.contains(&("title", true)), "a field that nobody knows is reported");
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
        assert_eq!(what("kind: Pod\n"), ["no ElasticQuotaTree; there is 1 Pod"]);
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
