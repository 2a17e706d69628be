//! Code cut, doubled and shuffled at random: whatever comes of it, there is an answer and it holds
//! together. The numbers come from a fixed seed, so that a failure comes again.

use ctxlint_analysis::{facts_check, parse};

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// The code of all cases: every construct the lowering knows.
fn seeds() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cases");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("the cases").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let texts = files.iter().map(|path| std::fs::read_to_string(path).expect("cases"));
    texts
        .flat_map(|text| {
            let parts = text.split("=== ").skip(1);
            let cases = parts.filter_map(|part| {
                let (name, rest) = part.split_once('\n')?;
                let (code, _) = rest.split_once("---\n")?;
                let body = name.trim().ends_with("(body)");
                Some(if body { format!("fn f(ctx: C, cancel: H) {{\n{code}}}\n") } else { code.to_owned() })
            });
            cases.collect::<Vec<_>>()
        })
        .collect()
}

/// Splits code into words, numbers, spaces and single signs.
fn pieces(code: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let len = if word(first) { rest.find(|c| !word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (piece, after) = rest.split_at(len);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

const INSERTS: [&str; 24] = [
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ";",
    ",",
    "?",
    ".await",
    "&",
    "*",
    "_",
    "é",
    "\"{ctx}\"",
    "// ctxlint: allow(x)\n",
    "let",
    "if",
    "match",
    "return",
    "break 'a",
    "||",
    "async",
    "#[cfg_attr(ctxlint, allow(x))] ",
];

fn mutated(code: &str, other: &str, random: &mut Random) -> String {
    let mut pieces = pieces(code);
    let others = self::pieces(other);
    for _ in 0..=random.below(3) {
        let at = random.below(pieces.len());
        match random.below(5) {
            0 => {
                pieces.remove(at.min(pieces.len().saturating_sub(1)));
            }
            1 => pieces.insert(at, INSERTS[random.below(INSERTS.len())]),
            2 => {
                let from = random.below(others.len());
                let to = (from + random.below(12)).min(others.len());
                pieces.splice(at..at, others[from..to].iter().copied());
            }
            3 => {
                let to = (at + random.below(6)).min(pieces.len());
                pieces.drain(at..to);
            }
            _ => {
                let with = random.below(pieces.len());
                pieces.swap(at, with);
            }
        }
        if pieces.is_empty() {
            break;
        }
    }
    pieces.concat()
}

#[test]
fn whatever_is_written_there_is_an_answer() {
    let work = || {
        let seeds = seeds();
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let mut parsed = 0;
        for _ in 0..60 {
            for seed in &seeds {
                let other = &seeds[random.below(seeds.len())];
                let text = mutated(seed, other, &mut random);
                match parse::parse(&text) {
                    Ok(facts) => {
                        parsed += 1;
                        let violations = facts_check::violations(&facts, &text);
                        assert!(violations.is_empty(), "{violations:#?}\n{text}");
                    }
                    Err(error) => {
                        let span = error.span.start as usize..error.span.end as usize;
                        assert!(text.get(span).is_some(), "{error:?}\n{text}");
                    }
                }
                parse::directives_only(&text);
            }
        }
        // Mutations that never parse would test nothing.
        assert!(parsed > 300, "{parsed}");
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(work).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}
