//! What must hold for every input, held against a few seconds of random ones; `cargo xtask fuzz` goes on
//! for longer and knows where to look.

use std::time::Instant;

use arbitrary::{Arbitrary, Unstructured};

use crate::fuzz::edits::Edited;
use crate::fuzz::suppressions::Suppressed;
use crate::fuzz::{edits, laws, seeds};

/// Marsaglia's xorshift from a fixed seed, so that a failure comes again.
struct Random(u64);

impl Random {
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut next = || {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 32) as u8
        };
        (0..length).map(|_| next()).collect()
    }
}

#[test]
fn probe() {
    for (i, w) in seeds::seeds().workspaces.iter().enumerate() {
        let start = Instant::now();
        let report = laws::on(1, || ctxlint::check::check(w, &laws::everything()));
        let t = start.elapsed();
        if t.as_millis() > 100 || i < 5 {
            println!("{i} {} {t:?} {:?}", w.files[0].path, report.work.steps);
        }
    }
}
