//! The structs that say who there is: users, groups, and the changes of both.

use super::super::Type;
use super::{field, shared::compared};

pub(in super::super) const TYPES: &[Type] = &[
    Type {
        name: "User",
        group: "user",
        about: "somebody who submits",
        fields: &[&[
            field("name", "name", "required", "unique among users"),
            field(
                "role",
                "one of Researcher, Admin",
                "`Researcher`",
                "an admin edits the tree, users, groups and machines, besides",
            ),
            field("groups", "list of name", "none", "the groups it is in; in none, it can use no quota"),
        ]],
    },
    Type {
        name: "Group",
        group: "group",
        about: "users that share a leaf",
        fields: &[&[
            field("name", "name", "required", "unique among groups"),
            field("quota", "name", "required", "its leaf of the tree; a leaf has one group at most"),
        ]],
    },
    Type {
        name: "MoveNamespace",
        group: "change",
        about: "a namespace moves to another leaf; refused while pods run in it (T3)",
        fields: &[&[
            field("namespace", "name", "required", "which"),
            field("to", "name", "on no leaf", "its new leaf"),
        ]],
    },
    Type {
        name: "AddUser",
        group: "change",
        about: "a user comes",
        fields: &[&[
            field("user", "name", "required", "its name"),
            field("role", "one of Researcher, Admin", "`Researcher`", "what it may do"),
            field("groups", "list of name", "none", "the groups it is in"),
        ]],
    },
    Type {
        name: "EditUser",
        group: "change",
        about: "a user gets another role or other groups; what it has submitted stays in",
        fields: &[&[
            field("user", "name", "required", "which"),
            field("role", "one of Researcher, Admin", "unchanged", "the new role"),
            field("groups", "list of name", "unchanged", "the new list"),
        ]],
    },
    Type {
        name: "RemoveUser",
        group: "change",
        about: "a user goes; what it has submitted stays in",
        fields: &[&[field("user", "name", "required", "which")]],
    },
    Type {
        name: "AddGroup",
        group: "change",
        about: "a group comes, without members",
        fields: &[&[
            field("group", "name", "required", "its name"),
            field("quota", "name", "required", "its leaf of the tree as it then is"),
        ]],
    },
    Type {
        name: "EditGroup",
        group: "change",
        about: "a group is bound to another leaf; refused while pods run that its members submitted",
        fields: &[&[field("group", "name", "required", "which"), field("quota", "name", "required", "its new leaf")]],
    },
    Type {
        name: "RemoveGroup",
        group: "change",
        about: "a group goes, its members stay; refused while pods run that they submitted as members",
        fields: &[&[field("group", "name", "required", "which")]],
    },
    Type {
        name: "User",
        group: "whose",
        about: "what a user submitted",
        fields: &[&[field("name", "name", "required", "which")]],
    },
    Type {
        name: "Group",
        group: "whose",
        about: "what members of a group submitted into its leaf",
        fields: &[&[field("name", "name", "required", "which")]],
    },
    Type {
        name: "UsedTime",
        group: "what",
        about: "a resource times the time it was used, exact: 2 devices for 30 minutes are `1h`; of memory, in GiB",
        fields: &[
            &[field("of", "whose", "`All`", "by whom"), field("resource", "name", "required", "of what")],
            &compared("duration"),
        ],
    },
    Type {
        name: "BorrowedTime",
        group: "what",
        about: "a resource times the time it was borrowed, exact: what of a leaf's use is above its min, and of the pods that started last",
        fields: &[
            &[field("of", "whose", "`All`", "by whom"), field("resource", "name", "required", "of what")],
            &compared("duration"),
        ],
    },
    Type {
        name: "StarvedTime",
        group: "what",
        about: "a resource times the time it was missed, exact: what a leaf lacks of its min while pods that ask for it wait, and of the pods that wait longest",
        fields: &[
            &[field("of", "whose", "`All`", "by whom"), field("resource", "name", "required", "of what")],
            &compared("duration"),
        ],
    },
    Type {
        name: "Refused",
        group: "what",
        about: "submissions and edits refused so far; of a trace, each row counts",
        fields: &[
            &[
                field("of", "whose", "anybody's", "whose submissions; of a user, its edits, too"),
                field(
                    "why",
                    "one of UnknownUser, NoGroup, WrongGroup, NoLeaf, NotAdmin, NotOwner, LeafNamed, GroupAtWork, \
                 NamespaceInUse, Invalid",
                    "for any reason",
                    "for what reason",
                ),
            ],
            &compared("whole number"),
        ],
    },
];
