//! Who may do what, and tokens.

use crate::fixtures::{Expect, config_map};
use quotree_kube_testkit::Target;
use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// Lets a group get and list config maps and evict pods, in the namespace of the case.
async fn readers(t: &Target, group: &str) {
    let role = json!({
        "apiVersion": RBAC, "kind": "Role", "metadata": { "name": "reader" },
        "rules": [
            { "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"] },
            { "apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"] },
            { "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["one"], "verbs": ["get"] },
        ],
    });
    t.post(&t.of(RBAC, "roles"), role).await.code(201);
    let binding = json!({
        "apiVersion": RBAC, "kind": "RoleBinding", "metadata": { "name": "readers" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader" },
        "subjects": [
            { "kind": "Group", "name": group, "apiGroup": "rbac.authorization.k8s.io" },
            { "kind": "ServiceAccount", "name": "robot", "namespace": t.namespace },
        ],
    });
    t.post(&t.of(RBAC, "rolebindings"), binding).await.code(201);
    settle(t).await;
}

/// A real server decides by what its watches of roles have shown it, a moment later.
async fn settle(t: &Target) {
    t.pass(std::time::Duration::from_secs(1)).await;
}

pub(crate) async fn roles_decide(t: Target) {
    let group = format!("{}-team", t.namespace);
    t.post(&t.core("configmaps"), config_map("a", json!({}))).await.code(201);
    let alice = t.as_user("alice", &[&group]);
    alice.get(&t.core("configmaps/a")).await.refused(403, "Forbidden");
    readers(&t, &group).await;
    alice.get(&t.core("configmaps/a")).await.code(200);
    alice.delete(&t.core("configmaps/a"), json!({})).await.refused(403, "Forbidden");
    alice.get("/api/v1/namespaces/default/configmaps").await.refused(403, "Forbidden");
    alice.get("/api/v1/configmaps").await.refused(403, "Forbidden");
    let bob = t.as_user("bob", &[]);
    bob.get(&t.core("configmaps/a")).await.refused(403, "Forbidden");
    let path = t.of(RBAC, "rolebindings/readers");
    let other = json!({ "roleRef": { "name": "other" } });
    t.patch(&path, quotree_kube_testkit::store::PatchType::Merge, other).await.refused(422, "Invalid");
    t.delete(&path, json!({})).await.code(200);
    settle(&t).await;
    alice.get(&t.core("configmaps/a")).await.refused(403, "Forbidden");
}

pub(crate) async fn reviews(t: Target) {
    let group = format!("{}-team", t.namespace);
    readers(&t, &group).await;
    let attributes = |verb: &str, resource: &str, subresource: &str, name: &str| json!({ "namespace": t.namespace, "verb": verb, "resource": resource, "subresource": subresource, "name": name });
    let path = t.cluster("authorization.k8s.io/v1", "subjectaccessreviews");
    for (verb, resource, subresource, name, expected) in [
        ("get", "configmaps", "", "", true),
        ("update", "configmaps", "", "", false),
        ("create", "pods", "eviction", "", true),
        ("create", "pods", "", "", false),
        ("get", "secrets", "", "one", true),
        ("get", "secrets", "", "two", false),
    ] {
        let body = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": { "user": "alice", "groups": [group], "resourceAttributes": attributes(verb, resource, subresource, name) },
        });
        let answer = t.post(&path, body).await.code(201);
        assert_eq!(answer["status"]["allowed"], expected, "{verb} {resource}/{subresource} {name}");
    }
    let own = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": attributes("delete", "configmaps", "", "") },
    });
    let path = t.cluster("authorization.k8s.io/v1", "selfsubjectaccessreviews");
    assert_eq!(t.post(&path, own).await.code(201)["status"]["allowed"], true, "the administrator may do all");
}

pub(crate) async fn tokens_of_service_accounts(t: Target) {
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "robot" } });
    t.post(&t.core("serviceaccounts"), account).await.code(201);
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" } });
    t.post(&t.core("secrets"), secret).await.code(201);
    let request = |seconds: u64, bound: Value| {
        json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": { "expirationSeconds": seconds, "audiences": [], "boundObjectRef": bound },
        })
    };
    let path = t.core("serviceaccounts/robot/token");
    t.post(&path, request(599, Value::Null)).await.refused(422, "Invalid");
    t.post(&t.core("serviceaccounts/none/token"), request(600, Value::Null)).await.refused(404, "NotFound");
    let bound = json!({ "apiVersion": "v1", "kind": "Secret", "name": "s" });
    let answer = t.post(&path, request(600, bound)).await.code(201);
    let token = answer["status"]["token"].as_str().unwrap();
    assert!(answer["status"]["expirationTimestamp"].is_string());
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": { "token": token } });
    let reviews = t.cluster("authentication.k8s.io/v1", "tokenreviews");
    let known = t.post(&reviews, review.clone()).await.code(201);
    let user = format!("system:serviceaccount:{}:robot", t.namespace);
    assert_eq!(known["status"]["user"]["username"], user.as_str(), "{known}");
    t.delete(&t.core("secrets/s"), json!({})).await.code(200);
    ends(&t, &review, "the end of the secret ends the token").await;
    // So does the end of the account, and another one of its name does not know it.
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "robot" } });
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" } });
    t.post(&t.core("secrets"), secret).await.code(201);
    let bound = json!({ "apiVersion": "v1", "kind": "Secret", "name": "s" });
    let answer = t.post(&path, request(600, bound)).await.code(201);
    t.delete(&t.core("serviceaccounts/robot"), json!({})).await.code(200);
    t.post(&t.core("serviceaccounts"), account).await.code(201);
    let token = answer["status"]["token"].as_str().unwrap();
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": { "token": token } });
    ends(&t, &review, "the end of the account ends the token").await;
}

/// Waits until a token is nobody's: a real server remembers the outcome of a token for ten seconds.
async fn ends(t: &Target, review: &Value, why: &str) {
    let reviews = t.cluster("authentication.k8s.io/v1", "tokenreviews");
    for _ in 0..15 {
        if t.post(&reviews, review.clone()).await.code(201)["status"]["authenticated"] != true {
            return;
        }
        t.pass(std::time::Duration::from_secs(1)).await;
    }
    panic!("{why}");
}

pub(crate) async fn impersonation(t: Target) {
    let alice = t.as_user("alice", &["some-group"]);
    let path = t.cluster("authentication.k8s.io/v1", "selfsubjectreviews");
    let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let who = alice.post(&path, body).await.code(201);
    assert_eq!(who["status"]["userInfo"]["username"], "alice");
    let groups = who["status"]["userInfo"]["groups"].as_array().unwrap();
    assert!(groups.contains(&json!("some-group")) && groups.contains(&json!("system:authenticated")));
}
