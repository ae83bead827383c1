//! The tables of a page as texts, without a browser.

#![allow(clippy::unwrap_used, dead_code, reason = "for tests, each of which uses a part")]

/// The rows of the table with a label: the text of each cell; lines within a cell are separated by `|`.
pub(crate) fn rows(html: &str, label: &str) -> Vec<Vec<String>> {
    let Some((_, from)) = html.split_once(&format!("<table aria-label=\"{label}\"")) else { return Vec::new() };
    let body = from.split_once("<tbody>").unwrap().1.split_once("</tbody>").unwrap().0;
    let rows = body.split("<tr>").skip(1);
    rows.map(|row| row.split("<th").flat_map(|part| part.split("<td")).skip(1).map(text).collect()).collect()
}

/// The row of a table that begins with a text.
pub(crate) fn row(html: &str, label: &str, first: &str) -> Vec<String> {
    let all = rows(html, label);
    let found = all.iter().find(|row| row.first().is_some_and(|cell| cell == first));
    found.unwrap_or_else(|| panic!("{label} has no row {first}: {all:?}")).clone()
}

/// What is left of the rest of a cell without its tags.
fn text(cell: &str) -> String {
    let inner = cell.split_once('>').unwrap().1.replace("</div><div", "|<div");
    let mut out = String::new();
    let mut in_tag = false;
    for c in inner.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            c if !in_tag => out.push(c),
            _ => {}
        }
    }
    for (entity, sign) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")] {
        out = out.replace(entity, sign);
    }
    out.trim().to_owned()
}
