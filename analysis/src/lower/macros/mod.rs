//! Macros whose meaning is known are lowered as the code they stand for; of all others only what
//! they mention is known.

mod format;
mod futures;
mod items;
mod select;
mod unknown;

use proc_macro2::TokenStream;
use syn::parse::{Parse as _, ParseStream, Parser as _};
use syn::{Expr, Macro, Pat, Token};

use super::Lowering;
use super::body::Operand;
use super::known::Known;
use crate::facts::{Callee, Exit, Lit, LocalId, OpKind, PathRef, Segment, Span, Terminator};

/// What is known of a macro.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Looks at its arguments and yields something new: `format!`, `write!`, `info_span!`.
    Value,
    /// Looks at its arguments and yields nothing: `println!`, `info!`.
    Print,
    /// Looks at its arguments and does not come back.
    Panic,
    /// `assert!`
    Assert,
    /// `assert_eq!`, `assert_ne!`
    AssertEq,
    /// `bail!`
    Bail,
    /// `ensure!`
    Ensure,
    /// `dbg!`
    Dbg,
    /// `matches!`
    Matches,
    /// `vec!`
    Vec,
    /// `pin!` as a function: takes the value and yields it.
    Pin,
    /// `pin!` and `pin_mut!` as statements: names are bound anew.
    PinNames,
    /// `join!`
    Join,
    /// `try_join!`
    TryJoin,
    /// `select!`
    Select,
    /// `ready!`
    Ready,
    /// `concat!`
    Concat,
    /// `env!`, `include_str!`, `cfg!`, `stringify!`: evaluates nothing.
    Constant,
    /// `thread_local!`, `lazy_static!`
    Statics,
}

/// What a bare or well-known path of a macro stands for.
fn kind_of(root: Option<&str>, name: &str) -> Option<Kind> {
    let known_root = match root {
        None | Some("std" | "core" | "alloc") => Root::Std,
        Some("log" | "tracing") => Root::Log,
        Some(
            "anyhow" | "eyre" | "color_eyre" | "simple_eyre" | "stable_eyre" | "miette" | "failure" | "error_stack",
        ) => Root::Error,
        Some("tokio") => Root::Tokio,
        Some("futures" | "futures_util" | "pin_utils" | "futures_lite" | "futures_concurrency") => Root::Futures,
        Some("const_format") => Root::ConstFormat,
        Some("lazy_static") => Root::Statics,
        Some(_) => return None,
    };
    let bare = root.is_none();
    let std = known_root == Root::Std;
    let kind = match name {
        "format" | "format_args" | "write" | "writeln" if std => Kind::Value,
        "print" | "println" | "eprint" | "eprintln" if std => Kind::Print,
        "panic" | "unreachable" | "todo" | "unimplemented" if std => Kind::Panic,
        "assert" | "debug_assert" if std => Kind::Assert,
        "assert_eq" | "assert_ne" | "debug_assert_eq" | "debug_assert_ne" if std => Kind::AssertEq,
        "dbg" if std => Kind::Dbg,
        "matches" if std => Kind::Matches,
        "vec" if std => Kind::Vec,
        "concat" if std => Kind::Concat,
        "line" | "column" | "env" | "option_env" | "file" | "module_path" | "stringify" | "include_str"
        | "include_bytes" | "cfg"
            if std =>
        {
            Kind::Constant
        }
        "thread_local" if std => Kind::Statics,
        "lazy_static" if bare || known_root == Root::Statics => Kind::Statics,
        "trace" | "debug" | "info" | "warn" | "error" | "log" | "event" if bare || known_root == Root::Log => {
            Kind::Print
        }
        "span" | "trace_span" | "debug_span" | "info_span" | "warn_span" | "error_span" | "enabled" | "log_enabled"
            if bare || known_root == Root::Log =>
        {
            Kind::Value
        }
        "anyhow" | "eyre" | "miette" | "report" | "format_err" if bare || known_root == Root::Error => Kind::Value,
        "bail" if bare || known_root == Root::Error => Kind::Bail,
        "ensure" if bare || known_root == Root::Error => Kind::Ensure,
        "pin" if known_root == Root::Tokio => Kind::PinNames,
        "pin" if std => Kind::Pin,
        "pin_mut" if bare || known_root == Root::Futures => Kind::PinNames,
        "ready" if std || known_root == Root::Futures => Kind::Ready,
        "join" if known_root != Root::Log => Kind::Join,
        "try_join" if known_root != Root::Log => Kind::TryJoin,
        "select" | "select_biased" if known_root != Root::Log => Kind::Select,
        "formatcp" | "concatcp" | "formatc" | "concatc" | "writec" if bare || known_root == Root::ConstFormat => {
            Kind::Value
        }
        _ => return None,
    };
    Some(kind)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Std,
    Log,
    Error,
    Tokio,
    Futures,
    ConstFormat,
    Statics,
}

impl Known {
    /// What is known of a macro by its path as written.
    fn macro_kind(&self, first: &str, last: Option<&str>) -> Option<Kind> {
        match last {
            None if self.is_own_macro(first) => None,
            None => match self.import_of(first) {
                Some((root, last)) => kind_of(Some(root), last),
                None => kind_of(None, first),
            },
            Some(last) => match self.import_of(first) {
                Some((root, _)) => kind_of(Some(root), last),
                None => kind_of(Some(first), last),
            },
        }
    }
}

/// Parses a macro's tokens; none if they are not what is expected.
pub(super) fn parse<T>(tokens: &TokenStream, parser: impl FnOnce(ParseStream<'_>) -> syn::Result<T>) -> Option<T> {
    parser.parse2(tokens.clone()).ok()
}

fn expressions(input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    let list = input.parse_terminated(Expr::parse, Token![,])?;
    Ok(list.into_iter().collect())
}

impl Lowering<'_> {
    pub(super) fn macro_span(&self, mac: &Macro) -> Span {
        let first = super::extent::path_first(None, &mac.path);
        self.text.between(first, mac.delimiter.span().close())
    }

    /// What is known of a macro.
    fn macro_kind(&self, mac: &Macro) -> Option<Kind> {
        let first = self.text.name(&mac.path.segments.first()?.ident);
        let last = match mac.path.segments.len() {
            1 => None,
            _ => Some(self.text.name(&mac.path.segments.last()?.ident)),
        };
        self.known.macro_kind(&first, last.as_deref())
    }

    /// Whether a macro stands for statics, and so is an item.
    pub(super) fn declares_statics(&self, mac: &Macro) -> bool {
        self.macro_kind(mac) == Some(Kind::Statics)
    }

    /// A macro where a value may be wanted.
    pub(super) fn macro_value(&mut self, mac: &Macro, span: Span) -> Operand {
        if let Some(kind) = self.macro_kind(mac)
            && let Some(operand) = self.known_macro(kind, mac, span)
        {
            return operand;
        }
        let path = self.path(None, &mac.path);
        Operand::Temp(self.unknown(Some(path), mac.tokens.clone(), span))
    }

    /// A macro as a statement, which may bring in names.
    pub(super) fn macro_stmt(&mut self, mac: &Macro, span: Span) -> Operand {
        let pins = matches!(self.macro_kind(mac), Some(Kind::PinNames | Kind::Pin));
        if pins && self.pin_names(mac, span) {
            return Operand::Unit(span);
        }
        self.macro_value(mac, span)
    }

    /// A macro whose meaning is known; none if its tokens are not what they should be.
    fn known_macro(&mut self, kind: Kind, mac: &Macro, span: Span) -> Option<Operand> {
        let tokens = &mac.tokens;
        let path = || self.path(None, &mac.path);
        match kind {
            Kind::Value => {
                let args = parse(tokens, format::arguments)?;
                let path = path();
                let args = self.inspected(&args);
                Some(Operand::Temp(self.body.op(span, OpKind::Inspect { path, args })))
            }
            Kind::Print => {
                let args = parse(tokens, format::arguments)?;
                let path = path();
                self.inspect(path, &args, span);
                Some(Operand::Unit(span))
            }
            Kind::Panic => {
                let args = parse(tokens, format::arguments)?;
                let path = path();
                self.inspect(path, &args, span);
                self.body.terminate_dead(Terminator::Diverge);
                Some(Operand::Never(span))
            }
            Kind::Assert => {
                let (condition, args) = parse(tokens, format::checked)?;
                let path = path();
                let (then, other) = (self.body.new_block(), self.body.new_block());
                self.condition(&condition, then, other);
                self.body.switch(other);
                self.inspect(path, &args, span);
                self.body.terminate(Terminator::Diverge);
                self.body.switch(then);
                Some(Operand::Unit(span))
            }
            Kind::AssertEq => {
                let args = parse(tokens, format::arguments)?;
                let path = path();
                self.inspect(path, &args, span);
                Some(Operand::Unit(span))
            }
            Kind::Bail => {
                let args = parse(tokens, format::arguments)?;
                let path = path();
                self.return_error(path, &args, span);
                Some(Operand::Never(span))
            }
            Kind::Ensure => {
                let (condition, args) = parse(tokens, format::checked)?;
                let path = path();
                let (then, other) = (self.body.new_block(), self.body.new_block());
                self.condition(&condition, then, other);
                self.body.switch(other);
                self.return_error(path, &args, span);
                self.body.switch(then);
                Some(Operand::Unit(span))
            }
            Kind::Dbg => {
                let args = parse(tokens, expressions)?;
                let path = path();
                Some(self.dbg(path, &args, span))
            }
            Kind::Matches => self.matches(tokens, span),
            Kind::Vec => {
                let args = parse(tokens, elements)?;
                let parts = self.elements(&args);
                Some(Operand::Temp(self.body.op(span, OpKind::Array(parts))))
            }
            Kind::Pin | Kind::PinNames => {
                let args = parse(tokens, expressions)?;
                let [only] = args.as_slice() else { return None };
                Some(Operand::Temp(self.value(only)))
            }
            Kind::Join => self.join(tokens, span),
            Kind::TryJoin => self.try_join(tokens, span),
            Kind::Select => self.select(mac, span),
            Kind::Ready => {
                let args = parse(tokens, expressions)?;
                let [only] = args.as_slice() else { return None };
                Some(self.ready(only, span))
            }
            Kind::Concat => {
                let args = parse(tokens, expressions)?;
                Some(self.concat(path(), &args, span))
            }
            Kind::Constant => {
                let kind = OpKind::Inspect { path: path(), args: Vec::new() };
                Some(Operand::Temp(self.body.op(span, kind)))
            }
            Kind::Statics => None,
        }
    }

    fn inspect(&mut self, path: PathRef, args: &[format::Argument], span: Span) {
        let args = self.inspected(args);
        self.body.emit(span, None, OpKind::Inspect { path, args });
    }

    fn return_error(&mut self, path: PathRef, args: &[format::Argument], span: Span) {
        let args = self.inspected(args);
        let error = self.body.op(span, OpKind::Inspect { path, args });
        self.body.leave(0, Exit::Return, span);
        self.body.terminate_dead(Terminator::Return(error));
    }

    fn dbg(&mut self, path: PathRef, args: &[Expr], span: Span) -> Operand {
        let mut values = Vec::new();
        for arg in args {
            let operand = self.expr(arg);
            let arg_span = self.span_of(arg);
            let place = self.body.place(operand);
            let look = OpKind::Ref(place.clone(), crate::facts::Mutability::Shared);
            let look = self.body.op(arg_span, look);
            let kind = OpKind::Inspect { path: path.clone(), args: vec![look] };
            self.body.emit(span, None, kind);
            values.push(self.body.op(arg_span, OpKind::Use(place)));
        }
        match values.as_slice() {
            [] => {
                self.body.emit(span, None, OpKind::Inspect { path, args: Vec::new() });
                Operand::Unit(span)
            }
            [only] => Operand::Temp(*only),
            _ => Operand::Temp(self.body.op(span, OpKind::Tuple(values))),
        }
    }

    fn matches(&mut self, tokens: &TokenStream, span: Span) -> Option<Operand> {
        let (scrutinee, pat, guard) = parse(tokens, |input| {
            let scrutinee: Expr = input.parse()?;
            input.parse::<Token![,]>()?;
            let pat = Pat::parse_multi_with_leading_vert(input)?;
            let guard: Option<Expr> = match input.parse::<Option<Token![if]>>()? {
                Some(_) => Some(input.parse()?),
                None => None,
            };
            input.parse::<Option<Token![,]>>()?;
            Ok((scrutinee, pat, guard))
        })?;
        let operand = self.expr(&scrutinee);
        let place = self.body.place(operand);
        let result = self.body.temp(span);
        let other = self.body.new_block();
        let after = self.body.new_block();
        self.body.open();
        self.tests(&pat, &place, other);
        if let Some(guard) = &guard {
            let bound = self.declare_bindings(&pat, None);
            self.guarding = true;
            self.bind(&pat, &place, &bound);
            self.guarding = false;
            self.make_known(bound);
            let then = self.body.new_block();
            self.condition(guard, then, other);
            self.body.switch(then);
        }
        self.body.close(Span::new(span.end, span.end));
        self.truth(result, true, span, after);
        self.body.switch(other);
        self.truth(result, false, span, after);
        self.body.switch(after);
        Some(Operand::Temp(result))
    }

    /// `concat!` of literals is a literal; of anything else, a text nobody knows.
    fn concat(&mut self, path: PathRef, args: &[Expr], span: Span) -> Operand {
        let mut text = String::new();
        for arg in args {
            match arg {
                Expr::Lit(lit) => match &lit.lit {
                    syn::Lit::Str(part) => text.push_str(&part.value()),
                    syn::Lit::Int(part) => text.push_str(part.base10_digits()),
                    syn::Lit::Char(part) => text.push(part.value()),
                    syn::Lit::Bool(part) => text.push_str(if part.value { "true" } else { "false" }),
                    _ => return self.constant_text(path, span),
                },
                _ => return self.constant_text(path, span),
            }
        }
        Operand::Temp(self.body.op(span, OpKind::Lit(Lit::Str(text))))
    }

    fn constant_text(&mut self, path: PathRef, span: Span) -> Operand {
        Operand::Temp(self.body.op(span, OpKind::Inspect { path, args: Vec::new() }))
    }

    /// `Ok(value)` or `Err(value)` as the compiler would write it.
    pub(super) fn wrapped(&self, name: &'static str, value: LocalId, span: Span) -> OpKind {
        let name = crate::facts::Name::new_static(name);
        let segments = vec![Segment { name, span, args: Vec::new(), bindings: Vec::new() }];
        let path = PathRef { scope: self.scope, global: false, qself: None, segments, span };
        OpKind::Call { callee: Callee::Path(path), args: vec![value] }
    }
}

/// `a, b, c` or `a; n`, of which only `a` counts.
fn elements(input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    if input.is_empty() {
        return Ok(Vec::new());
    }
    let first: Expr = input.parse()?;
    if input.parse::<Option<Token![;]>>()?.is_some() {
        input.parse::<Expr>()?;
        return Ok(vec![first]);
    }
    let mut all = vec![first];
    while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
        all.push(input.parse()?);
    }
    Ok(all)
}
