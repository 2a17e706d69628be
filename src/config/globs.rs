//! Globs of the configuration, relative to the folder of the file they stand in.

use camino::{Utf8Path, Utf8PathBuf};
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// Globs with the folder they are relative to.
#[derive(Clone, Debug, Default)]
pub struct Globs {
    folder: Utf8PathBuf,
    patterns: Vec<String>,
    set: GlobSet,
}

impl Globs {
    /// Makes a set of globs. One without a `/` matches at any depth; one that matches a folder
    /// matches all that is in it.
    ///
    /// # Errors
    /// The first glob that is none, by its index, and why.
    pub fn new(folder: &Utf8Path, patterns: &[String]) -> Result<Globs, (usize, String)> {
        let mut builder = GlobSetBuilder::new();
        for (index, pattern) in patterns.iter().enumerate() {
            for glob in expand(pattern).map_err(|why| (index, why))? {
                builder.add(glob);
            }
        }
        let set = builder.build().map_err(|error| (0, error.to_string()))?;
        Ok(Globs { folder: folder.to_owned(), patterns: patterns.to_vec(), set })
    }

    /// Whether a file, given by its absolute path, is matched.
    pub fn matches(&self, file: &Utf8Path) -> bool {
        !self.set.is_empty() && file.strip_prefix(&self.folder).is_ok_and(|relative| self.set.is_match(relative))
    }

    /// As written.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }
}

fn expand(pattern: &str) -> Result<[Glob; 2], String> {
    let plain = pattern.strip_prefix("./").unwrap_or(pattern);
    let plain = plain.strip_suffix('/').unwrap_or(plain);
    let anchored = match plain.strip_prefix('/') {
        Some(rooted) => rooted.to_owned(),
        None if plain.contains('/') => plain.to_owned(),
        None => format!("**/{plain}"),
    };
    let build = |text: &str| {
        let glob = GlobBuilder::new(text).literal_separator(true).build();
        glob.map_err(|error| format!("bad glob `{pattern}`: {}", error.kind()))
    };
    Ok([build(&anchored)?, build(&format!("{anchored}/**"))?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, file: &str) -> bool {
        Globs::new("/w".into(), &[pattern.to_owned()]).expect("a glob").matches(file.into())
    }

    #[test]
    fn globs_are_relative_to_their_folder() {
        assert!(matches("tests/**", "/w/tests/a.rs"));
        assert!(!matches("tests/**", "/w/x/tests/a.rs"));
        assert!(!matches("tests/**", "/v/tests/a.rs"));
    }

    #[test]
    fn names_match_at_any_depth_and_folders_with_all_in_them() {
        assert!(matches("generated", "/w/src/generated/a.rs"));
        assert!(matches("*.pb.rs", "/w/src/x.pb.rs"));
        assert!(matches("src/gen/", "/w/src/gen/deep/a.rs"));
        assert!(!matches("src/*.rs", "/w/src/deep/a.rs"));
    }

    #[test]
    fn a_bad_glob_is_told_by_its_index() {
        let error = Globs::new("/w".into(), &["ok".to_owned(), "a[".to_owned()]).expect_err("a bad glob");
        assert_eq!(error.0, 1);
    }
}
