//! Random programs against a simple sequential model of the semantics.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;
use std::time::{Duration, Instant};

use context::{CancelCauseHandle, CancelHandle, Context, ContextError, StopHandle};
use proptest::prelude::*;

use crate::support::{HOUR, cause_text, eventually, poll};

#[derive(Debug, Clone)]
enum Op {
    Cancel(usize),
    CancelCause(usize),
    Value(usize, u8),
    Detach(usize),
    Reparent(usize, usize),
    Merge(usize, usize),
    /// Hours from now; 0 is past.
    Deadline(usize, u8),
    End(usize),
    Drop(usize),
    AfterFunc(usize),
    Stop(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let at = 0..64_usize;
    prop_oneof![
        3 => at.clone().prop_map(Op::Cancel),
        3 => at.clone().prop_map(Op::CancelCause),
        2 => (at.clone(), 0..3_u8).prop_map(|(at, key)| Op::Value(at, key)),
        1 => at.clone().prop_map(Op::Detach),
        1 => (at.clone(), at.clone()).prop_map(|(at, owner)| Op::Reparent(at, owner)),
        2 => (at.clone(), at.clone()).prop_map(|(at, other)| Op::Merge(at, other)),
        2 => (at.clone(), 0..5_u8).prop_map(|(at, hours)| Op::Deadline(at, hours)),
        3 => at.clone().prop_map(Op::End),
        3 => at.clone().prop_map(Op::Drop),
        2 => at.clone().prop_map(Op::AfterFunc),
        1 => at.prop_map(Op::Stop),
    ]
}

/// What the model knows of one context.
struct Node {
    values: Option<usize>,
    /// The cancellable nodes that end this one; for a view, the one whose lifetime it has.
    owners: Vec<usize>,
    /// What else it was made of, as it was given: a view that is merged or gives its lifetime stays as it is.
    keeps: Vec<usize>,
    cancellable: bool,
    entry: Option<(u8, usize)>,
    deadline: Option<u8>,
    end: Option<(ContextError, String)>,
    held: bool,
}

impl Node {
    fn holds(&self, n: usize) -> bool {
        self.values == Some(n) || self.owners.contains(&n) || self.keeps.contains(&n)
    }
}

struct Callback {
    on: Option<usize>,
    fired: bool,
    stopped: bool,
}

#[derive(Default)]
struct Model {
    nodes: Vec<Node>,
    callbacks: Vec<Callback>,
}

impl Model {
    /// The node whose end is the end of `n`.
    fn owner(&self, n: usize) -> Option<usize> {
        if self.nodes[n].cancellable { Some(n) } else { self.nodes[n].owners.first().copied() }
    }

    fn end(&self, n: usize) -> Option<&(ContextError, String)> {
        self.nodes[self.owner(n)?].end.as_ref()
    }

    fn deadline(&self, n: usize) -> Option<u8> {
        self.nodes[self.owner(n)?].deadline
    }

    fn value(&self, mut n: usize, key: u8) -> Option<usize> {
        loop {
            match self.nodes[n].entry {
                Some((own, value)) if own == key => return Some(value),
                _ => n = self.nodes[n].values?,
            }
        }
    }

    fn derive(&mut self, values: usize, others: &[usize], deadline: Option<u8>) -> usize {
        let owners: Vec<_> = [values].iter().chain(others).filter_map(|n| self.owner(*n)).collect();
        let end = owners.iter().find_map(|owner| self.nodes[*owner].end.clone());
        let keeps = others.to_vec();
        let node =
            Node { values: Some(values), owners, keeps, cancellable: true, entry: None, deadline, end, held: true };
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn view(&mut self, values: Option<usize>, owner: Option<usize>, entry: Option<(u8, usize)>) {
        let owners = owner.and_then(|n| self.owner(n)).into_iter().collect();
        let keeps = owner.into_iter().collect();
        self.nodes.push(Node {
            values,
            owners,
            keeps,
            cancellable: false,
            entry,
            deadline: None,
            end: None,
            held: true,
        });
    }

    fn finish(&mut self, n: usize, end: &(ContextError, String)) {
        if self.nodes[n].end.is_some() {
            return;
        }
        self.nodes[n].end = Some(end.clone());
        for below in 0..self.nodes.len() {
            if self.nodes[below].cancellable && self.nodes[below].owners.contains(&n) && self.is_alive(below) {
                self.finish(below, end);
            }
        }
    }

    /// Whether some handle keeps the node.
    fn is_alive(&self, n: usize) -> bool {
        self.nodes[n].held || (n + 1..self.nodes.len()).any(|m| self.nodes[m].holds(n) && self.is_alive(m))
    }

    /// Where a callback registered with `n` waits: there, or where the nodes above wait for it.
    fn homes(&self, n: usize) -> Vec<usize> {
        if self.is_alive(n) {
            return vec![n];
        }
        self.nodes[n].owners.iter().flat_map(|owner| self.homes(*owner)).collect()
    }

    fn fire(&mut self) {
        for c in 0..self.callbacks.len() {
            if let Some(on) = self.callbacks[c].on
                && !self.callbacks[c].stopped
                && (self.nodes[on].end.is_some() || self.homes(on).iter().any(|n| self.nodes[*n].end.is_some()))
            {
                self.callbacks[c].fired = true;
            }
        }
    }

    fn child_count(&self, n: usize) -> usize {
        let Some(owner) = self.owner(n) else { return 0 };
        if self.nodes[owner].end.is_some() {
            return 0;
        }
        let children: usize = (0..self.nodes.len())
            .filter(|m| self.nodes[*m].cancellable && self.nodes[*m].end.is_none() && self.is_alive(*m))
            .map(|m| self.nodes[m].owners.iter().filter(|o| **o == owner).count())
            .sum();
        let callbacks: usize = self
            .callbacks
            .iter()
            .filter(|callback| !callback.fired && !callback.stopped)
            .filter_map(|callback| callback.on)
            .map(|on| self.homes(on).iter().filter(|home| **home == owner).count())
            .sum();
        children + callbacks
    }
}

enum Handle {
    None,
    Plain(CancelHandle),
    Cause(CancelCauseHandle),
}

struct World {
    model: Model,
    real: Vec<Option<(Context, Handle)>>,
    stops: Vec<StopHandle>,
    ran: Vec<Arc<AtomicUsize>>,
    start: Instant,
}

impl World {
    fn new() -> World {
        let mut world = World {
            model: Model::default(),
            real: Vec::new(),
            stops: Vec::new(),
            ran: Vec::new(),
            start: Instant::now(),
        };
        world.model.view(None, None, None);
        world.real.push(Some((Context::background(), Handle::None)));
        world
    }

    fn at(&self, hours: u8) -> Instant {
        if hours == 0 { self.start } else { self.start + HOUR * u32::from(hours) }
    }

    /// A held context near `n`: the root is always held.
    fn pick(&self, n: usize) -> usize {
        (0..=n % self.real.len()).rev().find(|n| self.model.nodes[*n].held).unwrap_or(0)
    }

    fn ctx(&self, n: usize) -> &Context {
        &self.real[n].as_ref().unwrap().0
    }

    fn push(&mut self, ctx: Context, handle: Handle) {
        self.real.push(Some((ctx, handle)));
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Cancel(n) => {
                let n = self.pick(n);
                let (ctx, handle) = self.ctx(n).with_cancel();
                self.model.derive(n, &[], self.model.deadline(n));
                self.push(ctx, Handle::Plain(handle));
            }
            Op::CancelCause(n) => {
                let n = self.pick(n);
                let (ctx, handle) = self.ctx(n).with_cancel_cause();
                self.model.derive(n, &[], self.model.deadline(n));
                self.push(ctx, Handle::Cause(handle));
            }
            Op::Value(n, key) => {
                let n = self.pick(n);
                let value = self.real.len();
                let ctx = self.ctx(n).with_value(key, value);
                self.model.view(Some(n), Some(n), Some((key, value)));
                self.push(ctx, Handle::None);
            }
            Op::Detach(n) => {
                let n = self.pick(n);
                let ctx = self.ctx(n).without_cancel();
                self.model.view(Some(n), None, None);
                self.push(ctx, Handle::None);
            }
            Op::Reparent(n, owner) => {
                let (n, owner) = (self.pick(n), self.pick(owner));
                let ctx = self.ctx(n).reparent(self.ctx(owner));
                self.model.view(Some(n), Some(owner), None);
                self.push(ctx, Handle::None);
            }
            Op::Merge(n, other) => {
                let (n, other) = (self.pick(n), self.pick(other));
                let (ctx, handle) = self.ctx(n).merge(self.ctx(other));
                let deadline = self.model.deadline(n).into_iter().chain(self.model.deadline(other)).min();
                self.model.derive(n, &[other], deadline);
                self.push(ctx, Handle::Plain(handle));
            }
            Op::Deadline(n, hours) => {
                let n = self.pick(n);
                let cause = format!("deadline {}", self.real.len());
                let (ctx, handle) = self.ctx(n).with_deadline_cause(self.at(hours), cause.clone());
                let inherited = self.model.deadline(n);
                let own = inherited.is_none_or(|inherited| hours <= inherited);
                let node = self.model.derive(n, &[], if own { Some(hours) } else { inherited });
                if own && hours == 0 {
                    self.model.finish(node, &(ContextError::DeadlineExceeded, cause));
                }
                self.push(ctx, Handle::Plain(handle));
            }
            Op::End(n) => {
                let n = self.pick(n);
                let cause = match &self.real[n].as_ref().unwrap().1 {
                    Handle::None => return,
                    Handle::Plain(handle) => {
                        handle.cancel();
                        "context canceled".to_owned()
                    }
                    Handle::Cause(handle) => {
                        handle.cancel(format!("cause {n}"));
                        format!("cause {n}")
                    }
                };
                self.model.finish(n, &(ContextError::Canceled, cause));
                self.model.fire();
            }
            Op::Drop(n) => {
                let n = self.pick(n);
                if n != 0 {
                    self.real[n] = None;
                    self.model.nodes[n].held = false;
                }
            }
            Op::AfterFunc(n) => {
                let n = self.pick(n);
                let ran = Arc::new(AtomicUsize::new(0));
                let count = Arc::clone(&ran);
                self.stops.push(self.ctx(n).after_func(move || {
                    count.fetch_add(1, Ordering::SeqCst);
                }));
                self.ran.push(ran);
                let on = self.model.owner(n);
                self.model.callbacks.push(Callback { on, fired: false, stopped: false });
                self.model.fire();
            }
            Op::Stop(c) => {
                if !self.stops.is_empty() {
                    let c = c % self.stops.len();
                    let callback = &mut self.model.callbacks[c];
                    let prevented = !callback.fired && !callback.stopped;
                    callback.stopped |= prevented;
                    assert_eq!(self.stops[c].stop(), prevented, "stop {c}");
                }
            }
        }
    }

    fn check(&self) {
        for (n, real) in self.real.iter().enumerate() {
            let Some((ctx, _)) = real else { continue };
            let end = self.model.end(n);
            assert_eq!(ctx.err(), end.map(|(error, _)| *error), "err of {n}: {ctx}");
            assert_eq!(cause_text(ctx), end.map(|(_, cause)| cause.clone()), "cause of {n}: {ctx}");
            assert_eq!(poll(&mut ctx.done(), Waker::noop()).is_ready(), end.is_some());
            assert_eq!(ctx.is_cancellable(), self.model.owner(n).is_some());
            assert_eq!(ctx.deadline(), self.model.deadline(n).map(|hours| self.at(hours)), "deadline of {n}");
            for key in 0..3_u8 {
                assert_eq!(ctx.value::<usize>(&key).copied(), self.model.value(n, key), "value {key} of {n}");
            }
            assert_eq!(ctx.child_count(), self.model.child_count(n), "children of {n}: {ctx}");
        }
    }

    fn check_callbacks(&self) {
        for (callback, ran) in self.model.callbacks.iter().zip(&self.ran) {
            if callback.fired {
                eventually("the callback ran", || ran.load(Ordering::SeqCst) == 1);
            }
        }
        std::thread::sleep(Duration::from_micros(200));
        for (callback, ran) in self.model.callbacks.iter().zip(&self.ran) {
            assert_eq!(ran.load(Ordering::SeqCst), usize::from(callback.fired));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn programs_agree_with_the_model(ops in prop::collection::vec(op(), 1..60)) {
        let mut world = World::new();
        for op in &ops {
            world.apply(op);
            world.check();
        }
        world.check_callbacks();
    }

    /// The same trees, ended by several threads at once while others derive from them. Which
    /// cancellation wins is open; that it is one of those above the node is not.
    #[test]
    fn threads_agree_with_the_model_as_far_as_it_is_decided(
        ops in prop::collection::vec(op(), 1..60),
        ends in prop::collection::vec(0..64_usize, 1..8),
    ) {
        let mut world = World::new();
        for op in ops.iter().filter(|op| !matches!(op, Op::Stop(_) | Op::AfterFunc(_))) {
            world.apply(op);
        }
        let ends: Vec<_> = ends.iter().map(|n| world.pick(*n)).collect();
        let was_done: Vec<_> = (0..world.real.len()).map(|n| world.model.end(n).is_some()).collect();
        let derived: Vec<_> = std::thread::scope(|scope| {
            let world = &world;
            for n in &ends {
                scope.spawn(move || match &world.real[*n].as_ref().unwrap().1 {
                    Handle::None => {}
                    Handle::Plain(handle) => handle.cancel(),
                    Handle::Cause(handle) => handle.cancel(format!("cause {n}")),
                });
            }
            let derive = scope.spawn(|| {
                let held = |n: &usize| world.model.nodes[*n].held;
                (0..world.real.len()).filter(held).map(|n| (n, world.ctx(n).with_cancel())).collect::<Vec<_>>()
            });
            derive.join().unwrap()
        });
        for n in &ends {
            let cause = match &world.real[*n].as_ref().unwrap().1 {
                Handle::None => continue,
                Handle::Plain(_) => "context canceled".to_owned(),
                Handle::Cause(_) => format!("cause {n}"),
            };
            world.model.finish(*n, &(ContextError::Canceled, cause));
        }
        for (n, (ctx, _)) in &derived {
            prop_assert_eq!(ctx.err(), world.ctx(*n).err());
            prop_assert_eq!(cause_text(ctx), cause_text(world.ctx(*n)));
        }
        for (n, real) in world.real.iter().enumerate() {
            let Some((ctx, _)) = real else { continue };
            prop_assert_eq!(ctx.is_done(), world.model.end(n).is_some());
            if was_done[n] {
                prop_assert_eq!(cause_text(ctx), world.model.end(n).map(|(_, cause)| cause.clone()));
            } else if let Some(cause) = cause_text(ctx) {
                let possible = ends.iter().any(|end| cause == format!("cause {end}") || cause == "context canceled");
                prop_assert!(possible, "{} ended with {}", ctx, cause);
            }
        }
    }
}
