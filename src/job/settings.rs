//! Levels from the command line, in the order they were given.

use clap::ArgMatches;
use ctxlint_lints::rule::Level;

use crate::cli::RuleArgs;
use crate::levels::{Selector, Setting};
use crate::run::Failure;

pub(crate) fn levels(args: &RuleArgs, matches: &ArgMatches) -> Result<Vec<Setting>, Failure> {
    let sorts = [
        ("allow", &args.allow, Level::Allow),
        ("warn", &args.warn, Level::Warn),
        ("deny", &args.deny, Level::Deny),
        ("forbid", &args.forbid, Level::Forbid),
    ];
    let mut placed: Vec<(usize, Setting)> = Vec::new();
    for (id, words, level) in sorts {
        for (place, word) in matches.indices_of(id).into_iter().flatten().zip(words) {
            let selector = Selector::parse(word).map_err(|error| Failure::new(error.to_string()))?;
            placed.push((place, Setting { selector, level }));
        }
    }
    placed.sort_by_key(|(place, _)| *place);
    Ok(placed.into_iter().map(|(_, setting)| setting).collect())
}

pub(crate) fn only(args: &RuleArgs) -> Result<Vec<Selector>, Failure> {
    let words = args.only.iter().flat_map(|words| words.split(','));
    words.map(|word| Selector::parse(word).map_err(|error| Failure::new(error.to_string()))).collect()
}
