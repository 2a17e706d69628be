//! Writing files so that nobody ever sees half of one.

use std::fs;
use std::io::{self, Write as _};

use camino::Utf8Path;

use crate::workspace::File;

/// Writes a file by way of another beside it. Permissions stay, the owner does where that is allowed, links
/// are followed.
///
/// # Errors
/// What the file system says; the file is then as it was.
pub fn atomically(path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.as_std_path().to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::Builder::new().prefix(".ctxlint-").tempfile_in(folder.unwrap_or(".".as_ref()))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    match fs::metadata(&path) {
        Ok(found) => {
            keep_owner(file.as_file(), &found);
            file.as_file().set_permissions(found.permissions())?;
        }
        Err(_) => make_readable(file.as_file())?,
    }
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// Only the administrator may give a file away, and should when mending somebody's files.
#[cfg(unix)]
fn keep_owner(file: &fs::File, before: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let is_same = file.metadata().is_ok_and(|now| (now.uid(), now.gid()) == (before.uid(), before.gid()));
    if !is_same {
        let _ = fchown(file, Some(before.uid()), Some(before.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &fs::File, _: &fs::Metadata) {}

/// A temporary file is for its owner alone; a new file is as readable as any other.
#[cfg(unix)]
fn make_readable(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &fs::File) -> io::Result<()> {
    Ok(())
}

/// Writes a source file's new text, unless the file is not any more what was read, or must not be written.
///
/// # Errors
/// Why it was not written, in a few words.
pub fn source(before: &File, after: &File) -> Result<(), String> {
    let now = fs::read(&before.absolute).map_err(|error| error.to_string())?;
    if now != before.on_disk() {
        return Err("changed since it was read; it is left as it is".to_owned());
    }
    // Putting another file in its place would get round that.
    if fs::metadata(&before.absolute).is_ok_and(|found| found.permissions().readonly()) {
        return Err("read-only; it is left as it is".to_owned());
    }
    atomically(&before.absolute, &after.on_disk()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    #[test]
    fn a_file_that_changed_meanwhile_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8PathBuf::from_path_buf(folder.path().join("a.rs")).expect("Unicode");
        fs::write(&path, "\u{feff}fn f() {}\n").expect("it is written");
        let before = File::new("a.rs".to_owned(), path.clone(), "\u{feff}fn f() {}\n");
        let after = before.with_text("fn g() {}\n");
        assert_eq!(source(&before, &after), Ok(()));
        assert_eq!(fs::read_to_string(&path).expect("the file"), "\u{feff}fn g() {}\n");
        let again = source(&before, &after).expect_err("it is another file now");
        assert!(again.contains("changed since it was read"), "{again}");
        fs::remove_file(&path).expect("it is removed");
        assert!(source(&after, &before).is_err());
        assert!(!path.exists(), "what is gone stays gone");
    }
}
