//! What arguments make of the settings, and which are refused.

use super::*;
use quotree_core::{Placement, RespectBudgets};
use quotree_k8s::Labels;

#[test]
fn selectors_are_those_of_kubectl_without_sets() {
    let labels: Labels = [("team".into(), "red".into()), ("quota".into(), "on".into())].into();
    let rows = [
        ("", Some(true)),
        ("team=red", Some(true)),
        ("team==red, quota", Some(true)),
        ("team=blue", Some(false)),
        ("team!=blue,!other", Some(true)),
        ("!team", Some(false)),
        ("=red", None),
        ("team in (red)", None),
    ];
    for (text, wanted) in rows {
        assert_eq!(selector(text).ok().map(|selector| selector.selects(&labels)), wanted, "{text}");
    }
}

#[test]
fn a_policy_states_what_differs() {
    let given = policy(r#"{ "placement": "Spread", "min_runtime_ms": 60000 }"#).unwrap();
    assert_eq!((given.placement, given.min_runtime_ms), (Placement::Spread, 60_000));
    assert_eq!(given.respect_budgets, RespectBudgets::Always, "the rest is as on any live cluster");
    for (text, why) in [("{ \"placment\": 1 }", "placment"), ("[]", "not a JSON object"), ("{", "EOF")] {
        assert!(policy(text).unwrap_err().contains(why), "{text}");
    }
}

#[test]
fn arguments_are_checked() {
    let args = |line: &str| Args::try_parse_from(line.split(' ')).unwrap();
    let plain = args("quotree-scheduler");
    assert_eq!(
        (plain.settings().unwrap().mode, plain.tree_source().unwrap().name.as_str()),
        (Mode::Gate, "elasticquotatree")
    );
    assert_eq!(args("quotree-scheduler --mode bind").settings().unwrap().schedulers, ["quotree"]);
    let dry = args("quotree-scheduler --dry-run --mode bind").settings().unwrap();
    assert_eq!((dry.mode, dry.schedulers), (Mode::Dry, vec!["default-scheduler".into(), "quotree".into()]));
    assert_eq!(plain.recording().unwrap(), None);
    let recorded = args("quotree-scheduler --record rec --record-keep 7d --record-most 500Mi").recording().unwrap();
    let keep = recorded.unwrap().keep;
    assert_eq!((keep.age.as_secs(), keep.bytes), (7 * 86_400, 500 << 20));
    for (line, why) in [
        ("--record rec --record-keep 7", "--record-keep: `7` is no time such as 90m, 24h or 7d"),
        ("--record rec --record-most lots", "--record-most: `lots` is no size such as 500Mi or 2Gi"),
        ("--record rec --dry-run", "--record: a dry run decides anew each time"),
    ] {
        let error = args(&format!("quotree-scheduler {line}")).recording().unwrap_err().to_string();
        assert!(error.starts_with(why), "{line}: {error}");
    }
    for (hours, seconds) in [("8", Some(28_800)), ("0.5", Some(1800)), ("0.1", None), ("NaN", None), ("1e9", None)] {
        let Some(Command::Kubeconfig(access)) =
            args(&format!("quotree-scheduler kubeconfig alice --hours {hours}")).command
        else {
            panic!("{hours}")
        };
        assert_eq!(access.seconds().ok(), seconds, "{hours}");
    }
    assert!(Args::try_parse_from(["quotree-scheduler", "kubeconfig", "a", "--revoke", "--out", "f"]).is_err());
    assert!(Args::try_parse_from(["quotree-scheduler", "--dry-run", "kubeconfig", "a"]).is_err());
    let wrong = args("quotree-scheduler --tree elsewhere --policy /no/such/file");
    assert!(wrong.tree_source().unwrap_err().to_string().contains("`elsewhere` is not NAMESPACE/NAME"));
    assert!(wrong.settings().unwrap_err().to_string().contains("cannot read /no/such/file"));
}
