//! Files as a first user has them: what a cluster creates by itself, and what a short file leaves open.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use quotree_import::{
    self as import, TraceFormat, TraceOptions,
    quota::{QuotaFormat, QuotaOptions, Quotas, read},
};
use quotree_syntax::Source;

fn of(format: QuotaFormat, text: &str, total: &[(&str, i64)]) -> Quotas {
    let total = (!total.is_empty()).then(|| total.iter().copied().collect());
    let source = Source { path: "q".to_owned(), text: text.to_owned() };
    read(format, vec![source], &QuotaOptions { total, ..QuotaOptions::default() })
}

/// The min and the max of a quota, in words.
fn bounds(read: &Quotas, name: &str) -> (String, String) {
    let tree = read.tree.as_ref().unwrap();
    let quota = tree.quotas.iter().find(|quota| quota.name == name).unwrap();
    (quota.min.to_string(), quota.max.to_string())
}

fn notes(read: &Quotas) -> Vec<String> {
    read.notes.iter().map(ToString::to_string).collect()
}

/// An ElasticQuota of Koordinator.
fn quota(name: &str, parent: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: scheduling.sigs.k8s.io/v1alpha1\nkind: ElasticQuota\nmetadata:\n  name: {name}\n  namespace: {name}\n  \
         labels: {{quota.scheduling.koordinator.sh/parent: \"{parent}\", quota.scheduling.koordinator.sh/is-parent: \"false\"}}\nspec: {spec}\n"
    )
}

#[test]
fn koordinators_own_quotas_are_the_cluster_and_leaves_without_limits() {
    let endless = "{max: {cpu: \"1844674407370955161\", memory: \"1844674407370955161\"}}";
    let root = quota("koordinator-root-quota", "", "{}").replace(
        "is-parent: \"false\"",
        "is-parent: \"true\", quota.scheduling.koordinator.sh/allow-lent-resource: \"false\"",
    );
    let team = quota("team", "koordinator-root-quota", "{min: {cpu: 40}, max: {cpu: 60}}");
    let all = [
        &root,
        &quota("koordinator-default-quota", "", endless),
        &quota("koordinator-system-quota", "", endless),
        &team,
    ];
    let read = of(QuotaFormat::ElasticQuota, &all.map(String::as_str).concat(), &[("cpu", 100_000)]);
    assert!(read.diagnostics.is_empty(), "{:?}", read.diagnostics);
    let bounds = |name| bounds(&read, name);
    assert_eq!(bounds("koordinator-root-quota"), ("100 cpu".to_owned(), "100 cpu".to_owned()));
    assert_eq!(bounds("koordinator-default-quota"), ("nothing".to_owned(), "nothing".to_owned()));
    assert_eq!(bounds("team"), ("40 cpu".to_owned(), "60 cpu".to_owned()));
    assert_eq!(read.tree.unwrap().quotas[0].lend, None, "nobody is above the root");
}

#[test]
fn koordinators_former_root_is_no_unknown_parent() {
    let team = quota("team", "root", "{min: {cpu: 40}, max: {cpu: 60}}");
    let tree = of(QuotaFormat::ElasticQuota, &team, &[]).tree.unwrap();
    assert_eq!(tree.quotas[1].parent.as_ref().unwrap(), "koordinator-root-quota");
    // A quota of that name is one.
    let own =
        format!("{team}{}", quota("root", "", "{min: {cpu: 50}, max: {cpu: 50}}").replace("\"false\"", "\"true\""));
    let tree = of(QuotaFormat::ElasticQuota, &own, &[]).tree.unwrap();
    assert_eq!(tree.quotas.iter().find(|quota| quota.name == "team").unwrap().parent.as_ref().unwrap(), "root");
}

fn yarn(properties: &[(&str, &str)]) -> String {
    let one = |(name, value): &(&str, &str)| {
        format!("<property><name>yarn.scheduler.capacity.root.{name}</name><value>{value}</value></property>\n")
    };
    format!("<configuration>\n{}</configuration>\n", properties.iter().map(one).collect::<String>())
}

#[test]
fn what_a_capacity_scheduler_says_of_its_root_is_read() {
    let file = yarn(&[
        ("queues", "a,b"),
        ("capacity", "[memory=409600,vcores=200]"),
        ("max-parallel-apps", "30"),
        ("a.capacity", "[memory=50%,vcores=60%]"),
        ("a.queues", "x"),
        ("a.x.capacity", "[memory=50%,vcores=50%]"),
        ("b.capacity", "40"),
        ("b.user-limit-factor", "2"),
    ]);
    let read = of(QuotaFormat::Yarn, &file, &[]);
    assert!(read.diagnostics.is_empty(), "{:?}", read.diagnostics);
    assert_eq!(bounds(&read, "root").0, "200 cpu, 400Gi memory");
    assert_eq!(bounds(&read, "root.a").0, "120 cpu, 200Gi memory");
    assert_eq!(bounds(&read, "root.a.x").0, "60 cpu, 100Gi memory", "parts are of the parent");
    assert_eq!(bounds(&read, "root.b").0, "80 cpu, 160Gi memory");
    assert_eq!(read.tree.as_ref().unwrap().quotas[0].max_jobs, Some(30));
    let said = notes(&read);
    assert!(said.iter().any(|note| note.starts_with("1 queue has no user-limit-factor: ")), "{said:?}");
    let sized = of(QuotaFormat::Yarn, &file, &[("cpu", 100_000), ("memory", 100 << 30)]);
    assert_eq!(bounds(&sized, "root").0, "100 cpu, 100Gi memory");
    assert!(notes(&sized).iter().any(|note| note.starts_with("1 root sets `capacity`: ")), "{:?}", notes(&sized));
    let weights =
        of(QuotaFormat::Yarn, &yarn(&[("queues", "a"), ("a.capacity", "[memory=50%,vcores=2w]")]), &[("cpu", 1)]);
    assert_eq!(weights.diagnostics[0].title, "`vcores=2w` is a weight of one resource, which is not read");
}

#[test]
fn a_guarantee_that_comes_from_children_is_noted() {
    let queue = |name: &str, spec: &str| {
        format!(
            "---\napiVersion: scheduling.volcano.sh/v1beta1\nkind: Queue\nmetadata: {{name: {name}}}\nspec: {spec}\n"
        )
    };
    let file =
        queue("eng", "{deserved: {cpu: 8}}") + &queue("eng-a", "{parent: eng, deserved: {cpu: 4, nvidia.com/gpu: 2}}");
    let read = of(QuotaFormat::Volcano, &file, &[]);
    assert_eq!(bounds(&read, "eng").0, "8 cpu, 2 nvidia.com/gpu");
    let wanted = "1 Queue has no guarantee of a resource that a child is guaranteed: here the sum of the children's";
    assert!(notes(&read).iter().any(|note| note == wanted), "{:?}", notes(&read));
    let whole = file.replace("{deserved: {cpu: 8}}", "{deserved: {cpu: 8, nvidia.com/gpu: 2}}");
    assert!(!notes(&of(QuotaFormat::Volcano, &whole, &[])).iter().any(|note| note == wanted));
}

#[test]
fn a_log_counts_the_tasks_of_an_array_and_says_which_jobs_are_one_pod() {
    let log = "JobID|Account|Submit|Start|ElapsedRaw|State|NNodes|AllocTRES\n\
        7_1|a|2024-03-01T08:00:00|2024-03-01T08:00:00|60|COMPLETED|1|cpu=4,mem=4G\n\
        7_[2-9%2]|a|2024-03-01T08:00:00|Unknown|0|PENDING|1|\n\
        8+1|a|2024-03-01T08:00:00|2024-03-01T08:00:00|60|FAILED|2|cpu=7,mem=4G\n";
    let read = import::rows(TraceFormat::Slurm, log.as_bytes(), &TraceOptions::default());
    let said: Vec<_> = read.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "8 jobs have not started: left out, since the run time is not known",
            "1 job has an amount that does not divide by the number of nodes: one pod, which requests everything",
        ]
    );
    assert_eq!(read.rows.iter().map(|row| row.pods).collect::<Vec<_>>(), [1, 1]);
}
