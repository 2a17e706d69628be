//! What a flow tells rules.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::facts::{Discard, Exit, LoopId, Name};
use crate::model::{FnRole, OnDrop};
use crate::types::BodyRef;

use super::fields::FieldName;
use super::kept::Kept;
use super::value::{Ctx, InputPath, ObjId, ObjKind, Object, Owner, Site, Task, TaskCtx, Uses, Val};
use super::world::{TaskState, Use};

/// A body's flow.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Whose.
    pub body: BodyRef,
    /// The objects it makes or gets from its callees.
    pub objects: BTreeMap<ObjId, Object>,
    /// Ways on which a handle goes unused.
    pub losses: BTreeMap<ObjId, BTreeSet<Loss>>,
    /// What is done with objects on any way.
    pub used: BTreeMap<ObjId, BTreeSet<Use>>,
    /// What happens where, in the order of the blocks and operations.
    pub events: Vec<Event>,
    /// Calls of bodies of the program, closures included, with what they are given.
    pub calls: Vec<Call>,
    /// The objects at which it waits for something: points at which tasks meet.
    pub waited_at: BTreeSet<ObjId>,
    /// What has become of the tasks it starts, on each way out.
    pub tasks: BTreeMap<ObjId, BTreeSet<TaskState>>,
    /// What is done with the roots it makes, those that are their own handles too.
    pub roots: BTreeMap<ObjId, Uses>,
    /// Contexts that are their own handles and that callees made and gave it.
    pub from_callees: BTreeMap<ObjId, FromCallee>,
    /// Roots that are one of two contexts to choose from.
    pub chosen: BTreeSet<ObjId>,
    /// Ways through the body were joined, so that some of what happens is not told.
    pub joined: bool,
    /// Closures and `async` blocks that only replace a missing context, or that run once for the process.
    pub replacing: BTreeSet<BodyRef>,
    /// Roots that only replace a missing context.
    pub replacements: BTreeSet<ObjId>,
    /// What it does with fields that keep tokens.
    pub kept: Kept,
    /// Fields it reads and does something with; without a struct where that is not known.
    pub fields_used: BTreeSet<FieldName>,
    /// The bodies of whose doings it depends, each with whether they were known; none if it depends on
    /// how often a circle of calls was gone round.
    pub(crate) asked: Option<Vec<Asked>>,
}

/// Where something comes from that a callee made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromCallee {
    /// The callee's name in the call.
    pub site: Site,
    /// A context that may be missing is missing here, on all ways.
    pub missing: bool,
    /// What it is to the callees that may have made it.
    pub made: BTreeSet<(BodyRef, ObjId)>,
}

/// A body whose summary was asked for, and whether it was known.
pub(crate) type Asked = (BodyRef, bool);

impl Flow {
    /// Whether anything is done with an object.
    fn is_used(&self, id: ObjId) -> bool {
        self.used.get(&id).is_some_and(|uses| !uses.is_empty())
    }

    /// Whether a task goes on after its spawner, with nobody waiting for it or able to abort it.
    pub(crate) fn outlives(&self, id: ObjId, task: &Task) -> bool {
        let aborts = |(at, object): (&ObjId, &Object)| object.kind == ObjKind::Aborter(id) && self.is_used(*at);
        self.is_left(id, task) && !self.objects.iter().any(aborts)
    }

    /// Whether what is in a set ends before the set's owner does, or somebody else may wait for it.
    pub(crate) fn keeps(&self, set: ObjId) -> bool {
        let set = ObjId { old: false, ..set };
        let aborts = matches!(self.objects.get(&set).map(|o| &o.kind), Some(ObjKind::TaskSet(OnDrop::Abort)));
        aborts || self.is_used(set)
    }

    /// Whether this body may wait for whoever has the sending end of a channel, or for whoever comes to a point at which
    /// tasks meet.
    pub(crate) fn waits_at(&self, id: ObjId) -> bool {
        let receives =
            |(at, object): (&ObjId, &Object)| object.kind == ObjKind::Receiver(id.made()) && self.is_used(*at);
        self.waited_at.contains(&id.made()) || self.objects.iter().any(receives)
    }

    /// Whether a task goes on after its spawner, with nobody waiting for it.
    pub fn is_left(&self, id: ObjId, task: &Task) -> bool {
        if self.is_used(id) {
            return false;
        }
        if task.senders.iter().any(|sender| self.waits_at(*sender)) {
            return false;
        }
        match (task.owner, task.set) {
            (Owner::Group, _) => false,
            (Owner::Outside, _) => true,
            (Owner::Local, Some(set)) => !self.keeps(set),
            _ => task.outlives && !matches!(task.on_drop, OnDrop::Abort | OnDrop::Cancel),
        }
    }
}

/// A way on which a handle goes unused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loss {
    /// Where.
    pub site: Site,
    /// How.
    pub how: LossKind,
}

/// How a handle goes unused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossKind {
    /// Its scope ends.
    Exit(Exit),
    /// The statement that makes it throws it away.
    Discarded,
    /// `drop(handle)`.
    Dropped,
    /// `mem::forget(handle)`.
    Forgotten,
    /// Its variable is given another value.
    Overwritten,
    /// It is handed to something that does nothing with it.
    Ignored,
}

/// Something happens, seen from each world that gets there.
#[derive(Clone, Debug)]
pub struct Event {
    /// The operation.
    pub block: u32,
    /// The operation.
    pub op: u32,
    /// Where the rule's finding points: a method's or function's name, an expression.
    pub site: Site,
    /// The whole expression.
    pub whole: Site,
    /// The innermost loop.
    pub in_loop: Option<LoopId>,
    /// One for each world.
    pub seen: Vec<Seen>,
}

/// What one world sees.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// A function with a role is applied to a context.
    Context {
        /// The role.
        role: FnRole,
        /// The function's canonical path.
        path: SmolStr,
        /// The context, if it is known.
        ctx: Option<Ctx>,
        /// The context, or one it ends with, is certainly done.
        done: bool,
        /// It was asked whether it can end, and can.
        can_end: bool,
        /// Where the function's value goes: into nothing, when it is not a value.
        value: Val,
    },
    /// A root is made.
    Root {
        /// Its object.
        id: ObjId,
        /// It is its own handle, and can be cancelled.
        own: bool,
        /// It is a placeholder.
        placeholder: bool,
        /// A context that may be missing is missing here.
        missing: bool,
        /// Some context is certainly done here.
        after_done: bool,
        /// Another context that is at hand here under a name, and is no root itself.
        at_hand: Option<Name>,
    },
    /// A guard is thrown away.
    GuardDropped {
        /// Its object.
        id: ObjId,
        /// How.
        discard: Discard,
    },
    /// A task is started.
    Spawn {
        /// Its object.
        id: ObjId,
    },
    /// A context is handed on.
    Passed {
        /// To a function of this name, if it has one.
        to: Option<Name>,
        /// The context.
        ctx: Ctx,
        /// What that does with it.
        uses: Uses,
        /// It is certainly done.
        done: bool,
    },
    /// A request's context is replaced by this one for the rest of the chain.
    Replaced {
        /// The new one.
        ctx: Ctx,
    },
    /// A function that takes no context is called that does its work under a root of its own.
    Chain {
        /// The calls from here to the root, and the root.
        way: Vec<Site>,
        /// The body that makes the root.
        root: BodyRef,
    },
    /// An arm of `select!` waits for a context's end.
    Arm {
        /// The context.
        ctx: Ctx,
        /// The arm's block.
        block: u32,
        /// It was done before, when the arm was last taken: it stays ready for ever.
        again: bool,
        /// It has a precondition.
        guarded: bool,
        /// Then every way from it leads to the next turn of the loop, by what is known of values there.
        stays: bool,
    },
    /// A context is derived.
    Derived {
        /// The new one.
        ctx: Ctx,
    },
    /// A place is given a context that derives from the one it held.
    Grows {
        /// The one it held.
        ctx: Ctx,
        /// The place's local.
        local: u32,
        /// It is the very context that grows, not one made of it.
        direct: bool,
    },
    /// Another service is called.
    Outbound {
        /// The context that is at hand there, if there is one.
        ctx: Option<Ctx>,
    },
    /// A handle is cancelled by name.
    Cancelled {
        /// The handle.
        id: ObjId,
    },
    /// Work that serves several callers at once is given.
    Flight {
        /// The contexts it works on.
        contexts: Vec<TaskCtx>,
        /// Who shares it, if the body was given that.
        table: Option<InputPath>,
    },
    /// A value is given a key.
    Key {
        /// The argument's local.
        local: u32,
        /// Whether a value is written.
        written: bool,
    },
}

/// A call of a body of the program.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The body called.
    pub callee: BodyRef,
    /// The callee's name.
    pub site: Site,
    /// What it is given: captures, then arguments.
    pub inputs: Vec<Val>,
    /// How.
    pub kind: CallKind,
    /// A context is certainly done there: what is called cleans up.
    pub after_end: bool,
}

/// How a body is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// By a call or an `.await`.
    Direct,
    /// As a task.
    Task,
    /// It is made and handed on: a closure or future given to something out of sight.
    Made,
}
