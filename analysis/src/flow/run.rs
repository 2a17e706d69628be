//! The forward analysis of one body: worlds through blocks until nothing new is seen.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::facts::{Block, BlockId, Body, LocalId, Place, Span, Step, Terminator};
use crate::infer::TypedBody;
use crate::link::Program;
use crate::summary::{Known, Summary};
use crate::types::{BodyRef, DefId, Ty};
pub(super) use crate::ways::At;
use crate::ways::Occurrences;

use super::channels::Channels;
use super::conditions::Definitions;
use super::events::{Call, CallKind, Event, Flow, FromCallee, Loss, Seen};
use super::kept::Kept;
use super::roles::objects_in;
use super::value::{Agg, Ctx, CtxKind, InputPath, InputUses, Life, ObjId, Object, Site, Uses, Val};
use super::world::{MAX_WORLDS, TaskState, Use, World};

/// How many parts of its inputs are told apart in what a body does with them.
const MAX_PARTS: usize = 128;

/// Uses after which something out of sight may end a context.
const AWAY: Uses = Uses(Uses::CANCEL.0 | Uses::USED.0 | Uses::ESCAPE.0 | Uses::OPAQUE.0 | Uses::IN_FIELD.0);

/// How often a block is looked at before its worlds are joined.
const MAX_VISITS: usize = 40;

/// How often a body is gone through for what is sent into its channels.
const MAX_SENDINGS: usize = 4;

/// The blocks named in object ids for objects that no operation makes.
pub(super) const INPUT_BLOCK: u32 = u32::MAX;

/// The analysis of one body.
pub(super) struct Run<'a> {
    /// The program.
    pub(super) program: &'a Program,
    /// What is known of other bodies.
    pub(super) summaries: &'a Known<'a>,
    /// Which body.
    pub(super) who: BodyRef,
    /// The body.
    pub(super) body: &'a Body,
    /// Its types.
    pub(super) typed: &'a TypedBody,
    /// Where temporaries get their values.
    pub(super) definitions: Definitions,
    /// Where locals occur.
    pub(super) occurrences: Occurrences,
    /// The body is a handler: what it is given comes from a request.
    pub(super) handler: bool,
    /// What it makes.
    pub(super) objects: BTreeMap<ObjId, Object>,
    /// What it does with what it is given.
    pub(super) uses: InputUses,
    /// Whether this may be the last pass, in which everything is recorded.
    pub(super) recording: bool,
    pub(super) losses: BTreeMap<ObjId, BTreeSet<Loss>>,
    pub(super) used: BTreeMap<ObjId, BTreeSet<Use>>,
    pub(super) events: BTreeMap<(u32, u32, u16), Event>,
    pub(super) calls: Vec<Call>,
    /// The points at which tasks meet, and whether this body waits at them.
    pub(super) meetings: BTreeMap<ObjId, bool>,
    pub(super) tasks: BTreeMap<ObjId, BTreeSet<TaskState>>,
    pub(super) roots: BTreeMap<ObjId, Uses>,
    /// Contexts that are their own handles, from callees.
    pub(super) from_callees: BTreeMap<ObjId, FromCallee>,
    /// The roots and the other contexts that each local is given.
    pub(super) given_roots: BTreeMap<LocalId, BTreeSet<ObjId>>,
    pub(super) given_others: BTreeSet<LocalId>,
    /// How many limits of time the work that is looked at stands under.
    pub(super) timed: u32,
    /// In how many values that are given back or sent: what is done with them is told of where that happens.
    pub(super) handed_on: u32,
    /// How many initialisers that run once are looked at.
    pub(super) once: u32,
    pub(super) joined: bool,
    /// The way to a root that this body does its work under.
    pub(super) chain: Option<(Vec<Site>, BodyRef)>,
    pub(super) replacing: BTreeSet<BodyRef>,
    pub(super) replacements: BTreeSet<ObjId>,
    /// What was taken out of the requests that the body is given.
    pub(super) of_requests: BTreeSet<ObjId>,
    /// Roots that keep a place filled while what was there is taken out.
    pub(super) placed: BTreeSet<ObjId>,
    pub(super) statics: BTreeMap<ObjId, DefId>,
    /// The tasks that guards abort, by the guard.
    pub(super) aborting: BTreeMap<ObjId, ObjId>,
    /// The handles of guards, by the guard, that nothing was done with before.
    pub(super) guarding: BTreeMap<ObjId, ObjId>,
    /// Contexts that one operation derives from what it derived before.
    pub(super) grown: BTreeSet<ObjId>,
    pub(super) fields_used: BTreeSet<super::FieldName>,
    pub(super) kept: Kept,
    /// The parameters through which the caller's places can be written, with their inputs.
    pub(super) lent_params: Vec<(u32, LocalId)>,
    rets: Vec<Val>,
    /// For each of `rets`, what was left in places that the body was lent.
    writes: Vec<Vec<(u32, Val)>>,
    /// The calls of inputs that are given contexts.
    pub(super) given_calls: Vec<(InputPath, Vec<Val>)>,
    /// What was done with the handles in what is given back, on every way so far; none where nothing was on one.
    handled: BTreeMap<ObjId, Option<Use>>,
    returns: bool,
    /// The world that the body was left in last.
    last: World,
    cancelled: Option<BTreeSet<InputPath>>,
    ended: Option<BTreeSet<InputPath>>,
    /// Something else is waited for than the ends of contexts.
    pub(super) waits_besides: bool,
    pub(super) inputs: BTreeMap<InputPath, u32>,
    pub(super) slots: BTreeMap<At, u16>,
    pub(super) channels: Channels,
}

/// Runs the analysis of a body with what is known of others.
pub fn run(program: &Program, summaries: &Known<'_>, who: BodyRef) -> Option<(Summary, Flow)> {
    let body = program.body(who)?;
    let typed = program.typed(who)?;
    let mut run = Run {
        program,
        summaries,
        who,
        body,
        typed,
        definitions: Definitions::of(body),
        occurrences: Occurrences::of(body, |inner| program.body(BodyRef { file: who.file, body: inner })),
        handler: program.handler(who).is_some(),
        objects: BTreeMap::new(),
        uses: InputUses::new(),
        recording: false,
        losses: BTreeMap::new(),
        used: BTreeMap::new(),
        events: BTreeMap::new(),
        calls: Vec::new(),
        meetings: BTreeMap::new(),
        tasks: BTreeMap::new(),
        roots: BTreeMap::new(),
        from_callees: BTreeMap::new(),
        given_roots: BTreeMap::new(),
        given_others: BTreeSet::new(),
        timed: 0,
        handed_on: 0,
        once: 0,
        joined: false,
        chain: None,
        replacing: BTreeSet::new(),
        replacements: BTreeSet::new(),
        of_requests: BTreeSet::new(),
        placed: BTreeSet::new(),
        statics: BTreeMap::new(),
        aborting: BTreeMap::new(),
        guarding: BTreeMap::new(),
        grown: BTreeSet::new(),
        fields_used: BTreeSet::new(),
        kept: Kept::default(),
        lent_params: lent_params(body, typed),
        rets: Vec::new(),
        writes: Vec::new(),
        given_calls: Vec::new(),
        handled: BTreeMap::new(),
        returns: false,
        last: World::default(),
        cancelled: None,
        ended: None,
        waits_besides: false,
        inputs: BTreeMap::new(),
        slots: BTreeMap::new(),
        channels: Channels::default(),
    };
    let entries = run.entries();
    if !run.recording {
        run.begin();
        for (index, worlds) in entries.into_iter().enumerate() {
            for world in worlds {
                run.block(BlockId(index as u32), world);
            }
        }
    }
    Some(run.finish())
}

/// The parameters of `&mut` types: what is written through them is the caller's.
fn lent_params(body: &Body, typed: &TypedBody) -> Vec<(u32, LocalId)> {
    let inputs = (body.captures.len() as u32..).zip(&body.params);
    let is_lent = |local: &LocalId| matches!(typed.local(*local), Ty::Ref(_, true));
    inputs.filter(|(_, local)| is_lent(local)).map(|(input, local)| (input, *local)).collect()
}

/// What holds on the ways so far and on this one.
fn in_both(before: Option<BTreeSet<InputPath>>, here: BTreeSet<InputPath>) -> BTreeSet<InputPath> {
    match before {
        None => here,
        Some(before) => before.intersection(&here).cloned().collect(),
    }
}

/// The object that stands for what is given by the input of this number.
pub(super) fn input_object(index: u32) -> ObjId {
    ObjId { block: INPUT_BLOCK, op: index, slot: 0, old: false }
}

/// Whether a body has a context at hand without making one: given to it or to a body it stands in.
pub(crate) fn has_context(program: &Program, who: BodyRef) -> bool {
    crate::summary::surroundings(program, who).any(|here| {
        let (Some(body), Some(typed)) = (program.body(here), program.typed(here)) else { return false };
        let mut given = body.params.iter().chain(body.captures.iter().map(|(_, local)| local));
        given.any(|local| typed.locals.get(local.index()).is_some_and(|ty| program.holds_context(ty)))
    })
}

impl<'a> Run<'a> {
    /// The body that a call of a function runs. What is known of it is asked for with that: its place among its
    /// file's bodies changes with that file.
    pub(super) fn body_of(&self, def: DefId) -> Option<BodyRef> {
        crate::summary::body_of(self.program, def).inspect(|body| self.summaries.ask(*body))
    }

    /// Before the body is gone through with everything recorded.
    fn begin(&mut self) {
        self.recording = true;
        self.losses.clear();
        self.events.clear();
        self.calls.clear();
        self.rets.clear();
        self.writes.clear();
        self.given_calls.clear();
        self.handled.clear();
        self.cancelled = None;
        self.ended = None;
        self.waits_besides = false;
        self.returns = false;
        self.channels.begin();
    }

    /// The worlds at the head of each block, with all that is received from channels. If it is still
    /// recording behind that, every block was run once in each of its worlds and nothing else: the last pass
    /// would tell the same.
    fn entries(&mut self) -> Vec<Vec<World>> {
        for _ in 0..MAX_SENDINGS {
            self.begin();
            let entries = self.fixpoint();
            if !self.learn_of_channels() {
                return entries;
            }
        }
        self.forget_channels();
        self.begin();
        self.fixpoint()
    }

    fn fixpoint(&mut self) -> Vec<Vec<World>> {
        let count = self.body.blocks.len();
        let mut entries: Vec<Vec<World>> = vec![Vec::new(); count];
        let mut seen: Vec<usize> = vec![0; count];
        let mut visits: Vec<usize> = vec![0; count];
        let mut joined = vec![false; count];
        let mut work = BTreeSet::new();
        if let Some(first) = entries.first_mut() {
            first.extend(self.entry());
            work.insert(0usize);
        }
        let mut next_new = 0;
        while let Some(index) = work.pop_first() {
            // Back to where it was: what is recorded there would be recorded twice.
            self.recording &= index >= next_new;
            next_new = index + 1;
            let visited = visits.get(index).copied().unwrap_or(0);
            let widen = visited > MAX_VISITS;
            if visited > MAX_VISITS * 4 {
                self.joined = true;
                self.kept.unfinished = true;
                continue;
            }
            let from = if joined.get(index) == Some(&true) { 0 } else { seen.get(index).copied().unwrap_or(0) };
            let fresh: Vec<World> =
                entries.get(index).map(|all| all.iter().skip(from).cloned().collect()).unwrap_or_default();
            if let (Some(slot), Some(all)) = (seen.get_mut(index), entries.get(index)) {
                *slot = all.len();
            }
            if let Some(visited) = visits.get_mut(index) {
                *visited += fresh.len();
            }
            for world in fresh {
                for (next, world) in self.block(BlockId(index as u32), world) {
                    let Some(entry) = entries.get_mut(next.index()) else { continue };
                    let is_joined = joined.get(next.index()).copied().unwrap_or(false);
                    match add(entry, world, is_joined || widen) {
                        Added::Nothing => {}
                        Added::New => {
                            work.insert(next.index());
                        }
                        Added::Weakened(at) => {
                            if let Some(slot) = seen.get_mut(next.index()) {
                                *slot = (*slot).min(at);
                            }
                            work.insert(next.index());
                        }
                        Added::Joined => {
                            self.joined = true;
                            if let Some(flag) = joined.get_mut(next.index()) {
                                *flag = true;
                            }
                            work.insert(next.index());
                        }
                    }
                }
            }
        }
        entries
    }

    /// A local's type.
    pub(super) fn type_of(&self, local: LocalId) -> &'a Ty {
        self.typed.local(local)
    }

    /// A place's type.
    pub(super) fn type_at(&self, place: &Place) -> Cow<'a, Ty> {
        self.program.type_at(self.typed, place)
    }

    /// The expression an operation stands for.
    pub(super) fn op_span(&self, at: At) -> Option<Span> {
        Some(self.body.op(at.block, at.op)?.span)
    }

    /// The place of some bytes of this body's file.
    pub(super) fn site(&self, span: Span) -> Site {
        Site::new(self.who.file, span)
    }

    /// A fresh object of the operation.
    pub(super) fn fresh(&mut self, at: At) -> ObjId {
        let slot = self.slots.entry(at).or_insert(0);
        let id = ObjId { block: at.block, op: at.op, slot: *slot, old: false };
        *slot = slot.saturating_add(1);
        id
    }

    /// Runs a block in one world; where control goes, and with what.
    pub(super) fn block(&mut self, id: BlockId, world: World) -> Vec<(BlockId, World)> {
        let body: &'a Body = self.body;
        let Some(block) = body.block(id) else { return Vec::new() };
        let mut worlds = vec![world];
        for (index, op) in block.ops.iter().enumerate() {
            let at = At { block: id.0, op: index as u32 };
            let mut next = Vec::with_capacity(worlds.len());
            for world in worlds {
                self.slots.remove(&at);
                for world in self.op(at, op, world) {
                    // One operation may leave several worlds; they are no more than a block may have.
                    if let Added::Joined = add(&mut next, world, false) {
                        self.joined = true;
                    }
                }
            }
            worlds = next;
            if worlds.is_empty() {
                return Vec::new();
            }
        }
        let at = At { block: id.0, op: block.ops.len() as u32 };
        worlds.into_iter().flat_map(|world| self.end(at, block, world)).collect()
    }

    fn end(&mut self, at: At, block: &'a Block, world: World) -> Vec<(BlockId, World)> {
        match &block.end {
            Terminator::Goto(next) => vec![(*next, world)],
            Terminator::Diverge => Vec::new(),
            Terminator::Return(local) => {
                self.leave(*local, world);
                Vec::new()
            }
            Terminator::If { condition, then, other } => self.branch(*condition, *then, *other, world),
            Terminator::Match { place, test, then, other, .. } => self.matching(place, test, *then, *other, world),
            Terminator::Select { arms, other, span } => self.select(at, arms, *other, *span, world),
        }
    }

    fn leave(&mut self, local: LocalId, mut world: World) {
        let mut value = world.take(&Place::local(local));
        // What a callee says about something else may be another thing tomorrow.
        if matches!(&value, Val::Agg(Agg { def: Some(_), variant: Some(_), fields, .. }) if fields.is_empty()) {
            value = Val::Unknown;
        }
        self.returns = true;
        for id in objects_in(&value) {
            if !self.is_handle(id) {
                continue;
            }
            let how = world.used.get(&id).cloned();
            self.handled.entry(id).and_modify(|known| *known = known.take().min(how.clone())).or_insert(how);
        }
        self.escape_returned(&mut world, &value);
        self.finish_world(&world);
        let cancelled: BTreeSet<InputPath> = world.cancelled.iter().map(|(path, ())| path.clone()).collect();
        self.cancelled = Some(in_both(self.cancelled.take(), cancelled));
        let is_done = |(_, index): &(&InputPath, &u32)| world.done.contains(&input_object(**index));
        let ended = self.inputs.iter().filter(is_done).map(|(path, _)| path.clone()).collect();
        self.ended = Some(in_both(self.ended.take(), ended));
        let writes = self.written(&mut world);
        if !self.rets.iter().zip(&self.writes).any(|known| known == (&value, &writes)) {
            self.rets.push(value);
            self.writes.push(writes);
        }
    }

    /// What was left in the places that the body was lent, where that is not what was there.
    fn written(&mut self, world: &mut World) -> Vec<(u32, Val)> {
        let mut writes = Vec::new();
        for (input, local) in self.lent_params.clone() {
            let given = self.given(InputPath::whole(input), local);
            let left = match world.env.get(&local).map(Rc::as_ref) {
                Some(Val::Ref(..)) | None => Val::Unknown,
                Some(left) => left.clone(),
            };
            if left != given {
                let at = At { block: u32::MAX - 1, op: 0 };
                if left.owns() {
                    self.escape(at, world, &left, Uses::ESCAPE);
                }
                writes.push((input, left.without_objects()));
            }
        }
        writes
    }

    fn finish_world(&mut self, world: &World) {
        // Most of it is as it was on the way out before.
        world.used.differences(&self.last.used, &mut |id, how, _| {
            self.used.entry(*id).or_default().extend(how.cloned());
            true
        });
        world.tasks.differences(&self.last.tasks, &mut |id, state, _| {
            self.tasks.entry(*id).or_default().extend(state);
            true
        });
        self.last = world.clone();
    }

    /// Notes what happens at an operation, if this may be the last pass.
    pub(super) fn record(&mut self, at: At, name: Span, whole: Span, seen: Seen) {
        if !self.recording {
            return;
        }
        let slot = match &seen {
            Seen::Context { .. } => 0,
            Seen::Root { .. } => 1,
            Seen::GuardDropped { id, .. } => 100u16.saturating_add(id.slot),
            Seen::Spawn { id } => 200u16.saturating_add(id.slot),
            Seen::Passed { .. } => 3,
            Seen::Arm { .. } => 4,
            Seen::Grows { .. } => 5,
            Seen::Derived { .. } => 9,
            Seen::Cancelled { .. } => 10,
            Seen::Outbound { .. } => 11,
            Seen::Key { .. } => 6,
            Seen::Replaced { .. } => 7,
            Seen::Chain { .. } => 8,
            Seen::Flight { .. } => 9,
        };
        let event = Event {
            block: at.block,
            op: at.op,
            site: self.site(name),
            whole: self.site(whole),
            in_loop: self.body.block(BlockId(at.block)).and_then(|block| block.in_loop),
            seen: Vec::new(),
        };
        let event = self.events.entry((at.block, at.op, slot)).or_insert(event);
        if event.seen.len() < 64 {
            event.seen.push(seen);
        }
    }

    /// Notes a call of a body of the program, if this may be the last pass.
    pub(super) fn record_call(&mut self, callee: BodyRef, span: Span, inputs: &[Val], kind: CallKind, after_end: bool) {
        if !self.recording {
            return;
        }
        // Whoever else has such a point may wait at it.
        if kind == CallKind::Direct && !self.meetings.is_empty() {
            inputs.iter().for_each(|value| self.wait_at(value));
        }
        let call = Call { callee, site: self.site(span), inputs: inputs.to_vec(), kind, after_end };
        if !self.calls.iter().rev().take(16).any(|known| *known == call) {
            self.calls.push(call);
        }
    }

    /// Whether what is done now has a bound of its own, or is told of elsewhere.
    pub(super) fn is_bounded(&self) -> bool {
        self.timed > 0 || self.handed_on > 0
    }

    /// Notes what is done with a context, on the inputs it comes from.
    pub(super) fn use_ctx(&mut self, ctx: &Ctx, uses: Uses) {
        let bounded = self.is_bounded() || !matches!(ctx.life(), Life::Input(..) | Life::Detached(_) | Life::Root(_));
        let raw = uses.any(WORKING) && !uses.any(Uses::BOUND);
        let uses = match (raw, bounded) {
            (true, false) => uses.and(Uses::RAW),
            _ => uses.without(Uses::RAW),
        };
        let uses = uses.without(Uses::BOUND);
        for source in ctx.sources() {
            match &source.kind {
                CtxKind::Input(path) => {
                    let path = path.clone();
                    self.use_input(&path, uses);
                }
                CtxKind::Root { .. } | CtxKind::Own => {
                    // Where something else ends the work, nothing waits for ever.
                    let is_limited = self.timed > 0 && source.kind == CtxKind::Own && !uses.any(Uses::SPAWN);
                    let uses = if is_limited { uses.without(Uses::RACE.and(Uses::STATE)) } else { uses };
                    let entry = self.roots.entry(source.id.made()).or_default();
                    *entry = entry.and(uses);
                }
                // A handler that is called by name: the caller's, for what it is owed.
                CtxKind::Request | CtxKind::Server => {
                    let owed = Uses(uses.0 & AWAY.0);
                    let given = self.inputs.iter().find(|(_, index)| input_object(**index) == source.id);
                    if let (Some(path), false) = (given.map(|(path, _)| path.clone()), owed.is_empty()) {
                        self.use_input(&path, owed);
                    }
                }
                _ => {}
            }
        }
        // Work under a detached context that nothing bounds, told of the context it was detached from.
        if let (true, Life::Detached(node)) = (uses.any(Uses::RAW), ctx.life())
            && let CtxKind::Detached(parent) = &node.kind
        {
            for source in parent.sources() {
                if let CtxKind::Input(path) = &source.kind {
                    self.use_input(&path.clone(), Uses::DETACHED_RAW);
                }
            }
        }
        if uses.any(WORKING) {
            self.works_under(ctx);
            if let Some(CtxKind::Detached(parent)) = ctx.detaching().map(|node| &node.kind) {
                let inputs: Vec<InputPath> =
                    parent.sources().into_iter().filter_map(|source| source.input().cloned()).collect();
                for path in inputs {
                    self.use_input(&path, Uses::DETACHED_WORK);
                }
            }
        }
    }

    /// Work is done under a context: if that is a root made here, callers cannot end the work.
    fn works_under(&mut self, ctx: &Ctx) {
        for source in ctx.sources() {
            if matches!(source.kind, CtxKind::Root { .. }) && !self.replacements.contains(&source.id) {
                let at = source.site;
                if at.file == self.who.file.0 && self.chain.as_ref().is_none_or(|(way, _)| way.len() > 1) {
                    self.chain = Some((vec![at], self.who));
                }
            }
        }
    }

    /// Notes what is done with an input. Functions that go over recursive types together use ever
    /// further parts of them: beyond a number of parts nobody knows what happens to the whole.
    pub(super) fn use_input(&mut self, path: &InputPath, uses: Uses) {
        if uses.is_empty() {
            return;
        }
        if self.uses.len() >= MAX_PARTS && !self.uses.contains_key(path) {
            let entry = self.uses.entry(InputPath::whole(path.input)).or_default();
            *entry = entry.and(Uses::OPAQUE).and(Uses::ESCAPE).and(Uses::USED);
            return;
        }
        let more = match self.uses.get_mut(path) {
            Some(known) => std::mem::replace(known, known.and(uses)) != known.and(uses),
            None => {
                self.uses.insert(path.clone(), uses);
                true
            }
        };
        if more && uses.any(REACHING) {
            self.note_input(path);
        }
    }

    /// An input, or what calling it gives, is called or polled to its end; `raw` says which where nothing bounds it.
    pub(super) fn call_input(&mut self, path: &InputPath, raw: Uses) {
        let unbounded = if self.is_bounded() { Uses::default() } else { raw };
        self.use_input(path, Uses::CALL.and(Uses::USED).and(unbounded));
    }

    /// Notes the field that a part of an input comes from, by whatever way through locks and options.
    pub(super) fn note_input(&mut self, path: &InputPath) {
        let fields = path.path.iter().take_while(|step| !matches!(step.as_str(), "?" | "[]") && !step.contains('.'));
        let steps: Vec<Step> = fields.map(|name| Step::Field(name.clone())).collect();
        if let (Some(base), false) = (self.body.input(path.input), steps.is_empty()) {
            self.note_field(&Place { base, path: steps });
        }
    }

    fn finish(self) -> (Summary, Flow) {
        let ends = self.ends_given_back();
        let mut rets = self.rets;
        rets.truncate(MAX_WORLDS);
        let mut writes = self.writes;
        writes.truncate(MAX_WORLDS);
        let (inputs, started) = super::started::starts(&self.objects, &self.used, &rets);
        let mut uses = self.uses;
        for path in &inputs {
            let entry = uses.entry(path.clone()).or_default();
            *entry = entry.and(Uses::START);
        }
        let chosen = self
            .given_roots
            .iter()
            .filter(|(local, _)| self.given_others.contains(local))
            .flat_map(|(_, roots)| roots.iter().copied())
            .collect();
        // A root that is given back is the caller's to use.
        let given_back = self.roots.values().any(|uses| uses.any(Uses::RETURN.and(Uses::RETURN_KEPT)));
        let own_chain = self.chain.as_ref().is_some_and(|(way, _)| way.len() == 1);
        let is_callers = own_chain && given_back;
        let chain = self.chain.filter(|_| !is_callers && !has_context(self.program, self.who));
        let mut replacements = self.replacements;
        replacements.extend(self.placed.iter().filter(|id| !self.roots.contains_key(id)));
        let summary = Summary {
            diverges: !self.returns,
            rets,
            writes,
            objects: self.objects.clone(),
            handled: self.handled.into_iter().filter_map(|(id, how)| Some((id, how?))).collect(),
            uses,
            calls: self.given_calls,
            started,
            ends,
            sends: self.channels.into_given(),
            cancelled: self.cancelled.unwrap_or_default(),
            ended: self.ended.unwrap_or_default(),
            waits_besides: self.waits_besides,
            chain,
        };
        let flow = Flow {
            body: self.who,
            objects: self.objects,
            losses: self.losses,
            used: self.used,
            events: self.events.into_values().collect(),
            calls: self.calls,
            waited_at: self.meetings.into_iter().filter(|(_, waited)| *waited).map(|(id, _)| id).collect(),
            tasks: self.tasks,
            joined: self.joined,
            roots: self.roots,
            from_callees: self.from_callees,
            chosen,
            replacing: self.replacing,
            replacements,
            kept: self.kept,
            fields_used: self.fields_used,
            asked: Some(self.summaries.take_asked()),
        };
        (summary, flow)
    }
}

/// What work does with its context.
const WORKING: Uses = Uses(Uses::WORK.0 | Uses::RACE.0 | Uses::STATE.0);

/// What is done with an input that makes a field it comes from a used one.
const REACHING: Uses = Uses(
    Uses::USED.0 | Uses::CANCEL.0 | Uses::ESCAPE.0 | Uses::RETURN.0 | Uses::OPAQUE.0 | Uses::CALL.0 | Uses::IN_FIELD.0,
);

enum Added {
    Nothing,
    New,
    Weakened(usize),
    Joined,
}

fn add(entry: &mut Vec<World>, world: World, join: bool) -> Added {
    let is_told_apart = |local: &LocalId| entry.iter().any(|known| known.matters(local));
    if let Some(at) = entry.iter().position(|known| known.same_but(&world, &is_told_apart)) {
        let weakened = entry.get_mut(at).is_some_and(|known| known.weaken(&world));
        return if weakened { Added::Weakened(at) } else { Added::Nothing };
    }
    if entry.len() < MAX_WORLDS && !join {
        entry.push(world);
        return Added::New;
    }
    let before = entry.clone();
    let mut all = std::mem::take(entry).into_iter();
    let Some(mut one) = all.next() else {
        entry.push(world);
        return Added::New;
    };
    for other in all {
        one.join(&other);
    }
    one.join(&world);
    entry.push(one);
    if *entry == before { Added::Nothing } else { Added::Joined }
}
