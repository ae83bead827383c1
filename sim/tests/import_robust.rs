//! Importers on anything at all: they end, in problems or in rows, and never panic.

use proptest::prelude::*;
use quotree_sim::import::{self, TraceFormat, TraceOptions, elastic_quota_tree};

const FORMATS: [TraceFormat; 4] = [TraceFormat::Native, TraceFormat::Philly, TraceFormat::Openb, TraceFormat::Swf];

/// Good files of every kind, to be damaged.
const GOOD: [&str; 6] = [
    "timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-09 07:01:55,66.0,1,66.0,a\n2017-10-09 06:13:03,2951.0,4,1,b\n",
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,creation_time,deletion_time,scheduled_time\np,1,2,1,460,T4|G2,LS,1,9,2\n",
    "sn,cpu_milli,memory_mib,gpu,model\nn0,64000,262144,2,G2\n",
    "; MaxProcs: 16\n1 0 -1 100 4 -1 -1 -1 -1 -1 1 7 1 -1 -1 -1 -1 -1\n",
    "submit_s,runtime_s,namespace,cpu\n0.5,10,a,500m\n",
    "apiVersion: scheduling.sigs.k8s.io/v1beta1\nkind: ElasticQuotaTree\nspec:\n  root:\n    name: r\n    min: {cpu: 4}\n    max: {cpu: 4}\n    children:\n      - name: a\n        namespaces: [n]\n",
];

/// Reads the bytes as everything; counts what came out.
fn read_as_everything(bytes: &[u8]) -> usize {
    let options = TraceOptions::default();
    let mut seen = 0;
    for format in FORMATS {
        let rows = import::rows(format, bytes, &options);
        assert!(rows.rows.is_sorted_by_key(|row| row.submit));
        assert!(rows.rows.iter().all(|row| row.template.request.iter().all(|(_, amount)| amount >= 0)));
        let nodes = import::nodes(format, bytes, &options);
        seen += rows.rows.len() + rows.problems.len() + nodes.rows.len() + nodes.problems.len();
    }
    let text = String::from_utf8_lossy(bytes);
    let (tree, problems) = elastic_quota_tree::read(&text, Default::default());
    assert!(tree.is_some() || !problems.is_empty(), "refused without a reason");
    for problem in &problems {
        assert!(text.get(problem.span.clone()).is_some(), "{problem:?} is no place of the text");
    }
    seen + problems.len()
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
fn the_good_files_are_good() {
    let options = TraceOptions::default();
    let formats = [TraceFormat::Philly, TraceFormat::Openb, TraceFormat::Openb, TraceFormat::Swf, TraceFormat::Native];
    for (i, (text, format)) in GOOD.iter().zip(formats).enumerate() {
        let count = match i {
            2 => import::nodes(format, text.as_bytes(), &options).rows.len(),
            _ => import::rows(format, text.as_bytes(), &options).rows.len(),
        };
        assert!(count > 0, "{text}");
    }
    assert!(elastic_quota_tree::read(GOOD.last().unwrap(), Default::default()).0.is_some());
}
