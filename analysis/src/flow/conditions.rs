//! Conditions that can be recognised when they are tested again.

use super::run::At;
use crate::facts::{BinaryOp, Body, Lit, LocalId, LocalKind, OpKind, Place, Step, Test, UnaryOp};

/// A condition, as a text that is the same for the same question, and the locals it reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Cond {
    /// The question.
    pub(super) text: String,
    /// The locals whose change makes it a new question.
    pub(super) bases: Vec<LocalId>,
}

/// Methods that only look, so that the same call on the same thing has the same answer.
const STEADY: &[&str] =
    &["is_some", "is_none", "is_ok", "is_err", "is_empty", "len", "as_ref", "as_deref", "contains", "starts_with"];

/// Where each temporary gets its value.
#[derive(Debug, Default)]
pub(super) struct Definitions(Vec<Option<At>>);

impl Definitions {
    /// Those of a body.
    pub(super) fn of(body: &Body) -> Definitions {
        let mut found: Vec<Option<At>> = vec![None; body.locals.len()];
        let mut twice = vec![false; body.locals.len()];
        for (b, block) in body.blocks.iter().enumerate() {
            for (o, op) in block.ops.iter().enumerate() {
                let Some(dest) = op.dest else { continue };
                if let (Some(slot), Some(again)) = (found.get_mut(dest.index()), twice.get_mut(dest.index())) {
                    *again |= slot.is_some();
                    *slot = Some(At { block: b as u32, op: o as u32 });
                }
            }
        }
        for (slot, again) in found.iter_mut().zip(twice) {
            if again {
                *slot = None;
            }
        }
        Definitions(found)
    }

    /// The operation that gives a local its value, if there is just one.
    pub(super) fn op<'a>(&self, body: &'a Body, local: LocalId) -> Option<&'a OpKind> {
        let At { block, op } = self.at(local)?;
        Some(&body.op(block, op)?.kind)
    }

    /// Where that operation is.
    pub(super) fn at(&self, local: LocalId) -> Option<At> {
        *self.0.get(local.index())?
    }
}

/// The question behind a boolean, and whether it is asked straight or negated.
pub(super) fn question(body: &Body, definitions: &Definitions, condition: LocalId) -> Option<(Cond, bool)> {
    if let Some(OpKind::Unary(UnaryOp::Not, inner)) = definitions.op(body, condition) {
        let (cond, straight) = question(body, definitions, *inner)?;
        return Some((cond, !straight));
    }
    if let Some(OpKind::Binary(op, left, right)) = definitions.op(body, condition)
        && let Some((op, straight)) = turned(*op)
    {
        let mut cond = Cond { text: format!("({op:?} "), bases: Vec::new() };
        term(body, definitions, *left, &mut cond, 6)?;
        cond.text.push(' ');
        term(body, definitions, *right, &mut cond, 6)?;
        return Some((cond, straight));
    }
    let mut cond = Cond { text: String::new(), bases: Vec::new() };
    term(body, definitions, condition, &mut cond, 6)?;
    // `is_none` asks `is_some` the other way round.
    for (negative, positive) in [("is_none", "is_some"), ("is_err", "is_ok")] {
        if let Some(rest) = cond.text.strip_prefix(negative) {
            cond.text = format!("{positive}{rest}");
            return Some((cond, false));
        }
    }
    Some((cond, true))
}

/// Of two comparisons that are each other's opposite, one stands for both.
fn turned(op: BinaryOp) -> Option<(BinaryOp, bool)> {
    match op {
        BinaryOp::Eq | BinaryOp::Gt | BinaryOp::Ge => Some((op, true)),
        BinaryOp::Ne => Some((BinaryOp::Eq, false)),
        BinaryOp::Le => Some((BinaryOp::Gt, false)),
        BinaryOp::Lt => Some((BinaryOp::Ge, false)),
        BinaryOp::Mul | BinaryOp::Range | BinaryOp::Other => None,
    }
}

/// The question a pattern asks, and whether it is asked straight or negated.
pub(super) fn pattern_question(body: &Body, place: &Place, test: &Test) -> Option<(Cond, bool)> {
    let mut cond = Cond { text: String::new(), bases: Vec::new() };
    let (name, straight) = match test {
        Test::Variant(path) => match path.last() {
            "Some" => ("is_some".to_owned(), true),
            "None" => ("is_some".to_owned(), false),
            "Ok" => ("is_ok".to_owned(), true),
            "Err" => ("is_ok".to_owned(), false),
            other => (format!("is {other}"), true),
        },
        Test::Lit(lit) => (format!("is {}", literal(lit)?), true),
        _ => return None,
    };
    cond.text = format!("{name} ");
    self::place(body, place, &mut cond)?;
    Some((cond, straight))
}

fn term(body: &Body, definitions: &Definitions, local: LocalId, cond: &mut Cond, fuel: u8) -> Option<()> {
    let fuel = fuel.checked_sub(1)?;
    if body.local(local)?.kind != LocalKind::Temp {
        return place(body, &Place::local(local), cond);
    }
    match definitions.op(body, local)? {
        OpKind::Use(from) | OpKind::Ref(from, _) => through(body, definitions, from, cond, fuel),
        OpKind::Lit(lit) => {
            cond.text.push_str(&literal(lit)?);
            Some(())
        }
        OpKind::Binary(op, left, right) => {
            cond.text.push_str(&format!("({op:?} "));
            term(body, definitions, *left, cond, fuel)?;
            cond.text.push(' ');
            term(body, definitions, *right, cond, fuel)?;
            cond.text.push(')');
            Some(())
        }
        OpKind::MethodCall { receiver, name, args, .. } if STEADY.contains(&name.as_str()) => {
            cond.text.push_str(name);
            cond.text.push(' ');
            through(body, definitions, receiver, cond, fuel)?;
            for arg in args {
                cond.text.push(' ');
                term(body, definitions, *arg, cond, fuel)?;
            }
            Some(())
        }
        OpKind::Path(path) => {
            for segment in &path.segments {
                cond.text.push_str("::");
                cond.text.push_str(&segment.name);
            }
            Some(())
        }
        _ => None,
    }
}

fn through(body: &Body, definitions: &Definitions, from: &Place, cond: &mut Cond, fuel: u8) -> Option<()> {
    if body.local(from.base)?.kind == LocalKind::Temp && from.path.is_empty() {
        return term(body, definitions, from.base, cond, fuel);
    }
    place(body, from, cond)
}

fn place(body: &Body, place: &Place, cond: &mut Cond) -> Option<()> {
    if body.local(place.base)?.kind == LocalKind::Temp {
        return None;
    }
    cond.text.push_str(&format!("_{}", place.base.0));
    for step in &place.path {
        match step {
            Step::Field(name) => cond.text.push_str(&format!(".{name}")),
            Step::Variant(variant, name) => cond.text.push_str(&format!(".{variant}.{name}")),
            Step::Deref => {}
            Step::Index | Step::Nth(_) => return None,
        }
    }
    if !cond.bases.contains(&place.base) {
        cond.bases.push(place.base);
    }
    Some(())
}

fn literal(lit: &Lit) -> Option<String> {
    match lit {
        Lit::Int(Some(value)) => Some(value.to_string()),
        Lit::Bool(value) => Some(value.to_string()),
        Lit::Str(text) => Some(format!("{text:?}")),
        _ => None,
    }
}
