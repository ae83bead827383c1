//! `docs/reference/scenario.md` is what the code generates.

use quotree_scenario::reference;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/scenario.md");

#[test]
fn the_reference_page_is_up_to_date() {
    if std::env::var("QUOTREE_BLESS").is_ok() {
        std::fs::write(PAGE, reference()).unwrap();
    }
    let page = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(page == reference(), "docs/reference/scenario.md is out of date: quotree schema --reference > it");
}
