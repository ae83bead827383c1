//! Dashboards and alerts ask for metrics that there are, by labels that they have.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use clap::Parser;
use quotree_kube::{
    config::Args,
    serve::metric::{ALL, Kind},
};
use serde_json::Value;
use std::collections::BTreeSet;

const DASHBOARDS: [(&str, &str); 4] = [
    ("cluster", include_str!("../config/monitoring/cluster.json")),
    ("nodes", include_str!("../config/monitoring/nodes.json")),
    ("jobs", include_str!("../config/monitoring/jobs.json")),
    ("quotas", include_str!("../config/monitoring/quotas.json")),
];
const RULES: &str = include_str!("../config/monitoring/rules.json");

/// The names of metrics in a query, each with the labels that it is asked by.
fn asked(query: &str) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for (at, _) in query.match_indices("quotree_") {
        let rest = &query[at..];
        let end = rest.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_').unwrap_or(rest.len());
        let inside = rest[end..].strip_prefix('{').and_then(|labels| labels.split('}').next()).unwrap_or_default();
        let labels = inside.split(',').filter_map(|pair| pair.split(['=', '!']).next());
        all.push((rest[..end].to_owned(), labels.filter(|label| !label.is_empty()).map(str::to_owned).collect()));
    }
    all
}

/// The labels of an aggregation: `by (queue, resource)`.
fn grouped(query: &str) -> Vec<String> {
    let by = query.split("by (").skip(1).filter_map(|rest| rest.split(')').next());
    by.flat_map(|labels| labels.split(',').map(|label| label.trim().to_owned())).collect()
}

fn check(query: &str, seen: &mut BTreeSet<&'static str>) {
    let metrics = asked(query);
    assert!(!metrics.is_empty(), "{query}");
    let mut known: BTreeSet<&str> = BTreeSet::from(["pod"]);
    for (name, labels) in metrics {
        let parts = ["_bucket", "_sum", "_count"].map(|part| name.strip_suffix(part).unwrap_or(&name));
        let metric = ALL.iter().find(|metric| match metric.kind {
            Kind::Histogram => parts.contains(&metric.name) && name != metric.name,
            Kind::Gauge | Kind::Counter => metric.name == name,
        });
        let metric = metric.unwrap_or_else(|| panic!("{query}: there is no {name}"));
        seen.insert(metric.name);
        known.extend(metric.labels);
        if metric.kind == Kind::Histogram {
            known.insert("le");
        }
        let unknown = labels.iter().find(|label| !metric.labels.contains(&label.as_str()));
        assert_eq!(unknown, None, "{query}: {name} has no such label");
    }
    let unknown = grouped(query).into_iter().find(|label| !known.contains(label.as_str()));
    assert_eq!(unknown, None, "{query}: nothing has such a label");
    assert_eq!(query.matches('(').count(), query.matches(')').count(), "{query}");
}

#[test]
fn every_query_asks_for_a_metric_that_there_is() {
    let mut seen = BTreeSet::new();
    for (name, text) in DASHBOARDS {
        let dashboard: Value = serde_json::from_str(text).unwrap();
        assert_eq!(dashboard["uid"], format!("quotree-{name}"), "stable uids keep links");
        let panels = dashboard["panels"].as_array().unwrap();
        assert!(panels.len() >= 5, "{name}");
        let mut places = BTreeSet::new();
        for panel in panels {
            assert!(places.insert(panel["gridPos"].to_string()), "{name}: {} lies on another", panel["title"]);
            for target in panel["targets"].as_array().unwrap() {
                let query = target["expr"].as_str().unwrap();
                check(query, &mut seen);
                for variable in ["queue", "resource"].iter().filter(|variable| query.contains(&format!("${variable}")))
                {
                    let list = dashboard["templating"]["list"].as_array().unwrap();
                    assert!(list.iter().any(|one| one["name"] == *variable), "{name} lacks the variable {variable}");
                }
            }
        }
    }
    let rules: Value = serde_json::from_str(RULES).unwrap();
    let mut alerts = BTreeSet::new();
    for rule in rules["spec"]["groups"][0]["rules"].as_array().unwrap() {
        check(rule["expr"].as_str().unwrap(), &mut seen);
        alerts.insert(rule["alert"].as_str().unwrap());
        assert!(rule["annotations"]["summary"].as_str().is_some_and(|text| text.ends_with('.')));
    }
    for alert in ["QuotreeLedgerDrift", "QuotreeNoLeader", "QuotreeWatchStale"] {
        assert!(alerts.contains(alert), "{alert}");
    }
    let unseen: Vec<&str> = ALL.iter().map(|metric| metric.name).filter(|name| !seen.contains(name)).collect();
    let meant = [
        "quotree_ambiguous_writes_total",
        "quotree_reports_dropped_total",
        "quotree_watch_restarts_total",
        "quotree_watch_relists_total",
        "quotree_record_segments_total",
        "quotree_record_bytes_total",
        "quotree_build_info",
    ];
    assert_eq!(unseen, meant, "what nothing shows is for looking closer");
}

/// The lines of a template between an action and its end.
fn within<'a>(template: &'a str, action: &str) -> Vec<&'a str> {
    let lines = template.lines().map(str::trim).skip_while(|line| *line != action).skip(1);
    lines.take_while(|line| *line != "{{- end }}").collect()
}

#[test]
fn the_chart_names_options_that_the_program_has() {
    let template = include_str!("../../charts/quotree/templates/deployment.yaml");
    let arguments = template.lines().filter_map(|line| line.trim().strip_prefix("- --"));
    let values = [(".Values.mode", "gate"), (".Values.tree", "kube-system/tree"), (".Release.Namespace", "ns")];
    let filled = arguments.map(|argument| {
        let fill = |text: String, (name, value): &(&str, &str)| text.replace(&format!("{{{{ {name} }}}}"), value);
        values.iter().fold(format!("--{argument}"), fill)
    });
    let all: Vec<String> = std::iter::once("quotree-scheduler".to_owned()).chain(filled).collect();
    for option in ["--authorize", "--compat-metrics", "--tls-cert-file=/etc/quotree/tls/tls.crt"] {
        assert!(all.iter().any(|one| one == option), "{option}: {all:?}");
    }
    let args = Args::try_parse_from(&all).unwrap();
    assert!(args.authorize && args.compat_metrics && args.tls().is_some());
}

#[test]
fn prometheus_scrapes_by_the_scheme_and_with_the_token_that_the_program_asks_for() {
    let template = include_str!("../../charts/quotree/templates/servicemonitor.yaml");
    let tls = within(template, "{{- if .Values.tlsSecret }}");
    assert!(tls.contains(&"scheme: https"), "{tls:?}");
    // The name is in the certificate, and is that of the Service.
    assert!(tls.contains(&"serverName: quotree-scheduler.{{ .Release.Namespace }}.svc"), "{tls:?}");
    let authorized = within(template, "{{- if .Values.authorize }}");
    assert_eq!(authorized, ["bearerTokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token"]);
}
