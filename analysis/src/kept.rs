//! What becomes of the tokens that are kept in fields, over the whole program: a field's token is waited for in
//! one method and cancelled in another. What only tests do does not count: nobody cancels it in the program.

mod by_name;
mod given;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;

use crate::analysis::{Analysis, Way};
use crate::facts::Name;
use crate::flow::events::{Event, Flow, FromCallee, Seen};
use crate::flow::kept::Field;
use crate::flow::value::{InputPath, ObjId, Uses};
use crate::types::BodyRef;

use given::{Source, input_field, is_followed, sources};

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
    /// Tokens made for it.
    made: BTreeSet<Token>,
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

/// A token as one body knows it: made there, or given to it by a callee.
type Token = (BodyRef, ObjId);

impl Analysis {
    /// The fields in which a token is kept that a body makes or gets from a callee, that somebody waits for, and that
    /// nobody can cancel: every clone of it is in view. None of them where it is kept nowhere.
    pub fn never_cancelled(&self, flow: &Flow, id: ObjId) -> Option<Vec<Field>> {
        let line = self.line((flow.body, id));
        let mut uses = self.uses_of_token(&line).filter(|uses| !uses.any(AWAY))?;
        if line.iter().any(|token| self.stands_in(*token) || self.cleans_up(*token, uses)) {
            return None;
        }
        if !uses.any(Uses::IN_FIELD) {
            return uses.any(WAITED).then(Vec::new);
        }
        let kept = self.kept_tokens();
        let found = kept.reached(line.iter().flat_map(|token| kept.holding(*token)), |_| Vec::new());
        for field in &found {
            uses = uses.and(kept.fields.get(*field)?.uses);
        }
        let is_told = uses.any(WAITED) && !found.is_empty() && !self.may_be_cancelled(&found);
        is_told.then(|| found.into_iter().cloned().collect())
    }

    /// Whether somebody may cancel what is in one of these fields, or another token that is put there: one of several
    /// that are for others to cancel is so in the place of one of those.
    fn may_be_cancelled(&self, fields: &[&Field]) -> bool {
        let kept = self.kept_tokens();
        let made = |field: &Field| kept.fields.get(field).into_iter().flat_map(|life| &life.made);
        let beside = |field: &Field| made(field).flat_map(|token| kept.holding(*token)).collect();
        kept.reached(fields.iter().copied(), beside).into_iter().any(|field| {
            let is_away = |token: &Token| self.uses_in(*token).is_none_or(|uses| uses.any(AWAY));
            // What becomes of a callee's is told by the callee, and here by the field.
            let mut own = made(field).filter(|token| self.of_callee(**token).is_none());
            kept.fields.get(field).is_none_or(|life| life.uses.any(AWAY)) || own.any(is_away)
        })
    }

    /// The tokens that callees make for a body and leave to it, each with the way from where it is made.
    pub fn tokens_from_callees<'f>(&self, flow: &'f Flow) -> impl Iterator<Item = (ObjId, &'f FromCallee, Way)> {
        flow.from_callees.iter().filter_map(|(id, from)| {
            let is_left_to_it = |made: &Token| self.uses_in(*made).is_some_and(|uses| uses.any(Uses::RETURN));
            let way = from.made.iter().all(is_left_to_it).then(|| self.way_of(&self.line((flow.body, *id))))??;
            Some((*id, from, way))
        })
    }

    /// A token with all that it is to the callees it comes through, up to those that make it.
    fn line(&self, token: Token) -> Vec<Token> {
        let mut line = vec![token];
        let mut at = 0;
        while let Some((body, id)) = line.get(at) {
            let from = self.of_callee((*body, *id));
            let more = from.iter().flat_map(|from| &from.made).filter(|made| !line.contains(made)).copied();
            line.extend(more.collect::<Vec<_>>());
            at += 1;
        }
        line
    }

    /// What is done with a token in a body and in the callees it comes through; nothing if some of that is not told.
    fn uses_of_token(&self, line: &[Token]) -> Option<Uses> {
        let (last, callees) = line.split_first()?;
        let mut uses = self.uses_in(*last)?;
        for callee in callees {
            uses = uses.and(self.uses_in(*callee)?.without(Uses::RETURN));
        }
        Some(uses)
    }

    fn uses_in(&self, (body, id): Token) -> Option<Uses> {
        let flow = self.flow(body).filter(|flow| !flow.joined)?;
        Some(flow.roots.get(&id).copied().unwrap_or_default())
    }

    fn of_callee(&self, (body, id): Token) -> Option<&FromCallee> {
        self.flow(body)?.from_callees.get(&id)
    }

    /// Whether a token takes the place of one that is missing, or is one of two to choose from: that nobody cancels it
    /// is what was asked for.
    fn stands_in(&self, (body, id): Token) -> bool {
        self.flow(body).is_some_and(|flow| {
            let is_missing = |seen: &Seen| matches!(seen, Seen::Root { missing: true, .. });
            let mut made = flow.events.iter().filter(|event| makes(event, id));
            flow.chosen.contains(&id)
                || flow.from_callees.get(&id).is_some_and(|from| from.missing)
                || made.any(|event| event.seen.iter().all(is_missing))
        })
    }

    /// Whether a token is made where a context has ended, and only lent to what is done there: to end that is nobody's
    /// wish.
    fn cleans_up(&self, (body, id): Token, uses: Uses) -> bool {
        let is_after = |seen: &Seen| matches!(seen, Seen::Root { after_done: true, .. });
        let is_kept = uses.any(Uses::SPAWN.and(Uses::IN_FIELD).and(Uses::WAIT));
        let mut made = self.flow(body).into_iter().flat_map(|flow| &flow.events).filter(|event| makes(event, id));
        !is_kept && made.any(|event| event.seen.iter().all(is_after))
    }

    /// The way of a token from where it is made to the call that gives it to the body that got it last.
    fn way_of(&self, line: &[Token]) -> Option<Way> {
        let (maker, through) = line.split_last()?;
        let made_by =
            |(body, id): Token| self.flow(body)?.events.iter().find(|event| makes(event, id)).map(|event| event.site);
        let call = |token: &Token| Some(self.of_callee(*token)?.site);
        Some(Way { origin: made_by(*maker)?, hops: through.iter().skip(1).rev().filter_map(call).collect() })
    }

    fn kept_tokens(&self) -> &KeptTokens {
        self.kept.get_or_init(|| KeptTokens::of(self))
    }
}

/// Whether this is where a body makes a token.
fn makes(event: &Event, id: ObjId) -> bool {
    event.seen.iter().any(|seen| matches!(seen, Seen::Root { id: made, .. } if *made == id))
}

/// What may be done by a body that was not gone through to the end.
fn unseen(flow: &Flow) -> Uses {
    if flow.kept.unfinished { Uses::OPAQUE } else { Uses::default() }
}

impl KeptTokens {
    fn of(analysis: &Analysis) -> KeptTokens {
        let mut found = KeptTokens::default();
        let real = || analysis.flows().filter(|flow| !analysis.program.is_test(flow.body));
        real().for_each(|flow| found.stored_by(analysis, flow));
        let names: FxHashSet<Name> = found.fields.keys().map(|(_, name)| name.clone()).collect();
        real().for_each(|flow| found.used_by(analysis, flow, &names));
        for (field, uses) in by_name::uses(analysis, found.fields.keys()) {
            found.at(&field).add(uses);
        }
        for ((owner, name), life) in &mut found.fields {
            if analysis.program.keeps_in_slot(*owner, name) && analysis.field_is_used(*owner, name) {
                life.add(Uses::OPAQUE);
            }
        }
        found
    }

    /// What a body puts into fields.
    fn stored_by(&mut self, analysis: &Analysis, flow: &Flow) {
        for (field, from) in &flow.kept.from {
            let life = self.at(field);
            for source in from.iter().flat_map(|from| sources(analysis, flow, from)) {
                match source {
                    Source::Made(flow, id) => {
                        life.made.insert((flow.body, id));
                        // What is done here with what comes in the field out of a callee is done with what is in the field.
                        if flow.from_callees.contains_key(&id) {
                            life.add(flow.roots.get(&id).copied().unwrap_or_default().and(unseen(flow)));
                        }
                    }
                    Source::Field(other) => {
                        life.shares.insert(other);
                    }
                    Source::Unknown => life.add(Uses::OPAQUE),
                }
            }
        }
        for field in &flow.kept.unfollowed {
            self.at(field).add(Uses::OPAQUE);
        }
    }

    /// What a body does with fields of what it is given that have one of these names.
    fn used_by(&mut self, analysis: &Analysis, flow: &Flow, names: &FxHashSet<Name>) {
        let Some(summary) = analysis.summaries.get(flow.body) else { return };
        let is_of_them = |path: &InputPath| path.path.iter().any(|step| names.contains(step));
        for (path, uses) in summary.uses.iter().filter(|(path, _)| is_of_them(path)) {
            match input_field(analysis, flow.body, path) {
                Some((Some(owner), name)) => {
                    if let Some(life) = self.fields.get_mut(&(owner, name)) {
                        // What its callers do with what it gives back they tell themselves.
                        let is_followed = uses.any(Uses::RETURN) && is_followed(analysis, flow, path);
                        let uses = if is_followed { uses.without(Uses::RETURN) } else { *uses };
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

    /// The fields that a token is put into.
    fn holding(&self, token: Token) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |(_, life)| life.made.contains(&token)).map(|(field, _)| field)
    }

    /// These fields and those whose tokens are theirs, and then those `beside` them, in the order they are found in.
    fn reached<'k>(
        &'k self,
        from: impl Iterator<Item = &'k Field>,
        beside: impl Fn(&'k Field) -> Vec<&'k Field>,
    ) -> Vec<&'k Field> {
        let mut seen = BTreeSet::new();
        let mut found: Vec<&Field> = from.filter(|field| seen.insert(*field)).collect();
        let mut at = 0;
        while let Some(field) = found.get(at).copied() {
            let shared = self.fields.get(field).into_iter().flat_map(|life| &life.shares);
            let sharing = self.fields.iter().filter(|(_, life)| life.shares.contains(field)).map(|(field, _)| field);
            let more = shared.chain(sharing).chain(beside(field)).filter(|field| seen.insert(*field));
            found.extend(more.collect::<Vec<_>>());
            at += 1;
        }
        found
    }

    fn at(&mut self, field: &Field) -> &mut Life {
        self.fields.entry(field.clone()).or_default()
    }
}
