//! JUnit's XML: a suite for each file with findings, a failed case for each of them.

use std::io::{self, Write};

use super::{Reported, View};

/// Writes all findings; one passed case if there are none, since some readers reject an empty report.
///
/// # Errors
/// What the writer says.
pub fn write(view: View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let findings = &view.report.findings;
    let count = findings.len();
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<testsuites name="ctxlint" tests="{}" failures="{count}" errors="0">"#, count.max(1))?;
    if findings.is_empty() {
        writeln!(out, r#"  <testsuite name="ctxlint" tests="1" failures="0" errors="0" package="ctxlint">"#)?;
        writeln!(out, r#"    <testcase name="no findings" classname="ctxlint"/>"#)?;
        writeln!(out, "  </testsuite>")?;
    }
    for suite in findings.chunk_by(|a, b| a.finding.primary.file == b.finding.primary.file) {
        let Some(first) = suite.first() else { continue };
        let (path, count) = (escape(view.path(first.finding.primary)), suite.len());
        writeln!(
            out,
            r#"  <testsuite name="{path}" tests="{count}" failures="{count}" errors="0" package="ctxlint">"#
        )?;
        suite.iter().try_for_each(|reported| case(view, reported, &path, out))?;
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn case(view: View<'_>, reported: &Reported, path: &str, out: &mut dyn Write) -> io::Result<()> {
    let (start, _) = view.positions(reported.finding.primary);
    let rendered = super::human::rendered(view, reported, false);
    writeln!(
        out,
        r#"    <testcase name="{}" classname="{path}" line="{}" column="{}">"#,
        escape(&reported.code()),
        start.line,
        start.column,
    )?;
    writeln!(
        out,
        r#"      <failure message="{}" type="{}">{}</failure>"#,
        escape(&reported.finding.message),
        reported.severity(),
        escape(&String::from_utf8_lossy(&rendered)),
    )?;
    writeln!(out, "    </testcase>")
}

/// A text for XML, without the characters that XML has no way to write.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(c),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}
