//! `ctxlint man`: one page for the command and all its commands.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::cli::Cli;
use crate::run::{Failure, Outcome, print};

const EXIT: &str = "\
.SH \"EXIT STATUS\"
.TP
\\fB0\\fR
Nothing was found at deny level.
.TP
\\fB1\\fR
Something was.
.TP
\\fB2\\fR
The run itself failed: bad arguments, configuration, unreadable input.
.TP
\\fB3\\fR
There was nothing to check.
.SH FILES
.TP
\\fIctxlint.toml\\fR
The configuration, in the workspace's folder or one above it; \\fBctxlint init\\fR writes one with everything in it.
";

pub(crate) fn run() -> Result<Outcome, Failure> {
    print(&text()?)
}

fn text() -> Result<String, Failure> {
    let mut command = Cli::command();
    command.build();
    let page = Man::new(command.clone());
    let mut text = String::new();
    text += &rendered(|out| page.render_title(out))?;
    text += &rendered(|out| page.render_name_section(out))?;
    text += ".SH SYNOPSIS\n";
    for usage in ["[check]", "rules", "explain", "graph", "init", "config", "lsp", "schema", "completions", "man"] {
        let takes = match command.find_subcommand(usage.trim_matches(['[', ']'])) {
            Some(of) => arguments(of),
            None => String::new(),
        };
        let _ = writeln!(text, "\\fBctxlint\\fR {}{takes}\n.br", usage.replace("check", "\\fBcheck\\fR"));
    }
    text += &rendered(|out| page.render_description_section(out))?;
    text += &rendered(|out| page.render_options_section(out))?;
    text += ".SH COMMANDS\n";
    for of in command.get_subcommands().filter(|of| of.get_name() != "help") {
        let about = of.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = write!(text, ".SS \"{}{}\"\n{}.\n", of.get_name(), arguments(of), escaped(&about));
        // What `check` takes is above.
        if of.get_name() != "check" {
            let options = rendered(|out| Man::new(of.clone()).render_options_section(out))?;
            text += &below_a_command(&options);
        }
    }
    text += EXIT;
    text += &rendered(|out| page.render_version_section(out))?;
    Ok(text)
}

fn rendered(render: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    render(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// ` [options] [PATH]...`.
fn arguments(of: &Command) -> String {
    let mut text = String::new();
    if of.get_arguments().any(|argument| !argument.is_positional() && argument.get_id() != "help") {
        text += " [options]";
    }
    for argument in of.get_positionals() {
        let name = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
        let name = name.unwrap_or_else(|| argument.get_id().to_string().to_uppercase());
        let many = argument.get_num_args().is_some_and(|count| count.max_values() > 1);
        let shown = if argument.is_required_set() { name } else { format!("[{name}]") };
        let _ = write!(text, " {shown}{}", if many { "..." } else { "" });
    }
    text
}

/// A command's options without headings, and without those that all have.
fn below_a_command(options: &str) -> String {
    let mut text = String::new();
    // What stands in front of the first option is the beginning of a page of its own.
    for entry in options.split(".TP\n").skip(1).filter(|entry| !entry.contains("Print help")) {
        let entry: Vec<&str> = entry.lines().filter(|line| !line.starts_with(".SH ")).collect();
        let _ = writeln!(text, ".TP\n{}", entry.join("\n"));
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}
