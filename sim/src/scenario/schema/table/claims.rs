//! The structs that say when something must hold.

use super::super::Type;
use super::field;

pub(in super::super) const TYPES: &[Type] = &[
    Type {
        name: "At",
        group: "claim",
        about: "at a time, after everything that happens at it",
        fields: &[
            field("time", "duration", "required", "when"),
            field("claim", "what", "required", "what; may stand without its name"),
            field("because", "string", "absent", "why, in the author's words"),
            field("name", "string", "absent", "for `extends`: replaces the entry of this name"),
        ],
    },
    Type {
        name: "Final",
        group: "claim",
        about: "at the end",
        fields: &[
            field("claim", "what", "required", "what; may stand without its name"),
            field("because", "string", "absent", "why, in the author's words"),
            field("name", "string", "absent", "for `extends`: replaces the entry of this name"),
        ],
    },
    Type {
        name: "Always",
        group: "claim",
        about: "after every event",
        fields: &[
            field("claim", "what", "required", "what; may stand without its name"),
            field("because", "string", "absent", "why, in the author's words"),
            field("name", "string", "absent", "for `extends`: replaces the entry of this name"),
        ],
    },
    Type {
        name: "Never",
        group: "claim",
        about: "after no event",
        fields: &[
            field("claim", "what", "required", "what; may stand without its name"),
            field("because", "string", "absent", "why, in the author's words"),
            field("name", "string", "absent", "for `extends`: replaces the entry of this name"),
        ],
    },
    Type {
        name: "Eventually",
        group: "claim",
        about: "after some event, at this time at the latest",
        fields: &[
            field("by", "duration", "required", "when at the latest"),
            field("claim", "what", "required", "what; may stand without its name"),
            field("because", "string", "absent", "why, in the author's words"),
            field("name", "string", "absent", "for `extends`: replaces the entry of this name"),
        ],
    },
    Type {
        name: "Within",
        group: "claim",
        about: "after every event between two times",
        fields: &[
            field("from", "duration", "required", "from when"),
            field("to", "duration", "required", "until when"),
            field("claim", "what", "required", "what; may stand without its name"),
            field("because", "string", "absent", "why, in the author's words"),
            field("name", "string", "absent", "for `extends`: replaces the entry of this name"),
        ],
    },
    Type {
        name: "StableFor",
        group: "claim",
        about: "nothing was bound or evicted for this long before the end",
        fields: &[
            field("time", "duration", "required", "how long"),
            field("because", "string", "absent", "why, in the author's words"),
            field("name", "string", "absent", "for `extends`: replaces the entry of this name"),
        ],
    },
];
