//! Macros that are not read as code: what is known of them by their names and by the words of their rules.

use crate::facts::{ItemKind, Name, PathRef};
use crate::names::{Namespace, Res};
use crate::source::FileId;

use super::Program;

/// What stands in the definition of a macro that leaves the function or loop it is used in.
const LEAVING: [&str; 8] = ["return", "break", "panic", "unreachable", "todo", "unimplemented", "bail", "ensure"];

/// The names of macros that log, of whatever library they are: those come back.
const LOGGING: [&str; 8] = ["trace", "debug", "info", "warn", "error", "crit", "log", "event"];

impl Program {
    /// Whether a macro leaves the function or loop it is used in, as far as that can be told: one of the program says so
    /// in its rules.
    pub fn macro_leaves(&self, file: FileId, path: &PathRef) -> Option<bool> {
        match self.macro_words(file, path) {
            Some(words) => Some(words.iter().any(|word| LEAVING.contains(&word.as_str()))),
            None => LOGGING.contains(&path.last()).then_some(false),
        }
    }

    /// The words that stand in the definition of a macro of the program; none are told of one that a model knows.
    fn macro_words(&self, file: FileId, path: &PathRef) -> Option<&[Name]> {
        match self.resolve_path(file, path, Namespace::Macro) {
            Res::Def(def) => match &self.item(def)?.kind {
                ItemKind::MacroRules { mentions } => Some(mentions),
                _ => None,
            },
            Res::External(path) => self.models.function(&path).map(|_| &[][..]),
            _ => None,
        }
    }
}
