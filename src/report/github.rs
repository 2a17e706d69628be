//! Workflow commands of GitHub Actions, which become annotations of a pull request.

use std::io::{self, Write};

use super::View;

/// Writes one command a finding.
///
/// # Errors
/// What the writer says.
pub fn write(view: View<'_>, out: &mut dyn Write) -> io::Result<()> {
    for reported in &view.report.findings {
        let finding = &reported.finding;
        let (start, end) = view.positions(finding.primary);
        let path = view.ci_path(finding.primary);
        // GitHub rejects columns of a range of lines.
        let place = match start.line == end.line {
            true => format!("line={},col={},endLine={},endColumn={}", start.line, start.column, end.line, end.column),
            false => format!("line={},endLine={}", start.line, end.line),
        };
        let mut text = format!("{path}:{}:{}: {}", start.line, start.column, finding.message);
        finding.notes.iter().for_each(|note| text.push_str(&format!("\nnote: {note}")));
        finding.helps.iter().for_each(|help| text.push_str(&format!("\nhelp: {}", help.message)));
        writeln!(
            out,
            "::{} title={},file={},{place}::{}",
            reported.severity(),
            property(&reported.code()),
            property(path),
            data(&text),
        )?;
    }
    Ok(())
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
