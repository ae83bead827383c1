//! The structs that say what must hold, and for whom.

use super::super::Type;
use super::{
    field,
    shared::{OF, compared},
};

pub(in super::super) const TYPES: &[Type] = &[
    Type {
        name: "Pods",
        group: "what",
        about: "counts of pods by state; at least one of them",
        fields: &[
            OF,
            &[
                field("running", "whole number", "not claimed", "bound and not ended"),
                field("pending", "whole number", "not claimed", "waiting"),
                field("succeeded", "whole number", "not claimed", "ended well"),
                field("failed", "whole number", "not claimed", "ended badly"),
            ],
        ],
    },
    Type {
        name: "Instances",
        group: "what",
        about: "how many instances of workloads came (a workload that comes once is one, a row of a trace, too), and how they ended; at least one of them",
        fields: &[&[
            field("of", "whose", "`All`", "whose; of a workflow the whole, of a `Task` the task"),
            field("submitted", "whole number", "not claimed", "so far"),
            field("succeeded", "whole number", "not claimed", "done"),
            field("failed", "whole number", "not claimed", "given up, or never begun because of that"),
            field("active", "whole number", "not claimed", "neither ended nor withdrawn"),
            field("skipped", "whole number", "not claimed", "starts of a `CronJob` that were left out"),
        ]],
    },
    Type {
        name: "MetDeadlines",
        group: "what",
        about: "workloads, tasks and rows done within a deadline of their own so far",
        fields: &[OF, &compared("whole number")],
    },
    Type {
        name: "MissedDeadlines",
        group: "what",
        about: "workloads, tasks and rows that were not done by a deadline of their own, or failed before it, so far",
        fields: &[OF, &compared("whole number")],
    },
    Type {
        name: "Used",
        group: "what",
        about: "use of a quota, or by somebody",
        fields: &[
            &[
                field("quota", "name", "this or `of`", "which"),
                field("of", "whose", "this or `quota`", "whose pods"),
                field("resource", "name", "required", "of what"),
            ],
            &compared("quantity"),
        ],
    },
    Type {
        name: "Borrowed",
        group: "what",
        about: "use above the guarantee of a quota (L2), or somebody's part of what leaves borrow",
        fields: &[
            &[
                field("quota", "name", "this or `of`", "which"),
                field("of", "whose", "this or `quota`", "whose pods"),
                field("resource", "name", "required", "of what"),
            ],
            &compared("quantity"),
        ],
    },
    Type {
        name: "Guaranteed",
        group: "what",
        about: "no leaf is under its guarantee while it has waiting demand, for longer than this",
        fields: &[&[field("within", "duration", "`0s`", "how long it may be")]],
    },
    Type {
        name: "Evictions",
        group: "what",
        about: "evictions so far",
        fields: &[
            &[field("of", "whose", "anybody's", "of whose pods"), field("by", "whose", "anybody", "for whom")],
            &compared("whole number"),
        ],
    },
    Type {
        name: "EvictedFrom",
        group: "what",
        about: "evictions from a quota so far; without a number: at least one",
        fields: &[&[field("quota", "name", "required", "which")], &compared("whole number")],
    },
    Type {
        name: "EvictedInsideMin",
        group: "what",
        about: "reclaims so far that took a pod from a quota within its min in all that the pod uses (R2b, I3)",
        fields: &[&[field("of", "whose", "everybody's", "of whose pods")], &compared("whole number")],
    },
    Type {
        name: "EvictionCycles",
        group: "what",
        about: "workloads that evicted, themselves or through others, one they were evicted for (S2); each two count once",
        fields: &[&compared("whole number")],
    },
    Type {
        name: "WastedEvictions",
        group: "what",
        about: "evictions so far for a workload that was not placed by them (S3)",
        fields: &[&[field("of", "whose", "everybody's", "of whose pods")], &compared("whole number")],
    },
    Type {
        name: "Verdict",
        group: "what",
        about: "a rule that the verdicts of waiting pods name: it binds, is in the way, or protects pods that were not taken",
        fields: &[&[
            field("of", "whose", "required", "whose"),
            field("rule", "string", "required", "`A1`, `P1`, `R2(b)`, .."),
        ]],
    },
    Type {
        name: "Wait",
        group: "what",
        about: "waits of pods that were bound, exact to the millisecond",
        fields: &[
            OF,
            &[field("stat", "one of P50, P95, P99, Max, Mean", "required", "which figure")],
            &compared("duration"),
        ],
    },
    Type {
        name: "Makespan",
        group: "what",
        about: "the time at which the last pod ended",
        fields: &[&[field("of", "whose", "everybody's", "whose last pod")], &compared("duration")],
    },
    Type {
        name: "LostWork",
        group: "what",
        about: "work thrown away by evictions and losses",
        fields: &[OF, &compared("duration")],
    },
    Type {
        name: "Utilisation",
        group: "what",
        about: "time-weighted use over capacity",
        fields: &[
            &[
                field("of", "whose", "everybody's", "whose use, over the capacity of all nodes"),
                field("resource", "name", "required", "of what"),
            ],
            &compared("ratio"),
        ],
    },
    Type {
        name: "Fairness",
        group: "what",
        about: "a fairness figure",
        fields: &[
            &[field("figure", "one of Jain, FairnessError, DominantShareGap", "required", "which")],
            &compared("ratio"),
        ],
    },
    Type {
        name: "NotWorseThanAlone",
        group: "what",
        about: "no tenant waits longer than this many times its mean wait alone on its own quota",
        fields: &[OF, &[field("factor", "ratio", "required", "how many times")]],
    },
    Type {
        name: "Gang",
        group: "what",
        about: "no gang runs below its minimum by the scheduler's doing (I6)",
        fields: &[&[field("claim", "one of NeverPartial", "required", "`Gang(never_partial)`")]],
    },
    Type {
        name: "CellsFeasible",
        group: "what",
        about: "the cells guaranteed to leaves can be split out of the healthy devices of the nodes that are up",
        fields: &[],
    },
    Type { name: "Invariants", group: "what", about: "the scheduler's own audit finds nothing", fields: &[] },
    Type {
        name: "Digest",
        group: "what",
        about: "the digest of the run",
        fields: &[&[field("digest", "digest", "required", "32 hex digits")]],
    },
    Type {
        name: "SameAs",
        group: "what",
        about: "the outcome of a summary.json: its namespace rows and its count of evictions",
        fields: &[&[field("file", "path", "required", "relative to this file")]],
    },
    Type { name: "All", group: "whose", about: "everything", fields: &[] },
    Type {
        name: "Namespace",
        group: "whose",
        about: "a namespace",
        fields: &[&[field("name", "name", "required", "which")]],
    },
    Type {
        name: "Quota",
        group: "whose",
        about: "everything under a quota",
        fields: &[&[field("name", "name", "required", "which")]],
    },
    Type {
        name: "Workload",
        group: "whose",
        about: "a workload; of one that arrives again and again, all its instances",
        fields: &[&[field("name", "name", "required", "which")]],
    },
    Type {
        name: "Task",
        group: "whose",
        about: "a task of a workflow, in all its instances",
        fields: &[&[field("workflow", "name", "required", "of which"), field("task", "name", "required", "which")]],
    },
];
