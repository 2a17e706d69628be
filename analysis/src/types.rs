//! Types as far as they are written.

mod resolve;
mod subst;
mod text;

use smol_str::SmolStr;

use crate::facts::{BodyId, ItemId};
use crate::source::FileId;

pub use subst::{Substitution, unify};

/// An item of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefId {
    /// Its file.
    pub file: FileId,
    /// Its place in the file's items.
    pub item: ItemId,
}

/// A body of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BodyRef {
    /// Its file.
    pub file: FileId,
    /// Its place in the file's bodies.
    pub body: BodyId,
}

/// A type. What is not written or not understood is [`Ty::Unknown`], which is equal to nothing and
/// has no role: rules are silent about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ty {
    /// Not known.
    #[default]
    Unknown,
    /// `!`.
    Never,
    /// A struct, enum or union.
    Adt(TyCon, Vec<Ty>),
    /// `&T`, `&mut T`.
    Ref(Box<Ty>, bool),
    /// A tuple; the unit type is the empty one.
    Tuple(Vec<Ty>),
    /// `[T]`, `[T; N]`.
    Slice(Box<Ty>),
    /// `str`, `u8`, `bool`, …; `integer` and `float` for literals without a suffix.
    Prim(SmolStr),
    /// A type parameter: the item whose generics declare it, and its name.
    Param(DefId, SmolStr),
    /// `Self` in a trait.
    SelfOf(DefId),
    /// `impl A + B`, `dyn A + B`.
    Bounds(Vec<Bound>),
    /// A function's own type, as a value.
    Fn(DefId),
    /// A function of a library, as a value: its canonical path.
    ExternalFn(SmolStr),
    /// The constructor of a tuple struct or variant, as a value: the type it makes.
    Constructor(Box<Ty>),
    /// `fn(A) -> B`.
    FnPtr(Vec<Ty>, Box<Ty>),
    /// A closure.
    Closure(BodyRef),
    /// A future of a function or `async` block of this program, or of a library's: its output.
    Future(Box<Ty>),
}

/// What a type is made by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TyCon {
    /// An item of the program.
    Def(DefId),
    /// A library's: its canonical path (`std::option::Option`).
    External(SmolStr),
}

/// A bound on an opaque type or parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// A trait with its arguments and associated types.
    Trait(TyCon, Vec<Ty>, Vec<(SmolStr, Ty)>),
    /// `Fn(A) -> B` and its kin.
    Fn(Vec<Ty>, Box<Ty>),
    /// `Future<Output = T>`.
    Future(Box<Ty>),
}

/// What a call or a path in a body turns out to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// Not known: anything may happen.
    #[default]
    Unknown,
    /// A function of the program with a body or signature. For a trait's method called on a type that is known:
    /// the method of its impl; called through a bound or `dyn`: the trait's own.
    Def(DefId),
    /// A function of a library by canonical path: `tokio::spawn`, `std::option::Option::map`.
    /// Its model, if it has one, is `models.function(path)`.
    External(SmolStr),
    /// A model's function reached by a method of a trait on a type: the canonical path of the trait's method.
    TraitMethod(SmolStr),
    /// The constructor of a tuple struct or variant: the variant's or struct's name, and what it makes.
    Constructor(SmolStr, Box<Ty>),
    /// A closure of the same file.
    Closure(BodyId),
    /// A constant or static of the program.
    Value(DefId),
}
