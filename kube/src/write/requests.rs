//! One request, and the look at a pod after a request of which nobody knows what came of it.
//!
//! `Api::evict` of `kube` would send its preconditions where the API server does not read them, so evictions and bindings
//! are typed bodies of subresources. The client must not retry by itself: a second send could meet its own success.

use crate::{
    act::{bind::binding, gate::admission},
    actor::Intent,
    settings::Mode,
    watch::{SeenPod, pod, slim::SlimPod},
};
use k8s_openapi::{
    api::{
        core::v1::{ObjectReference, Pod},
        events::v1::Event,
    },
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{
    Api, Client, Error,
    api::{Patch, PatchParams, PostParams},
    core::{ApiResource, Status},
};
use serde_json::json;
use std::time::Duration;

/// Who writes, in `managedFields` and in Events.
pub const MANAGER: &str = "quotree-scheduler";

/// How long an answer is waited for. The API server itself retries evictions for ten seconds.
const fn patience(intent: &Intent) -> Duration {
    match intent {
        Intent::Evict { .. } => Duration::from_secs(15),
        _ => Duration::from_secs(10),
    }
}

/// Sends a write once. `None` if there is no answer.
pub(crate) async fn send(client: &Client, mode: Mode, intent: &Intent, now_ms: i64) -> Option<Status> {
    let sent = async {
        match intent {
            Intent::Bind { pod, node, pin, devices, .. } => {
                let pods: Api<Pod> = Api::namespaced(client.clone(), pod.namespace.as_str());
                if mode == Mode::Bind {
                    let body = binding(pod, node, *devices);
                    pods.create_subresource::<_, Status>("binding", pod.name.as_str(), &posted(), &body).await
                } else {
                    let patch = Patch::Strategic(admission(pod, pin.as_ref()));
                    pods.patch_metadata(pod.name.as_str(), &patched(), &patch).await.map(|_| Status::success())
                }
            }
            Intent::Evict { pod, unplaced, .. } => {
                let pods: Api<Pod> = Api::namespaced(client.clone(), pod.namespace.as_str());
                // Somebody may have placed it, and the watch not shown it yet.
                let preconditions = if *unplaced {
                    json!({ "uid": pod.uid, "resourceVersion": pod.version })
                } else {
                    json!({ "uid": pod.uid })
                };
                let body = json!({
                    "apiVersion": "policy/v1", "kind": "Eviction",
                    "metadata": { "namespace": pod.namespace, "name": pod.name },
                    "deleteOptions": { "preconditions": preconditions },
                });
                pods.create_subresource::<_, Status>("eviction", pod.name.as_str(), &posted(), &body).await
            }
            Intent::Condition { pod, admitted, reason, message } => {
                let pods: Api<Pod> = Api::namespaced(client.clone(), pod.namespace.as_str());
                let patch = Patch::Strategic(json!({
                    "metadata": { "uid": pod.uid },
                    "status": { "conditions": [{
                        "type": crate::report::CONDITION, "status": if *admitted { "True" } else { "False" },
                        "reason": reason, "message": message, "lastTransitionTime": stamp(now_ms),
                    }] },
                }));
                pods.patch_status(pod.name.as_str(), &patched(), &patch).await.map(|_| Status::success())
            }
            // It takes an eviction out of the queue and is no write.
            Intent::TakeBack { .. } => Ok(Status::success()),
            Intent::Event { .. } => {
                let Some(event) = event(intent, now_ms) else { return Ok(Status::success()) };
                let namespace = event.metadata.namespace.clone().unwrap_or_default();
                let events: Api<Event> = Api::namespaced(client.clone(), &namespace);
                events.create(&posted(), &event).await.map(|_| Status::success())
            }
        }
    };
    match tokio::time::timeout(patience(intent), sent).await {
        Ok(Ok(status)) => Some(status),
        Ok(Err(Error::Api(status))) => Some(*status),
        Ok(Err(_)) | Err(_) => None,
    }
}

/// Looks at the pod of a write: `Ok(None)` if there is none of its name.
pub(crate) async fn look(client: &Client, intent: &Intent) -> Result<Option<SeenPod>, String> {
    let key = intent.pod();
    let resource = ApiResource::erase::<Pod>(&());
    let pods: Api<SlimPod> = Api::namespaced_with(client.clone(), key.namespace.as_str(), &resource);
    match tokio::time::timeout(patience(intent), pods.get_opt(key.name.as_str())).await {
        Ok(Ok(Some(object))) => pod(&object).map(Some).map_err(|mistake| mistake.to_string()),
        Ok(Ok(None)) => Ok(None),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer".to_owned()),
    }
}

fn posted() -> PostParams {
    PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() }
}

fn patched() -> PatchParams {
    PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() }
}

fn time(ms: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default()
}

fn stamp(ms: i64) -> String {
    time(ms).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The Event object of an intent.
fn event(intent: &Intent, now_ms: i64) -> Option<Event> {
    let Intent::Event { about, related, reason, action, note } = intent else { return None };
    let reference = |pod: &crate::actor::PodKey| ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Pod".to_owned()),
        namespace: Some(pod.namespace.to_string()),
        name: Some(pod.name.to_string()),
        uid: Some(pod.uid.to_string()),
        ..ObjectReference::default()
    };
    Some(Event {
        metadata: ObjectMeta {
            namespace: Some(about.namespace.to_string()),
            generate_name: Some(format!("{}-", about.name)),
            ..ObjectMeta::default()
        },
        action: Some((*action).to_owned()),
        event_time: Some(MicroTime(time(now_ms))),
        note: Some(note.clone()),
        reason: Some((*reason).to_owned()),
        regarding: Some(reference(about)),
        related: related.as_ref().map(reference),
        reporting_controller: Some(format!("quotree.io/{MANAGER}")),
        reporting_instance: Some(MANAGER.to_owned()),
        type_: Some("Normal".to_owned()),
        ..Event::default()
    })
}
