//! Which file is part of which target: the module trees, followed through `mod name;`.

use ctxlint_analysis::facts::{FileFacts, Item, ItemKind, ScopeId, ScopeKind};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::engine::Parsed;
use crate::workspace::{File, Workspace};

/// Which file is part of what.
#[derive(Clone, Debug, Default)]
pub struct Trees {
    /// For each file the first target whose modules reach it: an index into [`Workspace::targets`].
    pub target_of: Vec<Option<usize>>,
    /// Parsed files that no target reaches and no other such file declares as its module.
    pub loose: Vec<usize>,
}

/// Follows the modules of all targets, then those of the parsed files that are left.
pub fn trees(workspace: &Workspace, parsed: &[Option<Parsed>]) -> Trees {
    let by_path: FxHashMap<&str, usize> =
        workspace.files.iter().enumerate().map(|(index, file)| (file.path.as_str(), index)).collect();
    let children = |index: usize, role: Role| -> Vec<usize> {
        let Some(file) = workspace.files.get(index) else { return Vec::new() };
        let Some(Some(Ok(facts))) = parsed.get(index) else { return Vec::new() };
        let paths = facts.items.iter().flat_map(|item| module_files(file, facts, item, role));
        paths.filter_map(|path| by_path.get(path.as_str()).copied()).collect()
    };
    let mut target_of = vec![None; workspace.files.len()];
    for (target, root) in workspace.targets.iter().map(|target| target.root).enumerate() {
        let mut open = vec![(root, Role::Root)];
        while let Some((index, role)) = open.pop() {
            // A file that an earlier target reached has the same modules under this one.
            let Some(slot @ None) = target_of.get_mut(index) else { continue };
            *slot = Some(target);
            open.extend(children(index, role).into_iter().map(|child| (child, Role::Module)));
        }
    }
    let is_left =
        |index: &usize| matches!(target_of.get(*index), Some(None)) && matches!(parsed.get(*index), Some(Some(_)));
    let left: Vec<usize> = (0..workspace.files.len()).filter(is_left).collect();
    let declared: FxHashSet<usize> = left
        .iter()
        .flat_map(|&index| {
            children(index, Role::Root)
                .into_iter()
                .chain(children(index, Role::Module))
                .map(move |child| (index, child))
        })
        .filter(|(index, child)| index != child)
        .map(|(_, child)| child)
        .collect();
    let loose = left.into_iter().filter(|index| !declared.contains(index)).collect();
    Trees { target_of, loose }
}

/// What a file is to the module tree: that decides where its modules are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Root,
    Module,
}

/// The paths a `mod name;` may mean; none for any other item.
fn module_files(file: &File, facts: &FileFacts, item: &Item, role: Role) -> Vec<String> {
    let ItemKind::Module { scope: None, path_attr } = &item.kind else { return Vec::new() };
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let stem = name.strip_suffix(".rs").unwrap_or(name);
    let owns_folder = role == Role::Root || stem == "mod";
    let inline = inline_modules(facts, item.scope);
    if let Some(path) = path_attr {
        let base = if inline.is_empty() || owns_folder { folder.to_owned() } else { join(folder, stem) };
        return vec![normalise(&join(&inline.iter().fold(base, |base, part| join(&base, part)), path))];
    }
    let base = if owns_folder { folder.to_owned() } else { join(folder, stem) };
    let base = inline.iter().fold(base, |base, part| join(&base, part));
    let base = join(&base, &item.name);
    vec![format!("{base}.rs"), format!("{base}/mod.rs")]
}

/// The inline modules around a scope, outermost first.
fn inline_modules(facts: &FileFacts, scope: ScopeId) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = Some(scope);
    while let Some(scope) = next.and_then(|id| facts.scope(id)) {
        if let ScopeKind::Module(item) = scope.kind {
            names.extend(facts.item(item).map(|item| item.name.to_string()));
        }
        next = scope.parent;
    }
    names.reverse();
    names
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() || name.starts_with('/') { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Takes out `.` and `..` as far as the path itself tells.
fn normalise(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !last.is_empty() && *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// The files that may declare the module that a file is, by the usual places: asked of every file of
/// interest, so that the way to it from its crate's root is known.
pub fn possible_parents(path: &str) -> Vec<String> {
    let mut parents = Vec::new();
    for folder in folders_above(path) {
        parents.extend(["mod.rs", "lib.rs", "main.rs"].map(|name| join(folder, name)));
        if !folder.is_empty() {
            parents.push(format!("{folder}.rs"));
        }
    }
    parents
}

/// The folders that a file is in, the nearest first; the last one is empty.
pub(crate) fn folders_above<'p>(path: &'p str) -> impl Iterator<Item = &'p str> {
    let folder = |path: &&'p str| Some(path.rsplit_once('/').map_or("", |(folder, _)| folder));
    std::iter::successors(folder(&path), move |path| folder(path).filter(|_| !path.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised() {
        assert_eq!(normalise("a/b/../c/./d.rs"), "a/c/d.rs");
        assert_eq!(normalise("../x.rs"), "../x.rs");
        assert_eq!(normalise("/a/../x.rs"), "/x.rs");
    }

    #[test]
    fn parents_are_looked_for_upwards() {
        let parents = possible_parents("src/a/b.rs");
        for expected in ["src/a/mod.rs", "src/a.rs", "src/lib.rs", "src/main.rs"] {
            assert!(parents.iter().any(|path| path == expected), "{expected}");
        }
    }
}
