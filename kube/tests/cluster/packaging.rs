//! What is installed on a cluster: each object of `kube/config`, as a real API server takes it with strict checks of its fields.

use crate::server::{Server, create};
use std::time::Duration;

const FILES: &[&str] = &[
    include_str!("../../config/base/elasticquotatree.json"),
    include_str!("../../config/base/users.json"),
    include_str!("../../config/base/rbac.json"),
    include_str!("../../config/base/tenancy.json"),
    include_str!("../../config/base/policies.json"),
    include_str!("../../config/base/flowschema.json"),
    include_str!("../../config/base/deployment.json"),
    include_str!("../../config/gate/rbac.json"),
    include_str!("../../config/gate/policies.json"),
    include_str!("../../config/authorize/rbac.json"),
    include_str!("../../config/bind/rbac.json"),
    include_str!("../../config/bind/policies.json"),
];

pub(crate) async fn every_object_is_valid(server: Server) {
    for text in FILES {
        create(&server.target(), &serde_json::from_str(text).unwrap()).await;
    }
    if !server.has_controllers() {
        return;
    }
    // The controller manager checks the types in their expressions.
    let path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
    for _ in 0..100 {
        let list = server.target().get(path).await.unwrap();
        let policies = list.at("/items").as_array().unwrap();
        if policies.iter().all(|policy| policy["status"]["typeChecking"].is_object()) {
            for policy in policies {
                let warnings = &policy["status"]["typeChecking"]["expressionWarnings"];
                assert!(warnings.is_null(), "{}: {warnings}", policy["metadata"]["name"]);
            }
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the policies were not checked");
}
