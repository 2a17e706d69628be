//! Facts as text, for tests and for looking at what the lowering made of a file.
//!
//! Locals are written `_3` for temporaries and `name_3` for names; places as `ctx_1.field`,
//! `res_2.Ok:0`, `*p_4`, `v_5[]`.

use std::fmt::Write as _;

use crate::facts::{
    Body, BodyKind, Callee, Directive, Discard, FileFacts, ImportName, Item, ItemKind, Lit, LocalId, Name, Op, OpKind,
    PathRef, Place, Step, Terminator, Test, TypeRef,
};

/// The whole of the facts, items first.
pub fn dump(facts: &FileFacts) -> String {
    let mut out = String::new();
    for (id, item) in facts.items.iter().enumerate() {
        let _ = writeln!(out, "item {id}: {}", dump_item(item));
    }
    for (id, body) in facts.bodies.iter().enumerate() {
        let _ = write!(out, "body {id} {}", dump_body(body));
    }
    for directive in &facts.directives {
        let _ = writeln!(out, "{}", dump_directive(directive));
    }
    for found in &facts.macro_discards {
        let path = found.path.as_ref().map(|path| format!("{}::", dump_path(path)));
        let _ = writeln!(
            out,
            "macro discard {}{}/{} {}",
            path.unwrap_or_default(),
            found.method,
            found.args,
            dump_discard(found.discard)
        );
    }
    out
}

fn dump_fields(fields: &[Name]) -> String {
    fields.iter().map(|field| format!(" .{field}")).collect()
}

/// One item in one line.
pub fn dump_item(item: &Item) -> String {
    let kind = match &item.kind {
        ItemKind::Module { scope, path_attr } => {
            let inline = if scope.is_some() { " inline" } else { "" };
            format!("mod{inline}{}", path_attr.as_ref().map_or(String::new(), |p| format!(" at {p}")))
        }
        ItemKind::Use(imports) => {
            let imports = imports.iter().map(|import| {
                let name = match &import.name {
                    ImportName::Named(name) => name.to_string(),
                    ImportName::Underscore => "_".to_owned(),
                    ImportName::Glob => "*".to_owned(),
                };
                format!("{} as {name}", dump_path(&import.path))
            });
            format!("use {}", list(imports))
        }
        ItemKind::ExternCrate { krate } => format!("extern crate {krate}"),
        ItemKind::Function(function) => {
            let params = function.params.iter().map(|p| format!("{}: {}", p.name, dump_type(&p.ty)));
            let asyncness = if function.is_async { "async " } else { "" };
            let ret = function.ret.as_ref().map(|ret| format!(" -> {}", dump_type(ret)));
            let body = function.body.map(|body| format!(" = body {}", body.0));
            format!(
                "{asyncness}fn{}({}){}{}",
                dump_generics(&function.generics),
                list(params),
                ret.unwrap_or_default(),
                body.unwrap_or_default()
            )
        }
        ItemKind::Struct { generics, fields, tuple } => {
            let kind = if *tuple { "tuple struct" } else { "struct" };
            let fields = fields.iter().map(|f| format!("{}: {}", f.name, dump_type(&f.ty)));
            format!("{kind}{} {{{}}}", dump_generics(generics), list(fields))
        }
        ItemKind::Enum { generics, variants } => {
            let variants = variants.iter().map(|variant| {
                let fields = variant.fields.iter().map(|f| format!("{}: {}", f.name, dump_type(&f.ty)));
                format!("{}({})", variant.name, list(fields))
            });
            format!("enum{} {{{}}}", dump_generics(generics), list(variants))
        }
        ItemKind::TypeAlias { generics, ty, bounds } => {
            let ty = ty.as_ref().map(|ty| format!(" = {}", dump_type(ty)));
            let bounds = list(bounds.iter().map(dump_type));
            format!("type{}{}: {bounds}", dump_generics(generics), ty.unwrap_or_default())
        }
        ItemKind::Const { ty, body } => {
            format!("const {}{}", dump_type(ty), body.map_or(String::new(), |b| format!(" = body {}", b.0)))
        }
        ItemKind::Static { ty, body } => {
            format!("static {}{}", dump_type(ty), body.map_or(String::new(), |b| format!(" = body {}", b.0)))
        }
        ItemKind::Trait { generics, supers } => {
            format!("trait{}: {}", dump_generics(generics), list(supers.iter().map(dump_type)))
        }
        ItemKind::Impl { generics, self_ty, of_trait } => {
            let of = of_trait.as_ref().map(|path| format!("{} for ", dump_path(path)));
            format!("impl{} {}{}", dump_generics(generics), of.unwrap_or_default(), dump_type(self_ty))
        }
        ItemKind::MacroRules { mentions } => format!("macro_rules [{}]", mentions.join(" ")),
        ItemKind::MacroCall { path, mentions, fields } => {
            format!("{}! [{}]{}", dump_path(path), list(mentions.iter().map(dump_path)), dump_fields(fields))
        }
    };
    let test = if item.test { " test" } else { "" };
    let container = item.container.map_or(String::new(), |id| format!(" in {}", id.0));
    let attrs: String = item
        .attrs
        .iter()
        .map(|attr| format!(" #{}({})", dump_path(&attr.path), list(attr.args.iter().map(dump_path))))
        .collect();
    let inner = item.inner.map_or(String::new(), |id| format!("/{}", id.0));
    format!("{} [{}{inner}]{container}{test}{attrs} {kind}", item.name, item.scope.0)
}

/// One body, a line for each operation.
pub fn dump_body(body: &Body) -> String {
    let mut out = String::new();
    let kind = match body.kind {
        BodyKind::Function(item) => format!("of item {}", item.0),
        BodyKind::Closure(outer) => format!("closure in {}", outer.0),
        BodyKind::AsyncBlock(outer) => format!("async in {}", outer.0),
        BodyKind::Const(item) => format!("value of item {}", item.0),
    };
    let params = list(body.params.iter().map(|id| local(body, *id)));
    let captures = list(body.captures.iter().map(|(outer, inner)| format!("{}<-{}", local(body, *inner), outer.0)));
    let flags = [(body.is_move, " move"), (body.is_async, " async"), (body.test, " test")];
    let flags: String = flags.iter().filter(|(on, _)| *on).map(|(_, text)| *text).collect();
    let _ = writeln!(out, "{kind}{flags} ({params}) [{captures}]");
    for (id, found) in body.locals.iter().enumerate() {
        if let Some(ty) = &found.ty {
            let _ = writeln!(out, "  {}: {}", local(body, LocalId(id as u32)), dump_type(ty));
        }
    }
    for (id, block) in body.blocks.iter().enumerate() {
        let inner = block.in_loop.map_or(String::new(), |id| format!(" in loop {}", id.0));
        let _ = writeln!(out, "  b{id}:{inner}");
        for op in &block.ops {
            let _ = writeln!(out, "    {}", dump_op(body, op));
        }
        let _ = writeln!(out, "    {}", dump_end(body, &block.end));
    }
    out
}

/// One operation.
pub fn dump_op(body: &Body, op: &Op) -> String {
    let dest = op.dest.map(|dest| format!("{} = ", local(body, dest)));
    format!("{}{}", dest.unwrap_or_default(), dump_kind(body, &op.kind))
}

fn dump_kind(body: &Body, kind: &OpKind) -> String {
    let locals = |ids: &[LocalId]| list(ids.iter().map(|id| local(body, *id)));
    match kind {
        OpKind::Use(from) => format!("use {}", place(body, from)),
        OpKind::Ref(of, is_mut) => format!("ref {is_mut:?} {}", place(body, of)),
        OpKind::Assign { place: to, value } => {
            format!("{} := {}", place(body, to), local(body, *value))
        }
        OpKind::AssignOp { place: to, value } => {
            format!("{} op= {}", place(body, to), local(body, *value))
        }
        OpKind::Lit(lit) => dump_lit(lit),
        OpKind::Path(path) => format!("path {}", dump_path(path)),
        OpKind::Call { callee, args } => {
            let callee = match callee {
                Callee::Path(path) => dump_path(path),
                Callee::Value(value) => format!("({})", place(body, value)),
            };
            format!("call {callee}({})", locals(args))
        }
        OpKind::MethodCall { receiver, name, types, args, .. } => {
            let types =
                if types.is_empty() { String::new() } else { format!("::<{}>", list(types.iter().map(dump_type))) };
            format!("{}.{name}{types}({})", place(body, receiver), locals(args))
        }
        OpKind::Struct { path, fields, base } => {
            let fields = fields.iter().map(|(name, value)| format!("{name}: {}", local(body, *value)));
            let base = base.as_ref().map(|base| format!(" ..{}", place(body, base)));
            format!("{} {{{}{}}}", dump_path(path), list(fields), base.unwrap_or_default())
        }
        OpKind::Tuple(parts) => format!("({})", locals(parts)),
        OpKind::Array(parts) => format!("[{}]", locals(parts)),
        OpKind::Closure(id) => format!("closure {}", id.0),
        OpKind::Await(future) => format!("await {}", local(body, *future)),
        OpKind::Binary(op, left, right) => {
            format!("{op:?} {} {}", local(body, *left), local(body, *right))
        }
        OpKind::Unary(op, value) => format!("{op:?} {}", local(body, *value)),
        OpKind::Cast(value, ty) => format!("{} as {}", local(body, *value), dump_type(ty)),
        OpKind::Inspect { path, args } => format!("inspect {}!({})", dump_path(path), locals(args)),
        OpKind::Unknown { path, mentions, paths, fields } => {
            let path = path.as_ref().map_or("?".to_owned(), dump_path);
            let mentions = list(mentions.iter().map(|mention| place(body, mention)));
            format!("unknown {path}!({mentions}) [{}]{}", list(paths.iter().map(dump_path)), dump_fields(fields))
        }
        OpKind::EndScope { locals: ended, exit } => format!("end scope {exit:?} ({})", locals(ended)),
        OpKind::Wild(from) => format!("_ = {}", place(body, from)),
        OpKind::EndTemps { from, to, discard } => {
            format!("end temps {}..{} {}", from.0, to.0, dump_discard(*discard))
        }
    }
}

fn dump_discard(discard: Discard) -> &'static str {
    match discard {
        Discard::No => "no",
        Discard::LetWild(_) => "let _",
        Discard::AssignWild(_) => "_ =",
        Discard::Statement => "statement",
    }
}

fn dump_end(body: &Body, end: &Terminator) -> String {
    match end {
        Terminator::Goto(to) => format!("goto b{}", to.0),
        Terminator::If { condition, then, other } => {
            format!("if {} b{} else b{}", local(body, *condition), then.0, other.0)
        }
        Terminator::Match { place: of, test, then, other, .. } => {
            let test = match test {
                Test::Variant(path) => dump_path(path),
                Test::Lit(lit) => dump_lit(lit),
                other => format!("{other:?}").to_lowercase(),
            };
            format!("match {} is {test} b{} else b{}", place(body, of), then.0, other.0)
        }
        Terminator::Select { arms, other, .. } => {
            let arms = arms.iter().map(|arm| {
                let guarded = if arm.guarded { " guarded" } else { "" };
                format!("{} = {} b{}{guarded}", local(body, arm.output), local(body, arm.future), arm.block.0)
            });
            let other = other.map_or(String::new(), |other| format!(" else b{}", other.0));
            format!("select {}{other}", list(arms))
        }
        Terminator::Return(value) => format!("return {}", local(body, *value)),
        Terminator::Diverge => "diverge".to_owned(),
    }
}

fn local(body: &Body, id: LocalId) -> String {
    let name = body.local(id).and_then(|local| local.name.as_deref()).unwrap_or("");
    format!("{name}_{}", id.0)
}

fn place(body: &Body, place: &Place) -> String {
    let mut text = local(body, place.base);
    for step in &place.path {
        text = match step {
            Step::Field(name) => format!("{text}.{name}"),
            Step::Variant(variant, field) => format!("{text}.{variant}:{field}"),
            Step::Deref => format!("(*{text})"),
            Step::Index => format!("{text}[]"),
            Step::Nth(at) => format!("{text}[{at}]"),
        };
    }
    text
}

fn dump_lit(lit: &Lit) -> String {
    match lit {
        Lit::Str(text) => format!("{text:?}"),
        Lit::Int(Some(number)) => number.to_string(),
        Lit::Bool(value) => value.to_string(),
        other => format!("{other:?}"),
    }
}

/// A path as it is written.
pub fn dump_path(path: &PathRef) -> String {
    let mut text = String::new();
    if let Some(qself) = &path.qself {
        let _ = write!(text, "<{}>::", dump_type(qself));
    }
    if path.global {
        text.push_str("::");
    }
    for (position, segment) in path.segments.iter().enumerate() {
        if position > 0 {
            text.push_str("::");
        }
        text.push_str(&segment.name);
        let bindings = segment.bindings.iter().map(|(name, ty)| format!("{name} = {}", dump_type(ty)));
        let args = list(segment.args.iter().map(dump_type).chain(bindings));
        if !args.is_empty() {
            let _ = write!(text, "<{args}>");
        }
    }
    text
}

/// A type as it is written.
pub fn dump_type(ty: &TypeRef) -> String {
    let bounds = |bounds: &[TypeRef]| bounds.iter().map(dump_type).collect::<Vec<_>>().join(" + ");
    match ty {
        TypeRef::Path(path) => dump_path(path),
        TypeRef::Ref(ty, crate::facts::Mutability::Mut) => format!("&mut {}", dump_type(ty)),
        TypeRef::Ref(ty, crate::facts::Mutability::Shared) => format!("&{}", dump_type(ty)),
        TypeRef::Ptr(ty) => format!("*{}", dump_type(ty)),
        TypeRef::Tuple(parts) => format!("({})", list(parts.iter().map(dump_type))),
        TypeRef::Slice(ty) => format!("[{}]", dump_type(ty)),
        TypeRef::Array(ty) => format!("[{}; _]", dump_type(ty)),
        TypeRef::Fn { params, ret } => {
            format!("fn({}) -> {}", list(params.iter().map(dump_type)), dump_type(ret))
        }
        TypeRef::ImplTrait(of) => format!("impl {}", bounds(of)),
        TypeRef::DynTrait(of) => format!("dyn {}", bounds(of)),
        TypeRef::Never => "!".to_owned(),
        TypeRef::Infer => "_".to_owned(),
        TypeRef::Unknown => "?".to_owned(),
    }
}

fn dump_generics(generics: &crate::facts::Generics) -> String {
    if generics.params.is_empty() && generics.wheres.is_empty() {
        return String::new();
    }
    let params =
        generics.params.iter().map(|param| format!("{}: {}", param.name, list(param.bounds.iter().map(dump_type))));
    let wheres = generics
        .wheres
        .iter()
        .map(|(ty, bounds)| format!("where {}: {}", dump_type(ty), list(bounds.iter().map(dump_type))));
    format!("<{}>", list(params.chain(wheres)))
}

fn dump_directive(directive: &Directive) -> String {
    let rules = directive.rules.iter().map(|(name, span)| format!("{name}@{}..{}", span.start, span.end));
    format!(
        "directive {:?} {:?} [{}] reason {:?} covers {}..{}",
        directive.form,
        directive.kind,
        list(rules),
        directive.reason,
        directive.covers.start,
        directive.covers.end
    )
}

fn list(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(", ")
}
