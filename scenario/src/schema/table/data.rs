//! The structs that say what is read, and what claims say of it.

use super::super::Type;
use super::{
    field,
    shared::{OF, POD, compared},
};

pub(in super::super) const TYPES: &[Type] = &[
    Type {
        name: "Dataset",
        group: "dataset",
        about: "data that workloads read",
        fields: &[&[
            field("name", "name", "required", "unique among datasets"),
            field("namespace", "name", "required", "where its cache workers live"),
            field("size", "quantity", "required", "such as `144Gi`; at most 1Pi"),
            field("backend", "bandwidth", "required", "shared equally by all pods that read from where the data lies"),
            field("accelerate", "accelerate", "absent", "a cache"),
            field(
                "preload",
                "bool or duration",
                "false",
                "load it into the cache: as soon as there is one, or from this time on",
            ),
        ]],
    },
    Type {
        name: "Accelerate",
        group: "accelerate",
        about: "cache workers: the pods of a Deployment `NAME-cache`, submitted before other workloads of its time",
        fields: &[
            &[
                field("workers", "whole number", "1", "how many"),
                field("quota", "quantity", "required", "how many bytes each can hold, at most 1Pi"),
                field(
                    "tier",
                    "one of MEM, SSD, HDD",
                    "`MEM`",
                    "where; what is in memory should be requested as memory",
                ),
                field("high", "ratio", "95%", "up to this part of the capacity is filled"),
                field("low", "ratio", "75%", "when a pass ends with the cache so full, it evicts down to this part"),
                field("local", "bandwidth", "required", "of a pod with a worker on its node, out of the cache"),
                field("remote", "bandwidth", "required", "of any other pod, out of the cache"),
                field("priority", "whole number or class", "0", "of the workers"),
                field("preemptible", "bool", "true", "whether workers may be evicted"),
                field("submit", "duration", "`0s`", "when the workers are submitted"),
            ],
            POD,
        ],
    },
    Type {
        name: "Reads",
        group: "reads",
        about: "how much of a dataset, and how; without `passes` and `bytes`, all of it once",
        fields: &[&[
            field("dataset", "name", "required", "which; may stand without its name"),
            field("passes", "whole number", "1", "how often all of it, at most 100,000 times"),
            field("bytes", "quantity", "absent", "or how much, pass after pass"),
            field("prefetch", "bool", "true", "reads ahead: a step takes the longer of compute and input, not the sum"),
            field("roles", "list of name", "those that work", "the roles of a Training whose members read"),
        ]],
    },
    Type {
        name: "Dataset",
        group: "what",
        about: "a dataset: its phase, or a figure",
        fields: &[
            &[
                field("dataset", "name", "required", "which; may stand without its name"),
                field("phase", "one of NotBound, Bound", "not claimed", "bound: a cache worker runs"),
                field(
                    "figure",
                    "one of Cached, HitRatio, Rate, Saved, GpuSaved",
                    "not claimed",
                    "ratios of the dataset and of what was read, a bandwidth, times that the cache saved",
                ),
            ],
            &compared("ratio, bandwidth or duration"),
        ],
    },
    Type {
        name: "InputWait",
        group: "what",
        about: "how long work waited for input; of a Job summed over its pods",
        fields: &[OF, &compared("duration")],
    },
    Type {
        name: "GpuIdle",
        group: "what",
        about: "the same times the GPUs that waited: `5h` are five GPU-hours",
        fields: &[OF, &compared("duration")],
    },
];
