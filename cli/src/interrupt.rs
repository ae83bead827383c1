//! Signals. Ctrl-C: the first one asks all runs to stop, which then end with what is known so far. The second one, or one while nothing is
//! running, ends the command at once. A limit of the size of files is an error like a full disk.

use crate::{exit::Exit, files};
use quotree_study::Stop;
use std::sync::{
    Once,
    atomic::{AtomicUsize, Ordering},
};

/// Asks all runs to stop.
pub(crate) static STOP: Stop = Stop::new();

/// How many sections of the program look at [`STOP`] now.
static WATCHED: AtomicUsize = AtomicUsize::new(0);

/// While it lives, Ctrl-C asks runs to stop instead of ending the command.
#[derive(Debug)]
pub(crate) struct Guard(());

impl Drop for Guard {
    fn drop(&mut self) {
        WATCHED.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Begins a section that looks at [`STOP`].
pub(crate) fn watch() -> Guard {
    tidy_up();
    WATCHED.fetch_add(1, Ordering::Relaxed);
    Guard(())
}

/// From now on, files that are half written are removed when Ctrl-C ends the command.
pub(crate) fn tidy_up() {
    static HANDLER: Once = Once::new();
    HANDLER.call_once(|| {
        // Without a handler, Ctrl-C ends the command at once: at most a temporary file is left behind.
        let _ = ctrlc::set_handler(|| {
            if STOP.is_asked() || WATCHED.load(Ordering::Relaxed) == 0 {
                files::discard_parts();
                std::process::exit(Exit::Interrupted as i32);
            }
            STOP.ask();
        });
    });
}

/// From now on, a write beyond the limit of the size of files (`ulimit -f`) fails, as on a full disk. Without a handler, its signal ends the
/// command at once, and leaves the file behind that is half written.
pub(crate) fn report_size_limit() {
    // If it cannot be registered, the signal still ends the command.
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
}

/// Whether runs were asked to stop.
pub(crate) fn is_asked() -> bool {
    STOP.is_asked()
}
