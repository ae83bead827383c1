//! The command line, checked as a whole before anything starts.

use crate::{
    record,
    remember::Place,
    serve::tls::Files,
    settings::{MANAGED, Mode, Settings, live_policy},
    tenancy::{Places, kubeconfig::SHORTEST},
    watch::streams::TreeSource,
};
use clap::{Parser, Subcommand, ValueEnum};
use quotree_core::{Policy, Unit, parse_quantity_up};
use quotree_k8s::{
    LabelSelector,
    affinity::{Operator, Requirement},
};
use quotree_record::folder::Keep;
use serde_json::Value;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

const EXAMPLES: &str = "Try it on a cluster where nothing must change:
  quotree-scheduler --dry-run --namespaces ''      show what it would do with all pending pods, write nothing

Then, with namespaces that are labelled quotree.io/managed=true:
  quotree-scheduler                                gate mode: pods with the scheduling gate quotree.io/quota
  quotree-scheduler --mode bind                    bind mode: pods with schedulerName quotree
  quotree-scheduler --users quotree-system         also keep users and groups: accounts and bindings of User and UserGroup

An access for the User alice, by your own rights:
  quotree-scheduler kubeconfig alice --hours 8 --out alice.kubeconfig

docs/kubernetes.md says what works and what does not yet.";

/// Schedule the pods of a Kubernetes cluster by elastic quotas.
#[derive(Debug, Parser)]
#[command(name = "quotree-scheduler", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// How decisions are carried out.
    #[arg(long, value_enum, default_value_t = How::Gate)]
    pub mode: How,
    /// Decide and show, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The kubeconfig; absent: $KUBECONFIG, ~/.kube/config, or the service account of the pod.
    #[arg(long, value_name = "FILE", global = true)]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig.
    #[arg(long, value_name = "NAME", global = true)]
    pub context: Option<String>,
    /// The ElasticQuotaTree, as NAMESPACE/NAME.
    #[arg(long, value_name = "NAMESPACE/NAME", default_value = "kube-system/elasticquotatree")]
    pub tree: String,
    /// Which namespaces are managed, by their labels: key=value, key!=value, key or !key, joined by commas; '' is all.
    #[arg(long, value_name = "SELECTOR", default_value_t = format!("{MANAGED}=true"))]
    pub namespaces: String,
    /// The schedulerName of pods that are managed; can be given several times. Absent: default-scheduler in gate mode,
    /// quotree in bind mode, both in a dry run.
    #[arg(long = "scheduler-name", value_name = "NAME")]
    pub scheduler_names: Vec<String>,
    /// The Lease that says which process leads, as NAMESPACE/NAME; '' is none, for a single process.
    #[arg(long, value_name = "NAMESPACE/NAME", default_value = "kube-system/quotree-scheduler")]
    pub lease: String,
    /// The ConfigMap with the last quota tree that was accepted, as NAMESPACE/NAME: it holds after a restart while the newest tree is
    /// not valid, or gone; '' is none.
    #[arg(long, value_name = "NAMESPACE/NAME", default_value = "kube-system/quotree-scheduler")]
    pub remember: String,
    /// The policy: a JSON file with the knobs of the core that differ from the defaults of a live cluster.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// How lines are logged: as text, or as JSON with the fields of each decision.
    #[arg(long, value_enum, default_value_t = Log::Text)]
    pub log: Log,
    /// How many writes are sent a second at most; twice as many at once after a pause. Evictions are at most 10 a second.
    #[arg(long, value_name = "NUMBER", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub api_qps: u32,
    /// How many of the oldest workloads that wait are said what would help them. It is tried on copies of the state, beside the loop, and
    /// takes most of what explanations cost.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub advice: usize,
    /// Serve /healthz, /readyz, /metrics, /explain and /debug/dump over HTTP at this address; '' is nowhere. Explanations and dumps
    /// are only given to callers on the machine itself.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "")]
    pub listen: String,
    /// Ask callers of /metrics and /debug/dump, and of /explain from other machines, for a token whose account may `get` that path
    /// by the roles of the cluster.
    #[arg(long, requires = "listen")]
    pub authorize: bool,
    /// Serve by TLS with this certificate, as PEM with those of its issuers. It is read again when it changes, such as by
    /// cert-manager. Absent: plain HTTP.
    #[arg(long, value_name = "FILE", requires_all = ["listen", "tls_private_key_file"])]
    pub tls_cert_file: Option<PathBuf>,
    /// The private key of the certificate, as PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    pub tls_private_key_file: Option<PathBuf>,
    /// Also show metrics by the names of the kube-scheduler, such as scheduler_pending_pods, for dashboards and alerts that ask for
    /// them.
    #[arg(long, requires = "listen")]
    pub compat_metrics: bool,
    /// Record what is decided, and from what, to this folder: `quotree replay DIR` and `quotree import kubernetes
    /// --from-recording DIR` read it.
    #[arg(long, value_name = "DIR")]
    pub record: Option<PathBuf>,
    /// How long a segment of the recording is kept after its end, such as 90m, 24h or 7d.
    #[arg(long, value_name = "TIME", default_value = "24h", requires = "record")]
    pub record_keep: String,
    /// The oldest segments are deleted where all together are larger, such as 500Mi or 2Gi.
    #[arg(long, value_name = "SIZE", default_value = "2Gi", requires = "record")]
    pub record_most: String,
    /// Keep users and groups: make accounts and bindings of the objects User and UserGroup in this namespace; '' is none.
    #[arg(long, value_name = "NAMESPACE", default_value = "")]
    pub users: String,
    /// The namespace of the accounts of users.
    #[arg(long, value_name = "NAMESPACE", default_value = "quotree-users", global = true)]
    pub accounts: String,
    /// Something else than scheduling.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Something else than scheduling.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Give somebody an access: a kubeconfig with a token of their account. It needs the rights of an administrator.
    #[command(after_help = KUBECONFIG)]
    Kubeconfig(Access),
}

const KUBECONFIG: &str = "Examples:
  quotree-scheduler kubeconfig alice --hours 8 --out alice.kubeconfig
  KUBECONFIG=alice.kubeconfig kubectl get pods       as alice

  quotree-scheduler kubeconfig alice --revoke         takes back all that were given, within about ten seconds

A token ends by itself, when it is revoked, and when the User is suspended or deleted. A User who is moved to another group
keeps the token, and loses the namespaces.";

/// An access for somebody.
#[derive(Debug, clap::Args)]
pub struct Access {
    /// The User.
    pub user: String,
    /// For how many hours, such as 8 or 0.5; at least ten minutes. The API server may give less, and that is said.
    #[arg(long, value_name = "HOURS", default_value = "8", conflicts_with = "revoke")]
    pub hours: String,
    /// The file, which only you may read; absent: printed. A file that was not made by this command is not replaced.
    #[arg(long, value_name = "FILE", conflicts_with = "revoke")]
    pub out: Option<PathBuf>,
    /// Take back all accesses that were given this way.
    #[arg(long)]
    pub revoke: bool,
    /// The URL of the API server, as the user reaches it; absent: as in your kubeconfig.
    #[arg(long, value_name = "URL", conflicts_with = "revoke")]
    pub server: Option<String>,
    /// The namespace of the User.
    #[arg(long, value_name = "NAMESPACE", default_value = "quotree-system")]
    pub system: String,
}

impl Access {
    /// For how many seconds.
    ///
    /// # Errors
    /// If it is no number of hours, or too short.
    pub fn seconds(&self) -> Result<i64, Mistake> {
        let wrong = |why: &str| Mistake::Argument { argument: "--hours", why: format!("`{}` {why}", self.hours) };
        let hours: f64 = self.hours.parse().map_err(|_| wrong("is no number of hours, such as 8 or 0.5"))?;
        let seconds = (hours * 3600.0).round();
        if seconds.is_nan() || seconds < SHORTEST as f64 {
            return Err(wrong("is too short: the API server gives tokens for ten minutes at least"));
        }
        // A year: nobody means more.
        if seconds > 8784.0 * 3600.0 {
            return Err(wrong("is more than a year"));
        }
        Ok(seconds as i64)
    }
}

/// How decisions are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum How {
    /// Remove our scheduling gate, pin the pod to its node; the kube-scheduler binds it.
    Gate,
    /// Bind pods that name us as their scheduler.
    Bind,
}

/// How lines are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Log {
    /// One sentence a line.
    Text,
    /// One object a line.
    Json,
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum Mistake {
    /// An argument is not of its form.
    #[error("{argument}: {why}")]
    Argument {
        /// The argument.
        argument: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {why}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
}

impl Args {
    /// The settings of the adapter.
    ///
    /// # Errors
    /// The first argument that is not of its form, or the file that cannot be read.
    pub fn settings(&self) -> Result<Settings, Mistake> {
        let how = match self.mode {
            How::Gate => Mode::Gate,
            How::Bind => Mode::Bind,
        };
        let mut settings = Settings::new(how);
        (settings.api_qps, settings.compat_metrics, settings.advice) = (self.api_qps, self.compat_metrics, self.advice);
        settings.managed =
            selector(&self.namespaces).map_err(|why| Mistake::Argument { argument: "--namespaces", why })?;
        if !self.scheduler_names.is_empty() {
            settings.schedulers = self.scheduler_names.iter().map(|name| name.as_str().into()).collect();
        }
        if let Some(file) = &self.policy {
            let text = std::fs::read_to_string(file).map_err(|why| Mistake::File { file: file.clone(), why })?;
            settings.policy = policy(&text).map_err(|why| Mistake::Argument { argument: "--policy", why })?;
        }
        settings.pod_groups = true;
        settings.users = self.places().is_some();
        settings.remembers = self.memory()?.is_some();
        if self.dry_run {
            settings.mode = Mode::Dry;
            if self.scheduler_names.is_empty() {
                settings.schedulers = Settings::new(Mode::Dry).schedulers;
            }
        }
        Ok(settings)
    }

    /// Where metrics and health are served, if anywhere.
    ///
    /// # Errors
    /// If it is no address with a port.
    pub fn listen(&self) -> Result<Option<SocketAddr>, Mistake> {
        if self.listen.is_empty() {
            return Ok(None);
        }
        let why = |_| format!("`{}` is no address with a port, such as 127.0.0.1:8080", self.listen);
        self.listen.parse().map(Some).map_err(|error| Mistake::Argument { argument: "--listen", why: why(error) })
    }

    /// The files of the TLS certificate and its key; `None` if the port serves plain HTTP.
    #[must_use]
    pub fn tls(&self) -> Option<Files> {
        let (certificate, key) = (self.tls_cert_file.clone()?, self.tls_private_key_file.clone()?);
        Some(Files { certificate, key })
    }

    /// Whether and how the run is recorded.
    ///
    /// # Errors
    /// The first argument that is not of its form.
    pub fn recording(&self) -> Result<Option<record::Settings>, Mistake> {
        let Some(folder) = &self.record else { return Ok(None) };
        if self.dry_run {
            let why = "a dry run decides anew each time and carries nothing out: there is nothing to replay".to_owned();
            return Err(Mistake::Argument { argument: "--record", why });
        }
        let age = time(&self.record_keep).map_err(|why| Mistake::Argument { argument: "--record-keep", why })?;
        let bytes = size(&self.record_most).map_err(|why| Mistake::Argument { argument: "--record-most", why })?;
        Ok(Some(record::Settings { keep: Keep { age, bytes }, ..record::Settings::new(folder.clone()) }))
    }

    /// Where users and groups are, if they are kept. A dry run writes nothing.
    #[must_use]
    pub fn places(&self) -> Option<Places> {
        let kept = !self.users.is_empty() && !self.dry_run;
        kept.then(|| Places { system: self.users.clone(), users: self.accounts.clone() })
    }

    /// Where the last accepted tree is remembered; `None` if it is not, as in a dry run.
    ///
    /// # Errors
    /// If it is not `NAMESPACE/NAME`.
    pub fn memory(&self) -> Result<Option<Place>, Mistake> {
        if self.dry_run || self.remember.is_empty() {
            return Ok(None);
        }
        let (namespace, name) = namespaced("--remember", &self.remember)?;
        Ok(Some(Place { namespace, name }))
    }

    /// Where the quota tree is.
    ///
    /// # Errors
    /// If it is not `NAMESPACE/NAME`.
    pub fn tree_source(&self) -> Result<TreeSource, Mistake> {
        let (namespace, name) = namespaced("--tree", &self.tree)?;
        Ok(TreeSource { namespace, name })
    }

    /// Namespace and name of the Lease; `None` if there is none, as in a dry run, which writes nothing.
    ///
    /// # Errors
    /// If it is not `NAMESPACE/NAME`.
    pub fn lease(&self) -> Result<Option<(String, String)>, Mistake> {
        if self.dry_run || self.lease.is_empty() {
            return Ok(None);
        }
        namespaced("--lease", &self.lease).map(Some)
    }
}

/// `NAMESPACE/NAME`.
fn namespaced(argument: &'static str, text: &str) -> Result<(String, String), Mistake> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok((namespace.to_owned(), name.to_owned()))
        }
        _ => Err(Mistake::Argument { argument, why: format!("`{text}` is not NAMESPACE/NAME") }),
    }
}

/// A time as text: a number of s, m, h or d.
fn time(text: &str) -> Result<Duration, String> {
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
    let given = units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)));
    let seconds = given.and_then(|(number, unit)| number.parse::<u64>().ok()?.checked_mul(unit));
    seconds.map(Duration::from_secs).ok_or_else(|| format!("`{text}` is no time such as 90m, 24h or 7d"))
}

/// A size as text, as in Kubernetes.
fn size(text: &str) -> Result<u64, String> {
    let bytes = parse_quantity_up(text, Unit::Bytes).ok().and_then(|bytes| u64::try_from(bytes).ok());
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| format!("`{text}` is no size such as 500Mi or 2Gi"))
}

/// A selector as text. The empty text selects everything.
fn selector(text: &str) -> Result<LabelSelector, String> {
    let mut selector = LabelSelector::default();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (key, operator, values) = if let Some((key, value)) = part.split_once("!=") {
            (key, Operator::NotIn, vec![value.trim().into()])
        } else if let Some((key, value)) = part.split_once('=') {
            (key, Operator::In, vec![value.trim_start_matches('=').trim().into()])
        } else if let Some(key) = part.strip_prefix('!') {
            (key, Operator::DoesNotExist, Vec::new())
        } else {
            (part, Operator::Exists, Vec::new())
        };
        let key = key.trim();
        if key.is_empty() || key.contains(|letter: char| letter.is_whitespace() || "()!=".contains(letter)) {
            return Err(format!("`{part}` is not key=value, key!=value, key or !key"));
        }
        selector.expressions.push(Requirement { key: key.into(), operator, values });
    }
    Ok(selector)
}

/// The policy of a live cluster with the knobs of this text.
fn policy(text: &str) -> Result<Policy, String> {
    let given: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Value::Object(given) = given else { return Err("not a JSON object".to_owned()) };
    let mut all = serde_json::to_value(live_policy()).map_err(|error| error.to_string())?;
    if let Some(knobs) = all.as_object_mut() {
        knobs.extend(given);
    }
    serde_json::from_value(all).map_err(|error| error.to_string())
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
