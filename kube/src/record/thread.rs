//! The thread that writes the recording.

use super::{
    Settings,
    tape::{Item, Shared},
};
use quotree_record::{
    Head, Line, Why,
    folder::{file, prune},
    write::Segment,
};
use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant, SystemTime},
};

/// Lines are on the disk at the latest after so long.
const FLUSH: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    settings: Settings,
    shared: Arc<Shared>,
    log: fn(&str),
    segment: Option<Segment>,
    begun: Instant,
    flushed: Instant,
    /// The last sum of the segment before, if it was ended in good order.
    sum: Option<String>,
    /// Bytes of the segment that are counted.
    counted: u64,
    /// How many of them are what it begins with.
    told: u64,
    /// When the disk is tried again.
    rests_until: Option<Instant>,
}

impl Writer {
    pub(super) fn new(settings: Settings, shared: Arc<Shared>, log: fn(&str)) -> Self {
        let now = Instant::now();
        Self {
            settings,
            shared,
            log,
            segment: None,
            begun: now,
            flushed: now,
            sum: None,
            counted: 0,
            told: 0,
            rests_until: None,
        }
    }

    /// Writes until nobody adds anything.
    pub(super) fn run(mut self) {
        loop {
            let (items, closed) = self.shared.take(FLUSH);
            let mut left = items.len() as u64;
            for item in items {
                left -= 1;
                if let Err(error) = self.take(item) {
                    self.give_up(&error, left + 1);
                }
            }
            if self.flushed.elapsed() >= FLUSH
                && let Some(segment) = &mut self.segment
            {
                self.flushed = Instant::now();
                if let Err(error) = segment.flush() {
                    self.give_up(&error, 0);
                }
            }
            self.look();
            if closed {
                if let Some(segment) = self.segment.take()
                    && let Err(error) = segment.end(Why::Stopped, 0)
                {
                    (self.log)(&format!("the recording was not ended in good order: {error}"));
                }
                return self.shared.end();
            }
        }
    }

    fn take(&mut self, item: Item) -> io::Result<()> {
        match item {
            Item::Begin { head, lines, dropped } => self.begin(*head, &lines, dropped),
            Item::Line(line) => self.line(&line),
        }
    }

    fn begin(&mut self, head: Head, lines: &[Line], dropped: u64) -> io::Result<()> {
        self.sum = match self.segment.take() {
            Some(segment) if dropped > 0 => {
                (self.log)(&format!("the disk was too slow: {dropped} lines of the recording are missing"));
                segment.end(Why::Incomplete, dropped)?;
                None
            }
            Some(segment) => Some(segment.end(Why::Full, 0)?),
            None => None,
        };
        let (segment, number) = Segment::begin(&self.settings.folder, Head { follows: self.sum.take(), ..head })?;
        self.segment = Some(segment);
        (self.begun, self.counted, self.rests_until) = (Instant::now(), 0, None);
        self.shared.segments.fetch_add(1, Ordering::Relaxed);
        (self.log)(&format!("records to {}", file(&self.settings.folder, number).display()));
        lines.iter().try_for_each(|line| self.line(line))?;
        self.told = self.counted;
        if let Err(error) = prune(&self.settings.folder, self.settings.keep, SystemTime::now()) {
            (self.log)(&format!("an old segment of the recording cannot be deleted: {error}"));
        }
        Ok(())
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        let Some(segment) = &mut self.segment else { return Ok(()) };
        segment.take(line)?;
        self.shared.bytes.fetch_add(segment.bytes() - self.counted, Ordering::Relaxed);
        self.counted = segment.bytes();
        Ok(())
    }

    /// Asks for a new segment, if this one is full or the disk has rested.
    fn look(&mut self) {
        // What a segment begins with is at most half of it, however much there is.
        let room = self.settings.segment_bytes.max(self.told.saturating_mul(2));
        let full =
            self.segment.is_some() && (self.counted >= room || self.begun.elapsed() >= self.settings.segment_age);
        let rested = self.rests_until.is_some_and(|until| until <= Instant::now());
        if full || rested {
            self.shared.wanted.store(true, Ordering::Release);
        }
    }

    fn give_up(&mut self, error: &io::Error, lost: u64) {
        // Of a segment that is given up, the lines that still come are lost, too; the first says why.
        if self.rests_until.is_none() {
            let seconds = self.settings.rest.as_secs();
            (self.log)(&format!(
                "the recording cannot be written: {error}; it begins anew in {seconds} s at the earliest"
            ));
            self.shared.give_up(lost);
        }
        self.segment = None;
        self.rests_until = Some(Instant::now() + self.settings.rest);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tape::Tape;
    use super::*;
    use quotree_core::{NodeId, Policy, QuotaSpec, Time, TreeSpec};
    use quotree_record::{Ending, NamedNode, Replayed, replay};

    fn line(number: u32) -> Line {
        Line::Node(NamedNode { id: NodeId(number), name: "n".into() })
    }

    fn tree() -> TreeSpec {
        [QuotaSpec::new("root", None).namespace("ns")].into_iter().collect()
    }

    fn endings(folder: &std::path::Path) -> Vec<Ending> {
        let mut all: Vec<Replayed> = Vec::new();
        replay(folder, |one, _| {
            all.push(one);
            true
        })
        .unwrap();
        all.into_iter().filter_map(|one| one.ending).collect()
    }

    #[test]
    fn lines_that_find_no_room_are_counted_and_end_their_segment() {
        let folder = std::env::temp_dir().join(format!("quotree-overflow-{}", std::process::id()));
        let settings = Settings { buffer: 3, ..Settings::new(folder.clone()) };
        let shared = Arc::new(Shared::new("me", settings.buffer));
        let tape = Tape(shared.clone());
        tape.begin(Time(1), tree(), Policy::default(), (0..9).map(line).collect());
        (0..10).for_each(|number| tape.line(line(number)));
        assert!(tape.wants_segment(), "the segment is incomplete");
        assert_eq!(tape.counts().dropped, 7);
        tape.begin(Time(2), tree(), Policy::default(), Vec::new());
        assert!(!tape.wants_segment());
        // Only now the disk answers.
        let writer = std::thread::spawn(move || Writer::new(settings, shared, |_| {}).run());
        assert!(tape.0.close(Duration::from_secs(60)));
        writer.join().unwrap();
        let told: Vec<(Why, u64)> = endings(&folder)
            .iter()
            .filter_map(|ending| if let Ending::Whole(end) = ending { Some((end.why, end.dropped)) } else { None })
            .collect();
        assert_eq!(told, [(Why::Incomplete, 7), (Why::Stopped, 0)]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_disk_that_refuses_is_tried_again() {
        let folder = std::env::temp_dir().join(format!("quotree-refused-{}", std::process::id()));
        let rest = Duration::from_millis(1);
        let shared = Arc::new(Shared::new("me", 9));
        let tape = Tape(shared.clone());
        let settings = Settings { rest, ..Settings::new(folder.clone()) };
        let mut writer = Writer::new(settings, shared, |_| {});
        // A file is where the folder should be.
        std::fs::write(&folder, "").unwrap();
        tape.begin(Time(1), tree(), Policy::default(), Vec::new());
        let step = |writer: &mut Writer| {
            for item in writer.shared.take(Duration::ZERO).0 {
                if let Err(error) = writer.take(item) {
                    writer.give_up(&error, 1);
                }
            }
            std::thread::sleep(rest * 2);
            writer.look();
        };
        step(&mut writer);
        tape.line(line(1));
        assert_eq!((tape.counts().failures, tape.counts().dropped, tape.wants_segment()), (1, 2, true));
        std::fs::remove_file(&folder).unwrap();
        tape.begin(Time(2), tree(), Policy::default(), vec![line(1)]);
        step(&mut writer);
        assert_eq!((tape.counts().segments, tape.wants_segment()), (1, false));
        writer.segment.take().unwrap().end(Why::Stopped, 0).unwrap();
        assert_eq!(endings(&folder).len(), 1);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
