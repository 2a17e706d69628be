//! The command line.

use camino::Utf8PathBuf;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

use crate::report::Format;

/// Finds misuse of cancellation contexts in Rust code
///
/// Lost cancel handles, request contexts in detached tasks, string keys, stray roots and more.
/// Without a command, `check`.
#[derive(Debug, Parser)]
#[command(
    name = "ctxlint",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Exit codes: 0 nothing at deny level, 1 findings, 2 the run failed, 3 nothing to check."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// For `check`, which may be left out.
    #[command(flatten)]
    pub check: CheckArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check packages, folders or files (what is done without a command, too)
    Check(Box<CheckArgs>),
    /// List every rule with its group and level
    Rules(RulesArgs),
    /// Show the documentation of a rule
    Explain(ExplainArgs),
    /// Show how contexts flow: from requests and roots through derivations and calls into tasks
    Graph(GraphArgs),
    /// Write a commented ctxlint.toml
    Init(InitArgs),
    /// Show what is configured for a folder or file, and where
    Config(ConfigArgs),
    /// Run the language server on standard input and output, for an editor
    Lsp(LspArgs),
    /// Print the JSON schema of ctxlint.toml
    Schema,
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// What to check and how to tell.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// Packages, folders or files, `-` for standard input; by default the workspace around the current folder
    #[arg(value_name = "PATH")]
    pub paths: Vec<Utf8PathBuf>,

    /// What to look at.
    #[command(flatten)]
    pub input: InputArgs,

    /// Which rules.
    #[command(flatten)]
    pub rules: RuleArgs,

    /// How to tell.
    #[command(flatten)]
    pub output: OutputArgs,

    /// What to change.
    #[command(flatten)]
    pub fix: FixArgs,

    /// What counts.
    #[command(flatten)]
    pub gate: GateArgs,

    /// How to run.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What to look at.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// Report only findings in this package, or in those that a glob fits
    #[arg(short, long = "package", value_name = "NAME")]
    pub packages: Vec<String>,

    /// Check all packages of the workspace, though a path below it is given
    #[arg(long)]
    pub workspace: bool,

    /// Leave out packages or paths
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,

    /// Check what comes on standard input as this file
    #[arg(long, value_name = "PATH")]
    pub stdin_filename: Option<Utf8PathBuf>,

    /// Read this configuration instead of looking for ctxlint.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<Utf8PathBuf>,
}

/// Which rules.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Rules")]
pub struct RuleArgs {
    /// Do not report a rule or group
    #[arg(short = 'A', long, value_name = "RULE")]
    pub allow: Vec<String>,

    /// Report a rule or group as warnings
    #[arg(short = 'W', long, value_name = "RULE")]
    pub warn: Vec<String>,

    /// Report a rule or group as errors; `warnings` for all that would be a warning
    #[arg(short = 'D', long, value_name = "RULE")]
    pub deny: Vec<String>,

    /// The same, and nothing can lower or suppress it
    #[arg(short = 'F', long, value_name = "RULE")]
    pub forbid: Vec<String>,

    /// Run just these rules or groups
    #[arg(long, value_name = "RULE")]
    pub only: Vec<String>,
}

/// How to tell.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// The format of the findings; several, each with its --output-file but for one
    #[arg(long, value_name = "FORMAT", value_enum, value_delimiter = ',', default_value = "human")]
    pub message_format: Vec<Format>,

    /// Write the format given before it to this file
    #[arg(long, value_name = "FILE")]
    pub output_file: Vec<Utf8PathBuf>,

    /// Print counts by rule
    #[arg(long)]
    pub statistics: bool,

    /// Print where the time went
    #[arg(long)]
    pub timings: bool,

    /// No summary
    #[arg(short, long)]
    pub quiet: bool,

    /// Tell what is read and done
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,

    /// When to use colours
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto")]
    pub color: Color,
}

/// What to change.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Fixes", group(ArgGroup::new("fixing").multiple(true)))]
pub struct FixArgs {
    /// Apply the suggestions that need no look
    #[arg(long, group = "fixing")]
    pub fix: bool,

    /// With --fix or --diff: apply those that need a look, too
    #[arg(long, requires = "fixing")]
    pub unsafe_fixes: bool,

    /// Print what --fix would change as a patch, and write nothing
    #[arg(long, group = "fixing")]
    pub diff: bool,

    /// Write a suppression with this reason above every finding
    #[arg(long, value_name = "REASON", conflicts_with_all = ["fix", "diff"])]
    pub add_suppressions: Option<String>,
}

/// What counts.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Gate")]
pub struct GateArgs {
    /// Do not report the findings in this file
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<Utf8PathBuf>,

    /// Write the findings to this file, for --baseline
    #[arg(long, value_name = "FILE")]
    pub write_baseline: Option<Utf8PathBuf>,

    /// Report only findings on lines changed since this git revision
    #[arg(long, value_name = "REV")]
    pub since: Option<String>,

    /// Exit with 0 though there are findings
    #[arg(long)]
    pub exit_zero: bool,
}

/// How to run.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Run")]
pub struct RunArgs {
    /// How many threads; by default one for each processor
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,

    /// Run again on change
    #[arg(long)]
    pub watch: bool,

    /// Run this cargo command too and pass its messages through
    #[arg(long, value_name = "COMMAND", value_enum)]
    pub with_cargo: Option<CargoCommand>,

    /// Neither read nor write the cache
    #[arg(long)]
    pub no_cache: bool,

    /// Where the cache is; by default in cargo's target folder
    #[arg(long, value_name = "DIR")]
    pub cache_dir: Option<Utf8PathBuf>,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A cargo command to run too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CargoCommand {
    /// `cargo check`
    Check,
    /// `cargo clippy`
    Clippy,
}

/// How to list the rules.
#[derive(Clone, Debug, Args)]
pub struct RulesArgs {
    /// As a table or as JSON
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "human")]
    pub message_format: ListFormat,

    /// When to use colours
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto")]
    pub color: Color,
}

/// A format of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// Which rule to explain.
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// The rule
    pub rule: String,

    /// When to use colours
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto")]
    pub color: Color,
}

/// What to draw, and how.
#[derive(Clone, Debug, Args)]
pub struct GraphArgs {
    /// Packages, folders or files; by default the workspace around the current folder
    #[arg(value_name = "PATH")]
    pub paths: Vec<Utf8PathBuf>,

    /// Draw this package or crate, and what is next to it
    #[arg(long = "crate", value_name = "NAME")]
    pub crates: Vec<String>,

    /// Draw what can be reached from this handler (the end of its path)
    #[arg(long = "handler", value_name = "NAME")]
    pub handlers: Vec<String>,

    /// Draw where this rule or group finds something, what leads there and what comes next
    #[arg(long = "rule", value_name = "RULE")]
    pub rules: Vec<String>,

    /// Draw no more than this many contexts, functions and tasks; by default 400, in a page 20000
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,

    /// For Graphviz, for Markdown, or as a page to look at
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "dot")]
    pub message_format: GraphFormat,

    /// Write to this file
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<Utf8PathBuf>,

    /// Leave out packages or paths
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,

    /// Read this configuration instead of looking for ctxlint.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<Utf8PathBuf>,

    /// Do not read the cache
    #[arg(long)]
    pub no_cache: bool,

    /// How many threads; by default one for each processor
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
}

/// A format of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Graphviz's language.
    Dot,
    /// A flowchart for Mermaid.
    Mermaid,
    /// A page that needs nothing else.
    Html,
}

/// Where to write the configuration.
#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    /// The folder
    #[arg(default_value = ".")]
    pub folder: Utf8PathBuf,
}

/// What to show the configuration of.
#[derive(Clone, Debug, Args)]
pub struct ConfigArgs {
    /// A folder or file
    #[arg(default_value = ".")]
    pub path: Utf8PathBuf,

    /// Read this configuration instead of looking for ctxlint.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<Utf8PathBuf>,
}

/// How the language server checks.
#[derive(Clone, Debug, Args)]
pub struct LspArgs {
    /// Read this configuration instead of looking for ctxlint.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<Utf8PathBuf>,

    /// How many threads; by default one for each processor
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,

    /// Which rules.
    #[command(flatten)]
    pub rules: RuleArgs,

    /// What editors say that can talk in several ways; there is no other here
    #[arg(long, hide = true)]
    pub stdio: bool,
}
