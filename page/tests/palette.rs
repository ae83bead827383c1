//! The colours can be read: on the card, text has a contrast of 5.5 or more, series and marks 3.8 or more, in light and dark.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;

/// The colours of the block that begins with a line.
fn colours(begin: &str) -> BTreeMap<String, [f64; 3]> {
    let style = include_str!("../assets/css/base.css");
    let block = style.split_once(begin).unwrap().1.split_once('}').unwrap().0;
    let value = |text: &str| {
        let digits = text.trim().strip_prefix('#')?;
        let channel = |i: usize| u8::from_str_radix(digits.get(2 * i..2 * i + 2)?, 16).ok().map(f64::from);
        (digits.len() == 6).then(|| [channel(0), channel(1), channel(2)].map(Option::unwrap))
    };
    let pairs = block.split(';').filter_map(|line| line.trim().strip_prefix("--")?.split_once(':'));
    pairs.filter_map(|(name, text)| value(text).map(|colour| (name.to_owned(), colour))).collect()
}

fn luminance(colour: [f64; 3]) -> f64 {
    let linear =
        |c: f64| if c / 255.0 <= 0.03928 { c / 255.0 / 12.92 } else { ((c / 255.0 + 0.055) / 1.055).powf(2.4) };
    let [r, g, b] = colour.map(linear);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    if a > b { a / b } else { b / a }
}

#[test]
fn text_and_series_stand_out_from_the_card() {
    for (theme, begin) in [("light", ":root {"), ("dark", ":root[data-theme=\"dark\"] {")] {
        let all = colours(begin);
        let mut looked_at = 0;
        for (least, names) in [
            (5.5, &["text", "soft", "accent", "good", "warn", "bad"][..]),
            (3.8, &["team-0", "team-1", "team-2", "team-3", "team-4", "team-5", "slate", "mark"][..]),
        ] {
            for name in names {
                let ratio = contrast(all[*name], all["card"]);
                assert!(ratio >= least, "{theme}: {name} has {ratio:.2}");
                looked_at += 1;
            }
        }
        assert_eq!(looked_at, 14);
    }
}

#[test]
fn dark_by_the_system_is_dark_by_the_button() {
    let by_system = colours(":root:not([data-theme=\"light\"]) {");
    assert_eq!(by_system, colours(":root[data-theme=\"dark\"] {"));
    assert!(by_system.len() > 20);
}
