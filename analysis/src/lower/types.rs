//! Types, bounds and generics as written.

use syn::{GenericArgument, PathArguments, ReturnType, Type, TypeParamBound};

use super::{Lowering, extent, kept};
use crate::facts::{GenericParam, Generics, Mutability, Name, PathRef, Segment, TypeRef};

/// The traits whose parenthesised form is a function type.
const FUNCTION_TRAITS: [&str; 6] = ["Fn", "FnMut", "FnOnce", "AsyncFn", "AsyncFnMut", "AsyncFnOnce"];

impl Lowering<'_> {
    /// A type as written.
    pub(super) fn ty(&self, ty: &Type) -> TypeRef {
        match ty {
            Type::Array(t) => TypeRef::Array(Box::new(self.ty(&t.elem))),
            Type::FnPtr(t) => TypeRef::Fn {
                params: kept(t.inputs.iter().map(|arg| self.ty(&arg.ty))),
                ret: Box::new(self.ret(&t.output).unwrap_or_else(unit)),
            },
            Type::Group(t) => self.ty(&t.elem),
            Type::ImplTrait(t) => TypeRef::ImplTrait(self.bounds(&t.bounds)),
            Type::Infer(_) => TypeRef::Infer,
            Type::Never(_) => TypeRef::Never,
            Type::Paren(t) => self.ty(&t.elem),
            Type::Path(t) => self.path_type(t.qself.as_ref(), &t.path),
            Type::Ptr(t) => TypeRef::Ptr(Box::new(self.ty(&t.elem))),
            Type::Reference(t) => TypeRef::Ref(Box::new(self.ty(&t.elem)), mutability(t.mutability.is_some())),
            Type::Slice(t) => TypeRef::Slice(Box::new(self.ty(&t.elem))),
            Type::TraitObject(t) => TypeRef::DynTrait(self.bounds(&t.bounds)),
            Type::Tuple(t) => TypeRef::Tuple(kept(t.elems.iter().map(|elem| self.ty(elem)))),
            _ => TypeRef::Unknown,
        }
    }

    /// A written result type.
    pub(super) fn ret(&self, output: &ReturnType) -> Option<TypeRef> {
        match output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(self.ty(ty)),
        }
    }

    /// Bounds; lifetimes are left out.
    pub(super) fn bounds<'b>(&self, bounds: impl IntoIterator<Item = &'b TypeParamBound>) -> Vec<TypeRef> {
        let bounds = bounds.into_iter().filter_map(|bound| match bound {
            TypeParamBound::Trait(bound) if bound.maybe.is_none() => Some(self.path_type(None, &bound.path)),
            _ => None,
        });
        kept(bounds)
    }

    fn path_type(&self, qself: Option<&syn::QSelf>, path: &syn::Path) -> TypeRef {
        if let Some(last) = path.segments.last()
            && let PathArguments::Parenthesized(args) = &last.arguments
            && FUNCTION_TRAITS.iter().any(|name| last.ident == name)
        {
            return TypeRef::Fn {
                params: kept(args.inputs.iter().map(|arg| self.ty(&arg.ty))),
                ret: Box::new(self.ret(&args.output).unwrap_or_else(unit)),
            };
        }
        TypeRef::Path(self.path(qself, path))
    }

    /// A type that is one plain name.
    pub(super) fn primitive(&self, name: &str, span: crate::facts::Span) -> TypeRef {
        let segment = Segment { name: name.into(), span, args: Vec::new(), bindings: Vec::new() };
        TypeRef::Path(PathRef { scope: self.scope, global: false, qself: None, segments: vec![segment], span })
    }

    /// A path with its generic arguments.
    pub(super) fn path(&self, qself: Option<&syn::QSelf>, path: &syn::Path) -> PathRef {
        let segments = kept(path.segments.iter().map(|segment| self.segment(segment)));
        PathRef {
            scope: self.scope,
            global: path.leading_colon.is_some() && qself.is_none(),
            qself: qself.map(|qself| Box::new(self.ty(&qself.ty))),
            segments,
            span: self.text.between(extent::path_first(qself, path), extent::path_last(qself, path)),
        }
    }

    fn segment(&self, segment: &syn::PathSegment) -> Segment {
        let (name, span) = self.text.ident(&segment.ident);
        let mut args = Vec::new();
        let mut bindings = Vec::new();
        match &segment.arguments {
            PathArguments::None => {}
            PathArguments::AngleBracketed(generics) => {
                args = self.turbofish(Some(generics));
                for arg in &generics.args {
                    match arg {
                        GenericArgument::AssocType(assoc) => {
                            bindings.push((self.text.name(&assoc.ident), self.ty(&assoc.ty)));
                        }
                        GenericArgument::Constraint(constraint) => {
                            let bounds = TypeRef::ImplTrait(self.bounds(&constraint.bounds));
                            bindings.push((self.text.name(&constraint.ident), bounds));
                        }
                        _ => {}
                    }
                }
            }
            PathArguments::Parenthesized(generics) => {
                args.extend(generics.inputs.iter().map(|arg| self.ty(&arg.ty)));
                if let Some(ret) = self.ret(&generics.output) {
                    bindings.push((Name::new_static("Output"), ret));
                }
            }
        }
        Segment { name, span, args, bindings }
    }

    /// Type arguments of a turbofish.
    pub(super) fn turbofish(&self, generics: Option<&syn::AngleBracketedGenericArguments>) -> Vec<TypeRef> {
        let Some(generics) = generics else { return Vec::new() };
        kept(generics.args.iter().filter_map(|arg| match arg {
            GenericArgument::Type(ty) => Some(self.ty(ty)),
            _ => None,
        }))
    }

    /// Type parameters with the bounds of all places.
    pub(super) fn generics(&self, generics: &syn::Generics) -> Generics {
        let mut lowered = Generics {
            params: kept(generics.type_params().map(|param| GenericParam {
                name: self.text.name(&param.ident),
                bounds: self.bounds(&param.bounds),
                default: param.default.as_ref().map(|(_, ty)| self.ty(ty)),
            })),
            wheres: Vec::new(),
        };
        for predicate in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
            let syn::WherePredicate::Type(predicate) = predicate else { continue };
            let bounds = self.bounds(&predicate.bounds);
            let ty = self.ty(&predicate.bounded_ty);
            let param = match &ty {
                TypeRef::Path(path) => {
                    path.as_name().and_then(|name| lowered.params.iter_mut().find(|param| param.name == *name))
                }
                _ => None,
            };
            match param {
                Some(param) => param.bounds.extend(bounds),
                None => lowered.wheres.push((ty, bounds)),
            }
        }
        lowered
    }
}

/// The unit type.
pub(super) fn unit() -> TypeRef {
    TypeRef::Tuple(Vec::new())
}

/// `&mut` or `&`.
pub(super) fn mutability(is_mut: bool) -> Mutability {
    if is_mut { Mutability::Mut } else { Mutability::Shared }
}
