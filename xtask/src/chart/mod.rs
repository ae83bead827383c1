//! The Helm chart: its templates and CRDs are made of `kube/config`, so that a chart, a kustomization and the tests apply the same
//! objects. `cargo run -p xtask -- chart` writes them.

mod dashboards;
mod yaml;

use crate::files::{File, root};
use serde_json::Value;
use std::fs;
use yaml::RAW;

const CONFIG: &str = "kube/config";
const CHART: &str = "charts/quotree";

/// The file of the chart, the file of `kube/config` that it is made of, and when its objects are there.
const TEMPLATES: &[(&str, &str, Option<&str>)] = &[
    ("crds/elasticquotatree.yaml", "base/elasticquotatree.json", None),
    ("crds/users.yaml", "base/users.json", None),
    ("templates/rbac.yaml", "base/rbac.json", None),
    ("templates/rbac-gate.yaml", "gate/rbac.json", Some(r#"and (eq .Values.mode "gate") (not .Values.dryRun)"#)),
    ("templates/rbac-bind.yaml", "bind/rbac.json", Some(r#"and (eq .Values.mode "bind") (not .Values.dryRun)"#)),
    ("templates/tenancy.yaml", "base/tenancy.json", Some(".Values.tenancy")),
    ("templates/policies.yaml", "base/policies.json", Some("and .Values.admissionPolicies (not .Values.dryRun)")),
    (
        "templates/policies-gate.yaml",
        "gate/policies.json",
        Some(r#"and .Values.admissionPolicies (eq .Values.mode "gate") (not .Values.dryRun)"#),
    ),
    (
        "templates/policies-bind.yaml",
        "bind/policies.json",
        Some(r#"and .Values.admissionPolicies (eq .Values.mode "bind") (not .Values.dryRun)"#),
    ),
    ("templates/flowschema.yaml", "base/flowschema.json", Some(".Values.flowSchema")),
    ("templates/deployment.yaml", "base/deployment.json", None),
    ("templates/authorize.yaml", "authorize/rbac.json", Some(".Values.authorize")),
    ("templates/servicemonitor.yaml", "monitoring/servicemonitor.json", Some(".Values.serviceMonitor")),
];

/// What a value becomes in the chart, by the last keys of its path.
const VALUES: &[(&[&str], &str)] = &[
    (&["Deployment", "spec", "replicas"], "{{ .Values.replicas }}"),
    (&["containers", "image"], "{{ .Values.image | quote }}"),
    (&["containers", "resources"], "{{ toJson .Values.resources }}"),
    (
        &["containers", "args"],
        "- --log=json\n- --mode={{ .Values.mode }}\n- --tree={{ .Values.tree }}\n- --listen=0.0.0.0:8080\n{{- if .Values.authorize }}\n- --authorize\n{{- end }}\n{{- if .Values.compatMetrics }}\n- --compat-metrics\n{{- end }}\n{{- if .Values.tlsSecret }}\n- --tls-cert-file=/etc/quotree/tls/tls.crt\n- --tls-private-key-file=/etc/quotree/tls/tls.key\n{{- end }}\n{{- if .Values.dryRun }}\n- --dry-run\n{{- else if .Values.tenancy }}\n- --users={{ .Release.Namespace }}\n{{- end }}\n{{- if and .Values.recording (not .Values.dryRun) }}\n- --record=/var/lib/quotree\n{{- end }}",
    ),
    // Each pod has a folder of its own in the volume.
    (
        &["containers", "volumeMounts"],
        r#"{{ $mounts := list }}{{ if .Values.recording }}{{ $mounts = append $mounts (dict "name" "recording" "mountPath" "/var/lib/quotree" "subPathExpr" "$(POD_NAME)") }}{{ end }}{{ if .Values.tlsSecret }}{{ $mounts = append $mounts (dict "name" "tls" "mountPath" "/etc/quotree/tls" "readOnly" true) }}{{ end }}{{ toJson $mounts }}"#,
    ),
    (
        &["spec", "volumes"],
        r#"{{ $volumes := list }}{{ if .Values.recording }}{{ $volumes = append $volumes (merge (dict "name" "recording") .Values.recording) }}{{ end }}{{ if .Values.tlsSecret }}{{ $volumes = append $volumes (dict "name" "tls" "secret" (dict "secretName" .Values.tlsSecret)) }}{{ end }}{{ toJson $volumes }}"#,
    ),
    (&["annotations", "prometheus.io/scheme"], r#"{{ if .Values.tlsSecret }}https{{ else }}http{{ end }}"#),
    (
        &["livenessProbe", "httpGet"],
        r#"{ path: /livez, port: http, scheme: {{ if .Values.tlsSecret }}HTTPS{{ else }}HTTP{{ end }} }"#,
    ),
    (
        &["readinessProbe", "httpGet"],
        r#"{ path: /readyz, port: http, scheme: {{ if .Values.tlsSecret }}HTTPS{{ else }}HTTP{{ end }} }"#,
    ),
    (
        &["ServiceMonitor", "spec", "endpoints"],
        "- port: http\n  path: /metrics\n  interval: 15s\n  {{- if .Values.tlsSecret }}\n  scheme: https\n  tlsConfig:\n    serverName: quotree-scheduler.{{ .Release.Namespace }}.svc\n    ca: { secret: { name: {{ .Values.tlsSecret | quote }}, key: ca.crt } }\n  {{- end }}\n  {{- if .Values.authorize }}\n  bearerTokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token\n  {{- end }}",
    ),
    (
        &["MutatingAdmissionPolicy", "apiVersion"],
        // v1 from Kubernetes 1.36 on.
        r#"admissionregistration.k8s.io/{{ ternary "v1" "v1beta1" (.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy") }}"#,
    ),
    (
        &["MutatingAdmissionPolicyBinding", "apiVersion"],
        r#"admissionregistration.k8s.io/{{ ternary "v1" "v1beta1" (.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy") }}"#,
    ),
];

/// The namespace that the objects are in, outside a chart.
const NAMESPACE: &str = "quotree-system";

/// Writes the chart.
pub(crate) fn write() -> Result<(), String> {
    for (path, text) in made()? {
        fs::write(root().join(&path), text).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(())
}

/// A finding for each file that is not as it would be written.
pub(crate) fn check(files: &[File]) -> Result<Vec<String>, String> {
    let is = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let stale = made()?.into_iter().filter(|(path, text)| is(path) != Some(text));
    Ok(stale.map(|(path, _)| format!("{path}: is not made of {CONFIG}: cargo run -p xtask -- chart")).collect())
}

/// Dashboards are files of the chart, since what stands in them looks like actions of a template.
const OF_DASHBOARDS: &str = r#"# Made by `cargo run -p xtask -- chart`.
{{- if .Values.dashboards }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: quotree-dashboards
  namespace: {{ .Release.Namespace }}
  labels:
    grafana_dashboard: "1"
data:
{{ (.Files.Glob "dashboards/*.json").AsConfig | indent 2 }}
{{- end }}
"#;

/// Paths and contents.
fn made() -> Result<Vec<(String, String)>, String> {
    let mut all = objects()?;
    all.push((format!("{CHART}/templates/dashboards.yaml"), OF_DASHBOARDS.to_owned()));
    for (name, dashboard) in dashboards::dashboards() {
        let text = pretty(&dashboard)?;
        all.push((format!("{CONFIG}/monitoring/{name}"), text.clone()));
        all.push((format!("{CHART}/dashboards/{name}"), text));
    }
    let rules = dashboards::rules();
    all.push((format!("{CONFIG}/monitoring/rules.json"), pretty(&rules)?));
    let source = format!("{CONFIG}/monitoring/rules.json");
    all.push((format!("{CHART}/templates/rules.yaml"), template(rules, &source, Some(".Values.prometheusRule"))));
    Ok(all)
}

fn pretty(value: &Value) -> Result<String, String> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(|error| error.to_string())
}

/// What is made of objects in files.
fn objects() -> Result<Vec<(String, String)>, String> {
    TEMPLATES
        .iter()
        .map(|(file, source, condition)| {
            let path = format!("{CONFIG}/{source}");
            let text = fs::read_to_string(root().join(&path)).map_err(|error| format!("{path}: {error}"))?;
            let object: Value = serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
            Ok((format!("{CHART}/{file}"), template(object, &path, *condition)))
        })
        .collect()
}

/// The template of an object, or of the objects of a List.
fn template(object: Value, source: &str, condition: Option<&str>) -> String {
    let items = match object {
        Value::Object(mut list) if list.get("kind") == Some(&Value::from("List")) => match list.remove("items") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        },
        object => vec![object],
    };
    // Helm makes the namespace of the release.
    let is_own = |item: &Value| {
        item.get("kind") == Some(&Value::from("Namespace"))
            && item.pointer("/metadata/name") == Some(&Value::from(NAMESPACE))
    };
    let items = items.into_iter().filter(|item| !is_own(item));
    let documents: Vec<String> = items
        .map(|mut item| {
            let kind = item.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
            replace(&mut item, &mut vec![kind]);
            yaml::document(&item)
        })
        .collect();
    let body = documents.join("---\n");
    let head = format!("# Made of {source} by `cargo run -p xtask -- chart`.\n");
    match condition {
        Some(condition) => format!("{head}{{{{- if {condition} }}}}\n{body}{{{{- end }}}}\n"),
        None => head + &body,
    }
}

/// Puts what users set in the place of what stands there. The path begins with the kind.
fn replace(value: &mut Value, path: &mut Vec<String>) {
    let ends_so = |keys: &[&str]| {
        let of_kind = keys.first() == path.first().map(String::as_str).as_ref();
        let keys = if of_kind { keys.get(1..).unwrap_or_default() } else { keys };
        path.len() > keys.len() && path.iter().rev().zip(keys.iter().rev()).all(|(is, wanted)| is == wanted)
    };
    if let Some((_, action)) = VALUES.iter().find(|(keys, _)| ends_so(keys)) {
        *value = Value::from(format!("{RAW}{action}"));
        return;
    }
    match value {
        Value::String(text) if text == NAMESPACE => *value = Value::from(format!("{RAW}{{{{ .Release.Namespace }}}}")),
        // Within an expression, in single quotes.
        Value::String(text) if text.contains(NAMESPACE) => {
            let text = Value::from(text.replace(NAMESPACE, "{{ .Release.Namespace }}")).to_string();
            *value = Value::from(format!("{RAW}{text}"));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, path)),
        Value::Object(fields) => {
            for (key, value) in fields {
                path.push(key.clone());
                replace(value, path);
                path.pop();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_a_user_has_a_place() {
        let of_chart = |(path, text): (String, String)| path.starts_with(CHART).then_some(text);
        let all: String = made().unwrap().into_iter().filter_map(of_chart).collect();
        for value in [
            "mode",
            "image",
            "replicas",
            "tree",
            "dryRun",
            "resources",
            "admissionPolicies",
            "flowSchema",
            "tenancy",
            "dashboards",
            "prometheusRule",
            "serviceMonitor",
            "authorize",
            "compatMetrics",
            "tlsSecret",
            "recording",
        ] {
            assert!(all.contains(&format!(".Values.{value}")), "{value}");
        }
        assert!(!all.contains(NAMESPACE), "the namespace is that of the release");
    }
}
