//! Which functions and closures a server calls with its requests.
//!
//! All evidence is in the models: attributes, types of parameters, traits, and calls that register
//! functions. Contexts among a handler's parameters are request contexts, unless what holds them
//! belongs to the server.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Attr, BodyKind, Callee, ItemKind, LocalId, Op, OpKind, PathRef, Span};
use crate::flow::value::InputPath;
use crate::infer::TypedBody;
use crate::link::Program;
use crate::model::{AttributeModel, AttributeRole, FnModel, FnRole, TypeModel, TypeRole};
use crate::names::{Namespace, Res};
use crate::source::FileId;
use crate::types::{BodyRef, DefId, Target, Ty, TyCon};

/// How a body is a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handler {
    /// The library, for messages: `axum`.
    pub framework: String,
    /// What says so.
    pub evidence: Evidence,
    /// Whether it hands the request on to the rest of a chain.
    pub middleware: bool,
    /// Where each parameter's value comes from.
    pub params: Vec<Origin>,
}

/// What says that a body is a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The user's configuration names it.
    Configured,
    /// An attribute, of the function or of what it is a member of.
    Attribute(FileId, Span),
    /// The type of the parameter with this position.
    Parameter(usize),
    /// The trait it implements a method of.
    Trait,
    /// A call that registers it.
    Routed(FileId, Span),
}

/// Where a handler's parameter comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The request: a context in it is the request's.
    Request,
    /// The server: what is in it lives longer than the request. Receivers too.
    Server,
    /// Either, and nobody knows which.
    Either,
    /// Made from the request by this body of the program, which says what is whose.
    Extracted(BodyRef),
    /// What its callers, who are in view, give it.
    Callers,
}

/// How far references, wrappers and options round a parameter's type are looked through.
const MAX_WRAPPERS: usize = 8;

impl Program {
    /// All handlers, by file and place.
    pub fn handlers(&self) -> impl Iterator<Item = (BodyRef, &Handler)> {
        self.bodies().iter().filter_map(|id| Some((*id, self.handler(*id)?)))
    }

    /// Whose a context is that a handler is given there; none for a body that is no handler, and for what a
    /// handler captures.
    pub(crate) fn given_to_handler(&self, id: BodyRef, path: &InputPath) -> Option<Origin> {
        let (handler, (index, ty)) = (self.handler(id)?, self.parameter(id, path)?);
        // What an extractor of a library holds is the request's if it is a context itself; a context
        // deeper down belongs to what the server put there.
        let is_extractor = library_type(self, ty).is_some_and(|(.., model)| model.role == TypeRole::Extractor);
        let depth = path.path.iter().filter(|step| *step != "?").count();
        match handler.params.get(index) {
            Some(Origin::Callers) => None,
            Some(Origin::Request) | None if is_extractor && depth > 1 => Some(Origin::Server),
            origin => Some(origin.copied().unwrap_or(Origin::Request)),
        }
    }
}

impl Program {
    /// Whether what a handler is given there is of a library's type: nobody but a request gives that.
    pub(crate) fn is_given_by_library(&self, id: BodyRef, path: &InputPath) -> bool {
        let model = self.parameter(id, path).and_then(|(_, ty)| library_type(self, ty));
        model.is_some_and(|(.., model)| {
            matches!(model.role, TypeRole::Context | TypeRole::Request | TypeRole::Extractor)
        })
    }

    /// The parameter that an input is, and its type.
    fn parameter(&self, id: BodyRef, path: &InputPath) -> Option<(usize, &Ty)> {
        let body = self.body(id)?;
        let index = (path.input as usize).checked_sub(body.captures.len())?;
        Some((index, self.typed(id)?.local(*body.params.get(index)?)))
    }
}

/// Finds all handlers.
pub(crate) fn find(program: &Program) -> FxHashMap<BodyRef, Handler> {
    let mut finder = Finder { program, extractors: extractors(program), found: FxHashMap::default() };
    finder.by_configuration();
    finder.by_attribute();
    finder.by_parameter();
    finder.by_own_extractor();
    finder.by_trait();
    finder.by_routing();
    finder.ask_callers();
    finder.found
}

/// The types of the program that are made from a request, each with the body that makes it, if there is just one.
type Extractors<'p> = FxHashMap<DefId, (&'p str, Option<BodyRef>)>;

fn extractors(program: &Program) -> Extractors<'_> {
    let mut found: Extractors<'_> = FxHashMap::default();
    for def in program.items() {
        let Some(ItemKind::Impl { self_ty, of_trait: Some(_), .. }) = program.item(def).map(|item| &item.kind) else {
            continue;
        };
        let Some(TyCon::External(path)) = program.trait_of(def) else { continue };
        let Some(model) = program.models.trait_(path).filter(|model| model.extracts) else { continue };
        let Ty::Adt(TyCon::Def(made), _) = program.resolve_type(def.file, self_ty) else { continue };
        let maker = model.handlers.iter().find_map(|name| program.body_of(program.member(def, name)?));
        let is_second = found.contains_key(&made);
        found.insert(made, (library(path), maker.filter(|_| !is_second)));
    }
    found
}

/// What makes a parameter of one of these types; for one that may be missing, what makes it where it is there.
fn extractor<'e, 'p>(program: &Program, of: &'e Extractors<'p>, ty: &Ty) -> Option<&'e (&'p str, Option<BodyRef>)> {
    match ty {
        Ty::Adt(TyCon::Def(def), _) => of.get(def),
        Ty::Adt(TyCon::External(_), args) if program.role(ty) == Some(TypeRole::Maybe) => {
            extractor(program, of, args.first()?)
        }
        _ => None,
    }
}

struct Finder<'a> {
    program: &'a Program,
    extractors: Extractors<'a>,
    found: FxHashMap<BodyRef, Handler>,
}

impl Finder<'_> {
    /// The first evidence stands; that it is middleware may be learned later.
    fn add(&mut self, body: BodyRef, framework: &str, evidence: Evidence, middleware: bool) {
        let params = || origins(self.program, &self.extractors, body);
        let handler = self.found.entry(body).or_insert_with(|| Handler {
            framework: framework.to_owned(),
            evidence,
            middleware,
            params: params(),
        });
        handler.middleware |= middleware;
    }

    /// What a handler that is known by this call alone is given may be the server's, except for what
    /// is a request by its type.
    fn mix(&mut self, body: BodyRef, evidence: Evidence) {
        let (program, Some(typed)) = (self.program, self.program.typed(body)) else { return };
        let (Some(facts), Some(handler)) = (program.body(body), self.found.get_mut(&body)) else { return };
        if handler.evidence != evidence {
            return;
        }
        for (origin, param) in handler.params.iter_mut().zip(&facts.params) {
            let role = library_type(program, typed.local(*param)).map(|(_, _, model)| model.role);
            if *origin == Origin::Request && !matches!(role, Some(TypeRole::Request | TypeRole::Extractor)) {
                *origin = Origin::Either;
            }
        }
    }

    fn add_function(&mut self, def: DefId, framework: &str, evidence: Evidence, middleware: bool) {
        if let Some(body) = self.program.body_of(def)
            && self.program.function(def).is_some()
        {
            self.add(body, framework, evidence, middleware);
        }
    }

    fn by_configuration(&mut self) {
        let program = self.program;
        let named: Vec<(&str, &str)> = program
            .models
            .iter()
            .flat_map(|model| model.handlers.iter().map(|path| (model.name.as_str(), path.as_str())))
            .collect();
        if named.is_empty() {
            return;
        }
        for def in program.items().filter(|def| program.function(*def).is_some()) {
            let path = program.path_text(def);
            let matches = |pattern: &str| match pattern.strip_suffix("::*") {
                Some(prefix) => path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("::")),
                None => path == pattern,
            };
            if let Some((model, _)) = named.iter().find(|(_, pattern)| matches(pattern)) {
                self.add_function(def, model, Evidence::Configured, false);
            }
        }
    }

    fn by_attribute(&mut self) {
        let program = self.program;
        let attributes = |def: DefId| {
            let attrs = program.item(def).map_or(&[][..], |item| &item.attrs);
            attrs.iter().filter_map(move |attr| Some((def, attr.span, handler_attribute(program, def.file, attr)?)))
        };
        let found: Vec<_> = program.par_items().flat_map_iter(attributes).collect();
        for (def, span, (path, model)) in found {
            let framework = library(&path);
            let evidence = Evidence::Attribute(def.file, span);
            match program.item(def).map(|item| &item.kind) {
                Some(ItemKind::Function(_)) => self.add_function(def, framework, evidence, false),
                Some(ItemKind::Impl { .. }) => self.add_members(def, framework, evidence),
                Some(ItemKind::Trait { .. }) => {
                    for implementation in implementations(program, def, model) {
                        self.add_members(implementation, framework, evidence);
                    }
                }
                _ => {}
            }
        }
    }

    fn add_members(&mut self, container: DefId, framework: &str, evidence: Evidence) {
        let members: Vec<DefId> = self.program.members(container).collect();
        for member in members {
            self.add_function(member, framework, evidence, false);
        }
    }

    fn by_parameter(&mut self) {
        let program = self.program;
        let params = |id: &BodyRef| {
            let id = *id;
            let body =
                program.body(id).filter(|body| !matches!(body.kind, BodyKind::AsyncBlock(_) | BodyKind::Const(_)));
            let params = body.map_or(&[][..], |body| &body.params);
            params.iter().enumerate().filter_map(move |(position, param)| {
                let ty = program.typed(id)?.local(*param);
                let is_ref = matches!(ty, Ty::Ref(..));
                let (path, ty, model) = library_type(program, ty).filter(|(.., model)| is_ref == model.by_ref)?;
                let says = match model.role {
                    TypeRole::Extractor | TypeRole::ServerOwned | TypeRole::Next => true,
                    TypeRole::Request => is_server_request(program, model, ty) || returns_response(program, model, id),
                    _ => false,
                };
                says.then_some((id, position, path, model))
            })
        };
        let found: Vec<_> = program.bodies().par_iter().flat_map_iter(params).collect();
        for (id, position, path, model) in found {
            let framework = model.what.as_deref().unwrap_or_else(|| library(path));
            self.add(id, framework, Evidence::Parameter(position), model.role == TypeRole::Next);
        }
    }

    /// A parameter of a type that is made from a request, where nobody in view calls the function or hands it on:
    /// then it is no helper that works on what a handler was given.
    fn by_own_extractor(&mut self) {
        if self.extractors.is_empty() {
            return;
        }
        let program = self.program;
        let takes = |def: DefId| {
            let function = program.function(def).filter(|function| function.is_async && !function.has_self)?;
            if program.used_as_value(def) {
                return None;
            }
            let id = function.body.map(|body| BodyRef { file: def.file, body })?;
            let (typed, body) = (program.typed(id)?, program.body(id)?);
            let mut params = body.params.iter().map(|local| typed.local(*local)).enumerate();
            let (at, known) = params.find_map(|(at, ty)| Some((at, extractor(program, &self.extractors, ty)?)))?;
            Some((def, (id, at, known.0)))
        };
        let mut found: FxHashMap<DefId, (BodyRef, usize, &str)> = program.items().filter_map(takes).collect();
        for id in program.bodies().iter().filter(|id| !program.is_test(**id)) {
            for (op, target) in program.operations(*id) {
                if let (OpKind::Call { .. } | OpKind::MethodCall { .. }, Target::Def(def)) = (&op.kind, target) {
                    found.remove(def);
                }
            }
        }
        for (id, at, framework) in found.into_values() {
            self.add(id, framework, Evidence::Parameter(at), false);
        }
    }

    fn by_trait(&mut self) {
        let program = self.program;
        for def in program.items() {
            let Some(ItemKind::Impl { of_trait: Some(of_trait), .. }) = program.item(def).map(|item| &item.kind) else {
                continue;
            };
            let Some(TyCon::External(path)) = program.trait_of(def) else { continue };
            let Some(model) = program.models.trait_(path) else { continue };
            if let Some(at) = model.request {
                let argument = of_trait.segments.last().and_then(|segment| segment.args.get(at));
                let Some(argument) = argument.map(|ty| program.resolve_type(def.file, ty)) else { continue };
                if !may_be_server_request(program, &argument) {
                    continue;
                }
            }
            let framework = library(path);
            let members: Vec<DefId> = program.members(def).collect();
            for member in members {
                let Some(name) = program.item(member).map(|item| item.name.as_str()) else { continue };
                let is = |names: &[String]| names.iter().any(|known| known == name || known == "*");
                let middleware = is(&model.middleware);
                if middleware || is(&model.handlers) {
                    self.add_function(member, framework, Evidence::Trait, middleware);
                    self.give_servers(member, model.server);
                }
            }
        }
    }

    /// A handler's parameter is the server's.
    fn give_servers(&mut self, def: DefId, at: Option<usize>) {
        let handler = self.program.body_of(def).and_then(|body| self.found.get_mut(&body));
        if let Some(origin) = handler.zip(at).and_then(|(handler, at)| handler.params.get_mut(at)) {
            *origin = Origin::Server;
        }
    }

    fn by_routing(&mut self) {
        let program = self.program;
        let routing = |id: &BodyRef| {
            let id = *id;
            let ops = program.operations(id);
            ops.filter_map(move |(op, target)| Some((id, op, routing(program, id.file, op, target)?)))
        };
        let found: Vec<_> = program.bodies().par_iter().flat_map_iter(routing).collect();
        for (id, op, model) in found {
            match &op.kind {
                OpKind::Unknown { paths, .. } => self.by_macro(id, op, paths, model),
                _ => self.by_call(id, op, model),
            }
        }
    }

    /// What a function takes beside a request is its callers' to give, where they call it themselves: no server does.
    fn ask_callers(&mut self) {
        let program = self.program;
        let is_callers = |typed: &TypedBody, param: &LocalId| {
            let role = library_type(program, typed.local(*param)).map(|(.., model)| model.role);
            matches!(role, None | Some(TypeRole::Context))
        };
        let mut asked: FxHashMap<DefId, (BodyRef, Vec<usize>)> = FxHashMap::default();
        for (id, handler) in &self.found {
            let (Some(body), Some(typed)) = (program.body(*id), program.typed(*id)) else { continue };
            let Some(def) = program.function_of(*id).filter(|def| !program.used_as_value(*def)) else { continue };
            let params = handler.params.iter().zip(&body.params).zip(0..);
            let of_callers =
                params.filter(|((origin, param), _)| **origin == Origin::Request && is_callers(typed, param));
            let of_callers: Vec<usize> = of_callers.map(|(_, index)| index).collect();
            if matches!(handler.evidence, Evidence::Parameter(_)) && !of_callers.is_empty() {
                asked.insert(def, (*id, of_callers));
            }
        }
        if asked.is_empty() {
            return;
        }
        let called = |id: &BodyRef| {
            let calls = program.operations(*id).filter_map(|(op, target)| match (&op.kind, target) {
                (OpKind::Call { .. } | OpKind::MethodCall { .. }, Target::Def(def)) => Some(*def),
                _ => None,
            });
            calls.filter(|def| asked.contains_key(def)).collect::<Vec<_>>()
        };
        let bodies = program.bodies().par_iter().filter(|id| !program.is_test(**id));
        let called: FxHashSet<DefId> = bodies.flat_map_iter(called).collect();
        for (id, params) in called.iter().filter_map(|def| asked.get(def)) {
            let Some(handler) = self.found.get_mut(id) else { continue };
            for (param, _) in handler.params.iter_mut().zip(0..).filter(|(_, at)| params.contains(at)) {
                *param = Origin::Callers;
            }
        }
    }

    fn by_macro(&mut self, id: BodyRef, op: &Op, paths: &[PathRef], model: &FnModel) {
        for path in paths {
            if let Target::Def(def) = self.program.value_path(id.file, path).target {
                self.add_function(def, library(&model.path), Evidence::Routed(id.file, op.span), false);
            }
        }
    }

    fn by_call(&mut self, id: BodyRef, op: &Op, model: &FnModel) {
        let Some(typed) = self.program.typed(id) else { return };
        let middleware = model.role == FnRole::Middleware;
        for at in &model.work {
            let Some(local) = argument(op, *at) else { continue };
            let body = match self.program.peel(typed.local(local)) {
                Ty::Fn(def) => self.program.body_of(*def),
                Ty::Closure(closure) => Some(*closure),
                _ => None,
            };
            let takes_request = |body: &BodyRef| {
                let Some(at) = model.request else { return true };
                let param = self.program.body(*body).and_then(|body| body.params.get(at));
                let ty = param.zip(self.program.typed(*body)).map(|(param, typed)| typed.local(*param));
                ty.is_some_and(|ty| may_be_server_request(self.program, ty))
            };
            if let Some(body) = body.filter(takes_request) {
                let evidence = Evidence::Routed(id.file, op.span);
                self.add(body, library(&model.path), evidence, middleware);
                if model.mixed {
                    self.mix(body, evidence);
                }
            }
        }
    }
}

/// What an operation registers handlers with.
fn routing<'p>(program: &'p Program, file: FileId, op: &Op, target: &Target) -> Option<&'p FnModel> {
    let model = match &op.kind {
        OpKind::Unknown { path: Some(path), .. } => match program.resolve_path(file, path, Namespace::Macro) {
            Res::External(path) => program.models.function(&path),
            _ => None,
        },
        _ => program.model_of(target),
    };
    model.filter(|model| matches!(model.role, FnRole::Route | FnRole::Middleware))
}

/// A call's argument by position, a receiver counted as the first.
fn argument(op: &Op, at: usize) -> Option<LocalId> {
    match &op.kind {
        OpKind::Call { callee: Callee::Path(_) | Callee::Value(_), args } => args.get(at).copied(),
        OpKind::MethodCall { receiver, args, .. } => match at.checked_sub(1) {
            Some(at) => args.get(at).copied(),
            None => Some(receiver.base),
        },
        _ => None,
    }
}

fn handler_attribute<'p>(
    program: &'p Program,
    file: FileId,
    attr: &Attr,
) -> Option<(smol_str::SmolStr, &'p AttributeModel)> {
    let path = program.attribute_path(file, &attr.path)?;
    let model = program.models.attribute(&path)?;
    (model.role == AttributeRole::Handler).then_some((path, model))
}

/// The impls of a trait under an attribute: of the trait itself, and of one made by the attribute.
fn implementations(program: &Program, of: DefId, model: &AttributeModel) -> Vec<DefId> {
    let mut found = program.impls_of_trait(of).to_vec();
    let made = model.makes.as_ref().and_then(|suffix| Some(format!("{}{suffix}", program.item(of)?.name)));
    if let Some(made) = made {
        found.extend(program.items().filter(|def| {
            let Some(ItemKind::Impl { of_trait: Some(path), .. }) = program.item(*def).map(|item| &item.kind) else {
                return false;
            };
            path.last() == made && program.trait_of(*def).is_none()
        }));
    }
    found
}

/// The library's type in a parameter's type: behind references, pointers and options.
fn library_type<'p, 't>(program: &'p Program, ty: &'t Ty) -> Option<(&'t str, &'t Ty, &'p TypeModel)>
where
    'p: 't,
{
    let mut ty = ty;
    for _ in 0..MAX_WRAPPERS {
        ty = program.peel(ty);
        let Ty::Adt(TyCon::External(path), args) = ty else { return None };
        let model = program.models.ty(path)?;
        if model.role != TypeRole::Maybe {
            return Some((path, ty, model));
        }
        ty = args.get(model.holds.unwrap_or(0))?;
    }
    None
}

/// A request with a server's body, or of a type that only servers get.
fn is_server_request(program: &Program, model: &TypeModel, ty: &Ty) -> bool {
    if model.strong {
        return true;
    }
    match program.peel(&program.held(ty)) {
        Ty::Adt(TyCon::External(path), _) => model.strong_with.iter().any(|known| known == path),
        _ => false,
    }
}

/// The same, or with a body that is left open.
fn may_be_server_request(program: &Program, ty: &Ty) -> bool {
    let Some((_, ty, model)) = library_type(program, ty) else { return matches!(ty, Ty::Param(..)) };
    if model.role != TypeRole::Request {
        return false;
    }
    is_server_request(program, model, ty) || matches!(program.held(ty), Ty::Param(..) | Ty::Unknown)
}

/// A method of a trait's impl that answers with the library's response.
fn returns_response(program: &Program, model: &TypeModel, id: BodyRef) -> bool {
    let Some(expected) = &model.strong_returns else { return false };
    let Some(def) = program.function_of(id) else { return false };
    let is_method = program.function(def).is_some_and(|function| function.has_self);
    let in_impl = program.container(def).is_some_and(|container| {
        matches!(program.item(container).map(|item| &item.kind), Some(ItemKind::Impl { of_trait: Some(_), .. }))
    });
    is_method && in_impl && mentions(&program.return_type(def), expected)
}

fn mentions(ty: &Ty, path: &str) -> bool {
    match ty {
        Ty::Adt(con, args) => {
            matches!(con, TyCon::External(known) if known == path) || args.iter().any(|arg| mentions(arg, path))
        }
        Ty::Future(inner) | Ty::Ref(inner, _) => mentions(inner, path),
        Ty::Tuple(parts) => parts.iter().any(|part| mentions(part, path)),
        _ => false,
    }
}

fn origins(program: &Program, extractors: &Extractors<'_>, id: BodyRef) -> Vec<Origin> {
    let (Some(body), Some(typed)) = (program.body(id), program.typed(id)) else { return Vec::new() };
    let has_self =
        program.function_of(id).and_then(|def| program.function(def)).is_some_and(|function| function.has_self);
    let origin = |(position, param): (usize, &LocalId)| {
        let owned = library_type(program, typed.local(*param))
            .is_some_and(|(_, _, model)| matches!(model.role, TypeRole::ServerOwned));
        if owned || (position == 0 && has_self) {
            return Origin::Server;
        }
        match extractor(program, extractors, typed.local(*param)) {
            Some((_, Some(maker))) => Origin::Extracted(*maker),
            Some((_, None)) => Origin::Either,
            None => Origin::Request,
        }
    };
    body.params.iter().enumerate().map(origin).collect()
}

/// The library a path is of.
fn library(path: &str) -> &str {
    path.split_once("::").map_or(path, |(library, _)| library)
}
