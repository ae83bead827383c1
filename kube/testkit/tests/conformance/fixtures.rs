//! Objects of the cases, and answers that must be.

use quotree_kube_testkit::{Answer, Silence, Target, Watching};
use serde_json::{Value, json};

/// The configuration of a client that sends nothing twice: the cases look at the first answer.
pub(crate) fn quiet(config: kube::Config) -> kube::Config {
    let mut config = config;
    config.default_retry = false;
    config
}

/// What the answer to a request must be.
pub(crate) trait Expect {
    /// The body of an answer with this code.
    fn code(self, code: u16) -> Value;
    /// The answer of this code and reason.
    fn refused(self, code: u16, reason: &str) -> Answer;
}

impl Expect for Result<Answer, Silence> {
    #[track_caller]
    fn code(self, code: u16) -> Value {
        let answer = self.expect("an answer");
        assert_eq!(answer.code, code, "{}", answer.body);
        answer.body
    }

    #[track_caller]
    fn refused(self, code: u16, reason: &str) -> Answer {
        let answer = self.expect("an answer");
        assert_eq!((answer.code, answer.reason()), (code, reason), "{}", answer.body);
        answer
    }
}

pub(crate) fn config_map(name: &str, data: Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": data })
}

pub(crate) fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
        "spec": { "containers": [{ "name": "main", "image": "example.com/nothing:1" }] },
    })
}

/// A pod with our gate.
pub(crate) fn gated(name: &str) -> Value {
    let mut pod = pod(name);
    pod["spec"]["schedulingGates"] = json!([{ "name": "quotree.io/quota" }]);
    pod
}

/// A pod that runs on a node, and is ready.
pub(crate) async fn running(t: &Target, name: &str, labels: Value) -> Value {
    let mut pod = pod(name);
    pod["metadata"]["labels"] = labels;
    pod["spec"]["nodeName"] = json!("node-of-the-case");
    t.post(&t.core("pods"), pod).await.code(201);
    let status = json!({ "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] } });
    let of = quotree_kube_testkit::store::PatchType::Merge;
    t.patch(&t.core(&format!("pods/{name}/status")), of, status).await.code(200)
}

/// A budget that selects `app: NAME`, whose controller says how many may go.
pub(crate) async fn budget(t: &Target, name: &str, app: &str, allowed: i64) -> Value {
    let path = t.of("policy/v1", "poddisruptionbudgets");
    let body = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": name },
        "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": app } } },
    });
    t.post(&path, body).await.code(201);
    let status = json!({ "status": {
        "observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": 1 + allowed, "desiredHealthy": 1, "expectedPods": 2,
    } });
    let of = quotree_kube_testkit::store::PatchType::Merge;
    t.patch(&format!("{path}/{name}/status"), of, status).await.code(200)
}

pub(crate) fn version(object: &Value) -> &str {
    object["metadata"]["resourceVersion"].as_str().unwrap_or_default()
}

pub(crate) fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

/// `ADDED a`, for each event.
pub(crate) fn events(events: &[Value]) -> Vec<String> {
    let one = |event: &Value| {
        let text = |pointer| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        format!("{} {}", text("/type"), text("/object/metadata/name")).trim_end().to_owned()
    };
    events.iter().map(one).collect()
}

/// Lets a watch with a timeout of one second end, and tells what it showed.
pub(crate) async fn until_end(t: &Target, watch: &mut Watching) -> Vec<Value> {
    t.pass(std::time::Duration::from_millis(1100)).await;
    watch.rest().await.expect("the watch ends in time")
}
