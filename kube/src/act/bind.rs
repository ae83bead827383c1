//! Bind mode: we POST the Binding.

use crate::actor::PodKey;
use quotree_core::{DeviceSet, Name};
use quotree_k8s::Loss;
use serde_json::{Value, json};

/// Annotation with the devices of the node that a pod gets, by index: `0,3`.
pub const DEVICES: &str = "quotree.io/devices";

/// The Binding of a pod. The API server does not look at the node, but at the uid.
#[must_use]
pub fn binding(pod: &PodKey, node: &Name, devices: DeviceSet) -> Value {
    let mut metadata = json!({ "namespace": pod.namespace, "name": pod.name, "uid": pod.uid });
    let list: Vec<String> = devices.iter().map(|device| device.to_string()).collect();
    if let (false, Some(metadata)) = (list.is_empty(), metadata.as_object_mut()) {
        metadata.insert("annotations".to_owned(), json!({ DEVICES: list.join(",") }));
    }
    json!({
        "apiVersion": "v1", "kind": "Binding", "metadata": metadata,
        "target": { "apiVersion": "v1", "kind": "Node", "name": node },
    })
}

/// Whether a pod with this must not be bound by us: nobody would check what it asks for. In gate mode the kube-scheduler does.
#[must_use]
pub const fn is_refused(loss: Loss) -> bool {
    use Loss::{HostPorts, PodAffinity, PodAntiAffinity, ResourceClaims, Spread, VolumeClaims};
    matches!(loss, PodAffinity | PodAntiAffinity | Spread | ResourceClaims | HostPorts | VolumeClaims)
}
