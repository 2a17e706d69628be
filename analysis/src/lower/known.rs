//! What single words mean in a file, as far as the file itself tells: enum variants, constants and
//! unit structs in patterns, and macros under the names they are imported by.

use rustc_hash::{FxHashMap, FxHashSet};
use syn::{Item, UseTree};

/// Variants every file can name without a path.
const PRELUDE_VARIANTS: [&str; 4] = ["Some", "None", "Ok", "Err"];

/// The words of one file.
#[derive(Default)]
pub(super) struct Known {
    /// Names of variants that stand alone.
    variants: FxHashSet<String>,
    /// Names of constants, statics and unit structs.
    values: FxHashSet<String>,
    /// Names of structs.
    structs: FxHashSet<String>,
    /// Names of the file's own `macro_rules!`.
    macros: FxHashSet<String>,
    /// Imported names and the paths behind them.
    imports: FxHashMap<String, Vec<String>>,
}

impl Known {
    /// Looks through the items of a file, inline modules included.
    pub(super) fn of(file: &syn::File) -> Known {
        let mut known = Known::default();
        let mut enums = FxHashMap::default();
        let mut globs = Vec::new();
        let mut open: Vec<&[Item]> = vec![&file.items];
        while let Some(items) = open.pop() {
            for item in items {
                known.item(item, &mut enums, &mut globs);
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
    pub(super) fn block<'i>(&mut self, items: impl Iterator<Item = &'i Item>) {
        let mut enums = FxHashMap::default();
        let mut globs = Vec::new();
        for item in items {
            self.item(item, &mut enums, &mut globs);
        }
        self.expand(&enums, &globs);
    }

    fn expand(&mut self, enums: &FxHashMap<String, Vec<String>>, globs: &[String]) {
        for glob in globs {
            self.variants.extend(enums.get(glob).into_iter().flatten().cloned());
        }
    }

    fn item(&mut self, item: &Item, enums: &mut FxHashMap<String, Vec<String>>, globs: &mut Vec<String>) {
        match item {
            Item::Const(item) => {
                self.values.insert(item.ident.to_string());
            }
            Item::Static(item) => {
                self.values.insert(item.ident.to_string());
            }
            Item::Struct(item) => {
                if matches!(item.fields, syn::Fields::Unit) {
                    self.values.insert(item.ident.to_string());
                }
                self.structs.insert(item.ident.to_string());
            }
            Item::Enum(item) => {
                let variants = item.variants.iter().map(|variant| variant.ident.to_string());
                enums.insert(item.ident.to_string(), variants.collect());
            }
            Item::Macro(item) => {
                if let Some(ident) = &item.ident {
                    self.macros.insert(ident.to_string());
                }
            }
            Item::Use(item) => self.import(&item.tree, &mut Vec::new(), globs),
            _ => {}
        }
    }

    fn import(&mut self, tree: &UseTree, path: &mut Vec<String>, globs: &mut Vec<String>) {
        match tree {
            UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                self.import(&tree.tree, path, globs);
                path.pop();
            }
            UseTree::Name(tree) => {
                let name = tree.ident.to_string();
                self.imported(name.clone(), path, name);
            }
            UseTree::Rename(tree) => {
                self.imported(tree.rename.to_string(), path, tree.ident.to_string());
            }
            UseTree::Glob(_) => globs.extend(path.last().cloned()),
            UseTree::Group(tree) => {
                for tree in &tree.items {
                    self.import(tree, path, globs);
                }
            }
        }
    }

    fn imported(&mut self, name: String, path: &[String], last: String) {
        if last == "self" {
            return;
        }
        if starts_upper(&last) && path.last().is_some_and(|parent| starts_upper(parent)) {
            self.variants.insert(name.clone());
        }
        let whole = path.iter().cloned().chain([last]).collect();
        self.imports.insert(name, whole);
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

    /// The path a name was imported from.
    pub(super) fn import_of(&self, name: &str) -> Option<&[String]> {
        self.imports.get(name).map(Vec::as_slice)
    }
}

/// Whether a name is written as types and variants are.
pub(super) fn starts_upper(name: &str) -> bool {
    name.chars().next().is_some_and(char::is_uppercase)
}
