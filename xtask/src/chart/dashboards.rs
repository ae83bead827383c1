//! Dashboards of Grafana and alerts of Prometheus, made of the lists below. `cargo run -p xtask -- chart` writes them beside the
//! other objects; tests of the adapter look for each of their metrics in what it exposes.

use serde_json::{Value, json};

/// A dashboard: the end of its uid, its title, its panels.
type Dashboard = (&'static str, &'static str, &'static [Panel]);
/// A panel: its title, the unit of its axis, and each query with the legend of its lines.
type Panel = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const DASHBOARDS: &[Dashboard] = &[
    (
        "cluster",
        "Quotree: cluster",
        &[
            (
                "Used of what nodes have",
                "percentunit",
                &[(
                    r#"max by (resource) (quotree_cluster_resource{kind="used"}) / max by (resource) (quotree_cluster_resource{kind="allocatable"})"#,
                    "{{resource}}",
                )],
            ),
            (
                "Workloads that wait, by reason",
                "short",
                &[("sum by (reason) (quotree_pending_workloads)", "{{reason}}")],
            ),
            ("Admissions a second", "short", &[("sum(rate(quotree_admission_wait_seconds_count[5m]))", "admissions")]),
            (
                "Evictions a second, by rule",
                "short",
                &[("sum by (reason) (rate(quotree_reclaim_victims_total[5m]))", "{{reason}}")],
            ),
            (
                "A decision takes",
                "s",
                &[
                    ("histogram_quantile(0.5, sum by (le) (rate(quotree_decision_seconds_bucket[5m])))", "median"),
                    (
                        "histogram_quantile(0.99, sum by (le) (rate(quotree_decision_seconds_bucket[5m])))",
                        "99th percentile",
                    ),
                ],
            ),
            (
                "The answer to a write takes, 99th percentile",
                "s",
                &[(
                    "histogram_quantile(0.99, sum by (le, verb) (rate(quotree_api_write_seconds_bucket[5m])))",
                    "{{verb}}",
                )],
            ),
            (
                "Writes a second, by code",
                "short",
                &[("sum by (verb, code) (rate(quotree_api_write_total[5m]))", "{{verb}} {{code}}")],
            ),
            ("Nothing heard of a kind since", "s", &[("max by (kind) (quotree_watch_staleness_seconds)", "{{kind}}")]),
            (
                "Leaders, and processes that are ready",
                "short",
                &[("sum(quotree_leader)", "leaders"), ("sum(quotree_ready)", "ready")],
            ),
            ("The ledger differs from a recount by", "short", &[("quotree_ledger_drift", "{{queue}} {{resource}}")]),
            (
                "Facts refused, lines of the recording dropped",
                "short",
                &[
                    ("sum(increase(quotree_core_refused_total[1h]))", "facts in an hour"),
                    ("sum(increase(quotree_record_dropped_lines_total[1h]))", "lines in an hour"),
                ],
            ),
        ],
    ),
    (
        "nodes",
        "Quotree: nodes",
        &[
            ("Nodes", "short", &[("max by (state) (quotree_nodes)", "{{state}}")]),
            (
                "Allocatable",
                "short",
                &[(r#"max by (resource) (quotree_cluster_resource{kind="allocatable"})"#, "{{resource}}")],
            ),
            ("Used", "short", &[(r#"max by (resource) (quotree_cluster_resource{kind="used"})"#, "{{resource}}")]),
            (
                "Reserved for workloads that evicted",
                "short",
                &[(r#"max by (resource) (quotree_cluster_resource{kind="held"})"#, "{{resource}}")],
            ),
            (
                "Free",
                "short",
                &[(
                    r#"max by (resource) (quotree_cluster_resource{kind="allocatable"}) - max by (resource) (quotree_cluster_resource{kind="used"})"#,
                    "{{resource}}",
                )],
            ),
        ],
    ),
    (
        "jobs",
        "Quotree: jobs",
        &[
            (
                "Workloads that wait",
                "short",
                &[(r#"sum by (queue) (quotree_pending_workloads{queue=~"$queue"})"#, "{{queue}}")],
            ),
            (
                "Why they wait",
                "short",
                &[(r#"sum by (reason) (quotree_pending_workloads{queue=~"$queue"})"#, "{{reason}}")],
            ),
            (
                "Wait of admitted pods, median",
                "s",
                &[(
                    r#"histogram_quantile(0.5, sum by (le, queue) (rate(quotree_admission_wait_seconds_bucket{queue=~"$queue"}[30m])))"#,
                    "{{queue}}",
                )],
            ),
            (
                "Wait of admitted pods, 95th percentile",
                "s",
                &[(
                    r#"histogram_quantile(0.95, sum by (le, queue) (rate(quotree_admission_wait_seconds_bucket{queue=~"$queue"}[30m])))"#,
                    "{{queue}}",
                )],
            ),
            (
                "Admissions in an hour",
                "short",
                &[(
                    r#"sum by (queue) (increase(quotree_admission_wait_seconds_count{queue=~"$queue"}[1h]))"#,
                    "{{queue}}",
                )],
            ),
            (
                "Planned evictions in an hour, by rule",
                "short",
                &[("sum by (reason) (increase(quotree_reclaim_victims_total[1h]))", "{{reason}}")],
            ),
            (
                "Evictions that were not carried out, in an hour",
                "short",
                &[("sum by (reason) (increase(quotree_reclaim_blocked_total[1h]))", "{{reason}}")],
            ),
        ],
    ),
    (
        "quotas",
        "Quotree: quotas",
        &[
            (
                "Used",
                "short",
                &[(
                    r#"quotree_quota_resource{queue=~"$queue",resource=~"$resource",kind="used"}"#,
                    "{{queue}} {{resource}}",
                )],
            ),
            (
                "Used of min",
                "percentunit",
                &[(
                    r#"quotree_quota_resource{queue=~"$queue",resource=~"$resource",kind="used"} / ignoring(kind) (quotree_quota_resource{queue=~"$queue",resource=~"$resource",kind="min"} > 0)"#,
                    "{{queue}} {{resource}}",
                )],
            ),
            (
                "Used of max",
                "percentunit",
                &[(
                    r#"quotree_quota_resource{queue=~"$queue",resource=~"$resource",kind="used"} / ignoring(kind) (quotree_quota_resource{queue=~"$queue",resource=~"$resource",kind="max"} > 0)"#,
                    "{{queue}} {{resource}}",
                )],
            ),
            (
                "Borrowed",
                "short",
                &[(
                    r#"quotree_quota_resource{queue=~"$queue",resource=~"$resource",kind="borrowed"}"#,
                    "{{queue}} {{resource}}",
                )],
            ),
            (
                "Lent",
                "short",
                &[(
                    r#"quotree_quota_resource{queue=~"$queue",resource=~"$resource",kind="lent"}"#,
                    "{{queue}} {{resource}}",
                )],
            ),
            (
                "Requested and not used",
                "short",
                &[(
                    r#"quotree_quota_resource{queue=~"$queue",resource=~"$resource",kind="request"} - ignoring(kind) quotree_quota_resource{queue=~"$queue",resource=~"$resource",kind="used"}"#,
                    "{{queue}} {{resource}}",
                )],
            ),
            (
                "Fair share",
                "short",
                &[(
                    r#"quotree_quota_resource{queue=~"$queue",resource=~"$resource",kind="fair"}"#,
                    "{{queue}} {{resource}}",
                )],
            ),
            ("Pods", "short", &[(r#"quotree_quota_pods{queue=~"$queue"}"#, "{{queue}}")]),
        ],
    ),
];

/// An alert: its name, its query, how long it must hold, how bad it is, and what it says.
type Alert = (&'static str, &'static str, &'static str, &'static str, &'static str);

const ALERTS: &[Alert] = &[
    (
        "QuotreeLedgerDrift",
        "max by (queue, resource) (abs(quotree_ledger_drift)) > 0",
        "1m",
        "critical",
        "What the scheduler counts as used differs from a recount of all pods. Keep its recording and restart it: it then counts anew.",
    ),
    (
        "QuotreeNoLeader",
        "(sum(quotree_leader) or vector(0)) < 1",
        "2m",
        "critical",
        "No process leads: nothing is admitted. Look at the Lease kube-system/quotree-scheduler and the pods of the Deployment.",
    ),
    (
        "QuotreeTwoLeaders",
        "sum(quotree_leader) > 1",
        "1m",
        "critical",
        "Two processes may write. The Lease should make that impossible.",
    ),
    (
        "QuotreeNotReady",
        "min by (pod) (quotree_ready) < 1",
        "5m",
        "warning",
        "A process that leads has not listed everything, or finds no valid quota tree. Its log says which.",
    ),
    (
        "QuotreeWatchStale",
        "max by (kind) (quotree_watch_staleness_seconds) > 120",
        "2m",
        "warning",
        "Nothing was heard of a kind for two minutes; watches are renewed every 45 s. Decisions may be about what was.",
    ),
    (
        "QuotreeWatchMissed",
        "increase(quotree_watch_missed_total[1h]) > 0",
        "1m",
        "warning",
        "A LIST had what a watch had not shown. The watch has begun anew, which mends it.",
    ),
    (
        "QuotreeFactsRefused",
        "increase(quotree_core_refused_total[15m]) > 0",
        "15m",
        "warning",
        "The core refuses facts again and again. Each is in the log.",
    ),
    (
        "QuotreeRecordingIncomplete",
        "increase(quotree_record_dropped_lines_total[15m]) + increase(quotree_record_failures_total[15m]) > 0",
        "1m",
        "warning",
        "The disk of the recording is too slow, full or gone. Decisions go on.",
    ),
];

/// The dashboards, by file name.
pub(super) fn dashboards() -> Vec<(String, Value)> {
    DASHBOARDS.iter().map(|one| (format!("{}.json", one.0), dashboard(one))).collect()
}

fn dashboard((name, title, panels): &Dashboard) -> Value {
    let source = json!({ "type": "prometheus", "uid": "${source}" });
    let panels: Vec<Value> = panels
        .iter()
        .enumerate()
        .map(|(place, (title, unit, queries))| {
            let targets = queries.iter().zip('A'..).map(|((query, legend), id)| {
                json!({ "refId": id.to_string(), "datasource": source, "expr": query, "legendFormat": legend })
            });
            json!({
                "id": place + 1, "type": "timeseries", "title": title, "datasource": source,
                "gridPos": { "x": place % 2 * 12, "y": place / 2 * 8, "w": 12, "h": 8 },
                "fieldConfig": { "defaults": { "unit": unit, "min": 0, "custom": { "fillOpacity": 10 } }, "overrides": [] },
                "options": { "legend": { "displayMode": "table", "placement": "right", "calcs": ["lastNotNull"] } },
                "targets": targets.collect::<Vec<_>>(),
            })
        })
        .collect();
    let mut variables =
        vec![json!({ "name": "source", "label": "Data source", "type": "datasource", "query": "prometheus" })];
    let variable = |label: &str| {
        let query = format!("label_values(quotree_quota_resource, {label})");
        json!({
            "name": label, "type": "query", "datasource": source, "query": { "query": query, "refId": label }, "refresh": 2,
            "includeAll": true, "multi": true, "allValue": ".*", "current": { "text": "All", "value": "$__all" },
        })
    };
    variables
        .extend(["queue", "resource"].iter().filter(|label| panels_use(&panels, label)).map(|label| variable(label)));
    json!({
        "uid": format!("quotree-{name}"), "title": title, "tags": ["quotree"], "schemaVersion": 39, "editable": true,
        "refresh": "30s", "time": { "from": "now-6h", "to": "now" }, "timezone": "", "templating": { "list": variables },
        "panels": panels,
    })
}

fn panels_use(panels: &[Value], variable: &str) -> bool {
    panels.iter().any(|panel| panel.to_string().contains(&format!("${variable}")))
}

/// The alerts, as an object of the Prometheus operator.
pub(super) fn rules() -> Value {
    let rules: Vec<Value> = ALERTS
        .iter()
        .map(|(name, query, held, severity, says)| {
            json!({
                "alert": name, "expr": query, "for": held, "labels": { "severity": severity },
                "annotations": { "summary": says },
            })
        })
        .collect();
    json!({
        "apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
        "metadata": { "name": "quotree", "namespace": super::NAMESPACE },
        "spec": { "groups": [{ "name": "quotree", "rules": rules }] },
    })
}
