//! `Resize(workload: "web", request: { "cpu": "2" })`: pods that are resized in place.

use super::Checking;
use quotree_core::Amounts;
use quotree_model::{Change, Kind};
use quotree_syntax::{At, record};

record! {
    /// The pods of a Deployment or Job are resized in place, whether that fits or not (E5): those that wait, are being bound
    /// or run. Pods that it creates later request the same. With `arrivals`, all its instances are resized.
    pub(crate) struct Resize(workload, request) in "change" {
        /// Which workload.
        workload: At<String> => required,
        /// The amounts that change; other amounts stay. Devices cannot be resized.
        request: At<Amounts> => required,
    }
}

impl Resize {
    pub(super) fn check(&self, checking: &mut Checking<'_, '_>) -> Option<Change> {
        let (workload, request) = (checking.workload(&self.workload)?, self.request.as_ref()?);
        let resized = &checking.known.workloads.get(workload)?.workload;
        let (Kind::Deployment { template, .. } | Kind::Job { template, .. }) = &resized.kind else {
            let title = format!("`{}` is neither a Deployment nor a Job, and only these can be resized", resized.name);
            checking.report.error(self.span, title, "cannot be resized");
            return None;
        };
        let nodes = &checking.known.cluster.nodes;
        let is_device = |resource: &str| {
            let divided = template.devices.as_ref().is_some_and(|devices| devices.resource == *resource);
            divided || nodes.iter().flat_map(|node| &node.spec.devices).any(|devices| devices.resource == *resource)
        };
        let device = request.value.iter().map(|(name, _)| name).find(|name| is_device(name.as_str()));
        if let Some(device) = device {
            let title = format!("`{device}` is divided into devices, and a pod keeps its devices while it runs");
            checking
                .report
                .error(request.span, title, "cannot be resized")
                .help("withdraw the workload, and submit another");
            return None;
        }
        Some(Change::Resize { workload, request: request.value.clone() })
    }
}
