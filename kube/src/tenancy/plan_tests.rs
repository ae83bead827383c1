//! Users and groups as a table: what is there, and what comes of it.

use super::{
    Leaf, Places, Space, View,
    grants::{Grant, Made},
    objects::{Group, Kind, Meta, User},
    plan::{Plan, World, plan},
};
use quotree_core::Name;

/// Two leaves: `v` with the namespaces `vision` and `lab`, `s` with `speech`.
fn world() -> World {
    let leaf = |namespaces: &[&str]| Leaf {
        namespaces: namespaces.iter().map(|name| ((*name).into(), Space::Managed)).collect(),
        ..Leaf::default()
    };
    let leaves = [("v".into(), leaf(&["vision", "lab"])), ("s".into(), leaf(&["speech"]))].into();
    let mut world = World { view: View { leaves }, ..World::default() };
    world.groups.insert("seers".into(), group("v", 1));
    world.groups.insert("talkers".into(), group("s", 2));
    world.users.insert("alice".into(), user(&["seers"]));
    world
}

fn group(leaf: &str, created_ms: i64) -> Group {
    Group { meta: Meta { created_ms, kept: true, ..Meta::default() }, leaf: leaf.into() }
}

fn user(groups: &[&str]) -> User {
    User { groups: groups.iter().map(|name| Name::from(*name)).collect(), ..User::default() }
}

/// The grants in short: `alice`, `alice@vision`, `alice!` (the cluster), `alice!!` (accounts).
fn grants(plan: &Plan) -> String {
    let word = |grant: &Grant| match grant {
        Grant::Account(user) => user.to_string(),
        Grant::Researcher { user, namespace } => format!("{user}@{namespace}"),
        Grant::Admin(user) => format!("{user}!"),
        Grant::Accounts(user) => format!("{user}!!"),
    };
    plan.grants.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// The reasons of groups and users: `seers Bound`.
fn reasons(plan: &Plan) -> String {
    let all = plan.groups.iter().chain(&plan.users);
    all.map(|(name, said)| format!("{name} {}", said.reason)).collect::<Vec<_>>().join(", ")
}

#[test]
fn what_comes_of_users_and_groups() {
    type Change = fn(&mut World);
    let rows: &[(&str, Change, &str, &str)] = &[
        (
            "a member works in all namespaces of the leaf",
            |_| {},
            "alice alice@lab alice@vision",
            "seers Bound, talkers Bound, alice Bound",
        ),
        (
            "a moved one in the others",
            |world| world.users.get_mut("alice").unwrap().groups = vec!["talkers".into()],
            "alice alice@speech",
            "seers Bound, talkers Bound, alice Bound",
        ),
        (
            "of two groups in both, once each",
            |world| {
                world.users.get_mut("alice").unwrap().groups = vec!["talkers".into(), "seers".into(), "seers".into()]
            },
            "alice alice@lab alice@speech alice@vision",
            "seers Bound, talkers Bound, alice Bound",
        ),
        (
            "without a group only an account",
            |world| world.users.get_mut("alice").unwrap().groups.clear(),
            "alice",
            "seers Bound, talkers Bound, alice Bound",
        ),
        (
            "an administrator",
            |world| world.users.get_mut("alice").unwrap().kind = Kind::Admin,
            "alice alice@lab alice@vision alice! alice!!",
            "seers Bound, talkers Bound, alice Bound",
        ),
        (
            "suspended: nothing",
            |world| {
                world.users.insert("alice".into(), User { suspended: true, kind: Kind::Admin, ..user(&["seers"]) });
            },
            "",
            "seers Bound, talkers Bound, alice Suspended",
        ),
        (
            "being deleted: nothing",
            |world| world.users.get_mut("alice").unwrap().meta.leaving = true,
            "",
            "seers Bound, talkers Bound, alice Leaving",
        ),
        (
            "one group of two is missing: the other counts",
            |world| world.users.get_mut("alice").unwrap().groups.push("nobody".into()),
            "alice alice@lab alice@vision",
            "seers Bound, talkers Bound, alice GroupMissing",
        ),
        (
            "the leaf is not in the tree",
            |world| _ = world.view.leaves.remove("v"),
            "alice",
            "seers LeafMissing, talkers Bound, alice GroupNotReady",
        ),
        (
            "two groups of one leaf: the older has it",
            |world| _ = world.groups.insert("blind".into(), group("v", 3)),
            "alice alice@lab alice@vision",
            "blind LeafTaken, seers Bound, talkers Bound, alice Bound",
        ),
        (
            "of the same age: by name",
            |world| _ = world.groups.insert("all".into(), group("v", 1)),
            "alice",
            "all Bound, seers LeafTaken, talkers Bound, alice GroupNotReady",
        ),
        (
            "a group that is deleted, and work runs: nobody loses it",
            |world| {
                world.groups.get_mut("seers").unwrap().meta.leaving = true;
                world.view.leaves.get_mut("v").unwrap().pods = 2;
            },
            "alice alice@lab alice@vision",
            "seers RunningWork, talkers Bound, alice GroupNotReady",
        ),
        (
            "and no work runs",
            |world| world.groups.get_mut("seers").unwrap().meta.leaving = true,
            "alice",
            "seers Leaving, talkers Bound, alice GroupNotReady",
        ),
        (
            "a namespace that is not managed, and one that is not there",
            |world| {
                let leaf = world.view.leaves.get_mut("v").unwrap();
                leaf.namespaces[0].1 = Space::Unmanaged;
                leaf.namespaces.push(("later".into(), Space::Missing));
            },
            "alice alice@lab",
            "seers NamespaceClosed, talkers Bound, alice GroupNotReady",
        ),
        (
            "namespaces of the system are closed, whatever the tree says",
            |world| {
                let closed = ["kube-system", "kube-public", "quotree-system", "quotree-users"];
                let leaf = world.view.leaves.get_mut("s").unwrap();
                leaf.namespaces.extend(closed.map(|name| (name.into(), Space::Managed)));
                world.users.get_mut("alice").unwrap().groups = vec!["talkers".into()];
            },
            "alice alice@speech",
            "seers Bound, talkers NamespaceClosed, alice GroupNotReady",
        ),
    ];
    for (when, change, granted, said) in rows {
        let mut world = world();
        change(&mut world);
        let plan = plan(&world, &Places::default());
        assert_eq!((grants(&plan).as_str(), reasons(&plan).as_str()), (*granted, *said), "{when}");
        // Nobody is granted anything by another way than these roles, and nothing in a namespace of the system but accounts.
        for grant in &plan.grants {
            let (key, object) = (grant.key(&Places::default()), grant.object(&Places::default()));
            let role = object["roleRef"]["name"].as_str();
            assert!(key.made == Made::Account || role == Some("quotree-researcher") || role == Some("quotree-admin"));
            assert!(role != Some("quotree-researcher") || !Places::default().is_closed(key.namespace.as_str()));
            assert!(key.made != Made::ClusterBinding || matches!(grant, Grant::Admin(_)));
        }
    }
}

#[test]
fn a_group_says_what_runs() {
    let mut world = world();
    world.groups.get_mut("seers").unwrap().meta.leaving = true;
    let leaf = world.view.leaves.get_mut("v").unwrap();
    (leaf.pods, leaf.some) = (3, vec!["vision/a".to_owned(), "lab/b".to_owned()]);
    let plan = plan(&world, &Places::default());
    let why = "it is deleted once no pod of leaf `v` runs; 3 do: vision/a, lab/b, ... Its members keep their access until then";
    assert_eq!(plan.groups["seers"].message, why);
    assert!(plan.done.is_empty());
}
