//! Where a body's locals occur and where control can go in it, found once for all who ask.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::facts::{BlockId, Body, BodyId, Callee, LocalId, LoopId, OpKind, Terminator};

/// An operation's place in a body. One past a block's last operation is the block's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// The block.
    pub block: u32,
    /// The operation in the block.
    pub op: u32,
}

/// A body's locals and ways.
#[derive(Debug, Default)]
pub struct Ways {
    occurrences: Occurrences,
    /// Where control goes from each block: nowhere from one that calls what never comes back.
    next: Vec<Vec<u32>>,
    before: OnceLock<Vec<Vec<u32>>>,
    reachable: OnceLock<BTreeSet<u32>>,
    loops: Vec<Turns>,
    /// Where the bodies in it become values.
    made: FxHashMap<BodyId, At>,
}

/// Where the locals of a body occur.
#[derive(Debug, Default)]
pub struct Occurrences {
    defined: Places,
    mentioned: Places,
}

/// A loop.
#[derive(Debug, Default)]
struct Turns {
    /// Its blocks, those of the loops in it included, in order.
    blocks: BTreeSet<u32>,
    /// Those of them from which there is a way to its head within it, and the head.
    leading: OnceLock<BTreeSet<u32>>,
}

/// Places by local, each local's in the order of the body.
#[derive(Debug, Default)]
struct Places {
    /// Where the places of each local begin, and one past the last of all.
    starts: Vec<u32>,
    all: Vec<At>,
}

impl Ways {
    /// Those of a body. `body_of` gives the bodies in it, `never_returns` says which operations call what
    /// never comes back.
    pub fn of<'a>(
        body: &Body,
        body_of: impl Fn(BodyId) -> Option<&'a Body>,
        never_returns: impl Fn(At) -> bool,
    ) -> Ways {
        let mut made = FxHashMap::default();
        let mut next = Vec::with_capacity(body.blocks.len());
        for (block, b) in body.blocks.iter().zip(0u32..) {
            let mut stops = false;
            for (op, o) in block.ops.iter().zip(0u32..) {
                let at = At { block: b, op: o };
                if let OpKind::Closure(inner) = op.kind {
                    made.entry(inner).or_insert(at);
                }
                stops |= never_returns(at);
            }
            next.push(if stops { Vec::new() } else { block.end.successors().map(|next| next.0).collect() });
        }
        Ways {
            occurrences: Occurrences::of(body, body_of),
            next,
            before: OnceLock::new(),
            reachable: OnceLock::new(),
            loops: loops(body),
            made,
        }
    }

    /// The operation that makes a closure or `async` block in it a value.
    pub fn made(&self, inner: BodyId) -> Option<At> {
        self.made.get(&inner).copied()
    }

    /// Where the body's locals occur.
    pub fn occurrences(&self) -> &Occurrences {
        &self.occurrences
    }

    /// Where control goes from a block.
    pub fn next(&self, block: u32) -> &[u32] {
        self.next.get(block as usize).map_or(&[], Vec::as_slice)
    }

    /// Where control comes to a block from.
    pub fn before(&self, block: u32) -> &[u32] {
        let before = self.before.get_or_init(|| {
            let mut before = vec![Vec::new(); self.next.len()];
            for (nexts, from) in self.next.iter().zip(0u32..) {
                for next in nexts {
                    if let Some(slot) = before.get_mut(*next as usize) {
                        slot.push(from);
                    }
                }
            }
            before
        });
        before.get(block as usize).map_or(&[], Vec::as_slice)
    }

    /// The blocks of a loop, those of the loops in it included.
    pub fn blocks_of(&self, of: LoopId) -> &BTreeSet<u32> {
        static NONE: BTreeSet<u32> = BTreeSet::new();
        self.loops.get(of.index()).map_or(&NONE, |known| &known.blocks)
    }

    /// Whether a way leads on from a block to the head of a loop without leaving the loop.
    pub fn turns(&self, block: u32, of: LoopId, head: BlockId) -> bool {
        let Some(known) = self.loops.get(of.index()) else { return false };
        let leading = known.leading.get_or_init(|| {
            if !known.blocks.contains(&head.0) {
                return BTreeSet::new();
            }
            let mut seen = closure([head.0], |at| self.before(at), |at| known.blocks.contains(&at));
            seen.insert(head.0);
            seen
        });
        self.next(block).iter().any(|next| leading.contains(next))
    }

    /// The blocks that a way leads to from a block; the block itself only if a way leads back to it.
    pub fn after(&self, from: u32) -> BTreeSet<u32> {
        closure([from], |at| self.next(at), |_| true)
    }

    /// The blocks that ways from the beginning lead to that end at these, the first and the last ones included.
    pub fn up_to(&self, stops: &BTreeSet<u32>) -> BTreeSet<u32> {
        let on = |at| if stops.contains(&at) { &[][..] } else { self.next(at) };
        let mut found = closure([0], on, |_| true);
        found.insert(0);
        found
    }

    /// Whether a way leads on from a block to one of those that are wanted, or back to it if it is.
    pub fn leads(&self, from: u32, wanted: impl Fn(u32) -> bool) -> bool {
        self.leads_beside(from, None, wanted)
    }

    /// The same by ways that do not come by a certain block.
    pub fn leads_beside(&self, from: u32, beside: Option<u32>, wanted: impl Fn(u32) -> bool) -> bool {
        let mut seen = BTreeSet::new();
        let mut left = vec![from];
        while let Some(at) = left.pop() {
            for next in self.next(at).iter().filter(|next| Some(**next) != beside) {
                if wanted(*next) {
                    return true;
                }
                if seen.insert(*next) {
                    left.push(*next);
                }
            }
        }
        false
    }

    /// The blocks on the ways from one block to the first time another is come to, with both. None if no way
    /// leads there.
    pub fn on_the_way(&self, from: u32, to: u32) -> Option<BTreeSet<u32>> {
        let on = |at: u32| if at == to { &[] } else { self.next(at) };
        let mut ahead = closure([from], on, |_| true);
        ahead.insert(from);
        let mut found = closure([to], |at| self.before(at), |at| at != to && ahead.contains(&at));
        found.insert(to);
        found.contains(&from).then_some(found)
    }

    /// The blocks on the ways from one block to another, both left out: ways that come by the first
    /// again are no part of it. None if no way leads there.
    pub fn between(&self, from: u32, to: u32) -> Option<BTreeSet<u32>> {
        // What lies between is near; what comes before and after may be all the rest of a large body.
        let mut back = BTreeSet::new();
        let mut left = vec![to];
        let mut meets = false;
        while let Some(at) = left.pop() {
            for &before in self.before(at) {
                if before == from {
                    meets = true;
                } else if back.insert(before) {
                    left.push(before);
                }
            }
        }
        back.remove(&to);
        if to == 0 || back.contains(&0) {
            let after = self.after(from);
            back.retain(|block| after.contains(block));
        } else {
            // Whoever is here has come by `from`, unless nobody is ever here.
            let reachable = self.reachable.get_or_init(|| {
                let mut all = self.after(0);
                all.insert(0);
                all
            });
            back.retain(|block| reachable.contains(block));
        }
        meets.then_some(back)
    }
}

impl Occurrences {
    /// Those of a body. `body_of` gives the bodies in it.
    pub fn of<'a>(body: &Body, body_of: impl Fn(BodyId) -> Option<&'a Body>) -> Occurrences {
        let mut defined = Vec::new();
        let mut mentioned = Vec::new();
        for (block, b) in body.blocks.iter().zip(0u32..) {
            for (op, o) in block.ops.iter().zip(0u32..) {
                let at = At { block: b, op: o };
                defined.extend(op.dest.map(|dest| (dest, at)));
                for_each_mention(&op.kind, &body_of, &mut |local| mentioned.push((local, at)));
            }
            let end = At { block: b, op: block.ops.len() as u32 };
            for_each_at_end(&block.end, &mut |local| mentioned.push((local, end)));
        }
        let locals = body.locals.len();
        Occurrences { defined: Places::sorted(locals, defined), mentioned: Places::sorted(locals, mentioned) }
    }

    /// The operations that give a local its value.
    pub fn definitions(&self, local: LocalId) -> &[At] {
        self.defined.of(local)
    }

    /// The operations and ends of blocks that read a local, write into it by name, or mention it where
    /// nobody knows what happens; a closure mentions what it captures. The end of its life is no mention.
    pub fn mentions(&self, local: LocalId) -> &[At] {
        self.mentioned.of(local)
    }
}

/// What can be reached by `steps` from these, without leaving what `within` allows; they themselves
/// only if a way leads back to them.
fn closure<'a>(
    from: impl IntoIterator<Item = u32>,
    steps: impl Fn(u32) -> &'a [u32],
    within: impl Fn(u32) -> bool,
) -> BTreeSet<u32> {
    let mut seen = BTreeSet::new();
    let mut left: Vec<u32> = from.into_iter().collect();
    while let Some(at) = left.pop() {
        for &next in steps(at) {
            if within(next) && seen.insert(next) {
                left.push(next);
            }
        }
    }
    seen
}

impl Places {
    /// The places of as many locals.
    fn sorted(locals: usize, mut found: Vec<(LocalId, At)>) -> Places {
        found.sort_unstable();
        found.dedup();
        let mut starts = Vec::with_capacity(locals + 1);
        let mut all = Vec::with_capacity(found.len());
        for (local, at) in found {
            while starts.len() <= local.index() {
                starts.push(all.len() as u32);
            }
            all.push(at);
        }
        starts.resize(locals.max(starts.len()) + 1, all.len() as u32);
        Places { starts, all }
    }

    fn of(&self, local: LocalId) -> &[At] {
        let bound = |index: usize| self.starts.get(index).map(|at| *at as usize);
        let (Some(start), Some(end)) = (bound(local.index()), bound(local.index() + 1)) else { return &[] };
        self.all.get(start..end).unwrap_or_default()
    }
}

/// The loops of a body with their blocks. An inner loop stands behind the one it is in.
fn loops(body: &Body) -> Vec<Turns> {
    let mut loops: Vec<Turns> = body.loops.iter().map(|_| Turns::default()).collect();
    for (block, at) in body.blocks.iter().zip(0u32..) {
        for of in body.loops_around(block.in_loop) {
            if let Some(known) = loops.get_mut(of.index()) {
                known.blocks.insert(at);
            }
        }
    }
    loops
}

fn for_each_mention<'a>(kind: &OpKind, body_of: impl Fn(BodyId) -> Option<&'a Body>, found: &mut impl FnMut(LocalId)) {
    match kind {
        OpKind::Use(place) | OpKind::Ref(place, _) | OpKind::Wild(place) => found(place.base),
        OpKind::Assign { place, value } | OpKind::AssignOp { place, value } => {
            found(place.base);
            found(*value);
        }
        OpKind::Call { callee, args } => {
            if let Callee::Value(place) = callee {
                found(place.base);
            }
            args.iter().copied().for_each(found);
        }
        OpKind::MethodCall { receiver, args, .. } => {
            found(receiver.base);
            args.iter().copied().for_each(found);
        }
        OpKind::Struct { fields, base, .. } => {
            fields.iter().for_each(|(_, value)| found(*value));
            if let Some(base) = base {
                found(base.base);
            }
        }
        OpKind::Tuple(parts) | OpKind::Array(parts) | OpKind::Inspect { args: parts, .. } => {
            parts.iter().copied().for_each(found);
        }
        OpKind::Closure(inner) => {
            let captures = body_of(*inner).map_or(&[][..], |inner| &inner.captures);
            captures.iter().for_each(|(outer, _)| found(*outer));
        }
        OpKind::Await(value) | OpKind::Unary(_, value) | OpKind::Cast(value, _) => found(*value),
        OpKind::Binary(_, left, right) => {
            found(*left);
            found(*right);
        }
        OpKind::Unknown { mentions, .. } => mentions.iter().for_each(|place| found(place.base)),
        OpKind::Lit(_) | OpKind::Path(_) | OpKind::EndScope { .. } | OpKind::EndTemps { .. } => {}
    }
}

fn for_each_at_end(end: &Terminator, found: &mut impl FnMut(LocalId)) {
    match end {
        Terminator::If { condition, .. } => found(*condition),
        Terminator::Match { place, .. } => found(place.base),
        Terminator::Select { arms, .. } => arms.iter().for_each(|arm| found(arm.future)),
        Terminator::Return(value) => found(*value),
        Terminator::Goto(_) | Terminator::Diverge => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ways of blocks that lead on as told; in one loop with these blocks, if there are some.
    fn ways(next: Vec<Vec<u32>>, within: &[u32]) -> Ways {
        let turns = Turns { blocks: within.iter().copied().collect(), leading: OnceLock::new() };
        Ways {
            occurrences: Occurrences { defined: Places::default(), mentioned: Places::default() },
            next,
            before: OnceLock::new(),
            reachable: OnceLock::new(),
            loops: vec![turns],
            made: FxHashMap::default(),
        }
    }

    /// What can be reached from a block without entering others, by trying again until nothing is new.
    fn reached(ways: &Ways, from: u32, may_enter: &dyn Fn(u32) -> bool) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        loop {
            let before = found.len();
            for at in found.clone().into_iter().chain([from]) {
                found.extend(ways.next(at).iter().copied().filter(|next| may_enter(*next)));
            }
            if found.len() == before {
                return found;
            }
        }
    }

    /// Marsaglia's xorshift.
    fn random(seed: &mut u64, below: u32) -> u32 {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        (*seed >> 20) as u32 % below
    }

    /// Ways as they are, held against trying every one, in a few thousand small graphs.
    #[test]
    fn says_what_can_be_reached() {
        const BLOCKS: u32 = 7;
        let mut seed = 0x9e37_79b9_7f4a_7c15;
        for _ in 0..3000 {
            let mut next: Vec<Vec<u32>> = Vec::new();
            for _ in 0..BLOCKS {
                let count = random(&mut seed, 3);
                next.push((0..count).map(|_| random(&mut seed, BLOCKS)).collect());
            }
            let within: Vec<u32> = (0..BLOCKS).filter(|_| random(&mut seed, 2) == 0).collect();
            let ways = ways(next, &within);
            let live: BTreeSet<u32> = reached(&ways, 0, &|_| true).into_iter().chain([0]).collect();
            let (from, to) = (random(&mut seed, BLOCKS), random(&mut seed, BLOCKS));

            let after = reached(&ways, from, &|_| true);
            assert_eq!(ways.after(from), after);
            assert_eq!(ways.leads(from, |at| at == to), after.contains(&to));
            let beside = random(&mut seed, BLOCKS);
            let past = reached(&ways, from, &|at| at != beside);
            assert_eq!(ways.leads_beside(from, Some(beside), |at| at == to), past.contains(&to));

            // Where nobody ever is, nothing is asked.
            if live.contains(&from) {
                let leads = |at: &u32| reached(&ways, *at, &|next| next != from || next == to).contains(&to);
                let between = after.iter().copied().filter(|at| *at != from && *at != to).filter(leads).collect();
                assert_eq!(ways.between(from, to), after.contains(&to).then_some(between), "{ways:?} {from} {to}");
            }

            let head = random(&mut seed, BLOCKS);
            let inside = reached(&ways, from, &|at| within.contains(&at));
            assert_eq!(ways.turns(from, LoopId(0), BlockId(head)), inside.contains(&head), "{ways:?} {from} {head}");
        }
    }
}
