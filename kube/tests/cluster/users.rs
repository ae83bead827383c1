//! Users and groups as objects: what is made of them, what they may then do, and how that ends.

use crate::{
    server::{Server, create},
    tenancy::{TABLE, TENANCY, is_allowed},
    world::World,
};
use kube::Client;
use quotree_kube::{
    run::{Outlets, Runner},
    serve::board::Board,
    settings::{Mode, Settings},
    tenancy::{
        Places,
        kubeconfig::{Wish, give, revoke},
    },
    watch::streams::TreeSource,
    write::{self, fence::Fence},
};
use quotree_kube_testkit::{Target, access::User, store::PatchType};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

const USERS: &str = include_str!("../../config/base/users.json");
const RBAC: &str = "rbac.authorization.k8s.io/v1";
const OURS: &str = "quotree.io/v1alpha1";

/// A cluster with two teams, and the scheduler that keeps users.
struct Company {
    world: World,
    /// An administrator.
    carol: Target,
    scheduler: JoinHandle<()>,
}

impl Drop for Company {
    fn drop(&mut self) {
        self.scheduler.abort();
    }
}

fn tree(leaves: &[(&str, &str)]) -> Value {
    let leaf = |(name, namespace): &(&str, &str)| json!({ "name": name, "min": { "cpu": "4" }, "max": { "cpu": "8" }, "namespaces": [namespace] });
    let children: Vec<Value> = leaves.iter().map(leaf).collect();
    json!({ "name": "root", "min": { "cpu": "8" }, "max": { "cpu": "8" }, "children": children })
}

const LEAVES: [(&str, &str); 2] = [("v", "vision"), ("s", "speech")];

impl Company {
    async fn new(server: Server) -> Self {
        let root = server.target();
        let world = World::new(server, Mode::Gate, &[("node-1", 16)], &["speech", "vision"], tree(&LEAVES)).await;
        for text in [USERS, TENANCY] {
            create(&root, &serde_json::from_str(text).unwrap()).await;
        }
        for namespace in ["speech", "vision"] {
            let labels = json!({ "metadata": { "labels": { "quotree.io/managed": "true" } } });
            let path = root.cluster("v1", &format!("namespaces/{namespace}"));
            assert_eq!(root.patch(&path, PatchType::Merge, labels).await.unwrap().code, 200);
        }
        let scheduler = start(&world.server).await;
        let carol = root.as_user("carol", &["quotree:admins"]);
        let mut company = Self { world, carol, scheduler };
        // A real server decides by what its watches of roles have shown it.
        company.world.pass(3).await;
        for (group, leaf) in [("seers", "v"), ("talkers", "s")] {
            company.put("UserGroup", group, json!({ "leaf": leaf })).await;
        }
        company
    }

    fn path(&self, kind: &str, name: &str) -> String {
        let plural = if kind == "User" { "users" } else { "usergroups" };
        self.carol.cluster(OURS, &format!("namespaces/quotree-system/{plural}/{name}"))
    }

    /// Creates an object, as the administrator.
    async fn put(&self, kind: &str, name: &str, spec: Value) {
        let object = json!({
            "apiVersion": OURS, "kind": kind, "metadata": { "name": name, "namespace": "quotree-system" }, "spec": spec,
        });
        create(&self.carol, &object).await;
    }

    async fn patch(&self, kind: &str, name: &str, spec: Value) {
        let answer = self.carol.patch(&self.path(kind, name), PatchType::Merge, json!({ "spec": spec })).await.unwrap();
        assert_eq!(answer.code, 200, "{}", answer.body);
    }

    async fn delete(&self, kind: &str, name: &str) {
        let answer = self.carol.delete(&self.path(kind, name), json!({})).await.unwrap();
        assert_eq!(answer.code, 200, "{}", answer.body);
    }

    /// The reason and the message of the condition; `gone` if the object is.
    async fn said(&self, kind: &str, name: &str) -> (String, String) {
        let answer = self.carol.get(&self.path(kind, name)).await.unwrap();
        if answer.code == 404 {
            return ("gone".to_owned(), String::new());
        }
        let of = |field: &str| answer.text(&format!("/status/conditions/0/{field}")).to_owned();
        (of("reason"), of("message"))
    }

    /// Waits until the condition has this reason, and returns its message.
    async fn comes_to(&mut self, kind: &str, name: &str, reason: &str) -> String {
        for _ in 0..40 {
            let (is, message) = self.said(kind, name).await;
            if is == reason {
                return message;
            }
            self.world.pass_ms(500).await;
        }
        panic!("{kind} {name} is {:?} and not {reason}", self.said(kind, name).await);
    }

    /// Whether the account of a user may do something in a namespace.
    async fn may(&self, user: &str, namespace: &str, request: &str) -> bool {
        let name = format!("system:serviceaccount:quotree-users:{user}");
        is_allowed(&self.world.server.target(), &name, "system:serviceaccounts:quotree-users", namespace, request).await
    }

    /// Waits at most 5 s until the account of a user may or may not create pods in a namespace.
    async fn may_soon(&mut self, user: &str, namespace: &str, expected: bool) {
        for _ in 0..10 {
            if self.may(user, namespace, "create pods").await == expected {
                return;
            }
            self.world.pass_ms(500).await;
        }
        panic!("after 5 s {user} in {namespace}: not {expected}");
    }

    /// How many objects of these kinds are labelled for a user.
    async fn made_for(&self, user: &str) -> usize {
        let root = self.world.server.target();
        let mut count = 0;
        for path in [
            "/api/v1/namespaces/quotree-users/serviceaccounts".to_owned(),
            format!("/apis/{RBAC}/rolebindings"),
            format!("/apis/{RBAC}/clusterrolebindings"),
        ] {
            let list = root.get(&format!("{path}?labelSelector=quotree.io/user={user}")).await.unwrap();
            count += list.at("/items").as_array().unwrap().len();
        }
        count
    }

    /// A client of an administrator.
    fn client(&self) -> Client {
        match &self.world.server {
            Server::Fake(server) => server.client_of(User::new("carol", &["quotree:admins"])),
            Server::Real(server, _) => {
                let mut config = server.config();
                config.auth_info.impersonate = Some("carol".to_owned());
                config.auth_info.impersonate_groups = Some(vec!["quotree:admins".to_owned()]);
                write::client(config).unwrap()
            }
        }
    }

    /// Whose token it is, by the API server; empty if it is nobody's.
    async fn whose(&self, token: &str) -> String {
        let review =
            json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": { "token": token } });
        let answer =
            self.world.server.target().post("/apis/authentication.k8s.io/v1/tokenreviews", review).await.unwrap();
        answer.text("/status/user/username").to_owned()
    }

    /// Waits until a token is nobody's: a real server remembers the outcome of a token for ten seconds.
    async fn ends(&mut self, token: &str, why: &str) {
        for _ in 0..15 {
            if self.whose(token).await.is_empty() {
                return;
            }
            self.world.pass(1).await;
        }
        panic!("the token lives on: {why}");
    }
}

/// Starts the scheduler with its users, by its own rights.
async fn start(server: &Server) -> JoinHandle<()> {
    let settings = Settings { users: true, ..Settings::new(Mode::Gate) };
    let source = TreeSource { namespace: "kube-system".to_owned(), name: "tree".to_owned() };
    let (client, clock, fence) = (server.client().await, server.clock(), Fence::open());
    let log: fn(&str) = |line| eprintln!("{line}");
    let outlets = Outlets { log, board: Board::default(), tape: None };
    tokio::spawn(async move {
        let runner = Runner::new(&client, client.clone(), settings, &source, clock, fence.clone(), outlets);
        runner.with_users(&client, client.clone(), Places::default(), fence).run().await;
    })
}

/// The token in a kubeconfig.
fn token_of(text: &str) -> String {
    let line = text.lines().find_map(|line| line.trim().strip_prefix("token: ")).unwrap();
    line.trim_matches('"').to_owned()
}

pub(crate) async fn they_come_move_and_go(server: Server) {
    let mut company = Company::new(server).await;
    company.put("User", "alice", json!({ "groups": ["seers"], "displayName": "Alice" })).await;
    company.put("User", "dora", json!({ "type": "admin" })).await;
    let message = company.comes_to("User", "alice", "Bound").await;
    assert_eq!(message, "works in 1 namespaces");
    company.comes_to("User", "dora", "Bound").await;
    company.comes_to("UserGroup", "seers", "Bound").await;
    company.may_soon("alice", "vision", true).await;
    let (mut wrong, mut cases) = (Vec::new(), 0);
    for (request, researcher, administrator) in TABLE {
        for namespace in ["vision", "speech", "kube-system", "quotree-system"] {
            for (user, own, may) in [("alice", "vision", researcher), ("dora", "", administrator), ("eve", "", &"no")] {
                // Every account of this namespace sees nodes and the tree.
                let viewer = *researcher == "all";
                let expected = *may == "all" || *may == "own" && namespace == own || viewer;
                cases += 1;
                if company.may(user, namespace, request).await != expected {
                    wrong.push(format!("{user} in {namespace}: {request}: not {expected}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(company.may("dora", "quotree-users", "create serviceaccounts/token").await);
    assert!(!company.may("alice", "quotree-users", "get secrets").await);
    // Moved: one namespace for the other, within 5 s.
    company.patch("User", "alice", json!({ "groups": ["talkers"] })).await;
    company.may_soon("alice", "vision", false).await;
    company.may_soon("alice", "speech", true).await;
    assert_eq!(company.made_for("alice").await, 2);
    // What somebody else changes is mended, what somebody else adds in our name is taken away.
    let root = company.world.server.target();
    let binding = root.cluster(RBAC, "namespaces/speech/rolebindings/quotree-user-alice");
    assert_eq!(root.patch(&binding, PatchType::Merge, json!({ "subjects": [] })).await.unwrap().code, 200);
    company.may_soon("alice", "speech", false).await;
    company.may_soon("alice", "speech", true).await;
    // Suspended: everything goes, and comes again.
    company.patch("User", "alice", json!({ "suspended": true })).await;
    company.comes_to("User", "alice", "Suspended").await;
    company.may_soon("alice", "speech", false).await;
    company.patch("User", "alice", json!({ "suspended": false })).await;
    company.may_soon("alice", "speech", true).await;
    // No administrator any more.
    company.patch("User", "dora", json!({ "type": "researcher" })).await;
    company.comes_to("User", "dora", "Bound").await;
    company.world.pass(3).await;
    assert!(!company.may("dora", "vision", "create users.quotree.io").await);
    assert!(!company.may("dora", "quotree-users", "create serviceaccounts/token").await);
    // An account that was there before is nobody's.
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "robot", "namespace": "quotree-users" } });
    create(&root, &account).await;
    company.put("User", "robot", json!({ "groups": ["seers"] })).await;
    company.comes_to("User", "robot", "NameTaken").await;
    assert!(!company.may("robot", "vision", "create pods").await);
    // Deleted: the object goes when nothing is left.
    company.delete("User", "alice").await;
    company.comes_to("User", "alice", "gone").await;
    assert_eq!(company.made_for("alice").await, 0);
    company.may_soon("alice", "speech", false).await;
}

pub(crate) async fn groups_stay_while_work_runs(server: Server) {
    let mut company = Company::new(server).await;
    company.put("User", "bob", json!({ "groups": ["talkers", "lost"] })).await;
    company.put("UserGroup", "lost", json!({ "leaf": "nowhere" })).await;
    let why = company.comes_to("UserGroup", "lost", "LeafMissing").await;
    assert_eq!(why, "the quota tree that is in force has no leaf `nowhere`");
    company.put("UserGroup", "zz-late", json!({ "leaf": "s" })).await;
    company.comes_to("UserGroup", "zz-late", "LeafTaken").await;
    company.comes_to("User", "bob", "GroupNotReady").await;
    company.may_soon("bob", "speech", true).await;
    company.world.replica_set("speech", "talk", 1, 2).await;
    company.world.pass(12).await;
    company.delete("UserGroup", "talkers").await;
    company.comes_to("UserGroup", "talkers", "RunningWork").await;
    // The scheduler names the pods when it looks next.
    company.world.pass(12).await;
    let why = company.comes_to("UserGroup", "talkers", "RunningWork").await;
    assert!(why.starts_with("it is deleted once no pod of leaf `s` runs; 1 do: speech/talk-"), "{why}");
    assert!(company.may("bob", "speech", "delete pods").await, "else nobody could end it");
    // The tree cannot lose the leaf meanwhile.
    let root = company.world.server.target();
    let path = root.cluster("scheduling.sigs.k8s.io/v1beta1", "namespaces/kube-system/elasticquotatrees/tree");
    let only = json!({ "spec": { "root": tree(&LEAVES[..1]) } });
    assert_eq!(root.patch(&path, PatchType::Merge, only).await.unwrap().code, 200);
    company.world.pass(12).await;
    let conditions = company.world.tree().await["status"]["conditions"].clone();
    let accepted = conditions.as_array().unwrap().iter().find(|one| one["type"] == "Accepted").unwrap();
    assert_eq!(accepted["status"], "False", "{conditions}");
    assert!(accepted["message"].as_str().unwrap().starts_with("GroupBound: "), "{accepted}");
    company.world.scale("speech", "talk", 0).await;
    company.comes_to("UserGroup", "talkers", "gone").await;
    company.delete("UserGroup", "zz-late").await;
    company.comes_to("UserGroup", "zz-late", "gone").await;
    company.may_soon("bob", "speech", false).await;
    for _ in 0..30 {
        let tree = company.world.tree().await;
        if tree["status"]["root"]["children"].as_array().is_some_and(|children| children.len() == 1) {
            return;
        }
        company.world.pass(1).await;
    }
    panic!("the leaf is still there: {}", company.world.tree().await["status"]);
}

pub(crate) async fn tokens_end(server: Server) {
    let mut company = Company::new(server).await;
    company.put("User", "alice", json!({ "groups": ["seers"] })).await;
    company.comes_to("User", "alice", "Bound").await;
    let (client, places) = (company.client(), Places::default());
    let wish =
        |user: &str, seconds| Wish { user: user.to_owned(), seconds, server: "https://api.example:6443".to_owned() };
    let given = give(&client, &places, &wish("alice", 3600)).await.unwrap();
    assert_eq!(given.namespaces, ["vision"]);
    assert!(
        given.text.contains("server: \"https://api.example:6443\"") && given.text.contains("namespace: \"vision\"")
    );
    let (first, second) = (token_of(&given.text), give(&client, &places, &wish("alice", 600)).await.unwrap());
    let second = token_of(&second.text);
    let account = "system:serviceaccount:quotree-users:alice";
    assert_eq!((company.whose(&first).await.as_str(), company.whose(&second).await.as_str()), (account, account));
    if let Some(alice) = company.world.server.with_token(&first) {
        assert_eq!(alice.get("/api/v1/namespaces/vision/pods").await.unwrap().code, 200);
        assert_eq!(alice.get("/api/v1/namespaces/speech/pods").await.unwrap().code, 403);
    }
    for (user, why) in
        [("nobody", "there is no User quotree-system/nobody"), ("Bad Name", "`Bad Name` is no name of a User")]
    {
        let error = give(&client, &places, &wish(user, 3600)).await.unwrap_err();
        assert!(error.contains(why), "{error}");
    }
    assert!(give(&client, &places, &wish("alice", 599)).await.unwrap_err().contains("10 minutes"));
    // In memory time can pass until one ends by itself.
    if company.world.fake().is_some() {
        company.world.pass(601).await;
        assert_eq!((company.whose(&first).await.as_str(), company.whose(&second).await.as_str()), (account, ""));
    }
    assert_eq!(revoke(&client, &places, "alice").await, Ok(2), "the refused one left nothing behind");
    company.ends(&first, "it was revoked").await;
    assert_eq!(revoke(&client, &places, "alice").await, Ok(0));
    // A suspended user has no account, and a new one does not know old tokens.
    let third = token_of(&give(&client, &places, &wish("alice", 3600)).await.unwrap().text);
    company.patch("User", "alice", json!({ "suspended": true })).await;
    company.ends(&third, "the user is suspended").await;
    let error = give(&client, &places, &wish("alice", 3600)).await.unwrap_err();
    assert!(error.starts_with("User alice has no account: there is no account and no access until"), "{error}");
    company.patch("User", "alice", json!({ "suspended": false })).await;
    company.comes_to("User", "alice", "Bound").await;
    assert_eq!(company.whose(&third).await, "");
    let fourth = token_of(&give(&client, &places, &wish("alice", 3600)).await.unwrap().text);
    company.delete("User", "alice").await;
    company.ends(&fourth, "the user is deleted").await;
    // By the rights of a researcher nobody gives tokens, nor by those of the scheduler.
    let scheduler = company.world.server.client().await;
    let error = give(&scheduler, &places, &wish("alice", 3600)).await.unwrap_err();
    assert!(error.contains("there is no User") || error.contains("cannot"), "{error}");
}

/// The schema of the CRDs, and the policy that keeps researchers out of namespaces of the system.
pub(crate) async fn what_the_server_itself_refuses(server: Server) {
    let company = Company::new(server).await;
    let root = company.world.server.target();
    create(&root, &serde_json::from_str(include_str!("../../config/base/policies.json")).unwrap()).await;
    create(&root, &serde_json::from_str(include_str!("../../config/gate/policies.json")).unwrap()).await;
    for (name, policy) in [("pushy", "PreemptLowerPriority"), ("patient", "Never")] {
        let class = json!({
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": { "name": name }, "value": 100,
            "preemptionPolicy": policy,
        });
        create(&root, &class).await;
    }
    let post = async |kind: &str, name: &str, spec: Value| {
        let object = json!({ "apiVersion": OURS, "kind": kind, "metadata": { "name": name }, "spec": spec });
        let answer = company.carol.post(company.path(kind, "").trim_end_matches('/'), object).await.unwrap();
        (answer.code, answer.text("/message").to_owned())
    };
    for (kind, name, spec, why) in [
        ("User", "a.b", json!({}), "at most 50 letters, digits and dashes"),
        ("User", &"x".repeat(51), json!({}), "at most 50 letters, digits and dashes"),
        ("User", "default", json!({}), "which is nobody's"),
        ("User", "eve", json!({ "type": "root" }), "Unsupported value"),
        ("User", "eve", json!({ "groups": ["seers", "seers"] }), "Duplicate value"),
        ("UserGroup", "none", json!({}), "spec.leaf"),
    ] {
        let (code, message) = post(kind, name, spec).await;
        assert!(code == 422 && message.contains(why), "{kind} {name}: {code} {message}");
    }
    assert_eq!(post("User", "eve", json!({})).await.0, 201);
    let path = company.path("UserGroup", "seers");
    let moved = company.carol.patch(&path, PatchType::Merge, json!({ "spec": { "leaf": "s" } })).await.unwrap();
    assert!(moved.code == 422 && moved.text("/message").contains("does not change"), "{}", moved.body);
    // The policy counts a moment after it was created.
    company.carol.pass(std::time::Duration::from_secs(3)).await;
    company.carol.within("plain").await.unwrap();
    let bind = async |namespace: &str| {
        let binding = json!({
            "apiVersion": RBAC, "kind": "RoleBinding", "metadata": { "name": "eve", "namespace": namespace },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "quotree-researcher" },
            "subjects": [{ "kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io" }],
        });
        let answer =
            company.carol.post(&format!("/apis/{RBAC}/namespaces/{namespace}/rolebindings"), binding).await.unwrap();
        (answer.code, answer.text("/message").to_owned())
    };
    assert_eq!(bind("vision").await.0, 201);
    for (namespace, why) in [
        ("kube-system", "of the system"),
        ("quotree-system", "of the system"),
        ("quotree-users", "of the system"),
        ("plain", "quotree.io/managed=true"),
    ] {
        let (code, message) = bind(namespace).await;
        assert!(code == 403 && message.contains(why), "{namespace}: {code} {message}");
    } // Somebody labels the namespace of the scheduler: its pods are not gated, else it would never start again.
    let labels = json!({ "metadata": { "labels": { "quotree.io/managed": "true" } } });
    for (namespace, gated) in [("quotree-system", false), ("kube-system", false), ("vision", true)] {
        let path = format!("/api/v1/namespaces/{namespace}");
        assert_eq!(company.carol.patch(&path, PatchType::Merge, labels.clone()).await.unwrap().code, 200);
        let spec = json!({ "containers": [{ "name": "main", "image": "example.com/nothing:1" }], "automountServiceAccountToken": false });
        let pod = json!({ "metadata": { "generateName": "p-" }, "spec": spec });
        root.pass(std::time::Duration::from_secs(1)).await;
        let made = root.post(&format!("{path}/pods"), pod).await.unwrap();
        let gates = made.at("/spec/schedulingGates");
        assert_eq!((made.code, gates.is_array()), (201, gated), "{namespace}: {}", made.body);
    }
    // In gate mode the kube-scheduler must have no reason to evict anybody.
    company.carol.pass(std::time::Duration::from_secs(2)).await;
    let eve = root.as_user("eve", &[]);
    for (class, why) in [
        ("", ""),
        ("patient", ""),
        ("pushy", "preemptionPolicy: Never"),
        ("system-cluster-critical", "priority classes of the system"),
    ] {
        let mut spec = json!({ "containers": [{ "name": "main", "image": "example.com/nothing:1" }] });
        if !class.is_empty() {
            spec["priorityClassName"] = json!(class);
        }
        let pod = json!({ "metadata": { "generateName": "p-" }, "spec": spec });
        let answer = eve.post("/api/v1/namespaces/vision/pods", pod).await.unwrap();
        let expected = if why.is_empty() { 201 } else { 403 };
        assert!(answer.code == expected && answer.text("/message").contains(why), "{class}: {}", answer.body);
    }
}
