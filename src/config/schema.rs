//! The JSON schema of `ctxlint.toml`.

use ctxlint_lints::RULES;
use serde_json::{Map, Value, json};

use crate::levels::GROUPS;

/// The schema, as JSON.
pub fn schema() -> Value {
    let level = json!({ "enum": ["allow", "warn", "deny", "forbid"] });
    let mut rules = Map::new();
    let groups = GROUPS.iter().map(|(name, _)| (*name, format!("All rules of the group {name}.")));
    let all = [("all", "All rules.".to_owned()), ("warnings", "Whatever would be a warning.".to_owned())];
    let each = RULES.iter().map(|rule| (rule.name, rule.summary.to_owned()));
    for (name, description) in all.into_iter().chain(groups).chain(each) {
        rules.insert(name.to_owned(), json!({ "$ref": "#/$defs/level", "description": description }));
    }
    let list = json!({ "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] });
    let options: Map<String, Value> = RULES
        .iter()
        .map(|rule| (rule.name.to_owned(), json!({ "type": "object", "additionalProperties": list })))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ctxlint.toml",
        "type": "object",
        "additionalProperties": false,
        "$defs": {
            "level": level,
            "rules": { "type": "object", "additionalProperties": false, "properties": rules },
            "globs": { "type": "array", "items": { "type": "string" } },
        },
        "properties": {
            "rules": { "$ref": "#/$defs/rules", "description": "Levels of rules and groups; a rule beats its group." },
            "overrides": {
                "type": "array",
                "description": "Other levels for some files.",
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["paths", "rules"],
                    "properties": { "paths": { "$ref": "#/$defs/globs" }, "rules": { "$ref": "#/$defs/rules" } },
                },
            },
            "exclude": { "$ref": "#/$defs/globs", "description": "Files and folders that are not checked." },
            "require-reason": { "type": "boolean", "description": "A suppression without a reason has no effect." },
            "models": {
                "type": "array",
                "description": "Types and functions of your own libraries in terms of roles.",
                "items": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } } },
            },
            "options": {
                "type": "object",
                "additionalProperties": false,
                "properties": options,
                "description": "What a rule's page lists under Options.",
            },
        },
    })
}

/// The schema as a text.
pub fn text() -> String {
    format!("{:#}\n", schema())
}
