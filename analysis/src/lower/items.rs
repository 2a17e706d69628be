//! Items.

use proc_macro2::Ident;
use syn::{Attribute, FnArg, ForeignItem, ImplItem, Item as SynItem, ReceiverKind, TraitItem, UseTree};

use super::rooted::Uses;
use super::types::mutability;
use super::{Lowering, attrs, extent, kept, tight};
use crate::facts::{
    self, BodyKind, Field, Function, Import, ImportName, Item, ItemId, ItemKind, Name, Param, PathRef, ScopeId,
    ScopeKind, Segment, Span, TypeRef, Variant, Visibility,
};

/// What all items have, to be filled in one go.
pub(super) struct Head<'a> {
    pub(super) attrs: &'a [Attribute],
    pub(super) name: Option<&'a Ident>,
    pub(super) visibility: Visibility,
    /// The item without its attributes.
    pub(super) span: Span,
}

impl Lowering<'_> {
    /// Lowers an item of a module or block.
    pub(super) fn item(&mut self, item: &SynItem) {
        match item {
            SynItem::Const(item) => {
                let first = self.visible_from(&item.vis, item.const_token.span);
                let span = self.text.between(first, item.semi_token.span);
                let head = head(&item.attrs, Some(&item.ident), visibility(&item.vis), span);
                self.constant(head, Some(&item.ty), Some(&item.expr), false);
            }
            SynItem::Static(item) => {
                let first = self.visible_from(&item.vis, item.static_token.span);
                let span = self.text.between(first, item.semi_token.span);
                let head = head(&item.attrs, Some(&item.ident), visibility(&item.vis), span);
                self.constant(head, Some(&item.ty), Some(&item.expr), true);
            }
            SynItem::Enum(item) => self.enumeration(item),
            SynItem::ExternCrate(item) => {
                let first = self.visible_from(&item.vis, item.extern_token.span);
                let span = self.text.between(first, item.semi_token.span);
                let visible = item.rename.as_ref().map_or(&item.ident, |(_, rename)| rename);
                let head = head(&item.attrs, Some(visible), visibility(&item.vis), span);
                let krate = self.text.name(&item.ident);
                self.simple(head, |_| ItemKind::ExternCrate { krate });
            }
            SynItem::Fn(item) => {
                let visible = visibility(&item.vis);
                let first = visible_first(&item.vis).unwrap_or_else(|| {
                    let default = item.modifiers.defaultness.as_ref().map(|token| token.span);
                    default.unwrap_or_else(|| signature_first(&item.sig))
                });
                let span = self.text.between(first, item.block.brace_token.span.close());
                self.function(head(&item.attrs, Some(&item.sig.ident), visible, span), &item.sig, Some(&item.block));
            }
            SynItem::ForeignMod(item) => {
                for foreign in &item.items {
                    self.foreign(foreign);
                }
            }
            SynItem::Impl(item) => self.implementation(item),
            SynItem::Macro(item) => self.macro_item(&item.attrs, item.ident.as_ref(), &item.mac),
            SynItem::Mod(item) => self.module(item),
            SynItem::Struct(item) => {
                let first = self.visible_from(&item.vis, item.struct_token.span);
                let last = match (&item.semi_token, &item.fields) {
                    (Some(semi), _) => semi.span,
                    (None, syn::Fields::Named(fields)) => fields.brace_token.span.close(),
                    (None, _) => item.ident.span(),
                };
                let span = self.text.between(first, last);
                let head = head(&item.attrs, Some(&item.ident), visibility(&item.vis), span);
                let tuple = matches!(item.fields, syn::Fields::Unnamed(_));
                self.generic(head, |this, _| ItemKind::Struct {
                    generics: this.generics(&item.generics),
                    fields: this.fields(&item.fields, false),
                    tuple,
                });
            }
            SynItem::Union(item) => {
                let first = self.visible_from(&item.vis, item.union_token.span);
                let span = self.text.between(first, item.fields.brace_token.span.close());
                let head = head(&item.attrs, Some(&item.ident), visibility(&item.vis), span);
                self.generic(head, |this, _| ItemKind::Struct {
                    generics: this.generics(&item.generics),
                    fields: kept(item.fields.named.iter().map(|f| this.field(f, 0, false))),
                    tuple: false,
                });
            }
            SynItem::Trait(item) => self.trait_item(item),
            SynItem::TraitAlias(item) => {
                let first = self.visible_from(&item.vis, item.trait_token.span);
                let span = self.text.between(first, item.semi_token.span);
                let head = head(&item.attrs, Some(&item.ident), visibility(&item.vis), span);
                self.generic(head, |this, _| ItemKind::Trait {
                    generics: this.generics(&item.generics),
                    supers: this.bounds(&item.bounds),
                });
            }
            SynItem::Type(item) => {
                let first = self.visible_from(&item.vis, item.type_token.span);
                let span = self.text.between(first, item.semi_token.span);
                let head = head(&item.attrs, Some(&item.ident), visibility(&item.vis), span);
                self.alias(head, &item.generics, Some(&item.ty), &[]);
            }
            SynItem::Use(item) => {
                let first = self.visible_from(&item.vis, item.use_token.span);
                let span = self.text.between(first, item.semi_token.span);
                let head = head(&item.attrs, None, visibility(&item.vis), span);
                let mut imports = Vec::new();
                let global = item.leading_colon.is_some();
                self.imports(&item.tree, global, &mut Vec::new(), &mut imports);
                self.simple(head, |_| ItemKind::Use(tight(imports)));
            }
            SynItem::Verbatim(tokens) => {
                let Some(uses) = Uses::of(tokens) else { return };
                let first = self.visible_from(&uses.vis, uses.keyword.span);
                let span = self.text.between(first, uses.semi.span);
                let head = head(&uses.attrs, None, visibility(&uses.vis), span);
                let mut imports = Vec::new();
                for (tree, global) in &uses.trees {
                    self.imports(tree, *global, &mut Vec::new(), &mut imports);
                }
                self.simple(head, |_| ItemKind::Use(tight(imports)));
            }
            _ => {}
        }
    }

    fn visible_from(&self, vis: &syn::Visibility, keyword: proc_macro2::Span) -> proc_macro2::Span {
        visible_first(vis).unwrap_or(keyword)
    }

    /// Fills in what all items have; `make` lowers the rest, items and bodies within included.
    pub(super) fn simple(&mut self, head: Head<'_>, make: impl FnOnce(&mut Self) -> ItemKind) -> ItemId {
        self.fill(head, |this, _| (None, make(this)))
    }

    /// An item that opens a scope for its generics.
    fn generic(&mut self, head: Head<'_>, make: impl FnOnce(&mut Self, ItemId) -> ItemKind) -> ItemId {
        self.fill(head, |this, id| {
            let inner = this.open_scope(ScopeKind::Generics(id));
            let outer = std::mem::replace(&mut this.scope, inner);
            let kind = make(this, id);
            this.scope = outer;
            (Some(inner), kind)
        })
    }

    fn fill(&mut self, head: Head<'_>, make: impl FnOnce(&mut Self, ItemId) -> (Option<ScopeId>, ItemKind)) -> ItemId {
        let outer_test = self.test;
        self.test |= attrs::is_test(head.attrs);
        let id = self.reserve_item();
        let span = self.with_attrs(head.attrs, head.span);
        self.node_attributes(head.attrs, span);
        self.anchors.add(Span { start: head.span.start, end: span.end });
        let attrs = self.attrs(head.attrs);
        let (name, name_span) = match head.name {
            Some(ident) => self.text.ident(ident),
            None => (Name::default(), Span::new(head.span.start, head.span.start)),
        };
        let (inner, kind) = make(self, id);
        let test = self.test;
        self.test = outer_test;
        if let Some(item) = self.item_mut(id) {
            *item = Item {
                scope: item.scope,
                inner,
                container: item.container,
                span,
                name,
                name_span,
                visibility: head.visibility,
                test,
                attrs,
                kind,
            };
        }
        id
    }

    fn module(&mut self, item: &syn::ItemMod) {
        let first = self.visible_from(&item.vis, item.mod_token.span);
        let last = match (&item.content, &item.semi) {
            (Some((brace, _)), _) => brace.span.close(),
            (None, Some(semi)) => semi.span,
            (None, None) => item.ident.span(),
        };
        let span = self.text.between(first, last);
        let head = head(&item.attrs, Some(&item.ident), visibility(&item.vis), span);
        let path_attr = attrs::path_attr(&item.attrs);
        self.fill(head, |this, id| {
            let scope = item.content.as_ref().map(|(_, items)| {
                let inner = this.open_scope(ScopeKind::Module(id));
                let outer = std::mem::replace(&mut this.scope, inner);
                this.apart(|this| items.iter().for_each(|item| this.item(item)));
                this.scope = outer;
                inner
            });
            (None, ItemKind::Module { scope, path_attr })
        });
    }

    fn imports(&self, tree: &UseTree, global: bool, path: &mut Vec<Segment>, imports: &mut Vec<Import>) {
        let whole = |path: &[Segment], span: Span| PathRef {
            scope: self.scope,
            global,
            qself: None,
            segments: path.to_vec(),
            span: path.first().map_or(span, |first| first.span.to(span)),
        };
        match tree {
            UseTree::Path(tree) => {
                path.push(self.plain_segment(&tree.ident));
                self.imports(&tree.tree, global, path, imports);
                path.pop();
            }
            UseTree::Name(tree) => {
                let segment = self.plain_segment(&tree.ident);
                let (name, span) = (segment.name.clone(), segment.span);
                self.import(path, segment, name, span, whole, imports);
            }
            UseTree::Rename(tree) => {
                let segment = self.plain_segment(&tree.ident);
                let (name, rename) = self.text.ident(&tree.rename);
                let span = segment.span.to(rename);
                self.import(path, segment, name, span, whole, imports);
            }
            UseTree::Glob(tree) => {
                let span = self.text.span(tree.star_token.span);
                // `use ::*;` of the 2015 edition: all of this crate's root.
                if path.is_empty() {
                    let name = Name::new_static("crate");
                    let span = Span::new(span.start, span.start);
                    path.push(Segment { name, span, args: Vec::new(), bindings: Vec::new() });
                }
                imports.push(Import { path: whole(path, span), name: ImportName::Glob, span });
            }
            UseTree::Group(tree) => {
                for tree in &tree.items {
                    self.imports(tree, global, path, imports);
                }
            }
        }
    }

    /// One leaf; `self` stands for the path before it.
    fn import(
        &self,
        path: &mut Vec<Segment>,
        segment: Segment,
        name: Name,
        span: Span,
        whole: impl Fn(&[Segment], Span) -> PathRef,
        imports: &mut Vec<Import>,
    ) {
        let is_self = segment.name == "self" && !path.is_empty();
        let name = match (name.as_str(), path.last()) {
            ("_", _) => ImportName::Underscore,
            ("self", Some(last)) => ImportName::Named(last.name.clone()),
            _ => ImportName::Named(name),
        };
        if is_self {
            imports.push(Import { path: whole(path, span), name, span });
            return;
        }
        path.push(segment);
        imports.push(Import { path: whole(path, span), name, span });
        path.pop();
    }

    fn plain_segment(&self, ident: &Ident) -> Segment {
        let (name, span) = self.text.ident(ident);
        Segment { name, span, args: Vec::new(), bindings: Vec::new() }
    }

    fn enumeration(&mut self, item: &syn::ItemEnum) {
        let first = self.visible_from(&item.vis, item.enum_token.span);
        let span = self.text.between(first, item.brace_token.span.close());
        let head = head(&item.attrs, Some(&item.ident), visibility(&item.vis), span);
        self.generic(head, |this, _| {
            let generics = this.generics(&item.generics);
            let mut variants = Vec::with_capacity(item.variants.len());
            for variant in &item.variants {
                let (name, span) = this.text.ident(&variant.ident);
                let end = match &variant.fields {
                    syn::Fields::Named(fields) => this.text.span(fields.brace_token.span.close()),
                    syn::Fields::Unnamed(fields) => this.text.span(fields.paren_token.span.close()),
                    syn::Fields::Unit => span,
                };
                this.node_attributes(&variant.attrs, span.to(end));
                variants.push(Variant { name, span, fields: this.fields(&variant.fields, true) });
            }
            ItemKind::Enum { generics, variants }
        });
    }

    fn fields(&mut self, fields: &syn::Fields, public: bool) -> Vec<Field> {
        kept(fields.iter().enumerate().map(|(position, field)| self.field(field, position, public)))
    }

    fn field(&mut self, field: &syn::Field, position: usize, public: bool) -> Field {
        let ty_span = self.text.between(extent::type_first(&field.ty), extent::type_last(&field.ty));
        let (name, span) = match &field.ident {
            Some(ident) => self.text.ident(ident),
            None => (smol_str::format_smolstr!("{position}"), ty_span),
        };
        let start = visible_first(&field.vis).map_or(span, |first| self.text.span(first));
        self.node_attributes(&field.attrs, start.to(ty_span));
        let visibility = if public { Visibility::Public } else { visibility(&field.vis) };
        Field { name, span, ty: self.ty(&field.ty), visibility }
    }

    fn alias(&mut self, head: Head<'_>, generics: &syn::Generics, ty: Option<&syn::Type>, bounds: &[TypeRef]) {
        self.generic(head, |this, _| ItemKind::TypeAlias {
            generics: this.generics(generics),
            ty: ty.map(|ty| this.ty(ty)),
            bounds: bounds.to_vec(),
        });
    }

    /// A constant or static, with its value as a body of its own.
    pub(super) fn constant(
        &mut self,
        head: Head<'_>,
        ty: Option<&syn::Type>,
        value: Option<&syn::Expr>,
        is_static: bool,
    ) {
        self.fill(head, |this, id| {
            let ty = ty.map_or(TypeRef::Unknown, |ty| this.ty(ty));
            let body = value.map(|value| this.apart(|this| this.constant_body(id, value)));
            let kind = if is_static { ItemKind::Static { ty, body } } else { ItemKind::Const { ty, body } };
            (None, kind)
        });
    }

    fn trait_item(&mut self, item: &syn::ItemTrait) {
        let first = visible_first(&item.vis).unwrap_or_else(|| {
            let unsafety = item.unsafety.as_ref().map(|token| token.span);
            let auto = item.modifiers.auto_token.as_ref().map(|token| token.span);
            unsafety.or(auto).unwrap_or(item.trait_token.span)
        });
        let span = self.text.between(first, item.brace_token.span.close());
        let head = head(&item.attrs, Some(&item.ident), visibility(&item.vis), span);
        self.generic(head, |this, id| {
            let generics = this.generics(&item.generics);
            let supers = this.bounds(&item.supertraits);
            this.apart(|this| {
                this.container = Some(id);
                item.items.iter().for_each(|member| this.trait_member(member));
            });
            ItemKind::Trait { generics, supers }
        });
    }

    fn trait_member(&mut self, member: &TraitItem) {
        match member {
            TraitItem::Const(item) => {
                let span = self.text.between(item.const_token.span, item.semi_token.span);
                let head = head(&item.attrs, Some(&item.ident), Visibility::Public, span);
                let value = item.default.as_ref().map(|(_, value)| value);
                self.constant(head, Some(&item.ty), value, false);
            }
            TraitItem::Fn(item) => {
                let first = match &item.modifiers.defaultness {
                    Some(token) => token.span,
                    None => signature_first(&item.sig),
                };
                let last = match (&item.default, &item.semi_token) {
                    (Some(block), _) => block.brace_token.span.close(),
                    (None, Some(semi)) => semi.span,
                    (None, None) => item.sig.paren_token.span.close(),
                };
                let span = self.text.between(first, last);
                self.function(
                    head(&item.attrs, Some(&item.sig.ident), Visibility::Public, span),
                    &item.sig,
                    item.default.as_ref(),
                );
            }
            TraitItem::Type(item) => {
                let span = self.text.between(item.type_token.span, item.semi_token.span);
                let head = head(&item.attrs, Some(&item.ident), Visibility::Public, span);
                let bounds = self.bounds(&item.bounds);
                let ty = item.default.as_ref().map(|(_, ty)| ty);
                self.alias(head, &item.generics, ty, &bounds);
            }
            TraitItem::Macro(item) => self.macro_item(&item.attrs, None, &item.mac),
            _ => {}
        }
    }

    fn implementation(&mut self, item: &syn::ItemImpl) {
        let first = match (&item.modifiers.defaultness, &item.unsafety) {
            (Some(token), _) => token.span,
            (None, Some(token)) => token.span,
            (None, None) => item.impl_token.span,
        };
        let span = self.text.between(first, item.brace_token.span.close());
        let head = head(&item.attrs, None, Visibility::Private, span);
        self.generic(head, |this, id| {
            let generics = this.generics(&item.generics);
            let self_ty = this.ty(&item.self_ty);
            let of_trait = item.trait_.as_ref().map(|(path, _)| this.path(None, path));
            this.apart(|this| {
                this.container = Some(id);
                item.items.iter().for_each(|member| this.impl_member(member));
            });
            ItemKind::Impl { generics, self_ty, of_trait }
        });
    }

    fn impl_member(&mut self, member: &ImplItem) {
        match member {
            ImplItem::Const(item) => {
                let first = self.visible_from(&item.vis, item.const_token.span);
                let span = self.text.between(first, item.semi_token.span);
                let head = head(&item.attrs, Some(&item.ident), visibility(&item.vis), span);
                self.constant(head, Some(&item.ty), Some(&item.expr), false);
            }
            ImplItem::Fn(item) => {
                let first = visible_first(&item.vis).unwrap_or_else(|| {
                    let default = item.modifiers.defaultness.as_ref().map(|token| token.span);
                    default.unwrap_or_else(|| signature_first(&item.sig))
                });
                let span = self.text.between(first, item.block.brace_token.span.close());
                self.function(
                    head(&item.attrs, Some(&item.sig.ident), visibility(&item.vis), span),
                    &item.sig,
                    Some(&item.block),
                );
            }
            ImplItem::Type(item) => {
                let first = self.visible_from(&item.vis, item.type_token.span);
                let span = self.text.between(first, item.semi_token.span);
                let head = head(&item.attrs, Some(&item.ident), visibility(&item.vis), span);
                self.alias(head, &item.generics, Some(&item.ty), &[]);
            }
            ImplItem::Macro(item) => self.macro_item(&item.attrs, None, &item.mac),
            _ => {}
        }
    }

    fn foreign(&mut self, item: &ForeignItem) {
        match item {
            ForeignItem::Fn(item) => {
                let first = visible_first(&item.vis).unwrap_or_else(|| signature_first(&item.sig));
                let span = self.text.between(first, item.semi_token.span);
                self.function(head(&item.attrs, Some(&item.sig.ident), visibility(&item.vis), span), &item.sig, None);
            }
            ForeignItem::Static(item) => {
                let first = self.visible_from(&item.vis, item.static_token.span);
                let span = self.text.between(first, item.semi_token.span);
                let head = head(&item.attrs, Some(&item.ident), visibility(&item.vis), span);
                self.constant(head, Some(&item.ty), None, true);
            }
            ForeignItem::Macro(item) => self.macro_item(&item.attrs, None, &item.mac),
            _ => {}
        }
    }

    fn function(&mut self, head: Head<'_>, sig: &syn::Signature, block: Option<&syn::Block>) {
        self.generic(head, |this, id| {
            let params: Vec<Param> = kept(sig.inputs.iter().map(|input| this.parameter(input)));
            let generics = this.generics(&sig.generics);
            let ret = this.ret(&sig.output);
            let has_self = matches!(sig.inputs.first(), Some(FnArg::Receiver(_)));
            let body = block.filter(|block| !this.is_quiet(block));
            let body = body.map(|block| this.apart(|this| this.function_body(id, sig, &params, block)));
            let is_async = sig.asyncness.is_some();
            ItemKind::Function(Function { is_async, generics, params, has_self, ret, body })
        });
    }

    fn is_quiet(&self, block: &syn::Block) -> bool {
        if self.quiet.is_empty() {
            return false;
        }
        let start = self.text.span(block.brace_token.span.open()).end;
        self.quiet.binary_search_by_key(&start, |span| span.start).is_ok()
    }

    fn parameter(&mut self, input: &FnArg) -> Param {
        match input {
            FnArg::Receiver(receiver) => {
                let own = self.text.span(receiver.self_token.span);
                let (start, end, ty) = match &receiver.kind {
                    ReceiverKind::Reference(and, _, is_mut) => {
                        let ty = Box::new(self_type(self.scope, own));
                        let ty = TypeRef::Ref(ty, mutability(is_mut.is_some()));
                        (self.text.span(and.span), own, ty)
                    }
                    ReceiverKind::Typed(_, ty) => (own, self.text.span(extent::type_last(ty)), self.ty(ty)),
                    _ => (own, own, self_type(self.scope, own)),
                };
                let start = match &receiver.mutability {
                    Some(token) => start.to(self.text.span(token.span)),
                    None => start,
                };
                let span = start.to(end);
                self.node_attributes(&receiver.attrs, span);
                Param { name: Name::new_static("self"), pat_span: own, span, ty }
            }
            FnArg::Typed(typed) => {
                let pat_span = self.span_of_pat(&typed.pat);
                let span = pat_span.to(self.text.span(extent::type_last(&typed.ty)));
                self.node_attributes(&typed.attrs, span);
                let name = match &*typed.pat {
                    syn::Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() => self.text.name(&pat.ident),
                    _ => Name::default(),
                };
                Param { name, pat_span, span, ty: self.ty(&typed.ty) }
            }
        }
    }

    fn constant_body(&mut self, id: ItemId, value: &syn::Expr) -> facts::BodyId {
        let span = self.span_of(value);
        self.begin_body(BodyKind::Const(id), span);
        self.body.open();
        let close = Span::new(span.end, span.end);
        let operand = self.body_expr(value, close);
        self.finish_body(operand, span, close);
        self.end_body()
    }
}

/// The parts of an item that all kinds have.
pub(super) fn head<'a>(
    attrs: &'a [Attribute],
    name: Option<&'a Ident>,
    visibility: Visibility,
    span: Span,
) -> Head<'a> {
    Head { attrs, name, visibility, span }
}

/// How far an item is visible.
pub(super) fn visibility(vis: &syn::Visibility) -> Visibility {
    match vis {
        syn::Visibility::Public(_) => Visibility::Public,
        syn::Visibility::Restricted(vis) if vis.path.is_ident("self") => Visibility::Private,
        syn::Visibility::Restricted(_) => Visibility::Restricted,
        syn::Visibility::Inherited => Visibility::Private,
    }
}

pub(super) fn visible_first(vis: &syn::Visibility) -> Option<proc_macro2::Span> {
    match vis {
        syn::Visibility::Public(token) => Some(token.span),
        syn::Visibility::Restricted(vis) => Some(vis.pub_token.span),
        syn::Visibility::Inherited => None,
    }
}

fn signature_first(sig: &syn::Signature) -> proc_macro2::Span {
    if let Some(token) = &sig.constness {
        return token.span;
    }
    if let Some(token) = &sig.asyncness {
        return token.span;
    }
    match &sig.safety {
        syn::Safety::Safe(token) => return token.span,
        syn::Safety::Unsafe(token) => return token.span,
        syn::Safety::Default => {}
    }
    match &sig.abi {
        Some(abi) => abi.extern_token.span,
        None => sig.fn_token.span,
    }
}

fn self_type(scope: ScopeId, span: Span) -> TypeRef {
    let name = Name::new_static("Self");
    let segments = vec![Segment { name, span, args: Vec::new(), bindings: Vec::new() }];
    TypeRef::Path(PathRef { scope, global: false, qself: None, segments, span })
}
