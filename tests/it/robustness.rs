//! What must hold for every input, held against a few seconds of random ones; `cargo xtask fuzz` goes on
//! for longer and knows where to look.

use arbitrary::{Arbitrary, Unstructured};

use crate::fuzz::edits::{Edited, Typed};
use crate::fuzz::laws;
use crate::fuzz::seeds::seeds;
use crate::fuzz::server::{self, Talk};
use crate::fuzz::suppressions::Suppressed;

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

    /// Holds a law against random things; what it was that breaks the law is told.
    fn hold<T: for<'a> Arbitrary<'a> + std::fmt::Debug>(&mut self, times: usize, law: fn(&T)) {
        for _ in 0..times {
            let bytes = self.bytes(256);
            let input = T::arbitrary(&mut Unstructured::new(&bytes)).expect("there are bytes enough");
            let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| law(&input)));
            assert!(held.is_ok(), "{input:?}");
        }
    }
}

#[test]
fn edited_fixtures() {
    Random(0x9e37_79b9_7f4a_7c15).hold(8, |edited: &Edited| laws::of_edited(&edited.workspace));
}

#[test]
fn texts_that_are_typed() {
    Random(0x2545_f491_4f6c_dd1d).hold(60, |typed: &Typed| laws::of_typing(typed.workspaces()));
}

#[test]
fn suppressions_everywhere() {
    Random(0xd1b5_4a32_d192_ed03).hold(8, |suppressed: &Suppressed| laws::of_edited(&suppressed.0.workspace));
}

#[test]
fn editors_that_say_anything() {
    Random(0x94d0_49bb_1331_11eb).hold(12, |talk: &Talk| server::holds(talk));
}

#[test]
fn configurations() {
    const WORDS: [&str; 30] = [
        "[rules]",
        "\n",
        "lost_cancel",
        "=",
        "\"warn\"",
        "\"forbid\"",
        "[[overrides]]",
        "paths",
        "[",
        "]",
        "\"**/*.rs\"",
        "rules",
        "{",
        "}",
        "exclude",
        "[[models]]",
        "name",
        "\"x\"",
        "require-reason",
        "true",
        "[options.lost_cancel]",
        ",",
        "all",
        ".",
        "\"é[\"",
        "#",
        "1",
        "types",
        "'",
        "\"\"\"",
    ];
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let workspace = seeds().workspaces.first().expect("a fixture");
    for _ in 0..300 {
        let words = random.bytes(24);
        let text: Vec<&str> = words.iter().map(|byte| WORDS[usize::from(*byte) % WORDS.len()]).collect();
        laws::of_configuration(&text.join(" "), workspace);
        laws::of_configuration(&String::from_utf8_lossy(&words), workspace);
    }
}

/// Inputs that were wrong once.
#[test]
fn what_was_wrong_once() {
    // Each of these imports leads to all the others: as many ways as there are orders of them.
    let imports = "use a::a;\n".repeat(40);
    laws::of_code(&format!("{imports}fn f(ctx: &a::Context) {{ ctx.a(); }}\n"));
}
