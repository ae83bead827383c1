//! The structs that say when something must hold.

use super::super::Type;
use super::{
    field,
    shared::{CLAIM, ENTRY},
};

pub(in super::super) const TYPES: &[Type] = &[
    Type {
        name: "At",
        group: "claim",
        about: "at a time, after everything that happens at it",
        fields: &[&[field("time", "duration", "required", "when")], CLAIM],
    },
    Type { name: "Final", group: "claim", about: "at the end", fields: &[CLAIM] },
    Type { name: "Always", group: "claim", about: "after every event", fields: &[CLAIM] },
    Type { name: "Never", group: "claim", about: "after no event", fields: &[CLAIM] },
    Type {
        name: "Eventually",
        group: "claim",
        about: "after some event, at this time at the latest",
        fields: &[&[field("by", "duration", "required", "when at the latest")], CLAIM],
    },
    Type {
        name: "Within",
        group: "claim",
        about: "after every event between two times",
        fields: &[
            &[field("from", "duration", "required", "from when"), field("to", "duration", "required", "until when")],
            CLAIM,
        ],
    },
    Type {
        name: "StableFor",
        group: "claim",
        about: "nothing was bound or evicted for this long before the end",
        fields: &[&[field("time", "duration", "required", "how long")], ENTRY],
    },
];
