//! Who may do what: the roles of `kube/config/base/tenancy.json`, as a table of access reviews, and as requests of people who
//! try more than that.

use crate::server::{Server, create};
use quotree_kube_testkit::Target;
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) const TENANCY: &str = include_str!("../../config/base/tenancy.json");
const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// Requests, and whether a researcher may make them in a namespace of their own, and an administrator in any namespace. In
/// namespaces of others a researcher may what is marked `all`.
pub(crate) const TABLE: &[(&str, &str, &str)] = &[
    // Request, researcher, administrator.
    ("create pods", "own", "no"),
    ("get pods", "own", "all"),
    ("list pods", "own", "all"),
    ("watch pods", "own", "all"),
    ("patch pods", "own", "no"),
    ("update pods", "own", "no"),
    ("delete pods", "own", "no"),
    ("deletecollection pods", "own", "no"),
    ("get pods/log", "own", "all"),
    ("create pods/exec", "own", "no"),
    ("create pods/eviction", "own", "all"),
    ("create pods/binding", "no", "no"),
    ("patch pods/status", "no", "no"),
    ("patch pods/resize", "no", "no"),
    ("create services", "own", "no"),
    ("create configmaps", "own", "no"),
    ("get secrets", "no", "no"),
    ("list secrets", "no", "no"),
    ("create secrets", "no", "no"),
    ("create deployments.apps", "own", "no"),
    ("patch deployments.apps/scale", "own", "no"),
    ("create daemonsets.apps", "no", "no"),
    ("create jobs.batch", "own", "no"),
    ("create pytorchjobs.kubeflow.org", "own", "no"),
    ("get persistentvolumeclaims", "own", "no"),
    ("create persistentvolumeclaims", "no", "no"),
    ("list events", "own", "all"),
    ("create events", "no", "no"),
    ("create rolebindings.rbac.authorization.k8s.io", "no", "all"),
    ("create roles.rbac.authorization.k8s.io", "no", "no"),
    ("create serviceaccounts", "no", "no"),
    ("create serviceaccounts/token", "no", "no"),
    ("remove schedulinggates.quotree.io", "no", "no"),
    ("get nodes", "all", "all"),
    ("patch nodes", "no", "no"),
    ("patch namespaces", "no", "all"),
    ("list elasticquotatrees.scheduling.sigs.k8s.io", "all", "all"),
    ("patch elasticquotatrees.scheduling.sigs.k8s.io", "no", "all"),
    ("create priorityclasses.scheduling.k8s.io", "no", "no"),
    ("create poddisruptionbudgets.policy", "no", "no"),
    ("update leases.coordination.k8s.io", "no", "no"),
    ("get users.quotree.io", "no", "all"),
    ("create users.quotree.io", "no", "all"),
    ("patch users.quotree.io", "no", "all"),
    ("patch users.quotree.io/status", "no", "no"),
    ("delete usergroups.quotree.io", "no", "all"),
    ("patch usergroups.quotree.io/status", "no", "no"),
    ("create clusterrolebindings.rbac.authorization.k8s.io", "no", "no"),
    ("create clusterroles.rbac.authorization.k8s.io", "no", "no"),
    ("escalate clusterroles.rbac.authorization.k8s.io", "no", "no"),
    ("bind clusterroles.rbac.authorization.k8s.io", "no", "no"),
    ("impersonate users", "no", "no"),
    ("impersonate serviceaccounts", "no", "no"),
];

/// Creates the roles, namespaces `vision` and `speech`, and a researcher in each: `alice` and `bob`.
async fn people(server: &Server) -> Target {
    let admin = server.target();
    admin.within("quotree-system").await.unwrap();
    create(&admin, &serde_json::from_str(TENANCY).unwrap()).await;
    for (name, user) in [("vision", "alice"), ("speech", "bob")] {
        let t = admin.within(name).await.unwrap();
        create(&t, &member(name, user)).await;
    }
    // A real server decides by what its watches of roles have shown it.
    admin.pass(Duration::from_secs(2)).await;
    admin
}

/// The binding that makes somebody a researcher of a namespace.
fn member(namespace: &str, user: &str) -> Value {
    json!({
        "apiVersion": RBAC, "kind": "RoleBinding", "metadata": { "name": user, "namespace": namespace },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "quotree-researcher" },
        "subjects": [{ "kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io" }],
    })
}

/// Whether the server allows a request of the table.
pub(crate) async fn is_allowed(t: &Target, user: &str, group: &str, namespace: &str, request: &str) -> bool {
    let (verb, resource) = request.split_once(' ').unwrap();
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let (resource, api_group) = resource.split_once('.').unwrap_or((resource, ""));
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": user, "groups": [group],
            "resourceAttributes": {
                "namespace": namespace, "verb": verb, "group": api_group, "resource": resource, "subresource": subresource,
            },
        },
    });
    let answer = t.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", review).await.unwrap();
    answer.at("/status/allowed").as_bool().unwrap()
}

pub(crate) async fn everybody_may_what_the_table_says(server: Server) {
    let admin = people(&server).await;
    let (mut cases, mut wrong) = (0, Vec::new());
    for (request, researcher, administrator) in TABLE {
        for namespace in ["vision", "speech", "kube-system"] {
            for (user, group, own, may) in [
                ("alice", "quotree:researchers", "vision", researcher),
                ("bob", "quotree:researchers", "speech", researcher),
                ("carol", "quotree:admins", "", administrator),
                ("mallory", "somebody", "", &"no"),
            ] {
                let expected = *may == "all" || *may == "own" && namespace == own;
                cases += 1;
                if is_allowed(&admin, user, group, namespace, request).await != expected {
                    wrong.push(format!("{user} in {namespace}: {request}: not {expected}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases >= 400, "{cases}");
    // In the namespace of the accounts an administrator gives tokens, and nowhere else.
    assert!(is_allowed(&admin, "carol", "quotree:admins", "quotree-users", "create serviceaccounts/token").await);
    assert!(!is_allowed(&admin, "alice", "quotree:researchers", "quotree-users", "create serviceaccounts/token").await);
}

pub(crate) async fn nobody_gets_more_than_they_have(server: Server) {
    let admin = people(&server).await;
    let (alice, carol) =
        (admin.as_user("alice", &["quotree:researchers"]), admin.as_user("carol", &["quotree:admins"]));
    for path in ["/api/v1/pods", "/api/v1/namespaces/speech/pods", "/api/v1/namespaces/kube-system/pods"] {
        assert_eq!(alice.get(path).await.unwrap().code, 403, "{path}");
    }
    assert_eq!(alice.get("/api/v1/namespaces/vision/pods").await.unwrap().code, 200);
    // Neither makes herself or others more than a researcher. `admin` and `edit` would say the same, but a controller fills them
    // from these.
    let bindings = |namespace: &str| format!("/apis/{RBAC}/namespaces/{namespace}/rolebindings");
    assert_eq!(alice.post(&bindings("speech"), member("speech", "alice")).await.unwrap().code, 403);
    for role in ["cluster-admin", "system:aggregate-to-admin", "system:aggregate-to-edit"] {
        let mut greedy = member("vision", "carol");
        greedy["roleRef"]["name"] = json!(role);
        let answer = carol.post(&bindings("vision"), greedy).await.unwrap();
        assert_eq!(answer.code, 403, "{role}: {}", answer.body);
    }
    // A moved researcher loses one namespace and gets the other, within seconds.
    assert_eq!(carol.post(&bindings("speech"), member("speech", "alice")).await.unwrap().code, 201);
    assert_eq!(carol.delete(&format!("{}/alice", bindings("vision")), json!({})).await.unwrap().code, 200);
    admin.pass(Duration::from_secs(5)).await;
    assert_eq!(alice.get("/api/v1/namespaces/vision/pods").await.unwrap().code, 403);
    assert_eq!(alice.get("/api/v1/namespaces/speech/pods").await.unwrap().code, 200);
}

/// The way of `docs/kubernetes.md`: an account, its binding, a token that ends, by the rights of an administrator.
pub(crate) async fn a_token_is_given_and_taken_back(server: Server) {
    let admin = people(&server).await;
    let carol = admin.as_user("carol", &["quotree:admins"]);
    let accounts = "/api/v1/namespaces/quotree-users/serviceaccounts";
    let account = json!({ "metadata": { "name": "dora" } });
    assert_eq!(carol.post(accounts, account).await.unwrap().code, 201);
    let mut binding = member("vision", "dora");
    binding["subjects"] = json!([{ "kind": "ServiceAccount", "name": "dora", "namespace": "quotree-users" }]);
    let path = format!("/apis/{RBAC}/namespaces/vision/rolebindings");
    assert_eq!(carol.post(&path, binding).await.unwrap().code, 201);
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": { "expirationSeconds": 28800, "audiences": [] },
    });
    let answer = carol.post(&format!("{accounts}/dora/token"), request).await.unwrap();
    assert_eq!(answer.code, 201, "{}", answer.body);
    let Some(dora) = server.with_token(answer.text("/status/token")) else { return };
    admin.pass(Duration::from_secs(2)).await;
    assert_eq!(dora.get("/api/v1/namespaces/vision/pods").await.unwrap().code, 200);
    assert_eq!(dora.get("/api/v1/nodes").await.unwrap().code, 200);
    assert_eq!(dora.get("/api/v1/namespaces/speech/pods").await.unwrap().code, 403);
    assert_eq!(carol.delete(&format!("{accounts}/dora"), json!({})).await.unwrap().code, 200);
    // A real server remembers the outcome of a token for ten seconds.
    for _ in 0..15 {
        if dora.get("/api/v1/namespaces/vision/pods").await.unwrap().code == 401 {
            return;
        }
        admin.pass(Duration::from_secs(1)).await;
    }
    panic!("the token outlives its account");
}
