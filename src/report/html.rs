//! To come.
use std::io::{self, Write};

use super::View;

/// Writes.
///
/// # Errors
/// What the writer says.
pub fn write(_view: View<'_>, _out: &mut dyn Write) -> io::Result<()> {
    Ok(())
}
