//! The figures as documents: what they say, how many series they have, that they are the same each time, that no name breaks
//! them, and that there is a picture of every run.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "a test")]

#[path = "../../page/tests/worlds/mod.rs"]
mod worlds;

use quotree_figures::{Figure, before_after, figures};
use quotree_page::model::{Report, Series, Step};
use resvg::{
    tiny_skia::Pixmap,
    usvg::roxmltree::{self, Document},
};
use std::collections::BTreeSet;

fn figure(report: &Report, name: &str) -> Figure {
    figures(report).unwrap().into_iter().find(|figure| figure.name == name).expect("there is such a figure")
}

/// All texts of a figure.
fn texts(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.map(|node| node.text().unwrap_or_default().trim().to_owned()).collect()
}

/// The different values of an attribute of some elements.
fn values(svg: &str, element: &str, attribute: &str) -> BTreeSet<String> {
    let document = Document::parse(svg).unwrap();
    let elements = document.descendants().filter(|node| node.tag_name().name() == element);
    elements.filter_map(|node| node.attribute(attribute)).map(str::to_owned).collect()
}

/// The points of all polygons.
fn polygons(svg: &str) -> Vec<Vec<(i32, i32)>> {
    let document = Document::parse(svg).unwrap();
    let point = |pair: &str| pair.split_once(',').map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap())).unwrap();
    let polygons = document.descendants().filter(|node| node.tag_name().name() == "polygon");
    polygons.map(|node| node.attribute("points").unwrap().split_whitespace().map(point).collect()).collect()
}

/// Where a text stands.
fn place(svg: &str, text: &str) -> (i32, i32) {
    let document = Document::parse(svg).unwrap();
    let found = document.descendants().find(|node| node.text().is_some_and(|t| t.trim() == text)).expect(text);
    let number = |name: &str| found.attribute(name).unwrap().parse().unwrap();
    (number("x"), number("y"))
}

fn assert_says(svg: &str, wanted: &[&str]) {
    let texts = texts(svg);
    for text in wanted {
        assert!(texts.iter().any(|t| t == text), "{text}: {texts:?}");
    }
}

fn all(report: &Report) -> Vec<Figure> {
    let mut all = figures(report).unwrap();
    all.push(before_after(report, &worlds::lab()).unwrap());
    all.push(before_after(&worlds::lab(), report).unwrap());
    all
}

#[test]
fn use_has_an_area_a_leaf_under_the_capacity() {
    let svg = figure(&worlds::lab(), "use-by-quota").svg;
    assert_says(&svg, &["GPUs in use over time, by quota", "GPUs", "hours since the start", "0", "64", "12"]);
    assert_says(&svg, &["capacity of nodes up", "vision", "speech", "nlp", "robotics", "borrowed: above its min"]);
    let lab = worlds::lab();
    let used = lab
        .quota_series
        .iter()
        .filter(|row| row.resource == 0 && row.used_unit_s > 0 && lab.quotas[usize::try_from(row.quota).unwrap()].leaf);
    assert_eq!(values(&svg, "polygon", "fill").len(), used.count());
    assert_eq!(
        values(&svg, "polygon", "opacity"),
        BTreeSet::from(["1", "0.3"].map(str::to_owned)),
        "borrowed is a tint"
    );
}

#[test]
fn steps_are_where_the_axis_says() {
    let mut report = worlds::failed_without_gpu();
    let steps = [(0, 2000), (86_400_000, 8000), (2 * 86_400_000, 4000)];
    let series = Series::of(steps.map(|(at_ms, value)| Step { at_ms, value }));
    report.quota_series[1].used = series;
    report.quota_series[1].borrowed = Series::default();
    let svg = figure(&report, "use-by-quota").svg;
    let (zero, eight) = (place(&svg, "0").1, place(&svg, "8").1);
    assert_says(&svg, &["cores", "hours since the start", "0", "4", "8", "24", "48"]);
    // The axis of time: hours 24 and 48 are a third and two thirds.
    let (day, two) = (place(&svg, "24").0, place(&svg, "48").0);
    let y = |cores: i32| zero - (zero - eight) * cores / 8;
    let points = &polygons(&svg)[0];
    let tops: BTreeSet<i32> = points.iter().map(|(_, y)| *y).collect();
    for (wanted, seen) in [y(8), y(4), y(2), y(0)].iter().zip(&tops) {
        assert!(wanted.abs_diff(*seen) <= 8, "{wanted} {tops:?}");
    }
    assert_eq!(tops.len(), 4);
    for x in [day, two] {
        assert!(points.iter().any(|point| point.0.abs_diff(x) <= 8), "{x} {points:?}");
    }
}

#[test]
fn buckets_are_drawn_as_means_and_say_so() {
    let large = worlds::large(10);
    let svg = figure(&large, "use-by-quota").svg;
    let means = texts(&svg).into_iter().filter(|text| text.contains("means of 6 h each"));
    assert_eq!(means.count(), 1);
    // The twelve largest of twenty leaves have names.
    assert_says(&svg, &["9 others", "days since the start"]);
    assert!(svg.len() < 300_000, "{}", svg.len());
}

#[test]
fn waits_have_a_curve_a_leaf_and_a_place_for_at_once() {
    let svg = figure(&worlds::lab(), "waits").svg;
    assert_says(&svg, &["How long pods waited, by quota", "pods started within that time, %", "at once", "10 min"]);
    assert_says(&svg, &["time from creation to start (binding), logarithmic", "100 %", "all pods", "vision", "nlp"]);
    assert!(texts(&svg).iter().any(|text| text.starts_with("p50 at once, p95 ")));
    // Grid, axes and the curves of four leaves and of all.
    assert_eq!(values(&svg, "polyline", "stroke").len(), 5 + 1);
}

#[test]
fn who_is_never_bound_is_counted() {
    let mut report = worlds::lab();
    for steps in report.wait_steps.iter_mut().filter(|steps| steps.quota.is_none() && steps.size.is_empty()) {
        steps.never = 7;
    }
    let svg = figure(&report, "waits").svg;
    assert!(texts(&svg).iter().any(|text| text.starts_with("7 of ") && text.ends_with(" never started")));
}

#[test]
fn utilisation_has_a_line_a_resource() {
    let lab = worlds::lab();
    let svg = figure(&lab, "utilisation").svg;
    assert_says(&svg, &["Utilisation over time, by resource", "in use, % of the capacity of nodes up", "75 %", "GPUs"]);
    assert!(texts(&svg).iter().any(|text| text == "85.6 % over the run"), "{:?}", texts(&svg));
    let there = lab.cluster.resources.iter().filter(|row| row.capacity.peak() > 0).count();
    assert_eq!(values(&svg, "polyline", "stroke").len(), there + 1);
}

#[test]
fn fairness_is_the_shortfall_and_jains_index() {
    let svg = figure(&worlds::lab(), "fairness").svg;
    assert_says(&svg, &["GPUs below the fair share over time, by quota", "GPUs below the fair share", "Jain's index"]);
    assert_says(&svg, &["hours since the start", "Jain's index, use / share"]);
    let lab = worlds::lab();
    let error = lab.totals.resources[0].fairness_error_unit_s / 3_600_000;
    assert!(texts(&svg)[1].contains(&format!("the sum is the fairness error, {error}")), "{:?}", texts(&svg));
    assert!(texts(&svg).iter().any(|text| text.ends_with(" below")), "{:?}", texts(&svg));
}

#[test]
fn two_runs_have_signed_differences() {
    let (before, mut after) = (worlds::lab(), worlds::lab());
    let speech = u32::try_from(before.quotas.iter().position(|quota| quota.name == "speech").unwrap()).unwrap();
    let vision = u32::try_from(before.quotas.iter().position(|quota| quota.name == "vision").unwrap()).unwrap();
    for steps in after.wait_steps.iter_mut().filter(|steps| steps.size.is_empty()) {
        match steps.quota {
            Some(leaf) if leaf == speech => steps.quantiles.p95_ms += 60_000,
            Some(leaf) if leaf == vision => steps.never = 100_000,
            _ => {}
        }
    }
    let figure = before_after(&before, &after).unwrap();
    assert_eq!(figure.name, "before-after");
    assert_says(
        &figure.svg,
        &["Before and after: GPUs in use, and waits", "before", "after", "GPUs", "pods started, %"],
    );
    assert_says(&figure.svg, &["+1 min", "now never started", "no change", "capacity of nodes up", "borrowed"]);
    let turned = before_after(&after, &before).unwrap();
    assert!(texts(&turned.svg).iter().any(|text| text == "−1 min"));
    assert!(texts(&turned.svg).iter().any(|text| text.starts_with("starts: ")));
}

#[test]
fn letters_are_never_small() {
    for figure in all(&worlds::lab()).into_iter().chain(all(&worlds::large(10))) {
        for size in values(&figure.svg, "text", "font-size") {
            assert!(size.parse::<f64>().unwrap() > 13.99, "{}: {size}", figure.name);
        }
    }
}

#[test]
fn equal_reports_give_equal_bytes() {
    let twice = [all(&worlds::lab()), all(&worlds::lab())];
    assert_eq!(twice[0], twice[1]);
    assert_eq!(twice[0][0].png().unwrap(), twice[1][0].png().unwrap());
}

#[test]
fn pictures_have_their_size_and_their_letters() {
    for figure in figures(&worlds::lab()).unwrap() {
        let picture = Pixmap::decode_png(&figure.png().unwrap()).unwrap();
        assert_eq!((picture.width(), picture.height()), (2400, 1400), "{}", figure.name);
        let dark = |from: (u32, u32), to: (u32, u32)| {
            let pixels = (from.1..to.1).flat_map(|y| (from.0..to.0).map(move |x| (x, y)));
            pixels.filter(|(x, y)| picture.pixel(*x, *y).is_some_and(|p| p.red() < 90)).count()
        };
        // The title, which has no place to come from but the bundled font; the picture; and no margin that is written on.
        assert!(dark((64, 20), (800, 80)) > 2_000, "{}", figure.name);
        assert_eq!(dark((0, 0), (2400, 20)), 0, "{}", figure.name);
        let colours: BTreeSet<_> = picture.pixels().iter().map(|p| (p.red(), p.green(), p.blue())).collect();
        assert!(colours.len() > 50, "{}: {} colours", figure.name, colours.len());
    }
}

#[test]
fn no_name_breaks_a_figure() {
    let elements: BTreeSet<&str> =
        BTreeSet::from(["svg", "title", "rect", "text", "line", "polyline", "polygon", "circle"]);
    let mut hostile = worlds::hostile();
    for name in worlds::HOSTILE.iter().chain(&["\u{0}\u{1b}[31m", "\u{fffe}\u{ffff}", "", "名前 имя όνομα"]) {
        hostile.run.scenario = (*name).to_owned();
        hostile.quotas[1].name = (*name).to_owned();
        for figure in all(&hostile) {
            let document = Document::parse(&figure.svg).unwrap_or_else(|error| panic!("{name:?}: {error}"));
            for node in document.descendants().filter(roxmltree::Node::is_element) {
                assert!(elements.contains(node.tag_name().name()), "{name:?}: {node:?}");
            }
            for hidden in ['\u{202e}', '\u{2028}', '\u{0}', '\u{1b}', '\r'] {
                assert!(!figure.svg.contains(hidden), "{name:?}");
            }
        }
    }
    hostile.run.scenario = worlds::HOSTILE[0].to_owned();
    let figure = figure(&hostile, "use-by-quota");
    assert!(texts(&figure.svg).iter().any(|text| text.starts_with("<b>bold</b>")), "{:?}", texts(&figure.svg));
    assert!(figure.png().is_ok());
}

#[test]
fn what_is_not_there_is_said_in_words() {
    let empty = worlds::empty();
    for (name, words) in [
        ("use-by-quota", "No pod used any resources"),
        ("waits", "No pod was created"),
        ("utilisation", "No node was ever up"),
        ("fairness", "There is no quota, so there are no fair shares"),
    ] {
        assert_says(&figure(&empty, name).svg, &[words]);
    }
    assert_says(&figure(&worlds::without_quota(), "use-by-quota").svg, &["all pods"]);
    assert_says(&before_after(&empty, &empty).unwrap().svg, &["No team has pods in both runs", "No pod was created"]);
    let mut idle = worlds::lab();
    idle.quota_series.iter_mut().for_each(|row| (row.used, row.used_unit_s) = (Series::default(), 0));
    assert_says(&figure(&idle, "use-by-quota").svg, &["No pod used any GPUs"]);
    let mut unknown = worlds::lab();
    unknown.quota_series.iter_mut().for_each(|row| row.share = Series::default());
    assert_says(&figure(&unknown, "fairness").svg, &["The run has no fair shares: they were switched off for speed"]);
    for report in [empty, worlds::without_quota(), worlds::failed_without_gpu(), Report::default()] {
        for figure in all(&report) {
            assert!(figure.png().is_ok(), "{}", figure.name);
        }
    }
}

#[test]
fn numbers_that_no_run_has_do_no_harm() {
    let mut report = worlds::lab();
    report.run.end_ms = u64::MAX;
    report.quota_series[1].used = Series::of([Step { at_ms: 0, value: i64::MAX }, Step { at_ms: 1, value: i64::MIN }]);
    report.quota_series[2].used =
        Series::Buckets { bucket_ms: 0, min: vec![1], max: vec![1], mean: vec![1, 2, 3], last: None };
    report.quota_series[3].quota = 4_000_000_000;
    report.quota_series[3].resource = 77;
    report.wait_steps.iter_mut().for_each(|steps| (steps.never, steps.quota) = (u64::MAX / 4, Some(99)));
    report.wait_steps[0].wait_ms = vec![u64::MAX];
    for figure in all(&report) {
        assert!(Document::parse(&figure.svg).is_ok(), "{}", figure.name);
    }
}
