//! Quota objects of every format: a realistic file each, with the tree, the notes and the warnings that come of it.
//! Beside each file, `.expected` has what a person would check; `UPDATE_EXPECT=1` writes it anew.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use expect_test::expect_file;
use quotree_core::{Amounts, OverPromised, QuotaSpec};
use quotree_import::{
    self as import, TraceFormat, TraceOptions,
    quota::{Fate, Field, QuotaFormat, QuotaOptions, Quotas, read},
};
use quotree_syntax::Source;
use std::fmt::Write;

fn source(name: &str) -> Source {
    let path = format!("{}/tests/quota/{name}", env!("CARGO_MANIFEST_DIR"));
    Source { path: name.to_owned(), text: std::fs::read_to_string(path).unwrap() }
}

fn text(text: &str) -> Source {
    Source { path: "q".to_owned(), text: text.to_owned() }
}

/// All that was read, as text.
fn shown(read: &Quotas) -> String {
    let mut text = String::new();
    let quotas = read.tree.iter().flat_map(|tree| &tree.quotas);
    for quota in quotas.clone().filter(|quota| quota.parent.is_none()) {
        tree(&mut text, quota, read, 0);
    }
    for (name, value) in &read.classes {
        writeln!(text, "class {name}: {value}").unwrap();
    }
    if !read.knobs.is_empty() {
        writeln!(text, "policy: {}", read.knobs.join(", ")).unwrap();
    }
    for note in &read.notes {
        let (word, at) = (if note.lost { "lost" } else { "assumed" }, &note.first);
        writeln!(text, "{word} ({}:{}:{}): {note}", at.path, at.line, at.column).unwrap();
    }
    for diagnostic in &read.diagnostics {
        writeln!(text, "{diagnostic}").unwrap();
        diagnostic.help.iter().for_each(|help| writeln!(text, "  help: {help}").unwrap());
    }
    for (kind, count) in &read.others {
        writeln!(text, "other: {count} {kind}").unwrap();
    }
    text
}

fn tree(text: &mut String, quota: &QuotaSpec, read: &Quotas, depth: usize) {
    let QuotaSpec { name, min, max, lend, weight, max_jobs, namespaces, attributes, .. } = quota;
    write!(text, "{}{name}: min {min}; max {max}", "  ".repeat(depth)).unwrap();
    lend.iter().for_each(|lend| write!(text, "; lend {lend}").unwrap());
    weight.iter().for_each(|weight| write!(text, "; weight {weight}").unwrap());
    max_jobs.iter().for_each(|jobs| write!(text, "; {jobs} jobs").unwrap());
    if quota.priority != 0 {
        write!(text, "; priority {}", quota.priority).unwrap();
    }
    if quota.queueing == quotree_core::Queueing::Block {
        write!(text, "; blocks").unwrap();
    }
    attributes.iter().for_each(|(key, value)| write!(text, "; {key} = {value}").unwrap());
    namespaces.iter().for_each(|namespace| write!(text, "; @{namespace}").unwrap());
    text.push('\n');
    let children = read.tree.iter().flat_map(|tree| &tree.quotas).filter(|child| child.parent.as_ref() == Some(name));
    children.for_each(|child| tree(text, child, read, depth + 1));
}

#[test]
fn every_format_gives_a_tree_and_tells_what_it_leaves_out() {
    let cluster: Amounts = [("cpu", 400_000), ("memory", 1600 << 30), ("nvidia.com/gpu", 64_000)].into_iter().collect();
    for (name, format, total) in [
        ("elastic-quota-tree.yaml", QuotaFormat::ElasticQuotaTree, None),
        ("elastic-quota-flat.yaml", QuotaFormat::ElasticQuota, None),
        ("elastic-quota-koordinator.yaml", QuotaFormat::ElasticQuota, None),
        ("kueue.yaml", QuotaFormat::Kueue, None),
        ("kai.yaml", QuotaFormat::Kai, None),
        ("volcano.yaml", QuotaFormat::Volcano, None),
        ("yunikorn.yaml", QuotaFormat::Yunikorn, None),
        ("capacity-scheduler.xml", QuotaFormat::Yarn, Some(cluster)),
        ("slurm-associations.cfg", QuotaFormat::Slurm, None),
        ("slurm-associations.txt", QuotaFormat::Slurm, None),
    ] {
        let options = QuotaOptions { total, ..QuotaOptions::default() };
        let read = read(format, vec![source(name)], &options);
        expect_file![format!("{}/tests/quota/{name}.expected", env!("CARGO_MANIFEST_DIR"))].assert_eq(&shown(&read));
        assert!(read.tree.is_some(), "{name} is realistic and has no mistake");
    }
}

/// The mistakes of a text, each as `line:column: title`.
fn mistakes(format: QuotaFormat, files: &[&str]) -> Vec<String> {
    let read = read(format, files.iter().map(|file| text(file)).collect(), &QuotaOptions::default());
    let errors = read.diagnostics.iter().filter(|d| d.severity == quotree_syntax::Severity::Error);
    let diagnostics: Vec<_> = errors.map(|d| format!("{}:{}: {}", d.place.line, d.place.column, d.title)).collect();
    assert_eq!(read.tree.is_none(), !diagnostics.is_empty(), "a mistake leaves no tree: {diagnostics:?}");
    diagnostics
}

#[test]
fn every_mistake_names_its_place() {
    let eqt = "apiVersion: scheduling.sigs.k8s.io/v1beta1\nkind: ElasticQuotaTree\nspec:\n  root:\n    name: r\n";
    let kueue = "kind: ClusterQueue\nmetadata: {name: q}\nspec:\n";
    let group = "  resourceGroups:\n  - flavors:\n    - name: f\n      resources:\n";
    let kai = "apiVersion: scheduling.run.ai/v2\nkind: Queue\nmetadata: {name: q}\nspec:\n";
    let volcano = "apiVersion: scheduling.volcano.sh/v1beta1\nkind: Queue\nmetadata: {name: q}\nspec:\n";
    let yarn = |properties: &str| {
        format!(
            "<configuration>\n<property><name>yarn.scheduler.capacity.root.queues</name><value>a</value></property>\n{properties}\n</configuration>"
        )
    };
    let property = |name: &str, value: &str| {
        format!("<property><name>yarn.scheduler.capacity.{name}</name><value>{value}</value></property>")
    };
    for (format, files, wanted) in [
        (
            QuotaFormat::ElasticQuotaTree,
            format!("{eqt}    min: {{cpu: 4x, nvidia.com/gpu: 8Gi, nvida.com/gpu: 1}}\n    max: [1]\n    namespace: [n]\n"),
            &[
                "6:16: min of `cpu`: `4x` is not a quantity; expected a number with an optional suffix, such as `100m`, `1.5`, `16Gi` or `2e3`",
                "6:36: min of `nvidia.com/gpu`: `8Gi` is an amount of memory, and `nvidia.com/gpu` is counted in devices",
                "6:41: unknown resource `nvida.com/gpu`",
                "7:10: `max` must be a map",
                "8:5: a quota has no field `namespace`",
            ][..],
        ),
        (
            QuotaFormat::ElasticQuotaTree,
            format!("{eqt}    attributes: {{alibabacloud.com/lendlimit: '[1]'}}\n    children: [{{min: {{}}}}, 3, {{name: r}}]\n"),
            &[
                "6:46: `alibabacloud.com/lendlimit` must be a map such as `{\"cpu\": \"2\"}`, found `[1]`",
                "7:16: a quota has no `name`",
                "7:27: a quota must be a map",
                "7:37: second quota `r`",
            ],
        ),
        (
            QuotaFormat::ElasticQuota,
            "kind: ElasticQuota\nmetadata:\n  name: a\n  labels: {quota.scheduling.koordinator.sh/parent: b}\nspec: {min: {cpu: -1}}\n".to_owned(),
            &["5:19: min of `cpu` is negative: `-1`"],
        ),
        (
            QuotaFormat::Kueue,
            format!("{kueue}  cohrt: x\n{group}      - {{name: cpu, nominalQouta: 1}}\n      - {{name: memory, nominalQuota: 1Zi}}\n"),
            &[
                "4:3: a ClusterQueue has no field `spec.cohrt`",
                "9:21: a ClusterQueue has no field `spec.resourceGroups.flavors.resources.nominalQouta`",
                "10:38: nominalQuota of `memory`: `1Zi` is not a quantity; expected a number with an optional suffix, such as `100m`, `1.5`, `16Gi` or `2e3`",
            ],
        ),
        (
            QuotaFormat::Kueue,
            format!("{kueue}  cohort: x\n---\nkind: Cohort\nmetadata: {{name: x}}\nspec: {{parent: y}}\n---\nkind: Cohort\nmetadata: {{name: y}}\nspec: {{parent: x}}\n"),
            &["7:18: y / x: the parents form a cycle: `x`, `y`"],
        ),
        (
            QuotaFormat::Kueue,
            format!("{kueue}specs: {{}}\n").replace("spec:\n", ""),
            &["3:1: a ClusterQueue has no field `specs`"],
        ),
        (
            QuotaFormat::Kueue,
            format!("{kueue}---\nkind: WorkloadPriorityClass\nmetadata: {{name: c}}\nvalue: high\n"),
            &["7:8: `high` is not a priority; expected a whole number"],
        ),
        (
            QuotaFormat::Kai,
            format!("{kai}  resources:\n    gpu: {{quota: 2Gi, limit: -2}}\n    cpu: {{quota: 1.5}}\n"),
            &["6:18: `2Gi` is not a quota of gpu", "6:30: `-2` is not a limit of gpu", "7:18: `1.5` is not a quota of cpu"],
        ),
        (
            QuotaFormat::Volcano,
            format!("{volcano}  capability: {{cpu: 1}}\n  deserved: {{cpu: 2}}\n  parent: p\n"),
            &["3:18: p / q: min 2 cpu exceeds max 1 cpu", "3:18: p / q: unknown parent `p`"],
        ),
        (
            QuotaFormat::Volcano,
            format!("{volcano}  weight: heavy\n"),
            &["5:11: `weight` must be a whole number from 0 to 4294967295, found `heavy`"],
        ),
        (
            QuotaFormat::Yunikorn,
            "partitions:\n- queues:\n  - name: root\n    queues:\n    - {resources: {max: {vcore: 1}}}\n    - name: a\n      maxapplications: many\n      resources: {guarantee: {vcore: 1}}\n".to_owned(),
            &[
                "5:7: a queue has no `name`",
                "7:24: `maxapplications` must be a whole number from 0 to 18446744073709551615, found `many`",
                "8:19: a queue has no field `resources.guarantee`",
            ],
        ),
        (
            QuotaFormat::Yarn,
            yarn(&format!("{}\n{}", property("root.a.capacity", "12,5"), property("root.a.max-parallel-apps", "few"))),
            &["3:63: `12,5` is not a capacity", "4:72: `few` is not a number of jobs"],
        ),
        (
            QuotaFormat::Yarn,
            yarn(&property("root.a.capacity", "100")),
            &["3:63: shares are of a cluster whose size the file does not say"],
        ),
        (QuotaFormat::Yarn, "<configuration>\n<property>\n</configuration>".to_owned(), &["3:1: invalid XML: expected 'property' tag, not 'configuration' at 3:1"]),
        (
            QuotaFormat::Slurm,
            "Cluster - 'c'\nParent - 'root'\nAccount - 'a':Fairshare=much:GrpTRES=cpu\nAcount - 'b'\nnonsense\n".to_owned(),
            &[
                "3:15: `much` is not a fair share; expected a whole number",
                "3:30: `cpu` is not of the form `cpu=8`",
                "4:1: `Acount` is not a line of `sacctmgr dump`",
                "5:1: not a line of `sacctmgr dump`",
            ],
        ),
        (QuotaFormat::Slurm, "Account|User|Share\na||x|y\n".to_owned(), &["2:1: 4 cells, but the header has 3 columns"]),
        (QuotaFormat::Kueue, "kind: Pod\n---\nkind: Pod\n".to_owned(), &["1:1: no ClusterQueue; there is 2 Pod"]),
        (QuotaFormat::Kai, "kind: [\n".to_owned(), &["1:7: unclosed bracket: `]` is missing before line 2"]),
    ] {
        assert_eq!(mistakes(format, &[&files]), wanted, "{files}");
    }
}

#[test]
fn what_is_no_quota_tree_is_told_apart_and_no_mistake_hides_another() {
    let eqt = "apiVersion: scheduling.sigs.k8s.io/v1beta1\nkind: ElasticQuotaTree\n";
    let of = |file: &str| mistakes(QuotaFormat::ElasticQuotaTree, &[file]);
    assert_eq!(of("kind: Pod\n"), ["1:1: no ElasticQuotaTree; there is 1 Pod"]);
    assert_eq!((of("").len(), of("\u{0}\u{1}{{{").len(), of("kind: ElasticQuotaTree\n").len()), (1, 1, 2));
    assert_eq!(of(&format!("{eqt}spec: {{root: 3}}\n")), ["3:14: a quota must be a map"]);
    for limit in ["two", "{\"cpu\": \"two\"}", "{\"cpu\": \"-2\"}"] {
        let root = format!("{{name: r, attributes: {{alibabacloud.com/lendlimit: '{limit}'}}}}");
        let seen = of(&format!("{eqt}spec: {{root: {root}}}\n"));
        assert!(seen.len() == 1 && seen[0].contains("lendlimit"), "{seen:?}");
    }
    let leaf = |i: usize| format!("    - {{name: q{i}, namespaces: [n{i}], max: {{cpu: 1}}, min: {{cpu: 2}}}}\n");
    let leaves: String = (0..500).map(leaf).collect();
    let root = "    name: r\n    max: {cpu: 1000}\n    min: {cpu: 1000}\n    children:\n";
    assert_eq!(of(&format!("{eqt}spec:\n  root:\n{root}{leaves}")).len(), 500);
}

#[test]
fn a_tree_that_promises_too_much_is_refused_with_the_fix_and_can_go_on() {
    let eqt = "apiVersion: scheduling.sigs.k8s.io/v1beta1\nkind: ElasticQuotaTree\nspec:\n  root:\n    name: r\n    min: {cpu: 100}\n    max: {cpu: 100}\n    children:\n    - name: a\n      min: {cpu: 50}\n      max: {cpu: 80}\n      children:\n      - {name: b, namespaces: [b], min: {cpu: 40}}\n      - {name: c, namespaces: [c], min: {cpu: 12}}\n";
    let with = |over_promised, derive_mins| {
        let options = QuotaOptions { over_promised, derive_mins, ..QuotaOptions::default() };
        read(QuotaFormat::ElasticQuotaTree, vec![text(eqt)], &options)
    };
    let diagnostics = with(OverPromised::Error, false);
    assert!(diagnostics.tree.is_none());
    assert_eq!((diagnostics.diagnostics[0].place.line, diagnostics.diagnostics.len()), (9, 1));
    assert!(
        diagnostics.diagnostics[0].help[0].contains("raise the min of `a` to 52 cpu"),
        "{:?}",
        diagnostics.diagnostics
    );
    let warned = with(OverPromised::Warn, false);
    assert_eq!((warned.tree.unwrap().quotas[1].min.get("cpu"), warned.diagnostics.len()), (Some(50_000), 1));
    let derived = with(OverPromised::Error, true);
    assert_eq!(derived.tree.unwrap().quotas[1].min.get("cpu"), Some(52_000));
    assert_eq!((derived.diagnostics, derived.notes.len()), (Vec::new(), 1));
}

#[test]
fn a_config_map_has_queues_with_their_places_in_the_file() {
    let file = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yunikorn-configs}\ndata:\n  queues.yaml: |\n    partitions:\n    - name: default\n      queues:\n      - name: a\n        maxapplications: 3\n        resources: {max: {vcore: AMOUNT}}\n";
    let options = QuotaOptions::default();
    let good = read(QuotaFormat::Yunikorn, vec![text(&file.replace("AMOUNT", "4"))], &options).tree.unwrap();
    assert_eq!((good.quotas[1].name.as_str(), good.quotas[1].max_jobs), ("root.a", Some(3)));
    assert_eq!(
        mistakes(QuotaFormat::Yunikorn, &[&file.replace("AMOUNT", "4Gi")]),
        ["11:34: max of `cpu`: `4Gi` is an amount of memory, and `cpu` is counted in cores"]
    );
}

#[test]
fn several_files_are_one_import() {
    let queue = "kind: ClusterQueue\nmetadata: {name: q}\nspec: {cohort: c, resourceGroups: [{flavors: [{name: f, resources: [{name: cpu, nominalQuota: 4}]}]}]}\n";
    let local = "kind: LocalQueue\nmetadata: {name: l, namespace: team}\nspec: {clusterQueue: q}\n";
    let read = read(QuotaFormat::Kueue, vec![text(local), text(queue)], &QuotaOptions::default());
    let tree = read.tree.unwrap();
    let names: Vec<_> = tree.quotas.iter().map(|quota| quota.name.as_str()).collect();
    assert_eq!(names, ["c", "q"]);
    assert_eq!(tree.quotas[1].namespaces, ["team"]);
}

#[test]
fn a_cohort_may_have_the_name_of_a_queue_but_not_of_another_cohort() {
    let queue = "kind: ClusterQueue\nmetadata: {name: q}\nspec: {cohort: q, resourceGroups: [{flavors: [{name: f, resources: [{name: cpu, nominalQuota: 4}]}]}]}\n";
    let tree = read(QuotaFormat::Kueue, vec![text(queue)], &QuotaOptions::default()).tree.unwrap();
    let names: Vec<_> = tree.quotas.iter().map(|quota| quota.name.as_str()).collect();
    assert_eq!(names, ["cohort-q", "q"]);
    let cohort = "kind: Cohort\nmetadata: {name: c}\n";
    assert_eq!(mistakes(QuotaFormat::Kueue, &[queue, cohort, cohort]), ["2:18: second Cohort `c`"]);
}

#[test]
fn a_slurm_log_gives_jobs_by_account_and_user() {
    let log = source("sacct.txt").text;
    let read = import::rows(TraceFormat::Slurm, log.as_bytes(), &TraceOptions::default());
    let rows: Vec<_> = read
        .rows
        .iter()
        .map(|row| {
            let (namespace, user) = (row.namespace.to_string(), row.user.as_ref().map(ToString::to_string));
            let request = row.template.request.to_string();
            (row.name.to_string(), row.submit.0, row.runtime_ms, namespace, user.unwrap_or_default(), row.pods, request)
        })
        .collect();
    let row = |name: &str, submit, ms, account: &str, user: &str, pods, request: &str| {
        (name.to_owned(), submit, ms, account.to_owned(), user.to_owned(), pods, request.to_owned())
    };
    assert_eq!(
        rows,
        [
            row("1002_1", 0, 600_000, "biology", "bob", 1, "3 cpu, 4000Mi memory"),
            row("1001", 30_000, 7_200_000, "physics", "alice", 2, "32 cpu, 256Gi memory, 8 nvidia.com/gpu"),
            row("1004", 3_630_000, 3_600_000, "astro", "carol", 1, "32 cpu, 96Gi memory, 4 nvidia.com/gpu"),
        ]
    );
    let problems: Vec<_> = read.problems.iter().map(|problem| format!("{}: {}", problem.line, problem.what)).collect();
    assert_eq!(
        problems,
        [
            "9: `2024-03-01 9h` is not a timestamp; expected one like `2017-10-09 07:01:55`",
            "10: `lots` is not a number of cpu, in `AllocTRES`",
        ]
    );
    let notes: Vec<_> = read.notes.iter().map(|note| format!("{}: {note}", note.first.line)).collect();
    assert_eq!(
        notes,
        [
            "2: 1 job has GPUs of a model: the job would run on GPUs of that model; here on any",
            "2: 3 jobs set `Partition`: partitions have nodes and limits of their own; here there is one cluster",
            "5: 1 job sets `QOS`: a quality of service would have limits and a priority of its own",
            "6: 9 jobs have not started: left out, since the run time is not known",
            "8: 1 job sets `license/matlab`: quotree does not count it",
            "3: 2 steps: a part of a job, which is read as a whole",
            "8: 1 job has not ended: the run time is that until the log was written",
            "8: 1 job has an amount that does not divide by the number of nodes: one pod, which requests everything",
        ]
    );
}

#[test]
fn notes_are_of_fields_that_the_tables_have() {
    for format in QuotaFormat::ALL {
        for (kind, fields) in format.fields() {
            let mut names: Vec<_> = fields.iter().map(|field| field.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), fields.len(), "{kind} of {format:?} states each field once");
        }
    }
}

/// The rows of a table of the reference page, and the fields without an effect.
fn rows(fields: &[Field], path: &str, rows: &mut String, idle: &mut Vec<String>) {
    for Field { name, fate } in fields {
        let full = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
        match fate {
            Fate::Becomes(what) => writeln!(rows, "| `{full}` | {what} |").unwrap(),
            Fate::Holds(inner) => self::rows(inner, &full, rows, idle),
            Fate::Idle => idle.push(format!("`{full}`")),
            Fate::Lost(meant, neutral) => {
                let neutral: Vec<_> =
                    neutral.iter().filter(|n| !n.trim().is_empty()).map(|n| format!("`{n}`")).collect();
                let unless =
                    if neutral.is_empty() { String::new() } else { format!(", unless {}", neutral.join(" or ")) };
                writeln!(rows, "| `{full}` | *reported{unless}:* {meant} |").unwrap();
            }
        }
    }
}

#[test]
fn the_reference_page_is_what_the_tables_say() {
    let mut page = String::from(
        "# Quota objects: what becomes of each field\n\n\
         This page is written by a test from the tables that the importers read by (`UPDATE_EXPECT=1 cargo test -p \
         quotree-import --test quota`). [import.md](../import.md) says how to use them. What is *diagnostics* has no place in \
         quotree's model: the import counts it, and `--strict` makes it an error. So is any field that a table does not \
         have. A `*` stands for anything.\n",
    );
    for format in QuotaFormat::ALL {
        let what = format.what();
        let what =
            what.split_once(' ').filter(|(article, _)| matches!(*article, "a" | "an")).map_or(what, |(_, rest)| rest);
        writeln!(page, "\n## {}{}", what[..1].to_uppercase(), &what[1..]).unwrap();
        for (kind, fields) in format.fields() {
            let (mut table, mut idle) = (String::new(), Vec::new());
            rows(fields, "", &mut table, &mut idle);
            writeln!(page, "\n### {}{}\n\n| field | becomes |\n|---|---|", kind[..1].to_uppercase(), &kind[1..])
                .unwrap();
            page.push_str(&table);
            if !idle.is_empty() {
                writeln!(page, "\nWithout an effect on scheduling: {}.", idle.join(", ")).unwrap();
            }
        }
    }
    expect_file![format!("{}/../docs/reference/import.md", env!("CARGO_MANIFEST_DIR"))].assert_eq(&page);
}
