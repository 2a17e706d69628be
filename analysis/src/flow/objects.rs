//! What a body owns and looks after: handles, guards, tasks and what holds them.

use std::sync::Arc;

use smol_str::SmolStr;

use crate::facts::Name;
use crate::model::OnDrop;
use crate::types::{BodyRef, DefId};

use super::value::{Ctx, InputPath, ObjId, Site, Uses, Val};

/// An object: what a site makes, the same in every world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: ObjKind,
    /// The call that made it; through a helper of the program, the call of the helper.
    pub site: Site,
    /// The call's name alone.
    pub name_site: Site,
    /// The variable it was first bound to: its name and place.
    pub name: Option<(Name, Site)>,
    /// The model's path of the function that made it.
    pub made_by: SmolStr,
    /// The places within helpers where it was really made, outermost first.
    pub via: Vec<Site>,
    /// The `_` it was left to in a pattern.
    pub wild: Option<Site>,
    /// The field of a struct of the program in which it came out of a helper.
    pub in_struct: Option<(DefId, Name)>,
}

/// What an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjKind {
    /// A cancel handle of this context.
    Handle(Option<Ctx>),
    /// A guard of this context, or of something else.
    Guard {
        /// The context it ends.
        ctx: Option<Ctx>,
        /// The handle it is made of, where the body is given that: its callers know the context.
        of: Option<InputPath>,
        /// What dropping it does, in the model's words.
        on_drop: OnDrop,
    },
    /// A registered callback.
    Stop,
    /// A task.
    Task(Arc<Task>),
    /// A set of tasks.
    TaskSet(OnDrop),
    /// A group, with its own context.
    Group(Option<Ctx>),
    /// The sending end of a channel.
    Sender,
    /// The receiving end of the channel whose sending end is this one.
    Receiver(ObjId),
    /// A point at which tasks wait for each other.
    Meeting,
    /// What can abort this task, and neither waits for it nor gives its result.
    Aborter(ObjId),
}

/// Work that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The spawning call's name: `tokio::spawn`.
    pub site: Site,
    /// The whole call.
    pub call: Site,
    /// The library's function that starts it.
    pub spawner: SmolStr,
    /// Whether it can outlive its spawner when nobody waits for it.
    pub outlives: bool,
    /// What dropping its handle does.
    pub on_drop: OnDrop,
    /// The contexts it works on, and what it does with them.
    pub contexts: Vec<TaskCtx>,
    /// The channels it sends into, and the points at which it may meet others.
    pub senders: Vec<ObjId>,
    /// The inputs that go into it: its spawner's callers know whether they are such.
    pub given: Vec<InputPath>,
    /// The set it is part of.
    pub set: Option<ObjId>,
    /// What is known of the set's owner.
    pub owner: Owner,
    /// The set, where the body is given it: its callers know whose it is.
    pub lent: Option<InputPath>,
    /// The bodies that run as part of it: closures and `async` blocks made for it.
    pub bodies: Vec<BodyRef>,
    /// Parts of the work that the body's callers know more of: inputs, what calling them gives, and
    /// either under a limit of time.
    pub pending: Vec<Val>,
}

impl Task {
    pub(super) fn add_pending(&mut self, work: &Val) {
        if !self.pending.contains(work) {
            self.pending.push(work.clone());
        }
    }
}

/// Who owns the set a task is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The task is part of no set.
    Nobody,
    /// A set made in this body.
    Local,
    /// A set that is given to the body, or kept in a field.
    Outside,
    /// A group or pool that waits for its work.
    Group,
}

/// A context in a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskCtx {
    /// The context, as the spawner sees it.
    pub ctx: Ctx,
    /// What the task does with it before detaching it.
    pub uses: Uses,
    /// It comes to the task through a channel.
    pub received: bool,
}
