//! A context kept in a struct or enum.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{Field, ItemKind, Visibility};
use ctxlint_analysis::flow::value::Site;
use ctxlint_analysis::model::{Carries, TypeRole};
use ctxlint_analysis::types::{DefId, Ty, TyCon};

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "context_in_struct",
    group: Group::Pedantic,
    level: Level::Allow,
    summary: "a context kept in a struct or enum",
    docs: include_str!("../docs/context_in_struct.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, options: &Options, findings: &mut Vec<Finding>) {
    let allowed = options.lists.get("allow").map_or(&[][..], Vec::as_slice);
    for def in support::items(analysis) {
        let Some(item) = analysis.program.item(def) else { continue };
        let fields: Vec<&Field> = match &item.kind {
            ItemKind::Struct { fields, .. } => fields.iter().collect(),
            ItemKind::Enum { variants, .. } => variants.iter().flat_map(|variant| &variant.fields).collect(),
            _ => continue,
        };
        if allowed.iter().any(|name| item.name == name.as_str() || analysis.program.path_text(def) == *name) {
            continue;
        }
        let holding = fields
            .into_iter()
            .filter(|field| holds_context(analysis, &analysis.program.resolve_type(def.file, &field.ty), 8));
        let holding: Vec<&Field> = holding.collect();
        if holding.is_empty() || is_carrier(analysis, def, item.visibility == Visibility::Private) {
            continue;
        }
        for field in holding {
            findings.push(
                Finding::new(
                    RULE.name,
                    Site::new(def.file, field.span),
                    "the context is kept beyond the call it belongs to: what the value does later runs under a context that has long ended, or never does",
                    "keeps a context",
                )
                .label(Site::new(def.file, item.name_span), "in this type")
                .help("pass the context as a parameter to the methods that work under it"),
            );
        }
    }
}

/// Whether a type is a context, or a pointer, option or collection of one.
fn holds_context(analysis: &Analysis, ty: &Ty, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return false };
    let ty = analysis.program.peel(ty);
    if support::is_context(analysis, ty) {
        return true;
    }
    match ty {
        Ty::Adt(_, args) => {
            let role = analysis.program.type_model(ty).map(|model| model.role);
            matches!(role, Some(TypeRole::Maybe | TypeRole::Collection))
                && args.iter().any(|arg| holds_context(analysis, arg, fuel))
        }
        Ty::Tuple(parts) => parts.iter().any(|part| holds_context(analysis, part, fuel)),
        Ty::Slice(item) => holds_context(analysis, item, fuel),
        _ => false,
    }
}

/// Whether a type is one request's or one task's state by a trait it implements.
fn is_carrier(analysis: &Analysis, def: DefId, is_private: bool) -> bool {
    let ty = Ty::Adt(TyCon::Def(def), Vec::new());
    analysis.program.traits_of(&ty).any(|of| {
        let TyCon::External(path) = of else { return false };
        match analysis.program.models.trait_(path).map(|model| model.carries) {
            Some(Carries::Always) => true,
            Some(Carries::Private) => is_private,
            _ => false,
        }
    })
}
