//! Which rule is at which level: names of rules and groups, and what configuration makes of them.

use ctxlint_lints::RULES;
use ctxlint_lints::rule::{Group, Level, Rule};

use crate::text::nearest;

/// Groups by name, strictest first. The rules about the check itself are in none of them.
pub const GROUPS: &[(&str, Group)] = &[
    ("correctness", Group::Correctness),
    ("suspicious", Group::Suspicious),
    ("style", Group::Style),
    ("perf", Group::Perf),
    ("pedantic", Group::Pedantic),
    ("restriction", Group::Restriction),
];

/// The name of a group.
pub fn group_name(group: Group) -> &'static str {
    GROUPS.iter().find(|(_, known)| *known == group).map_or("meta", |(name, _)| name)
}

/// The word for a level, as in the configuration.
pub fn level_name(level: Level) -> &'static str {
    match level {
        Level::Allow => "allow",
        Level::Warn => "warn",
        Level::Deny => "deny",
        Level::Forbid => "forbid",
    }
}

/// Reads a level's word.
pub fn parse_level(word: &str) -> Option<Level> {
    [Level::Allow, Level::Warn, Level::Deny, Level::Forbid].into_iter().find(|&level| level_name(level) == word)
}

/// What a level is set for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// A rule: an index into [`RULES`].
    Rule(usize),
    /// A group.
    Group(Group),
    /// Every rule of every group.
    All,
    /// Whatever is at warn level after everything else.
    Warnings,
}

impl Selector {
    /// Reads a rule's or group's name, with or without `ctxlint::`.
    ///
    /// # Errors
    /// The nearest name, if there is one, when nobody has this name.
    pub fn parse(word: &str) -> Result<Selector, UnknownName> {
        let name = word.strip_prefix("ctxlint::").unwrap_or(word).replace('-', "_");
        if let Some(index) = rule_index(&name) {
            return Ok(Selector::Rule(index));
        }
        if let Some((_, group)) = GROUPS.iter().find(|(known, _)| *known == name) {
            return Ok(Selector::Group(*group));
        }
        match name.as_str() {
            "all" => Ok(Selector::All),
            "warnings" => Ok(Selector::Warnings),
            _ => Err(UnknownName { name: word.to_owned(), nearest: nearest_name(&name) }),
        }
    }

    /// Whether a rule is meant.
    pub fn covers(self, index: usize, rule: &Rule) -> bool {
        match self {
            Selector::Rule(own) => own == index,
            Selector::Group(group) => group == rule.group,
            Selector::All => rule.group != Group::Meta,
            Selector::Warnings => false,
        }
    }

    /// Rules beat groups, groups beat `all`, whatever the order in a table.
    fn precision(self) -> u8 {
        match self {
            Selector::Warnings | Selector::All => 0,
            Selector::Group(_) => 1,
            Selector::Rule(_) => 2,
        }
    }
}

/// A name that is no rule and no group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// As written.
    pub name: String,
    /// The rule or group that was probably meant.
    pub nearest: Option<&'static str>,
}

impl std::fmt::Display for UnknownName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unknown rule or group `{}`", self.name)?;
        match self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => write!(f, "; `ctxlint rules` lists all"),
        }
    }
}

/// The rule's place in [`RULES`].
pub fn rule_index(name: &str) -> Option<usize> {
    RULES.iter().position(|rule| rule.name == name)
}

/// The rule's level where nothing is configured; `Deny` for a name that is no rule.
pub fn default_level(name: &str) -> Level {
    RULES.iter().find(|rule| rule.name == name).map_or(Level::Deny, |rule| rule.level)
}

/// The rule or group with the most similar name.
pub fn nearest_name(name: &str) -> Option<&'static str> {
    nearest(name, RULES.iter().map(|rule| rule.name).chain(GROUPS.iter().map(|(name, _)| *name)))
}

/// A level for some rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Which rules.
    pub selector: Selector,
    /// Which level.
    pub level: Level,
}

/// The level of every rule for one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    by_rule: Vec<Level>,
    warnings: Option<Level>,
}

impl Default for Levels {
    fn default() -> Levels {
        Levels { by_rule: RULES.iter().map(|rule| rule.level).collect(), warnings: None }
    }
}

impl Levels {
    /// Applies the settings of a table, whose entries have no order: the more precise ones win.
    pub fn apply_table(&mut self, settings: &[Setting]) {
        let mut sorted = settings.to_vec();
        sorted.sort_by_key(|setting| setting.selector.precision());
        self.apply_in_order(&sorted);
    }

    /// Applies settings one after the other: later ones win, and nothing lowers what is forbidden.
    pub fn apply_in_order(&mut self, settings: &[Setting]) {
        for setting in settings {
            if setting.selector == Selector::Warnings {
                self.warnings = Some(setting.level);
                continue;
            }
            for (index, (level, rule)) in self.by_rule.iter_mut().zip(RULES).enumerate() {
                if *level != Level::Forbid && setting.selector.covers(index, rule) {
                    *level = setting.level;
                }
            }
        }
    }

    /// Turns off what is not asked for, and on what is. A file that does not parse is always told.
    pub fn keep_only(&mut self, only: &[Selector]) {
        if only.is_empty() {
            return;
        }
        for (index, (level, rule)) in self.by_rule.iter_mut().zip(RULES).enumerate() {
            let asked = only.iter().any(|selector| selector.covers(index, rule));
            if asked {
                *level = (*level).max(Level::Warn);
            } else if rule.name != "syntax_error" {
                *level = Level::Allow;
            }
        }
    }

    /// The level of the rule at this place in [`RULES`].
    pub fn of_index(&self, index: usize) -> Level {
        let level = self.by_rule.get(index).copied().unwrap_or(Level::Allow);
        match (level, self.warnings) {
            (Level::Warn, Some(instead)) => instead,
            _ => level,
        }
    }

    /// The level of the rule with this name.
    pub fn of(&self, rule: &str) -> Level {
        rule_index(rule).map_or(Level::Deny, |index| self.of_index(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, level: Level) -> Setting {
        Setting { selector: Selector::parse(name).expect("a known name"), level }
    }

    #[test]
    fn later_settings_win_and_forbid_stays() {
        let mut levels = Levels::default();
        levels.apply_in_order(&[set("syntax_error", Level::Warn), set("unknown_rule", Level::Forbid)]);
        levels.apply_in_order(&[set("unknown_rule", Level::Allow), set("syntax_error", Level::Deny)]);
        assert_eq!(levels.of("syntax_error"), Level::Deny);
        assert_eq!(levels.of("unknown_rule"), Level::Forbid);
    }

    #[test]
    fn warnings_are_what_is_left_at_warn() {
        let mut levels = Levels::default();
        levels.apply_in_order(&[set("warnings", Level::Deny), set("unknown_rule", Level::Warn)]);
        assert_eq!(levels.of("unused_suppression"), Level::Deny);
        assert_eq!(levels.of("unknown_rule"), Level::Deny);
    }

    #[test]
    fn only_turns_off_the_rest_but_not_syntax_errors() {
        let mut levels = Levels::default();
        levels.keep_only(&[Selector::parse("unknown_rule").expect("a rule")]);
        assert_eq!(levels.of("unused_suppression"), Level::Allow);
        assert_eq!(levels.of("syntax_error"), Level::Deny);
    }

    #[test]
    fn unknown_names_come_with_the_nearest() {
        let error = Selector::parse("sintax_error").expect_err("no rule");
        assert_eq!(error.to_string(), "unknown rule or group `sintax_error`; did you mean `syntax_error`?");
        assert!(Selector::parse("ctxlint::syntax-error").is_ok());
    }
}
