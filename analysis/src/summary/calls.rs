//! Who calls whom, and in which order bodies are looked at.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::body_of;
use crate::analysis::grouped;
use crate::facts::OpKind;
use crate::handlers::Origin;
use crate::link::Program;
use crate::types::{BodyRef, Target};

/// Who may run each body.
pub(super) type Callers = FxHashMap<BodyRef, Vec<BodyRef>>;

/// The calls between the bodies of a program.
pub(super) struct Calls {
    of: FxHashMap<BodyRef, Vec<BodyRef>>,
}

impl Calls {
    pub(super) fn of_program(program: &Program) -> Calls {
        Calls { of: program.bodies().par_iter().map(|who| (*who, callees(program, *who))).collect() }
    }

    /// The same the other way round.
    pub(super) fn callers(&self, program: &Program) -> Callers {
        let calls = program.bodies().iter().flat_map(|who| self.of(*who).iter().map(|callee| (*callee, *who)));
        grouped(calls)
    }

    /// The bodies of the program that a body may run, by name.
    pub(super) fn of(&self, who: BodyRef) -> &[BodyRef] {
        self.of.get(&who).map_or(&[], Vec::as_slice)
    }
}

/// Bodies that call only those of earlier levels, or each other.
#[derive(Default)]
pub(super) struct Level {
    /// Each calls none of this level.
    pub(super) alone: Vec<BodyRef>,
    /// Each calls itself, or some that call each other, in no particular order.
    pub(super) circles: Vec<Vec<BodyRef>>,
}

/// The bodies of interest, level by level.
pub(super) fn levels(program: &Program, calls: &Calls, relevant: &FxHashSet<BodyRef>) -> Vec<Level> {
    let mut graph: DiGraph<BodyRef, ()> = DiGraph::new();
    let of_interest = program.bodies().iter().filter(|body| relevant.contains(*body));
    let nodes: FxHashMap<BodyRef, NodeIndex> = of_interest.map(|body| (*body, graph.add_node(*body))).collect();
    for body in program.bodies() {
        let Some(caller) = nodes.get(body) else { continue };
        for callee in calls.of(*body).iter().filter_map(|callee| nodes.get(callee)) {
            graph.add_edge(*caller, *callee, ());
        }
    }
    let mut levels: Vec<Level> = Vec::new();
    let mut level_of: Vec<Option<usize>> = vec![None; graph.node_count()];
    // Callees come before their callers here (M. Sharir, A strong-connectivity algorithm, 1981). Only those
    // of the same circle have no level yet.
    for circle in kosaraju_scc(&graph) {
        let callees = circle.iter().flat_map(|node| graph.neighbors(*node));
        let of_callees: Vec<Option<usize>> =
            callees.map(|callee| level_of.get(callee.index()).copied().flatten()).collect();
        let is_circle = of_callees.contains(&None);
        let level = of_callees.iter().flatten().max().map_or(0, |level| level + 1);
        for node in &circle {
            if let Some(slot) = level_of.get_mut(node.index()) {
                *slot = Some(level);
            }
        }
        if levels.len() <= level {
            levels.resize_with(level + 1, Level::default);
        }
        let Some(level) = levels.get_mut(level) else { continue };
        let bodies = circle.iter().filter_map(|node| graph.node_weight(*node)).copied();
        if is_circle {
            level.circles.push(bodies.collect());
        } else {
            level.alone.extend(bodies);
        }
    }
    levels
}

/// The bodies of the program that a body may run, by name.
fn callees(program: &Program, who: BodyRef) -> Vec<BodyRef> {
    let (Some(body), Some(typed)) = (program.body(who), program.typed(who)) else { return Vec::new() };
    let mut found: Vec<BodyRef> = Vec::new();
    for target in typed.targets.iter().flatten() {
        if let Target::Def(def) = target {
            found.extend(body_of(program, *def));
        }
    }
    for op in body.blocks.iter().flat_map(|block| &block.ops) {
        if let OpKind::Closure(inner) = &op.kind {
            found.push(BodyRef { file: who.file, body: *inner });
        }
    }
    for ty in &typed.locals {
        if let Some(body) = program.drop_impl(ty).and_then(|def| program.body_of(def)) {
            found.push(body);
        }
    }
    for origin in program.handler(who).iter().flat_map(|handler| &handler.params) {
        if let Origin::Extracted(maker) = origin {
            found.push(*maker);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
