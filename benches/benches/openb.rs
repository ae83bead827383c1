//! openb: pods drawn to 130 per cent of the cluster's GPUs and placed one by one on 1213 nodes, no departures; by best fit,
//! and by FGD beside a plain scan that decides the same.

#![allow(missing_docs, reason = "criterion's mains have no readers")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]

use quotree_benches::{
    count_instructions, counts_instructions, criterion, once, only_tried, openb, plain, rate, ratio, row, shortest,
};
use quotree_core::{Placement, Policy};
use quotree_testkit::shared::shared;

fn main() {
    let Some(folder) = shared() else { return };
    let nodes = openb::nodes(&folder).unwrap();
    let list = openb::list(&folder, "default").unwrap();
    let capacity = openb::capacity(&nodes);
    assert_eq!((nodes.len(), list.len(), capacity), (1213, 8152, 6_212_000));
    let typical = openb::typical(&list);
    let (pods, nodes) = (openb::draw(&list, capacity, 42), openb::renumber(&nodes, 42));
    let by = |placement| Policy { placement, typical: typical.clone(), ..Policy::default() };
    let place = |placement| openb::place(&nodes, &pods, by(placement)).unwrap();
    if counts_instructions() {
        return count_instructions(pods.len() as u64, "pods", || place(Placement::BestFit));
    }
    let (best_fit, fgd) = (place(Placement::BestFit), place(Placement::Fgd));
    if only_tried() {
        return;
    }
    let ((placed, held), plainly) = once(|| plain::place(&nodes, &pods, &typical));
    assert_eq!((placed, held), (fgd.placed, fgd.held), "a plain scan decides the same");
    let mut criterion = criterion();
    let share = |held: i64| {
        let hundredths = held * 10_000 / capacity;
        format!("{}.{:02} per cent of the GPUs held", hundredths / 100, hundredths % 100)
    };
    let tried = |placed: u64| format!("{} tried, {placed} placed", pods.len());
    let took = shortest(&mut criterion, "openb/best fit", || place(Placement::BestFit));
    row(&[
        "openb, BestFit, 1213 nodes",
        &rate(pods.len() as u64, took),
        &tried(best_fit.placed),
        &share(best_fit.held),
    ]);
    let took = shortest(&mut criterion, "openb/fgd", || place(Placement::Fgd));
    row(&[
        "openb, FGD, 1213 nodes",
        &format!(
            "{}; {} times a plain scan ({})",
            rate(pods.len() as u64, took),
            ratio(took, plainly),
            rate(pods.len() as u64, plainly)
        ),
        &tried(fgd.placed),
        &share(fgd.held),
    ]);
    criterion.final_summary();
}
