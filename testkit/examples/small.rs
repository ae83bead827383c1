//! Plays every smallest world, core beside reference and by the laws: `cargo run --release -p quotree-testkit --example
//! small`. `-- FIRST COUNT` plays a part of them.

#![expect(clippy::print_stdout, reason = "a program that tells")]

use quotree_testkit::small;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse::<u64>().ok());
    let first = numbers.next().unwrap_or(0);
    let last = numbers.next().map_or(small::count(), |count| first.saturating_add(count)).min(small::count());
    let mut broken = 0;
    for index in first..last {
        let world = small::world(index);
        if let Some(wrong) = small::wrong(&world).first() {
            broken += 1;
            println!("world {index}: {wrong}\n{world:?}");
        }
    }
    println!("worlds {first} to {last} of {}: {broken} broken", small::count());
}
