//! Patterns: first all tests, which change nothing, then all bindings.

use proc_macro2::Ident;
use syn::{Lit as SynLit, Pat};

use super::Lowering;
use super::body::step;
use super::known::starts_upper;
use super::types::mutability;
use crate::facts::{
    BlockId, Lit, LocalId, LocalKind, Mutability, Name, OpKind, PathRef, Place, Segment, Step, Terminator, Test,
    TypeRef,
};

/// The names a pattern binds, with their locals, not yet known to later code.
pub(super) type Bound = Vec<(Name, LocalId)>;

impl Lowering<'_> {
    /// The name, if a pattern is a plain one that binds.
    pub(super) fn plain_binding<'p>(&self, pat: &'p Pat) -> Option<(&'p Ident, bool)> {
        match pat {
            Pat::Ident(p) if p.by_ref.is_none() && p.subpat.is_none() && !self.is_constant(p) => {
                Some((&p.ident, p.mutability.is_some()))
            }
            Pat::Paren(p) => self.plain_binding(&p.pat),
            _ => None,
        }
    }

    /// Whether a word in a pattern names a constant, unit struct or variant.
    fn is_constant(&self, pat: &syn::PatIdent) -> bool {
        pat.by_ref.is_none()
            && pat.mutability.is_none()
            && pat.subpat.is_none()
            && self.known.is_value(&self.text.name(&pat.ident))
    }

    /// Makes a local for each name of a pattern; alternatives share theirs.
    pub(super) fn declare_bindings(&mut self, pat: &Pat, ty: Option<&TypeRef>) -> Bound {
        let mut bound = Vec::new();
        self.collect_bindings(pat, ty, &mut bound);
        bound
    }

    fn collect_bindings(&mut self, pat: &Pat, ty: Option<&TypeRef>, bound: &mut Bound) {
        match pat {
            Pat::Ident(p) => {
                if !self.is_constant(p) {
                    let (name, span) = self.text.ident(&p.ident);
                    if !bound.iter().any(|(known, _)| *known == name) {
                        let ty = if p.by_ref.is_some() { None } else { ty.cloned() };
                        let kind = LocalKind::Binding;
                        let mutable = p.mutability.is_some() && p.by_ref.is_none();
                        let local = self.body.local(Some(name.clone()), span, ty, kind, mutable);
                        bound.push((name, local));
                    }
                }
                if let Some((_, sub)) = &p.subpat {
                    self.collect_bindings(sub, ty, bound);
                }
            }
            Pat::Guard(p) => self.collect_bindings(&p.pat, ty, bound),
            Pat::Or(p) => p.cases.iter().for_each(|case| self.collect_bindings(case, ty, bound)),
            Pat::Paren(p) => self.collect_bindings(&p.pat, ty, bound),
            Pat::Reference(p) => {
                let inner = match ty {
                    Some(TypeRef::Ref(inner, _)) => Some(&**inner),
                    _ => None,
                };
                self.collect_bindings(&p.pat, inner, bound);
            }
            Pat::Slice(p) => {
                p.elems.iter().for_each(|elem| self.collect_bindings(elem, None, bound));
            }
            Pat::Struct(p) => {
                p.fields.iter().for_each(|f| self.collect_bindings(&f.pat, None, bound));
            }
            Pat::Tuple(p) => {
                let types = match ty {
                    Some(TypeRef::Tuple(types)) if types.len() == p.elems.len() => types.as_slice(),
                    _ => &[],
                };
                for (position, elem) in p.elems.iter().enumerate() {
                    self.collect_bindings(elem, types.get(position), bound);
                }
            }
            Pat::TupleStruct(p) => {
                p.elems.iter().for_each(|elem| self.collect_bindings(elem, None, bound));
            }
            Pat::Type(p) => {
                let ty = self.ty(&p.ty);
                self.collect_bindings(&p.pat, Some(&ty), bound);
            }
            _ => {}
        }
    }

    /// Makes the names known from here on.
    pub(super) fn make_known(&mut self, bound: Bound) {
        for (name, local) in bound {
            self.body.declare(name, local);
        }
    }

    /// Tests, binds and makes the names known; goes on in `fail` where the pattern does not match.
    pub(super) fn match_pattern(&mut self, pat: &Pat, place: &Place, fail: BlockId) {
        let bound = match alternatives(pat) {
            // Each alternative binds as soon as it is known to be the one.
            Some(cases) if self.binds(pat) => {
                let bound = self.declare_bindings(pat, None);
                let matched = self.body.new_block();
                let count = cases.len();
                for (position, case) in cases.iter().enumerate() {
                    let next = if position + 1 == count { fail } else { self.body.new_block() };
                    self.tests(case, place, next);
                    self.bind(case, place, &bound);
                    self.body.goto(matched);
                    if next != fail {
                        self.body.switch(next);
                    }
                }
                self.body.switch(matched);
                bound
            }
            _ => {
                self.tests(pat, place, fail);
                let bound = self.declare_bindings(pat, None);
                self.bind(pat, place, &bound);
                bound
            }
        };
        self.make_known(bound);
    }

    /// A pattern with a guard: its names are references until the guard has said yes, since what
    /// the arm does not take stays where it is.
    pub(super) fn match_guarded(&mut self, pat: &Pat, guard: &syn::Expr, place: &Place, fail: BlockId) {
        self.tests(pat, place, fail);
        let bound = self.declare_bindings(pat, None);
        self.guarding = true;
        self.bind(pat, place, &bound);
        self.guarding = false;
        self.make_known(bound.clone());
        let then = self.body.new_block();
        self.condition(guard, then, fail);
        self.body.switch(then);
        self.bind(pat, place, &bound);
    }

    /// Tests whether `place` matches; goes on in the current block if so, in `fail` if not.
    pub(super) fn tests(&mut self, pat: &Pat, place: &Place, fail: BlockId) {
        match pat {
            Pat::Ident(p) if self.is_constant(p) => {
                let test = Test::Variant(self.word_path(&p.ident));
                self.test(pat, place, test, fail);
            }
            Pat::Ident(p) => {
                if let Some((_, sub)) = &p.subpat {
                    self.tests(sub, place, fail);
                }
            }
            Pat::Lit(p) => {
                let test = Test::Lit(literal(&p.lit));
                self.test(pat, place, test, fail);
            }
            Pat::Const(_) | Pat::Macro(_) | Pat::Range(_) | Pat::Verbatim(_) => {
                self.test(pat, place, Test::Other, fail);
            }
            Pat::Guard(p) => self.tests(&p.pat, place, fail),
            Pat::Or(p) => self.alternatives(p, place, fail),
            Pat::Paren(p) => self.tests(&p.pat, place, fail),
            Pat::Type(p) => self.tests(&p.pat, place, fail),
            Pat::Path(p) => {
                let test = Test::Variant(self.path(p.qself.as_ref(), &p.path));
                self.test(pat, place, test, fail);
            }
            Pat::Reference(p) => self.tests(&p.pat, &step(place, Step::Deref), fail),
            Pat::Slice(p) => {
                if !p.elems.iter().all(is_rest) || p.elems.is_empty() {
                    self.test(pat, place, Test::Other, fail);
                }
                for (elem, element) in elements(&p.elems, is_rest) {
                    self.tests(elem, &step(place, element), fail);
                }
            }
            Pat::Struct(p) => {
                let variant = self.variant_of(p.qself.as_ref(), &p.path);
                if variant.is_some() || !self.is_struct(p.qself.as_ref(), &p.path) {
                    let test = Test::Variant(self.path(p.qself.as_ref(), &p.path));
                    self.test(pat, place, test, fail);
                }
                for field in &p.fields {
                    let place = self.field_place(place, variant.as_ref(), self.member(&field.member));
                    self.tests(&field.pat, &place, fail);
                }
            }
            Pat::Tuple(p) => {
                for (name, elem) in positions(&p.elems) {
                    self.tests(elem, &self.field_place(place, None, name), fail);
                }
            }
            Pat::TupleStruct(p) => {
                let variant = self.variant_of(p.qself.as_ref(), &p.path);
                if variant.is_some() || !self.is_struct(p.qself.as_ref(), &p.path) {
                    let test = Test::Variant(self.path(p.qself.as_ref(), &p.path));
                    self.test(pat, place, test, fail);
                }
                for (name, elem) in positions(&p.elems) {
                    self.tests(elem, &self.field_place(place, variant.as_ref(), name), fail);
                }
            }
            _ => {}
        }
    }

    fn test(&mut self, pat: &Pat, place: &Place, test: Test, fail: BlockId) {
        let then = self.body.new_block();
        let span = self.span_of_pat(pat);
        self.body.terminate(Terminator::Match { place: place.clone(), test, then, other: fail, span });
        self.body.switch(then);
    }

    fn alternatives(&mut self, pat: &syn::PatOr, place: &Place, fail: BlockId) {
        let matched = self.body.new_block();
        let count = pat.cases.len();
        for (position, case) in pat.cases.iter().enumerate() {
            let next = if position + 1 == count { fail } else { self.body.new_block() };
            self.tests(case, place, next);
            self.body.goto(matched);
            if next != fail {
                self.body.switch(next);
            }
        }
        self.body.switch(matched);
    }

    /// Moves or borrows the parts of `place` into the pattern's locals.
    pub(super) fn bind(&mut self, pat: &Pat, place: &Place, bound: &Bound) {
        match pat {
            Pat::Ident(p) => {
                if !self.is_constant(p) {
                    let (name, span) = self.text.ident(&p.ident);
                    let local = bound.iter().find(|(known, _)| *known == name).map(|(_, id)| *id);
                    let kind = match &p.by_ref {
                        Some(_) => OpKind::Ref(place.clone(), mutability(p.mutability.is_some())),
                        None if self.guarding => OpKind::Ref(place.clone(), Mutability::Shared),
                        None => OpKind::Use(place.clone()),
                    };
                    self.body.emit(span, local, kind);
                }
                if let Some((_, sub)) = &p.subpat {
                    self.bind(sub, place, bound);
                }
            }
            Pat::Wild(p) if !place.path.is_empty() && !self.guarding => {
                let span = self.text.span(p.underscore_token.span);
                self.body.emit(span, None, OpKind::Wild(place.clone()));
            }
            Pat::Guard(p) => self.bind(&p.pat, place, bound),
            Pat::Or(p) => self.bind_alternatives(p, place, bound),
            Pat::Paren(p) => self.bind(&p.pat, place, bound),
            Pat::Type(p) => self.bind(&p.pat, place, bound),
            Pat::Reference(p) => self.bind(&p.pat, &step(place, Step::Deref), bound),
            Pat::Slice(p) => {
                for (elem, element) in elements(&p.elems, is_rest) {
                    self.bind(elem, &step(place, element), bound);
                }
            }
            Pat::Struct(p) => {
                let variant = self.variant_of(p.qself.as_ref(), &p.path);
                for field in &p.fields {
                    let place = self.field_place(place, variant.as_ref(), self.member(&field.member));
                    self.bind(&field.pat, &place, bound);
                }
            }
            Pat::Tuple(p) => {
                for (name, elem) in positions(&p.elems) {
                    self.bind(elem, &self.field_place(place, None, name), bound);
                }
            }
            Pat::TupleStruct(p) => {
                let variant = self.variant_of(p.qself.as_ref(), &p.path);
                for (name, elem) in positions(&p.elems) {
                    self.bind(elem, &self.field_place(place, variant.as_ref(), name), bound);
                }
            }
            _ => {}
        }
    }

    /// Asks again which alternative it is, since each binds from places of its own.
    fn bind_alternatives(&mut self, pat: &syn::PatOr, place: &Place, bound: &Bound) {
        if !pat.cases.iter().any(|case| self.binds(case)) {
            return;
        }
        let done = self.body.new_block();
        let count = pat.cases.len();
        for (position, case) in pat.cases.iter().enumerate() {
            if position + 1 == count {
                self.bind(case, place, bound);
                self.body.goto(done);
                break;
            }
            let next = self.body.new_block();
            self.tests(case, place, next);
            self.bind(case, place, bound);
            self.body.goto(done);
            self.body.switch(next);
        }
        self.body.switch(done);
    }

    fn binds(&self, pat: &Pat) -> bool {
        match pat {
            Pat::Ident(p) => !self.is_constant(p) || p.subpat.as_ref().is_some_and(|(_, sub)| self.binds(sub)),
            Pat::Guard(p) => self.binds(&p.pat),
            Pat::Or(p) => p.cases.iter().any(|case| self.binds(case)),
            Pat::Paren(p) => self.binds(&p.pat),
            Pat::Type(p) => self.binds(&p.pat),
            Pat::Reference(p) => self.binds(&p.pat),
            Pat::Slice(p) => p.elems.iter().any(|elem| self.binds(elem)),
            Pat::Struct(p) => p.fields.iter().any(|field| self.binds(&field.pat)),
            Pat::Tuple(p) => p.elems.iter().any(|elem| self.binds(elem)),
            Pat::TupleStruct(p) => p.elems.iter().any(|elem| self.binds(elem)),
            _ => false,
        }
    }

    /// The variant's name, if a path in a pattern may name one rather than a struct.
    fn variant_of(&self, qself: Option<&syn::QSelf>, path: &syn::Path) -> Option<Name> {
        let mut backwards = path.segments.iter().rev();
        let last = self.text.name(&backwards.next()?.ident);
        let is_variant = match backwards.next() {
            Some(parent) => starts_upper(&self.text.name(&parent.ident)) || self.known.is_variant(&last),
            None => qself.is_some() || self.known.is_variant(&last),
        };
        is_variant.then_some(last)
    }

    /// Whether a path in a pattern is known to name a struct, so that it always matches. A single
    /// word that comes from nowhere in the file may be a variant brought in by `*`.
    fn is_struct(&self, qself: Option<&syn::QSelf>, path: &syn::Path) -> bool {
        match (qself, path.get_ident()) {
            (None, Some(ident)) => self.known.is_struct(&self.text.name(ident)),
            _ => true,
        }
    }

    fn field_place(&self, place: &Place, variant: Option<&Name>, field: Name) -> Place {
        match variant {
            Some(variant) => step(place, Step::Variant(variant.clone(), field)),
            None => step(place, Step::Field(field)),
        }
    }

    /// A field's name or number.
    pub(super) fn member(&self, member: &syn::Member) -> Name {
        match member {
            syn::Member::Named(ident) => self.text.name(ident),
            syn::Member::Unnamed(index) => position_name(index.index as usize),
        }
    }

    /// A path of one word.
    pub(super) fn word_path(&self, ident: &Ident) -> PathRef {
        let (name, span) = self.text.ident(ident);
        PathRef {
            scope: self.scope,
            global: false,
            qself: None,
            segments: vec![Segment { name, span, args: Vec::new(), bindings: Vec::new() }],
            span,
        }
    }
}

/// The alternatives, if a pattern as a whole is a choice.
fn alternatives(mut pat: &Pat) -> Option<&syn::punctuated::Punctuated<Pat, syn::Token![|]>> {
    loop {
        pat = match pat {
            Pat::Guard(p) => &p.pat,
            Pat::Paren(p) => &p.pat,
            Pat::Or(p) => return Some(&p.cases),
            _ => return None,
        };
    }
}

/// A number as a field's name.
pub(super) fn position_name(position: usize) -> Name {
    const SMALL: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "7"];
    match SMALL.get(position) {
        Some(name) => Name::new_static(name),
        None => smol_str::format_smolstr!("{position}"),
    }
}

/// The elements of a tuple pattern with their field names. Behind a `..` nobody knows the number:
/// those are counted from the end, as `-1`, `-2`.
fn positions(elems: &syn::punctuated::Punctuated<Pat, syn::Token![,]>) -> impl Iterator<Item = (Name, &Pat)> {
    let count = elems.len();
    let rest = elems.iter().position(is_rest);
    elems.iter().enumerate().filter(move |(position, _)| Some(*position) != rest).map(
        move |(position, elem)| match rest {
            Some(rest) if position > rest => (smol_str::format_smolstr!("-{}", count - position), elem),
            _ => (position_name(position), elem),
        },
    )
}

/// The elements of a slice's pattern, each with the step to it: those behind a `..` stand anywhere.
pub(super) fn elements<'p, T: 'p>(
    elems: impl IntoIterator<Item = &'p T>,
    is_rest: impl Fn(&T) -> bool,
) -> impl Iterator<Item = (&'p T, Step)> {
    let mut open = false;
    elems.into_iter().zip(0..).map(move |(elem, at)| {
        open |= is_rest(elem);
        (elem, if open { Step::Index } else { Step::Nth(at) })
    })
}

fn is_rest(pat: &Pat) -> bool {
    match pat {
        Pat::Rest(_) => true,
        Pat::Ident(p) => p.subpat.as_ref().is_some_and(|(_, sub)| is_rest(sub)),
        _ => false,
    }
}

/// A literal as facts keep it.
pub(super) fn literal(lit: &SynLit) -> Lit {
    match lit {
        SynLit::Str(lit) => Lit::Str(lit.value()),
        SynLit::ByteStr(_) => Lit::ByteStr,
        SynLit::CStr(_) => Lit::CStr,
        SynLit::Byte(_) | SynLit::Char(_) => Lit::Char,
        SynLit::Int(lit) if matches!(lit.suffix(), "f32" | "f64") => float(lit.base10_digits()),
        SynLit::Int(lit) => Lit::Int(lit.base10_parse().ok()),
        SynLit::Float(lit) => float(lit.base10_digits()),
        SynLit::Bool(lit) => Lit::Bool(lit.value),
        _ => Lit::Int(None),
    }
}

fn float(digits: &str) -> Lit {
    Lit::Float(digits.parse() == Ok(0.0))
}
