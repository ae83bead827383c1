//! Groups of fields that several structs have: here, and only here, each of them stands.

use super::super::Field;
use super::field;

/// What a job is, but for its place and name.
pub(super) const JOB: &[Field] = &[
    field("completions", "whole number", "1", "how many must succeed"),
    field("parallelism", "whole number", "1", "how many may be there at once"),
    field("backoff_limit", "whole number", "6", "how many failures end the job; evictions are none"),
    field(
        "retry_delay",
        "duration",
        "`0s`",
        "from a loss to the next try, on top of the world's `recreate_delay`; doubles with each loss, up to 1h",
    ),
    field("runtime", "time", "required", "how long each pod runs"),
    field("reads", "reads", "absent", "what each pod reads"),
    field(
        "runtime_limit",
        "duration",
        "absent",
        "a pod whose work has run so long, all tries together, ends the job badly",
    ),
];

/// Of work that goes on after an interruption.
pub(super) const CHECKPOINTS: &[Field] = &[
    field("checkpoint", "duration", "absent", "work kept over an eviction is a multiple of this; absent: none is kept"),
    field("checkpoint_cost", "duration", "`0s`", "how long the work stands still for each checkpoint"),
];

/// What a training is, but for its place and name.
pub(super) const TRAINING: &[Field] = &[
    field(
        "framework",
        "one of PyTorch, TensorFlow, MPI, Ray, Horovod, DeepSpeed, Elastic, Custom",
        "`Custom`",
        "which roles there are, which are needed, and which do the work",
    ),
    field("roles", "list of role", "required", "at least one"),
    field("restart_overhead", "duration", "`0s`", "added to the run after each restart"),
    field(
        "max_restarts",
        "whole number",
        "for ever",
        "how often it may be started anew, after evictions and losses alike, before it fails",
    ),
    field(
        "on_loss",
        "one of Resubmit, Wait",
        "`Resubmit`",
        "a gang that lost members with their node is submitted anew, or the others keep their place and wait for new ones (G3)",
    ),
    field("runtime", "time", "this or `work`", "how long it runs with everybody there"),
    field("reads", "reads", "absent", "what its members read together"),
    field("work", "duration", "this or `runtime`", "GPU-time: so long one GPU would work"),
    field("scaling", "scaling", "`Linear`", "how much faster several members are than one"),
    field("runtime_limit", "duration", "absent", "a training that has worked so long, all runs together, fails"),
];

/// What each pod asks.
pub(super) const POD: &[Field] = &[
    field("request", "amounts", "required", "what each pod asks"),
    field(
        "devices",
        "devices",
        "whole devices, or one fraction",
        "how the device part is spread; what it adds up to is requested, too",
    ),
    field("gpu_count", "whole number", "absent", "its GPU memory is split evenly over so many GPUs of one node"),
    field("selector", "map of list of string", "none", "labels the node must carry; a single value needs no list"),
    field("tolerations", "list of name", "none", "taints that do not matter"),
];

/// Of a workload.
pub(super) const NAME: &[Field] = &[field("name", "name", "required", "unique in the scenario")];

/// How its pods can be evicted.
pub(super) const EVICTION: &[Field] = &[
    field("preemptible", "bool", "true", "whether its pods may be evicted"),
    field("budget", "name", "absent", "the disruption budget that guards them (R7)"),
    field("eviction_grace", "time", "the world's", "from an eviction decision to the pod being gone"),
];

/// Where a workload belongs, and when it comes.
pub(super) const HEAD: &[Field] = &[
    field("priority", "whole number or class", "0", "high goes first (O1)"),
    field("namespace", "name", "required", "decides the leaf"),
    field("user", "name", "absent", "who submits it, which must be a user who may where there are any"),
    field("submit", "duration", "`0s`", "when it is submitted"),
];

/// Of what can come again and again.
pub(super) const ARRIVALS: &[Field] = &[field(
    "arrivals",
    "arrivals",
    "once, at `submit`",
    "when instances `NAME-0`, `NAME-1`, .. are submitted, from `submit` on",
)];

/// Of what ends.
pub(super) const DEADLINE: &[Field] =
    &[field("deadline", "duration", "absent", "it should be done so long after its submission; only counted")];

/// Of gangs.
pub(super) const TOPOLOGY: &[Field] = &[field(
    "topology",
    "topology",
    "anywhere",
    "where the pods of a gang must stand; of a workflow, those of each training",
)];

/// Of a task of a workflow.
pub(super) const TASK: &[Field] = &[
    field("name", "name", "required", "unique in the workflow"),
    field("after", "list of name", "none", "tasks that must have succeeded before it starts"),
    field("priority", "whole number or class", "the workflow's", "as of a workload"),
    field("deadline", "duration", "absent", "it should be done so long after it may start; only counted"),
];

/// Of a task that is a gang.
pub(super) const TASK_TOPOLOGY: &[Field] =
    &[field("topology", "topology", "the workflow's", "where its pods must stand; `None`: anywhere")];

/// How often something arrives at most.
pub(super) const BOUNDS: &[Field] = &[
    field("until", "duration", "the world's", "none from this time on"),
    field("count", "whole number", "no limit", "so many at most"),
];

/// Of every entry of `expect` but one.
pub(super) const CLAIM: &[Field] = &[
    field("claim", "what", "required", "what; may stand without its name"),
    field("because", "string", "absent", "why, in the author's words"),
    field("name", "string", "absent", "for `extends`: replaces the entry of this name"),
];

/// Of entries of a list that `extends` can replace.
pub(super) const ENTRY: &[Field] = &[
    field("because", "string", "absent", "why, in the author's words"),
    field("name", "string", "absent", "for `extends`: replaces the entry of this name"),
];

/// Whose pods a claim speaks of.
pub(super) const OF: &[Field] = &[field("of", "whose", "`All`", "whose")];

/// What a figure is compared with.
pub(super) const fn compared(kind: &'static str) -> [Field; 3] {
    [
        field("exactly", kind, "one of the three", "`==`"),
        field("at_most", kind, "one of the three", "`<=`"),
        field("at_least", kind, "one of the three", "`>=`"),
    ]
}
