//! The fuzz targets, each a plain function, so that a fuzzer and a test on stable Rust run the same code. A target
//! takes any bytes and panics when a property is broken.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a target panics when a property is broken")]

use quotree_core::{Log, Recorder, Unit, format_quantity, parse_quantity};
use quotree_sim::scenario::{MapLoader, Notation, Severity, convert, format, load};
use quotree_testkit::{
    drive::{Play, Played, drive, drive_with_reference},
    generate::Kinds,
    worlds::World,
};

/// Quantities: any text is parsed or refused, and a parsed amount equals the one parsed from its canonical text (Q1).
pub fn quantity(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for unit in [Unit::Milli, Unit::Bytes] {
        if let Ok(amount) = parse_quantity(text, unit) {
            let canonical = format_quantity(amount, unit);
            assert_eq!(parse_quantity(&canonical, unit), Ok(amount), "`{text}` became `{canonical}`");
        }
    }
}

/// Scenario files in every notation: any bytes are loaded or refused, with a position for every diagnostic; formatting
/// twice changes nothing, and what is written in another notation reads back.
pub fn scenario(data: &[u8]) {
    ["main.ron", "main.yaml", "main.json"].iter().for_each(|path| scenario_as(path, data));
    if let Ok(text) = std::str::from_utf8(data) {
        let formatted = format(text);
        if let Ok(formatted) = formatted {
            assert_eq!(format(&formatted).as_ref().ok(), Some(&formatted), "formatting twice changes nothing");
        }
    }
}

fn scenario_as(path: &str, data: &[u8]) {
    let loader = MapLoader::new().with(path, data);
    let loaded = load(path, &loader);
    let refused = loaded.diagnostics.iter().any(|d| d.severity == Severity::Error);
    assert_eq!(loaded.scenario.is_none(), refused, "{:?}", loaded.diagnostics);
    for diagnostic in &loaded.diagnostics {
        let (line, column) = diagnostic.line_column();
        assert!(line > 0 && column > 0, "{diagnostic:?}");
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    for to in Notation::ALL {
        if let Ok(converted) = convert(path, text, to) {
            let again = convert(&["main", to.extension()].join("."), &converted.text, to).map(|again| again.text);
            // What is no scenario may be written as something else that is none.
            if loaded.scenario.is_some() {
                assert_eq!(again.as_ref(), Ok(&converted.text), "{path} as {}", to.name());
            }
        }
    }
}

/// Streams of events: the bytes steer a small world, which is played at once and with delays, and audited after every
/// step.
pub fn event_stream(data: &[u8]) {
    play(data, Kinds::WILD, drive);
}

fn play(data: &[u8], kinds: Kinds, drive: fn(&World, Play) -> Played) {
    let world = World::from_bytes(data, kinds);
    for delays in [None, Some(data.len() as u64)] {
        let played = drive(&world, Play { delays, ..Play::AT_ONCE });
        assert!(
            played.violations.is_empty(),
            "{world:?}\n{}\n{}",
            played.trace.join("\n"),
            played.violations.join("\n")
        );
    }
}

/// Logs: a recorded one replays with equal digests (I12), and a damaged one never causes a panic.
///
/// Bytes that begin with `{` are read as a log. Of others, the first two pick a byte in the text of a recorded log, the
/// third replaces it, and the rest steers the world that is recorded.
pub fn replay(data: &[u8]) {
    if data.first() == Some(&b'{') {
        try_log(data);
        return;
    }
    let (head, rest) = data.split_at(data.len().min(3));
    let world = World::from_bytes(rest, Kinds::WILD);
    let log = drive(&world, Play::AT_ONCE).log;
    log.replay().expect("a record replays");
    let mut text = serde_json::to_vec(&log).expect("a log is text");
    assert_eq!(serde_json::from_slice::<Log>(&text).as_ref().ok(), Some(&log), "a log reads back as written");
    if let [high, low, byte] = *head {
        let at = usize::from(u16::from_be_bytes([high, low])) * text.len() / 65_536;
        text[at] = byte;
        try_log(&text);
    }
}

fn try_log(text: &[u8]) {
    let Ok(log) = serde_json::from_slice::<Log>(text) else { return };
    let _ = log.replay();
    // The same events, recorded again, give a log that replays.
    let Ok(mut again) = Recorder::new(&log.tree, log.policy.clone()) else { return };
    for entry in log.entries {
        match entry {
            quotree_core::Entry::Event(event) => _ = again.apply(event),
            quotree_core::Entry::Decide { at, .. } => _ = again.decide(at),
        }
    }
    again.log().replay().expect("a record replays");
}

/// The reference: the bytes steer a small world that may have every feature. The reference scheduler and the core must
/// decide the same in it.
pub fn reference(data: &[u8]) {
    play(data, Kinds::MORE, drive_with_reference);
}
