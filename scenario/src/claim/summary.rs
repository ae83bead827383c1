//! The outcome of another run, read from its summary.json.

/// The namespace rows of a summary (name; then running, pending, succeeded, failed, evicted), and its number of
/// evictions.
pub(super) type Outcome = (Vec<(String, [u64; 5])>, u64);

pub(super) fn outcome(bytes: &[u8]) -> Result<Outcome, String> {
    let summary: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let array = |field: &str| {
        summary.get(field).and_then(serde_json::Value::as_array).ok_or_else(|| format!("it has no list `{field}`"))
    };
    let mut rows = Vec::new();
    for row in array("namespaces")? {
        let name = row.get("name").and_then(serde_json::Value::as_str).ok_or("a namespace has no name")?;
        let mut counts = [0; 5];
        let columns = ["running", "pending", "succeeded", "failed", "evicted"];
        for (slot, column) in counts.iter_mut().zip(columns) {
            let count = row.get(column).and_then(serde_json::Value::as_u64);
            *slot = count.ok_or_else(|| format!("the namespace `{name}` has no count `{column}`"))?;
        }
        rows.push((name.to_owned(), counts));
    }
    Ok((rows, array("evictions")?.len() as u64))
}
