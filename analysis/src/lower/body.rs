//! The body under construction: blocks, locals, scopes and the ways out of them.

use rustc_hash::FxHashMap;

use super::tight;
use crate::facts::{
    Block, BlockId, Body, BodyId, BodyKind, Discard, Exit, Local, LocalId, LocalKind, LoopId, Name, Op, OpKind, Place,
    ScopeId, Span, Step, Terminator, TypeRef,
};

/// What an expression comes to.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    /// A place that has not been read.
    Place(Place),
    /// A value of its own, in a temporary.
    Temp(LocalId),
    /// The unit value, which nobody has written anywhere yet.
    Unit(Span),
    /// Control does not come back.
    Never(Span),
}

/// What `break`, `continue` or `?` may lead to.
pub(super) struct Target {
    /// `'name`, without the apostrophe.
    pub(super) label: Option<Name>,
    pub(super) kind: TargetKind,
    /// Where `break` (or a `?` in a `try` block) goes on.
    pub(super) after: BlockId,
    /// Receives the value of `break value`.
    pub(super) result: Option<LocalId>,
    /// How many scopes stay alive there.
    pub(super) depth: usize,
}

/// Which construct a [`Target`] is.
pub(super) enum TargetKind {
    /// A loop: `continue` goes to this block.
    Loop(BlockId),
    /// A labelled block.
    Block,
    /// `try { … }`.
    Try,
}

/// A scope of named locals.
#[derive(Default)]
struct Names {
    /// Names to be taken back when the scope ends.
    declared: Vec<Name>,
    /// What ends with the scope, in order of declaration.
    locals: Vec<LocalId>,
}

/// A body under construction.
pub(super) struct Builder {
    pub(super) id: BodyId,
    pub(super) body: Body,
    pub(super) current: BlockId,
    pub(super) targets: Vec<Target>,
    pub(super) in_loop: Option<LoopId>,
    /// Temporaries that live to the end of their block although their statement has ended.
    pub(super) extended: Vec<LocalId>,
    names: FxHashMap<Name, Vec<LocalId>>,
    scopes: Vec<Names>,
    captured: FxHashMap<LocalId, LocalId>,
    /// How many edges lead to each block.
    entries: Vec<u32>,
    /// Nothing leads to the current block.
    dead: bool,
}

impl Builder {
    pub(super) fn new(id: BodyId, kind: BodyKind, span: Span, scope: ScopeId, test: bool) -> Builder {
        let mut builder = Builder {
            id,
            body: Body {
                kind,
                is_move: false,
                is_async: false,
                span,
                block: None,
                scope,
                params: Vec::new(),
                captures: Vec::new(),
                ret: None,
                locals: Vec::new(),
                blocks: Vec::new(),
                loops: Vec::new(),
                test,
            },
            current: BlockId(0),
            targets: Vec::new(),
            in_loop: None,
            extended: Vec::new(),
            names: FxHashMap::default(),
            scopes: Vec::new(),
            captured: FxHashMap::default(),
            entries: Vec::new(),
            dead: false,
        };
        builder.new_block();
        builder
    }

    // Locals.

    pub(super) fn local(
        &mut self,
        name: Option<Name>,
        span: Span,
        ty: Option<TypeRef>,
        kind: LocalKind,
        mutable: bool,
    ) -> LocalId {
        let id = LocalId(self.body.locals.len() as u32);
        self.body.locals.push(Local { name, span, ty: ty.map(Box::new), kind, mutable });
        id
    }

    pub(super) fn temp(&mut self, span: Span) -> LocalId {
        self.local(None, span, None, LocalKind::Temp, false)
    }

    /// The local that the next call of `local` makes.
    pub(super) fn mark(&self) -> LocalId {
        LocalId(self.body.locals.len() as u32)
    }

    pub(super) fn is_temp(&self, id: LocalId) -> bool {
        self.body.local(id).is_some_and(|local| local.kind == LocalKind::Temp)
    }

    // Names.

    pub(super) fn open(&mut self) {
        self.scopes.push(Names::default());
    }

    pub(super) fn depth(&self) -> usize {
        self.scopes.len()
    }

    /// Makes a name known in the innermost scope, at whose end the local dies.
    pub(super) fn declare(&mut self, name: Name, local: LocalId) {
        self.names.entry(name.clone()).or_default().push(local);
        if let Some(scope) = self.scopes.last_mut() {
            scope.declared.push(name);
            scope.locals.push(local);
        }
    }

    /// Lets a local without a name die with the innermost scope.
    pub(super) fn keep(&mut self, local: LocalId) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.locals.push(local);
        }
    }

    /// Ends the innermost scope, with its locals.
    pub(super) fn close(&mut self, span: Span) {
        self.leave(self.scopes.len().saturating_sub(1), Exit::End, span);
        self.forget();
    }

    /// Takes the innermost scope's names back without ending its locals.
    pub(super) fn forget(&mut self) {
        let Some(scope) = self.scopes.pop() else { return };
        for name in scope.declared.iter().rev() {
            if let Some(locals) = self.names.get_mut(name) {
                locals.pop();
            }
        }
    }

    /// Ends the locals of all scopes but the outermost `depth`, whose names stay known.
    pub(super) fn leave(&mut self, depth: usize, exit: Exit, span: Span) {
        if self.dead {
            return;
        }
        let ended: Vec<Vec<LocalId>> = self
            .scopes
            .iter()
            .skip(depth)
            .rev()
            .filter(|scope| !scope.locals.is_empty())
            .map(|scope| scope.locals.iter().rev().copied().collect())
            .collect();
        for locals in ended {
            self.emit(span, None, OpKind::EndScope { locals, exit });
        }
    }

    /// How many locals die with the innermost scope.
    pub(super) fn bound(&self) -> usize {
        self.scopes.last().map_or(0, |scope| scope.locals.len())
    }

    /// Ends the locals of the innermost scope but its first ones. All names stay known.
    pub(super) fn unbind(&mut self, first: usize, span: Span) {
        let Some(scope) = self.scopes.last().filter(|_| !self.dead) else { return };
        let locals: Vec<LocalId> = scope.locals.iter().skip(first).rev().copied().collect();
        if !locals.is_empty() {
            self.emit(span, None, OpKind::EndScope { locals, exit: Exit::End });
        }
    }

    pub(super) fn lookup(&self, name: &str) -> Option<LocalId> {
        self.names.get(name)?.last().copied()
    }

    /// This body's stand-in for a local of the enclosing body.
    pub(super) fn capture(&mut self, outer: LocalId, local: &Local) -> LocalId {
        if let Some(&known) = self.captured.get(&outer) {
            return known;
        }
        let inner =
            self.local(local.name.clone(), local.span, local.ty.as_deref().cloned(), LocalKind::Capture, local.mutable);
        self.captured.insert(outer, inner);
        self.body.captures.push((outer, inner));
        inner
    }

    // Blocks.

    pub(super) fn new_block(&mut self) -> BlockId {
        let id = BlockId(self.body.blocks.len() as u32);
        self.body.blocks.push(Block { ops: Vec::new(), end: Terminator::Diverge, in_loop: self.in_loop });
        self.entries.push(0);
        id
    }

    pub(super) fn switch(&mut self, block: BlockId) {
        self.current = block;
        self.dead = block.0 != 0 && self.entries.get(block.index()).is_none_or(|entries| *entries == 0);
    }

    /// Nothing leads to the current block.
    pub(super) fn is_dead(&self) -> bool {
        self.dead
    }

    /// Ends the current block, and goes on in a block that nothing leads to.
    pub(super) fn terminate_dead(&mut self, end: Terminator) {
        self.terminate(end);
        let rest = self.new_block();
        self.switch(rest);
    }

    pub(super) fn terminate(&mut self, end: Terminator) {
        if self.dead {
            return;
        }
        for next in end.successors() {
            if let Some(count) = self.entries.get_mut(next.index()) {
                *count += 1;
            }
        }
        if let Some(block) = self.body.blocks.get_mut(self.current.index()) {
            block.end = end;
        }
    }

    pub(super) fn goto(&mut self, block: BlockId) {
        self.terminate(Terminator::Goto(block));
    }

    // Operations.

    pub(super) fn emit(&mut self, span: Span, dest: Option<LocalId>, kind: OpKind) {
        if let Some(block) = self.body.blocks.get_mut(self.current.index()) {
            block.ops.push(Op { span, dest, kind });
        }
    }

    /// An operation whose value goes to a fresh temporary.
    pub(super) fn op(&mut self, span: Span, kind: OpKind) -> LocalId {
        let dest = self.temp(span);
        self.emit(span, Some(dest), kind);
        dest
    }

    /// The local that holds an operand's value, which is read if it is a place.
    pub(super) fn value(&mut self, operand: Operand, span: Span) -> LocalId {
        match operand {
            Operand::Place(place) => self.op(span, OpKind::Use(place)),
            Operand::Temp(temp) => temp,
            Operand::Unit(span) => self.op(span, OpKind::Tuple(Vec::new())),
            Operand::Never(span) => self.temp(span),
        }
    }

    /// The place an operand is at, without reading it.
    pub(super) fn place(&mut self, operand: Operand) -> Place {
        match operand {
            Operand::Place(place) => place,
            Operand::Temp(temp) => Place::local(temp),
            Operand::Unit(span) => Place::local(self.value(Operand::Unit(span), span)),
            Operand::Never(span) => Place::local(self.temp(span)),
        }
    }

    /// Moves an operand's value into a local.
    pub(super) fn store(&mut self, dest: LocalId, operand: Operand, span: Span) {
        let kind = match operand {
            Operand::Place(place) => OpKind::Use(place),
            Operand::Temp(temp) => OpKind::Use(Place::local(temp)),
            Operand::Unit(_) => OpKind::Tuple(Vec::new()),
            Operand::Never(_) => return,
        };
        self.emit(span, Some(dest), kind);
    }

    /// Ends the temporaries in `from..to`, those apart that live on, and `kept`.
    pub(super) fn end_temps(&mut self, from: LocalId, to: LocalId, kept: Option<LocalId>, span: Span) {
        if self.dead {
            return;
        }
        let mut spared: Vec<LocalId> =
            self.extended.iter().copied().chain(kept).filter(|id| (from..to).contains(id)).collect();
        spared.sort_unstable();
        let mut start = from;
        for id in spared.into_iter().chain([to]) {
            let any = (start.0..id.0).any(|id| self.is_temp(LocalId(id)));
            if any {
                self.emit(span, None, OpKind::EndTemps { from: start, to: id, discard: Discard::No });
            }
            start = LocalId(id.0 + 1);
        }
    }

    /// Ends the temporaries in `from..to`, of which the statement throws `value` away.
    pub(super) fn discard(&mut self, value: LocalId, from: LocalId, to: LocalId, how: Discard, span: Span) {
        if self.dead {
            return;
        }
        let known = (from..to).contains(&value) && self.is_temp(value) && !self.extended.contains(&value);
        if known {
            let next = LocalId(value.0 + 1);
            self.emit(span, None, OpKind::EndTemps { from: value, to: next, discard: how });
        }
        self.end_temps(from, to, known.then_some(value), span);
    }

    /// The finished body, without the empty blocks that nothing leads to.
    pub(super) fn finish(mut self) -> Body {
        let heads: Vec<BlockId> = self.body.loops.iter().map(|found| found.head).collect();
        let mut next = 0;
        let mut moved = Vec::with_capacity(self.body.blocks.len());
        for (position, block) in self.body.blocks.iter().enumerate() {
            let id = BlockId(position as u32);
            let entered = self.entries.get(position).is_some_and(|entries| *entries > 0);
            let kept = position == 0 || entered || !block.ops.is_empty() || heads.contains(&id);
            moved.push(kept.then_some(BlockId(next)));
            next += u32::from(kept);
        }
        let to = |id: BlockId| moved.get(id.index()).copied().flatten().unwrap_or(id);
        let mut blocks = Vec::with_capacity(next as usize);
        for (mut block, kept) in std::mem::take(&mut self.body.blocks).into_iter().zip(&moved) {
            if kept.is_some() {
                redirect(&mut block.end, to);
                block.ops = tight(block.ops);
                blocks.push(block);
            }
        }
        self.body.blocks = blocks;
        self.body.locals = tight(self.body.locals);
        for found in &mut self.body.loops {
            found.head = to(found.head);
        }
        self.body
    }
}

/// Lets a terminator lead to the blocks' new places.
fn redirect(end: &mut Terminator, to: impl Fn(BlockId) -> BlockId) {
    match end {
        Terminator::Goto(block) => *block = to(*block),
        Terminator::If { then, other, .. } | Terminator::Match { then, other, .. } => {
            *then = to(*then);
            *other = to(*other);
        }
        Terminator::Select { arms, other, .. } => {
            for arm in arms {
                arm.block = to(arm.block);
            }
            if let Some(other) = other {
                *other = to(*other);
            }
        }
        Terminator::Return(_) | Terminator::Diverge => {}
    }
}

/// `place` one step further, as a new place.
pub(super) fn step(place: &Place, step: Step) -> Place {
    place.clone().then(step)
}
