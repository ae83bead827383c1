//! The request of a pod: the amounts by which the kube-scheduler decides whether it fits a node.
//!
//! Sources: "Pod Quality of Service and resource requests", "Sidecar Containers: Resource sharing within containers",
//! "Pod Overhead", "Pod-level resources" and "Resize CPU and Memory Resources assigned to Containers" of the Kubernetes
//! documentation.

use crate::{
    names::PODS,
    pod_facts::{ContainerFacts, PodFacts, Sizes},
};
use quotree_core::Amounts;

/// One pod, in base units.
const ONE: i64 = 1000;

/// The request of a pod, without amounts of 0. It includes one `pods`, since the number of pods on a node is limited.
///
/// Containers run together, so they add up. Init containers run before them, one after the other, and only the largest
/// counts; but a sidecar (`restartPolicy: Always`) keeps running, beside the containers and beside the init containers
/// after it. A request of the pod as a whole replaces the sum of its containers, for the resources that allow this. The
/// overhead of its runtime class is added.
#[must_use]
pub fn pod_request(pod: &PodFacts) -> Amounts {
    let mut request = of_containers(pod);
    if let Some(stated) = &pod.pod_level {
        for (resource, amount) in sized(stated, pod.resize_infeasible, Defaults::Pod(&request)).iter() {
            if pod_level(resource.as_str()) {
                request.set(resource.clone(), amount);
            }
        }
    }
    add(&mut request, &pod.overhead);
    let mut request: Amounts =
        request.iter().filter(|(_, amount)| *amount > 0).map(|(name, amount)| (name.clone(), amount)).collect();
    request.set(PODS, ONE);
    request
}

/// Adds amounts to others. A sum beyond 64 bits becomes the largest number.
pub fn add(sum: &mut Amounts, more: &Amounts) {
    for (resource, amount) in more.iter() {
        sum.set(resource.clone(), sum.get(resource.as_str()).unwrap_or(0).saturating_add(amount));
    }
}

/// Whether a pod may request this resource as a whole.
fn pod_level(resource: &str) -> bool {
    matches!(resource, "cpu" | "memory") || resource.starts_with("hugepages-")
}

/// The most that the containers of a pod request at the same time.
fn of_containers(pod: &PodFacts) -> Amounts {
    let size = |container: &ContainerFacts| sized(&container.sizes, pod.resize_infeasible, Defaults::Container);
    let mut together = Amounts::new();
    for container in &pod.containers {
        add(&mut together, &size(container));
    }
    let mut sidecars = Amounts::new();
    let mut largest = Amounts::new();
    for container in &pod.init_containers {
        let own = size(container);
        let mut at_once = sidecars.clone();
        add(&mut at_once, &own);
        if container.sidecar {
            sidecars.clone_from(&at_once);
            add(&mut together, &own);
        }
        raise(&mut largest, &at_once);
    }
    raise(&mut together, &largest);
    together
}

/// The source of a request that is not stated.
enum Defaults<'a> {
    /// The limit of the container.
    Container,
    /// The given requests of the containers, and if there are none, the limit of the pod.
    Pod(&'a Amounts),
}

/// The request that counts: the stated one or, during a resize, the largest of the stated, the admitted and the actual
/// one. A resize that was refused permanently does not count.
fn sized(sizes: &Sizes, infeasible: bool, defaults: Defaults<'_>) -> Amounts {
    let mut stated = match defaults {
        Defaults::Container => sizes.limits.clone(),
        Defaults::Pod(containers) => {
            let open = |resource: &str| containers.get(resource).unwrap_or(0) == 0;
            let limits = sizes.limits.iter().filter(|(resource, _)| open(resource.as_str()));
            limits.map(|(resource, amount)| (resource.clone(), amount)).collect()
        }
    };
    for (resource, amount) in sizes.requests.iter() {
        stated.set(resource.clone(), amount);
    }
    let Some(actual) = &sizes.actual else { return stated };
    let mut largest = if infeasible { Amounts::new() } else { stated };
    raise(&mut largest, &actual.allocated);
    raise(&mut largest, &actual.actuated);
    largest
}

/// Raises amounts to those of others.
fn raise(amounts: &mut Amounts, others: &Amounts) {
    for (resource, amount) in others.iter() {
        if amounts.get(resource.as_str()).is_none_or(|before| before < amount) {
            amounts.set(resource.clone(), amount);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod_facts::ActualSizes;
    use quotree_core::{Unit, parse_quantity_up};

    /// Parses amounts in the notation of manifests: `cpu=500m memory=1Gi`.
    fn amounts(text: &str) -> Amounts {
        let pairs = text.split_whitespace().map(|pair| pair.split_once('=').unwrap());
        pairs.map(|(name, quantity)| (name, parse_quantity_up(quantity, Unit::of(name)).unwrap())).collect()
    }

    /// Parses sizes from a row: requests, `<` limits, `@` allocated, `!` actuated.
    fn sizes(text: &str) -> Sizes {
        let mut parts = [String::new(), String::new(), String::new(), String::new()];
        for word in text.split_whitespace() {
            let at = "<@!".find(word.chars().next().unwrap()).map_or(0, |at| at + 1);
            parts[at].push_str(&format!("{} ", word.trim_start_matches(['<', '@', '!'])));
        }
        let [requests, limits, allocated, actuated] = parts.map(|part| amounts(&part));
        let actual = (!allocated.is_empty() || !actuated.is_empty()).then_some(ActualSizes { allocated, actuated });
        Sizes { requests, limits, actual }
    }

    /// Parses a pod from rows: one word for each container, with the prefixes `init:`, `side:`, `pod:`, `overhead:` and
    /// `infeasible` for other parts.
    fn pod(rows: &[&str]) -> PodFacts {
        let mut pod = PodFacts::default();
        for row in rows {
            let (what, text) = row.split_once(':').unwrap_or(("", row));
            let container = |sidecar| ContainerFacts { sizes: sizes(text), sidecar };
            match what {
                "init" => pod.init_containers.push(container(false)),
                "side" => pod.init_containers.push(container(true)),
                "pod" => pod.pod_level = Some(sizes(text)),
                "overhead" => pod.overhead = amounts(text),
                "infeasible" => pod.resize_infeasible = true,
                _ => pod.containers.push(container(false)),
            }
        }
        pod
    }

    #[test]
    fn requests_are_what_the_kube_scheduler_counts() {
        let rows: &[(&str, &[&str], &str)] = &[
            ("no container states anything", &[""], ""),
            ("containers add up", &["cpu=1 memory=1Gi", "cpu=500m"], "cpu=1500m memory=1Gi"),
            ("a limit without a request is the request", &["<nvidia.com/gpu=2"], "nvidia.com/gpu=2"),
            ("a request below its limit stands", &["cpu=1 <cpu=4 <memory=1Gi"], "cpu=1 memory=1Gi"),
            ("a request of 0 stands beside a limit", &["cpu=0 <cpu=4"], ""),
            ("the largest init container, if larger", &["cpu=1", "init:cpu=4", "init:cpu=3"], "cpu=4"),
            ("init containers do not add up", &["cpu=5", "init:cpu=4", "init:cpu=3"], "cpu=5"),
            ("each resource by itself", &["cpu=1 memory=4Gi", "init:cpu=2 memory=1Gi"], "cpu=2 memory=4Gi"),
            ("a sidecar adds to the containers", &["cpu=1", "side:cpu=2"], "cpu=3"),
            ("a sidecar adds to init containers after it", &["cpu=100m", "side:cpu=100m", "init:cpu=200m"], "cpu=300m"),
            ("not to those before it", &["cpu=1", "init:cpu=2", "side:cpu=500m"], "cpu=2"),
            ("sidecars in a row", &["cpu=1", "side:cpu=1", "side:cpu=1", "init:cpu=2"], "cpu=4"),
            (
                "overhead comes on top",
                &["cpu=1", "init:cpu=4", "overhead:cpu=250m memory=120Mi"],
                "cpu=4250m memory=120Mi",
            ),
            ("pod-level requests replace sums", &["cpu=1 memory=1Gi", "pod:cpu=3"], "cpu=3 memory=1Gi"),
            ("even downwards", &["cpu=4", "init:cpu=8", "pod:cpu=2"], "cpu=2"),
            ("also of hugepages", &["hugepages-2Mi=4Mi", "pod:hugepages-2Mi=8Mi"], "hugepages-2Mi=8Mi"),
            ("but not of GPUs", &["nvidia.com/gpu=1", "pod:cpu=1 nvidia.com/gpu=8"], "cpu=1 nvidia.com/gpu=1"),
            (
                "a pod-level limit where no container asks",
                &["memory=1Gi", "pod:<cpu=2 <memory=8Gi"],
                "cpu=2 memory=1Gi",
            ),
            ("overhead comes on top of pod-level requests", &["cpu=1", "pod:cpu=2", "overhead:cpu=1"], "cpu=3"),
            ("a resize upwards counts at once", &["cpu=4 @cpu=2 !cpu=2"], "cpu=4"),
            ("a resize downwards counts when it is done", &["cpu=1 @cpu=1 !cpu=2"], "cpu=2"),
            ("what is admitted counts before it is in force", &["cpu=1 @cpu=3 !cpu=2"], "cpu=3"),
            ("a resize that is infeasible does not count", &["cpu=64 @cpu=2 !cpu=2", "infeasible:"], "cpu=2"),
            ("one container resized, one not", &["cpu=4 @cpu=2 !cpu=2", "cpu=1"], "cpu=5"),
            ("a sidecar resized", &["cpu=1", "side:cpu=1 @cpu=3 !cpu=3"], "cpu=4"),
            ("a pod resized as a whole", &["cpu=1", "pod:cpu=2 @cpu=4 !cpu=3"], "cpu=4"),
        ];
        for (why, given, wanted) in rows {
            assert_eq!(pod_request(&pod(given)).to_string(), amounts(wanted).with(PODS, ONE).to_string(), "{why}");
        }
    }

    #[test]
    fn sums_beyond_64_bits_do_not_wrap() {
        let huge = "cpu=9000000000000000";
        assert_eq!(pod_request(&pod(&[huge, huge])).get("cpu"), Some(i64::MAX));
    }
}
