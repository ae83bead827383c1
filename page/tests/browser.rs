//! The page in a browser: quiet, the same figures as the report, usable by keys alone, safe with any name.
//! Without Chromium these tests are skipped, with `QUOTREE_REQUIRE_BROWSER=1` they fail.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod chrome;
mod worlds;

use chrome::{Look, PHONE, WIDE, start};
use quotree_page::model::Report;
use serde_json::json;

const TABS: [&str; 7] = ["overview", "quotas", "cluster", "nodes", "jobs", "waits", "claims"];

/// Looks at every tab: nothing is complained about, nothing is loaded, nothing is wider than the window.
fn quiet(chrome: &chrome::Chrome, name: &str, report: &Report, look: Look) {
    let page = chrome.open(report, look, "");
    for tab in TABS {
        page.eval(&format!("setTab({tab:?})"));
        page.settle();
        assert_eq!(
            page.eval(&format!("document.getElementById({tab:?}).getClientRects().length > 0")),
            json!(true),
            "{name}: {tab} is shown"
        );
        let widths = page.eval("[document.documentElement.scrollWidth, innerWidth]");
        assert!(widths[0].as_u64() <= widths[1].as_u64(), "{name}: {tab} is wider than the window: {widths}");
    }
    assert_eq!(page.problems(), Vec::<String>::new(), "{name}");
}

#[test]
fn every_tab_is_quiet_at_both_widths() {
    let Some(chrome) = start("every_tab_is_quiet") else { return };
    let worlds = [
        ("lab", worlds::lab()),
        ("empty", worlds::empty()),
        ("without quota", worlds::without_quota()),
        ("failed", worlds::failed_without_gpu()),
        ("hostile", worlds::hostile()),
    ];
    for (name, report) in &worlds {
        quiet(&chrome, name, report, WIDE);
        quiet(&chrome, name, report, PHONE);
    }
}

#[test]
fn figures_are_those_of_the_report() {
    let Some(chrome) = start("figures") else { return };
    let report = worlds::lab();
    let page = chrome.open(&report, WIDE, "overview");
    let tiles = page.text("[...document.querySelectorAll('.tiles .tile .v')].map((v) => v.innerText).join(' | ')");
    assert_eq!(tiles, "85.6 % | 602 GPU-h | 2.0 GPU-h | 3 h 59 min | 5 | 4,205");
    // Series integrate to the totals, exactly as the report has them.
    for row in &report.quota_series {
        let at = format!("seriesOf({}, {})", row.quota, row.resource);
        let sums = page.eval(&format!(
            "['used', 'borrowed', 'lent', 'missed'].map((k) => Math.floor(series.area({at}[k]) / 1000))"
        ));
        assert_eq!(sums, json!([row.used_unit_s, row.borrowed_unit_s, row.lent_unit_s, row.missed_unit_s]), "{at}");
    }
    // What the columns leave out comes out again.
    let jobs: Vec<_> =
        report.jobs.iter().map(|j| json!([j.name, j.first_bound_ms, j.ended_ms, j.longest_wait_ms])).collect();
    let seen = page.eval("data.jobs.name.map((n, i) => [n, data.jobs.bound[i], data.jobs.ended[i] < 0 ? null : data.jobs.ended[i], data.jobs.longest[i]])");
    assert_eq!(seen, json!(jobs));
    let pods: Vec<_> = report.pods.iter().map(|p| json!([p.name, p.created_ms, p.ended_ms])).collect();
    let seen = page.eval(
        "data.pods.name.map((n, i) => [n, data.pods.created[i], data.pods.ended[i] < 0 ? null : data.pods.ended[i]])",
    );
    assert_eq!(seen, json!(pods));
    let used: Vec<_> =
        report.jobs.iter().map(|j| j.used.iter().find(|u| u.resource == 0).map_or(0, |u| u.unit_s)).collect();
    assert_eq!(page.eval("data.jobs.used[0]"), json!(used));
    // The live table says what the still one says.
    let live = page.text("document.querySelector('[data-panel=teams] tbody').innerText.replace(/\\s+/g, ' ')");
    let still = chrome.open(&report, Look { scripts: false, ..WIDE }, "");
    let still = still.text("document.querySelector('[data-panel=teams] tbody').innerText.replace(/\\s+/g, ' ')");
    assert_eq!(live, still);
    assert!(live.contains("599 GPU-h"), "{live}");
}

#[test]
fn the_slider_goes_from_event_to_event_by_keys() {
    let Some(chrome) = start("slider") else { return };
    let page = chrome.open(&worlds::lab(), WIDE, "overview");
    // The page opens at the first eviction.
    assert_eq!(page.text_of("#now"), "01:00");
    page.eval("document.getElementById('moment').focus()");
    for (key, moment) in [
        ("ArrowRight", "03:00"),
        ("ArrowRight", "12:00"),
        ("ArrowLeft", "03:00"),
        ("End", "21:27:06"),
        ("Home", "00:00"),
    ] {
        page.press(key);
        assert_eq!(page.text_of("#now"), moment, "{key}");
    }
    page.press("ArrowRight");
    let spoken = page.text("document.getElementById('moment').getAttribute('aria-valuetext')");
    assert_eq!(spoken, format!("01:00, {}", page.text_of("#says")));
    assert!(spoken.contains("of 64 GPUs used"), "{spoken}");
    assert!(page.text("location.hash").contains("t=3600000"));
}

#[test]
fn three_clicks_lead_from_an_unmet_guarantee_to_pod_rule_and_holder() {
    let Some(chrome) = start("three_clicks") else { return };
    let page = chrome.open(&worlds::lab(), WIDE, "overview");
    page.click(".tiles a[data-at]");
    assert_eq!(page.eval("state.tab"), json!("quotas"));
    let row = page.text("[...document.querySelectorAll('[data-panel=quotas] tbody tr')].find((tr) => tr.innerText.includes('misses')).querySelector('.link').innerText");
    assert_eq!(row, "vision");
    page.click("[data-panel=quotas] [data-story='quota:vision']");
    assert!(page.text_of("#story").contains("of its guarantee"), "{}", page.text_of("#story"));
    page.click("#story .why .link");
    let story = page.text_of("#story");
    for part in ["resnet", "Why it waits", "H1", "Who must leave", "nlp", "llm-worker-0", "until 01:00:30"] {
        assert!(story.contains(part), "{part}: {story}");
    }
}

#[test]
fn keys_alone_find_a_job_and_leave_its_story() {
    let Some(chrome) = start("keys") else { return };
    let page = chrome.open(&worlds::lab(), WIDE, "jobs");
    page.press("/");
    assert_eq!(page.eval("document.activeElement.id"), json!("find"));
    page.write("sweep-60");
    assert_eq!(page.eval("document.querySelectorAll('#found [role=option]').length > 1"), json!(true));
    page.press("ArrowDown");
    page.press("ArrowUp");
    page.press("Enter");
    assert_eq!(page.eval("state.story"), json!({"kind": "job", "id": "sweep-60"}));
    assert!(page.text_of("#story").contains("after 6 min 24 s"), "{}", page.text_of("#story"));
    page.press("Escape");
    assert_eq!(page.eval("state.story"), json!(null));
    // A moment is found, too.
    page.press("/");
    page.write("12:30");
    page.press("Enter");
    assert_eq!(page.eval("[state.moment, state.story]"), json!([45_000_000, null]));
    // From the head by Tab to a tab, and there by Enter.
    page.eval("document.querySelector('.tabs a[href=\"#waits\"]').focus()");
    page.press("Enter");
    assert_eq!(page.eval("state.tab"), json!("waits"));
    let unnamed = page.eval("[...document.querySelectorAll('button, a, input, select, summary, [role=img]')].filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.querySelector('title'))).map((e) => e.outerHTML.slice(0, 120))");
    assert_eq!(unnamed, json!([]));
}

#[test]
fn a_table_sorts_by_the_column_that_is_clicked() {
    let Some(chrome) = start("sort") else { return };
    let page = chrome.open(&worlds::lab(), WIDE, "jobs?t=43800000");
    let first = |page: &chrome::Open<'_>| page.text_of("[data-panel=jobs] tbody th");
    assert_eq!(first(&page), "imagenet-cache");
    page.eval("[...document.querySelectorAll('[data-panel=jobs] thead button')].find((b) => b.innerText.startsWith('Cost')).id = 'cost'");
    page.click("#cost");
    assert_eq!(first(&page), "llm");
    assert_eq!(
        page.eval("document.querySelector('[data-panel=jobs] th[aria-sort]').getAttribute('aria-sort')"),
        json!("descending")
    );
}

#[test]
fn a_link_restores_what_was_seen() {
    let Some(chrome) = start("link") else { return };
    let page = chrome.open(&worlds::lab(), WIDE, "nodes?t=3700000&s=job%3Allm&z=3600000");
    assert_eq!(
        page.eval("[state.tab, state.moment, state.story, state.zoom]"),
        json!(["nodes", 3_700_000, {"kind": "job", "id": "llm"}, 3_600_000])
    );
    let story = page.text_of("#story");
    for part in [
        "Why 3 of its pods wait",
        "11 are free on all nodes together, but no node has more than 6",
        "Would help",
        "3 pods are evicted for",
    ] {
        assert!(story.contains(part), "{part}: {story}");
    }
    assert_eq!(page.eval("location.hash"), json!("#nodes?t=3700000&s=job%3Allm&z=3600000"));
}

#[test]
fn without_scripts_everything_is_shown() {
    let Some(chrome) = start("without_scripts") else { return };
    let page = chrome.open(&worlds::lab(), Look { scripts: false, ..WIDE }, "");
    let text = page.text_of("body");
    for part in [
        "Teams over the whole run",
        "Who lent to whom",
        "Nodes",
        "gpu-7",
        "resnet",
        "Waits by leaf and size",
        "Evictions",
        "Always(Invariants)",
        "quotree run scenarios",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert_eq!(
        page.eval("[...document.querySelectorAll('section[data-tab]')].every((x) => x.getClientRects().length)"),
        json!(true)
    );
    assert_eq!(page.eval("getComputedStyle(document.querySelector('.moment')).display"), json!("none"));
}

#[test]
fn print_shows_all_tabs_in_light() {
    let Some(chrome) = start("print") else { return };
    let page = chrome.open(&worlds::lab(), Look { media: "print", dark: true, ..WIDE }, "");
    assert_eq!(
        page.eval("[...document.querySelectorAll('section[data-tab]')].every((x) => x.getClientRects().length)"),
        json!(true)
    );
    assert_eq!(page.eval("getComputedStyle(document.querySelector('.bar')).display"), json!("none"));
    assert_eq!(page.eval("getComputedStyle(document.body).backgroundColor"), json!("rgb(255, 255, 255)"));
}

#[test]
fn hostile_names_are_only_names() {
    let Some(chrome) = start("hostile") else { return };
    let report = worlds::hostile();
    let page = chrome.open(&report, WIDE, "");
    for (kind, names) in [
        ("job", report.jobs.iter().take(9).map(|j| &j.name).collect::<Vec<_>>()),
        ("pod", report.pods.iter().take(9).map(|p| &p.name).collect()),
        ("quota", report.quotas.iter().map(|q| &q.name).collect()),
        ("node", report.nodes.iter().map(|n| &n.name).collect()),
        ("user", report.people.users.iter().map(|u| &u.name).collect()),
    ] {
        for name in names {
            page.eval(&format!("setStory({{kind: {kind:?}, id: {}}})", json!(name)));
            page.settle();
            let shown = page.text("document.querySelector('#story h3').textContent");
            assert_eq!(json!(shown), page.eval(&format!("units.name({})", json!(name))), "{kind}");
            // The address brings the same story back.
            page.eval("readAddress(location.hash)");
            assert_eq!(page.eval("state.story.id"), json!(name));
        }
    }
    for tab in TABS {
        page.eval(&format!("setTab({tab:?})"));
        page.settle();
    }
    assert_eq!(page.eval("[window.hacked === undefined, document.querySelectorAll('main b > b, img').length, document.scripts.length]"), json!([true, 0, 5]));
    assert_eq!(page.problems(), Vec::<String>::new());
}

#[test]
fn many_bars_are_painted_on_a_canvas() {
    let Some(chrome) = start("canvas") else { return };
    let page = chrome.open(&worlds::large(10_000), WIDE, "nodes?t=1000000000");
    assert_eq!(page.eval("document.querySelectorAll('.gantt canvas').length"), json!(1));
    assert_eq!(page.eval("document.querySelectorAll('.gantt svg rect').length < 1000"), json!(true));
    page.eval("setTab('jobs')");
    page.settle();
    page.click("[data-panel=jobs] .more");
    assert_eq!(
        page.eval("document.querySelectorAll('[data-panel=jobs] tbody tr').length < 200"),
        json!(true),
        "only rows in sight exist"
    );
    assert_eq!(page.problems(), Vec::<String>::new());
}
