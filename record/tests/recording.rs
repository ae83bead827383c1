//! A recording is written, broken in all ways, and read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use quotree_core::{
    Amounts, Event, Finding, NodeId, NodeSpec, Policy, QuotaSpec, Scheduler, Time, TreeSpec, WorkloadSpec,
};
use quotree_record::{
    Decision, Difference, Ending, Head, Line, NamedNode, NamedPod, Replayed, Steps, Why,
    folder::{Keep, file, prune, segments},
    replay,
    write::Segment,
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("quotree-record-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    path
}

fn cores(count: i64) -> Amounts {
    Amounts::new().with("cpu", count * 1000)
}

fn tree() -> TreeSpec {
    [QuotaSpec::new("root", None).min(cores(8)).max(cores(8)).namespace("team")].into_iter().collect()
}

fn head(follows: Option<String>) -> Head {
    Head {
        format: 0,
        rules: quotree_core::SEMANTICS_VERSION.to_owned(),
        by: "test 1".to_owned(),
        run: "run".to_owned(),
        segment: 0,
        follows,
        at: Time(1000),
        tree: tree(),
        policy: Policy::default(),
    }
}

/// A live scheduler that is recorded.
struct Live {
    core: Scheduler,
    segment: Segment,
}

impl Live {
    fn begin(folder: &Path, follows: Option<String>) -> Result<Self, Vec<Finding>> {
        let core = Scheduler::new(&tree(), Policy::default())?;
        let mut live = Self { core, segment: Segment::begin(folder, head(follows)).unwrap().0 };
        live.line(Line::Node(NamedNode { id: NodeId(0), name: "node-a".into() }));
        live.event(Event::NodeUp(NodeSpec::new(0, cores(6))));
        Ok(live)
    }

    fn line(&mut self, line: Line) {
        self.segment.take(&line).unwrap();
    }

    fn event(&mut self, event: Event) {
        self.core.apply(event.clone()).unwrap();
        self.line(Line::Event(Box::new(event)));
    }

    /// Submits a pod of so many cores and decides.
    fn pod(&mut self, id: u32, count: i64) {
        self.event(Event::WorkloadSubmitted(WorkloadSpec::pod(id, "team", Time(1000), cores(count))));
        let name = format!("team/pod-{id}").as_str().into();
        self.line(Line::Pod(Box::new(NamedPod { id: (id, 0), name, uid: "u".into(), owner: None })));
        let now = Time(1000 + u64::from(id) * 1000);
        let plan = self.core.decide(now);
        self.line(Line::Decide(Box::new(Decision::of(now, &plan))));
        self.segment.flush().unwrap();
    }
}

fn replayed(path: &Path) -> Vec<Replayed> {
    let mut all = Vec::new();
    replay(path, |one, _| {
        all.push(one);
        true
    })
    .unwrap();
    all
}

/// Writes lines anew, with right sums: a recording by another program.
fn doctored(from: &Path, to: &Path, change: impl Fn(&mut serde_json::Value)) {
    let bytes = fs::read(from).unwrap();
    let mut source = bytes.as_slice();
    let mut text = Vec::new();
    while !source.is_empty() {
        let mut frame = ruzstd::decoding::StreamingDecoder::new(&mut source).unwrap();
        std::io::Read::read_to_end(&mut frame, &mut text).unwrap();
    }
    let mut chain = quotree_record::chain::Chain::default();
    let mut out = Vec::new();
    for line in String::from_utf8(text).unwrap().lines() {
        let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
        change(&mut value);
        if value.get("sum").is_some() {
            value["sum"] = chain.sum().into();
        }
        let line = format!("{value}\n");
        if value.get("sum").is_none() {
            chain.take(line.as_bytes());
        }
        out.extend(line.into_bytes());
    }
    fs::write(to, ruzstd::encoding::compress_to_vec(out.as_slice(), ruzstd::encoding::CompressionLevel::Fastest))
        .unwrap();
}

#[test]
fn segments_replay_and_follow_one_another() {
    let folder = folder("whole");
    let mut live = Live::begin(&folder, None).unwrap();
    (1..=3).for_each(|id| live.pod(id, 2));
    let sum = live.segment.end(Why::Full, 0).unwrap();
    let mut live = Live::begin(&folder, Some(sum)).unwrap();
    live.pod(1, 2);
    live.segment.end(Why::Stopped, 0).unwrap();
    let all = replayed(&folder);
    let told: Vec<_> = all.iter().map(|one| (one.segment, one.events, one.agreed, one.follows)).collect();
    assert_eq!(told, [(1, 4, 3, None), (2, 2, 1, Some(true))]);
    assert!(all.iter().all(|one| one.difference.is_none() && !one.is_by_other_rules()));
    assert!(matches!(&all[1].ending, Some(Ending::Whole(end)) if end.why == Why::Stopped));
    // Without the first, the second replays all the same.
    fs::remove_file(file(&folder, 1)).unwrap();
    assert_eq!(replayed(&folder)[0].agreed, 1);
    fs::remove_dir_all(folder).unwrap();
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder("mode");
    Live::begin(&folder, None).unwrap().segment.flush().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&file(&folder, 1))), (0o700, 0o600));
    fs::remove_dir_all(folder).unwrap();
}

/// However many bytes of it were written when the machine stopped: what is whole counts, and nothing is made up.
#[test]
fn a_segment_that_is_cut_anywhere_counts_up_to_its_last_whole_step() {
    let folder = folder("cut");
    let mut live = Live::begin(&folder, None).unwrap();
    live.segment.flush().unwrap();
    let mut ends = Vec::new();
    for id in 1..=3 {
        live.pod(id, 2);
        ends.push(fs::metadata(file(&folder, 1)).unwrap().len() as usize);
    }
    let whole = fs::read(file(&folder, 1)).unwrap();
    for length in 0..whole.len() {
        fs::write(file(&folder, 1), &whole[..length]).unwrap();
        let all = replayed(&folder);
        if all.is_empty() {
            assert!(length < ends[0], "{length}: nothing counts");
            continue;
        }
        let at_least = ends.iter().filter(|end| **end <= length).count() as u64;
        let agreed = all[0].agreed;
        // The last bytes of a frame may be no more than its checksum.
        assert!(agreed == at_least || agreed == at_least + 1, "{length}: {agreed}, {at_least}");
        assert!(matches!(all[0].ending, Some(Ending::Cut { .. })), "{length}: {:?}", all[0].ending);
        assert!(all[0].difference.is_none());
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_was_changed_in_the_middle_is_noticed() {
    let folder = folder("flip");
    let mut live = Live::begin(&folder, None).unwrap();
    (1..=3).for_each(|id| live.pod(id, 2));
    live.segment.end(Why::Full, 0).unwrap();
    let whole = fs::read(file(&folder, 1)).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(file(&folder, 1), &bytes).unwrap();
        let mut all = Vec::new();
        let result = replay(&folder, |one, _| {
            all.push(one);
            true
        });
        // Either it is refused, or it is cut there, or the flip is in a checksum that nobody needs.
        let agreed: u64 = all.iter().map(|one| one.agreed).sum();
        let ends_well = all.iter().any(|one| matches!(one.ending, Some(Ending::Whole(_))));
        assert!(result.is_err() || agreed < 3 || ends_well, "byte {at}");
        assert!(all.iter().all(|one| one.difference.is_none()), "byte {at}: {:?}", all);
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_difference_names_the_decision_and_its_pods() {
    let folder = folder("difference");
    let mut live = Live::begin(&folder, None).unwrap();
    (1..=2).for_each(|id| live.pod(id, 2));
    live.segment.end(Why::Stopped, 0).unwrap();
    // As by rules that put the second pod nowhere.
    doctored(&file(&folder, 1), &file(&folder, 2), |value| {
        if value.pointer("/decide/at").is_some_and(|at| *at == 3000) {
            value["decide"]["binds"] = serde_json::json!([]);
            value["decide"]["digest"] = "00000000000000aa".into();
        }
        if value.get("head").is_some() {
            value["head"]["rules"] = "0".into();
        }
    });
    let all = replayed(&folder);
    assert_eq!(all[0].difference, None);
    let Difference { at, what, line } = all[1].difference.clone().unwrap();
    assert_eq!((at, line), (Time(3000), 10));
    assert!(what.starts_with("another plan (digest 00000000000000aa recorded, "), "{what}");
    assert!(what.ends_with("\n  now only: bind team/pod-2 to node-a"), "{what}");
    assert!(all[1].is_by_other_rules() && all[1].agreed == 1);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn another_form_is_refused_by_name() {
    let folder = folder("form");
    let mut live = Live::begin(&folder, None).unwrap();
    live.pod(1, 2);
    live.segment.end(Why::Stopped, 0).unwrap();
    doctored(&file(&folder, 1), &file(&folder, 1), |value| {
        if value.get("head").is_some() {
            value["head"]["format"] = 9.into();
            value["head"]["by"] = "quotree-scheduler 9.0".into();
        }
    });
    let error = Steps::open(&file(&folder, 1)).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "was written by quotree-scheduler 9.0 in form 9; this program reads form 1. Use the program that wrote it"
        ),
        "{error}"
    );
    // An event that this program does not know.
    doctored(&file(&folder, 1), &file(&folder, 1), |value| {
        if value.get("head").is_some() {
            value["head"]["format"] = 1.into();
        }
        if value.get("event").is_some() {
            value["event"] = serde_json::json!({ "NodeBlessed": {} });
        }
    });
    let error = replay(&folder, |_, _| true).unwrap_err().to_string();
    assert!(error.contains("line 3 (written by quotree-scheduler 9.0): unknown variant `NodeBlessed`"), "{error}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn old_segments_are_deleted_and_the_newest_is_kept() {
    let folder = folder("prune");
    for _ in 0..4 {
        Live::begin(&folder, None).unwrap().segment.end(Why::Full, 0).unwrap();
    }
    fs::write(folder.join("notes.txt"), "not ours").unwrap();
    let size = fs::metadata(file(&folder, 1)).unwrap().len();
    let hour = Duration::from_secs(3600);
    let now = SystemTime::now();
    assert_eq!(prune(&folder, Keep { age: hour, bytes: 10 * size }, now).unwrap(), 0);
    assert_eq!(prune(&folder, Keep { age: hour, bytes: 2 * size + 10 }, now).unwrap(), 1);
    assert_eq!(prune(&folder, Keep { age: hour, bytes: 10 * size }, now + 2 * hour).unwrap(), 2);
    assert_eq!(segments(&folder).unwrap().iter().map(|(number, _)| *number).collect::<Vec<_>>(), [4]);
    assert!(folder.join("notes.txt").exists());
    fs::remove_dir_all(folder).unwrap();
}
