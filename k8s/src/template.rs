//! A pod in the form of the core: its template, the rule for its synthetic label, and what the core does not model.

use crate::{
    affinity::{self, NodeRule},
    loss::Loss,
    names,
    node_facts::Taint,
    pod_facts::PodFacts,
    requests::pod_request,
    tolerations,
};
use quotree_core::{Amounts, DeviceAsk, PodTemplate};
use std::collections::BTreeSet;

/// A pod, mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedPod {
    /// The template for the core.
    pub template: PodTemplate,
    /// The rule for the nodes that get the synthetic label, if the selector of the template uses one.
    pub rule: Option<NodeRule>,
    /// What the core does not model.
    pub losses: BTreeSet<Loss>,
}

/// Maps a pod; `taints` are the taints of the cluster.
#[must_use]
pub fn map_pod<'a>(pod: &PodFacts, taints: impl IntoIterator<Item = &'a Taint>) -> MappedPod {
    let mut losses = pod.losses.clone();
    let request = pod_request(pod);
    let devices = device_ask(pod, &request).unwrap_or_else(|loss| {
        losses.insert(loss);
        None
    });
    if !may_evict(pod) {
        losses.insert(Loss::NeverPreempts);
    }
    let selection = affinity::select(pod);
    let tolerations = tolerations::expand(&pod.tolerations, taints);
    let template = PodTemplate { request, devices, selector: selection.selector, tolerations };
    MappedPod { template, rule: selection.rule, losses }
}

/// Whether other pods may be evicted for a pod: neither its `preemptionPolicy` nor its annotation says that none may.
/// [`map_pod`] returns a loss where none may, for callers that cannot express it.
#[must_use]
pub fn may_evict(pod: &PodFacts) -> bool {
    !pod.never_preempts && annotated_to_evict(pod)
}

/// The same by the annotation alone: where the kube-scheduler binds the pods, `preemptionPolicy: Never` only keeps the
/// kube-scheduler from evicting others.
#[must_use]
pub fn annotated_to_evict(pod: &PodFacts) -> bool {
    pod.annotations.get(names::MAY_EVICT).is_none_or(|value| *value != "false")
}

/// Divides the GPU memory that a pod requests equally among the number of GPUs in its label `aliyun.com/gpu-count`. GPU
/// cores come from the same GPUs.
///
/// # Errors
/// [`Loss::UnevenDevices`] if the label is not a number above 0 that divides both amounts.
pub fn device_ask(pod: &PodFacts, request: &Amounts) -> Result<Option<DeviceAsk>, Loss> {
    let (Some(label), Some(memory)) = (pod.labels.get(names::GPU_COUNT), request.get(names::GPU_MEMORY)) else {
        return Ok(None);
    };
    let count = label.as_str().parse::<u32>().ok().filter(|count| *count > 0).ok_or(Loss::UnevenDevices)?;
    let cores = request.get(names::GPU_CORES).unwrap_or(0);
    if memory % i64::from(count) != 0 || cores % i64::from(count) != 0 {
        return Err(Loss::UnevenDevices);
    }
    Ok(Some(DeviceAsk { resource: names::GPU_MEMORY.into(), count, each: memory / i64::from(count) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ContainerFacts, Sizes};

    /// A pod with this label `aliyun.com/gpu-count` that requests GiB of GPU memory and percent of GPU cores.
    fn pod(label: &str, memory: i64, cores: i64) -> PodFacts {
        let requests = Amounts::new().with(names::GPU_MEMORY, memory * 1000).with(names::GPU_CORES, cores * 1000);
        let sizes = Sizes { requests, ..Sizes::default() };
        let labels = [(names::GPU_COUNT.into(), label.into())].into();
        PodFacts { labels, containers: vec![ContainerFacts { sizes, sidecar: false }], ..PodFacts::default() }
    }

    #[test]
    fn gpu_memory_is_divided_evenly_or_told() {
        // label, GiB, percent | GPUs, GiB of each; a pod without a division takes its memory from one GPU
        let rows = [
            ("2", 8, 0, Ok((2, 4))),
            ("4", 8, 100, Ok((4, 2))),
            ("1", 8, 30, Ok((1, 8))),
            ("3", 8, 0, Err(Loss::UnevenDevices)),
            ("0", 8, 0, Err(Loss::UnevenDevices)),
            ("two", 8, 0, Err(Loss::UnevenDevices)),
        ];
        for (label, memory, cores, wanted) in rows {
            let pod = pod(label, memory, cores);
            let seen = device_ask(&pod, &pod_request(&pod));
            let seen = seen.map(|ask| ask.map(|ask| (ask.count, ask.each / 1000)).unwrap());
            assert_eq!(seen, wanted, "{label} of {memory} and {cores}");
        }
        let mut plain = pod("2", 8, 0);
        plain.labels.clear();
        assert_eq!(device_ask(&plain, &pod_request(&plain)), Ok(None));
    }

    #[test]
    fn what_is_lost_is_returned() {
        let mut facts = pod("3", 8, 0);
        facts.losses.insert(Loss::HostPorts);
        facts.never_preempts = true;
        let mapped = map_pod(&facts, []);
        let losses: Vec<Loss> = mapped.losses.into_iter().collect();
        assert_eq!(losses, [Loss::HostPorts, Loss::NeverPreempts, Loss::UnevenDevices]);
        assert_eq!(mapped.template.devices, None);
        facts.never_preempts = false;
        assert!(may_evict(&facts));
        facts.annotations.insert(names::MAY_EVICT.into(), "false".into());
        assert!(!may_evict(&facts));
        assert!(!annotated_to_evict(&facts));
        let never = PodFacts { never_preempts: true, ..PodFacts::default() };
        assert!(!may_evict(&never) && annotated_to_evict(&never));
    }
}
