//! One line a finding: `path:line:column: level[rule]: message`.

use std::io::{self, Write};

use super::{Reported, View};

/// Writes all findings.
///
/// # Errors
/// What the writer says.
pub fn write(view: View<'_>, out: &mut dyn Write) -> io::Result<()> {
    view.report.findings.iter().try_for_each(|reported| writeln!(out, "{}", line(view, reported)))
}

/// One finding on one line, without a line break.
pub fn line(view: View<'_>, reported: &Reported) -> String {
    let finding = &reported.finding;
    let (start, _) = view.positions(finding.primary);
    let message = finding.message.replace('\n', " ");
    format!(
        "{}:{}:{}: {}[{}]: {message}",
        view.shown(finding.primary),
        start.line,
        start.column,
        reported.severity(),
        reported.code(),
    )
}
