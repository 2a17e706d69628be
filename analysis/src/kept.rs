//! What becomes of the tokens that are kept in fields, over the whole program: a field's token is waited for in
//! one method and cancelled in another.

mod by_name;

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::Analysis;
use crate::flow::FieldName;
use crate::flow::events::{Flow, Seen};
use crate::flow::kept::{Field, Origin, of_input};
use crate::flow::value::{InputPath, ObjId, Uses};
use crate::types::BodyRef;

/// What is done with what is in fields that keep tokens.
#[derive(Debug, Default)]
pub(crate) struct KeptTokens {
    fields: BTreeMap<Field, Life>,
}

/// What is known of what is in a field.
#[derive(Debug, Default)]
struct Life {
    /// What anybody does with it, as far as that is followed; otherwise it is opaque.
    uses: Uses,
    /// Tokens made for it, by the body.
    made: BTreeSet<(BodyRef, ObjId)>,
    /// The fields whose tokens are put into it, too.
    shares: BTreeSet<Field>,
}

impl Life {
    fn add(&mut self, uses: Uses) {
        self.uses = self.uses.and(uses.without(Uses::IN_FIELD));
    }
}

/// Waiting for a token's end, or asking for it.
const WAITED: Uses = Uses(Uses::WAIT.0 | Uses::RACE.0 | Uses::STATE.0);

/// Cancelling it, or giving it to somebody who may.
const AWAY: Uses = Uses(
    Uses::CANCEL.0 | Uses::USED.0 | Uses::ESCAPE.0 | Uses::RETURN.0 | Uses::OPAQUE.0 | Uses::WORK.0 | Uses::CALLBACK.0,
);

impl Analysis {
    /// The fields in which a token is kept that is made in this flow, that somebody waits for, and that nobody can
    /// cancel: every clone of it is in view. None of them where it is kept nowhere.
    pub fn never_cancelled(&self, flow: &Flow, id: ObjId) -> Option<Vec<Field>> {
        let uses = self.uses_of_token(flow, id).filter(|uses| !uses.any(AWAY))?;
        if !uses.any(Uses::IN_FIELD) {
            return uses.any(WAITED).then(Vec::new);
        }
        let kept = self.kept_tokens();
        let mut uses = uses;
        let mut found = Vec::new();
        let mut left: Vec<&Field> = keeping(flow, id).collect();
        if left.is_empty() {
            return None;
        }
        let mut seen: BTreeSet<&Field> = left.iter().copied().collect();
        while let Some(field) = left.pop() {
            let life = kept.fields.get(field)?;
            if life.uses.any(AWAY) {
                return None;
            }
            uses = uses.and(life.uses);
            // One of several that are put there for others to cancel is so in the place of one of those.
            let stays = |(body, id): &(BodyRef, ObjId)| {
                let uses = self.flow(*body).and_then(|flow| self.uses_of_token(flow, *id));
                self.program.is_test(*body) || uses.is_some_and(|uses| !uses.any(AWAY))
            };
            if !life.made.iter().all(stays) {
                return None;
            }
            let holds_this = |(_, life): &(&Field, &Life)| life.shares.contains(field);
            let others = kept.fields.iter().filter(holds_this).map(|(field, _)| field);
            left.extend(others.chain(&life.shares).filter(|field| seen.insert(field)));
            found.push(field.clone());
        }
        found.reverse();
        uses.any(WAITED).then_some(found)
    }

    fn uses_of_token(&self, flow: &Flow, id: ObjId) -> Option<Uses> {
        if flow.joined { None } else { flow.roots.get(&id).copied() }
    }

    fn kept_tokens(&self) -> &KeptTokens {
        self.kept.get_or_init(|| KeptTokens::of(self))
    }
}

/// What may be done by a body that was not gone through to the end.
fn unseen(flow: &Flow) -> Uses {
    if flow.kept.unfinished { Uses::OPAQUE } else { Uses::default() }
}

/// The fields that a body puts a token into that it makes.
fn keeping(flow: &Flow, id: ObjId) -> impl Iterator<Item = &Field> {
    flow.kept.from.iter().filter(move |(_, from)| from.contains(&Origin::Made(id))).map(|(field, _)| field)
}

impl KeptTokens {
    fn of(analysis: &Analysis) -> KeptTokens {
        let mut found = KeptTokens::default();
        for flow in analysis.flows() {
            found.stored_by(analysis, flow);
        }
        for flow in analysis.flows() {
            found.used_by(analysis, flow);
        }
        for (field, uses) in by_name::uses(analysis, found.fields.keys()) {
            found.at(&field).add(uses);
        }
        found
    }

    /// What a body puts into fields.
    fn stored_by(&mut self, analysis: &Analysis, flow: &Flow) {
        let makes = |id: ObjId| {
            let mut seen = flow.events.iter().flat_map(|event| &event.seen);
            seen.any(|seen| matches!(seen, Seen::Root { id: made, .. } if *made == id))
        };
        for (field, from) in &flow.kept.from {
            let life = self.at(field);
            for origin in from {
                match origin {
                    Origin::Made(id) if makes(*id) => {
                        life.made.insert((flow.body, *id));
                    }
                    // Of a callee, which tells of it; what is done with it here is done with what is in the field.
                    Origin::Made(id) => life.add(flow.roots.get(id).copied().unwrap_or_default().and(unseen(flow))),
                    Origin::Given(path) => match input_field(analysis, flow.body, path) {
                        Some((Some(owner), name)) => {
                            life.shares.insert((owner, name));
                        }
                        _ => life.add(Uses::OPAQUE),
                    },
                    Origin::Other => life.add(Uses::OPAQUE),
                }
            }
        }
        for field in &flow.kept.unfollowed {
            self.at(field).add(Uses::OPAQUE);
        }
    }

    /// What a body does with fields of what it is given.
    fn used_by(&mut self, analysis: &Analysis, flow: &Flow) {
        let Some(summary) = analysis.summaries.get(flow.body) else { return };
        for (path, uses) in summary.uses.iter().filter(|(path, _)| !path.path.is_empty()) {
            match input_field(analysis, flow.body, path) {
                Some((Some(owner), name)) => {
                    if let Some(life) = self.fields.get_mut(&(owner, name)) {
                        life.add(uses.and(unseen(flow)));
                    }
                }
                Some((None, name)) if uses.any(AWAY) => {
                    let may_mean = |(field, _): &(&Field, &mut Life)| {
                        field.1 == name && analysis.program.may_say(flow.body, field.0, &name)
                    };
                    self.fields.iter_mut().filter(may_mean).for_each(|(_, life)| life.add(Uses::OPAQUE));
                }
                _ => {}
            }
        }
    }

    fn at(&mut self, field: &Field) -> &mut Life {
        self.fields.entry(field.clone()).or_default()
    }
}

fn input_field(analysis: &Analysis, who: BodyRef, path: &InputPath) -> Option<FieldName> {
    let (body, typed) = (analysis.program.body(who)?, analysis.program.typed(who)?);
    of_input(&analysis.program, (body, typed), path)
}
