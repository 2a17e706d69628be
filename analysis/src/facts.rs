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

/// Declares an index into one of the tables below.
macro_rules! index {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub u32);

        impl $name {
            /// The position in the table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

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

/// What kind of thing a body belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BodyKind {
    /// A function: its item.
    Function(ItemId),
    /// A closure, in this body.
    Closure(BodyId),
    /// `async { … }`, in this body. The body of an `async fn` is of kind `Function`.
    AsyncBlock(BodyId),
    /// The value of a constant or static: its item.
    Const(ItemId),
}

/// A body as a control-flow graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// What it belongs to.
    pub kind: BodyKind,
    /// `async move`, `move |…|`.
    pub is_move: bool,
    /// `async |…|`, or a closure whose whole body is an `async` block is *not* this: that has a body of its own.
    pub is_async: bool,
    /// From the first token to the last: for a function its block, for a closure with its head.
    pub span: Span,
    /// The braces round its code, where there are any.
    pub block: Option<Span>,
    /// The scope paths of the body's top level are resolved in.
    pub scope: ScopeId,
    /// Parameters: each a fresh local that the entry block takes apart if a pattern is written.
    pub params: Vec<LocalId>,
    /// Outer names used: the enclosing body's local, and this body's stand-in for it.
    pub captures: Vec<(LocalId, LocalId)>,
    /// A closure's written result type.
    pub ret: Option<TypeRef>,
    /// Names and temporaries.
    pub locals: Vec<Local>,
    /// Block 0 is the entry.
    pub blocks: Vec<Block>,
    /// Loops, outer before inner.
    pub loops: Vec<Loop>,
    /// Within test code.
    pub test: bool,
}

impl Body {
    /// The block with this index, if it is of this body.
    pub fn block(&self, id: BlockId) -> Option<&Block> {
        self.blocks.get(id.index())
    }

    /// The local with this index, if it is of this body.
    pub fn local(&self, id: LocalId) -> Option<&Local> {
        self.locals.get(id.index())
    }

    /// The local's place in the source; for a temporary, its expression.
    pub fn local_span(&self, id: LocalId) -> Span {
        self.local(id).map_or(Span::default(), |local| local.span)
    }
}

/// A variable or temporary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Local {
    /// None for a temporary.
    pub name: Option<Name>,
    /// The name in its pattern; for a temporary, the expression it holds.
    pub span: Span,
    /// As written: `let x: T`, a parameter's type.
    pub ty: Option<TypeRef>,
    /// Where it comes from.
    pub kind: LocalKind,
    /// `mut`.
    pub mutable: bool,
}

/// Where a local comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LocalKind {
    /// A parameter as a whole (named only if its pattern is a plain name).
    Param,
    /// A name bound by `let`, `match`, a parameter's pattern and so on.
    Binding,
    /// A stand-in for an outer body's local.
    Capture,
    /// The value of an expression.
    Temp,
}

/// A loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loop {
    /// What kind of loop.
    pub kind: LoopKind,
    /// The keyword.
    pub keyword: Span,
    /// The whole expression.
    pub span: Span,
    /// A `while` loop's condition.
    pub condition: Option<Span>,
    /// The block a new turn begins with.
    pub head: BlockId,
    /// The enclosing loop of the same body.
    pub parent: Option<LoopId>,
}

/// Which keyword a loop has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoopKind {
    /// `loop`.
    Loop,
    /// `while`, `while let`.
    While,
    /// `for`.
    For,
}

/// Operations in a row, and where they lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// In order.
    pub ops: Vec<Op>,
    /// What follows.
    pub end: Terminator,
    /// The innermost loop the block is part of.
    pub in_loop: Option<LoopId>,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Op {
    /// The expression or statement it stands for.
    pub span: Span,
    /// Where the value goes; none for operations without a value.
    pub dest: Option<LocalId>,
    /// What is done.
    pub kind: OpKind,
}

/// A place: a local, and the way from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Where it starts.
    pub base: LocalId,
    /// The steps.
    pub path: Vec<Step>,
}

impl Place {
    /// The place that is a local as a whole.
    pub fn local(base: LocalId) -> Place {
        Place { base, path: Vec::new() }
    }

    /// The place one step further.
    pub fn then(mut self, step: Step) -> Place {
        self.path.push(step);
        self
    }
}

/// One step of a place. References and smart pointers are stepped through without a word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Step {
    /// `.name`, `.0`.
    Field(Name),
    /// A field of an enum's variant, reached in a pattern: the variant's name and the field's.
    Variant(Name, Name),
    /// `*x`.
    Deref,
    /// `x[i]`, or an element matched in a slice pattern, or the item a `for` loop yields.
    Index,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OpKind {
    /// Reads a place by value: a move, or a copy where the type is `Copy`.
    Use(Place),
    /// `&place`, `&mut place`, `ref x` in a pattern.
    Ref(Place, Mutability),
    /// Writes `value` into a place that is not a fresh local: `x = v`, `self.f = v`, `*p = v`.
    Assign {
        /// Where to.
        place: Place,
        /// What.
        value: LocalId,
    },
    /// `place op= value`.
    AssignOp {
        /// Where to.
        place: Place,
        /// What.
        value: LocalId,
    },
    /// A literal.
    Lit(Lit),
    /// A path that is no local: function, constant, static, unit struct, variant.
    Path(PathRef),
    /// `callee(args)`.
    Call {
        /// What is called.
        callee: Callee,
        /// In order.
        args: Vec<LocalId>,
    },
    /// `receiver.name::<types>(args)`. The receiver is a place, not yet moved or borrowed: that
    /// depends on the method.
    MethodCall {
        /// The receiver.
        receiver: Place,
        /// The method.
        name: Name,
        /// The method's name alone.
        name_span: Span,
        /// Turbofish.
        types: Vec<TypeRef>,
        /// In order, without the receiver.
        args: Vec<LocalId>,
    },
    /// `Path { field: value, ..base }`; also a struct-like variant.
    Struct {
        /// The type or variant.
        path: PathRef,
        /// Fields given.
        fields: Vec<(Name, LocalId)>,
        /// `..base`.
        base: Option<Place>,
    },
    /// `(a, b)`; the unit value is the empty tuple.
    Tuple(Vec<LocalId>),
    /// `[a, b]`, `[a; n]`, `vec![a, b]`.
    Array(Vec<LocalId>),
    /// A closure or an `async` block as a value; its captures are read when it is made.
    Closure(BodyId),
    /// `value.await`.
    Await(LocalId),
    /// `left op right`, the lazy operators apart (those are branches).
    Binary(BinaryOp, LocalId, LocalId),
    /// `!x`, `-x`.
    Unary(UnaryOp, LocalId),
    /// `x as T`.
    Cast(LocalId, TypeRef),
    /// A macro that only looks at its arguments: `format!`, `println!`, `assert!`'s message, `info!`, `dbg!`'s print.
    Inspect {
        /// The macro's path.
        path: PathRef,
        /// What it looks at, inline captures of format strings included.
        args: Vec<LocalId>,
    },
    /// A macro nobody knows: anything may happen to what it mentions.
    Unknown {
        /// The macro's path; none for syntax that is not modelled.
        path: Option<PathRef>,
        /// Locals whose names occur in its tokens.
        mentions: Vec<Place>,
        /// Other identifiers in its tokens, as paths.
        paths: Vec<PathRef>,
    },
    /// A `_` in a pattern leaves this place where it is; the op's span is the `_`. Only within a
    /// pattern that takes a temporary apart.
    Wild(Place),
    /// The end of life of named locals, in the order they are dropped. On every way out of a scope
    /// there is one, with the way out told.
    EndScope {
        /// In drop order.
        locals: Vec<LocalId>,
        /// Why.
        exit: Exit,
    },
    /// The end of a statement: temporaries `from..to` that still own something are dropped.
    EndTemps {
        /// First temporary.
        from: LocalId,
        /// One past the last.
        to: LocalId,
        /// How the statement threw its value away, if it did.
        discard: Discard,
    },
}

/// Why a scope ends; the op's span is that of the `return`, `?`, `break`, or of the closing brace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Exit {
    /// Control reaches the end of the block.
    End,
    /// `return`.
    Return,
    /// `?`.
    Question,
    /// `break`.
    Break,
    /// `continue`.
    Continue,
}

/// How a statement threw its value away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Discard {
    /// It did not: only intermediate values end here.
    No,
    /// `let _ = value;`, `let _: T = value;` with the span of the `_`.
    LetWild(Span),
    /// `_ = value;` with the span of the `_`.
    AssignWild(Span),
    /// `value;`
    Statement,
}

/// What a call calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Callee {
    /// A path that is no local.
    Path(PathRef),
    /// A value.
    Value(Place),
}

/// A literal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Lit {
    /// `"text"`.
    Str(String),
    /// `b"text"`.
    ByteStr,
    /// `c"text"`.
    CStr,
    /// A number without a point; none if it does not fit.
    Int(Option<u64>),
    /// A number with a point.
    Float,
    /// `true`, `false`.
    Bool(bool),
    /// `'c'`, `b'c'`.
    Char,
}

/// Operators that evaluate both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BinaryOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `*`
    Mul,
    /// `a..b`, `a..=b` and their open forms.
    Range,
    /// Other arithmetic, bits.
    Other,
}

/// Operators with one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnaryOp {
    /// `!x`
    Not,
    /// `-x`
    Neg,
}

/// Where control goes after a block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Terminator {
    /// On to this block.
    Goto(BlockId),
    /// On the value of a condition: `if`, `while`, match guards, `&&`, `||`.
    If {
        /// A boolean.
        condition: LocalId,
        /// Where to if true.
        then: BlockId,
        /// Where to if false.
        other: BlockId,
    },
    /// On whether a place matches one refutable step of a pattern: `match`, `if let`, `let else`, `?`.
    Match {
        /// What is looked at.
        place: Place,
        /// What is asked.
        test: Test,
        /// Where to if it matches.
        then: BlockId,
        /// Where to if not.
        other: BlockId,
        /// The pattern.
        span: Span,
    },
    /// On which of several futures is ready first: `select!`.
    Select {
        /// The arms.
        arms: Vec<Arm>,
        /// The `else` arm.
        other: Option<BlockId>,
        /// The macro's name.
        span: Span,
    },
    /// Out of the body with a value; scopes have ended before.
    Return(LocalId),
    /// Control does not get here: after a call that diverges, `panic!`, `unreachable!`, a `loop` that never ends.
    Diverge,
}

/// An arm of `select!`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// The future.
    pub future: LocalId,
    /// Receives the future's output at the start of `block`.
    pub output: LocalId,
    /// The arm's handler.
    pub block: BlockId,
    /// The handler's expression, empty if it does nothing.
    pub body_span: Span,
    /// Guarded by `, if cond`.
    pub guarded: bool,
}

/// One refutable step of a pattern.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Test {
    /// `Some(..)`, `Err(..)`, `State::Done { .. }`, `None`, a constant in path form.
    Variant(PathRef),
    /// `"GET"`, `0`.
    Lit(Lit),
    /// The truth of `?`: the place is `Ok`/`Some`/`Continue`.
    Success,
    /// A further turn of a `for` loop: there is a next item.
    Next,
    /// Ranges, slices and others: may match or not.
    Other,
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
