//! The structs of workloads that come again and again or depend on each other, and of how trainings scale.

use super::super::Type;
use super::{
    field,
    shared::{
        ARRIVALS, BOUNDS, CHECKPOINTS, DEADLINE, EVICTION, HEAD, JOB, NAME, POD, TASK, TASK_TOPOLOGY, TOPOLOGY,
        TRAINING,
    },
};

pub(in super::super) const TYPES: &[Type] = &[
    Type {
        name: "CronJob",
        group: "workload",
        about: "jobs on a period, `NAME-0`, `NAME-1`, .., from `submit` on",
        fields: &[
            NAME,
            HEAD,
            EVICTION,
            &[
                field("every", "duration", "required", "the period"),
                field(
                    "concurrency",
                    "one of Allow, Forbid, Replace",
                    "`Allow`",
                    "a start that finds an earlier job not ended starts beside it, is left out and counted as skipped, or replaces it",
                ),
                field("until", "duration", "the world's", "none from this time on"),
                field("count", "whole number", "no limit", "so many starts at most"),
            ],
            DEADLINE,
            JOB,
            CHECKPOINTS,
            POD,
        ],
    },
    Type {
        name: "Workflow",
        group: "workload",
        about: "jobs and trainings that depend on each other",
        fields: &[
            NAME,
            HEAD,
            EVICTION,
            TOPOLOGY,
            ARRIVALS,
            DEADLINE,
            &[field("tasks", "list of task", "required", "at least one; none may wait for itself")],
        ],
    },
    Type { name: "Job", group: "task", about: "a job; fields as there", fields: &[TASK, JOB, CHECKPOINTS, POD] },
    Type {
        name: "Training",
        group: "task",
        about: "a training; fields as there",
        fields: &[TASK, TASK_TOPOLOGY, TRAINING, CHECKPOINTS],
    },
    Type {
        name: "Times",
        group: "arrivals",
        about: "at these times after `submit`",
        fields: &[&[field("times", "list of duration", "required", "when")], BOUNDS],
    },
    Type {
        name: "Every",
        group: "arrivals",
        about: "at `submit`, and then in a period",
        fields: &[&[field("period", "duration", "required", "the period")], BOUNDS],
    },
    Type {
        name: "Poisson",
        group: "arrivals",
        about: "with exponential gaps",
        fields: &[&[field("mean", "duration", "required", "the mean gap")], BOUNDS],
    },
    Type {
        name: "Diurnal",
        group: "arrivals",
        about: "as `Poisson`, with a rate that goes by the hour of the day; time 0 is midnight",
        fields: &[
            &[
                field("mean", "duration", "required", "the mean gap over a day"),
                field(
                    "hours",
                    "list of whole number",
                    "required",
                    "24 weights, one an hour: how dense arrivals are against other hours",
                ),
            ],
            BOUNDS,
        ],
    },
    Type {
        name: "Bursts",
        group: "arrivals",
        about: "several at a time",
        fields: &[
            &[
                field(
                    "every",
                    "time",
                    "required",
                    "from one burst to the next, but not before the last of the burst has come",
                ),
                field("size", "whole number", "required", "how many instances, at most 100,000"),
                field("spread", "duration", "`0s`", "each comes somewhere within this time"),
            ],
            BOUNDS,
        ],
    },
    Type { name: "Linear", group: "scaling", about: "n members are n times as fast", fields: &[] },
    Type {
        name: "Table",
        group: "scaling",
        about: "as measured; straight lines between the entries, and from nothing to the first; beyond the last nothing is gained",
        fields: &[&[field(
            "speeds",
            "map of ratio",
            "required",
            "by number of members, against one: `{ 1: \"100%\", 2: \"190%\" }`",
        )]],
    },
    Type {
        name: "Serial",
        group: "scaling",
        about: "a part of the work cannot be shared (Amdahl): n members are n / (1 + (n - 1) part) times as fast",
        fields: &[&[field("part", "ratio", "required", "which part")]],
    },
];
