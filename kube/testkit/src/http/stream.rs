//! The body of a watch: one JSON object a line, as the store changes and time passes; and what a fault makes of it.

use crate::{
    faults::WatchFault,
    refusal::Refusal,
    server::{Cut, FakeServer},
    store::{Next, Watch},
    value,
};
use bytes::Bytes;
use futures::{Stream, stream};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::VecDeque;

struct State {
    server: FakeServer,
    changed: tokio::sync::watch::Receiver<()>,
    watch: Watch,
    fault: Option<WatchFault>,
    sent: usize,
    /// Whether an event was lost.
    lost: bool,
    /// Events that are sent later, or a second time.
    held: VecDeque<(Timestamp, Value)>,
    over: bool,
    /// How often all watches had been cut when this one began.
    cuts: u64,
}

/// What to do next.
enum Step {
    Send(Value),
    Cut,
    Wait,
    End,
}

/// The lines of a watch.
pub(crate) fn lines(
    server: FakeServer,
    watch: Watch,
    fault: Option<WatchFault>,
) -> impl Stream<Item = Result<Bytes, Cut>> + Send {
    let changed = server.changes();
    let cuts = server.cuts();
    let state = State { server, changed, watch, fault, sent: 0, lost: false, held: VecDeque::new(), over: false, cuts };
    stream::unfold(state, |mut state| async move {
        loop {
            state.changed.borrow_and_update();
            match state.step() {
                Step::Send(event) => {
                    state.sent += 1;
                    let line = format!("{event}\n");
                    return Some((Ok(Bytes::from(line)), state));
                }
                Step::Cut => {
                    state.over = true;
                    return Some((Err(Cut), state));
                }
                Step::End => return None,
                Step::Wait if state.changed.changed().await.is_err() => return None,
                Step::Wait => {}
            }
        }
    })
}

impl State {
    fn step(&mut self) -> Step {
        if self.over {
            return Step::End;
        }
        if self.server.cuts() > self.cuts {
            return Step::Cut;
        }
        let (watch, held, lost) = (&mut self.watch, &mut self.held, &mut self.lost);
        match &self.fault {
            Some(WatchFault::CutAfter(events)) if self.sent >= *events => return Step::Cut,
            Some(WatchFault::ExpiredAfter(events)) if self.sent >= *events => {
                self.over = true;
                let status = Refusal::expired("too old resource version: injected by a fault").status();
                return Step::Send(json!({ "type": "ERROR", "object": status }));
            }
            Some(WatchFault::Stalled) => return Step::Wait,
            _ => {}
        }
        let fault = self.fault.clone();
        self.server.with_store(|store| {
            if held.front().is_some_and(|(due, _)| *due <= store.now()) {
                return held.pop_front().map_or(Step::Wait, |(_, event)| Step::Send(event));
            }
            loop {
                let event = match watch.next(store) {
                    Next::Event(event) => event,
                    Next::Wait => return Step::Wait,
                    Next::End => return Step::End,
                };
                let kind = value::text(&event, &["type"]);
                match &fault {
                    Some(WatchFault::BookmarksOnly) if kind != "BOOKMARK" => {}
                    Some(WatchFault::Lost(of)) if kind == *of && !*lost => *lost = true,
                    Some(WatchFault::Late(by)) => {
                        held.push_back((store.now().saturating_add(*by).unwrap_or(store.now()), event));
                    }
                    Some(WatchFault::Doubled) => {
                        held.push_back((store.now(), event.clone()));
                        return Step::Send(event);
                    }
                    _ => return Step::Send(event),
                }
            }
        })
    }
}
