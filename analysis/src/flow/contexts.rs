//! Contexts as a flow knows them: how each was made, and whose life it has.

use std::sync::Arc;

use crate::model::Bound;

use super::value::{InputPath, ObjId, Site, Val};

/// A context, as the tree of what it was derived from.
pub type Ctx = Arc<CtxNode>;

/// One context of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CtxNode {
    /// Which object it is; an old one is any of several that were made there.
    pub id: ObjId,
    /// Where it was made.
    pub site: Site,
    /// How it was made.
    pub kind: CtxKind,
}

/// How a context was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CtxKind {
    /// `background()`, or a placeholder.
    Root {
        /// `todo()`.
        placeholder: bool,
    },
    /// Made here, and its own handle: it ends when it is cancelled.
    Own,
    /// Taken from a request.
    Request,
    /// Owned by the server or the process: state, statics.
    Server,
    /// Given to the body.
    Input(InputPath),
    /// A field of `self` or of something else whose maker is not in view.
    Opaque,
    /// Derived.
    Derived {
        /// From what.
        parent: Ctx,
        /// What ends it besides.
        bound: Bound,
        /// The other side of a merge.
        other: Option<Ctx>,
        /// How long it has.
        time: Time,
    },
    /// The same context where it is known to have a deadline.
    Limited(Ctx),
    /// Detached.
    Detached(Ctx),
    /// The values of one, the life of the other (unknown if none).
    Reparented(Ctx, Option<Ctx>),
}

/// How long a context has from where it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Time {
    /// Nobody knows, or it has no bound of time.
    Unknown,
    /// A constant length, in nanoseconds; none where its deadline is this moment.
    Nanos(u128),
    /// What the body is given.
    Given(InputPath),
}

impl Time {
    /// What a value says.
    pub(super) fn of(value: &Val) -> Time {
        match value.behind() {
            Val::Nanos(nanos) => Time::Nanos(*nanos),
            Val::Now => Time::Nanos(0),
            Val::Input(path) => Time::Given(path.clone()),
            _ => Time::Unknown,
        }
    }

    /// Its constant length, in nanoseconds.
    pub fn nanos(&self) -> Option<u128> {
        match self {
            Time::Nanos(nanos) => Some(*nanos),
            _ => None,
        }
    }
}

/// Whose life a context has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Life<'a> {
    /// A root's: it never ends. The node is the root.
    Root(&'a CtxNode),
    /// It was detached and never ends. The node is the detaching.
    Detached(&'a CtxNode),
    /// That of an input of the body, with nothing of its own.
    Input(&'a CtxNode, &'a InputPath),
    /// Something ends it: a bound of its own, or it is its own handle.
    Bounded(&'a CtxNode),
    /// It can end: a request's or the server's.
    Live(&'a CtxNode),
    /// Not known.
    Unknown,
}

impl CtxNode {
    /// Whether it is a root or detached, and not bounded since.
    pub fn never_ends(&self) -> bool {
        matches!(self.life(), Life::Root(_) | Life::Detached(_))
    }

    /// Whose life it has.
    pub fn life(&self) -> Life<'_> {
        let mut node = self;
        loop {
            node = match &node.kind {
                CtxKind::Root { .. } => return Life::Root(node),
                CtxKind::Request | CtxKind::Server => return Life::Live(node),
                CtxKind::Own | CtxKind::Limited(_) => return Life::Bounded(node),
                CtxKind::Input(path) => return Life::Input(node, path),
                CtxKind::Opaque => return Life::Unknown,
                CtxKind::Derived { bound: Bound::None, parent, .. } => parent,
                CtxKind::Derived { .. } => return Life::Bounded(node),
                CtxKind::Detached(_) => return Life::Detached(node),
                CtxKind::Reparented(_, Some(owner)) => owner,
                CtxKind::Reparented(_, None) => return Life::Unknown,
            }
        }
    }

    /// The origins whose cancellation reaches this context: the roots of the tree that are not cut
    /// off by a detaching.
    pub fn sources(&self) -> Vec<&CtxNode> {
        let mut found = Vec::new();
        let mut left = vec![self];
        while let Some(node) = left.pop() {
            match &node.kind {
                CtxKind::Derived { parent, other, .. } => {
                    left.extend(other.as_deref());
                    left.push(parent);
                }
                CtxKind::Limited(same) => left.push(same),
                CtxKind::Detached(_) => {}
                CtxKind::Reparented(_, owner) => left.extend(owner.as_deref()),
                _ => found.push(node),
            }
        }
        found
    }

    /// This context and everything whose end ends it too, nearest first.
    pub fn line(&self) -> Vec<&CtxNode> {
        let mut found = Vec::new();
        let mut left = vec![self];
        while let Some(node) = left.pop() {
            found.push(node);
            match &node.kind {
                CtxKind::Derived { parent, other, .. } => {
                    left.extend(other.as_deref());
                    left.push(parent);
                }
                CtxKind::Limited(same) => left.push(same),
                CtxKind::Reparented(_, owner) => left.extend(owner.as_deref()),
                _ => {}
            }
        }
        found
    }

    /// This context and those it was made of, newest first, by the values they carry.
    pub fn chain(&self) -> impl Iterator<Item = &CtxNode> {
        std::iter::successors(Some(self), |node| match &node.kind {
            CtxKind::Derived { parent, .. }
            | CtxKind::Limited(parent)
            | CtxKind::Detached(parent)
            | CtxKind::Reparented(parent, _) => Some(parent),
            _ => None,
        })
    }

    /// The detaching it comes from, if it comes from one by any derivation.
    pub fn detaching(&self) -> Option<&CtxNode> {
        let mut node = self;
        loop {
            node = match &node.kind {
                CtxKind::Derived { parent, .. } | CtxKind::Limited(parent) => parent,
                CtxKind::Detached(_) => return Some(node),
                _ => return None,
            }
        }
    }

    /// The tree's first node, by the values it carries: through detachings and reparentings too.
    pub fn origin(&self) -> &CtxNode {
        self.chain().last().unwrap_or(self)
    }

    /// The same as one of several, where some of those it ends with are made more than once.
    pub(super) fn one_of_several(&self, is_made_again: &dyn Fn(&CtxNode) -> bool) -> CtxNode {
        let above = |ctx: &Ctx| Ctx::new(ctx.one_of_several(is_made_again));
        let kind = match &self.kind {
            CtxKind::Derived { parent, bound, other, time } => CtxKind::Derived {
                parent: above(parent),
                bound: *bound,
                other: other.as_ref().map(above),
                time: time.clone(),
            },
            CtxKind::Limited(same) => CtxKind::Limited(above(same)),
            CtxKind::Reparented(values, owner) => CtxKind::Reparented(values.clone(), owner.as_ref().map(above)),
            kind => kind.clone(),
        };
        CtxNode { id: ObjId { old: self.id.old || is_made_again(self), ..self.id }, site: self.site, kind }
    }

    /// Whether something of its own ends it, besides what it derives from.
    pub fn is_bound(&self) -> bool {
        match &self.kind {
            CtxKind::Own => true,
            CtxKind::Derived { bound, .. } => *bound != Bound::None,
            _ => false,
        }
    }

    /// The input it is, if it is one.
    pub fn input(&self) -> Option<&InputPath> {
        match &self.kind {
            CtxKind::Input(path) => Some(path),
            _ => None,
        }
    }
}
