//! Amounts of resources, for the kubelet and the stand-ins: just what they need to see whether a pod fits on a node.

use crate::value;
use serde_json::Value;
use std::collections::BTreeMap;

/// Amounts by resource, in thousandths.
pub type Amounts = BTreeMap<String, i128>;

const SUFFIXES: [(&str, i128); 12] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("Ei", 1 << 60),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000),
];

/// A quantity in thousandths; what cannot be read is nothing. The API server has checked it.
pub fn quantity(value: &Value) -> i128 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (number, unit) = match text.strip_suffix('m') {
        Some(number) => (number, 1),
        None => {
            let suffix = SUFFIXES.iter().find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit * 1000)));
            suffix.unwrap_or((text.as_str(), 1000))
        }
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let whole: i128 = whole.parse().unwrap_or(0);
    let part = format!("{part:0<3}").get(..3).and_then(|part| part.parse::<i128>().ok()).unwrap_or(0);
    whole * unit + part * unit / 1000
}

fn add(to: &mut Amounts, list: &Value) {
    for (resource, amount) in list.as_object().into_iter().flatten() {
        *to.entry(resource.clone()).or_default() += quantity(amount);
    }
}

/// The amounts of a list of resources.
pub(crate) fn of(list: &Value) -> Amounts {
    let mut amounts = Amounts::new();
    add(&mut amounts, list);
    amounts
}

/// What a node offers.
pub(crate) fn allocatable(node: &Value) -> Amounts {
    let mut amounts = Amounts::new();
    add(&mut amounts, value::at(node, &["status", "allocatable"]));
    amounts
}

/// What a pod takes: the requests of its containers, and one of `pods`.
pub(crate) fn requests(pod: &Value) -> Amounts {
    let mut amounts = Amounts::from([("pods".to_owned(), 1000)]);
    for container in value::items(pod, &["spec", "containers"]) {
        add(&mut amounts, value::at(container, &["resources", "requests"]));
    }
    amounts
}

/// Whether a pod still takes room: it has not ended.
pub(crate) fn is_active(pod: &Value) -> bool {
    !matches!(value::text(pod, &["status", "phase"]), "Succeeded" | "Failed")
}

/// What is left of a node by these pods; negative if they are too many.
pub(crate) fn free<'a>(node: &Value, pods: impl Iterator<Item = &'a Value>) -> Amounts {
    let mut free = allocatable(node);
    for pod in pods {
        for (resource, amount) in requests(pod) {
            *free.entry(resource).or_default() -= amount;
        }
    }
    free
}

/// The first resource of which there is too little.
pub(crate) fn lacking(free: &Amounts, wanted: &Amounts) -> Option<String> {
    wanted
        .iter()
        .find(|(resource, amount)| free.get(*resource).copied().unwrap_or(0) < **amount)
        .map(|(name, _)| name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantities_are_read() {
        for (text, thousandths) in
            [("1", 1000), ("250m", 250), ("0.5", 500), ("1.25Gi", 1_342_177_280_000), ("2k", 2_000_000), ("x", 0)]
        {
            assert_eq!(quantity(&json!(text)), thousandths, "{text}");
        }
        assert_eq!(quantity(&json!(3)), 3000);
    }
}
