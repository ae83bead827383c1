//! Every name that the mapping uses, each in one place: quotree's own group, gate, labels and annotations, and those of
//! other projects.

/// The API group of quotree's own objects, and the prefix of its labels and annotations.
pub const GROUP: &str = "quotree.io";
/// The scheduling gate that keeps a pod from the kube-scheduler until it is admitted.
pub const GATE: &str = "quotree.io/quota";
/// Annotation of a pod of a Job, JobSet or Kubeflow job: the minimum of its gang, a number or `all`.
pub const GANG_MIN: &str = "quotree.io/gang-min";
/// Annotation of a pod: `false` if no pod may be evicted for it.
pub const MAY_EVICT: &str = "quotree.io/may-evict";
/// The prefix of the synthetic labels that replace node affinities ([`crate::affinity`]).
pub const AFFINITY_PREFIX: &str = "quotree.io/affinity-";

/// The label that identifies a node.
pub const HOSTNAME: &str = "kubernetes.io/hostname";
/// The label of the zone of a node.
pub const ZONE: &str = "topology.kubernetes.io/zone";
/// The label of the rack of a node. Kubernetes defines no name for it.
pub const RACK: &str = "topology.kubernetes.io/rack";
/// The key of the taint of a cordoned node.
pub const CORDONED: &str = "node.kubernetes.io/unschedulable";
/// The key of the taint of a node that is not ready.
pub const NOT_READY: &str = "node.kubernetes.io/not-ready";
/// The key of the taint of a node whose kubelet does not answer.
pub const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
/// The namespace of the cluster's own pods.
pub const SYSTEM_NAMESPACE: &str = "kube-system";
/// Namespaces of quotree itself: of the scheduler, and of the accounts of users.
pub const OWN_NAMESPACES: [&str; 2] = ["quotree-system", "quotree-users"];
/// The scheduler of pods that do not name one.
pub const DEFAULT_SCHEDULER: &str = "default-scheduler";
/// Annotation of the API object of a static pod, which the kubelet runs without a scheduler.
pub const MIRROR: &str = "kubernetes.io/config.mirror";

/// The resource that counts pods.
pub const PODS: &str = "pods";
/// The resource of whole GPUs.
pub const GPU: &str = "nvidia.com/gpu";
/// ACK: the resource of GPU memory, in GiB.
pub const GPU_MEMORY: &str = "aliyun.com/gpu-mem";
/// ACK: the resource of GPU cores, in percent of one GPU.
pub const GPU_CORES: &str = "aliyun.com/gpu-core.percentage";
/// ACK: the resource of GPUs that are chosen by topology.
pub const GPU_TOPOLOGY: &str = "aliyun.com/gpu";
/// ACK: the number of GPUs. A resource of a node that shares its GPUs, and a label of a pod that requests several.
pub const GPU_COUNT: &str = "aliyun.com/gpu-count";
/// ACK: the label of a node with the mode in which it assigns its GPUs.
pub const GPU_SCHEDULE: &str = "ack.node.gpu.schedule";
/// ACK: the label of a node that determines which of its shared GPUs fill first.
pub const GPU_PLACEMENT: &str = "ack.node.gpu.placement";

/// Labels of a pod that name its quota.
pub const QUOTA_NAME: [&str; 2] = ["quota.scheduling.alibabacloud.com/name", "quota.scheduling.koordinator.sh/name"];
/// Labels of a pod that state whether it may be evicted for others.
pub const PREEMPTIBLE: [&str; 3] = [
    "quota.scheduling.alibabacloud.com/preemptible",
    "quota.scheduling.koordinator.sh/preemptible",
    "volcano.sh/preemptable",
];
/// Kube Queue: the key in `max` of a quota that limits how many jobs are admitted.
pub const MAX_JOBS: &str = "kube-queue/max-jobs";
/// ACK: the attribute of a quota with its lending limit (how much of its `min` may be lent), a JSON object.
pub const LEND_LIMIT: &str = "alibabacloud.com/lendlimit";
/// Koordinator: the prefix of its labels of quotas and pods.
pub const KOORDINATOR_PREFIX: &str = "quota.scheduling.koordinator.sh/";
/// Koordinator: the label of a quota that names its parent.
pub const KOORDINATOR_PARENT: &str = "quota.scheduling.koordinator.sh/parent";
/// Koordinator: the label of a quota that states whether it has children.
pub const KOORDINATOR_IS_PARENT: &str = "quota.scheduling.koordinator.sh/is-parent";
/// Koordinator: the label of a quota that states whether its `min` may be lent at all.
pub const KOORDINATOR_LENDS: &str = "quota.scheduling.koordinator.sh/allow-lent-resource";
/// Koordinator: the label of a quota that names its tree, where there are several.
pub const KOORDINATOR_TREE: &str = "quota.scheduling.koordinator.sh/tree-id";
/// Koordinator: the root quota, which is the whole cluster. Its object has no min and no max.
pub const KOORDINATOR_ROOT: &str = "koordinator-root-quota";
/// Koordinator: the annotation of the root of a tree with the total size of its nodes.
pub const KOORDINATOR_TOTAL: &str = "quota.scheduling.koordinator.sh/total-resource";
/// Koordinator: the annotation of a quota with its weight by resource.
pub const KOORDINATOR_WEIGHT: &str = "quota.scheduling.koordinator.sh/shared-weight";
/// Koordinator: the annotation of a quota with the namespaces that are charged to it, a JSON list.
pub const KOORDINATOR_NAMESPACES: &str = "quota.scheduling.koordinator.sh/namespaces";

/// Coscheduling of scheduler-plugins: the label of a pod that names its PodGroup.
pub const COSCHEDULING_GROUP: &str = "scheduling.x-k8s.io/pod-group";
/// Coscheduling without a PodGroup object: the label that names the group.
pub const LIGHT_GROUP: &str = "pod-group.scheduling.sigs.k8s.io/name";
/// Coscheduling without a PodGroup object: the label with the minimum.
pub const LIGHT_MIN: &str = "pod-group.scheduling.sigs.k8s.io/min-available";
/// Volcano: annotations of a pod that name its PodGroup.
pub const VOLCANO_GROUP: [&str; 2] = ["scheduling.k8s.io/group-name", "scheduling.volcano.sh/group-name"];
/// Volcano: the annotation of a pod that names its task, to which `minTaskMember` refers.
pub const VOLCANO_TASK: &str = "volcano.sh/task-spec";
/// Koordinator: the annotation of a pod that names its gang.
pub const KOORDINATOR_GANG: &str = "gang.scheduling.koordinator.sh/name";
/// Koordinator: the annotation of a pod with the minimum of its gang.
pub const KOORDINATOR_GANG_MIN: &str = "gang.scheduling.koordinator.sh/min-available";
/// Kueue: the label of a plain pod that names its group.
pub const KUEUE_GROUP: &str = "kueue.x-k8s.io/pod-group-name";
/// Kueue: the annotation of a plain pod that gives the size of its group.
pub const KUEUE_COUNT: &str = "kueue.x-k8s.io/pod-group-total-count";
/// Labels that controllers put on the pods of one job.
pub const JOB_NAMES: [&str; 4] =
    ["jobset.sigs.k8s.io/jobset-name", "training.kubeflow.org/job-name", "batch.kubernetes.io/job-name", "job-name"];
