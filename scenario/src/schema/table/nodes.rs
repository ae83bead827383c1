//! The structs that say what befalls nodes, and what else is edited. Which nodes is said by one of the fields `node`, `pool`, `rack` and `zone`.

use super::super::{Field, Type};
use super::{field, shared::compared};

const NODES: &[Field] = &[
    field("node", "name", "one of the four", "one node; may stand without its name"),
    field("pool", "name", "one of the four", "all nodes of a pool"),
    field("rack", "name", "one of the four", "all nodes of a rack"),
    field("zone", "name", "one of the four", "all nodes of a zone"),
];
const OF_POOL: &[Field] = &[field("pool", "name", "all nodes", "of which pool; may stand without its name")];

pub(in super::super) const TYPES: &[Type] = &[
    Type {
        name: "Autoscale",
        group: "autoscale",
        about: "nodes come for demand that only lacks room, never for demand that a quota refuses, and go when they are idle",
        fields: &[&[
            field("min", "whole number", "0", "there are never fewer; `count` are there at first"),
            field("max", "whole number", "required", "there are never more"),
            field("delay_up", "time", "`0s`", "from the demand to the node"),
            field("idle_down", "duration", "required", "a node without pods goes after this long"),
        ]],
    },
    Type {
        name: "Faults",
        group: "faults",
        about: "nodes fail and are repaired, again and again",
        fields: &[
            NODES,
            &[
                field("mtbf", "time", "required", "from the start, or a repair, to the next failure"),
                field("mttr", "time", "required", "from a failure to its repair"),
                field("from", "duration", "`0s`", "the clock of the first failure starts here"),
                field("until", "duration", "the end of the world", "nothing fails after this"),
                field(
                    "name",
                    "name",
                    "that of the nodes",
                    "the label of its streams; for `extends`: replaces the entry",
                ),
            ],
        ],
    },
    Type {
        name: "SetClass",
        group: "change",
        about: "a priority class gets another number: pods made from then on by who names it have it (of a trace, rows that name no number), those that are there keep theirs",
        fields: &[&[
            field("class", "name", "required", "which; may stand without its name"),
            field("priority", "whole number", "required", "the new number; may stand without its name"),
        ]],
    },
    Type {
        name: "EditWorkload",
        group: "change",
        about: "a workload is edited, with its waiting and running pods: all instances, tasks, and rows",
        fields: &[&[
            field("workload", "name", "required", "which; may stand without its name"),
            field("priority", "whole number", "unchanged", "the new priority; a number, whatever class it had"),
            field("preemptible", "bool", "unchanged", "whether its pods may be evicted"),
        ]],
    },
    Type {
        name: "RackDown",
        group: "change",
        about: "all nodes of a rack fail; each is back when nothing holds it down any more",
        fields: &[&[field("rack", "name", "required", "which")]],
    },
    Type {
        name: "RackUp",
        group: "change",
        about: "a rack is back",
        fields: &[&[field("rack", "name", "required", "which")]],
    },
    Type {
        name: "Outage",
        group: "change",
        about: "nodes fail together, and are back after a while",
        fields: &[NODES, &[field("for", "duration", "required", "how long it lasts")]],
    },
    Type {
        name: "Drain",
        group: "change",
        about: "nodes are closed to new pods and emptied: their pods are told to go, as far as disruption budgets let them, \
                gangs whole; `Uncordon` ends it",
        fields: &[
            NODES,
            &[
                field("within", "duration", "as long as it takes", "how long it tries"),
                field("kill", "bool", "false", "whether pods that are still there then are killed"),
            ],
        ],
    },
    Type {
        name: "AddNodes",
        group: "change",
        about: "further nodes of a pool join, named onwards",
        fields: &[&[
            field("pool", "name", "required", "which; may stand without its name"),
            field("count", "whole number", "1", "how many; may stand without its name"),
        ]],
    },
    Type {
        name: "RemoveNodes",
        group: "change",
        about: "nodes are taken out for good",
        fields: &[
            NODES,
            &[
                field("count", "whole number", "all", "how many of those that are there, the last ones first"),
                field(
                    "drain",
                    "duration",
                    "absent",
                    "they are drained first, for so long at most; absent: their pods are lost",
                ),
            ],
        ],
    },
    Type {
        name: "EditNodes",
        group: "change",
        about: "nodes are relabelled or resized; pods that would not fit any more stay until they end",
        fields: &[
            NODES,
            &[
                field("allocatable", "amounts", "unchanged", "these resources get these amounts, others keep theirs"),
                field("labels", "map of string", "unchanged", "these labels get these values, others keep theirs"),
                field("taints", "list of name", "unchanged", "the new taints"),
            ],
        ],
    },
    Type {
        name: "Slow",
        group: "change",
        about: "work on nodes goes at another speed from now on; a gang works as fast as its slowest member",
        fields: &[NODES, &[field("speed", "ratio", "required", "part of full speed; 1 ends it")]],
    },
    Type { name: "NodesUp", group: "what", about: "nodes that are up", fields: &[OF_POOL, &compared("whole number")] },
    Type {
        name: "NodeTime",
        group: "what",
        about: "how long nodes were there, up or not, all together",
        fields: &[OF_POOL, &compared("duration")],
    },
    Type {
        name: "Cost",
        group: "what",
        about: "what nodes that were there cost, up or not, in whole thousandths; of somebody, what their pods paid of it",
        fields: &[
            OF_POOL,
            &[field("of", "whose", "the whole", "whose pods paid; not together with `pool`")],
            &compared("quantity"),
        ],
    },
    Type {
        name: "Drained",
        group: "what",
        about: "pods that drains told to go so far",
        fields: &[&[field("of", "whose", "everybody's", "whose")], &compared("whole number")],
    },
    Type {
        name: "FailedDrains",
        group: "what",
        about: "drains so far whose time was over before the node was empty",
        fields: &[&compared("whole number")],
    },
    Type {
        name: "NodeFailures",
        group: "what",
        about: "failures so far that `faults` drew",
        fields: &[&compared("whole number")],
    },
    Type {
        name: "QuotaDrain",
        group: "what",
        about: "how long the last cut of a quota was to take, or took, until use was within it; never is longer than anything",
        fields: &[&[
            field("quota", "name", "required", "which"),
            field("figure", "one of Estimate, Took", "required", "what the edit foresaw, or what it came to"),
            field("exactly", "duration", "one of the three", "`==`"),
            field("at_most", "duration", "one of the three", "`<=`"),
            field("at_least", "duration", "one of the three", "`>=`; never is longer than anything"),
        ]],
    },
];
