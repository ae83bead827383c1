//! T1, T2 and Q3: which trees are valid, and every finding of the validation.

use quotree_core::{Amounts, OverPromised, QuotaSpec, QuotaTree, Severity, TreeSpec};
use quotree_testkit::table;

fn findings(text: &str) -> Vec<String> {
    let findings = QuotaTree::validate(&table::tree(text).unwrap(), OverPromised::Error);
    let mark = |severity| if severity == Severity::Error { "E" } else { "W" };
    findings.iter().map(|f| format!("{} {f}", mark(f.severity()))).collect()
}

#[test]
fn t2_every_finding_names_the_path_and_the_numbers() {
    let rows: &[(&str, &[&str])] = &[
        ("root 4/4; a<root 2/4 ns=a", &[]),
        ("", &["E the tree has no root; exactly one quota must have no parent"]),
        ("root 4/4 ns=a; top 1/1 ns=b", &["E top: second root: `root` is already the root"]),
        ("root 4/4; a<root 3/2 ns=a", &["E root / a: min 3 cpu exceeds max 2 cpu"]),
        ("root 4/4; a<root 1/5 ns=a", &["E root / a: max 5 cpu exceeds the parent's max of 4 cpu"]),
        ("root 4/4; a<root 1/1 ns=a; a<root 1/1 ns=b", &["E root / a: duplicate quota name"]),
        (
            "root 4/4; a<root 1/1; b<a 1/1 ns=b; c<root 1/1; b<c 1/1 ns=d",
            &["E root / c / b: the quota has two parents: `a`, `c`"],
        ),
        (
            "root 4/4; a<root 1/1 ns=a; b<a 1/1 ns=b",
            &["E root / a: namespace `a` is attached to a quota with children; attach it to a leaf"],
        ),
        (
            "root 4/4; a<root 1/1 ns=n; b<root 1/1 ns=n",
            &["E root / b: namespace `n` is already attached to `a`; a namespace can be attached to one leaf only"],
        ),
        ("root 4/4; a<root -1/4 ns=a", &["E root / a: min of cpu is negative: -1"]),
        ("root 4/4 ns=x; a<nowhere 1/1 ns=a", &["E nowhere / a: unknown parent `nowhere`"]),
        (
            "root 4/4; a<root 3/4 ns=a; b<root 2/4 ns=b",
            &[
                "E root: the children's mins sum to 5 cpu, more than the parent's min of 4 cpu; lower them or raise the parent's",
            ],
        ),
        ("root 4/4; a<root 2/4 lend=3 ns=a", &["E root / a: lend limit 3 cpu exceeds min 2 cpu"]),
        ("root 4/4; a<root 2/4 lend=2 ns=a", &[]),
        ("root 3/4; a<root 2/4 ns=a", &["W root: the root has min 3 cpu and max 4 cpu; they should be equal"]),
        ("root 4/-; a<root 2/4 ns=a", &["W root: the root has min 4 cpu but no max of it; give it the same max"]),
        ("root 4/4; a<root 0/4 ns=a; b<root 1/4 weight=0 ns=b", &[]),
        (
            "root 4/4; a<root 0/4 weight=0 ns=a",
            &["W root / a: with weight 0 and no min, its pods are always preempted first"],
        ),
        ("root 4/4; a<root 2/4", &["W root / a: the leaf has no namespace, so no pod can use it"]),
    ];
    for (text, wanted) in rows {
        assert_eq!(findings(text), *wanted, "{text}");
    }
}

#[test]
fn t2_a_cycle_names_its_members() {
    let all = findings("root 4/4 ns=r; a<b 1/1; b<c 1/1; c<a 1/1");
    assert!(all.iter().any(|f| f.starts_with("E") && f.contains("the parents form a cycle: `a`, `b`, `c`")), "{all:?}");
    let own = findings("root 4/4 ns=r; a<a 1/1");
    assert!(own.iter().any(|f| f.contains("the parents form a cycle: `a`")), "{own:?}");
    assert!(all.iter().chain(&own).all(|f| f.len() < 100), "a path ends where it comes round: {all:?} {own:?}");
}

#[test]
fn t2_over_promising_may_be_a_warning() {
    let spec = table::tree("root 4/4; a<root 3/4 ns=a; b<root 2/4 ns=b").unwrap();
    assert!(QuotaTree::new(&spec, OverPromised::Error).is_err());
    assert!(QuotaTree::new(&spec, OverPromised::Warn).is_ok());
    let findings = QuotaTree::validate(&spec, OverPromised::Warn);
    assert!(findings.iter().all(|f| f.severity() == Severity::Warning) && findings.len() == 1, "{findings:?}");
}

#[test]
fn t2_warnings_against_the_cluster() {
    let spec = table::tree("root 8/8; a<root 3/8 ns=a; b<root 5/8 ns=b").unwrap();
    let small = Amounts::new().with("cpu", 6000);
    let texts: Vec<String> = QuotaTree::warnings_on(&spec, &small).iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "root: max 8 cpu exceeds the cluster capacity (6 cpu)",
            "root: the mins of the leaves sum to 8 cpu, more than the cluster capacity (6 cpu)",
        ]
    );
    assert!(QuotaTree::warnings_on(&spec, &Amounts::new().with("cpu", 8000)).is_empty());
}

#[test]
fn t2_sums_beyond_64_bits_are_findings_and_no_panic() {
    let most = Amounts::new().with("cpu", i64::MAX);
    let spec: TreeSpec = [
        QuotaSpec::new("root", None).min(most.clone()).max(most.clone()),
        QuotaSpec::new("a", Some("root")).min(most.clone()).max(most.clone()).namespace("a"),
        QuotaSpec::new("b", Some("root")).min(most.clone()).max(most).namespace("b"),
    ]
    .into_iter()
    .collect();
    let findings = QuotaTree::validate(&spec, OverPromised::Error);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].to_string().contains("18446744073709551614"), "{}", findings[0]);
}

#[test]
fn t2_10000_nodes_with_500_findings_report_500_findings() {
    let cpu = |n| Amounts::new().with("cpu", n);
    let mut quotas = vec![QuotaSpec::new("root", None).min(cpu(1_000_000)).max(cpu(1_000_000))];
    for team in 0..99 {
        let name = format!("team-{team}");
        quotas.push(QuotaSpec::new(&name, Some("root")).min(cpu(10_000)).max(cpu(20_000)));
        for leaf in 0..100 {
            let leaf_name = format!("{name}-{leaf}");
            let wrong = leaf % 20 == 7 && team < 99 || team < 5 && leaf == 8;
            let min = if wrong { 60 } else { 50 };
            let quota = QuotaSpec::new(&leaf_name, Some(&name)).min(cpu(min)).max(cpu(55));
            quotas.push(quota.namespace(&leaf_name));
        }
    }
    assert_eq!(quotas.len(), 10_000);
    let findings = QuotaTree::validate(&quotas.into_iter().collect(), OverPromised::Error);
    assert_eq!(findings.len(), 500);
    assert!(findings.iter().all(|f| f.to_string().contains("min 60m cpu exceeds max 55m")));
}

#[test]
fn t1_paths_leaves_and_common_ancestors() {
    let spec = table::tree("root 9/9; x<root 4/9; y<root 4/9; a<x 1/9 ns=a; b<x 1/9 ns=b,bb; c<y 1/9 ns=c").unwrap();
    let tree = QuotaTree::new(&spec, OverPromised::Error).unwrap();
    let at = |name| tree.by_name(name).unwrap();
    assert_eq!(tree.leaf_of("bb"), Some(at("b")));
    assert_eq!(tree.leaf_of("x"), None);
    assert_eq!(tree.common(at("a"), at("b")), at("x"));
    assert_eq!(tree.common(at("a"), at("c")), at("root"));
    assert_eq!(tree.common(at("a"), at("a")), at("a"));
    assert_eq!(tree.common(at("x"), at("a")), at("x"));
    let path: Vec<_> = tree.path(at("c")).map(|q| tree.name(q).to_string()).collect();
    assert_eq!(path, ["c", "y", "root"]);
}

#[test]
fn t1_depths_and_namespaces() {
    let spec = table::tree("root 4/4; x<root 2/4; a<x 1/4 ns=n,m").unwrap();
    let tree = QuotaTree::new(&spec, OverPromised::Error).unwrap();
    let depths: Vec<u32> = tree.ids().map(|q| tree.depth(q)).collect();
    assert_eq!((depths, tree.is_empty()), (vec![0, 1, 2], false));
    let a = tree.by_name("a").unwrap();
    let namespaces: Vec<_> = tree.namespaces().map(|(name, leaf)| (name.to_string(), leaf)).collect();
    assert_eq!(namespaces, [("n".to_owned(), a), ("m".to_owned(), a)]);
}

#[test]
fn t2_the_cluster_is_compared_with_the_mins_of_leaves_only() {
    let spec = table::tree("root 4/4; x<root 4/4; a<x 3/4 ns=a").unwrap();
    let on = |cpu| QuotaTree::warnings_on(&spec, &Amounts::new().with("cpu", cpu)).len();
    assert_eq!((on(4000), on(3000), on(2000)), (0, 1, 2), "root's max, then the 3 of a");
}
