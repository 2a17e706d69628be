//! All models together, ready for look-up by path.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{AttributeModel, FnModel, Model, Shape, TraitModel, TypeModel};

/// How many names for one thing may be chained before the rest is given up.
const MAX_RENAMES: usize = 8;

/// All models, ready for look-up by canonical path.
#[derive(Clone, Debug, Default)]
pub struct Models {
    models: Vec<Model>,
    /// How many of them are compiled in.
    builtin: usize,
    types: FxHashMap<String, TypeModel>,
    functions: FxHashMap<String, FnModel>,
    /// Methods of traits by name: their canonical paths.
    trait_methods: FxHashMap<String, Vec<String>>,
    /// The traits those methods are of.
    method_traits: FxHashSet<String>,
    attributes: FxHashMap<String, AttributeModel>,
    traits: FxHashMap<String, TraitModel>,
    /// Other paths to the canonical one.
    renames: FxHashMap<String, String>,
    /// Every path that some model names, and every prefix of one.
    known: FxHashSet<String>,
    /// The package of a library, where it is called otherwise.
    packages: FxHashMap<String, String>,
}

/// Why a model cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelError {
    /// The model's name, as far as it is known.
    pub model: String,
    /// What is wrong, with the place in the text.
    pub message: String,
}

impl fmt::Display for ModelError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "model `{}`: {}", self.model, self.message)
    }
}

impl std::error::Error for ModelError {}

impl Models {
    /// The models that are compiled in.
    ///
    /// # Errors
    ///
    /// If one of them cannot be read; a test loads them all.
    pub fn builtin() -> Result<Models, ModelError> {
        // Read once: a server asks for them with every key.
        static READ: OnceLock<Result<Models, ModelError>> = OnceLock::new();
        READ.get_or_init(Models::read_builtin).clone()
    }

    fn read_builtin() -> Result<Models, ModelError> {
        let mut models = Vec::new();
        for (name, text) in super::builtin::MODELS {
            models.push(Models::parse(text).map_err(|error| ModelError { model: (*name).to_owned(), ..error })?);
        }
        let builtin = models.len();
        Ok(Models { builtin, ..Models::default().with(models) })
    }

    /// These models and the user's own, which win where both name a path.
    pub fn with(mut self, extra: Vec<Model>) -> Models {
        for model in extra {
            self.add(&model);
            self.models.push(model);
        }
        self
    }

    /// Reads one model.
    ///
    /// # Errors
    ///
    /// If the text is not a model: what is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Model, ModelError> {
        let model: Model =
            toml::from_str(text).map_err(|error| ModelError { model: String::new(), message: error.to_string() })?;
        model.check().map_err(|message| ModelError { model: model.name.clone(), message })?;
        Ok(model)
    }

    fn add(&mut self, model: &Model) {
        for reexport in &model.reexport {
            self.rename(&reexport.from, &reexport.to);
        }
        for ty in &model.types {
            for path in self.paths(&ty.path, &ty.also) {
                let ty = TypeModel { path: path.clone(), also: Vec::new(), ..ty.clone() };
                self.types.insert(path, ty);
            }
        }
        for function in &model.functions {
            if !function.on.is_empty() {
                // Another path of a trait's method is one of the trait.
                let owner = |path: &str| path.rsplit_once("::").map(|(owner, _)| owner.to_owned());
                let to = expand(&function.path).first().and_then(|path| owner(path));
                for from in function.also.iter().flat_map(|path| expand(path)).filter_map(|path| owner(&path)) {
                    if let Some(to) = &to {
                        self.rename(&from, to);
                    }
                }
            }
            for path in self.paths(&function.path, &function.also) {
                if !function.on.is_empty() {
                    let (owner, name) = path.rsplit_once("::").unwrap_or(("", &path));
                    let name = name.to_owned();
                    self.method_traits.insert(owner.to_owned());
                    let methods = self.trait_methods.entry(name).or_default();
                    if !methods.contains(&path) {
                        methods.push(path.clone());
                    }
                }
                let function = FnModel { path: path.clone(), also: Vec::new(), ..function.clone() };
                self.functions.insert(path, function);
            }
        }
        for attribute in &model.attributes {
            for path in self.paths(&attribute.path, &[]) {
                let attribute = AttributeModel { path: path.clone(), ..attribute.clone() };
                self.attributes.insert(path, attribute);
            }
        }
        for model in &model.traits {
            for path in self.paths(&model.path, &model.also) {
                let model = TraitModel { path: path.clone(), also: Vec::new(), ..model.clone() };
                self.traits.insert(path, model);
            }
        }
        if let Some(package) = &model.package {
            self.packages.insert(model.name.clone(), package.clone());
        }
    }

    /// The canonical paths of an entry, its other paths noted.
    fn paths(&mut self, path: &str, also: &[String]) -> Vec<String> {
        let paths = expand(path);
        for path in &paths {
            self.know(path);
        }
        for other in also {
            let others = expand(other);
            match paths.as_slice() {
                [only] => others.iter().for_each(|other| self.rename(other, only)),
                _ => others.iter().zip(&paths).for_each(|(other, path)| self.rename(other, path)),
            }
        }
        paths
    }

    fn rename(&mut self, from: &str, to: &str) {
        self.know(from);
        if from != to {
            self.renames.insert(from.to_owned(), to.to_owned());
        }
    }

    fn know(&mut self, path: &str) {
        for (at, _) in path.match_indices("::") {
            if let Some(prefix) = path.get(..at)
                && !self.known.contains(prefix)
            {
                self.known.insert(prefix.to_owned());
            }
        }
        self.known.insert(path.to_owned());
    }

    /// The type with this canonical path.
    pub fn ty(&self, path: &str) -> Option<&TypeModel> {
        self.types.get(path)
    }

    /// The type that the function with this canonical path belongs to.
    pub fn owner(&self, function: &str) -> Option<&TypeModel> {
        self.ty(function.rsplit_once("::")?.0)
    }

    /// The function or method with this canonical path.
    pub fn function(&self, path: &str) -> Option<&FnModel> {
        self.functions.get(path)
    }

    /// The type that stands at this position of the tuple that a function gives.
    pub fn part(&self, function: &FnModel, at: usize) -> Option<&TypeModel> {
        match function.returns.as_ref()? {
            Shape::Tuple(parts) => match parts.get(at)? {
                Shape::Named(path, _) => self.ty(path),
                _ => None,
            },
            _ => None,
        }
    }

    /// The trait with this canonical path.
    pub fn trait_(&self, path: &str) -> Option<&TraitModel> {
        self.traits.get(path)
    }

    /// The attribute with this canonical path.
    pub fn attribute(&self, path: &str) -> Option<&AttributeModel> {
        self.attributes.get(path)
    }

    /// Methods of traits with this name that are known on the type with this canonical path, and
    /// those known on any type if `any`.
    pub fn method_of_trait<'a>(&'a self, ty: &'a str, name: &str, any: bool) -> impl Iterator<Item = &'a FnModel> {
        let paths = self.trait_methods.get(name).map_or(&[][..], Vec::as_slice);
        paths
            .iter()
            .filter_map(|path| self.functions.get(path))
            .filter(move |function| function.on.iter().any(|on| if on == "*" { any } else { on == ty }))
    }

    /// The path under which the models know what this path names: re-exports followed.
    pub fn canonical<'a>(&self, path: &'a str) -> Cow<'a, str> {
        let mut path = Cow::Borrowed(path);
        for _ in 0..MAX_RENAMES {
            match self.renamed(&path) {
                Some(renamed) => path = Cow::Owned(renamed),
                None => break,
            }
        }
        path
    }

    /// The path with its longest re-exported prefix replaced.
    fn renamed(&self, path: &str) -> Option<String> {
        let mut prefix = path;
        loop {
            if let Some(to) = self.renames.get(prefix) {
                let rest = path.get(prefix.len()..).unwrap_or_default();
                return Some(format!("{to}{rest}"));
            }
            prefix = prefix.rsplit_once("::")?.0;
        }
    }

    /// Whether some model names this path, or something below it.
    pub fn knows(&self, path: &str) -> bool {
        self.known.contains(path)
    }

    /// Whether the models know methods of this trait that it gives to other types.
    pub fn has_methods(&self, path: &str) -> bool {
        self.method_traits.contains(path)
    }

    /// Such traits that a glob import of this module brings.
    pub fn traits_in<'a>(&'a self, module: &'a str) -> impl Iterator<Item = &'a str> {
        self.method_traits.iter().map(String::as_str).filter(move |path| {
            let here = format!("{module}::{}", last_segment(path));
            self.known.contains(&here) && self.canonical(&here) == *path
        })
    }

    /// The library that a package makes up, where a model tells them apart; a manifest names packages.
    pub fn library_of<'a>(&'a self, package: &'a str) -> &'a str {
        let is_it = |known: &str| known.replace('-', "_") == package.replace('-', "_");
        self.packages.iter().find(|(_, known)| is_it(known)).map_or(package, |(library, _)| library)
    }

    /// All functions and methods, each under its own path, in no order.
    pub fn functions(&self) -> impl Iterator<Item = &FnModel> {
        self.functions.values()
    }

    /// The methods of any type or trait with this name, in no order.
    pub fn methods_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a FnModel> {
        self.functions().filter(move |model| last_segment(&model.path) == name)
    }

    /// The models, in the order they were given.
    pub fn iter(&self) -> impl Iterator<Item = &Model> {
        self.models.iter()
    }

    /// The user's own models.
    pub fn own(&self) -> &[Model] {
        self.models.get(self.builtin..).unwrap_or_default()
    }

    /// Every canonical path of a type, function or trait that the user's models speak of.
    pub(crate) fn own_paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        for model in self.own() {
            let types = model.types.iter().flat_map(|ty| std::iter::once(&ty.path).chain(&ty.also));
            let functions =
                model.functions.iter().flat_map(|function| std::iter::once(&function.path).chain(&function.also));
            let traits = model.traits.iter().flat_map(|model| std::iter::once(&model.path).chain(&model.also));
            for path in types.chain(functions).chain(traits) {
                paths.extend(expand(path));
            }
        }
        paths
    }

    /// Whether a crate of the workspace with these names is a modelled library itself.
    pub fn is_library(&self, krate: &str, package: &str) -> bool {
        let expected = self.packages.get(krate).map_or(krate, String::as_str);
        self.known.contains(krate) && package.replace('-', "_") == expected.replace('-', "_")
    }
}

/// The part after the last `::`.
pub(crate) fn last_segment(path: &str) -> &str {
    path.rsplit_once("::").map_or(path, |(_, last)| last)
}

/// `a::{b, c}` as `a::b`, `a::c`; several groups multiply.
pub(crate) fn expand(path: &str) -> Vec<String> {
    let parts = path.split_once('{').and_then(|(prefix, rest)| Some((prefix, rest.split_once('}')?)));
    match parts {
        Some((prefix, (group, rest))) => {
            let rests = expand(rest);
            let join =
                |name: &str| rests.iter().map(|rest| format!("{prefix}{}{rest}", name.trim())).collect::<Vec<_>>();
            group.split(',').filter(|name| !name.trim().is_empty()).flat_map(join).collect()
        }
        None => vec![path.to_owned()],
    }
}

impl Model {
    /// Whether its paths can be read.
    ///
    /// # Errors
    ///
    /// Says which path cannot.
    pub fn check(&self) -> Result<(), String> {
        let types = self.types.iter().map(|ty| (&ty.path, ty.also.as_slice()));
        let functions = self.functions.iter().map(|function| (&function.path, function.also.as_slice()));
        let traits = self.traits.iter().map(|model| (&model.path, model.also.as_slice()));
        let attributes = self.attributes.iter().map(|attribute| (&attribute.path, &[][..]));
        for (path, also) in types.chain(functions).chain(traits).chain(attributes) {
            let count = count(path)?;
            for other in also {
                let others = self::count(other)?;
                if count != 1 && others != count {
                    return Err(format!("`{other}` stands for {others} items, `{path}` for {count}"));
                }
            }
        }
        Ok(())
    }
}

/// How many items a path stands for.
fn count(path: &str) -> Result<usize, String> {
    let paths = expand(path);
    let plain = |path: &String| {
        path.split("::").all(|part| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_'))
    };
    if paths.iter().all(plain) { Ok(paths.len()) } else { Err(format!("`{path}` is no path")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FnRole, TypeRole};

    fn builtin() -> Models {
        Models::builtin().unwrap()
    }

    #[test]
    fn every_builtin_model_loads() {
        let models = builtin();
        assert!(models.iter().count() >= 2);
        assert_eq!(models.ty("context::Context").unwrap().role, TypeRole::Context);
    }

    #[test]
    fn follows_reexports() {
        let models = builtin();
        assert_eq!(models.canonical("core::option::Option::map"), "std::option::Option::map");
        assert_eq!(models.canonical("tokio::task::spawn"), "tokio::spawn");
        assert_eq!(models.canonical("axum::http::Request"), "http::Request");
    }

    #[test]
    fn every_type_a_model_names_is_canonical() {
        let models = builtin();
        for model in models.iter() {
            let mut paths = Vec::new();
            for ty in &model.types {
                ty.fields.values().chain(&ty.items).for_each(|shape| shape.paths(&mut paths));
                paths.extend(ty.strong_with.iter().chain(&ty.strong_returns).map(String::as_str));
            }
            for function in &model.functions {
                function.returns.iter().chain(&function.gives).for_each(|shape| shape.paths(&mut paths));
            }
            for path in paths {
                assert_eq!(models.canonical(path), path, "in model {}", model.name);
            }
        }
        for path in models.types.keys().chain(models.functions.keys()).chain(models.traits.keys()) {
            assert_eq!(models.canonical(path), *path);
        }
    }

    /// What a model says of a path, in words that can be compared.
    type Said = (String, String, String);

    /// Everything that a model says of types, functions and so on: the kind, the path, and what it says.
    fn said(model: &Model) -> Vec<Said> {
        let mut all = Vec::new();
        let mut say = |kind: &str, path: &str, also: &[String], says: String| {
            let paths = expand(path);
            all.extend(paths.iter().map(|path| (kind.to_owned(), path.clone(), says.clone())));
            for others in also.iter().map(|path| expand(path)) {
                let to = others.iter().zip(paths.iter().cycle());
                all.extend(to.map(|(other, path)| ("other path".to_owned(), other.clone(), path.clone())));
            }
        };
        let bare = (String::new(), Vec::new());
        for ty in &model.types {
            let (path, also) = bare.clone();
            say("type", &ty.path, &ty.also, format!("{:?}", TypeModel { path, also, ..ty.clone() }));
        }
        for function in &model.functions {
            let (path, also) = bare.clone();
            say(
                "function",
                &function.path,
                &function.also,
                format!("{:?}", FnModel { path, also, ..function.clone() }),
            );
        }
        for known in &model.traits {
            let (path, also) = bare.clone();
            say("trait", &known.path, &known.also, format!("{:?}", TraitModel { path, also, ..known.clone() }));
        }
        for known in &model.attributes {
            let path = String::new();
            say("attribute", &known.path, &[], format!("{:?}", AttributeModel { path, ..known.clone() }));
        }
        all.extend(model.reexport.iter().map(|it| ("other path".to_owned(), it.from.clone(), it.to.clone())));
        all
    }

    /// What models say differently of the same path: the last one would win, and which that is nobody sees.
    fn contradictions<'m>(models: impl Iterator<Item = &'m Model>) -> Vec<String> {
        let mut known: FxHashMap<(String, String), (String, &str)> = FxHashMap::default();
        let mut found = Vec::new();
        for model in models {
            for (kind, path, says) in said(model) {
                let (before, by) = known.entry((kind.clone(), path.clone())).or_insert((says.clone(), &model.name));
                if *before != says {
                    found.push(format!("{kind} {path}: {by} says {before}, {} says {says}", model.name));
                }
            }
        }
        found
    }

    #[test]
    fn no_two_models_contradict_each_other() {
        let found = contradictions(builtin().iter());
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    #[test]
    fn contradictions_are_seen() {
        let parse = |name: &str, rest: &str| Models::parse(&format!("name = '{name}'\n{rest}")).unwrap();
        let count = |one: &str, other: &str| contradictions([parse("a", one), parse("b", other)].iter()).len();
        let ty = "type = [{ path = 'x::{T, U}', role = 'other' }]";
        assert_eq!(count(ty, "type = [{ path = 'x::U', role = 'other' }]"), 0);
        assert_eq!(count(ty, "type = [{ path = 'x::U', role = 'collection' }]"), 1);
        assert_eq!(count(ty, "fn = [{ path = 'x::U', role = 'look' }]"), 0);
        let function = "fn = [{ path = 'x::f', also = ['x::y::f'], role = 'look' }]";
        assert_eq!(count(function, "fn = [{ path = 'x::f', role = 'look', what = 'it' }]"), 1);
        assert_eq!(count(function, "fn = [{ path = 'x::g', also = ['x::y::f'], role = 'look' }]"), 1);
        assert_eq!(count(function, "reexport = [{ from = 'x::y::f', to = 'x::f' }]"), 0);
        assert_eq!(count("", "type = [{ path = 'x::T', role = 'other' }, { path = 'x::T', role = 'time' }]"), 1);
    }

    #[test]
    fn groups_stand_for_several() {
        let model =
            Models::parse("name = 'm'\n[[fn]]\npath = 'm::T::{a, b}'\nalso = ['m::x::T::{a, b}']\nrole = 'look'\n");
        let models = Models::default().with(vec![model.unwrap()]);
        assert_eq!(models.function("m::T::b").unwrap().role, FnRole::Look);
        assert_eq!(models.canonical("m::x::T::b"), "m::T::b");
        assert!(models.knows("m::x") && !models.knows("m::y"));
    }

    #[test]
    fn bad_paths_are_refused() {
        for wrong in ["a::{b, c", "a b", "", "a::{b, c}', also = ['x::d'], what = '"] {
            let text = format!("name = 'm'\ntype = [{{path = '{wrong}', role = 'other'}}]");
            assert!(Models::parse(&text).is_err(), "{wrong}");
        }
    }

    #[test]
    fn circular_renames_end() {
        let model = Models::parse("name = 'm'\nreexport = [{from = 'a', to = 'b'}, {from = 'b', to = 'a'}]").unwrap();
        let models = Models::default().with(vec![model]);
        assert!(!models.canonical("a::x").is_empty());
    }
}
