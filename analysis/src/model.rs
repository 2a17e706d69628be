//! What is known of libraries: their types and functions in terms of roles.
//!
//! A model is one TOML file. Nothing in the analysis or in a rule names a crate, a type or a method:
//! whatever a library means is said here, and users say the same of their own types in their
//! configuration. Paths are canonical (where the item is declared, as users write it most often);
//! `also` lists further paths of the same item, and [`Model::reexport`] whole modules that stand
//! elsewhere. A path may end in a group, `std::option::Option::{is_some, is_none}`, and then stands
//! for several items that are alike.

mod builtin;
mod shape;
mod table;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use shape::Shape;
pub(crate) use table::expand;
pub(crate) use table::last_segment;
pub use table::{ModelError, Models};

/// One library.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Model {
    /// The library's name, for messages.
    pub name: String,
    /// The package that makes up the library, where it is not named as the library is: a crate of the
    /// workspace is the modelled one only if both names agree.
    #[serde(default)]
    pub package: Option<String>,
    /// What code that matters contains. A model that has none never makes a file matter by itself: it
    /// knows no contexts or guards, only a framework or runtime.
    #[serde(default)]
    pub words: Vec<String>,
    /// Modules that are re-exported elsewhere.
    #[serde(default)]
    pub reexport: Vec<Reexport>,
    /// Its types.
    #[serde(default, rename = "type")]
    pub types: Vec<TypeModel>,
    /// Its functions, methods and associated functions.
    #[serde(default, rename = "fn")]
    pub functions: Vec<FnModel>,
    /// Its attributes.
    #[serde(default, rename = "attribute")]
    pub attributes: Vec<AttributeModel>,
    /// Its traits.
    #[serde(default, rename = "trait")]
    pub traits: Vec<TraitModel>,
    /// Functions of the program that are handlers, by path; `shop::api::*` names all below.
    #[serde(default)]
    pub handlers: Vec<String>,
}

impl Model {
    /// Whether it can make a file matter by itself.
    pub(crate) fn matters(&self) -> bool {
        !self.words.is_empty() || self.types.iter().any(|ty| !ty.context_fields.is_empty())
    }

    /// The libraries whose names its paths begin with.
    pub(crate) fn libraries(&self) -> impl Iterator<Item = &str> {
        let types = self.types.iter().flat_map(|ty| std::iter::once(&ty.path).chain(&ty.also));
        let functions =
            self.functions.iter().flat_map(|function| std::iter::once(&function.path).chain(&function.also));
        let elsewhere = self.reexport.iter().map(|reexport| &reexport.from);
        let paths = types.chain(functions).chain(elsewhere);
        paths.map(|path| path.split("::").next().unwrap_or(path)).chain([self.name.as_str()])
    }
}

/// `axum::http` is `http`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reexport {
    /// A path prefix as users write it.
    pub from: String,
    /// The canonical path it stands for.
    pub to: String,
}

/// A type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TypeModel {
    /// Canonical path.
    pub path: String,
    /// Further paths.
    #[serde(default)]
    pub also: Vec<String>,
    /// What it is.
    pub role: TypeRole,
    /// For `role = "context"`: it is its own cancel handle (`CancellationToken`).
    #[serde(default)]
    pub own_handle: bool,
    /// What dropping it does.
    #[serde(default)]
    pub on_drop: OnDrop,
    /// Fields that hold a context, for requests and extractors.
    #[serde(default)]
    pub context_fields: Vec<String>,
    /// The types of its public fields; `"*"` stands for what it dereferences to.
    #[serde(default)]
    pub fields: BTreeMap<String, Shape>,
    /// What a `for` loop over it yields, where that is not what it holds (a map's pairs).
    #[serde(default)]
    pub items: Option<Shape>,
    /// For collections: what it holds can be changed through a shared reference. For pointers: their clones
    /// lead to the same.
    #[serde(default)]
    pub shared: bool,
    /// For what makes a handler: handlers get a reference to it. Otherwise they get it by value, and
    /// a function that takes a reference is a helper.
    #[serde(default)]
    pub by_ref: bool,
    /// For `role = "request"`: a parameter of this type alone makes a function a handler.
    #[serde(default)]
    pub strong: bool,
    /// For `role = "request"`: it does if its first argument is one of these types (a server's body).
    #[serde(default)]
    pub strong_with: Vec<String>,
    /// For `role = "request"`: it does for a method whose result holds this type (`tonic::Response`).
    #[serde(default)]
    pub strong_returns: Option<String>,
    /// For extractors and wrappers: the type argument that it holds and yields as field `0`.
    #[serde(default)]
    pub holds: Option<usize>,
    /// What kind of process-lived thing it is (`"database pool"`), for `role = "process"`; for what
    /// makes a handler the library it is of, where the path does not begin with it.
    #[serde(default)]
    pub what: Option<String>,
}

/// What a type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TypeRole {
    /// A context.
    Context,
    /// A cancel handle.
    Handle,
    /// Ends something when dropped.
    Guard,
    /// Takes a callback back.
    Stop,
    /// A spawned task: awaiting or joining it waits for its end.
    Task,
    /// Owns several tasks.
    TaskSet,
    /// A group with a context of its own.
    Group,
    /// A server's request; a parameter of this type makes a function a handler if `strong` frameworks say so by signature.
    Request,
    /// A parameter of this type makes a function a handler; what is in it comes from the request.
    Extractor,
    /// A parameter of this type makes a function a handler; what is in it belongs to the server.
    ServerOwned,
    /// The rest of a middleware chain: a parameter of this type makes a function middleware (and a handler).
    Next,
    /// A wrapper that is looked through: `Box`, `Arc`, `Pin`, `MutexGuard` …; `holds` names the argument (default 0).
    Pointer,
    /// `Option`, `Result`, `Poll`: may hold its argument.
    Maybe,
    /// A collection of its argument.
    Collection,
    /// A key of text.
    Text,
    /// A key made of built-in things.
    Primitive,
    /// Lives as long as the process.
    Process,
    /// The receiving or sending half of a channel.
    Channel,
    /// The error that says that a context has ended.
    End,
    /// A duration or instant.
    Time,
    /// Nothing that matters by itself; so too a type of the same name as a context that must never be
    /// taken for one.
    Other,
}

impl TypeRole {
    /// Whether a value of the type is a context, comes with one, or ends with one.
    pub(crate) fn is_of_contexts(self) -> bool {
        self.is_owned_with_care()
            || matches!(self, TypeRole::Request | TypeRole::Extractor | TypeRole::Next | TypeRole::Process)
    }

    /// Whether it matters where a value of the type goes and who drops it.
    pub(crate) fn is_owned_with_care(self) -> bool {
        matches!(
            self,
            TypeRole::Context
                | TypeRole::Handle
                | TypeRole::Guard
                | TypeRole::Stop
                | TypeRole::Task
                | TypeRole::TaskSet
                | TypeRole::Group
        )
    }
}

/// What dropping a value does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDrop {
    /// Nothing that matters.
    #[default]
    Nothing,
    /// Cancels its context, or ends its span.
    Cancel,
    /// Lets the task run on.
    Detach,
    /// Aborts the task or tasks.
    Abort,
}

/// A function, method or associated function. Arguments are counted from 0, a receiver included.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FnModel {
    /// Canonical path; a method's is `crate::Type::method` (or `crate::Trait::method`).
    pub path: String,
    /// Further paths of the same function.
    #[serde(default)]
    pub also: Vec<String>,
    /// For a trait's method: the types (canonical paths) it is to be known on; `"*"` for any.
    #[serde(default)]
    pub on: Vec<String>,
    /// What it does.
    pub role: FnRole,
    /// The argument with the parent context, the wrapped value, the closure's subject. Default 0.
    #[serde(default)]
    pub subject: usize,
    /// Where the result has the context: none for the whole result, else the tuple position.
    #[serde(default)]
    pub context: Option<usize>,
    /// The tuple position of the handle in the result.
    #[serde(default)]
    pub handle: Option<usize>,
    /// For derivations: what ends the new context besides its parent. For waiting operations: what
    /// ends the wait in any case.
    #[serde(default)]
    pub bound: Bound,
    /// The argument with the duration or deadline.
    #[serde(default)]
    pub time: Option<usize>,
    /// The argument with the key.
    #[serde(default)]
    pub key: Option<usize>,
    /// A value of any comparable type can be the key.
    #[serde(default)]
    pub any_key: bool,
    /// The argument with the stored value.
    #[serde(default)]
    pub value: Option<usize>,
    /// The argument with the other context (`reparent`'s owner, `merge`'s second side).
    #[serde(default)]
    pub other: Option<usize>,
    /// The arguments with the work, closure, callback or handler.
    #[serde(default)]
    pub work: Vec<usize>,
    /// For what runs several pieces of work: the first that ends ends it, and the others are given up.
    #[serde(default)]
    pub first: bool,
    /// For spawns: whether the work can outlive the caller. Default true.
    #[serde(default = "yes")]
    pub outlives: bool,
    /// For spawns: what dropping the returned value does.
    #[serde(default)]
    pub on_drop: OnDrop,
    /// The result's type where it matters and does not follow from the role.
    #[serde(default)]
    pub returns: Option<Shape>,
    /// What the arguments are, in their order and a receiver included, where what is written at the call says it:
    /// `with_value::<String, _>(Default::default(), ..)`.
    #[serde(default)]
    pub takes: Vec<Shape>,
    /// What the closures in `work` are given, where that does not follow from the role.
    #[serde(default)]
    pub gives: Vec<Shape>,
    /// `work` runs once for each item of what `subject` holds.
    #[serde(default)]
    pub each: bool,
    /// For routes: what the handlers are given may be the server's as well as the request's.
    #[serde(default)]
    pub mixed: bool,
    /// For middleware: only where this argument of the closures in `work` is a request that a server may get.
    #[serde(default)]
    pub request: Option<usize>,
    /// For waiting operations: what they wait for may come much later or never, and nobody holds it.
    #[serde(default)]
    pub idle: bool,
    /// What it gives is there at once the first time it is waited for.
    #[serde(default)]
    pub first_at_once: bool,
    /// What `subject` holds can be written through the result, or is another after the call.
    #[serde(default)]
    pub writes: bool,
    /// It panics where `subject` holds nothing.
    #[serde(default)]
    pub panics: bool,
    /// For conversions: the function that a program's impl has for it, by its trait: `std::convert::From::from`.
    #[serde(default)]
    pub by: Option<String>,
    /// For waiting operations: what it waits for, in words ("a message").
    #[serde(default)]
    pub what: Option<String>,
}

fn yes() -> bool {
    true
}

/// What ends a derived context besides its parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// Nothing: it has its parent's life.
    #[default]
    None,
    /// A handle.
    Cancel,
    /// A timeout.
    Timeout,
    /// A deadline.
    Deadline,
    /// Another context.
    Merge,
}

/// What a function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FnRole {
    // Contexts.
    /// Makes a root.
    Root,
    /// Makes a root that is meant to be replaced.
    Placeholder,
    /// Makes a context that deliberately never ends.
    Never,
    /// Makes a context from `subject`; see `context`, `handle`, `bound`, `key`, `value`, `time`, `other`.
    Derive,
    /// Detaches `subject`.
    Detach,
    /// The values of `subject`, the life of `other`.
    Reparent,
    /// Gives the context of a request in `subject`.
    RequestContext,
    /// Gives some value out of a request in `subject`, a context if the turbofish or the result says so.
    RequestValue,
    /// Puts `value` into a request in `subject`.
    SetRequestValue,
    /// Reads a value under `key`.
    ReadValue,
    /// Registers `work` to run after the end of `subject`.
    Callback,
    /// Waits for the end of `subject`, blocking or as a future.
    Wait,
    /// Asks for the state of `subject`: done or not.
    IsDone,
    /// Asks for the state of `subject`: error, cause, deadline.
    State,
    /// Asks whether `subject` can end at all.
    CanEnd,
    /// Runs `work` until `subject` ends.
    Run,
    /// Sleeps or waits under `subject`.
    RunSelf,
    // Handles and guards.
    /// Cancels `subject`.
    Cancel,
    /// Turns `subject` into a guard.
    Guard,
    /// Borrows `subject` for a guard.
    GuardRef,
    /// Makes a guard of something that is no context: a span's `enter`.
    OtherGuard,
    /// Disarms a guard.
    Disarm,
    /// Takes a callback back.
    StopCallback,
    // Work.
    /// Starts `work`.
    Spawn,
    /// Calls `work` with a scope whose spawns end before it returns.
    Scope,
    /// Drives `work` to its end before it returns, or as part of the future it returns.
    Drive,
    /// Drives `work` once for all who ask for it meanwhile.
    Flight,
    /// The same as `Drive`, with a time limit.
    Timeout,
    /// Waits for tasks in `subject`.
    Join,
    /// Aborts the task in `subject`.
    Abort,
    /// Gives something that can abort the task in `subject`.
    AbortHandle,
    /// Aborts the task in `subject` when the result is dropped.
    AbortOnDrop,
    /// Lets what `subject` holds run on.
    DetachTask,
    /// Waits for something named in `what`; see the rules about blocking points.
    Waiting,
    // Handlers.
    /// Registers `work` as handlers.
    Route,
    /// Registers `work` as middleware.
    Middleware,
    // Plain values.
    /// Never returns.
    Exit,
    /// Drops `subject`.
    Drop,
    /// Forgets `subject`.
    Forget,
    /// The result holds `subject`: `Some`, `Box::new`, `Arc::new`.
    Wrap,
    /// A variant that holds nothing: `None`, `Pending`.
    Nothing,
    /// The result holds `subject`, or nothing.
    WrapMaybe,
    /// The result is `subject` itself: `into`, `clone` of a pointer, `Box::pin` apart.
    Same,
    /// A copy of `subject`: `clone`.
    Clone,
    /// The result is what `subject` holds, moved out: `unwrap`, `expect`.
    Inner,
    /// The result is what `subject` holds, or else the result of `work` or the value of `other`.
    InnerOr,
    /// A reference to what `subject` holds: `as_ref`, `lock().unwrap()`'s `lock`, `get`.
    Borrow,
    /// Moves out what `subject` holds and leaves nothing: `take`.
    Take,
    /// Puts `other` in `subject`'s place and gives what was there: `replace`.
    Replace,
    /// Exchanges what `subject` and `other` hold.
    Swap,
    /// Puts `other` in `subject`'s place: `insert`.
    Insert,
    /// Makes a collection that holds nothing.
    Empty,
    /// Adds to a collection, or sends into a channel.
    Push,
    /// Applies `work` to what `subject` holds and wraps the result: `map`.
    Map,
    /// Applies `work` to what `subject` holds, the result is its: `and_then`, `map_or`.
    AndThen,
    /// `subject`, or the result of `work` or the value of `other` where it holds nothing: `or_else`.
    OrElse,
    /// Applies `work` to a reference and gives `subject` back: `inspect`.
    Inspect,
    /// Looks at `subject` and changes nothing: `is_some`, `eq`, `fmt`.
    Look,
    /// Calls `work` once, now or later.
    Once,
    /// A channel: a pair of ends, or a further receiving end of the one in `subject`; with `value` in it
    /// from the start.
    Channel,
    /// Makes a point at which tasks wait for each other.
    Meeting,
    /// Makes a set of tasks.
    MakeTaskSet,
    /// Makes a group.
    MakeGroup,
    /// The current moment.
    Now,
    /// A length of time made of its argument.
    Duration,
    /// A call to another service, for rules about deadlines.
    Outbound,
    /// Tells of a failure: logs at error level, makes a server's error response.
    Failure,
}

impl FnModel {
    /// Of a question about something that may be missing or have failed: whether yes says that it is there.
    pub fn asks_success(&self) -> Option<bool> {
        match self.what.as_deref() {
            Some("success") => Some(true),
            Some("failure") => Some(false),
            _ => None,
        }
    }

    /// Whether it is asked if a context has ended.
    pub fn asks_for_end(&self) -> bool {
        self.role == FnRole::IsDone || (self.role == FnRole::State && self.what.as_deref() == Some("err"))
    }

    /// Whether what it gives is still to be awaited.
    pub fn returns_future(&self, models: &Models) -> bool {
        match &self.returns {
            // A future that is wrapped is still to be awaited.
            Some(Shape::Future(_) | Shape::Arg(_)) => true,
            Some(Shape::Named(path, _)) => models.ty(path).is_some_and(|model| model.fields.contains_key(".await")),
            _ => false,
        }
    }
}

impl FnRole {
    /// Whether the result is a context that ends with no other.
    pub(crate) fn makes_root(self) -> bool {
        matches!(self, FnRole::Root | FnRole::Placeholder | FnRole::Never | FnRole::Detach | FnRole::Reparent)
    }

    /// Whether it makes a context or guard out of what the caller has.
    pub(crate) fn makes_context(self) -> bool {
        self.makes_root()
            || matches!(
                self,
                FnRole::Derive
                    | FnRole::RequestContext
                    | FnRole::Guard
                    | FnRole::GuardRef
                    | FnRole::OtherGuard
                    | FnRole::MakeGroup
                    | FnRole::AbortOnDrop
            )
    }

    /// Whether it brings a context, handle or guard to those who had none.
    pub(crate) fn gives_context(self) -> bool {
        self.makes_context()
            || matches!(self, FnRole::RequestValue | FnRole::MakeTaskSet | FnRole::Wrap | FnRole::Callback)
    }

    /// Whether a function that does it is looked at wherever it has the context from: its callers must know that it
    /// does, or what else it does depends on it.
    pub(crate) fn is_of_interest(self) -> bool {
        let tells = matches!(self, FnRole::ReadValue | FnRole::Cancel | FnRole::Spawn | FnRole::Abort);
        let ends = matches!(self, FnRole::Wait | FnRole::IsDone | FnRole::State | FnRole::Run | FnRole::RunSelf);
        self.makes_context() || tells || ends
    }

    /// Whether its subject is a context, if it is not what it works on.
    pub(crate) fn is_given_context(self) -> bool {
        self.is_of_interest() || matches!(self, FnRole::MakeGroup | FnRole::Flight | FnRole::Drive)
    }
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeModel {
    /// Canonical path: `actix_web::get`.
    pub path: String,
    /// What it says of its item.
    pub role: AttributeRole,
    /// On a trait: the suffix of the trait it makes of it, which servers implement (`Server`).
    #[serde(default)]
    pub makes: Option<String>,
}

/// What an attribute says of its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttributeRole {
    /// The function, or each function of the impl or of impls of the trait, is a handler.
    Handler,
    /// The function is the program's entry: `tokio::main`.
    Main,
    /// The function is a test.
    Test,
}

/// Whether a type that implements a trait may hold a context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carries {
    /// The trait says nothing of it.
    #[default]
    No,
    /// It may: an extractor is one request's.
    Always,
    /// It may if it is private: a future is one task's.
    Private,
}

/// A trait.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TraitModel {
    /// Canonical path.
    pub path: String,
    /// Further paths.
    #[serde(default)]
    pub also: Vec<String>,
    /// Its methods that are handlers in every impl.
    #[serde(default)]
    pub handlers: Vec<String>,
    /// Its methods that are middleware in every impl.
    #[serde(default)]
    pub middleware: Vec<String>,
    /// Its `handlers` make the type from a request: a parameter of such a type makes a handler.
    #[serde(default)]
    pub extracts: bool,
    /// The argument of its `handlers` that is the server's.
    #[serde(default)]
    pub server: Option<usize>,
    /// Whether a type that implements it may hold a context.
    #[serde(default)]
    pub carries: Carries,
    /// Only where this type argument is a request that a server may get: clients implement it too.
    #[serde(default)]
    pub request: Option<usize>,
}
