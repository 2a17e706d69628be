//! The first and last token of a syntax node.
//!
//! syn's own `Spanned` prints the whole node to find its span, which makes lowering quadratic in the
//! nesting; these follow one edge of the tree.

use proc_macro2::Span;
use syn::{Expr, Member, Pat, Path, QSelf, ReturnType, Stmt, Type, TypeParamBound, UnOp};

/// The first token of an expression, attributes left out.
pub(crate) fn first(mut expr: &Expr) -> Span {
    loop {
        expr = match expr {
            Expr::Assign(e) => &e.left,
            Expr::Await(e) => &e.base,
            Expr::Binary(e) => &e.left,
            Expr::Call(e) => &e.func,
            Expr::Cast(e) => &e.expr,
            Expr::Field(e) => &e.base,
            Expr::Group(e) => &e.expr,
            Expr::Index(e) => &e.expr,
            Expr::MethodCall(e) => &e.receiver,
            Expr::Try(e) => &e.expr,
            Expr::Range(e) => match &e.start {
                Some(start) => start,
                None => return limits(&e.limits).0,
            },
            _ => return first_of_leaf(expr),
        };
    }
}

fn first_of_leaf(expr: &Expr) -> Span {
    match expr {
        Expr::Array(e) => e.bracket_token.span.open(),
        Expr::Async(e) => e.async_token.span,
        Expr::Block(e) => match &e.label {
            Some(label) => label.name.apostrophe,
            None => e.block.brace_token.span.open(),
        },
        Expr::Break(e) => e.break_token.span,
        Expr::Closure(e) => closure_first(e),
        Expr::Const(e) => e.const_token.span,
        Expr::Continue(e) => e.continue_token.span,
        Expr::ForLoop(e) => e.label.as_ref().map_or(e.for_token.span, |l| l.name.apostrophe),
        Expr::If(e) => e.if_token.span,
        Expr::Infer(e) => e.underscore_token.span,
        Expr::Let(e) => e.let_token.span,
        Expr::Lit(e) => e.lit.span(),
        Expr::Loop(e) => e.label.as_ref().map_or(e.loop_token.span, |l| l.name.apostrophe),
        Expr::Macro(e) => path_first(None, &e.mac.path),
        Expr::Match(e) => e.match_token.span,
        Expr::Paren(e) => e.paren_token.span.open(),
        Expr::Path(e) => path_first(e.qself.as_ref(), &e.path),
        Expr::RawAddr(e) => e.and_token.span,
        Expr::Reference(e) => e.and_token.span,
        Expr::Repeat(e) => e.bracket_token.span.open(),
        Expr::Return(e) => e.return_token.span,
        Expr::Struct(e) => path_first(e.qself.as_ref(), &e.path),
        Expr::TryBlock(e) => e.try_token.span,
        Expr::Tuple(e) => e.paren_token.span.open(),
        Expr::Unary(e) => match &e.op {
            UnOp::Deref(token) => token.span,
            UnOp::Not(token) => token.span,
            UnOp::Neg(token) => token.span,
            _ => first(&e.expr),
        },
        Expr::Unsafe(e) => e.unsafe_token.span,
        Expr::While(e) => e.label.as_ref().map_or(e.while_token.span, |l| l.name.apostrophe),
        Expr::Yield(e) => e.yield_token.span,
        Expr::Verbatim(tokens) => tokens_first(tokens),
        _ => Span::call_site(),
    }
}

fn closure_first(e: &syn::ExprClosure) -> Span {
    if let Some(lifetimes) = &e.lifetimes {
        return lifetimes.for_token.span;
    }
    if let Some(token) = &e.constness {
        return token.span;
    }
    if let Some(token) = &e.asyncness {
        return token.span;
    }
    if let Some(token) = &e.capture {
        return token.span;
    }
    e.inputs_begin.span
}

/// The last token of an expression.
pub(crate) fn last(mut expr: &Expr) -> Span {
    loop {
        expr = match expr {
            Expr::Assign(e) => &e.right,
            Expr::Binary(e) => &e.right,
            Expr::Closure(e) => &e.body,
            Expr::Group(e) => &e.expr,
            Expr::Let(e) => &e.expr,
            Expr::RawAddr(e) => &e.expr,
            Expr::Reference(e) => &e.expr,
            Expr::Unary(e) => &e.expr,
            Expr::If(e) => match &e.else_branch {
                Some((_, other)) => other,
                None => return e.then_branch.brace_token.span.close(),
            },
            Expr::Break(e) => match (&e.expr, &e.label) {
                (Some(value), _) => value,
                (None, Some(label)) => return label.ident.span(),
                (None, None) => return e.break_token.span,
            },
            Expr::Range(e) => match &e.end {
                Some(end) => end,
                None => return limits(&e.limits).1,
            },
            Expr::Return(e) => match &e.expr {
                Some(value) => value,
                None => return e.return_token.span,
            },
            Expr::Yield(e) => match &e.expr {
                Some(value) => value,
                None => return e.yield_token.span,
            },
            _ => return last_of_leaf(expr),
        };
    }
}

fn last_of_leaf(expr: &Expr) -> Span {
    match expr {
        Expr::Array(e) => e.bracket_token.span.close(),
        Expr::Async(e) => e.block.brace_token.span.close(),
        Expr::Await(e) => e.await_token.span,
        Expr::Block(e) => e.block.brace_token.span.close(),
        Expr::Call(e) => e.paren_token.span.close(),
        Expr::Cast(e) => type_last(&e.ty),
        Expr::Const(e) => e.block.brace_token.span.close(),
        Expr::Continue(e) => e.label.as_ref().map_or(e.continue_token.span, |l| l.ident.span()),
        Expr::Field(e) => member(&e.member),
        Expr::ForLoop(e) => e.body.brace_token.span.close(),
        Expr::Index(e) => e.bracket_token.span.close(),
        Expr::Infer(e) => e.underscore_token.span,
        Expr::Lit(e) => e.lit.span(),
        Expr::Loop(e) => e.body.brace_token.span.close(),
        Expr::Macro(e) => e.mac.delimiter.span().close(),
        Expr::Match(e) => e.brace_token.span.close(),
        Expr::MethodCall(e) => e.paren_token.span.close(),
        Expr::Paren(e) => e.paren_token.span.close(),
        Expr::Path(e) => path_last(e.qself.as_ref(), &e.path),
        Expr::Repeat(e) => e.bracket_token.span.close(),
        Expr::Struct(e) => e.brace_token.span.close(),
        Expr::Try(e) => e.question_token.span,
        Expr::TryBlock(e) => e.block.brace_token.span.close(),
        Expr::Tuple(e) => e.paren_token.span.close(),
        Expr::Unsafe(e) => e.block.brace_token.span.close(),
        Expr::While(e) => e.body.brace_token.span.close(),
        Expr::Verbatim(tokens) => tokens_last(tokens),
        _ => first(expr),
    }
}

fn limits(limits: &syn::RangeLimits) -> (Span, Span) {
    match limits {
        syn::RangeLimits::HalfOpen(token) => (token.spans[0], token.spans[1]),
        syn::RangeLimits::Closed(token) => (token.spans[0], token.spans[2]),
    }
}

/// The place of a field's name or number.
pub(crate) fn member(member: &Member) -> Span {
    match member {
        Member::Named(ident) => ident.span(),
        Member::Unnamed(index) => index.span,
    }
}

/// The first token of a path.
pub(crate) fn path_first(qself: Option<&QSelf>, path: &Path) -> Span {
    if let Some(qself) = qself {
        return qself.lt_token.span;
    }
    if let Some(colon) = &path.leading_colon {
        return colon.spans[0];
    }
    path.segments.first().map_or_else(Span::call_site, |segment| segment.ident.span())
}

/// The last token of a path.
pub(crate) fn path_last(qself: Option<&QSelf>, path: &Path) -> Span {
    match path.segments.last() {
        Some(segment) => match &segment.arguments {
            syn::PathArguments::None => segment.ident.span(),
            syn::PathArguments::AngleBracketed(args) => args.gt_token.span,
            syn::PathArguments::Parenthesized(args) => match &args.output {
                ReturnType::Default => args.paren_token.span.close(),
                ReturnType::Type(_, ty) => type_last(ty),
            },
        },
        None => qself.map_or_else(Span::call_site, |qself| qself.gt_token.span),
    }
}

/// The first token of a type.
pub(crate) fn type_first(mut ty: &Type) -> Span {
    loop {
        ty = match ty {
            Type::Group(t) => &t.elem,
            Type::Array(t) => return t.bracket_token.span.open(),
            Type::FnPtr(t) => {
                return match (&t.lifetimes, &t.unsafety, &t.abi) {
                    (Some(lifetimes), _, _) => lifetimes.for_token.span,
                    (None, Some(token), _) => token.span,
                    (None, None, Some(abi)) => abi.extern_token.span,
                    (None, None, None) => t.fn_token.span,
                };
            }
            Type::ImplTrait(t) => return t.impl_token.span,
            Type::Infer(t) => return t.underscore_token.span,
            Type::Macro(t) => return path_first(None, &t.mac.path),
            Type::Never(t) => return t.bang_token.span,
            Type::Paren(t) => return t.paren_token.span.open(),
            Type::Path(t) => return path_first(t.qself.as_ref(), &t.path),
            Type::Ptr(t) => return t.star_token.span,
            Type::Reference(t) => return t.and_token.span,
            Type::Slice(t) => return t.bracket_token.span.open(),
            Type::TraitObject(t) => {
                return match (&t.dyn_token, t.bounds.first()) {
                    (Some(token), _) => token.span,
                    (None, Some(bound)) => bound_first(bound),
                    (None, None) => Span::call_site(),
                };
            }
            Type::Tuple(t) => return t.paren_token.span.open(),
            Type::Verbatim(tokens) => return tokens_first(tokens),
            _ => return Span::call_site(),
        };
    }
}

/// The last token of a type.
pub(crate) fn type_last(mut ty: &Type) -> Span {
    loop {
        ty = match ty {
            Type::Group(t) => &t.elem,
            Type::Ptr(t) => &t.elem,
            Type::Reference(t) => &t.elem,
            Type::FnPtr(t) => match &t.output {
                ReturnType::Type(_, ty) => ty,
                ReturnType::Default => return t.paren_token.span.close(),
            },
            Type::Array(t) => return t.bracket_token.span.close(),
            Type::ImplTrait(t) => {
                return t.bounds.last().map_or(t.impl_token.span, bound_last);
            }
            Type::Infer(t) => return t.underscore_token.span,
            Type::Macro(t) => return t.mac.delimiter.span().close(),
            Type::Never(t) => return t.bang_token.span,
            Type::Paren(t) => return t.paren_token.span.close(),
            Type::Path(t) => return path_last(t.qself.as_ref(), &t.path),
            Type::Slice(t) => return t.bracket_token.span.close(),
            Type::TraitObject(t) => {
                return t.bounds.last().map_or_else(Span::call_site, bound_last);
            }
            Type::Tuple(t) => return t.paren_token.span.close(),
            Type::Verbatim(tokens) => return tokens_last(tokens),
            _ => return Span::call_site(),
        };
    }
}

fn bound_first(bound: &TypeParamBound) -> Span {
    match bound {
        TypeParamBound::Trait(bound) => match (&bound.paren_token, &bound.lifetimes, &bound.maybe) {
            (Some(paren), _, _) => paren.span.open(),
            (None, Some(lifetimes), _) => lifetimes.for_token.span,
            (None, None, Some(maybe)) => maybe.span,
            (None, None, None) => path_first(None, &bound.path),
        },
        TypeParamBound::Lifetime(lifetime) => lifetime.apostrophe,
        TypeParamBound::PreciseCapture(capture) => capture.use_token.span,
        TypeParamBound::Verbatim(tokens) => tokens_first(tokens),
        _ => Span::call_site(),
    }
}

fn bound_last(bound: &TypeParamBound) -> Span {
    match bound {
        TypeParamBound::Trait(bound) => match &bound.paren_token {
            Some(paren) => paren.span.close(),
            None => path_last(None, &bound.path),
        },
        TypeParamBound::Lifetime(lifetime) => lifetime.ident.span(),
        TypeParamBound::PreciseCapture(capture) => capture.gt_token.span,
        TypeParamBound::Verbatim(tokens) => tokens_last(tokens),
        _ => Span::call_site(),
    }
}

/// The first and the last token of a pattern.
pub(crate) fn pat(pat: &Pat) -> (Span, Span) {
    (pat_first(pat), pat_last(pat))
}

fn pat_first(mut pat: &Pat) -> Span {
    loop {
        pat = match pat {
            Pat::Guard(p) => &p.pat,
            Pat::Or(p) => match (&p.leading_vert, p.cases.first()) {
                (Some(token), _) => return token.span,
                (None, Some(case)) => case,
                (None, None) => return Span::call_site(),
            },
            Pat::Type(p) => &p.pat,
            Pat::Const(p) => return p.const_token.span,
            Pat::Ident(p) => {
                return match (&p.by_ref, &p.mutability) {
                    (Some(token), _) => token.span,
                    (None, Some(token)) => token.span,
                    (None, None) => p.ident.span(),
                };
            }
            Pat::Lit(p) => return p.lit.span(),
            Pat::Macro(p) => return path_first(None, &p.mac.path),
            Pat::Paren(p) => return p.paren_token.span.open(),
            Pat::Path(p) => return path_first(p.qself.as_ref(), &p.path),
            Pat::Range(p) => {
                return match &p.start {
                    Some(start) => first(start),
                    None => limits(&p.limits).0,
                };
            }
            Pat::Reference(p) => return p.and_token.span,
            Pat::Rest(p) => return p.dot2_token.spans[0],
            Pat::Slice(p) => return p.bracket_token.span.open(),
            Pat::Struct(p) => return path_first(p.qself.as_ref(), &p.path),
            Pat::Tuple(p) => return p.paren_token.span.open(),
            Pat::TupleStruct(p) => return path_first(p.qself.as_ref(), &p.path),
            Pat::Wild(p) => return p.underscore_token.span,
            Pat::Verbatim(tokens) => return tokens_first(tokens),
            _ => return Span::call_site(),
        };
    }
}

fn pat_last(mut pat: &Pat) -> Span {
    loop {
        pat = match pat {
            Pat::Guard(p) => return last(&p.guard),
            Pat::Or(p) => match p.cases.last() {
                Some(case) => case,
                None => return Span::call_site(),
            },
            Pat::Reference(p) => &p.pat,
            Pat::Ident(p) => match &p.subpat {
                Some((_, sub)) => sub,
                None => return p.ident.span(),
            },
            Pat::Type(p) => return type_last(&p.ty),
            Pat::Const(p) => return p.block.brace_token.span.close(),
            Pat::Lit(p) => return p.lit.span(),
            Pat::Macro(p) => return p.mac.delimiter.span().close(),
            Pat::Paren(p) => return p.paren_token.span.close(),
            Pat::Path(p) => return path_last(p.qself.as_ref(), &p.path),
            Pat::Range(p) => {
                return match &p.end {
                    Some(end) => last(end),
                    None => limits(&p.limits).1,
                };
            }
            Pat::Rest(p) => return p.dot2_token.spans[1],
            Pat::Slice(p) => return p.bracket_token.span.close(),
            Pat::Struct(p) => return p.brace_token.span.close(),
            Pat::Tuple(p) => return p.paren_token.span.close(),
            Pat::TupleStruct(p) => return p.paren_token.span.close(),
            Pat::Wild(p) => return p.underscore_token.span,
            Pat::Verbatim(tokens) => return tokens_last(tokens),
            _ => return Span::call_site(),
        };
    }
}

/// The first and the last token of a statement, attributes left out.
pub(crate) fn stmt(stmt: &Stmt) -> Option<(Span, Span)> {
    match stmt {
        Stmt::Local(local) => Some((local.let_token.span, local.semi_token.span)),
        Stmt::Item(_) => None,
        Stmt::Expr(expr, semi) => Some((first(expr), semi.as_ref().map_or_else(|| last(expr), |semi| semi.span))),
        Stmt::Macro(stmt) => Some((
            path_first(None, &stmt.mac.path),
            stmt.semi_token.as_ref().map_or(stmt.mac.delimiter.span().close(), |semi| semi.span),
        )),
    }
}

fn tokens_first(tokens: &proc_macro2::TokenStream) -> Span {
    tokens.clone().into_iter().next().map_or_else(Span::call_site, |tree| tree.span())
}

fn tokens_last(tokens: &proc_macro2::TokenStream) -> Span {
    tokens.clone().into_iter().last().map_or_else(Span::call_site, |tree| tree.span())
}
