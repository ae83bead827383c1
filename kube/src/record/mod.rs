//! The recording of a run: the actor hands lines over, a thread writes them. The actor never waits for the disk: lines wait
//! in a bounded buffer, and where that is full, they are dropped, counted, and the segment is closed as incomplete.

mod tape;
mod thread;

pub use tape::{Counts, Tape};

use quotree_record::folder::Keep;
use std::{path::PathBuf, sync::Arc, thread::JoinHandle, time::Duration};
use tape::Shared;

/// How long the end of the process waits for the last lines to be written.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where and how a run is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The folder.
    pub folder: PathBuf,
    /// A segment of so many bytes of text is full.
    pub segment_bytes: u64,
    /// A segment that was begun so long ago is full.
    pub segment_age: Duration,
    /// What is kept.
    pub keep: Keep,
    /// How many lines wait for the disk at most, the state with which a segment begins aside.
    pub buffer: usize,
    /// After the disk has refused something, nothing is tried for so long.
    pub rest: Duration,
}

impl Settings {
    /// Segments of 64 MB or an hour, kept for a day or up to 2 GiB.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            segment_bytes: 64 << 20,
            segment_age: Duration::from_secs(3600),
            keep: Keep { age: Duration::from_secs(24 * 3600), bytes: 2 << 30 },
            buffer: 100_000,
            rest: Duration::from_secs(10),
        }
    }
}

/// A recording that goes on until this is dropped. What was handed over by then is written.
#[derive(Debug)]
pub struct Recording {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Recording {
    /// Starts to record. `run` is the identity of this process. `log` receives a line where something fails. The folder is
    /// created at once, so that a wrong one is noticed before anything depends on it.
    ///
    /// # Errors
    /// If the folder cannot be created, or not be written to.
    pub fn start(settings: Settings, run: &str, log: fn(&str)) -> std::io::Result<Self> {
        quotree_record::write::prepare(&settings.folder)?;
        let shared = Arc::new(Shared::new(run, settings.buffer));
        let theirs = shared.clone();
        let thread = std::thread::Builder::new()
            .name("record".to_owned())
            .spawn(move || thread::Writer::new(settings, theirs, log).run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Takes the lines of the actor.
    #[must_use]
    pub fn tape(&self) -> Tape {
        Tape(self.shared.clone())
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // A disk that does not answer must not keep the process from ending.
        if self.shared.close(PATIENCE)
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}
