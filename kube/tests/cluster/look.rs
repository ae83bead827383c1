//! What users see of a cluster.

use crate::world::World;
use quotree_kube_testkit::amounts;
use serde_json::Value;

impl World {
    /// All pods of a namespace.
    pub(crate) async fn pods(&self, namespace: &str) -> Vec<Value> {
        let t = &self.namespaces[namespace];
        t.get(&t.core("pods")).await.unwrap().body["items"].as_array().unwrap().clone()
    }

    /// The quota tree.
    pub(crate) async fn tree(&self) -> Value {
        let target = self.server.target();
        let path = target.cluster("scheduling.sigs.k8s.io/v1beta1", "namespaces/kube-system/elasticquotatrees/tree");
        target.get(&path).await.unwrap().body
    }

    /// LI7: what the status of the tree says is used is a recount of the pods. It is written at most every 5 s.
    pub(crate) async fn shows_a_recount(&mut self) {
        let mut broken = Vec::new();
        for _ in 0..20 {
            let status = self.tree().await["status"]["root"].clone();
            self.laws.shown(|quota, resource| used(&status, quota, resource));
            broken = self.laws.take_broken();
            if broken.is_empty() {
                return;
            }
            self.pass(1).await;
        }
        panic!("{broken:?}");
    }

    /// How many pods of each namespace run, and are not being deleted.
    pub(crate) async fn running(&self) -> Vec<usize> {
        let mut running = Vec::new();
        for namespace in self.namespaces.keys() {
            let pods = self.pods(namespace).await;
            let runs =
                |pod: &&Value| pod["status"]["phase"] == "Running" && pod["metadata"]["deletionTimestamp"].is_null();
            running.push(pods.iter().filter(runs).count());
        }
        running
    }

    /// What the condition of each pod without a node says, as `reason: message`.
    pub(crate) async fn waiting(&self, namespace: &str) -> Vec<String> {
        let pods = self.pods(namespace).await;
        let waiting = pods.iter().filter(|pod| pod["spec"]["nodeName"].is_null());
        waiting.map(|pod| condition(pod).unwrap_or_default()).collect()
    }

    /// The Events of the adapter about pods of a namespace, as `reason: note`.
    pub(crate) async fn events(&self, namespace: &str) -> Vec<String> {
        let t = &self.namespaces[namespace];
        let list = t.get(&t.of("events.k8s.io/v1", "events")).await.unwrap();
        let text = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let items = list.body["items"].as_array().unwrap().iter();
        let ours = items.filter(|event| event["reportingController"] == "quotree.io/quotree-scheduler");
        ours.map(|event| format!("{}: {}", text(event, "reason"), text(event, "note"))).collect()
    }
}

/// What the status of a quota, or of those below it, says is used, in thousandths.
fn used(status: &Value, quota: &str, resource: &str) -> Option<i128> {
    if status["name"] == quota {
        return Some(amounts::quantity(&status["used"][resource])).filter(|_| status["used"].is_object());
    }
    status["children"].as_array()?.iter().find_map(|child| used(child, quota, resource))
}

/// Our condition of a pod, as `reason: message`.
pub(crate) fn condition(pod: &Value) -> Option<String> {
    let conditions = pod["status"]["conditions"].as_array()?;
    let ours = conditions.iter().find(|condition| condition["type"] == "quotree.io/QuotaAdmitted")?;
    Some(format!("{}: {}", ours["reason"].as_str()?, ours["message"].as_str()?))
}
