//! The page without a browser: it is complete without scripts, safe with any name, equal for equal reports, and small.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test")]

mod worlds;

use quotree_page::{model::Report, page};

fn html(report: &Report) -> String {
    page(report).expect("every report has a page")
}

#[test]
fn it_says_what_the_report_says() {
    let html = html(&worlds::lab());
    for text in [
        "research-lab",
        "all 21 claims hold",
        "GPUs in use",
        "85.6",
        "3 h 59 min",
        "4,205",
        "599 GPU-h",
        "over 99 % of it by nlp",
        "87 % of it by speech",
        "sweep-51",
        // How money is computed.
        "times the price of the node",
        "a GPU-hour",
    ] {
        assert!(html.contains(text), "{text}");
    }
}

#[test]
fn equal_reports_give_equal_pages() {
    assert_eq!(html(&worlds::lab()), html(&worlds::lab()));
}

#[test]
fn it_needs_nothing_from_elsewhere() {
    let html = html(&worlds::lab());
    for text in
        ["http://", "https://", "<link rel=\"stylesheet", " src=", "@import", "@font-face", " style=\"", " onclick="]
    {
        let at = html.find(text).map(|at| &html[at.saturating_sub(60)..(at + 60).min(html.len())]);
        let is_svg = at.is_some_and(|at| at.contains("www.w3.org/2000/svg"));
        assert!(at.is_none() || is_svg, "{text}: {at:?}");
    }
    assert!(html.contains("default-src 'none'") || html.contains("default-src &#39;none&#39;"));
}

#[test]
fn no_name_becomes_markup() {
    let html = html(&worlds::hostile());
    for text in ["<b>bold", "window.hacked = 1</script>", "<img", "\u{202e}", "\u{2028}txt"] {
        assert!(!html.contains(text), "{text}");
    }
    assert!(html.contains("&lt;b&gt;bold&lt;/b&gt;"));
    assert!(html.contains("⟨U+202E⟩txt.exe"));
    // The page's own elements, and no more of them.
    assert_eq!(html.matches("<script").count(), 4);
    assert_eq!(html.matches("</script>").count(), 4);
}

#[test]
fn what_is_not_there_is_said_in_words() {
    let empty = html(&worlds::empty());
    for text in
        ["nothing is claimed", "There is no quota", "No job was submitted", "There is no node", "No pod was evicted"]
    {
        assert!(empty.contains(text), "{text}");
    }
    assert!(html(&worlds::without_quota()).contains("There is no quota tree"));
    let failed = html(&worlds::failed_without_gpu());
    assert!(failed.contains("1 of 2 claims fails"), "{}", &failed[failed.find("<h1").unwrap()..][..400]);
    assert!(failed.contains("d2 00:00"));
}

#[test]
fn ten_thousand_jobs_are_within_the_budget() {
    let size = html(&worlds::large(10_000)).len();
    assert!(size < 1_500_000, "{size} bytes");
}

#[test]
fn scripts_and_styles_are_within_the_budget() {
    let mut size = 0;
    for folder in ["assets/js", "assets/css"] {
        for file in std::fs::read_dir(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.lines().count() < 300, "{}: split it by idea", path.display());
            assert!(
                !text.contains("innerHTML")
                    && !text.contains("outerHTML")
                    && !text.contains("insertAdjacentHTML")
                    && !text.contains("document.write"),
                "{}: elements are made by createElement only",
                path.display()
            );
            size += text.len();
        }
    }
    // What a page ships of them: styles, the first script, the packed program.
    let page = html(&worlds::empty());
    let between = |from: &str, to: &str| {
        let at = page.find(from).unwrap();
        page[at..].find(to).unwrap()
    };
    let shipped = between("<style>", "</style>") + between("id=\"program\"", "</body>");
    assert!(size > shipped && shipped > 50_000 && shipped < 90_000, "{shipped} bytes of {size}");
}
