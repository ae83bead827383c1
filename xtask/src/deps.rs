//! Which crate may depend on which: core <- words, k8s and syntax <- model <- feasible and import <- scenario <- sim <- reports and swarm <-
//! cli. The testkits are for tests only, and the heavy libraries are for the commands only.

use crate::files;
use serde_json::Value;

/// A crate of the workspace, and the crates of the workspace that it may depend on. The tests of any crate may use the
/// testkit.
const MAY_USE: &[(&str, &[&str])] = &[
    ("quotree-core", &[]),
    ("quotree-record", &["quotree-core"]),
    ("quotree-k8s", &["quotree-core"]),
    ("quotree-words", &["quotree-core"]),
    ("quotree-syntax", &["quotree-core"]),
    ("quotree-model", &["quotree-core", "quotree-syntax"]),
    ("quotree-feasible", &["quotree-core", "quotree-model"]),
    ("quotree-import", &["quotree-core", "quotree-record", "quotree-k8s", "quotree-syntax", "quotree-model"]),
    ("quotree-scenario", &["quotree-core", "quotree-syntax", "quotree-model", "quotree-feasible", "quotree-import"]),
    (
        "quotree-sim",
        &[
            "quotree-core",
            "quotree-words",
            "quotree-syntax",
            "quotree-model",
            "quotree-feasible",
            "quotree-import",
            "quotree-scenario",
        ],
    ),
    ("quotree-reports", &["quotree-core", "quotree-syntax", "quotree-sim", "quotree-page"]),
    ("quotree-swarm", &["quotree-core", "quotree-syntax", "quotree-sim"]),
    ("quotree-study", &["quotree-core", "quotree-syntax", "quotree-sim", "quotree-reports"]),
    ("quotree-page", &[]),
    ("quotree-figures", &["quotree-page"]),
    (
        "quotree-cli",
        &[
            "quotree-core",
            "quotree-record",
            "quotree-sim",
            "quotree-reports",
            "quotree-page",
            "quotree-figures",
            "quotree-study",
            "quotree-swarm",
        ],
    ),
    ("quotree-testkit", &["quotree-core", "quotree-sim"]),
    ("quotree-benches", &["quotree-core", "quotree-sim", "quotree-testkit"]),
    ("quotree-fuzz", &["quotree-core", "quotree-sim", "quotree-testkit"]),
    ("xtask", &[]),
    ("quotree-kube", &["quotree-core", "quotree-record", "quotree-k8s", "quotree-words"]),
    ("quotree-kube-testkit", &[]),
];

/// What the tests of any crate may depend on.
const TESTKITS: &[&str] = &["quotree-testkit", "quotree-kube-testkit"];

/// The crates that a crate must not depend on, even indirectly, outside its tests.
const NEVER: &[(&str, &[&str])] = &[
    ("quotree-core", &["rand", "rand_core", "rand_chacha", "ron", "serde_json", "clap", "rayon", "tokio", "tracing"]),
    ("quotree-record", &["ron", "jiff", "clap", "rayon", "anyhow", "tokio", "tracing"]),
    (
        "quotree-k8s",
        &["csv", "jiff", "serde_json", "k8s-openapi", "kube", "rayon", "clap", "anyhow", "tokio", "tracing"],
    ),
    ("quotree-words", &["csv", "jiff", "ron", "k8s-openapi", "kube", "rayon", "clap", "anyhow", "tokio", "tracing"]),
    ("quotree-syntax", &["csv", "jiff", "ron", "serde_json", "rayon", "clap", "anyhow", "tokio"]),
    ("quotree-model", &["csv", "jiff", "ron", "serde_json", "rayon", "clap", "anyhow", "tokio"]),
    ("quotree-feasible", &["csv", "jiff", "ron", "serde_json", "rayon", "clap", "anyhow", "tokio"]),
    ("quotree-import", &["ron", "rayon", "clap", "anyhow", "tokio"]),
    ("quotree-scenario", &["ron", "rayon", "clap", "anyhow", "tokio"]),
    ("quotree-sim", &["ron", "rayon", "clap", "anyhow", "tokio", "annotate-snippets"]),
    ("quotree-reports", &["rayon", "clap", "anyhow", "annotate-snippets"]),
    ("quotree-swarm", &["rayon", "clap", "anyhow", "tokio", "annotate-snippets"]),
    ("quotree-study", &["rayon", "clap", "anyhow", "tokio", "annotate-snippets"]),
];

/// The crates with a command.
const COMMANDS: &[&str] = &["quotree-cli", "quotree-kube"];

/// The libraries that only a command may depend on, outside tests and benches.
const COMMAND_ONLY: &[&str] = &["anyhow", "clap", "annotate-snippets", "rayon", "indicatif"];

/// All violations of these rules.
pub(crate) fn check() -> Result<Vec<String>, String> {
    let text = files::output("cargo", &["metadata", "--format-version", "1", "--no-deps", "--locked"])?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata.get("packages").and_then(Value::as_array).ok_or("cargo metadata: no packages")?;
    let mut findings = Vec::new();
    for package in packages {
        let name = text_of(package, "name");
        let Some((_, may_use)) = MAY_USE.iter().find(|(member, _)| *member == name) else {
            findings.push(format!("Cargo.toml: {name} is a new member: say in xtask/src/deps.rs what it may use"));
            continue;
        };
        let at = manifest(package);
        for dependency in package.get("dependencies").and_then(Value::as_array).into_iter().flatten() {
            let on = text_of(dependency, "name");
            let for_tests = dependency.get("kind").and_then(Value::as_str) == Some("dev");
            let is_member = MAY_USE.iter().any(|(member, _)| *member == on);
            let allowed = may_use.contains(&on) || for_tests && TESTKITS.contains(&on);
            if is_member && !allowed {
                findings.push(format!("{at}: {name} must not depend on {on}"));
            }
            if COMMAND_ONLY.contains(&on) && !COMMANDS.contains(&name) && !for_tests {
                findings.push(format!("{at}: {on} is for commands only"));
            }
        }
    }
    for (name, never) in NEVER {
        let list = files::output("cargo", &["tree", "--locked", "-p", name, "-e", "normal", "--prefix", "none"])?;
        for on in list.lines().filter_map(|line| line.split_whitespace().next()) {
            if never.contains(&on) {
                findings.push(format!("Cargo.toml: {name} reaches {on}, through whatever it builds on"));
            }
        }
    }
    findings.sort();
    findings.dedup();
    Ok(findings)
}

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The manifest of a crate, from the root.
fn manifest(package: &Value) -> String {
    let path = std::path::Path::new(text_of(package, "manifest_path"));
    path.strip_prefix(files::root()).unwrap_or(path).display().to_string()
}
