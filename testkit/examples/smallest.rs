//! Plays every smallest world, against the reference and by the laws: `cargo run --release -p quotree-testkit --example
//! smallest`. `-- FIRST COUNT` plays a part of them.

#![expect(clippy::print_stdout, reason = "a program that tells")]

use quotree_testkit::smallest;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse::<u64>().ok());
    let first = numbers.next().unwrap_or(0);
    let last = numbers.next().map_or(smallest::count(), |count| first.saturating_add(count)).min(smallest::count());
    let mut broken = 0;
    for index in first..last {
        let world = smallest::world(index);
        if let Some(violation) = smallest::violations(&world).first() {
            broken += 1;
            println!("world {index}: {violation}\n{world:?}");
        }
    }
    println!("worlds {first} to {last} of {}: {broken} broken", smallest::count());
}
