//! What single words mean in a file, as far as the file itself tells: enum variants, constants and
//! unit structs in patterns, and macros under the names they are imported by.

use rustc_hash::{FxHashMap, FxHashSet};
use syn::{Item, UseTree};

use super::rooted::Uses;
use super::text::Text;
use crate::facts::Name;

/// Variants every file can name without a path.
const PRELUDE_VARIANTS: [&str; 4] = ["Some", "None", "Ok", "Err"];

/// The words of one file.
#[derive(Default)]
pub(super) struct Known {
    /// Names of variants that stand alone.
    variants: FxHashSet<Name>,
    /// Names of constants, statics and unit structs.
    values: FxHashSet<Name>,
    /// Names of structs.
    structs: FxHashSet<Name>,
    /// Names of the file's own `macro_rules!`.
    macros: FxHashSet<Name>,
    /// Imported names, and the first and the last word of the paths behind them.
    imports: FxHashMap<Name, (Name, Name)>,
}

impl Known {
    /// Looks through the items of a file, inline modules included.
    pub(super) fn of(file: &syn::File, text: &Text<'_>) -> Known {
        let mut known = Known::default();
        let mut enums = FxHashMap::default();
        let mut globs = Vec::new();
        let mut open: Vec<&[Item]> = vec![&file.items];
        while let Some(items) = open.pop() {
            for item in items {
                known.item(item, text, &mut enums, &mut globs);
                if let Item::Mod(module) = item
                    && let Some((_, items)) = &module.content
                {
                    open.push(items);
                }
            }
        }
        known.expand(&enums, &globs);
        known
    }

    /// Adds the items of a block.
    pub(super) fn block<'i>(&mut self, items: impl Iterator<Item = &'i Item>, text: &Text<'_>) {
        let mut enums = FxHashMap::default();
        let mut globs = Vec::new();
        for item in items {
            self.item(item, text, &mut enums, &mut globs);
        }
        self.expand(&enums, &globs);
    }

    fn expand(&mut self, enums: &FxHashMap<Name, Vec<Name>>, globs: &[Name]) {
        for glob in globs {
            self.variants.extend(enums.get(glob).into_iter().flatten().cloned());
        }
    }

    fn item(&mut self, item: &Item, text: &Text<'_>, enums: &mut FxHashMap<Name, Vec<Name>>, globs: &mut Vec<Name>) {
        match item {
            Item::Const(item) => {
                self.values.insert(text.name(&item.ident));
            }
            Item::Static(item) => {
                self.values.insert(text.name(&item.ident));
            }
            Item::Struct(item) => {
                if matches!(item.fields, syn::Fields::Unit) {
                    self.values.insert(text.name(&item.ident));
                }
                self.structs.insert(text.name(&item.ident));
            }
            Item::Enum(item) => {
                let variants = item.variants.iter().map(|variant| text.name(&variant.ident));
                enums.insert(text.name(&item.ident), variants.collect());
            }
            Item::Macro(item) => {
                if let Some(ident) = &item.ident {
                    self.macros.insert(text.name(ident));
                }
            }
            Item::Use(item) => self.import(&item.tree, text, &mut Vec::new(), globs),
            Item::Verbatim(tokens) => {
                for (tree, _) in Uses::of(tokens).into_iter().flat_map(|uses| uses.trees) {
                    self.import(&tree, text, &mut Vec::new(), globs);
                }
            }
            _ => {}
        }
    }

    fn import(&mut self, tree: &UseTree, text: &Text<'_>, path: &mut Vec<Name>, globs: &mut Vec<Name>) {
        match tree {
            UseTree::Path(tree) => {
                path.push(text.name(&tree.ident));
                self.import(&tree.tree, text, path, globs);
                path.pop();
            }
            UseTree::Name(tree) => {
                let name = text.name(&tree.ident);
                self.imported(name.clone(), path, name);
            }
            UseTree::Rename(tree) => {
                self.imported(text.name(&tree.rename), path, text.name(&tree.ident));
            }
            UseTree::Glob(_) => globs.extend(path.last().cloned()),
            UseTree::Group(tree) => {
                for tree in &tree.items {
                    self.import(tree, text, path, globs);
                }
            }
        }
    }

    fn imported(&mut self, name: Name, path: &[Name], last: Name) {
        if last == "self" {
            // `use a::b::{self as c}` stands for `use a::b as c`.
            let (Some(first), Some(last)) = (path.first(), path.last()) else { return };
            let name = if name == "self" { last.clone() } else { name };
            self.imports.insert(name, (first.clone(), last.clone()));
            return;
        }
        if starts_upper(&last) && path.last().is_some_and(|parent| starts_upper(parent)) {
            self.variants.insert(name.clone());
        }
        let first = path.first().unwrap_or(&last).clone();
        self.imports.insert(name, (first, last));
    }

    /// Whether a word in a pattern names a value rather than binding one.
    pub(super) fn is_value(&self, name: &str) -> bool {
        starts_upper(name) || self.values.contains(name)
    }

    /// Whether a word alone names an enum's variant.
    pub(super) fn is_variant(&self, name: &str) -> bool {
        PRELUDE_VARIANTS.contains(&name) || self.variants.contains(name)
    }

    /// Whether a word alone names a struct: declared here, or imported from a module.
    pub(super) fn is_struct(&self, name: &str) -> bool {
        name == "Self"
            || self.structs.contains(name)
            || (self.imports.contains_key(name) && !self.variants.contains(name))
    }

    /// Whether the file defines a macro of this name.
    pub(super) fn is_own_macro(&self, name: &str) -> bool {
        self.macros.contains(name)
    }

    /// The first and the last word of the path a name was imported from.
    pub(super) fn import_of(&self, name: &str) -> Option<(&str, &str)> {
        self.imports.get(name).map(|(first, last)| (first.as_str(), last.as_str()))
    }
}

/// Whether a name is written as types and variants are.
pub(super) fn starts_upper(name: &str) -> bool {
    name.chars().next().is_some_and(char::is_uppercase)
}
