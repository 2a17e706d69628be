//! A type of its own in a string's place, wherever that string is a key.
//!
//! Offered only where the change is whole: every key of this text is a literal at a call that takes any
//! comparable type, all of them stand in one module or in modules within it, no other key of the program
//! could be equal to it, and the type's name is free there.

use std::collections::{BTreeMap, BTreeSet};

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{
    FileFacts, Import, ImportName, Item, ItemKind, Lit, LocalId, OpKind, PathRef, ScopeId, ScopeKind, Segment, Span,
};
use ctxlint_analysis::flow::value::Site;
use ctxlint_analysis::names::{Namespace, Res};
use ctxlint_analysis::source::{CrateKind, FileId};
use ctxlint_analysis::types::{BodyRef, Ty};

use crate::code::{At, Code};
use crate::finding::{Applicability, Edit};
use crate::keys;
use crate::support;
use crate::values;

/// What makes a type of a text.
#[derive(Clone, Debug)]
pub(crate) struct NewType {
    /// The type's name.
    pub(crate) name: String,
    /// Declares it, and puts it in the string's place everywhere.
    pub(crate) edits: Vec<Edit>,
    /// Code outside the program may use the same string where the crate is a library.
    pub(crate) applicability: Applicability,
}

/// A literal that is a key: its place, and the scope of the body it stands in.
struct Literal {
    site: Site,
    scope: ScopeId,
}

/// The texts for which a type can be made, with what makes it.
pub(crate) fn new_types(analysis: &Analysis) -> BTreeMap<String, NewType> {
    let mut texts: BTreeMap<String, Vec<Literal>> = BTreeMap::new();
    for (body, at, local) in keys(analysis) {
        let Some(code) = Code::of(analysis, body) else { return BTreeMap::new() };
        // A key of another type is never equal to a `&str`.
        if !matches!(keys::strip(code.ty(local)), Ty::Prim(_) | Ty::Unknown) {
            continue;
        }
        let takes_any = code.call(at).and_then(|call| call.model).is_some_and(|model| model.any_key);
        match literal(&code, local).filter(|_| takes_any) {
            Some((text, span)) => {
                let literal = Literal { site: code.site(span), scope: code.body.scope };
                texts.entry(text.to_owned()).or_default().push(literal);
            }
            // A key of the same type and of any text: nobody knows what it is equal to.
            None => return BTreeMap::new(),
        }
    }
    let made = texts.into_iter().filter_map(|(text, literals)| {
        let made = new_type(analysis, &text, &literals)?;
        Some((text, made))
    });
    made.collect()
}

/// Every key: those that flows tell of, by way of the program's own functions too, and those of calls
/// that no flow tells of.
fn keys(analysis: &Analysis) -> BTreeSet<(BodyRef, At, LocalId)> {
    let told =
        keys::keys(analysis).map(|(flow, event, local, _)| (flow.body, At { block: event.block, op: event.op }, local));
    let mut found: BTreeSet<(BodyRef, At, LocalId)> = told.collect();
    for (code, call) in Code::calling(analysis, values::ACCESSES) {
        let key = call.model.and_then(|model| call.args.get(model.key?));
        found.extend(key.map(|key| (code.who, call.at, *key)));
    }
    found
}

/// The text and place of a key that is a literal and nothing else.
fn literal<'a>(code: &Code<'a>, local: LocalId) -> Option<(&'a str, Span)> {
    let mut local = local;
    for _ in 0..4 {
        if code.is_named(local) {
            return None;
        }
        let mut definitions = code.definitions(local);
        let (_, op) = definitions.next()?;
        if definitions.next().is_some() {
            return None;
        }
        local = match &op.kind {
            OpKind::Lit(Lit::Str(text)) => return Some((text, op.span)),
            OpKind::Ref(place, _) | OpKind::Use(place) if place.path.is_empty() => place.base,
            _ => return None,
        };
    }
    None
}

fn new_type(analysis: &Analysis, text: &str, literals: &[Literal]) -> Option<NewType> {
    let first = literals.first()?;
    let file = first.site.file_id();
    let facts = analysis.program.facts(file)?;
    if literals.iter().any(|literal| literal.site.file_id() != file) {
        return None;
    }
    let modules = literals.iter().map(|literal| modules(facts, literal.scope)).collect::<Option<Vec<_>>>()?;
    let home = modules.iter().min_by_key(|modules| modules.len())?;
    if modules.iter().any(|modules| !modules.starts_with(home)) {
        return None;
    }
    let home_scope = *home.last()?;
    let name = free_name(analysis, file, facts, home_scope, &support::type_name(text))?;
    let at = modules.iter().zip(literals).find(|(modules, _)| *modules == home).map(|(_, literal)| literal)?;
    let item = item_around(facts, home_scope, at.site.span)?;
    // As deep as the module: the file itself is one of them.
    let indent = "    ".repeat(home.len().saturating_sub(1));
    let declaration = format!("#[derive(PartialEq, Eq)]\n{indent}struct {name};\n\n{indent}");
    let mut edits = vec![Edit::insert(file, item.span.start, declaration)];
    for (modules, literal) in modules.iter().zip(literals) {
        let path = format!("{}{name}", "super::".repeat(modules.len() - home.len()));
        if !edits.iter().any(|edit| edit.place == literal.site.into()) {
            edits.push(Edit::replace(literal.site, path));
        }
    }
    let is_library = analysis.program.crate_of(file).is_none_or(|krate| krate.kind == CrateKind::Lib);
    let applicability = if is_library { Applicability::MaybeIncorrect } else { Applicability::MachineApplicable };
    Some(NewType { name, edits, applicability })
}

/// The scopes of the modules that a scope is in, outermost first.
fn modules(facts: &FileFacts, scope: ScopeId) -> Option<Vec<ScopeId>> {
    let mut found = Vec::new();
    let mut at = Some(scope);
    while let Some(id) = at {
        let scope = facts.scope(id)?;
        if matches!(scope.kind, ScopeKind::File | ScopeKind::Module(_)) {
            found.push(id);
        }
        at = scope.parent;
    }
    found.reverse();
    Some(found)
}

/// The item of a module that a place is in.
fn item_around(facts: &FileFacts, module: ScopeId, span: Span) -> Option<&Item> {
    let is_it = |item: &&Item| {
        item.scope == module
            && item.container.is_none()
            && !matches!(item.kind, ItemKind::Module { .. })
            && item.span.contains(span)
    };
    facts.items.iter().find(is_it)
}

/// The name, or the name with `Key` behind it, if nothing in the module is called so.
fn free_name(analysis: &Analysis, file: FileId, facts: &FileFacts, scope: ScopeId, name: &str) -> Option<String> {
    let is_glob = |import: &Import| import.name == ImportName::Glob;
    let has_glob = facts.items.iter().any(|item| match &item.kind {
        ItemKind::Use(imports) => item.scope == scope && imports.iter().any(is_glob),
        _ => false,
    });
    let is_free = |name: &String| {
        let segment = Segment { name: name.as_str().into(), span: Span::default(), args: vec![], bindings: vec![] };
        let path = PathRef { scope, global: false, qself: None, segments: vec![segment], span: Span::default() };
        [Namespace::Type, Namespace::Value]
            .into_iter()
            .all(|namespace| analysis.program.resolve_path(file, &path, namespace) == Res::Unknown)
    };
    // What a glob brings in may not be in view: then the plain name may hide something.
    let plain = (!has_glob).then(|| name.to_owned());
    plain.into_iter().chain([format!("{name}Key")]).find(is_free)
}
