//! Which files can matter at all: parsing dominates the cost of a check, so the others are not parsed.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use crate::facts::{FileFacts, ImportName, ItemKind, Name, PathRef, TypeRef, Visibility};
use crate::model::{Model, Models, TypeRole};

/// Texts of which a file must contain one to be parsed in the first round.
///
/// Besides the models' own words: suppressions, and what makes a helper end the process, which
/// changes the ways through its callers.
pub fn words(models: &Models) -> Vec<String> {
    let mut words: Vec<String> = models.words().map(str::to_owned).collect();
    words.extend(["ctxlint".to_owned(), "process::exit".to_owned(), "process::abort".to_owned(), "-> !".to_owned()]);
    words.sort();
    words.dedup();
    words
}

/// The further words under which a library that is renamed in a manifest appears.
pub fn renamed(name: &str) -> [String; 3] {
    [format!("{name}::"), format!("use {name}"), format!("crate {name}")]
}

/// Names by which files that were not parsed may take part: types, aliases and functions that the
/// parsed ones show to others and that speak of a context or of something made of one.
pub fn further_words<'f>(models: &Models, facts: impl Iterator<Item = &'f FileFacts> + Clone) -> Vec<String> {
    // Tokens are handed about in nearly every type of a service; only contexts that carry more are
    // worth following through types and aliases.
    let carries = |model: &&Model| {
        !model.words.is_empty() && model.types.iter().any(|ty| ty.role == TypeRole::Context && !ty.own_handle)
    };
    let mut known: FxHashSet<Name> = models
        .iter()
        .filter(carries)
        .flat_map(|model| &model.types)
        .filter(|ty| matters(ty.role))
        .flat_map(|ty| std::iter::once(&ty.path).chain(&ty.also))
        .filter_map(|path| path.rsplit("::").next())
        .map(Name::from)
        .collect();
    let mut found: BTreeSet<String> = BTreeSet::new();
    // What is made of something that is itself made of a context: twice is enough for a wrapper of a wrapper.
    for _ in 0..3 {
        let before = found.len();
        for facts in facts.clone() {
            for item in facts.items.iter().filter(|item| !item.test) {
                for name in shown(item, &known) {
                    found.insert(name.to_string());
                    known.insert(name);
                }
            }
        }
        if found.len() == before {
            break;
        }
    }
    found.retain(|name| name.len() > 2 && name != "new");
    found.into_iter().collect()
}

fn matters(role: TypeRole) -> bool {
    matches!(role, TypeRole::Context | TypeRole::Handle | TypeRole::Guard | TypeRole::Group | TypeRole::Extractor)
}

fn shown(item: &crate::facts::Item, known: &FxHashSet<Name>) -> Vec<Name> {
    if item.visibility == Visibility::Private && !matches!(item.kind, ItemKind::Use(_)) {
        return Vec::new();
    }
    let speaks = match &item.kind {
        // A renamed type, or a whole library or module under another name.
        ItemKind::Use(imports) if item.visibility != Visibility::Private => {
            let renamed = imports.iter().filter_map(|import| match &import.name {
                ImportName::Named(name) if name != import.path.last() => {
                    let counts = known.contains(import.path.last()) || import.path.segments.len() == 1;
                    counts.then(|| name.clone())
                }
                _ => None,
            });
            return renamed.collect();
        }
        ItemKind::TypeAlias { ty: Some(ty), .. } => mentions(ty, known),
        ItemKind::Struct { fields, .. } => fields.iter().any(|field| mentions(&field.ty, known)),
        ItemKind::Enum { variants, .. } => {
            variants.iter().flat_map(|variant| &variant.fields).any(|field| mentions(&field.ty, known))
        }
        ItemKind::Function(function) if item.container.is_none() => {
            function.params.iter().any(|param| mentions(&param.ty, known))
                || function.ret.as_ref().is_some_and(|ret| mentions(ret, known))
        }
        _ => false,
    };
    if speaks { vec![item.name.clone()] } else { Vec::new() }
}

fn mentions(ty: &TypeRef, known: &FxHashSet<Name>) -> bool {
    match ty {
        TypeRef::Path(path) => path_mentions(path, known),
        TypeRef::Ref(inner, _) | TypeRef::Ptr(inner) | TypeRef::Slice(inner) | TypeRef::Array(inner) => {
            mentions(inner, known)
        }
        TypeRef::Tuple(parts) | TypeRef::ImplTrait(parts) | TypeRef::DynTrait(parts) => {
            parts.iter().any(|part| mentions(part, known))
        }
        TypeRef::Fn { params, ret } => params.iter().any(|param| mentions(param, known)) || mentions(ret, known),
        TypeRef::Never | TypeRef::Infer | TypeRef::Unknown => false,
    }
}

fn path_mentions(path: &PathRef, known: &FxHashSet<Name>) -> bool {
    known.contains(path.last())
        || path.segments.iter().any(|segment| {
            segment.args.iter().any(|arg| mentions(arg, known))
                || segment.bindings.iter().any(|(_, ty)| mentions(ty, known))
        })
}
