//! One write of the controller. Nothing is sent while another process leads.

use super::{
    FINALIZER, Places,
    grants::{Key, Made},
    objects,
};
use crate::{clock::Clock, write::fence::Fence, write::requests::MANAGER};
use kube::{
    Api, Client, Error, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use quotree_core::Name;
use serde_json::{Value, json};
use std::time::Duration;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whose object it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// A User.
    User,
    /// A UserGroup.
    Group,
}

/// Sends writes.
#[derive(Clone)]
pub(super) struct Hand {
    pub(super) client: Client,
    pub(super) places: Places,
    pub(super) fence: Fence,
    pub(super) clock: Clock,
}

/// Where the API has a kind that is made for users.
pub(super) fn resource(made: Made) -> ApiResource {
    let rbac = |kind| GroupVersionKind::gvk("rbac.authorization.k8s.io", "v1", kind);
    match made {
        Made::Account => {
            ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("", "v1", "ServiceAccount"), "serviceaccounts")
        }
        Made::Binding => ApiResource::from_gvk_with_plural(&rbac("RoleBinding"), "rolebindings"),
        Made::ClusterBinding => ApiResource::from_gvk_with_plural(&rbac("ClusterRoleBinding"), "clusterrolebindings"),
    }
}

impl Hand {
    fn api(&self, key: &Key) -> Api<DynamicObject> {
        let resource = resource(key.made);
        if key.namespace == "" {
            return Api::all_with(self.client.clone(), &resource);
        }
        Api::namespaced_with(self.client.clone(), key.namespace.as_str(), &resource)
    }

    fn of(&self, of: Of) -> Api<DynamicObject> {
        let resource = if of == Of::User { objects::users() } else { objects::groups() };
        Api::namespaced_with(self.client.clone(), &self.places.system, &resource)
    }

    /// Waits for an answer. That an object is not there any more is no failure.
    async fn send<T>(&self, write: impl Future<Output = Result<T, Error>>) -> Result<(), String> {
        if !self.fence.allows(self.clock.now()) {
            return Err("another process leads".to_owned());
        }
        match tokio::time::timeout(PATIENCE, write).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(Error::Api(status))) => Err(status.message.clone()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no answer".to_owned()),
        }
    }

    /// Makes an object as it must be, whoever has changed it.
    pub(super) async fn apply(&self, key: &Key, object: &Value) -> Result<(), String> {
        let params = PatchParams::apply(MANAGER).force();
        self.send(self.api(key).patch_metadata(key.name.as_str(), &params, &Patch::Apply(object))).await
    }

    /// Deletes the object of this uid.
    pub(super) async fn delete(&self, key: &Key, uid: Option<String>) -> Result<(), String> {
        let preconditions = Some(Preconditions { uid, resource_version: None });
        let params = DeleteParams { preconditions, ..DeleteParams::default() };
        let (api, name) = (self.api(key), key.name.as_str());
        self.send(async {
            match api.delete(name, &params).await {
                Err(Error::Api(status)) if status.code == 404 => Ok(()),
                answer => answer.map(drop),
            }
        })
        .await
    }

    /// Writes the status of a User or UserGroup.
    pub(super) async fn status(&self, of: Of, name: &Name, status: &Value) -> Result<(), String> {
        let patch = Patch::Merge(json!({ "status": status }));
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        self.send(self.of(of).patch_status(name.as_str(), &params, &patch)).await
    }

    /// Adds our finalizer to a User or UserGroup, or takes it away, if the object has not changed meanwhile.
    pub(super) async fn keep(&self, of: Of, object: &DynamicObject, keep: bool) -> Result<(), String> {
        let others = object.finalizers().iter().map(String::as_str).filter(|name| *name != FINALIZER);
        let finalizers: Vec<&str> = others.chain(keep.then_some(FINALIZER)).collect();
        let version = object.resource_version();
        let patch = Patch::Merge(json!({ "metadata": { "resourceVersion": version, "finalizers": finalizers } }));
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        self.send(self.of(of).patch_metadata(&object.name_any(), &params, &patch)).await
    }
}
