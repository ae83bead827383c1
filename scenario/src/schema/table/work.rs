//! The structs that say what happens: workloads, their times, events and changes.

use super::super::Type;
use super::{
    field,
    shared::{ARRIVALS, CHECKPOINTS, DEADLINE, EVICTION, HEAD, JOB, NAME, POD, TOPOLOGY, TRAINING},
};

pub(in super::super) const TYPES: &[Type] = &[
    Type {
        name: "JobQueue",
        group: "job queue",
        about: "suspends the jobs of a leaf (all but Deployments; what `max_jobs` of a quota counts) until it is their turn and the leaf's max covers them beside all that is asked there",
        fields: &[&[
            field("quota", "name", "required", "the leaf; what `extends` knows a queue by"),
            field(
                "queueing",
                "one of Skip, Block, RoundRobin",
                "`Skip`",
                "priority, submission, id; `Skip`: who cannot be let out is passed, `Block`: is waited for, and the one let out last must have started, `RoundRobin`: who did not start in time goes behind those tried less often",
            ),
            field("max_jobs", "whole number", "no limit", "the most jobs that are out at once"),
            field(
                "start_timeout",
                "duration",
                "never",
                "a job that has not started so long after it was let out goes back; one whose victims are leaving gets as long again",
            ),
            field("backoff", "duration", "`60s`", "how long it is then not tried; doubled each further time"),
            field("backoff_max", "duration", "`1h`", "the longest such wait"),
        ]],
    },
    Type {
        name: "Deployment",
        group: "workload",
        about: "equal pods that run until scaled or withdrawn",
        fields: &[NAME, HEAD, EVICTION, ARRIVALS, &[field("replicas", "whole number", "1", "how many pods")], POD],
    },
    Type {
        name: "Job",
        group: "workload",
        about: "equal pods that end",
        fields: &[NAME, HEAD, EVICTION, ARRIVALS, DEADLINE, JOB, CHECKPOINTS, POD],
    },
    Type {
        name: "Training",
        group: "workload",
        about: "roles that train together, admitted as a gang (G1)",
        fields: &[NAME, HEAD, EVICTION, TOPOLOGY, ARRIVALS, DEADLINE, TRAINING, CHECKPOINTS],
    },
    Type {
        name: "Same",
        group: "topology",
        about: "all pods of a gang stand in one domain of this level",
        fields: &[&[field(
            "level",
            "one of node, rack, zone",
            "required",
            "which level; the one value without a name",
        )]],
    },
    Type {
        name: "Trace",
        group: "workload",
        about: "rows of a trace file, each a gang of equal pods that runs for its time",
        fields: &[
            NAME,
            EVICTION,
            TOPOLOGY,
            CHECKPOINTS,
            &[
                field("priority", "whole number or class", "0", "of rows that name none"),
                field("deadline", "duration", "absent", "of rows that name none: as of a job, after their submission"),
                field(
                    "runtime_limit",
                    "duration",
                    "absent",
                    "of rows that name none: a row whose work has run so long, all tries together, fails",
                ),
                field(
                    "backoff_limit",
                    "whole number",
                    "no limit",
                    "of rows that name none: how many losses of a node a row survives; evictions are none",
                ),
                field("file", "path", "required", "relative to this file"),
                field(
                    "format",
                    "one of Native, Philly, Helios, HeliosDemand, Acme, Muri, Openb, Pai, Swf, Kueue, Kai, Armada, Kubernetes",
                    "required",
                    "the format of the file",
                ),
                field("namespace", "name", "absent", "all rows live here"),
                field("user", "name", "absent", "who submits all rows; absent: whom each row names"),
                field("namespace_by", "string", "what the format thinks of", "the column that names the namespace"),
                field("prefix", "string", "empty", "put before namespaces that come out of a column"),
                field("resource", "name", "`nvidia.com/gpu`", "what whole devices are asked as"),
                field("max_rows", "whole number", "10000000", "more rows are an error"),
                field(
                    "bad_rows",
                    "one of Refuse, Skip",
                    "`Refuse`",
                    "whether bad rows are errors or left out with a warning",
                ),
            ],
        ],
    },
    Type {
        name: "Role",
        group: "role",
        about: "equal pods of a training, with nodes of their own (`selector`, `tolerations`); priority, topology and deadline are those of the whole gang",
        fields: &[
            &[
                field("name", "name", "required", "master, worker, ps, .."),
                field("replicas", "whole number", "1", "how many pods"),
                field("min", "whole number", "replicas", "how many must run together"),
            ],
            POD,
        ],
    },
    Type {
        name: "Fixed",
        group: "time",
        about: "always the same; may be written as the duration alone",
        fields: &[&[field("time", "duration", "required", "how long")]],
    },
    Type {
        name: "Uniform",
        group: "time",
        about: "any whole number of milliseconds, both ends included",
        fields: &[&[
            field("from", "duration", "required", "the shortest"),
            field("to", "duration", "required", "the longest"),
        ]],
    },
    Type {
        name: "Exponential",
        group: "time",
        about: "exponential",
        fields: &[&[field("mean", "duration", "required", "its mean")]],
    },
    Type {
        name: "ShiftedExponential",
        group: "time",
        about: "never shorter than the least, and exponential beyond it",
        fields: &[&[
            field("least", "duration", "required", "the shortest"),
            field("mean", "duration", "required", "the mean of what comes on top"),
        ]],
    },
    Type {
        name: "LogNormal",
        group: "time",
        about: "its logarithm is normal",
        fields: &[&[
            field("median", "duration", "required", "half are shorter"),
            field(
                "sigma",
                "ratio",
                "required",
                "one standard deviation is a factor of exp(sigma); the mean is the median times exp(sigma^2 / 2)",
            ),
        ]],
    },
    Type {
        name: "Empirical",
        group: "time",
        about: "one of the durations in a file, each equally likely",
        fields: &[&[field(
            "file",
            "path",
            "required",
            "a duration a line; `#` begins a comment; relative to this file",
        )]],
    },
    Type { name: "Forever", group: "time", about: "until it is stopped", fields: &[] },
    Type {
        name: "At",
        group: "event",
        about: "a change at a time",
        fields: &[&[
            field("time", "duration", "required", "when; may stand without its name"),
            field("change", "change", "required", "what; may stand without its name"),
            field(
                "by",
                "name",
                "absent",
                "who does it: all but `Scale` and `Withdraw` of one's own workloads is for admins",
            ),
            field("name", "string", "absent", "for `extends`: replaces the entry of this name"),
        ]],
    },
    Type {
        name: "Scale",
        group: "change",
        about: "a Deployment gets another replica count",
        fields: &[&[
            field("workload", "name", "required", "which"),
            field("replicas", "whole number", "required", "the new count"),
        ]],
    },
    Type {
        name: "Withdraw",
        group: "change",
        about: "a workload is deleted with all its pods",
        fields: &[&[field("workload", "name", "required", "which")]],
    },
    Type {
        name: "ReplaceTree",
        group: "change",
        about: "the quota tree is replaced (T4)",
        fields: &[&[field("quota", "quota", "required", "the new tree")]],
    },
    Type {
        name: "EditQuota",
        group: "change",
        about: "one quota of the tree is changed, checked as the tree will be at that time",
        fields: &[&[
            field("quota", "name", "required", "which"),
            field("min", "amounts", "unchanged", "these resources get these amounts, others keep theirs"),
            field("max", "amounts", "unchanged", "as min"),
            field("lend", "amounts", "unchanged", "as min"),
            field("weight", "whole number", "unchanged", "the new weight"),
            field("max_jobs", "whole number", "unchanged", "the new limit"),
            field("cells", "map of whole number", "unchanged", "the new guarantee in cells"),
            field("namespaces", "list of name", "unchanged", "the new list (T3)"),
            field("queueing", "one of Skip, Block", "unchanged", "the new queueing"),
        ]],
    },
    Type {
        name: "NodeDown",
        group: "change",
        about: "a node fails; its pods are lost",
        fields: &[&[field("node", "name", "required", "which")]],
    },
    Type {
        name: "NodeUp",
        group: "change",
        about: "a node comes (back)",
        fields: &[&[field("node", "name", "required", "which")]],
    },
    Type {
        name: "Cordon",
        group: "change",
        about: "a node takes no new pods",
        fields: &[&[field("node", "name", "required", "which")]],
    },
    Type {
        name: "Uncordon",
        group: "change",
        about: "a node takes new pods again",
        fields: &[&[field("node", "name", "required", "which")]],
    },
    Type {
        name: "DeviceUnhealthy",
        group: "change",
        about: "a device of a node takes no new pods",
        fields: &[&[
            field("node", "name", "required", "which node"),
            field("device", "whole number", "required", "which of its devices, from 0"),
            field("pods", "one of GoOn, Lost", "`GoOn`", "what becomes of the pods on it"),
        ]],
    },
    Type {
        name: "DeviceHealthy",
        group: "change",
        about: "a device of a node takes new pods again",
        fields: &[&[
            field("node", "name", "required", "which node"),
            field("device", "whole number", "required", "which of its devices, from 0"),
        ]],
    },
    Type {
        name: "Relabel",
        group: "change",
        about: "a node gets other labels, or its GPUs another mode; refused, and told so, while pods have devices of the old mode",
        fields: &[&[
            field("node", "name", "required", "which"),
            field("labels", "map of string", "none", "labels that get these values; others stay"),
            field("mode", "one of Fraction, Exclusive, Share, CoreMem, Topology", "unchanged", "the new mode"),
        ]],
    },
    Type {
        name: "SetBudget",
        group: "change",
        about: "a disruption budget is set",
        fields: &[&[
            field("budget", "name", "required", "which"),
            field("allowed", "whole number", "required", "how many of its pods may be evicted"),
        ]],
    },
];
