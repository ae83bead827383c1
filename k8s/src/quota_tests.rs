//! Tables of quotas: the objects of vendors, and the result for the core.

use crate::{
    names,
    quota::{ElasticQuotaFacts, QuotaNote, flat_tree, is_unlimited, koordinator_tree, take_vendor_keys},
};
use quotree_core::{Amounts, OverPromised, QuotaSpec, QuotaTree, Severity, TreeSpec};
use std::collections::BTreeSet;

fn cores(count: i64) -> Amounts {
    Amounts::new().with("cpu", count * 1000)
}

#[test]
fn a_number_of_jobs_is_no_resource() {
    // max of jobs in base units | max_jobs
    let rows =
        [(1000, Some(1)), (100_000, Some(100)), (0, Some(0)), (2_147_483_647_000, None), (10_000_000_000_000, None)];
    for (jobs, wanted) in rows {
        let mut spec = QuotaSpec::new("q", None).min(cores(5)).max(cores(10).with(names::MAX_JOBS, jobs));
        let mut notes = BTreeSet::new();
        take_vendor_keys(&mut spec, &mut notes);
        assert_eq!((spec.max_jobs, spec.min, spec.max), (wanted, cores(5), cores(10)), "{jobs}");
        assert_eq!(notes.len(), 0);
    }
    let mut spec = QuotaSpec::new("q", None).min(cores(5).with(names::MAX_JOBS, 1000));
    let mut notes = BTreeSet::new();
    take_vendor_keys(&mut spec, &mut notes);
    assert_eq!((spec.min, spec.max_jobs), (cores(5), None));
    assert_eq!(notes.into_iter().collect::<Vec<_>>(), [QuotaNote::JobsInMin { quota: "q".into() }]);
}

#[test]
fn vendors_write_unlimited_as_2147483647() {
    let rows = [
        ("cpu", 2_147_483_647_000, true),
        ("cpu", 2_147_483_647, false),
        ("nvidia.com/gpu", 2_147_483_647_000, true),
        ("memory", 2_147_483_647, true),
        ("memory", 2_147_483_647 << 20, true),
        ("memory", 2_147_483_647 << 30, true),
        ("memory", 2_147_483_648, false),
        ("cpu", 2_147_483_646_000, false),
        ("cpu", i64::MAX, true),
    ];
    for (resource, amount, wanted) in rows {
        assert_eq!(is_unlimited(resource, amount), wanted, "{amount} {resource}");
    }
    let mut spec =
        QuotaSpec::new("q", None).min(cores(2_147_483_647)).max(cores(2_147_483_647).with("memory", 1 << 30));
    take_vendor_keys(&mut spec, &mut BTreeSet::new());
    assert_eq!(spec.max, Amounts::new().with("memory", 1 << 30));
    assert_eq!(spec.min, cores(2_147_483_647), "a guarantee is a number");
}

fn quota(namespace: &str, name: &str, min: i64, max: i64) -> ElasticQuotaFacts {
    ElasticQuotaFacts {
        namespace: namespace.into(),
        name: name.into(),
        min: cores(min),
        max: cores(max),
        ..ElasticQuotaFacts::default()
    }
}

/// The tree as text: `name<parent min/max [namespaces]`, without lend floors and notes.
fn shown(tree: &TreeSpec) -> Vec<String> {
    let line = |q: &QuotaSpec| {
        let parent = q.parent.as_ref().map_or("", |parent| parent.as_str());
        let amount = |amounts: &Amounts| amounts.get("cpu").map_or("-".to_owned(), |a| (a / 1000).to_string());
        let namespaces: Vec<&str> = q.namespaces.iter().map(|name| name.as_str()).collect();
        format!("{}<{parent} {}/{} [{}]", q.name, amount(&q.min), amount(&q.max), namespaces.join(" "))
    };
    let mut findings = QuotaTree::validate(tree, OverPromised::Error);
    findings.retain(|finding| finding.severity() == Severity::Error);
    assert_eq!(findings, [], "{tree:?}");
    tree.quotas.iter().map(line).collect()
}

#[test]
fn flat_quotas_share_the_sum_of_their_mins() {
    let quotas = [
        quota("b", "quota", 4, 60),
        quota("a", "quota", 2, 6),
        quota("a", "spare", 9, 9),
        quota("c", "elastic-quotas", 1, 6),
    ];
    let mut notes = BTreeSet::new();
    let tree = flat_tree(&quotas, &mut notes);
    assert_eq!(
        shown(&tree),
        [
            "elastic-quotas< 7/7 []",
            "quota<elastic-quotas 4/7 [b]",
            "a/quota<elastic-quotas 2/6 [a]",
            "c/elastic-quotas<elastic-quotas 1/6 [c]",
        ]
    );
    let second = QuotaNote::SecondInNamespace { quota: "spare".into(), namespace: "a".into() };
    assert_eq!(notes.into_iter().collect::<Vec<_>>(), [second]);
}

#[test]
fn koordinators_quotas_name_their_parents() {
    let with = |mut quota: ElasticQuotaFacts, labels: &[(&str, &str)]| {
        quota.labels.extend(labels.iter().map(|(key, value)| ((*key).into(), (*value).into())));
        quota
    };
    let mut listing = with(quota("kube-system", "listing", 1, 9), &[(names::KOORDINATOR_PARENT, "gone")]);
    listing.listed = vec!["x".into(), "y".into()];
    listing.weights = vec![1000, 2000];
    let quotas = [
        with(
            quota("kube-system", "dept", 6, 10),
            &[(names::KOORDINATOR_IS_PARENT, "true"), (names::KOORDINATOR_PARENT, "")],
        ),
        with(quota("team", "team", 4, 99), &[(names::KOORDINATOR_PARENT, "dept"), (names::KOORDINATOR_LENDS, "false")]),
        with(quota("default", "labelled", 2, 10), &[(names::KOORDINATOR_PARENT, "dept")]),
        with(quota("kube-system", "top", 3, 9), &[(names::KOORDINATOR_PARENT, "koordinator-root-quota")]),
        listing,
        with(quota("kube-system", "far", 3, 9), &[(names::KOORDINATOR_TREE, "tree-b")]),
        quota("koordinator-system", names::KOORDINATOR_ROOT, 0, 99),
    ];
    let mut notes = BTreeSet::new();
    let tree = koordinator_tree(&quotas, &mut notes);
    assert_eq!(
        shown(&tree),
        [
            "koordinator-root-quota< 10/- []",
            "dept<koordinator-root-quota 6/10 []",
            "labelled<dept 2/10 []",
            "listing<koordinator-root-quota 1/9 [x y]",
            "team<dept 4/10 [team]",
            "top<koordinator-root-quota 3/9 []",
        ]
    );
    let lends: Vec<_> = tree.quotas.iter().filter(|q| q.lend.is_some()).map(|q| q.name.as_str()).collect();
    assert_eq!(lends, ["team"], "it lends nothing");
    let texts: Vec<String> = notes.iter().map(QuotaNote::text).collect();
    assert_eq!(texts.len(), 3, "weight, tree and parent: {texts:?}");
    assert!(texts.iter().any(|text| text.contains("`tree-b`")) && texts.iter().any(|text| text.contains("`gone`")));
}
