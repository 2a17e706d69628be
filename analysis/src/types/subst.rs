//! Putting types in the place of parameters, and finding out which.

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::{Bound, DefId, Ty};

/// What stands for type parameters.
pub type Substitution = FxHashMap<(DefId, SmolStr), Ty>;

/// How deep types are looked into.
const MAX_DEPTH: usize = 24;

/// How many parts a type may have and still be completed or used to complete others: a type that goes
/// into itself would grow without end.
const MAX_PARTS: usize = 256;

impl Ty {
    /// The type without references around it.
    pub fn unreferenced(&self) -> &Ty {
        let mut ty = self;
        while let Ty::Ref(inner, _) = ty {
            ty = inner;
        }
        ty
    }

    /// Whether nothing is known of it.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Ty::Unknown)
    }

    /// A shared reference to it; of what is unknown nothing.
    pub(crate) fn referenced(self) -> Ty {
        if self.is_unknown() { Ty::Unknown } else { Ty::Ref(Box::new(self), false) }
    }

    /// The unit type.
    pub(crate) fn unit() -> Ty {
        Ty::Tuple(Vec::new())
    }

    /// The type with every parameter replaced that stands in the table; other parameters stay.
    pub fn substitute(&self, with: &Substitution) -> Ty {
        if with.is_empty() { self.clone() } else { self.map(&|ty| replaced(ty, with), MAX_DEPTH) }
    }

    /// The type with `Self` of traits replaced.
    pub fn with_self(&self, own: &Ty) -> Ty {
        self.map(&|ty| matches!(ty, Ty::SelfOf(_)).then(|| own.clone()), MAX_DEPTH)
    }

    fn map(&self, replace: &dyn Fn(&Ty) -> Option<Ty>, depth: usize) -> Ty {
        if depth == 0 {
            return Ty::Unknown;
        }
        if let Some(replaced) = replace(self) {
            return replaced;
        }
        let one = |ty: &Ty| Box::new(ty.map(replace, depth - 1));
        let all = |types: &[Ty]| types.iter().map(|ty| ty.map(replace, depth - 1)).collect();
        match self {
            Ty::Adt(con, args) => Ty::Adt(con.clone(), all(args)),
            Ty::Ref(inner, mutable) => Ty::Ref(one(inner), *mutable),
            Ty::Tuple(parts) => Ty::Tuple(all(parts)),
            Ty::Slice(item) => Ty::Slice(one(item)),
            Ty::Bounds(bounds) => Ty::Bounds(bounds.iter().map(|bound| bound.map(replace, depth - 1)).collect()),
            Ty::Constructor(ty) => Ty::Constructor(one(ty)),
            Ty::FnPtr(params, ret) => Ty::FnPtr(all(params), one(ret)),
            Ty::Future(output) => Ty::Future(one(output)),
            other => other.clone(),
        }
    }

    /// Whether some parameter or `Self` of a trait occurs in it.
    pub(crate) fn is_generic(&self) -> bool {
        let found = std::cell::Cell::new(false);
        self.map(
            &|ty| {
                if matches!(ty, Ty::Param(..) | Ty::SelfOf(_)) {
                    found.set(true);
                }
                None
            },
            MAX_DEPTH,
        );
        found.get()
    }

    /// Takes from `other` what is not known here, and says whether there was something. What both
    /// know and disagree on stays as it is, and so does what has grown too large to be told.
    pub fn fill(&mut self, other: &Ty) -> bool {
        other.has_parts_left(&mut { MAX_PARTS }) && self.has_parts_left(&mut { MAX_PARTS }) && self.take(other)
    }

    /// Takes its parts from what is left, as far as that goes, and says whether it was enough.
    fn has_parts_left(&self, left: &mut usize) -> bool {
        let Some(rest) = left.checked_sub(1) else { return false };
        *left = rest;
        match self {
            Ty::Adt(_, parts) | Ty::Tuple(parts) => parts.iter().all(|part| part.has_parts_left(left)),
            Ty::Ref(inner, _) | Ty::Slice(inner) | Ty::Future(inner) | Ty::Constructor(inner) => {
                inner.has_parts_left(left)
            }
            Ty::FnPtr(params, ret) => params.iter().all(|part| part.has_parts_left(left)) && ret.has_parts_left(left),
            _ => true,
        }
    }

    fn take(&mut self, other: &Ty) -> bool {
        match (&mut *self, other) {
            (_, Ty::Unknown) | (Ty::Never, Ty::Never) => false,
            (Ty::Unknown | Ty::Never, other) => {
                *self = other.clone();
                true
            }
            (Ty::Prim(name), Ty::Prim(exact)) if is_open_number(name) && !is_open_number(exact) => {
                *name = exact.clone();
                true
            }
            (Ty::Adt(con, args), Ty::Adt(other, others)) if con == other => fill_all(args, others),
            (Ty::Ref(inner, _), Ty::Ref(other, _))
            | (Ty::Slice(inner), Ty::Slice(other))
            | (Ty::Future(inner), Ty::Future(other)) => inner.take(other),
            (Ty::Tuple(parts), Ty::Tuple(others)) if parts.len() == others.len() => fill_all(parts, others),
            _ => false,
        }
    }
}

/// A literal's type before something says which.
fn is_open_number(name: &str) -> bool {
    matches!(name, "integer" | "float")
}

fn fill_all(parts: &mut Vec<Ty>, others: &[Ty]) -> bool {
    let mut changed = false;
    for (part, other) in parts.iter_mut().zip(others) {
        changed |= part.take(other);
    }
    if parts.len() < others.len() {
        parts.extend(others.iter().skip(parts.len()).cloned());
        changed = true;
    }
    changed
}

fn replaced(ty: &Ty, with: &Substitution) -> Option<Ty> {
    match ty {
        Ty::Param(def, name) => with.get(&(*def, name.clone())).cloned(),
        _ => None,
    }
}

impl Bound {
    fn map(&self, replace: &dyn Fn(&Ty) -> Option<Ty>, depth: usize) -> Bound {
        let all = |types: &[Ty]| types.iter().map(|ty| ty.map(replace, depth)).collect();
        match self {
            Bound::Trait(con, args, bindings) => {
                let bindings = bindings.iter().map(|(name, ty)| (name.clone(), ty.map(replace, depth))).collect();
                Bound::Trait(con.clone(), all(args), bindings)
            }
            Bound::Fn(params, ret) => Bound::Fn(all(params), Box::new(ret.map(replace, depth))),
            Bound::Future(output) => Bound::Future(Box::new(output.map(replace, depth))),
        }
    }
}

/// Finds what stands for the parameters in `pattern` where it meets `actual`. References are looked
/// through on either side alone, as Rust's coercions do.
pub fn unify(pattern: &Ty, actual: &Ty, found: &mut Substitution) {
    unify_to(pattern, actual, found, MAX_DEPTH);
}

fn unify_to(pattern: &Ty, actual: &Ty, found: &mut Substitution, depth: usize) {
    if depth == 0 || actual.is_unknown() {
        return;
    }
    let all = |patterns: &[Ty], actuals: &[Ty], found: &mut Substitution| {
        patterns.iter().zip(actuals).for_each(|(pattern, actual)| unify_to(pattern, actual, found, depth - 1));
    };
    match (pattern, actual) {
        (Ty::Param(def, name), actual) => {
            found
                .entry((*def, name.clone()))
                .and_modify(|known| {
                    known.fill(actual);
                })
                .or_insert_with(|| actual.clone());
        }
        (Ty::Ref(pattern, _), Ty::Ref(actual, _)) => unify_to(pattern, actual, found, depth - 1),
        (Ty::Ref(pattern, _), actual) => unify_to(pattern, actual, found, depth - 1),
        (pattern, Ty::Ref(actual, _)) => unify_to(pattern, actual, found, depth - 1),
        (Ty::Adt(con, args), Ty::Adt(other, others)) if con == other => all(args, others, found),
        (Ty::Tuple(parts), Ty::Tuple(others)) => all(parts, others, found),
        (Ty::Slice(item), Ty::Slice(other)) => unify_to(item, other, found, depth - 1),
        (Ty::Slice(item), Ty::Adt(_, args)) => all(std::slice::from_ref(item), args, found),
        (Ty::Future(output), Ty::Future(other)) => unify_to(output, other, found, depth - 1),
        (Ty::FnPtr(params, ret), Ty::FnPtr(others, other)) => {
            all(params, others, found);
            unify_to(ret, other, found, depth - 1);
        }
        (Ty::Bounds(bounds), actual) => {
            for bound in bounds {
                unify_bound(bound, actual, found, depth - 1);
            }
        }
        _ => {}
    }
}

fn unify_bound(bound: &Bound, actual: &Ty, found: &mut Substitution, depth: usize) {
    match (bound, actual) {
        (Bound::Future(output), Ty::Future(actual)) => unify_to(output, actual, found, depth),
        (Bound::Fn(_, ret), Ty::FnPtr(_, actual)) => unify_to(ret, actual, found, depth),
        (_, Ty::Bounds(bounds)) => {
            for actual in bounds {
                match (bound, actual) {
                    (Bound::Future(output), Bound::Future(actual)) => unify_to(output, actual, found, depth),
                    (Bound::Trait(con, args, _), Bound::Trait(other, others, _)) if con == other => {
                        args.iter().zip(others).for_each(|(arg, other)| unify_to(arg, other, found, depth));
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_goes_into_itself_stops_growing() {
        let mut ty = Ty::Tuple(vec![Ty::Unknown, Ty::Unknown]);
        let mut rounds = 0;
        while rounds < 64 && ty.fill(&Ty::Tuple(vec![ty.clone(), ty.clone()])) {
            rounds += 1;
        }
        assert!(rounds > 2 && rounds < 64, "{rounds}");
        assert!(ty.has_parts_left(&mut { MAX_PARTS * MAX_PARTS }));
    }
}
