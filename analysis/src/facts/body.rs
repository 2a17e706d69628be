//! Bodies as control-flow graphs.

use serde::{Deserialize, Serialize};

use super::{BlockId, BodyId, ItemId, LocalId, LoopId, Mutability, Name, PathRef, ScopeId, Span, TypeRef};

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

    /// The operation at this place in this block, if there is one.
    pub fn op(&self, block: u32, op: u32) -> Option<&Op> {
        self.blocks.get(block as usize)?.ops.get(op as usize)
    }

    /// A loop and those round it, inner first.
    pub fn loops_around(&self, inner: Option<LoopId>) -> impl Iterator<Item = LoopId> + '_ {
        std::iter::successors(inner, |at| self.loops.get(at.index()).and_then(|known| known.parent))
    }

    /// The local with this index, if it is of this body.
    pub fn local(&self, id: LocalId) -> Option<&Local> {
        self.locals.get(id.index())
    }

    /// The local that an input is given to: inputs are the captures, and behind them the parameters.
    pub fn input(&self, input: u32) -> Option<LocalId> {
        let given = self.captures.iter().map(|(_, local)| local).chain(&self.params);
        given.copied().nth(input as usize)
    }

    /// Where an input is declared; the body as a whole where it has no place of its own.
    pub fn input_span(&self, input: u32) -> Span {
        self.input(input).map_or(self.span, |local| self.local_span(local))
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
    pub ty: Option<Box<TypeRef>>,
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
        // Most ways have one step.
        self.path.reserve_exact(1);
        self.path.push(step);
        self
    }

    /// The same place through fields.
    pub(crate) fn along(mut self, fields: &[Name]) -> Place {
        self.path.extend(fields.iter().cloned().map(Step::Field));
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
    /// An element by its place: matched in a slice pattern with no `..` in front of it.
    Nth(u32),
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
        /// The names behind points in its tokens, those of methods apart.
        fields: Vec<Name>,
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
    /// A number with a point: whether it is zero.
    Float(bool),
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

impl Terminator {
    /// Where control may go from here.
    pub fn successors(&self) -> impl Iterator<Item = BlockId> + '_ {
        let (two, arms, other): ([Option<BlockId>; 2], &[Arm], _) = match self {
            Terminator::Goto(next) => ([Some(*next), None], &[], None),
            Terminator::If { then, other, .. } | Terminator::Match { then, other, .. } => {
                ([Some(*then), Some(*other)], &[], None)
            }
            Terminator::Select { arms, other, .. } => ([None, None], arms, *other),
            Terminator::Return(_) | Terminator::Diverge => ([None, None], &[], None),
        };
        two.into_iter().flatten().chain(arms.iter().map(|arm| arm.block)).chain(other)
    }
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
