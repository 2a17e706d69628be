//! Bad input, positions and directives.

use ctxlint_analysis::facts::{DirectiveForm, DirectiveKind, FileFacts, OpKind, Span};
use ctxlint_analysis::facts_check;
use ctxlint_analysis::parse::{ParseError, directives_only, parse, parse_but};

/// Parses on a stack as large as the callers of `parse` have.
fn on_stack(text: String) -> Result<FileFacts, ParseError> {
    std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(move || parse(&text))
        .expect("a thread")
        .join()
        .expect("no panic")
}

fn slice(text: &str, span: ctxlint_analysis::facts::Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

/// The names of all methods called, as the spans say.
fn methods(text: &str) -> Vec<String> {
    let facts = parse(text).expect("valid code");
    assert_eq!(facts_check::violations(&facts, text), Vec::<String>::new());
    let ops = facts.bodies.iter().flat_map(|body| &body.blocks).flat_map(|block| &block.ops);
    ops.filter_map(|op| match &op.kind {
        OpKind::MethodCall { name_span, .. } => Some(slice(text, *name_span).to_owned()),
        _ => None,
    })
    .collect()
}

#[test]
fn positions_are_those_of_the_given_text() {
    let code = "fn f() { let é = \"日本語\"; é.größe(); /* 🦀 */ a.b(\"🦀\").c(); }\n";
    let expected = ["größe", "b", "c"];
    for prefix in
        ["", "\u{feff}", "#!/usr/bin/env run\n", "\u{feff}#!/usr/bin/env run\r\n", "---\nedition = \"ü\"\n---\n"]
    {
        assert_eq!(methods(&format!("{prefix}{code}")), expected, "{prefix:?}");
    }
    let long = format!("fn f() {{ /* {} */ a.größe().b(); }}", "ü".repeat(5000));
    assert_eq!(methods(&long), ["größe", "b"]);
    assert_eq!(methods("fn f() {\r\n    a.b();\r\n    x.r#type();\r\n}\r\n"), ["b", "r#type"]);
}

#[test]
fn an_error_has_a_place() {
    let error = parse("fn f() {\n    let x = ;\n}\n").expect_err("no expression");
    assert_eq!((error.span.start, error.span.end), (21, 22), "{}", error.message);
    let text = "fn f() { g(";
    let error = parse(text).expect_err("unbalanced");
    assert!(error.span.end as usize <= text.len());
    let error = parse("fn f()").expect_err("no body");
    assert_eq!(error.span.start, 6, "{}", error.message);
    for text in ["", "\u{feff}", "#!x", "// only a comment"] {
        assert!(parse(text).is_ok(), "{text:?}");
    }
    for text in ["\"", "fn f() { '", "r#\"", "/*", "b'", "0x", "}", "(]", "\0", "fn \u{202e}() {}"] {
        assert!(parse(text).is_err(), "{text:?}");
    }
}

/// `#[ext] pub impl` is what some macros want.
#[test]
fn an_impl_may_have_a_visibility() {
    let impls = "#[ext(Ext)]\npub impl<F: Future> F { fn a(self) { x.one(); } }
        pub(crate) unsafe impl S { fn b(&self) { x.two(); } }
        mod inner { pub(in crate::inner) impl S { pub fn c(&self) { x.three(); } } }";
    assert_eq!(methods(impls), ["one", "two", "three"]);
    let quiet = Span::new(impls.find(" x.one").unwrap() as u32, impls.find(" } }").unwrap() as u32);
    let facts = parse_but(impls, &[quiet]).expect("valid code");
    assert_eq!((facts.quiet.as_slice(), facts.bodies.len()), (&[quiet][..], 2), "nothing else is read");

    let wrong = format!("{impls}\nfn f() {{ let x = ; }}");
    let error = parse(&wrong).expect_err("no expression");
    assert_eq!((slice(&wrong, error.span), error.span.start as usize), (";", wrong.find(" ;").unwrap() + 1));
    assert!(parse("pub (impl S {})").is_err());
}

#[test]
fn files_beyond_a_size_are_refused() {
    let text = format!("//{}\n", " ".repeat(17 << 20));
    let error = on_stack(text).expect_err("too large");
    assert!(error.message.contains("too large"), "{}", error.message);
}

/// Code that nests `n` times without brackets.
fn unbracketed(n: usize) -> Vec<String> {
    let mut all = Vec::new();
    let expressions = [
        "!",
        "- ",
        "-",
        "&",
        "& ",
        "&mut ",
        "&&",
        "*",
        "return ",
        "break ",
        "|x| ",
        "|x, y| ",
        "|| ",
        "move || ",
        "async || ",
        "async move |a, b| ",
        "a = ",
        "*a = ",
        "a[0] = ",
        "{ a } = ",
        ".. ",
        "&raw const ",
        "match ",
        "if ",
        "while ",
        "a += ",
        "static || ",
        "'a: break 'a ",
        "return return -",
    ];
    for piece in expressions {
        all.push(format!("fn f() {{ {}1 }}", piece.repeat(n)));
    }
    let types = [
        ("Vec<", ">"),
        ("V<u8, ", ">"),
        ("V<u8, fn() -> ", ">"),
        ("&", ""),
        ("&'a ", ""),
        ("&mut ", ""),
        ("*const ", ""),
        ("fn() -> ", ""),
        ("impl T<A = ", ">"),
        ("impl Fn() -> ", ""),
        ("dyn Fn(u8) -> ", ""),
        ("for<'a> ", ""),
        ("<u8 as A<", ">>::B"),
        ("V < u8 , & ", " >"),
    ];
    for (open, close) in types {
        all.push(format!("type A = {}u8{};", open.repeat(n), close.repeat(n)));
    }
    for piece in ["&", "& ", "&mut ", "a @ ", "ref a @ ", "box "] {
        all.push(format!("fn f() {{ let {}x = 1; }}", piece.repeat(n)));
    }
    all
}

#[test]
fn nesting_just_within_reason_never_overflows() {
    for n in [190, 3_900] {
        for text in unbracketed(n) {
            // Much of it is no Rust; what counts is that there is an answer.
            let _ = on_stack(text);
        }
    }
    let n = 990;
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("a(", ")"),
        ("a(|| ", ")"),
        ("async move { ", "}"),
        ("if a { ", "}"),
        ("match a { _ => ", "}"),
        ("if let (a, b) = c { ", "}"),
        ("while x { ", "}"),
        ("S { a: ", "}"),
        ("vec![", "]"),
        ("m!(", ")"),
        ("format!(\"\", ", ")"),
        ("x.y(|a| ", ")"),
        ("tokio::select! { _ = a => ", "}"),
        ("fn f() { ", "}"),
        ("{ mod a { fn f() { ", "}}}"),
        ("-(", ")"),
        ("&&&&&&&(", ")"),
    ] {
        let _ = on_stack(format!("fn f() {{ {}1{} }}", open.repeat(n), close.repeat(n)));
    }
    for (open, close) in [("(", ",)"), ("[", "]"), ("Box<[", "]>"), ("fn(", ")"), ("Fn(u8, ", ")")] {
        let _ = on_stack(format!("type A = {}u8{};", open.repeat(n), close.repeat(n)));
        let _ = on_stack(format!("fn f({}u8{}: u8) {{}}", open.repeat(n), close.repeat(n)));
    }
}

#[test]
fn nesting_beyond_reason_is_refused_and_never_overflows() {
    let n = 100_000;
    let deep = [
        format!("fn f() {{ {}1{} }}", "(".repeat(n), ")".repeat(n)),
        format!("fn f() {{ {}1{} }}", "[".repeat(n), "]".repeat(n)),
        format!("fn f() {{ {} {} }}", "{".repeat(n), "}".repeat(n)),
        format!("fn f() {{ m!({}{}) }}", "(".repeat(n), ")".repeat(n)),
        format!("{}{}", "mod a { ".repeat(n), "}".repeat(n)),
        format!("fn f() {{ {} {} }}", "if a { ".repeat(n), "}".repeat(n)),
        format!("fn f() {{ {} {} }}", "match a { _ => ".repeat(n), "}".repeat(n)),
        format!("fn f() {{ {}1{} }}", "a(".repeat(n), ")".repeat(n)),
        format!("fn f() {{ {}1{} }}", "async move { ".repeat(n), "}".repeat(n)),
    ];
    for text in deep.into_iter().chain(unbracketed(n)) {
        let start: String = text.chars().take(40).collect();
        let error = on_stack(text).map(|_| ()).expect_err(&start);
        assert!(error.message.contains("nested too deeply"), "{start}: {}", error.message);
    }
}

#[test]
fn what_is_long_but_not_deep_is_parsed() {
    let n = 20_000;
    let long = [
        format!("fn f() {{ a{}; }}", ".b()".repeat(n)),
        format!("fn f() {{ a{}; }}", ".b()?".repeat(n)),
        format!("fn f() {{ a{}; }}", ".await".repeat(n)),
        format!("fn f() {{ a{}; }}", " + 1".repeat(n)),
        format!("fn f() {{ a{}; }}", " && b".repeat(n)),
        format!("fn f() {{ if a{} {{}} }}", " || b".repeat(n)),
        format!("fn f() {{ a{}; }}", "()".repeat(n)),
        format!("fn f() {{ a{}; }}", "[0]".repeat(n)),
        format!("fn f() {{ a{}; }}", " as u8".repeat(n)),
        format!("fn f() {{ if a {{}} {} }}", "else if b { c() }".repeat(n / 4)),
        format!("fn f() {{ {} }}", "a.b();".repeat(n)),
        format!("fn f() {{ {} }}", "{ a.b() }".repeat(n)),
        format!("const A: &[i32] = &[{}];", "-1, ".repeat(n)),
        format!("const A: &[bool] = &[{}];", "a < b, ".repeat(n / 10)),
        format!("fn f() {{ match a {{ {} }} }}", "A => 1, ".repeat(n)),
        format!("fn f() {{ match a {{ {} _ => 1 }} }}", "A | ".repeat(n)),
        format!("enum E {{ {} }}", "A(&'static [u8]), ".repeat(n)),
    ];
    for text in long {
        let start: String = text.chars().take(40).collect();
        let facts = on_stack(text).unwrap_or_else(|error| panic!("{start}: {}", error.message));
        assert!(!facts.bodies.is_empty() || !facts.items.is_empty(), "{start}");
    }
}

#[test]
fn what_is_deep_but_possible_is_parsed() {
    let n = 150;
    let deep = [
        format!("fn f() {{ {}1{} }}", "(".repeat(n), ")".repeat(n)),
        format!("fn f() {{ {} {} }}", "if a { ".repeat(n), "}".repeat(n)),
        format!("fn f() {{ {}1{} }}", "match a { _ => ".repeat(n), "}".repeat(n)),
        format!("fn f() {{ {}1{} }}", "a(|| ".repeat(n), ")".repeat(n)),
        format!("fn f() {{ {}1{} }}", "async move { ".repeat(n), "}".repeat(n)),
        format!("type A = {}u8{};", "Vec<".repeat(n), ">".repeat(n)),
        format!("fn f() {{ {}1 }}", "&".repeat(n)),
        format!("fn f() {{ {}1{} }}", "format!(\"{}\", ".repeat(n), ")".repeat(n)),
    ];
    for text in deep {
        let start: String = text.chars().take(40).collect();
        assert!(on_stack(text).is_ok(), "{start}");
    }
}

/// Each directive of a text: form, kind, rules, reason and what it covers.
fn directives(text: &str) -> Vec<(DirectiveForm, String, String)> {
    let facts = parse(text).expect("valid code");
    assert_eq!(facts_check::violations(&facts, text), Vec::<String>::new());
    told(text, &facts.directives)
}

fn told(text: &str, directives: &[ctxlint_analysis::facts::Directive]) -> Vec<(DirectiveForm, String, String)> {
    directives
        .iter()
        .map(|directive| {
            let rules: Vec<&str> = directive.rules.iter().map(|(name, _)| name.as_str()).collect();
            let kind = match &directive.kind {
                DirectiveKind::Allow => "allow".to_owned(),
                DirectiveKind::Expect => "expect".to_owned(),
                DirectiveKind::Malformed(why) => format!("malformed: {why}"),
            };
            let reason = directive.reason.as_ref().map(|reason| format!(" because {reason}"));
            let said = format!("{kind} {}{}", rules.join(" "), reason.unwrap_or_default());
            (directive.form, said.trim().to_owned(), slice(text, directive.covers).to_owned())
        })
        .collect()
}

#[track_caller]
fn one(text: &str) -> (DirectiveForm, String, String) {
    let mut all = directives(text);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn a_trailing_directive_covers_its_line() {
    let text = "fn f() {\n    let a = g(\n        1, // ctxlint: allow(lost_cancel)\n    );\n}\n";
    let (form, said, covers) = one(text);
    assert_eq!(form, DirectiveForm::Trailing);
    assert_eq!(said, "allow lost_cancel");
    assert_eq!(covers, "        1, // ctxlint: allow(lost_cancel)");
    let (form, _, covers) = one("fn f() { a(); /* ctxlint: allow(x) */ b(); }\n");
    assert_eq!(form, DirectiveForm::Trailing);
    assert_eq!(covers, "fn f() { a(); /* ctxlint: allow(x) */ b(); }");
}

#[test]
fn a_directive_of_its_own_covers_what_follows() {
    let covered = |text: &str| {
        let (form, _, covers) = one(text);
        assert_eq!(form, DirectiveForm::OwnLine, "{text}");
        covers
    };
    let d = "// ctxlint: allow(x)\n";
    assert_eq!(covered(&format!("{d}fn f() {{\n    a();\n}}\nfn g() {{}}\n")), "fn f() {\n    a();\n}");
    assert_eq!(
        covered(&format!("{d}// why\n\n/// Doc.\n#[inline]\npub fn f() {{}}\n")),
        "/// Doc.\n#[inline]\npub fn f() {}"
    );
    assert_eq!(covered(&format!("/// Doc.\n{d}#[inline]\npub fn f() {{}}\n")), "#[inline]\npub fn f() {}");
    assert_eq!(covered(&format!("/// Doc.\n#[inline]\n{d}pub fn f() {{}}\n")), "pub fn f() {}");
    assert_eq!(covered(&format!("fn f() {{\n{d}    let a =\n        b;\n    c();\n}}\n")), "let a =\n        b;");
    assert_eq!(covered(&format!("fn f() {{\n{d}    if a {{\n b(); }}\n    c();\n}}\n")), "if a {\n b(); }");
    assert_eq!(covered(&format!("fn f() {{\n{d}    foo! {{ a }}\n    c();\n}}\n")), "foo! { a }");
    assert_eq!(
        covered(&format!("fn f() {{ match a {{\n{d}    A(b) if c =>\n d(),\n    _ => {{}} }} }}\n")),
        "A(b) if c =>\n d()"
    );
    assert_eq!(covered(&format!("struct S {{\n{d}    pub a: Vec<u8>,\n    b: u8 }}\n")), "pub a: Vec<u8>");
    assert_eq!(covered(&format!("enum E {{\n{d}    A {{ b: u8 }},\n    B }}\n")), "A { b: u8 }");
    assert_eq!(covered(&format!("fn f(\n{d}    a: u8,\n    b: u8) {{}}\n")), "a: u8");
    assert_eq!(covered(&format!("fn f(\n{d}    &mut self,\n    b: u8) {{}}\n")), "&mut self");
    assert_eq!(covered(&format!("fn f() {{ a(\n        b,\n{d}        c.d(),\n        e) }}\n")), "c.d()");
    assert_eq!(covered(&format!("fn f() {{ a\n        .b()\n{d}        .c(|| d)\n        .e() }}\n")), ".c(|| d)");
    assert_eq!(covered(&format!("fn f() {{ a()\n{d}        .await\n        .e() }}\n")), ".await");
    assert_eq!(covered(&format!("fn f() {{ S {{\n{d}        a: b(),\n        c }} }}\n")), "a: b()");
    assert_eq!(
        covered(&format!("fn f() {{ tokio::select! {{\n{d}        _ = a() => b(),\n        c = d => {{}} }} }}\n")),
        "_ = a() => b()"
    );
    assert_eq!(covered(&format!("fn f() {{ unknown! {{\n{d}        a => b\n        c }} }}\n")), "        a => b");
    assert_eq!(covered(&format!("fn f() {{ a();\n{d}}}\n")), "}");
    assert_eq!(covered(&format!("fn f() {{}}\n{d}")), "");
    assert_eq!(covered(&format!("impl A {{\n{d}    fn f() {{}}\n    fn g() {{}} }}\n")), "fn f() {}");
}

#[test]
fn several_directives_in_a_row_cover_the_same() {
    let text =
        "// ctxlint: allow(a)\n// ctxlint: expect(b, ctxlint::c, reason = \"so \\\"it\\\" is\") free text\nfn f() {}\n";
    let all = directives(text);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].1, "allow a");
    assert_eq!(all[1].1, "expect b c because so \"it\" is");
    assert!(all.iter().all(|(_, _, covers)| covers == "fn f() {}"), "{all:?}");
}

#[test]
fn a_directive_at_the_top_covers_the_file() {
    for text in [
        "//! ctxlint: allow(a)\nfn f() {}\n",
        "#!/bin/run\n// note\n//! Doc.\n#![allow(dead_code)]\n//! ctxlint: allow(a)\nfn f() {}\n",
        "/*! ctxlint: allow(a) */ fn f() {}\n",
    ] {
        let (form, said, covers) = one(text);
        assert_eq!((form, said.as_str()), (DirectiveForm::File, "allow a"));
        assert_eq!(covers, text);
    }
    let (_, said, _) = one("mod a {\n    //! ctxlint: allow(a)\n}\n");
    assert!(said.starts_with("malformed"), "{said}");
    let (_, said, _) = one("/// ctxlint: allow(a)\nfn f() {}\n");
    assert!(said.starts_with("malformed"), "{said}");
}

#[test]
fn attributes_are_directives_too() {
    let text = "#[cfg_attr(ctxlint, allow(ctxlint::a, reason = \"r\"), expect(b))]\nfn f() {}\nfn g() {}\n";
    let all = directives(text);
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(
        all[0],
        (DirectiveForm::Attribute, "allow a because r".to_owned(), text.lines().take(2).collect::<Vec<_>>().join("\n"))
    );
    assert_eq!(all[1].1, "expect b");
    let facts = parse(text).expect("valid code");
    assert!(facts.items.iter().all(|item| item.attrs.is_empty()));

    let inner = "#![cfg_attr(ctxlint, allow(a))]\nfn f() {}\n";
    assert_eq!(one(inner).2, inner);
    let statement = "fn f() {\n    #[cfg_attr(ctxlint, allow(a))]\n    let x = g();\n    h();\n}\n";
    assert_eq!(one(statement).2, "#[cfg_attr(ctxlint, allow(a))]\n    let x = g();");
    let expression = "fn f() {\n    #[cfg_attr(ctxlint, allow(a))]\n    g().h();\n    h();\n}\n";
    assert!(one(expression).2.starts_with("#[cfg_attr(ctxlint, allow(a))]\n    g().h()"));
    let field = "struct S {\n    #[cfg_attr(ctxlint, allow(a))]\n    b: u8,\n    c: u8,\n}\n";
    assert!(one(field).2.ends_with("b: u8"));
    let arm = "fn f() { match a {\n    #[cfg_attr(ctxlint, allow(a))]\n    B => c(),\n    _ => {} } }\n";
    assert!(one(arm).2.ends_with("B => c()"));
    let param = "fn f(#[cfg_attr(ctxlint, allow(a))] ctx: Context, b: u8) {}\n";
    assert!(one(param).2.ends_with("ctx: Context"));
    let method = "impl A {\n    #[cfg_attr(ctxlint, allow(a))]\n    fn f() {}\n    fn g() {}\n}\n";
    assert!(one(method).2.ends_with("fn f() {}"));
}

#[test]
fn what_cannot_be_read_is_said_to_be_so() {
    let malformed = |body: &str| {
        let (_, said, _) = one(&format!("// ctxlint: {body}\nfn f() {{}}\n"));
        assert!(said.starts_with("malformed: "), "{body}: {said}");
        said
    };
    assert!(malformed("alow(x)").contains("`alow`"));
    assert!(malformed("allow()").contains("no rule"));
    assert!(malformed("allow").contains('('));
    assert!(malformed("allow(x").contains("`)` is missing"));
    assert!(malformed("allow(x, reason = why)").contains("quotes"));
    assert!(malformed("allow(x, reason)").contains('='));
    assert!(malformed("allow(x y)").contains("`y`"));
    assert!(malformed("allow(reason = \"no rule\")").contains("no rule"));
    assert!(malformed("").contains("expected"));
    assert!(malformed("allow(clippy::x)").contains("clippy::x"));
}

#[test]
fn only_comments_are_directives() {
    let text =
        "const A: &str = \"// ctxlint: allow(a)\";\n// see ctxlint: allow(a)\n/// // ctxlint: allow(b)\nfn f() {}\n";
    assert_eq!(directives(text), Vec::new());
}

#[test]
fn a_file_that_does_not_parse_still_has_its_directives() {
    let text = "fn f( {\n    a(); // ctxlint: allow(a)\n    // ctxlint: allow(b)\n    c();\n";
    assert!(parse(text).is_err());
    let all = told(text, &directives_only(text));
    assert_eq!(all[0].2, "    a(); // ctxlint: allow(a)");
    assert_eq!(all[1].2, "    c();");
}

/// Where no directive can be, documentation is not given to syn; that makes no difference to the facts.
#[test]
fn documentation_makes_no_difference() {
    let code = "//! Über alles.\n\n/// Eins – \u{1f980}.\n// plain\n/// Zwei.\n#[derive(Debug)]\n/// Drei.\npub struct S {\n    \
                /// Feld.\n    pub a: u8,\n}\n\n/** Block\n over lines */\nfn größe(\n    /// Param.\n    x: S,\n) -> u8 {\n    \
                //! Inner.\n    match x.a {\n        /// Arm.\n        0 => x.läuft(),\n        _ => 1,\n    }\n}\n";
    let without = parse(code).expect("valid code");
    // This word may be part of a directive, so documentation stays.
    let with = parse(&format!("{code}// not a word of ctxlint here")).expect("valid code");
    assert_eq!(without, with);
    assert_eq!(facts_check::violations(&without, code), Vec::<String>::new());
    let documented = without.items.iter().map(|item| slice(code, item.span).split('\n').next().unwrap_or(""));
    assert_eq!(documented.collect::<Vec<_>>(), ["/// Eins – \u{1f980}.", "/** Block"]);
}

#[test]
fn documentation_of_nothing_is_an_error() {
    for text in [
        "fn f() {}\n/// Nothing.\n",
        "struct S {\n    a: u8,\n    /// Nothing.\n}\n",
        "mod m {\n    /** Nothing */\n}\n",
    ] {
        assert!(parse(text).is_err(), "{text:?}");
    }
}
