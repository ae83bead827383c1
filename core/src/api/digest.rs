//! A hash that is the same on every machine: XXH3 over little-endian bytes of fixed width.

use std::hash::Hasher;
use xxhash_rust::xxh3::Xxh3;

/// A [`Hasher`] whose result depends on the hashed values alone, not on the machine's byte order or word size.
#[derive(Clone, Default)]
pub struct StableHasher(Xxh3);

impl StableHasher {
    /// The digest so far, in 128 bits.
    #[must_use]
    pub fn digest128(&self) -> u128 {
        self.0.digest128()
    }
}

macro_rules! little_endian {
    ($($method:ident: $number:ty),*) => {
        $(fn $method(&mut self, number: $number) {
            self.0.update(&number.to_le_bytes());
        })*
    };
}

impl Hasher for StableHasher {
    fn finish(&self) -> u64 {
        self.0.digest()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    little_endian!(write_u8: u8, write_u16: u16, write_u32: u32, write_u64: u64, write_u128: u128);
    little_endian!(write_i8: i8, write_i16: i16, write_i32: i32, write_i64: i64, write_i128: i128);

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_i64(number as i64);
    }
}
