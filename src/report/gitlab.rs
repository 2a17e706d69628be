//! GitLab's code quality report.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Reported, View};

/// Writes all findings as one array.
///
/// # Errors
/// What the writer says.
pub fn write(view: View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let issues: Vec<Value> = view.report.findings.iter().map(|reported| issue(view, reported)).collect();
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    out.write_all(b"\n")
}

fn issue(view: View<'_>, reported: &Reported) -> Value {
    let finding = &reported.finding;
    let (start, end) = view.positions(finding.primary);
    json!({
        // GitLab does not show the check's name: it stands in the description too.
        "description": format!("{}: {}", reported.code(), finding.message),
        "check_name": reported.code(),
        "fingerprint": reported.fingerprint,
        "severity": if reported.is_error() { "major" } else { "minor" },
        "location": {
            "path": view.ci_path(finding.primary),
            "positions": {
                "begin": { "line": start.line, "column": start.column },
                "end": { "line": end.line, "column": end.column },
            },
        },
    })
}
