//! A real API server: starts etcd and kube-apiserver in a folder of their own on loopback, and ends them when dropped.
//! There is no controller manager, scheduler or kubelet.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use std::{
    env, fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};
use tokio::process::{Child, Command};

/// Where the programs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    etcd: PathBuf,
    apiserver: PathBuf,
}

impl Programs {
    /// Those that `TEST_ASSET_ETCD` and `TEST_ASSET_KUBE_APISERVER` name, else those in the folder that
    /// `KUBEBUILDER_ASSETS` names, else those in `/usr/local/kubebuilder/bin`. None if either is missing.
    pub fn find() -> Option<Self> {
        let folder =
            env::var_os("KUBEBUILDER_ASSETS").map_or_else(|| "/usr/local/kubebuilder/bin".into(), PathBuf::from);
        let program = |variable: &str, name: &str| {
            let path = env::var_os(variable).map_or_else(|| folder.join(name), PathBuf::from);
            path.is_file().then_some(path)
        };
        Some(Self {
            etcd: program("TEST_ASSET_ETCD", "etcd")?,
            apiserver: program("TEST_ASSET_KUBE_APISERVER", "kube-apiserver")?,
        })
    }
}

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
    folder: PathBuf,
    port: u16,
    root: Vec<u8>,
    // In this order they are dropped: the server before its store.
    apiserver: Child,
    _etcd: Child,
}

impl RealServer {
    /// Starts a server and waits until it is ready: some seconds.
    ///
    /// # Errors
    ///
    /// If a program does not start or does not get ready.
    pub async fn start(programs: &Programs) -> Result<Self, LaunchError> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("quotree-kube-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let root = write_keys(&folder)?;
        let [clients, peers, port] = free_ports()?;
        let store = format!("http://127.0.0.1:{clients}");
        let peers = format!("http://127.0.0.1:{peers}");
        let data = folder.join("etcd");
        let etcd = spawn(
            &programs.etcd,
            &folder,
            "etcd",
            &[
                flag("data-dir", data.display()),
                flag("listen-client-urls", &store),
                flag("advertise-client-urls", &store),
                flag("listen-peer-urls", &peers),
                flag("initial-advertise-peer-urls", &peers),
                flag("initial-cluster", format!("default={peers}")),
                // What is written need not survive the machine.
                "--unsafe-no-fsync".to_owned(),
            ],
        )?;
        let file = |name: &str| folder.join(name).display().to_string();
        let apiserver = spawn(
            &programs.apiserver,
            &folder,
            "kube-apiserver",
            &[
                flag("etcd-servers", &store),
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
                flag("authorization-mode", "RBAC"),
                // No controller makes the service account that each pod would need.
                flag("disable-admission-plugins", "ServiceAccount"),
            ],
        )?;
        let mut server = Self { folder, port, root, apiserver, _etcd: etcd };
        server.wait().await?;
        Ok(server)
    }

    /// The configuration of the administrator's client.
    pub fn config(&self) -> kube::Config {
        let url =
            http::Uri::builder().scheme("https").authority(format!("127.0.0.1:{}", self.port)).path_and_query("/");
        let mut config = kube::Config::new(url.build().unwrap_or_default());
        config.root_cert = Some(vec![self.root.clone()]);
        let file = |name: &str| Some(self.folder.join(name).display().to_string());
        config.auth_info.client_certificate = file("admin.crt");
        config.auth_info.client_key = file("admin.key");
        config
    }

    /// Waits until the server says that it is ready and has its first namespaces.
    async fn wait(&mut self) -> Result<(), LaunchError> {
        let since = Instant::now();
        loop {
            if let Some(status) = self.apiserver.try_wait()? {
                return Err(self.failed(format!("ended with {status}")));
            }
            if since.elapsed() > PATIENCE {
                return Err(self.failed(format!("was not ready within {} s", PATIENCE.as_secs())));
            }
            let client = kube::Client::try_from(self.config())?;
            if is_there(&client, "/readyz").await && is_there(&client, "/api/v1/namespaces/kube-node-lease").await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn failed(&self, what: String) -> LaunchError {
        let log = fs::read_to_string(self.folder.join("kube-apiserver.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let log = lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n");
        LaunchError::Program { program: "kube-apiserver", what, log }
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        // The programs are killed right after; nothing in the folder is needed by then.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn flag(name: &str, value: impl std::fmt::Display) -> String {
    format!("--{name}={value}")
}

async fn is_there(client: &kube::Client, path: &str) -> bool {
    let Ok(request) = http::Request::get(path).body(Vec::new()) else { return false };
    let answer = tokio::time::timeout(Duration::from_secs(5), client.request_text(request)).await;
    matches!(answer, Ok(Ok(_)))
}

fn spawn(program: &Path, folder: &Path, name: &str, flags: &[String]) -> Result<Child, LaunchError> {
    let log = fs::File::create(folder.join(format!("{name}.log")))?;
    let mut command = Command::new(program);
    command.args(flags).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
    Ok(command.spawn()?)
}

/// Ports that are free now.
fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let listeners: Vec<TcpListener> = (0..N).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<Result<_, _>>()?;
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

/// Writes an authority, the certificates of the server and of an administrator, and the keys of service accounts. Returns
/// the certificate of the authority.
fn write_keys(folder: &Path) -> Result<Vec<u8>, LaunchError> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    authority.distinguished_name.push(DnType::CommonName, "quotree test authority");
    let key = KeyPair::generate()?;
    let root = authority.self_signed(&key)?;
    fs::write(folder.join("ca.crt"), root.pem())?;
    let issuer = Issuer::new(authority, key);

    let mut server = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut admin = CertificateParams::new(Vec::new())?;
    admin.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    admin.distinguished_name.push(DnType::CommonName, "admin");
    admin.distinguished_name.push(DnType::OrganizationName, "system:masters");
    for (name, parameters) in [("server", server), ("admin", admin)] {
        let key = KeyPair::generate()?;
        fs::write(folder.join(format!("{name}.crt")), parameters.signed_by(&key, &issuer)?.pem())?;
        fs::write(folder.join(format!("{name}.key")), key.serialize_pem())?;
    }
    let accounts = KeyPair::generate()?;
    fs::write(folder.join("accounts.key"), accounts.serialize_pem())?;
    fs::write(folder.join("accounts.pub"), accounts.public_key_pem())?;
    Ok(root.der().to_vec())
}
