//! What one run of ctxlint said.

use std::fmt;
use std::process::ExitStatus;

use serde_json::Value;

use crate::Result;

/// What one run of ctxlint said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// By rule, in the order they were told.
    pub(super) findings: Vec<(String, Place)>,
    /// Why the run did not come to its end.
    pub(super) crash: Option<String>,
    /// What it had to say about the run.
    pub(super) notes: Vec<String>,
}

/// A finding's place and words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    file: String,
    line: u64,
    column: u64,
    message: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, column, message } = self;
        write!(f, "{file}:{line}:{column}: {message}")
    }
}

impl Outcome {
    /// Reads the messages of a run. Exit codes 0, 1 and 3 are ctxlint's own; 2 says that something
    /// could not be read, and everything else that it did not end by itself.
    pub(super) fn read(status: ExitStatus, stdout: &str, stderr: &str) -> Outcome {
        let mut outcome = Outcome::default();
        for line in stdout.lines() {
            match serde_json::from_str::<Value>(line) {
                Ok(message) => outcome.findings.extend(finding(&message)),
                Err(error) => outcome.notes.push(format!("not a message: {error}: {line}")),
            }
        }
        match status.code() {
            Some(0 | 1 | 3) => {}
            Some(2) => outcome.notes.extend(stderr.lines().map(str::to_owned)),
            _ => outcome.crash = Some(format!("{status}: {}", stderr.trim())),
        }
        outcome
    }
}

/// The rule and place in one of cargo's messages, if it is one of ctxlint's findings.
fn finding(message: &Value) -> Option<(String, Place)> {
    let message = message.get("message")?;
    let rule = message.pointer("/code/code")?.as_str()?.strip_prefix("ctxlint::")?;
    let spans = message.get("spans")?.as_array()?;
    let primary = spans.iter().find(|span| span.get("is_primary").and_then(Value::as_bool) == Some(true))?;
    let number = |key: &str| primary.get(key).and_then(Value::as_u64);
    let place = Place {
        file: primary.get("file_name")?.as_str()?.to_owned(),
        line: number("line_start")?,
        column: number("column_start")?,
        message: message.get("message")?.as_str()?.to_owned(),
    };
    Some((rule.to_owned(), place))
}

/// The names of the rules in the output of `ctxlint rules --message-format json` that are not allowed by default.
pub(super) fn on_by_default(rules: &str) -> Result<Vec<String>> {
    let rules: Value = serde_json::from_str(rules)?;
    let rules = rules.as_array().ok_or("`ctxlint rules` gave no list")?;
    let text = |rule: &Value, key: &str| rule.get(key).and_then(Value::as_str).map(str::to_owned);
    Ok(rules
        .iter()
        .filter(|rule| text(rule, "level").is_some_and(|level| level != "allow"))
        .filter_map(|rule| text(rule, "name"))
        .collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    const FINDING: &str = r#"{"reason":"compiler-message","message":{"message":"never cancelled",
        "code":{"code":"ctxlint::lost_cancel"},"spans":[
            {"file_name":"src/a.rs","line_start":3,"column_start":1,"is_primary":false},
            {"file_name":"src/b.rs","line_start":4,"column_start":9,"is_primary":true}]}}"#;

    #[test]
    fn findings_stand_at_their_primary_span() {
        let stdout = format!("{}\n{{\"reason\":\"build-finished\",\"success\":false}}\n", FINDING.replace('\n', " "));
        let outcome = Outcome::read(ExitStatus::from_raw(1 << 8), &stdout, "1 warning");
        let [(rule, place)] = outcome.findings.as_slice() else { panic!("{outcome:?}") };
        assert_eq!((rule.as_str(), place.to_string().as_str()), ("lost_cancel", "src/b.rs:4:9: never cancelled"));
        assert_eq!((outcome.crash, outcome.notes), (None, Vec::new()));
    }

    #[test]
    fn what_went_wrong_is_kept() {
        let killed = Outcome::read(ExitStatus::from_raw(6), "", "stack overflow\n");
        assert!(killed.crash.is_some_and(|crash| crash.ends_with("stack overflow")));
        let panicked = Outcome::read(ExitStatus::from_raw(101 << 8), "", "panicked");
        assert!(panicked.crash.is_some());
        let unreadable = Outcome::read(ExitStatus::from_raw(2 << 8), "half a line", "cannot read a.rs\n");
        assert_eq!(unreadable.crash, None);
        assert_eq!(unreadable.notes.last().map(String::as_str), Some("cannot read a.rs"));
        assert_eq!(unreadable.notes.len(), 2);
    }

    #[test]
    fn rules_that_are_off_are_told_apart() {
        let rules = r#"[{"name":"lost_cancel","level":"deny"},{"name":"value_chain","level":"allow"}]"#;
        assert_eq!(on_by_default(rules).expect("it is a list"), ["lost_cancel"]);
    }
}
