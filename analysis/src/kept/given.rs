//! Where a token comes from that a body is given: what all of its callers give it there.

use std::collections::BTreeSet;

use crate::analysis::Analysis;
use crate::facts::BodyKind;
use crate::flow::FieldName;
use crate::flow::events::{Call, Flow};
use crate::flow::kept::{Field, Origin, of_input, origin};
use crate::flow::value::{InputPath, ObjId, Val};
use crate::link::Program;
use crate::types::{BodyRef, DefId};

/// Where a token comes from.
pub(super) enum Source<'a> {
    /// It is made in this flow, or comes out of a callee there.
    Made(&'a Flow, ObjId),
    /// It is in a field of something else.
    Field(Field),
    /// Nobody knows.
    Unknown,
}

/// Where a token comes from that a body puts somewhere.
pub(super) fn sources<'a>(analysis: &'a Analysis, flow: &'a Flow, from: &Origin) -> Vec<Source<'a>> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut left = vec![(flow, from.clone())];
    while let Some((flow, from)) = left.pop() {
        match from {
            Origin::Made(id) => found.push(Source::Made(flow, id)),
            Origin::Given(path) => match input_field(analysis, flow.body, &path) {
                Some((Some(owner), name)) => found.push(Source::Field((owner, name))),
                Some((None, _)) => found.push(Source::Unknown),
                None if !seen.insert((flow.body, path.clone())) => {}
                None => left.extend(given(analysis, flow, &path)),
            },
            Origin::Other => found.push(Source::Unknown),
        }
    }
    found
}

/// What callers give a body, with their flows; something that nobody knows if some of them are not in view. What tests
/// give it is no matter of the program's.
fn given<'a>(analysis: &'a Analysis, flow: &'a Flow, path: &InputPath) -> Vec<(&'a Flow, Origin)> {
    let calls: Vec<(&Flow, &Call)> = analysis.calls_of(flow.body).collect();
    let are_some_unknown = calls.is_empty() || !are_all(analysis, flow.body, &calls);
    let real = calls.into_iter().filter(|(flow, _)| !analysis.program.is_test(flow.body));
    let given = real.filter_map(|(flow, call)| {
        Some((flow, path.among(&call.inputs).map_or(Some(Origin::Other), |value| origin(&value))?))
    });
    given.chain(are_some_unknown.then_some((flow, Origin::Other))).collect()
}

/// Whether all who call a body are in view, with what they give it there, and get that back as it is.
pub(super) fn is_followed(analysis: &Analysis, flow: &Flow, path: &InputPath) -> bool {
    let gives = |ret: &Val| origin(ret).is_some_and(|from| from == Origin::Given(path.clone()));
    let rets = analysis.summaries.get(flow.body).map_or(&[][..], |summary| &summary.rets);
    let given = given(analysis, flow, path);
    !flow.joined && rets.iter().any(gives) && given.iter().all(|(_, origin)| *origin != Origin::Other)
}

/// Whether a body is run by nothing but these calls.
fn are_all(analysis: &Analysis, body: BodyRef, calls: &[(&Flow, &Call)]) -> bool {
    let program = &analysis.program;
    match program.body(body).map(|body| &body.kind) {
        Some(BodyKind::Function(_)) => {
            let is_private = program.function_of(body).is_some_and(|def| is_private(program, def));
            let is_seen = |(caller, site)| calls.iter().any(|(flow, call)| flow.body == caller && call.site == site);
            let mut real = analysis.callers_of(body).iter().copied().filter(|(caller, _)| !program.is_test(*caller));
            is_private && real.all(is_seen)
        }
        // What surrounds them makes them, and gives them their captures.
        Some(BodyKind::Closure(_) | BodyKind::AsyncBlock(_)) => true,
        _ => false,
    }
}

/// Whether a function is called by its own name only, and only by code in view.
fn is_private(program: &Program, def: DefId) -> bool {
    let is_its_own = program.container(def).is_none_or(|container| program.is_inherent(container));
    is_its_own && !program.used_as_value(def) && !program.is_exported(def)
}

/// The field that a part of an input is or is in.
pub(super) fn input_field(analysis: &Analysis, who: BodyRef, path: &InputPath) -> Option<FieldName> {
    let (body, typed) = (analysis.program.body(who)?, analysis.program.typed(who)?);
    of_input(&analysis.program, (body, typed), path)
}
