//! The outline's tokens against those of the compiler's lexer.

use std::path::Path;

use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};
use walkdir::WalkDir;

use crate::outline::tokens::{NAME, of};

/// Where each token is, what it says, and whether it is a name, as the compiler's lexer has it.
fn expected(text: &str) -> Vec<(u32, &str, bool)> {
    let mut found = Vec::new();
    let mut at = 0;
    for token in tokenize(text, FrontmatterAllowed::No) {
        let start = at;
        at += token.len as usize;
        let is_name = match token.kind {
            TokenKind::Whitespace
            | TokenKind::LineComment { .. }
            | TokenKind::BlockComment { .. }
            | TokenKind::Literal { .. }
            | TokenKind::Lifetime { .. }
            | TokenKind::RawLifetime
            | TokenKind::UnknownPrefixLifetime => continue,
            // A name with a quotation mark or number sign behind it, in a macro.
            kind => matches!(kind, TokenKind::Ident | TokenKind::RawIdent | TokenKind::UnknownPrefix),
        };
        let says = text.get(start..at).unwrap();
        let name = says.strip_prefix("r#").filter(|_| is_name).unwrap_or(says);
        found.push(((at - name.len()) as u32, name, is_name));
    }
    found
}

#[track_caller]
fn check(text: &str) {
    let told: Vec<(u32, &str, bool)> =
        of(text).into_iter().map(|token| (token.start, token.text(text), token.mark == NAME)).collect();
    assert_eq!(told, expected(text), "{text}");
}

#[test]
fn tokens_are_those_of_the_compiler_in_all_sources_of_the_project() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let is_source = |path: &Path| path.extension().is_some_and(|end| end == "rs");
    let entries = WalkDir::new(root).into_iter().filter_entry(|entry| entry.file_name() != "target");
    let mut count = 0;
    for entry in entries.filter_map(Result::ok).filter(|entry| is_source(entry.path())) {
        if let Ok(text) = std::fs::read_to_string(entry.path()) {
            check(&text);
            count += 1;
        }
    }
    assert!(count > 300, "only {count} files");
}

#[test]
fn tokens_are_those_of_the_compiler_in_odd_places() {
    for text in [
        "'a' 'a 'static '\\'' '\\\\' '\\u{1F600}' 'é' 'é '\\n' ' ' '' ''' 'ab' '1' '1a 'r#if b'x' b'\\'' b'",
        "\"a\\\"b\" b\"\\\\\" c\"x\" \"a\nb\" \"unfinished \\",
        "r\"a\\\" r#\"a\"b\"# br##\"x\"#y\"## cr#\"z\"# r#type r#\"unfinished\"",
        "r b c br cr rb bc r1 b_ radar break crate",
        "1 1.0 1. 1..2 1.max(2) 1.e 1._x 1e5 1E-5 1e+ 0x1f_u8 0b10 0o7 0xe+1 0xg 1_000 1f32 1u8.x 0 0.5 00 0_1",
        "a /* b /* c */ d */ e // f\ng /* unfinished /* */",
        "/**/ /***/ /*/ a */ b / c",
        "größe naïve ñ = “quoted” … \u{2028} \u{200e}x",
        "a.0.1 x.1e3 t.0 (1,).0",
        "#[a] #![b] $x:ident => {{ }} <'a, T> |x| ..= -> :: @ ~ ` \\ ?",
        "a\"b\" a'b' a#b \"a\"suffix 'a'suffix 1suffix",
        "fn a() { \"{\"; '{'; r\"{\"; /* { */ // {\n }",
        "'\n' '\n a '/ b ' /",
    ] {
        check(text);
        for (end, _) in text.char_indices() {
            check(&text[..end]);
            // The compiler's lexer takes `#"` and `##` together, for strings that are not there yet.
            if !text.contains('#') {
                check(&text[end..]);
            }
        }
    }
}
