//! Which files are parsed, and which bodies in them are left out.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use walkdir::WalkDir;

use crate::facts::{Body, FileFacts, Span};
use crate::facts_check;
use crate::model::Models;
use crate::parse;
use crate::select::{File, Library, Package, select};

/// The functions whose bodies are left out, file by file, with `!` behind those of which nothing is left; `-` for a
/// file that is not parsed.
fn quiet(libraries: &[&str], texts: &[&str]) -> Vec<String> {
    let files: Vec<(usize, &str)> = texts.iter().map(|text| (0, *text)).collect();
    quiet_in(&[package(libraries, &[])], &files, true)
}

fn package(libraries: &[&str], dependencies: &[usize]) -> Package {
    let library = |name: &&str| Library { name: (*name).to_owned(), known_as: (*name).to_owned(), is_ours: false };
    Package { libraries: libraries.iter().map(library).collect(), dependencies: dependencies.to_vec() }
}

/// A function that nobody names goes with all that belongs to it, and what is left is Rust.
#[test]
fn whole_functions_are_left_out_cleanly() {
    let text = "#![allow(dead_code)]
        /// Documented.
        #[inline] /* so */ pub(crate) const unsafe extern \"C\" fn documented() -> [u8; 2] { [1, 2] }
        #[cfg(test)] #[path = \"{.rs\"] mod elsewhere;
        // A comment.
        fn commented<T: Into<String>>(t: T) where T: Clone { fn nested() {} } struct Behind;
        impl Behind {
            #![allow(unused)]
            /// First.
            pub async fn first(&self) { work() }
            const N: u8 = { fn hidden() {} 1 };
            pub fn named(&self) {}
            default fn last(self: Box<Self>) { \"}\"; }
        }
        impl Drop for Behind { fn drop(&mut self) {} }
        trait Asked { fn asked(&self) { } fn wanted(); }
        thread_local! { static HERE: u8 = 1; }
        cfg_if! { if #[cfg(unix)] { fn in_macro() {} } }
        extern \"C\" { fn foreign(); }
        extern \"C\" fn called_back() {}
        struct Sized<const N: usize = { 2 }> { n: [u8; N] }
        impl Sized<{ 1 + 1 }> { fn braced(&self) -> Sized<{ 2 }> { work() } }
        fn more<const N: usize, F: Fn(u8) -> u8>(of: Sized<{ 2 }>) where F: Into<Sized<{ 3 }>> { work() }
        mod inner { //! Inside.
            fn deep() { } }
        use self::inner::renamed as other; fn renamed() {}
        fn ends(token: &CancellationToken) { token.cancel(); b.named(); }
        #[tokio::test]
        async fn tested() { assert!(true) }";
    let told = quiet(&["tokio_util"], &[text]);
    assert_eq!(
        told,
        ["documented! commented! first! named last! drop asked called_back! braced! more! deep! renamed tested!"]
    );
    let models = Models::builtin().unwrap();
    let outline = OnceLock::new();
    let file = File { text, package: Some(0), outline: &outline };
    let choices = select(&models, &[package(&["tokio_util"], &[])], &[file], true);
    let facts = parse::parse_but(text, &choices[0].quiet).unwrap();
    assert_eq!(facts.quiet, choices[0].quiet, "nothing was parsed twice");
    let has = |name: &str| facts.items.iter().any(|item| item.name == name);
    assert!(["named", "drop", "asked", "renamed", "ends", "Behind", "elsewhere", "N"].into_iter().all(has));
    assert!(
        !["documented", "commented", "first", "last", "deep", "tested", "called_back", "braced", "more"]
            .into_iter()
            .any(has)
    );
}

/// What of a file is left is read as it is where nothing is left out, at the same places.
#[test]
fn places_are_those_of_the_whole_file() {
    let told = |facts: &FileFacts| -> (BTreeSet<String>, BTreeSet<String>) {
        let items = facts.items.iter().map(|item| format!("{} {:?} {:?}", item.name, item.name_span, item.span));
        let body = |body: &Body| {
            let ops = body.blocks.iter().map(|block| block.ops.iter().map(|op| op.span).collect::<Vec<_>>());
            let locals: Vec<Span> = body.locals.iter().map(|local| local.span).collect();
            format!("{:?} {:?} {:?} {locals:?} {:?}", body.span, body.block, body.loops, ops.collect::<Vec<_>>())
        };
        (items.collect(), facts.bodies.iter().map(body).collect())
    };
    let models = Models::builtin().unwrap();
    let package = [package(&["tokio_util", "context", "tokio"], &[])];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let entries = WalkDir::new(root).into_iter().filter_entry(|entry| entry.file_name() != "target");
    let mut shortened = 0;
    for entry in entries.filter_map(Result::ok).filter(|entry| entry.path().extension().is_some_and(|end| end == "rs"))
    {
        let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
        let Ok(whole) = parse::parse(&text) else { continue };
        let outline = OnceLock::new();
        let file = File { text: &text, package: Some(0), outline: &outline };
        let quiet = &select(&models, &package, &[file], false)[0].quiet;
        let rest = parse::parse_but(&text, quiet).unwrap();
        assert_eq!(rest.quiet, *quiet, "{}: parsed twice", entry.path().display());
        assert_eq!(facts_check::violations(&rest, &text), [""; 0]);
        let ((items, bodies), (rest_items, rest_bodies)) = (told(&whole), told(&rest));
        assert_eq!(rest_items.difference(&items).next(), None, "{}", entry.path().display());
        assert_eq!(rest_bodies.difference(&bodies).next(), None, "{}", entry.path().display());
        shortened += usize::from(rest_items.len() < items.len() && rest_bodies.len() < bodies.len());
    }
    assert!(shortened > 100, "only {shortened} files");
}

/// The same of files with their packages.
fn quiet_in(packages: &[Package], texts: &[(usize, &str)], all_tasks: bool) -> Vec<String> {
    let models = Models::builtin().unwrap();
    let outlines = vec![OnceLock::new(); texts.len()];
    let file = |((package, text), outline)| File { text, package: Some(package), outline };
    let files: Vec<File<'_>> = texts.iter().copied().zip(&outlines).map(file).collect();
    let choices = select(&models, packages, &files, all_tasks);
    let name = |text: &str, span: &Span| {
        let is_whole = !text[span.end as usize..].starts_with('}');
        let head = match is_whole {
            true => text[span.start as usize..].split("fn ").nth(1).unwrap(),
            false => text[..span.start as usize].rsplit("fn ").next().unwrap(),
        };
        let name = head.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
        if is_whole { format!("{name}!") } else { name.to_owned() }
    };
    let told = texts.iter().zip(choices).map(|((_, text), choice)| match choice.matters {
        true => choice.quiet.iter().map(|span| name(text, span)).collect::<Vec<_>>().join(" "),
        false => "-".to_owned(),
    });
    told.collect()
}

#[test]
fn bodies_without_a_context_in_hand_are_left_out() {
    let text = "
        use context::Context;
        struct Service { ctx: Context }
        struct Plain { port: u16 }
        fn takes(ctx: &Context) { work() }
        fn names() { let (ctx, handle) = Context::background().with_cancel(); }
        fn none() { work() }
        impl Service { fn has(&self) { self.run() } }
        impl Plain { fn port(&self) -> u16 { self.port } }
        fn makes() -> Service { todo_later() }
        fn calls() { makes().run() }
        fn given(f: impl Fn(u8)) { f(1) }
        fn given_elsewhere(f: impl Fn(u8)) { f(2) }
        fn gives(ctx: &Context) { given(|n| log(n)) }
        fn ends() { std::process::exit(1) }
        mod inner { fn also_none() { } }
    ";
    assert_eq!(quiet(&["context"], &[text]), ["none! port! given_elsewhere! ends! also_none!"]);
    assert_eq!(quiet(&["tokio"], &[text]), ["-"], "no library in view has such a type");
}

#[test]
fn what_ends_or_hands_work_to_a_task_is_looked_at_wherever_it_is_named() {
    let user =
        "fn f(t: &CancellationToken, app: &App) { app.given(|| 1); app.start(t.cancelled()); free(); app.end() }";
    let ends = "impl App { fn end(&self) { std::process::exit(1) } fn unnamed(&self) { std::process::exit(2) } }";
    let starts = "impl App { fn start(&self, f: impl Future) { tokio::spawn(f); } fn idle(&self) { }
        fn starts(&self, f: impl Future) { tokio::spawn(f); } }";
    let given = "impl App { fn given(&self, f: impl Fn()) { f() } }";
    let free = "use std::process; fn free() { process::abort() } fn other() { process::abort() }";
    let packages = [package(&["tokio_util", "tokio"], &[])];
    let told = quiet_in(&packages, &[user, ends, starts, given, free].map(|text| (0, text)), false);
    assert_eq!(told, ["", "unnamed!", "idle! starts!", "-", "other!"], "any other method may be anybody's");
}

#[test]
fn a_guard_of_no_context_is_looked_at_where_it_is_not_kept() {
    let text = "
        use tracing::Span;
        fn kept(span: &Span) { let _guard = span.enter(); work() }
        fn kept_with_type(span: Span) { let mut guard: Guard = span.or(a, b).entered(); { work(); } }
        fn kept_twice(span: &Span) { let a = span.enter(); let b = other.span().enter(); }
        fn nothing(span: &Span) { let _ = span.enter(); work() }
        fn statement(span: &Span) { span.enter(); work() }
        fn twice(span: &Span) { let _guard = span.enter(); span.enter(); }
        fn dropped(span: &Span) { let done = drop(span.enter()); }
        fn gives(span: &Span) { span.enter() }
        fn later(span: &Span) { let a = 1; a.b = span.enter(); }
        fn part(span: &Span) { let (_, b) = (span.enter(), 1); }
        fn inner(span: &Span) { let a = { span.enter(); 1 }; }
        fn of_it(span: &Span) { let a = span.enter().span(); }
        fn value(span: Option<Span>) { let a = span.map(Span::entered); }
        macro_rules! in_span { ($span:expr) => { $span.enter() } }
        fn by_macro(span: &Span) { in_span!(span) }
    ";
    assert_eq!(quiet(&["tracing"], &[text]), ["kept! kept_with_type! kept_twice!"]);
}

#[test]
fn a_name_of_the_standard_library_is_none_of_ours() {
    let context = "use context::Context; pub fn f(ctx: &Context) {}";
    let poll = "use std::task::Context; fn poll(cx: &mut Context<'_>) { cx.waker(); }";
    let whole = "fn poll(cx: &mut std::task::Context<'_>) { cx.waker(); }";
    let anyhow = "use anyhow::Context; fn read() -> Box<dyn Context<u8>> { open() }";
    assert_eq!(quiet(&["context", "anyhow"], &[context, poll, whole, anyhow]), ["", "-", "-", "-"]);
}

#[test]
fn words_spread_through_types_aliases_statics_and_macros() {
    let text = "
        type Ctx = context::Context;
        static ROOT: LazyLock<Ctx> = LazyLock::new(Ctx::background);
        macro_rules! root { () => { ROOT.clone() }; }
        thread_local! { static CURRENT: RefCell<Ctx> = make(); }
        fn by_static() { ROOT.clone().wait() }
        fn by_macro() { root!().wait() }
        fn by_thread() { CURRENT.with(|ctx| ctx.wait()) }
        fn none() { root.wait() }
    ";
    assert_eq!(quiet(&["context"], &[text]), ["none!"]);
}

#[test]
fn who_calls_what_makes_a_root_is_looked_at() {
    let text = "
        async fn load(id: u64) { query(context::Context::background(), id) }
        async fn by_handler(id: u64) { load(id).await }
        async fn by_job(id: u64) { by_handler(id).await }
        async fn other(id: u64) { loaded(id).await }
    ";
    assert_eq!(quiet(&["context"], &[text]), ["other!"]);
}

#[test]
fn a_token_is_followed_through_fields_but_not_through_services() {
    let service = "
        use tokio_util::sync::CancellationToken;
        pub struct Service { shutdown: CancellationToken, port: u16 }
        pub struct Stop(CancellationToken);
        impl Service {
            fn port(&self) -> u16 { self.port }
            fn stop(&self) { self.shutdown.cancel() }
        }
    ";
    let user = "
        fn serve(service: &Service) { listen(service.port()) }
        fn end(service: &Service) { service.shutdown.cancel() }
        fn stop(stop: Stop) { stop.now() }
    ";
    assert_eq!(quiet(&["tokio_util"], &[service, user]), ["port!", "serve"]);
}

#[test]
fn what_is_called_beside_a_token_is_looked_at() {
    let text = "
        use tokio_util::sync::CancellationToken;
        struct Root { token: CancellationToken, port: u16 }
        struct Service { root: Root }
        impl Service {
            fn root(&self) -> &Root { &self.root }
            fn inner(&self) -> &Self { self }
            fn port(&self) -> u16 { self.root.port }
            fn token(&self) -> &CancellationToken { &self.root().token }
        }
        impl Clone for Service { fn clone(&self) -> Self { twice(&self.token()) } }
        impl Root { fn run(&mut self) { self.step() } fn step(&mut self) { self.token.cancel() } fn idle(&self) { } }
        fn runs(service: &mut Service) { if !service.token().is_cancelled() { service.root.run() } }
        fn copies(text: &str) { text.clone() }
        fn fails() { panic!() }
        fn retries() { loop { again() } }
        fn stops(service: &Service) { if service.token().is_cancelled() { fails() } }
    ";
    assert_eq!(quiet(&["tokio_util"], &[text]), ["inner! port! idle! copies! retries!"]);
}

#[test]
fn what_is_given_a_token_only_to_look_at_is_looked_at_if_it_is_called() {
    let text = "
        use tokio_util::sync::CancellationToken;
        struct Root { token: CancellationToken, port: u16 }
        struct With<T> { root: Root, more: T }
        impl<T> With<T> { fn whole(&self) { self.more.run() } }
        fn looks(root: &Root, map: HashMap<u8, u8>) -> u16 { info!(\"{}\", root.port); root.port }
        fn partly(with: &With<Job>) { with.more.run() }
        fn shows(root: &Root) { show!(root) }
        fn sends(root: &Root, to: &Sender<u16>) { to.send(root.port) }
        fn changes(root: &mut Root) { root.port += 1 }
        fn keeps(root: Option<&Root>) -> u16 { 0 }
        fn uncalled(root: &Root) -> u16 { root.port }
        fn calls(token: CancellationToken) { whole(looks(), partly(), shows(), sends(), changes(), keeps(), x.whole()) }
    ";
    assert_eq!(quiet(&["tokio_util"], &[text]), ["uncalled!"]);
}

#[test]
fn what_a_package_names_is_its_own_or_of_its_dependencies() {
    let packages = [
        package(&["tokio_util"], &[1, 0]),
        package(&["tokio_util"], &[2]),
        package(&["tokio_util"], &[1]),
        package(&["tokio_util"], &[]),
    ];
    let caller = "fn stops(token: &CancellationToken) { token.cancel(); helper(|| token.cancel()); token.run() }";
    let helper = "fn helper(f: impl Fn()) { f() } struct Other(CancellationToken); fn quiet() { idle() }
        impl Run for Other { fn run(&self) { loop { again() } } }";
    let told = quiet_in(&packages, &[(0, caller), (0, helper), (1, helper), (2, helper), (3, helper)], true);
    assert_eq!(
        told,
        ["", "quiet!", "quiet!", "quiet!", "helper quiet!"],
        "what implements a trait may be called anywhere"
    );
}

#[test]
fn work_without_a_context_is_looked_at_for_who_asks() {
    let text = "fn stops(token: &CancellationToken) { token.cancel() } fn starts() { tokio::spawn(async { loop { again() } }) }";
    let packages = [package(&["tokio_util", "tokio"], &[])];
    assert_eq!(quiet_in(&packages, &[(0, text)], true), [""]);
    assert_eq!(quiet_in(&packages, &[(0, text)], false), ["starts!"]);
}

#[test]
fn only_a_library_that_the_package_depends_on_is_in_view() {
    let text = "mod context { pub struct Context; } fn takes(ctx: &context::Context) { ctx.background() }";
    assert_eq!(quiet(&["tokio_util"], &[text]), ["-"]);
    let telemetry = "fn f(span: &Span) { let _ = span.context().attach(); }";
    assert_eq!(quiet(&["tracing_opentelemetry"], &[telemetry]), [""], "a model may speak of several libraries");
}

#[test]
fn what_is_left_out_is_not_looked_at() {
    let text = "fn a() { x() }\nfn b() { let é = \"}\"; y(é) } fn c() {}\n";
    let body = |from: &str, to: &str| Span::new(text.find(from).unwrap() as u32 + 1, text.find(to).unwrap() as u32);
    let quiet = [body("{ let", "} fn c")];
    let facts = parse::parse_but(text, &quiet).unwrap();
    assert_eq!(facts.quiet, quiet);
    assert_eq!(facts.bodies.len(), 2);
    let whole = parse::parse(text).unwrap();
    assert_eq!(facts.items[2].span, whole.items[2].span, "the rest is where it was");
}

#[test]
fn a_file_that_is_no_rust_without_its_bodies_is_read_whole() {
    let text = "const N: usize = 1; fn a() -> [u8; { N }] { [0; 1] }";
    let wrong = [Span::new(0, 5)];
    let facts = parse::parse_but(text, &wrong).unwrap();
    assert_eq!(facts, parse::parse(text).unwrap());
}
