//! A real API server: starts etcd and kube-apiserver in a folder of their own on loopback, and ends them when dropped. A
//! kube-scheduler, a controller manager and KWOK can be added.

mod audit;
mod authors;
mod clients;
mod etcd;
mod follow;
mod keys;
mod process;
mod programs;
mod wire;

pub use follow::Follower;
pub use programs::{Missing, Programs, REQUIRE, skipped};
pub use wire::{Broken, Wire};

use crate::journal::Record;
use keys::Authority;
use process::{Process, flag, free_ports};
use std::{
    env, fs,
    io::{self, Read, Seek},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// Why a real server did not start.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// A file, a port or a program failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A key or certificate could not be made.
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The client of it could not be made, or failed.
    #[error("client: {0}")]
    Client(#[from] kube::Error),
    /// A program is not there.
    #[error("there is no {0}; kube/tools/build --all makes it")]
    Absent(&'static str),
    /// A program ended, or did not get ready in time.
    #[error("{program} {what}; the end of its log:\n{log}")]
    Program {
        /// Which one.
        program: &'static str,
        /// What it did.
        what: String,
        /// The last lines that it wrote.
        log: String,
    },
}

/// How long a server may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server that runs.
#[derive(Debug)]
pub struct RealServer {
    programs: Programs,
    folder: PathBuf,
    port: u16,
    /// The port of etcd.
    store: u16,
    authority: Authority,
    flags: Vec<String>,
    /// How much of the audit log was read.
    read: Mutex<u64>,
    // In this order they are dropped: those around the server, the server, its store.
    others: Vec<Process>,
    apiserver: Process,
    _etcd: Process,
}

impl RealServer {
    /// Starts a server without controllers and waits until it is ready: some seconds.
    ///
    /// # Errors
    ///
    /// If a program does not start or does not get ready.
    pub async fn start(programs: &Programs) -> Result<Self, LaunchError> {
        Self::launch(programs, false).await
    }

    /// Starts a server with a kube-scheduler and the controller manager.
    ///
    /// # Errors
    ///
    /// If a program is missing, does not start or does not get ready.
    pub async fn start_cluster(programs: &Programs) -> Result<Self, LaunchError> {
        let scheduler = programs.scheduler.clone().ok_or(LaunchError::Absent("kube-scheduler"))?;
        let controllers = programs.controllers.clone().ok_or(LaunchError::Absent("kube-controller-manager"))?;
        let mut server = Self::launch(programs, true).await?;
        let kubeconfig = server.kubeconfig()?;
        let common = [
            flag("kubeconfig", kubeconfig.display()),
            flag("leader-elect", false),
            // A tenth of a second must do for what takes half a minute by default.
            flag("kube-api-qps", 500),
            flag("kube-api-burst", 1000),
            // Nobody asks them anything.
            flag("secure-port", 0),
        ];
        server.add(&scheduler, "kube-scheduler", &common)?;
        let mut flags = common.to_vec();
        flags.push(flag("service-account-private-key-file", server.folder.join("accounts.key").display()));
        flags.push(flag("root-ca-file", server.folder.join("ca.crt").display()));
        server.add(&controllers, "kube-controller-manager", &flags)?;
        server.wait_for("/api/v1/namespaces/default/serviceaccounts/default").await?;
        Ok(server)
    }

    /// Adds KWOK, which keeps all nodes ready and plays the pods on them.
    ///
    /// # Errors
    ///
    /// If it is missing or does not start.
    pub fn add_kwok(&mut self) -> Result<(), LaunchError> {
        let (kwok, stages) = self.programs.kwok.clone().ok_or(LaunchError::Absent("kwok"))?;
        let kubeconfig = self.kubeconfig()?;
        let flags = [
            flag("kubeconfig", kubeconfig.display()),
            flag("config", stages.display()),
            flag("manage-all-nodes", true),
            flag("node-lease-duration-seconds", 40),
        ];
        self.add(&kwok, "kwok", &flags)
    }

    async fn launch(programs: &Programs, with_controllers: bool) -> Result<Self, LaunchError> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("quotree-kube-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let authority = Authority::new(&folder)?;
        authority.client("admin", "admin", "system:masters")?;
        fs::write(folder.join("audit.json"), audit::POLICY)?;
        let [clients, peers, port] = free_ports()?;
        let store = format!("http://127.0.0.1:{clients}");
        let peers = format!("http://127.0.0.1:{peers}");
        let etcd = Process::start(
            &programs.etcd,
            &folder,
            "etcd",
            &[
                flag("data-dir", folder.join("etcd").display()),
                flag("listen-client-urls", &store),
                flag("advertise-client-urls", &store),
                flag("listen-peer-urls", &peers),
                flag("initial-advertise-peer-urls", &peers),
                flag("initial-cluster", format!("default={peers}")),
                // What is written need not survive the machine.
                "--unsafe-no-fsync".to_owned(),
            ],
        )?;
        let mut flags = flags(&folder, &store, port);
        if !with_controllers {
            // No controller makes the service account that each pod would need.
            flags.push(flag("disable-admission-plugins", "ServiceAccount"));
        }
        let apiserver = Process::start(&programs.apiserver, &folder, "kube-apiserver", &flags)?;
        let mut server = Self {
            programs: programs.clone(),
            folder,
            port,
            store: clients,
            authority,
            flags,
            read: Mutex::new(0),
            others: Vec::new(),
            apiserver,
            _etcd: etcd,
        };
        server.wait_until_ready().await?;
        Ok(server)
    }

    fn add(&mut self, program: &Path, name: &'static str, flags: &[String]) -> Result<(), LaunchError> {
        self.others.push(Process::start(program, &self.folder, name, flags)?);
        Ok(())
    }

    /// Kills the API server and starts it again on the same store: watches end, and connections are refused meanwhile.
    ///
    /// # Errors
    ///
    /// If it does not get ready again.
    pub async fn restart(&mut self) -> Result<(), LaunchError> {
        self.apiserver.kill().await?;
        self.apiserver = Process::start(&self.programs.apiserver, &self.folder, "kube-apiserver", &self.flags)?;
        self.wait_until_ready().await
    }

    /// Compacts etcd up to its latest revision: whoever asks for an older one gets 410, once the API server does not remember it
    /// either, as after [`RealServer::restart`].
    ///
    /// # Errors
    ///
    /// If etcd does not answer, or refuses.
    pub async fn compact(&self) -> Result<(), LaunchError> {
        let client = kube::Client::try_from(self.config())?;
        let list = http::Request::get("/api/v1/namespaces?limit=1").body(Vec::new()).unwrap_or_default();
        let list: serde_json::Value = client.request(list).await?;
        let revision = crate::value::text(&list, &["metadata", "resourceVersion"]);
        let body = serde_json::json!({ "revision": revision }).to_string();
        etcd::post(self.store, "/v3/kv/compaction", &body).await?;
        Ok(())
    }

    /// The requests since the last call, from the audit log.
    pub fn take_journal(&self) -> Vec<Record> {
        let Ok(mut read) = self.read.lock() else { return Vec::new() };
        let mut new = Vec::new();
        let log = fs::File::open(self.folder.join("audit.log"));
        let found = log.and_then(|mut log| {
            log.seek(io::SeekFrom::Start(*read))?;
            log.read_to_end(&mut new)
        });
        if found.is_err() {
            return Vec::new();
        }
        // The last line may be half written.
        let whole = new.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        *read += whole as u64;
        let lines = String::from_utf8_lossy(new.get(..whole).unwrap_or_default());
        lines.lines().filter_map(audit::record).collect()
    }

    /// Where it keeps its files and logs, until it is dropped.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Waits until the server says that it is ready and has its first namespaces.
    async fn wait_until_ready(&mut self) -> Result<(), LaunchError> {
        self.wait_for("/readyz").await?;
        self.wait_for("/api/v1/namespaces/kube-node-lease").await
    }

    /// Waits until a path is answered.
    async fn wait_for(&mut self, path: &str) -> Result<(), LaunchError> {
        let since = Instant::now();
        loop {
            self.apiserver.check()?;
            self.others.iter_mut().try_for_each(Process::check)?;
            if since.elapsed() > PATIENCE {
                let what = format!("did not answer {path} within {} s", PATIENCE.as_secs());
                return Err(self.apiserver.failed(what));
            }
            let client = kube::Client::try_from(self.config())?;
            if is_there(&client, path).await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        // The programs are killed right after; nothing in the folder is needed by then.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn flags(folder: &Path, store: &str, port: u16) -> Vec<String> {
    let file = |name: &str| folder.join(name).display().to_string();
    vec![
        flag("etcd-servers", store),
        flag("bind-address", "127.0.0.1"),
        flag("secure-port", port),
        flag("tls-cert-file", file("server.crt")),
        flag("tls-private-key-file", file("server.key")),
        flag("client-ca-file", file("ca.crt")),
        flag("service-account-issuer", "https://kubernetes.default.svc"),
        flag("service-account-key-file", file("accounts.pub")),
        flag("service-account-signing-key-file", file("accounts.key")),
        flag("service-cluster-ip-range", "10.0.0.0/24"),
        flag("allow-privileged", true),
        flag("authorization-mode", "Node,RBAC"),
        flag("audit-policy-file", file("audit.json")),
        flag("audit-log-path", file("audit.log")),
        // Megabytes: it begins no second file.
        flag("audit-log-maxsize", 100_000),
    ]
}

async fn is_there(client: &kube::Client, path: &str) -> bool {
    let Ok(request) = http::Request::get(path).body(Vec::new()) else { return false };
    let answer = tokio::time::timeout(Duration::from_secs(5), client.request_text(request)).await;
    matches!(answer, Ok(Ok(_)))
}
