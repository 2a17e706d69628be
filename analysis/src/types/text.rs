//! Types and targets as text.

use super::{Bound, DefId, Target, Ty, TyCon};
use crate::link::Program;

/// How deep types are told.
const MAX_DEPTH: usize = 12;

impl Program {
    /// A type as one would write it, with full paths; `_` for what is not known.
    pub fn type_text(&self, ty: &Ty) -> String {
        self.text(ty, MAX_DEPTH)
    }

    fn text(&self, ty: &Ty, depth: usize) -> String {
        let Some(depth) = depth.checked_sub(1) else { return "…".to_owned() };
        let list = |types: &[Ty]| types.iter().map(|ty| self.text(ty, depth)).collect::<Vec<_>>().join(", ");
        match ty {
            Ty::Unknown => "_".to_owned(),
            Ty::Never => "!".to_owned(),
            Ty::Adt(con, args) if args.is_empty() => self.con_text(con),
            Ty::Adt(con, args) => format!("{}<{}>", self.con_text(con), list(args)),
            Ty::Ref(inner, false) => format!("&{}", self.text(inner, depth)),
            Ty::Ref(inner, true) => format!("&mut {}", self.text(inner, depth)),
            Ty::Tuple(parts) => format!("({})", list(parts)),
            Ty::Slice(item) => format!("[{}]", self.text(item, depth)),
            Ty::Prim(name) | Ty::Param(_, name) => name.to_string(),
            Ty::SelfOf(def) => format!("Self of {}", self.path_text(*def)),
            Ty::Bounds(bounds) => {
                let bounds: Vec<String> = bounds.iter().map(|bound| self.bound_text(bound, depth)).collect();
                format!("impl {}", bounds.join(" + "))
            }
            Ty::Fn(def) => format!("fn {}", self.path_text(*def)),
            Ty::ExternalFn(path) => format!("fn {path}"),
            Ty::Constructor(ty) => format!("constructor of {}", self.text(ty, depth)),
            Ty::FnPtr(params, ret) => format!("fn({}) -> {}", list(params), self.text(ret, depth)),
            Ty::Closure(_) => "closure".to_owned(),
            Ty::Future(output) => format!("future {}", self.text(output, depth)),
        }
    }

    fn con_text(&self, con: &TyCon) -> String {
        match con {
            TyCon::Def(def) => self.path_text(*def),
            TyCon::External(path) => path.to_string(),
        }
    }

    fn bound_text(&self, bound: &Bound, depth: usize) -> String {
        let list = |types: &[Ty]| types.iter().map(|ty| self.text(ty, depth)).collect::<Vec<_>>().join(", ");
        match bound {
            Bound::Trait(con, args, bindings) => {
                let mut parts: Vec<String> = args.iter().map(|ty| self.text(ty, depth)).collect();
                parts.extend(bindings.iter().map(|(name, ty)| format!("{name} = {}", self.text(ty, depth))));
                let args = if parts.is_empty() { String::new() } else { format!("<{}>", parts.join(", ")) };
                format!("{}{args}", self.con_text(con))
            }
            Bound::Fn(params, ret) => format!("Fn({}) -> {}", list(params), self.text(ret, depth)),
            Bound::Future(output) => format!("Future<{}>", self.text(output, depth)),
        }
    }

    /// What a call calls, for tests and graphs.
    pub fn target_text(&self, target: &Target) -> String {
        let def = |def: &DefId| self.path_text(*def);
        match target {
            Target::Unknown => "_".to_owned(),
            Target::Def(id) | Target::Value(id) => def(id),
            Target::External(path) | Target::TraitMethod(path) => path.to_string(),
            Target::Constructor(name, ty) => format!("{name} of {}", self.type_text(ty)),
            Target::Closure(_) => "closure".to_owned(),
        }
    }
}
