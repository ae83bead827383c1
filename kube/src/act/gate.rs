//! Gate mode: one PATCH removes our gate and pins the pod to its node. The kube-scheduler then filters and binds.

use crate::actor::PodKey;
use quotree_core::Name;
use quotree_k8s::names;
use serde_json::{Value, json};

/// The strategic-merge patch that admits a pod. It names the uid and the resourceVersion, so it cannot meet another pod, or
/// one that has changed meanwhile.
///
/// ```
/// use quotree_kube::{act::gate::admission, actor::PodKey};
/// let pod = PodKey { namespace: "ml".into(), name: "train-0".into(), uid: "u1".into(), version: "7".into() };
/// let patch = admission(&pod, Some(&"node-3".into()));
/// assert_eq!(patch["spec"]["schedulingGates"][0]["$patch"], "delete");
/// assert_eq!(patch["spec"]["nodeSelector"]["kubernetes.io/hostname"], "node-3");
/// ```
#[must_use]
pub fn admission(pod: &PodKey, pin: Option<&Name>) -> Value {
    let mut patch = json!({
        "metadata": { "uid": pod.uid, "resourceVersion": pod.version },
        "spec": { "schedulingGates": [{ "name": names::GATE, "$patch": "delete" }] },
    });
    if let (Some(hostname), Some(spec)) = (pin, patch.get_mut("spec").and_then(Value::as_object_mut)) {
        spec.insert("nodeSelector".to_owned(), json!({ names::HOSTNAME: hostname }));
    }
    patch
}
