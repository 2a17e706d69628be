//! Code of one shape and any size: what an analysis must not take more than its share of time for.
//!
//! Each shape repeats one thing as often as asked, so that twice the number is twice the text. What
//! the work is of a shape tells whether something in the analysis grows faster than the code.

use std::fmt::Write as _;

/// One shape.
#[derive(Clone, Copy)]
pub struct Shape {
    /// What is repeated.
    pub name: &'static str,
    /// As often as the shape is measured at its smallest.
    pub least: usize,
    /// The code with so many of it.
    pub text: fn(usize) -> String,
}

/// All shapes.
pub const SHAPES: &[Shape] = &[
    shape("functions", 100, functions),
    shape("statements", 100, statements),
    shape("branches under one handle", 50, branches),
    shape("live handles", 50, live_handles),
    shape("live handles, each with a branch", 20, handles_and_branches),
    shape("branches, then handles", 20, branches_then_handles),
    shape("arms of a match", 50, arms),
    shape("arms that make a handle", 20, arms_that_make),
    shape("arms that store a handle", 20, arms_that_store),
    shape("arms of a select", 20, select_arms),
    shape("question marks", 50, question_marks),
    shape("question marks, each under a handle", 20, questioned_handles),
    shape("loops, one after another", 20, loops),
    shape("loops, one in another", 8, nested_loops),
    shape("branches, one in another", 8, nested_branches),
    shape("closures", 50, closures),
    shape("closures, one in another", 8, nested_closures),
    shape("async blocks, one in another", 8, nested_blocks),
    shape("spawned tasks", 50, tasks),
    shape("wrappers, one around another", 50, wrappers),
    shape("wrappers from the outermost in", 50, wrappers_backwards),
    shape("functions in a circle", 50, circle),
    shape("functions that all call each other", 64, mesh),
    shape("functions that call the next two", 50, fibonacci),
    shape("async wrappers", 50, async_wrappers),
    shape("roots deep down", 50, deep_roots),
    shape("handlers of helpers", 50, handlers),
    shape("fields of a struct", 50, fields),
    shape("structs, one in another", 50, nested_structs),
    shape("types, one in another", 8, nested_types),
    shape("generic structs, one in another", 8, generic_structs),
    shape("methods in a chain", 50, chain),
    shape("derivations in a chain", 50, derivations),
    shape("derivations, each with its branch", 20, derived_in_branches),
    shape("futures in a join", 20, joined),
    shape("handles in a vector", 20, in_a_vector),
    shape("parameters", 20, parameters),
    shape("operands", 50, operands),
    shape("tuples, one in another", 8, nested_tuples),
    shape("captures", 20, captures),
    shape("impls of one trait", 50, impls),
    shape("impls of one trait, each called", 50, impls_called),
    shape("modules", 50, modules),
    shape("modules, one in another", 8, nested_modules),
    shape("modules that take all from the next", 20, glob_chain),
    shape("modules that take all from each other", 64, glob_mesh),
    shape("names taken one by one", 50, imports),
    shape("aliases of aliases", 20, aliases),
    shape("statics", 50, statics),
    shape("rules of macros", 50, macros),
    shape("comments with directives", 50, directives),
    shape("findings", 50, findings),
];

const fn shape(name: &'static str, least: usize, text: fn(usize) -> String) -> Shape {
    Shape { name, least, text }
}

const HEAD: &str = "use context::{CancelHandle, Context};\nuse std::time::Duration;\nfn work(_ctx: &Context) -> Option<u32> { None }\nfn ready() -> bool { true }\n";

/// The head, `before`, as many of `each`, `after`.
fn repeat(count: usize, before: &str, after: &str, each: impl Fn(usize) -> String) -> String {
    let mut text = format!("{HEAD}{before}\n");
    for index in 0..count {
        let _ = writeln!(text, "{}", each(index));
    }
    text.push_str(after);
    text.push('\n');
    text
}

/// The head, and one thing with another of its kind in it, as deep as asked.
fn nest(depth: usize, open: impl Fn(usize) -> String, middle: &str, close: &str) -> String {
    let mut text = String::new();
    for index in 0..depth {
        let _ = writeln!(text, "{}", open(index));
    }
    text.push_str(middle);
    text.push('\n');
    for _ in 0..depth {
        text.push_str(close);
        text.push('\n');
    }
    text
}

fn functions(count: usize) -> String {
    repeat(count, "", "", |i| {
        format!(
            "fn f{i}(ctx: &Context) -> Option<u32> {{\n    let (ctx, cancel) = ctx.with_cancel();\n    let n = work(&ctx);\n    cancel.cancel();\n    n\n}}"
        )
    })
}

fn statements(count: usize) -> String {
    repeat(count, "fn f(ctx: &Context) {", "}", |_| "    work(ctx);".to_owned())
}

fn branches(count: usize) -> String {
    let before = "fn f(ctx: &Context, on: &[bool]) {\n    let (ctx, cancel) = ctx.with_cancel();";
    repeat(count, before, "    cancel.cancel();\n}", |i| format!("    if on[{i}] {{ work(&ctx); }}"))
}

fn live_handles(count: usize) -> String {
    let mut text = repeat(count, "fn f(ctx: &Context) {", "", |i| {
        format!("    let (ctx{i}, cancel{i}) = ctx.with_cancel();\n    work(&ctx{i});")
    });
    (0..count).for_each(|i| text.push_str(&format!("    cancel{i}.cancel();\n")));
    text + "}\n"
}

fn handles_and_branches(count: usize) -> String {
    repeat(count, "fn f(ctx: &Context, on: &[bool]) {", "}", |i| {
        format!(
            "    let (ctx{i}, cancel{i}) = ctx.with_cancel();\n    work(&ctx{i});\n    if on[{i}] {{ cancel{i}.cancel(); }}"
        )
    })
}

fn branches_then_handles(count: usize) -> String {
    let mut text = repeat(count, "fn f(ctx: &Context, on: &[bool]) {", "", |i| {
        format!("    let (ctx{i}, cancel{i}) = ctx.with_cancel();\n    work(&ctx{i});")
    });
    (0..count).for_each(|i| text.push_str(&format!("    if on[{i}] {{ cancel{i}.cancel(); }}\n")));
    text + "}\n"
}

fn arms(count: usize) -> String {
    let before = "fn f(ctx: &Context, n: u32) -> Option<u32> {\n    let (ctx, cancel) = ctx.with_cancel();\n    let n = match n {";
    repeat(count, before, "        _ => None,\n    };\n    cancel.cancel();\n    n\n}", |i| {
        format!("        {i} => work(&ctx),")
    })
}

fn arms_that_make(count: usize) -> String {
    let before = "fn f(ctx: &Context, n: u32) -> Option<u32> {\n    let (ctx, cancel) = match n {";
    let after = "        _ => ctx.with_cancel(),\n    };\n    let n = work(&ctx);\n    cancel.cancel();\n    n\n}";
    repeat(count, before, after, |i| format!("        {i} => ctx.with_timeout(Duration::from_secs({i})),"))
}

fn arms_that_store(count: usize) -> String {
    let before = "struct Slots { cancel: Option<CancelHandle> }\nfn f(ctx: &Context, slots: &mut Slots, n: u32) {\n    match n {";
    repeat(count, before, "        _ => {}\n    }\n}", |i| {
        format!(
            "        {i} => {{\n            let (ctx, cancel) = ctx.with_cancel();\n            slots.cancel = Some(cancel);\n            work(&ctx);\n        }}"
        )
    })
}

fn select_arms(count: usize) -> String {
    let before = "async fn wait(_n: u32) -> u32 { 1 }\nasync fn f(ctx: &Context) {\n    let (ctx, cancel) = ctx.with_cancel();\n    tokio::select! {\n        _ = ctx.done() => {}";
    repeat(count, before, "    }\n    cancel.cancel();\n}", |i| {
        format!("        n = wait({i}) => {{ let _ = n; work(&ctx); }}")
    })
}

fn question_marks(count: usize) -> String {
    let before =
        "fn f(ctx: &Context) -> Option<u32> {\n    let (ctx, cancel) = ctx.with_cancel();\n    let mut sum = 0;";
    repeat(count, before, "    cancel.cancel();\n    Some(sum)\n}", |_| "    sum += work(&ctx)?;".to_owned())
}

fn questioned_handles(count: usize) -> String {
    repeat(count, "fn f(ctx: &Context) -> Option<u32> {", "    Some(1)\n}", |i| {
        format!("    let (ctx{i}, _cancel{i}) = ctx.with_cancel();\n    work(&ctx{i})?;")
    })
}

fn loops(count: usize) -> String {
    repeat(count, "fn f(ctx: &Context) {", "}", |i| {
        format!(
            "    while ready() {{\n        let (ctx{i}, cancel{i}) = ctx.with_cancel();\n        if work(&ctx{i}).is_none() {{ break; }}\n        cancel{i}.cancel();\n    }}"
        )
    })
}

fn nested_loops(depth: usize) -> String {
    let open = |i: usize| format!("while ready() {{ let (ctx, cancel{i}) = ctx.with_cancel();");
    let body = nest(depth, open, "work(&ctx);", "}");
    format!("{HEAD}fn f(ctx: &Context) {{\n{body}}}\n")
}

fn nested_branches(depth: usize) -> String {
    let open = |i: usize| format!("if on[{i}] {{ let (ctx, cancel{i}) = ctx.with_cancel();");
    let body = nest(depth, open, "work(&ctx);", "}");
    format!("{HEAD}fn f(ctx: &Context, on: &[bool]) {{\n{body}}}\n")
}

fn closures(count: usize) -> String {
    repeat(count, "fn f(ctx: &Context) {", "}", |i| {
        format!(
            "    let (ctx{i}, cancel{i}) = ctx.with_cancel();\n    let stop{i} = || cancel{i}.cancel();\n    work(&ctx{i});\n    stop{i}();"
        )
    })
}

fn nested_closures(depth: usize) -> String {
    let open = |i: usize| format!("let call{i} = || {{ let (ctx, _cancel{i}) = ctx.with_cancel(); work(&ctx);");
    let mut text = String::new();
    for i in 0..depth {
        let _ = writeln!(text, "{}", open(i));
    }
    for i in (0..depth).rev() {
        let _ = writeln!(text, "}}; call{i}();");
    }
    format!("{HEAD}fn f(ctx: &Context) {{\n{text}}}\n")
}

fn nested_blocks(depth: usize) -> String {
    let body = nest(depth, |_| "async { work(ctx);".to_owned(), "work(ctx);", "}.await;");
    format!("{HEAD}async fn f(ctx: &Context) {{\n{body}}}\n")
}

fn tasks(count: usize) -> String {
    repeat(count, "async fn f(ctx: &Context) {", "}", |i| {
        format!(
            "    let child{i} = ctx.clone();\n    let task{i} = tokio::spawn(async move {{ work(&child{i}); }});\n    let _ = task{i}.await;"
        )
    })
}

fn wrappers(count: usize) -> String {
    let before = "fn f0(ctx: &Context) -> (Context, CancelHandle) { ctx.with_cancel() }";
    let after = format!("fn user(ctx: &Context) {{ let (ctx, cancel) = f{count}(ctx); work(&ctx); }}");
    repeat(count, before, &after, |i| {
        format!("fn f{}(ctx: &Context) -> (Context, CancelHandle) {{ f{i}(ctx) }}", i + 1)
    })
}

fn wrappers_backwards(count: usize) -> String {
    let before = "fn user(ctx: &Context) { let (ctx, cancel) = f0(ctx); work(&ctx); }";
    let after = format!("fn f{count}(ctx: &Context) -> (Context, CancelHandle) {{ ctx.with_cancel() }}");
    repeat(count, before, &after, |i| {
        format!("fn f{i}(ctx: &Context) -> (Context, CancelHandle) {{ f{}(ctx) }}", i + 1)
    })
}

fn circle(count: usize) -> String {
    repeat(count, "", "", |i| {
        let next = (i + 1) % count;
        format!(
            "fn f{i}(ctx: &Context, n: u32) -> (Context, CancelHandle) {{\n    if n == {i} {{ return ctx.with_cancel(); }}\n    f{next}(ctx, n)\n}}"
        )
    })
}

/// The text grows with the square of the functions: the number is that of the calls.
fn mesh(calls: usize) -> String {
    let count = (1..).find(|count| count * count >= calls).unwrap_or(calls);
    repeat(count, "", "", |i| {
        let mut text = format!("fn f{i}(ctx: &Context, n: u32) -> (Context, CancelHandle) {{\n");
        (0..calls / count).for_each(|j| text.push_str(&format!("    if n == {j} {{ return f{j}(ctx, n - 1); }}\n")));
        text + "    ctx.with_cancel()\n}"
    })
}

fn fibonacci(count: usize) -> String {
    let after = format!(
        "fn f{count}(ctx: &Context) -> Option<u32> {{ work(ctx) }}\nfn f{}(ctx: &Context) -> Option<u32> {{ work(ctx) }}",
        count + 1
    );
    repeat(count, "", &after, |i| {
        format!(
            "fn f{i}(ctx: &Context) -> Option<u32> {{ let a = f{}(ctx)?; let b = f{}(ctx)?; Some(a + b) }}",
            i + 1,
            i + 2
        )
    })
}

fn async_wrappers(count: usize) -> String {
    let before = "async fn f0(ctx: &Context) { ctx.done().await; }";
    repeat(count, before, "", |i| format!("async fn f{}(ctx: &Context) {{ f{i}(ctx).await; }}", i + 1))
}

fn deep_roots(count: usize) -> String {
    let before = "fn f0() { work(&Context::background()); }";
    let after = format!("fn user(ctx: &Context) {{ work(ctx); f{count}(); }}");
    repeat(count, before, &after, |i| format!("fn f{}() {{ f{i}(); }}", i + 1))
}

fn handlers(count: usize) -> String {
    let before = "use axum::Extension;\nasync fn handler(Extension(ctx): Extension<Context>) { f0(&ctx).await; }\nfn app() -> axum::Router { axum::Router::new().route(\"/\", axum::routing::get(handler)) }";
    let after = format!(
        "async fn f{count}(ctx: &Context) {{ let ctx = ctx.clone(); tokio::spawn(async move {{ work(&ctx); }}); }}"
    );
    repeat(count, before, &after, |i| format!("async fn f{i}(ctx: &Context) {{ f{}(ctx).await; }}", i + 1))
}

fn fields(count: usize) -> String {
    let mut text = repeat(count, "struct Many {", "}\nimpl Many {\nfn make(ctx: &Context) -> Many {", |i| {
        format!("    ctx{i}: Context, cancel{i}: CancelHandle,")
    });
    (0..count).for_each(|i| text.push_str(&format!("    let (ctx{i}, cancel{i}) = ctx.with_cancel();\n")));
    text.push_str("    Many {\n");
    (0..count).for_each(|i| text.push_str(&format!("    ctx{i}, cancel{i},\n")));
    text.push_str("    }\n}\nfn stop(&self) {\n");
    (0..count).for_each(|i| text.push_str(&format!("    work(&self.ctx{i}); self.cancel{i}.cancel();\n")));
    text + "}\n}\n"
}

fn nested_structs(count: usize) -> String {
    let before = "struct S0 { ctx: Context, cancel: CancelHandle }";
    let after = format!("fn f(s: &S{count}) {{ work(&s{}.ctx); }}", ".inner".repeat(count));
    repeat(count, before, &after, |i| format!("struct S{} {{ inner: S{i}, cancel: CancelHandle }}", i + 1))
}

fn nested_types(depth: usize) -> String {
    let ty = format!("{}Context{}", "Option<".repeat(depth), ">".repeat(depth));
    format!("{HEAD}fn f(ctx: {ty}) -> {ty} {{ let copy: {ty} = ctx; copy }}\nfn g(ctx: {ty}) {{ f(ctx); }}\n")
}

fn generic_structs(depth: usize) -> String {
    let before = "struct S0<T> { inner: T }\nimpl<T> S0<T> { fn get(&self) -> &T { &self.inner } }";
    let after = format!("fn f(s: S{depth}<Context>) {{ work(s{}); }}", ".get()".repeat(depth + 1));
    repeat(depth, before, &after, |i| {
        let n = i + 1;
        format!(
            "struct S{n}<T> {{ inner: S{i}<T> }}\nimpl<T> S{n}<T> {{ fn get(&self) -> &S{i}<T> {{ &self.inner }} }}"
        )
    })
}

fn chain(count: usize) -> String {
    let before = "struct Builder { ctx: Context }\nimpl Builder { fn with(self, _n: u32) -> Builder { self } fn end(self) {} }\nfn f(ctx: &Context) {\n    Builder { ctx: ctx.clone() }";
    repeat(count, before, "        .end();\n}", |i| format!("        .with({i})"))
}

fn derivations(count: usize) -> String {
    repeat(count, "fn f(ctx: &Context) {", "    work(&ctx);\n}", |i| {
        format!("    let (ctx, cancel{i}) = ctx.with_cancel();")
    })
}

fn derived_in_branches(count: usize) -> String {
    repeat(count, "fn f(ctx: Context, on: &[bool]) {", "    work(&ctx);\n}", |i| {
        format!("    let ctx = if on[{i}] {{ ctx.with_value({i}u32) }} else {{ ctx }};")
    })
}

fn joined(count: usize) -> String {
    let before = "async fn wait(ctx: &Context) { ctx.done().await; }\nasync fn f(ctx: &Context) {\n    let (ctx, cancel) = ctx.with_cancel();\n    tokio::join!(";
    repeat(count, before, "    );\n    cancel.cancel();\n}", |_| "        wait(&ctx),".to_owned())
}

fn in_a_vector(count: usize) -> String {
    let before = "fn f(ctx: &Context) {\n    let mut all = Vec::new();";
    let after = "    for cancel in all { cancel.cancel(); }\n}";
    repeat(count, before, after, |i| {
        format!("    let (ctx{i}, cancel{i}) = ctx.with_cancel();\n    work(&ctx{i});\n    all.push(cancel{i});")
    })
}

fn parameters(count: usize) -> String {
    let mut text = repeat(count, "fn f(", ") {", |i| format!("    ctx{i}: &Context, cancel{i}: CancelHandle,"));
    (0..count).for_each(|i| text.push_str(&format!("    work(ctx{i}); cancel{i}.cancel();\n")));
    text.push_str("}\nfn g(ctx: &Context) {\n");
    (0..count).for_each(|i| text.push_str(&format!("    let (ctx{i}, cancel{i}) = ctx.with_cancel();\n")));
    text.push_str("    f(");
    (0..count).for_each(|i| text.push_str(&format!("&ctx{i}, cancel{i}, ")));
    text + ");\n}\n"
}

fn operands(count: usize) -> String {
    repeat(count, "fn f(ctx: &Context) -> u32 {\n    1", "}", |_| "        + work(ctx).unwrap_or(1)".to_owned())
}

fn nested_tuples(depth: usize) -> String {
    let value = format!("{}ctx.with_cancel(){}", "(".repeat(depth), ", 1)".repeat(depth));
    let pattern = format!("{}(ctx, cancel){}", "(".repeat(depth), ", _)".repeat(depth));
    format!("{HEAD}fn f(ctx: &Context) {{\n    let {pattern} = {value};\n    work(&ctx);\n    cancel.cancel();\n}}\n")
}

fn captures(count: usize) -> String {
    let mut text = repeat(count, "fn f(ctx: &Context) {", "    let stop = move || {", |i| {
        format!("    let (ctx{i}, cancel{i}) = ctx.with_cancel();")
    });
    (0..count).for_each(|i| text.push_str(&format!("        work(&ctx{i}); cancel{i}.cancel();\n")));
    text + "    };\n    stop();\n}\n"
}

fn impls(count: usize) -> String {
    let before = "trait Service { fn call(&self, ctx: &Context) -> Option<u32>; }";
    repeat(count, before, "", |i| {
        format!(
            "struct S{i};\nimpl Service for S{i} {{ fn call(&self, ctx: &Context) -> Option<u32> {{ work(ctx) }} }}"
        )
    })
}

fn impls_called(count: usize) -> String {
    let mut text = impls(count);
    text.push_str("fn all(ctx: &Context) {\n");
    (0..count).for_each(|i| text.push_str(&format!("    S{i}.call(ctx);\n")));
    text.push_str("}\nfn any(ctx: &Context, service: &dyn Service) {\n");
    (0..count).for_each(|_| text.push_str("    service.call(ctx);\n"));
    text + "}\n"
}

fn modules(count: usize) -> String {
    repeat(count, "", "", |i| {
        format!(
            "mod m{i} {{\n    use super::*;\n    pub fn f(ctx: &Context) {{ let (ctx, cancel) = ctx.with_cancel(); work(&ctx); cancel.cancel(); }}\n}}"
        )
    })
}

fn nested_modules(depth: usize) -> String {
    let open = |i: usize| format!("mod m{i} {{ use super::*; pub fn f{i}(ctx: &Context) {{ work(ctx); }}");
    format!("{HEAD}{}", nest(depth, open, "", "}"))
}

fn glob_chain(count: usize) -> String {
    let before = "mod m0 { pub fn target(ctx: &context::Context) { ctx.is_done(); } }";
    let after = format!("fn f(ctx: &Context) {{ m{count}::target(ctx); m{count}::none(ctx); }}");
    repeat(count, before, &after, |i| {
        let n = i + 1;
        format!("mod m{n} {{ pub use super::m{i}::*; pub fn f{n}(ctx: &context::Context) {{ target(ctx); }} }}")
    })
}

/// The text grows with the square of the modules: the number is that of the imports.
fn glob_mesh(imports: usize) -> String {
    let count = (1..).find(|count| count * count >= imports).unwrap_or(imports);
    repeat(count, "", "fn f(ctx: &Context) { m0::f1(ctx); m0::none(ctx); }", |i| {
        let mut text =
            format!("mod m{i} {{\n    pub fn f{i}(ctx: &context::Context) {{ f0(ctx); f1(ctx); none(ctx); }}\n");
        (0..imports / count).for_each(|j| text.push_str(&format!("    pub use super::m{j}::*;\n")));
        text + "}"
    })
}

fn imports(count: usize) -> String {
    let mut text =
        repeat(count, "mod m {", "}", |i| format!("    pub fn f{i}(ctx: &context::Context) {{ ctx.is_done(); }}"));
    (0..count).for_each(|i| text.push_str(&format!("use m::f{i};\n")));
    text.push_str("fn f(ctx: &Context) {\n");
    (0..count).for_each(|i| text.push_str(&format!("    f{i}(ctx);\n")));
    text + "}\n"
}

fn aliases(count: usize) -> String {
    let after = format!("fn f(ctx: &C{count}) {{ work(ctx); }}");
    repeat(count, "type C0 = Context;", &after, |i| format!("type C{} = C{i};", i + 1))
}

fn statics(count: usize) -> String {
    repeat(count, "use std::sync::LazyLock;", "", |i| {
        format!(
            "static S{i}: LazyLock<Context> = LazyLock::new(|| Context::background());\nfn f{i}() {{ work(&S{i}); }}"
        )
    })
}

fn macros(count: usize) -> String {
    repeat(count, "", "", |i| {
        format!(
            "macro_rules! m{i} {{ ($ctx:expr) => {{ f{i}($ctx) }}; }}\nfn f{i}(ctx: &Context) {{ work(ctx); }}\nfn g{i}(ctx: &Context) {{ m{i}!(ctx); }}"
        )
    })
}

fn directives(count: usize) -> String {
    repeat(count, "", "", |i| {
        format!(
            "fn f{i}(ctx: &Context) {{\n    // ctxlint: allow(lost_cancel)\n    let (ctx, _) = ctx.with_cancel();\n    work(&ctx);\n}}"
        )
    })
}

fn findings(count: usize) -> String {
    repeat(count, "fn f(ctx: &Context) {", "}", |i| {
        format!("    let (ctx{i}, _) = ctx.with_cancel();\n    work(&ctx{i});")
    })
}
