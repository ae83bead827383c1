//! Two runs on one page: the figures of both reports with signed differences, teams first, safe with any name, and quiet in a
//! browser without scripts at both widths. Without Chromium the last is skipped, with `QUOTREE_REQUIRE_BROWSER=1` it fails.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod chrome;
mod tables;
mod worlds;

use chrome::{Look, PHONE, WIDE, start};
use quotree_page::{
    compare,
    model::{JobState, Report, Series, Step},
};
use serde_json::json;
use std::fs;
use tables::{row, rows};

const TEAMS: &str = "Teams in both runs";

/// The lab, and the lab with changes that are known.
fn two() -> (Report, Report) {
    let (before, mut after) = (worlds::lab(), worlds::lab());
    after.totals.evictions = 2;
    after.totals.longest_wait_ms += 3_600_000;
    after.run.end_ms += 1;
    let leaf = |name: &str| u32::try_from(before.quotas.iter().position(|q| q.name == name).unwrap()).unwrap();
    for (place, quota) in (0..).zip(&mut after.quotas) {
        match place {
            _ if place == leaf("speech") => quota.job_wait.p95_ms = 0,
            _ if place == leaf("vision") => quota.job_wait.at_least.push("p95".to_owned()),
            _ => {}
        }
    }
    for series in after.quota_series.iter_mut().filter(|s| s.quota == leaf("vision") && s.resource == 0) {
        series.missed_unit_s += 3_600_000;
        series.used_unit_s -= 3_600_000;
    }
    let nlp = usize::try_from(leaf("nlp")).unwrap();
    after.quotas[nlp].cost_milli += 1_000;
    after.quotas[nlp].min[0].amount += 8_000;
    after.claims[0].passed = false;
    (before, after)
}

#[test]
fn teams_have_signed_differences_and_the_most_changed_come_first() {
    let (before, after) = two();
    let html = compare(&before, &after);
    let order: Vec<String> = rows(&html, TEAMS).into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(order, ["speech", "vision", "nlp", "robotics"]);
    let vision = row(&html, TEAMS, "vision");
    assert_eq!(vision[1], "▼ loses");
    let index = before.quotas.iter().position(|q| q.name == "vision").unwrap();
    let series = before.quota_series.iter().find(|s| usize::try_from(s.quota).unwrap() == index && s.resource == 0);
    assert!(vision[2].starts_with("+1.0 GPU-h|"), "{vision:?}");
    assert_eq!(vision[4], "·|30 s → ≥ 30 s");
    assert!(vision[6].starts_with("−1.0 GPU-h|"), "{vision:?} {:?}", series.unwrap().used_unit_s);
    let speech = row(&html, TEAMS, "speech");
    assert_eq!((speech[1].as_str(), speech[4].as_str()), ("▲ wins", "−18 min 42 s|18 min 42 s → 0 s"));
    assert_eq!(row(&html, TEAMS, "nlp")[8].split_once('|').unwrap().0, "+1");
    let robotics = row(&html, TEAMS, "robotics");
    assert_eq!((robotics[1].as_str(), robotics[2].split_once('|').unwrap().0), ("· same", "·"));
    assert!(html.find(TEAMS) < html.find("Figures of both runs"), "teams first");
    // The verdict is in the head.
    let head = html.split_once("<main").unwrap().0;
    assert!(head.contains("1 team loses") && head.contains("1 team wins") && !head.contains("wins and loses"));
    assert!(head.contains("The runs end at different times"));
}

#[test]
fn the_cluster_has_the_totals_of_both_reports() {
    let (before, after) = two();
    let html = compare(&before, &after);
    let figure = |name: &str| row(&html, "Figures of both runs", name);
    assert_eq!(figure("Evictions"), ["Evictions", "−3", "5", "2"]);
    assert_eq!(figure("Longest wait of a pod"), ["Longest wait of a pod", "+1 h", "3 h 59 min", "4 h 59 min"]);
    assert_eq!(figure("In use"), ["In use", "·", "85.6 %", "85.6 %"]);
    assert_eq!(figure("Cost")[1..], ["·", "4,205", "4,205"]);
    assert!(html.contains("<span class=\"better\">−3</span>") && html.contains("<span class=\"worse\">+1 h</span>"));
}

#[test]
fn what_was_changed_and_what_flipped_is_told() {
    let (before, after) = two();
    let html = compare(&before, &after);
    let changed = rows(&html, "What was changed");
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(changed[0][0], "Quota nlp");
    assert!(changed[0][1].starts_with("min ") && changed[0][1] != changed[0][2]);
    let flipped = rows(&html, "Claims that flipped");
    assert_eq!(flipped.len(), 1);
    assert_eq!(flipped[0][1..3], ["✓ holds", "✕ fails"]);
    assert!(flipped[0][0].starts_with(&before.claims[0].claim), "{flipped:?}");
    assert!(html.contains("No job waited, ended or was evicted differently."));
    let same = compare(&before, &before);
    for text in ["both runs did the same", "Both runs have the same input.", "Every claim comes out the same."] {
        assert!(same.contains(text), "{text}");
    }
}

#[test]
fn jobs_are_ordered_by_what_changed() {
    let (before, mut after) = (worlds::lab(), worlds::lab());
    let done: Vec<usize> = (0..before.jobs.len()).filter(|i| before.jobs[*i].state == JobState::Succeeded).collect();
    let (late, never) = (done[0], done[1]);
    after.jobs[late].ended_ms = after.jobs[late].ended_ms.map(|ms| ms + 60_000);
    (after.jobs[never].ended_ms, after.jobs[never].state) = (None, JobState::Pending);
    after.jobs[done[2]].evictions += 1;
    after.jobs.pop();
    let html = compare(&before, &after);
    let jobs = rows(&html, "Jobs in both runs");
    let names: Vec<&str> = jobs.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(names, [never, late, done[2]].map(|i| before.jobs[i].name.as_str()));
    assert!(jobs[0][2].starts_with("now not done|") && jobs[1][2].starts_with("+1 min|"), "{jobs:?}");
    assert!(jobs[2][4].starts_with("+1|"));
    assert!(html.contains(" 1 job only before."));
}

#[test]
fn quotas_of_one_run_alone_have_rows() {
    let (before, mut after) = (worlds::lab(), worlds::lab());
    let index = after.quotas.iter().position(|q| q.name == "robotics").unwrap();
    after.quotas[index].name = "drones".to_owned();
    let html = compare(&before, &after);
    let gone = row(&html, TEAMS, "robotics");
    assert_eq!((gone[1].as_str(), gone[4].as_str()), ("− only before", "·|0 s"));
    assert!(gone[6].starts_with("·|") && !gone[6].contains('→'), "{gone:?}");
    assert_eq!(row(&html, TEAMS, "drones")[1], "+ only after");
    assert_eq!(row(&html, "What was changed", "Quota drones")[1], "absent");
}

#[test]
fn a_resource_may_have_another_place_in_the_other_run() {
    let (before, mut after) = (worlds::lab(), worlds::lab());
    // Everything of resource 0 becomes resource 1, and the other way round.
    let turn = |resource: &mut u32| *resource = [1, 0].get(*resource as usize).copied().unwrap_or(*resource);
    after.resources.swap(0, 1);
    after.totals.resources.iter_mut().for_each(|row| turn(&mut row.resource));
    after.quota_series.iter_mut().for_each(|row| turn(&mut row.resource));
    after.cluster.resources.iter_mut().for_each(|row| turn(&mut row.resource));
    let html = compare(&before, &after);
    assert_eq!(row(&html, "Figures of both runs", "In use")[1], "·");
    assert_eq!(row(&html, TEAMS, "nlp")[6].split_once('|').unwrap().0, "·");
}

#[test]
fn no_name_becomes_markup_and_nothing_is_loaded() {
    let hostile = worlds::hostile();
    for html in [compare(&hostile, &worlds::lab()), compare(&worlds::lab(), &hostile), compare(&hostile, &hostile)] {
        for text in ["<b>bold", "<script", "<img", "\u{202e}", "\u{2028}txt", "<a ", " style=\"", "http"] {
            let at = html.find(text).map(|at| &html[at.saturating_sub(60)..(at + 60).min(html.len())]);
            let is_policy = text == "http" && html.matches("http").count() == html.matches("http-equiv").count();
            assert!(at.is_none() || is_policy, "{text}: {at:?}");
        }
        assert!(html.contains("&lt;b&gt;bold&lt;/b&gt;"));
        assert!(html.contains("script-src &#39;none&#39;"));
    }
    assert_eq!(compare(&hostile, &worlds::lab()), compare(&hostile, &worlds::lab()));
}

#[test]
fn runs_without_anything_have_a_page() {
    let empty = worlds::empty();
    let html = compare(&empty, &empty);
    for text in [
        "Neither run has a quota.",
        "No pod was created in either run.",
        "The runs have no claim in common.",
        "nothing has a price",
    ] {
        assert!(html.contains(text), "{text}");
    }
    for other in [worlds::lab(), worlds::without_quota(), worlds::failed_without_gpu(), Report::default()] {
        assert!(compare(&empty, &other).ends_with("</html>"));
        assert!(compare(&other, &empty).ends_with("</html>"));
    }
    let mut odd = worlds::lab();
    odd.quota_series[1].used = Series::of([Step { at_ms: 0, value: i64::MAX }, Step { at_ms: 1, value: i64::MIN }]);
    odd.run.end_ms = u64::MAX;
    odd.wait_steps.iter_mut().for_each(|steps| steps.never = u64::MAX / 4);
    assert!(compare(&odd, &worlds::lab()).ends_with("</html>"));
}

#[test]
fn it_is_quiet_and_fits_in_a_browser() {
    let Some(chrome) = start("compare_is_quiet") else { return };
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("compare");
    fs::create_dir_all(&folder).unwrap();
    let (before, after) = two();
    let pairs = [
        ("lab", compare(&before, &after)),
        ("other", compare(&worlds::lab(), &worlds::failed_without_gpu())),
        ("hostile", compare(&worlds::hostile(), &worlds::lab())),
        ("large", compare(&worlds::lab(), &worlds::large(200))),
        ("empty", compare(&worlds::empty(), &worlds::empty())),
    ];
    let print = Look { media: "print", dark: true, ..WIDE };
    for (name, html) in &pairs {
        let file = folder.join(format!("{name}.html"));
        fs::write(&file, html).unwrap();
        for look in [WIDE, Look { dark: true, ..WIDE }, PHONE, Look { dark: false, ..PHONE }, print] {
            let page = chrome.open_file(&file, Look { scripts: false, ..look }, "");
            let widths = page.eval("[document.documentElement.scrollWidth, innerWidth]");
            assert!(widths[0].as_u64() <= widths[1].as_u64(), "{name}: wider than the window: {widths}");
            let shown = "[...document.querySelectorAll('article')].filter((a) => a.getClientRects().length > 0).length";
            assert_eq!(page.eval(shown), json!(8), "{name}");
            let colour = page.text("getComputedStyle(document.body).backgroundColor");
            let wanted = match (look.media, look.dark) {
                ("print", _) => "rgb(255, 255, 255)",
                (_, true) => "rgb(13, 17, 23)",
                (_, false) => "rgb(245, 246, 248)",
            };
            assert_eq!(colour, wanted, "{name}");
            let unnamed =
                "[...document.querySelectorAll('svg[role=img]')].filter((e) => !e.getAttribute('aria-label')).length";
            assert_eq!(page.eval(unnamed), json!(0), "{name}");
            assert_eq!(page.problems(), Vec::<String>::new(), "{name}");
        }
    }
}
