//! Requests of pods: `request`, `devices`, `gpu_count`, `selector`, `tolerations`; and `Devices(..)` of pods and nodes.

use crate::gpus;
use quotree_core::{Amounts, DeviceAsk, Name, PodTemplate, Unit};
use quotree_syntax::{At, Count, Given, Node, Quantity, Read, Report, Shape, Span, entries, record};
use std::sync::Arc;

record! {
    /// The request of each pod.
    pub(crate) struct Pod {
        /// The amounts that each pod requests.
        request: At<Amounts> => required,
        /// How requested devices are divided. Their sum is added to the request.
        devices: At<Devices> => "whole devices, or one fraction",
        /// The requested GPU memory is divided evenly among this many GPUs of one node.
        gpu_count: At<u32> => "absent",
        /// Labels that the node must have. A label with one value needs no list.
        selector: Selector = Selector(Vec::new()),
        /// Taints of nodes that the pods tolerate.
        tolerations: Vec<Name> = Vec::new(),
    }
}

record! {
    /// On a node: `count` devices with a capacity of `each`. In a pod: a request for `each` on each of `count` devices
    /// of one node.
    pub(crate) struct Devices in "devices" {
        /// The resource, such as `nvidia.com/gpu`.
        resource: At<Name> => required,
        /// How many devices; on a node at most 64.
        count: Given<Count> => "1 for pods, required for nodes",
        /// The amount of each.
        each: At<Quantity> => "`1`",
    }
}

/// `{ "model": ["A100", "V100"], "zone": "a" }`
#[derive(Debug, Clone)]
pub(crate) struct Selector(pub(crate) Vec<(Name, Vec<Name>)>);

impl Read for Selector {
    fn kind() -> String {
        "map of list of string".to_owned()
    }

    fn show(&self) -> String {
        "none".to_owned()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let what = "a map of labels such as { \"model\": [\"A100\", \"V100\"] }";
        let mut labels = Vec::new();
        for (label, value) in entries(node, what, report)? {
            let values = match &value.shape {
                Shape::List(_) => Vec::<Name>::read(value, report),
                _ => Name::read(value, report).map(|name| vec![name]),
            };
            labels.push((label.value, values.unwrap_or_default()));
        }
        Some(Self(labels))
    }
}

/// The template of a pod; `of` is the place of its workload, task or role.
pub(crate) fn template(pod: &Pod, of: Span, requests: &mut Vec<Span>, report: &mut Report) -> Arc<PodTemplate> {
    let mut template = PodTemplate::default();
    requests.push(pod.request.as_ref().map_or(of, |request| request.span));
    if let Some(request) = &pod.request {
        template.request = request.value.clone();
    }
    if let Some(asked) = &pod.devices {
        devices(asked, &mut template, report);
    }
    gpus::split(pod.gpu_count.as_ref(), &mut template, report);
    template.selector.clone_from(&pod.selector.0);
    template.tolerations.clone_from(&pod.tolerations);
    Arc::new(template)
}

impl Devices {
    /// The amount of each device, in base units: one whole unit unless stated.
    pub(crate) fn each(&self, report: &mut Report) -> Option<i64> {
        let resource = self.resource.as_ref().map_or("", |resource| resource.value.as_str());
        let whole = if Unit::of(resource) == Unit::Milli { 1000 } else { 1 };
        self.each.as_ref().map_or(Some(whole), |each| each.value.amount(resource, report))
    }
}

/// `devices: Devices(resource: "nvidia.com/gpu", count: 2, each: "500m")` of a pod.
fn devices(asked: &At<Devices>, template: &mut PodTemplate, report: &mut Report) {
    let each = asked.value.each(report);
    let (Some(resource), Some(each)) = (&asked.value.resource, each) else { return };
    let resource = resource.value.clone();
    let count = asked.value.count.as_ref().and_then(|count| count.value).map_or(1, |count| count.0);
    let Some(sum) = each.checked_mul(i64::from(count)).filter(|sum| *sum > 0) else {
        report.error(asked.span, "the sum of the devices is 0 or exceeds 64 bits", "out of range");
        return;
    };
    match template.request.get(resource.as_str()) {
        Some(stated) if stated != sum => {
            let show = |amount| Amounts::new().with(resource.clone(), amount);
            let title = format!("the devices sum up to {}, but `request` has {}", show(sum), show(stated));
            report.error(asked.span, title, "not equal").help("leave the resource out of `request`");
        }
        _ => template.request.set(resource.clone(), sum),
    }
    template.devices = Some(DeviceAsk { resource, count, each });
}
