//! The API server of a cluster, whichever it is, with what the adapter needs on it: the CRD, and a user that may do what
//! `kube/config/**/rbac.json` says and no more.

use kube::Client;
use quotree_core::Time;
use quotree_kube::{clock::Clock, settings::Mode, write};
use quotree_kube_testkit::{
    FakeServer, Target,
    access::User,
    journal::Record,
    real::{Programs, RealServer, Wire},
};
use serde_json::{Value, json};
use std::{path::PathBuf, time::Duration};

const CRD: &str = include_str!("../../config/base/elasticquotatree.json");
const RBAC: &str = include_str!("../../config/base/rbac.json");
const RBAC_GATE: &str = include_str!("../../config/gate/rbac.json");
const RBAC_BIND: &str = include_str!("../../config/bind/rbac.json");

/// The user that the adapter is.
pub(crate) const ADAPTER: &str = "system:serviceaccount:quotree-system:quotree-scheduler";

/// The server.
pub(crate) enum Server {
    /// In memory, in virtual time.
    Fake(FakeServer),
    /// A kube-apiserver, and whether a kube-scheduler and the controller manager run beside it.
    Real(Box<RealServer>, bool),
}

impl Server {
    /// A server in memory.
    pub(crate) fn fake() -> Self {
        Self::Fake(FakeServer::new())
    }

    /// A real one, with its controllers where their programs are; `None` if the test is skipped.
    pub(crate) async fn real(test: &str) -> Option<Self> {
        let programs = Programs::for_test(test).unwrap()?;
        let all = programs.has_controllers();
        let server = if all { RealServer::start_cluster(&programs).await } else { RealServer::start(&programs).await };
        Some(Self::Real(Box::new(server.unwrap()), all))
    }

    /// The server as the administrator sees it.
    pub(crate) fn target(&self) -> Target {
        match self {
            Self::Fake(server) => Target::fake(server, server.client()),
            Self::Real(server, _) => Target::real(write::client(server.config()).unwrap()),
        }
    }

    /// Whether controllers of Kubernetes run, so that no stand-ins must.
    pub(crate) const fn has_controllers(&self) -> bool {
        matches!(self, Self::Real(_, true))
    }

    /// Says that a test is skipped that needs them.
    pub(crate) fn is_without_controllers(test: &str) {
        quotree_kube_testkit::real::skipped(test, "there is no kube-scheduler: kube/tools/build --all makes it");
    }

    /// Creates the CRD, the service account of the adapter, and its roles for a mode.
    pub(crate) async fn prepare(&self, mode: Mode) {
        let target = self.target();
        let of_mode = if mode == Mode::Bind { RBAC_BIND } else { RBAC_GATE };
        for text in [CRD, RBAC, of_mode] {
            create(&target, &serde_json::from_str(text).unwrap()).await;
        }
    }

    /// The client of the adapter. It sends nothing twice.
    pub(crate) async fn client(&self) -> Client {
        match self {
            Self::Fake(server) => {
                let groups = ["system:serviceaccounts", "system:serviceaccounts:quotree-system"];
                server.client_of(User::new(ADAPTER, &groups))
            }
            Self::Real(server, _) => write::client(server.config_with(&self.token().await)).unwrap(),
        }
    }

    /// A real server as whoever has this token sees it.
    pub(crate) fn with_token(&self, token: &str) -> Option<Target> {
        match self {
            Self::Fake(_) => None,
            Self::Real(server, _) => Some(Target::real(write::client(server.config_with(token)).unwrap())),
        }
    }

    /// A kubeconfig of the adapter; `None` in memory.
    pub(crate) async fn kubeconfig(&self) -> Option<PathBuf> {
        match self {
            Self::Fake(_) => None,
            Self::Real(server, _) => Some(server.kubeconfig_with("adapter", &self.token().await).unwrap()),
        }
    }

    /// A wire to a real server, and the kubeconfig of the adapter by which it is used.
    pub(crate) async fn wire(&self) -> (Wire, PathBuf) {
        let Self::Real(server, _) = self else { panic!("wires lead to real servers") };
        let wire = Wire::to(server).await.unwrap();
        let kubeconfig = server.kubeconfig_by(&wire, "adapter", &self.token().await).unwrap();
        (wire, kubeconfig)
    }

    /// A token of the adapter's service account.
    pub(crate) async fn token(&self) -> String {
        let path = "/api/v1/namespaces/quotree-system/serviceaccounts/quotree-scheduler/token";
        let body = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": { "expirationSeconds": 3600, "audiences": [] },
        });
        let answer = self.target().post(path, body).await.unwrap();
        answer.text("/status/token").to_owned()
    }

    /// The clock of the adapter: that of the server.
    pub(crate) fn clock(&self) -> Clock {
        match self {
            Self::Fake(server) => Clock::starting_at(Time(u64::try_from(server.now().as_millisecond()).unwrap())),
            Self::Real(..) => Clock::of_the_machine(),
        }
    }

    /// Lets the time of a server in memory pass; that of a real one passes by itself.
    pub(crate) fn advance(&self, time: Duration) {
        if let Self::Fake(server) = self {
            server.advance(time);
        }
    }

    /// Kills a real API server, and starts it again.
    pub(crate) async fn restart(&mut self) {
        if let Self::Real(server, _) = self {
            server.restart().await.unwrap();
        }
    }

    /// The requests since the last call.
    pub(crate) fn take_journal(&self) -> Vec<Record> {
        match self {
            Self::Fake(server) => server.take_journal(),
            Self::Real(server, _) => server.take_journal(),
        }
    }
}

/// Creates an object, or the objects of a List. A real server refuses fields that it does not know.
pub(crate) async fn create(target: &Target, object: &Value) {
    if let Some(items) = object["items"].as_array() {
        for item in items {
            Box::pin(create(target, item)).await;
        }
        return;
    }
    let kind = object["kind"].as_str().unwrap().to_lowercase();
    let plural = match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind.ends_with('s') => format!("{kind}es"),
        None => format!("{kind}s"),
    };
    let rest = match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("namespaces/{namespace}/{plural}"),
        None => plural,
    };
    let path = target.cluster(object["apiVersion"].as_str().unwrap(), &rest);
    // A resource of a new CRD is served a moment later.
    for _ in 0..50 {
        let answer = target.post(&format!("{path}?fieldValidation=Strict"), object.clone()).await.unwrap();
        if answer.code != 404 {
            assert_eq!(answer.code, 201, "{path}: {}", answer.body);
            return;
        }
        target.pass(Duration::from_millis(100)).await;
    }
    panic!("{path} is not served");
}
