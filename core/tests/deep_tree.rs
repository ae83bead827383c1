//! T2 on a tree as deep as it is long. A file of its own: a stack that overflows takes the whole process with it.

use quotree_core::{Amounts, OverPromised, QuotaSpec, QuotaTree};

#[test]
fn t2_a_tree_as_deep_as_it_is_long_is_checked_in_bounded_time() {
    let cpu = |n| Amounts::new().with("cpu", n);
    let mut quotas = vec![QuotaSpec::new("q0", None).min(cpu(5)).max(cpu(5))];
    quotas.extend(
        (1..20_000).map(|i| QuotaSpec::new(&format!("q{i}"), Some(&format!("q{}", i - 1))).min(cpu(5)).max(cpu(4))),
    );
    let findings = QuotaTree::validate(&quotas.into_iter().collect(), OverPromised::Error);
    assert!(findings.len() >= 19_999, "{}", findings.len());
}
