//! What one file says, as plain data.
//!
//! `parse` and `lower` make these facts; everything after them reads nothing else. Facts are
//! `Send`, serialisable and independent of every other file, so that a file can be lowered on any
//! thread and cached by its content. All positions are byte ranges of the file.
//!
//! A body is a small control-flow graph in three-address form, as rustc's MIR is: every value has a
//! [`Local`] (a name of the source, or a temporary), every operation writes at most one local, and
//! what happens at the end of a scope stands in the graph as an operation of its own, on every way
//! out. So an analysis needs no knowledge of Rust's syntax, only of these few operations.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

mod body;
mod shape;

pub use body::{
    Arm, BinaryOp, Block, Body, BodyKind, Callee, Discard, Exit, Lit, Local, LocalKind, Loop, LoopKind, Op, OpKind,
    Place, Step, Terminator, Test, UnaryOp,
};

/// A name as written, without `r#`.
pub type Name = SmolStr;

/// A byte range of the file, end exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of the given bytes.
    pub fn new(start: u32, end: u32) -> Span {
        Span { start, end }
    }

    /// Whether `other` lies within this span.
    pub fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// Declares indices into tables.
macro_rules! index {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub u32);

        impl $name {
            /// The position in the table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}
pub(crate) use index;

index! {
    /// A scope of names in [`FileFacts::scopes`].
    ScopeId,
    /// An item in [`FileFacts::items`].
    ItemId,
    /// A body in [`FileFacts::bodies`].
    BodyId,
    /// A basic block in [`Body::blocks`]; the entry is block 0.
    BlockId,
    /// A local in [`Body::locals`].
    LocalId,
    /// A loop in [`Body::loops`].
    LoopId,
}

/// Everything that is known of one file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Scope 0 is the file's own module.
    pub scopes: Vec<Scope>,
    /// All items, those within functions and impls included, in source order.
    pub items: Vec<Item>,
    /// All bodies: functions, closures, async blocks, constants.
    pub bodies: Vec<Body>,
    /// Suppressions, in source order.
    pub directives: Vec<Directive>,
    /// Statements in `macro_rules!` bodies that throw a method's result away.
    pub macro_discards: Vec<MacroDiscard>,
    /// What is left out because nothing in it can matter, in source order: what stands between the braces of
    /// functions, and whole functions.
    pub quiet: Vec<Span>,
    /// `#![cfg(test)]` at the top of the file.
    pub cfg_test: bool,
}

impl FileFacts {
    /// The scope with this index, if the index is of this file.
    pub fn scope(&self, id: ScopeId) -> Option<&Scope> {
        self.scopes.get(id.index())
    }

    /// The item with this index, if the index is of this file.
    pub fn item(&self, id: ItemId) -> Option<&Item> {
        self.items.get(id.index())
    }

    /// The body with this index, if the index is of this file.
    pub fn body(&self, id: BodyId) -> Option<&Body> {
        self.bodies.get(id.index())
    }
}

/// Where names are looked up: from a scope outwards to the nearest module, never past it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    /// The enclosing scope; none for the file's.
    pub parent: Option<ScopeId>,
    /// What opens the scope.
    pub kind: ScopeKind,
}

/// What opens a scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ScopeKind {
    /// The file's own module.
    File,
    /// An inline module: this item.
    Module(ItemId),
    /// The generics and `Self` of an item (fn, impl, trait, struct, enum, alias).
    Generics(ItemId),
    /// A block that declares items.
    Block,
}

/// How far an item is visible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Visibility {
    /// No `pub`.
    Private,
    /// `pub(crate)`, `pub(super)`, `pub(in …)`.
    Restricted,
    /// `pub`, or a variant, or a trait's member.
    Public,
}

/// An item of any kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The scope the item's name is declared in. For members of impls and traits: the scope of the
    /// container's generics, in which `Self` is known.
    pub scope: ScopeId,
    /// The scope of the item's own generics, for items that have one (fn, struct, enum, alias, impl, trait).
    pub inner: Option<ScopeId>,
    /// The impl or trait this is a member of.
    pub container: Option<ItemId>,
    /// The whole item, attributes included.
    pub span: Span,
    /// Empty for impls and uses.
    pub name: Name,
    /// The name alone.
    pub name_span: Span,
    /// How far it is visible.
    pub visibility: Visibility,
    /// Within `#[cfg(test)]`, `#[test]` or the like (an attribute whose last segment is `test`), outer items included.
    pub test: bool,
    /// Attributes, `derive`s apart.
    pub attrs: Vec<Attr>,
    /// What it is.
    pub kind: ItemKind,
}

/// An attribute as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attr {
    /// `tokio::main`, `get`, `derive`.
    pub path: PathRef,
    /// The paths in its argument list, as `derive`'s; single words and `a::b` only.
    pub args: Vec<PathRef>,
    /// The whole attribute.
    pub span: Span,
}

/// What an item is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ItemKind {
    /// `mod x { … }` (with its scope) or `mod x;`.
    Module {
        /// The scope of an inline module.
        scope: Option<ScopeId>,
        /// `#[path = "…"]`.
        path_attr: Option<String>,
    },
    /// `use …;`, flattened into one entry a name.
    Use(Vec<Import>),
    /// `extern crate name as rename;`, with the item's `name` being the visible one.
    ExternCrate {
        /// The crate's own name.
        krate: Name,
    },
    /// A free function, method or associated function.
    Function(Function),
    /// A struct or union.
    Struct {
        /// Its parameters.
        generics: Generics,
        /// Its fields.
        fields: Vec<Field>,
        /// `struct S(A, B);`
        tuple: bool,
    },
    /// An enum.
    Enum {
        /// Its parameters.
        generics: Generics,
        /// Its variants.
        variants: Vec<Variant>,
    },
    /// `type A = B;`, in a module, impl or trait.
    TypeAlias {
        /// Its parameters.
        generics: Generics,
        /// What it stands for; none for a trait's associated type without a default.
        ty: Option<TypeRef>,
        /// Bounds of an associated type.
        bounds: Vec<TypeRef>,
    },
    /// `const X: T = …;`, in a module, impl or trait.
    Const {
        /// Its type.
        ty: TypeRef,
        /// Its value.
        body: Option<BodyId>,
    },
    /// `static X: T = …;`
    Static {
        /// Its type.
        ty: TypeRef,
        /// Its value.
        body: Option<BodyId>,
    },
    /// A trait; its members are items whose `container` is this one.
    Trait {
        /// Its parameters.
        generics: Generics,
        /// Supertraits.
        supers: Vec<TypeRef>,
    },
    /// An impl; its members are items whose `container` is this one.
    Impl {
        /// Its parameters.
        generics: Generics,
        /// What it is for.
        self_ty: TypeRef,
        /// The trait, if any.
        of_trait: Option<PathRef>,
    },
    /// `macro_rules! name`.
    MacroRules {
        /// Every identifier in its body.
        mentions: Vec<Name>,
    },
    /// A macro called in item position.
    MacroCall {
        /// Its path.
        path: PathRef,
        /// Paths made of identifiers found in its tokens.
        mentions: Vec<PathRef>,
        /// The names behind points in its tokens, those of methods apart.
        fields: Vec<Name>,
    },
}

/// One name that a `use` brings in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// The whole path, groups unfolded, `self` at the end of a group removed.
    pub path: PathRef,
    /// What it is called here.
    pub name: ImportName,
    /// The tree's leaf.
    pub span: Span,
}

/// What an imported thing is called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ImportName {
    /// Its own name or the name after `as`.
    Named(Name),
    /// `as _`.
    Underscore,
    /// `::*`; the path is that of the module.
    Glob,
}

/// Generic parameters with the bounds of all places, `where` included.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Generics {
    /// Type parameters in order (lifetimes and constants left out).
    pub params: Vec<GenericParam>,
    /// Bounds on anything that is not a bare parameter: `where Vec<T>: Trait`.
    pub wheres: Vec<(TypeRef, Vec<TypeRef>)>,
}

/// A type parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GenericParam {
    /// Its name.
    pub name: Name,
    /// Its bounds, each a path or a function bound.
    pub bounds: Vec<TypeRef>,
    /// Its default.
    pub default: Option<TypeRef>,
}

/// A struct's or variant's field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// `0`, `1`, … in a tuple struct.
    pub name: Name,
    /// The name, or the type where there is none.
    pub span: Span,
    /// Its type.
    pub ty: TypeRef,
    /// How far it is visible.
    pub visibility: Visibility,
}

/// An enum's variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// Its name.
    pub name: Name,
    /// The name alone.
    pub span: Span,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A function's signature and body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// `async fn`.
    pub is_async: bool,
    /// Its parameters.
    pub generics: Generics,
    /// Values in order, `self` first where there is one.
    pub params: Vec<Param>,
    /// Whether the first parameter is `self` in any form.
    pub has_self: bool,
    /// As written; for an `async fn`, the output of its future.
    pub ret: Option<TypeRef>,
    /// None for a trait's method without a default, and for foreign functions.
    pub body: Option<BodyId>,
}

/// A value parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// The pattern's name if it is a plain name, `self` for a receiver, empty otherwise.
    pub name: Name,
    /// The pattern.
    pub pat_span: Span,
    /// The whole parameter.
    pub span: Span,
    /// Its type; for receivers `Self`, `&Self`, `&mut Self` or what is written.
    pub ty: TypeRef,
}

/// A type as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TypeRef {
    /// `Context`, `context::Context`, `Option<T>`; also a trait named as a bound.
    Path(PathRef),
    /// `&T`, `&mut T`.
    Ref(Box<TypeRef>, Mutability),
    /// `*const T`, `*mut T`.
    Ptr(Box<TypeRef>),
    /// `(A, B)`; the unit type is the empty tuple.
    Tuple(Vec<TypeRef>),
    /// `[T]`.
    Slice(Box<TypeRef>),
    /// `[T; N]`.
    Array(Box<TypeRef>),
    /// `fn(A) -> B`; as a bound also `Fn`, `FnMut`, `FnOnce`, `AsyncFn…`.
    Fn {
        /// Its parameters.
        params: Vec<TypeRef>,
        /// Its result; the unit type where none is written.
        ret: Box<TypeRef>,
    },
    /// `impl A + B`.
    ImplTrait(Vec<TypeRef>),
    /// `dyn A + B`.
    DynTrait(Vec<TypeRef>),
    /// `!`.
    Never,
    /// `_`.
    Infer,
    /// A macro, or something not modelled.
    Unknown,
}

/// Whether a reference or binding is mutable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mutability {
    /// `&T`.
    Shared,
    /// `&mut T`.
    Mut,
}

/// A path as written, with the scope it is to be resolved in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PathRef {
    /// Where the search for its first segment starts.
    pub scope: ScopeId,
    /// `::a::b`.
    pub global: bool,
    /// `<T as Trait>::name`: the type; the trait's segments then stand first in `segments`, or none.
    pub qself: Option<Box<TypeRef>>,
    /// At least one, unless `qself` is given.
    pub segments: Vec<Segment>,
    /// The whole path.
    pub span: Span,
}

impl PathRef {
    /// The last segment's name; empty for a path without segments.
    pub fn last(&self) -> &str {
        self.segments.last().map_or("", |segment| segment.name.as_str())
    }

    /// The name, if the path is one plain segment.
    pub fn as_name(&self) -> Option<&Name> {
        match self.segments.as_slice() {
            [only] if !self.global && self.qself.is_none() => Some(&only.name),
            _ => None,
        }
    }
}

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// The name alone.
    pub name: Name,
    /// The name's place.
    pub span: Span,
    /// Type arguments, lifetimes and constants left out.
    pub args: Vec<TypeRef>,
    /// `Output = T`.
    pub bindings: Vec<(Name, TypeRef)>,
}

/// A suppression in the source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Directive {
    /// The comment or the attribute.
    pub span: Span,
    /// What it asks.
    pub kind: DirectiveKind,
    /// Rule or group names, each with its place, `ctxlint::` taken off.
    pub rules: Vec<(Name, Span)>,
    /// `reason = "…"`.
    pub reason: Option<String>,
    /// The bytes whose findings it covers; the whole file for `//!` at the top.
    pub covers: Span,
    /// The form it has.
    pub form: DirectiveForm,
}

/// What a directive asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DirectiveKind {
    /// `allow(…)`
    Allow,
    /// `expect(…)`
    Expect,
    /// It says `ctxlint:` and cannot be read; why, in a few words.
    Malformed(String),
}

/// Where a directive stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DirectiveForm {
    /// `// ctxlint: …` behind code.
    Trailing,
    /// `// ctxlint: …` on lines of its own.
    OwnLine,
    /// `//! ctxlint: …` at the top of the file.
    File,
    /// `#[cfg_attr(ctxlint, …)]`.
    Attribute,
}

/// `let _ = x.method();`, `_ = x.method();` or `x.method();` seen in the tokens of a `macro_rules!` body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MacroDiscard {
    /// The method of the outermost call.
    pub method: Name,
    /// The method's name.
    pub span: Span,
    /// How many arguments it has.
    pub args: u32,
    /// How it was thrown away.
    pub discard: Discard,
    /// The path before `::name(..)` for a call by path: `AbortOnDropHandle::new(..)`.
    pub path: Option<PathRef>,
    /// Within test code.
    pub test: bool,
}
