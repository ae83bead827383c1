//! Importers accept any input: they end, with problems or with rows, and never panic.

use proptest::prelude::*;
use quotree_core::Amounts;
use quotree_import::{
    self as import, TraceFormat, TraceOptions,
    quota::{QuotaFormat, QuotaOptions},
};
use quotree_syntax::Source;

/// Valid files of every kind, which the tests damage.
const GOOD: [&str; 15] = [
    "timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-09 07:01:55,66.0,1,66.0,a\n2017-10-09 06:13:03,2951.0,4,1,b\n",
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,creation_time,deletion_time,scheduled_time\np,1,2,1,460,T4|G2,LS,1,9,2\n",
    "sn,cpu_milli,memory_mib,gpu,model\nn0,64000,262144,2,G2\n",
    "; MaxProcs: 16\n1 0 -1 100 4 -1 -1 -1 -1 -1 1 7 1 -1 -1 -1 -1 -1\n",
    "submit_s,runtime_s,namespace,cpu\n0.5,10,a,500m\n",
    "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n1,u,vc,16,64,2,COMPLETED,2020-06-09 18:41:01,2020-06-09 18:41:01,2020-06-10 04:55:09,36848,0\n",
    "job_id,user,node_num,gpu_num,cpu_num,type,state,submit_time,duration\nj,u,8,64.0,960,Other,FAILED,2023-05-17 11:00:58+00:00,12\n",
    "job_id,num_gpu,submit_time,duration,priority\n0,8,46122000,2868294000,1\n",
    "time,running_gpu_num,pending_gpu_num\n2020-05-01 00:00:00,4,1\n2020-05-01 00:01:00,2,0\n",
    "j1,worker,2.0,Terminated,100.0,160.5,600.0,29.296875,50.0,MISC\n",
    "cohorts:\n- className: cohort\n  count: 2\n  queuesSets:\n  - className: cq\n    count: 2\n    nominalQuota: 20\n    borrowingLimit: 100\n    workloadsSets:\n    - count: 3\n      creationIntervalMs: 100\n      workloads:\n      - {className: small, runtimeMs: 200, priority: 50, request: 1}\n",
    "Cycles: 10\nNodes:\n- {GPUs: 8, Count: 1}\nQueues:\n- {Name: d, Parent: ''}\n- {Name: q, Parent: d, DeservedGPUs: 2.0}\nJobs:\n  q: {GPUs: 4, NumPods: 1, NumJobs: 3}\n",
    "name: w\nrandomSeed: 7\nqueues:\n- name: A\n  weight: 1.5\n  jobTemplates:\n  - number: 4\n    gangCardinality: 2\n    requirements: {resourceRequirements: {requests: {cpu: 1}}}\n    runtimeDistribution: {minimum: 5m, tailMean: 1m}\n",
    "{\"kind\": \"List\", \"items\": [{\"kind\": \"Pod\", \"metadata\": {\"name\": \"p\", \"namespace\": \"n\", \"creationTimestamp\": \"2024-05-01T10:00:00Z\"}, \"spec\": {\"containers\": [{\"resources\": {\"requests\": {\"cpu\": \"1\"}}}]}, \"status\": {\"phase\": \"Pending\"}}]}\n",
    "apiVersion: scheduling.sigs.k8s.io/v1beta1\nkind: ElasticQuotaTree\nspec:\n  root:\n    name: r\n    min: {cpu: 4}\n    max: {cpu: 4}\n    children:\n      - name: a\n        namespaces: [n]\n",
];

/// Valid files of quota objects and of Slurm, which the tests damage, too.
const QUOTAS: [&str; 11] = [
    include_str!("quota/elastic-quota-tree.yaml"),
    include_str!("quota/elastic-quota-flat.yaml"),
    include_str!("quota/elastic-quota-koordinator.yaml"),
    include_str!("quota/kueue.yaml"),
    include_str!("quota/kai.yaml"),
    include_str!("quota/volcano.yaml"),
    include_str!("quota/yunikorn.yaml"),
    include_str!("quota/capacity-scheduler.xml"),
    include_str!("quota/slurm-associations.cfg"),
    include_str!("quota/slurm-associations.txt"),
    include_str!("quota/sacct.txt"),
];

/// Reads the bytes as quota objects of every format: there is a tree or an error, and each place is one of the text.
fn read_as_quotas(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    assert!(import::detect::detect(bytes).is_none_or(|kind| !kind.to_string().is_empty()));
    for format in QuotaFormat::ALL {
        for total in [None, Some(Amounts::new().with("cpu", i64::MAX))] {
            let source = Source { path: "q".to_owned(), text: text.clone() };
            let options = QuotaOptions { total, derive_mins: true, ..QuotaOptions::default() };
            let read = import::quota::read(format, vec![source], &options);
            assert!(read.tree.is_some() || !read.diagnostics.is_empty(), "refused without a reason: {format:?} {text}");
            for diagnostic in &read.diagnostics {
                assert!(text.get(diagnostic.span.clone()).is_some(), "{diagnostic:?} is no place of the text");
            }
            assert!(read.notes.iter().all(|note| note.count > 0 && note.first.line > 0 && !note.means.is_empty()));
        }
    }
    let log = import::rows(TraceFormat::Slurm, bytes, &TraceOptions::default());
    assert!(log.rows.is_sorted_by_key(|row| row.submit));
}

/// Reads the bytes as every kind of file, and counts the rows and problems.
fn read_as_everything(bytes: &[u8]) -> usize {
    let options = TraceOptions::default();
    let mut seen = 0;
    for (_, format) in TraceFormat::NAMED {
        let rows = import::rows(format, bytes, &options);
        assert!(rows.rows.is_sorted_by_key(|row| row.submit));
        assert!(rows.rows.iter().all(|row| row.template.request.iter().all(|(_, amount)| amount >= 0)));
        let nodes = import::nodes(format, bytes, &options);
        let outline = import::outline(format, bytes, &options, &Amounts::new());
        assert!(outline.problems.iter().chain(&rows.problems).all(|problem| !problem.what.is_empty()));
        seen += rows.rows.len() + rows.problems.len() + nodes.rows.len() + nodes.problems.len();
    }
    seen
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(read_as_everything(&bytes) > 0);
    }

    #[test]
    fn damaged_files_end(which in 0..GOOD.len(), at in any::<prop::sample::Index>(), len in 0..12usize, with in "[-0-9a-z,:;\\[\\]{}&*'\"\\n ._é]{0,20}") {
        let text = GOOD[which];
        let start = at.index(text.len());
        let end = (start + len).min(text.len());
        let damaged = [&text.as_bytes()[..start], with.as_bytes(), &text.as_bytes()[end..]].concat();
        prop_assert!(read_as_everything(&damaged) > 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn damaged_quotas_end(which in 0..QUOTAS.len(), at in any::<prop::sample::Index>(), len in 0..60usize, with in "[-0-9a-zA-Z,:;<>/|=\\[\\]{}&*'\"\\n ._é]{0,20}") {
        let text = QUOTAS[which];
        let start = text.floor_char_boundary(at.index(text.len()));
        let end = text.floor_char_boundary((start + len).min(text.len()));
        read_as_quotas([&text[..start], &with, &text[end..]].concat().as_bytes());
    }

    #[test]
    fn truncated_quotas_end(which in 0..QUOTAS.len(), at in any::<prop::sample::Index>()) {
        let text = QUOTAS[which].as_bytes();
        read_as_quotas(&text[..at.index(text.len())]);
    }
}

#[test]
fn deep_and_wide_quotas_end_in_linear_time() {
    let queue = |i: usize| {
        format!(
            "---\napiVersion: scheduling.volcano.sh/v1beta1\nkind: Queue\nmetadata: {{name: q{i}}}\nspec: {{parent: q{}, odd: 1, deserved: {{cpu: x}}}}\n",
            i + 1
        )
    };
    let text: String = (0..5000).map(queue).collect();
    let read = |text: &str| {
        let source = Source { path: "q".to_owned(), text: text.to_owned() };
        import::quota::read(QuotaFormat::Volcano, vec![source], &QuotaOptions::default())
    };
    assert_eq!(read(&text).diagnostics.len(), 5000, "every mistake is there");
    let chain = read(&text.replace("cpu: x", "cpu: 1").replace(", odd: 1", ""));
    assert!(chain.tree.is_none(), "the last parent does not exist");
    assert_eq!(read(&text.replace("cpu: x", "cpu: 1")).notes[0].count, 5000);
}

#[test]
fn absurd_numbers_are_refused_by_line() {
    for number in ["9223372036854775807", "-9223372036854775808", "99999999999999999999999", "1e308", "NaN", "0x10"] {
        let text = format!("timestamp,duration,num_gpus,cluster\n2017-10-09 07:01:55,1,{number},a\n");
        let read = import::rows(TraceFormat::Philly, text.as_bytes(), &TraceOptions::default());
        assert_eq!((read.rows.len(), read.problems.first().map(|p| p.line)), (0, Some(2)), "{number}");
        let text = format!("1 {number} -1 {number} 4 -1 -1 -1 -1 -1 1 7 1 -1 -1 -1 -1 -1\n");
        let read = import::rows(TraceFormat::Swf, text.as_bytes(), &TraceOptions::default());
        assert_eq!((read.rows.len(), read.problems.first().map(|p| p.line)), (0, Some(1)), "{number}");
    }
    let dates = "timestamp,duration,num_gpus,cluster\n-9999-01-01 00:00:00,1,1,a\n9999-12-31 23:59:59,1,1,a\n";
    let read = import::rows(TraceFormat::Philly, dates.as_bytes(), &TraceOptions::default());
    let last = read.rows.last().map(|row| row.submit.0);
    assert!(last.is_none_or(|ms| ms <= import::MAX_MS), "{read:?}");
}

#[test]
fn absurd_worlds_are_refused_before_they_are_made() {
    let count = |text: &str, format| {
        let options = TraceOptions::default();
        let (rows, nodes) =
            (import::rows(format, text.as_bytes(), &options), import::nodes(format, text.as_bytes(), &options));
        let outline = import::outline(format, text.as_bytes(), &options, &Amounts::new());
        assert!(!rows.problems.is_empty() || !nodes.problems.is_empty() || !outline.problems.is_empty(), "{text}");
        rows.rows.len() + nodes.rows.len() + outline.tree.quotas.len()
    };
    for number in ["999999999", "1000000000", "18446744073709551615", "-1", "1e30", "NaN"] {
        for (i, format) in [(10, TraceFormat::Kueue), (11, TraceFormat::Kai), (12, TraceFormat::Armada)] {
            for field in ["count: 2", "count: 3", "NumJobs: 3", "Count: 1", "number: 4"] {
                let text = GOOD[i].replace(field, &format!("{} {number}", field.split(' ').next().unwrap()));
                if text != GOOD[i] {
                    assert!(count(&text, format) < 100, "{text}");
                }
            }
        }
    }
    let wide = format!("kind: List\nitems:\n{}", "- {kind: Pod}\n".repeat(10_000));
    let read = import::rows(TraceFormat::Kubernetes, wide.as_bytes(), &TraceOptions::default());
    assert_eq!((read.rows.len(), read.problems.len()), (0, 10_000));
    assert_eq!(read.problems[41].line, 44);
}

#[test]
fn truncated_files_give_rows_or_problems() {
    for text in GOOD {
        for end in 0..text.len() {
            assert!(read_as_everything(&text.as_bytes()[..end]) > 0, "{}", &text[..end]);
        }
    }
}

#[test]
fn the_valid_files_are_accepted() {
    let options = TraceOptions::default();
    let formats = [
        TraceFormat::Philly,
        TraceFormat::Openb,
        TraceFormat::Openb,
        TraceFormat::Swf,
        TraceFormat::Native,
        TraceFormat::Helios,
        TraceFormat::Acme,
        TraceFormat::Muri,
        TraceFormat::HeliosDemand,
        TraceFormat::Pai,
        TraceFormat::Kueue,
        TraceFormat::Kai,
        TraceFormat::Armada,
        TraceFormat::Kubernetes,
    ];
    for (i, (text, format)) in GOOD.iter().zip(formats).enumerate() {
        let problems = match i {
            2 => import::nodes(format, text.as_bytes(), &options).problems,
            _ => {
                let read = import::rows(format, text.as_bytes(), &options);
                assert!(!read.rows.is_empty(), "{text}");
                read.problems
            }
        };
        assert_eq!(problems, [], "{text}");
    }
}
