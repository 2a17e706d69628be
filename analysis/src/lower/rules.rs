//! Statements in `macro_rules!` bodies that throw a method's result away, seen in their tokens.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::Lowering;
use crate::facts::{Discard, MacroDiscard, Segment};

/// Methods that hand on what they are called on: the call before them decides.
const TRANSPARENT: [&str; 2] = ["unwrap", "expect"];

impl Lowering<'_> {
    /// Looks through the right-hand sides of all rules.
    pub(super) fn scan_rules(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        for rule in trees.split(|tree| is_punct(tree, ';')) {
            if let Some(TokenTree::Group(body)) = rule.last() {
                self.scan_statements(body.stream());
            }
        }
    }

    fn scan_statements(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut start = 0;
        for (position, tree) in trees.iter().enumerate() {
            let ends = is_punct(tree, ';');
            if ends && let Some(statement) = trees.get(start..position) {
                self.scan_statement(statement);
            }
            // A block ends a statement too; what follows begins a new one.
            let block = matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
            if ends || block {
                start = position + 1;
            }
            if let TokenTree::Group(group) = tree {
                self.scan_statements(group.stream());
            }
        }
    }

    fn scan_statement(&mut self, statement: &[TokenTree]) {
        let (discard, value) = match statement {
            [TokenTree::Ident(keyword), TokenTree::Ident(wild), eq, value @ ..]
                if keyword == "let" && wild == "_" && is_punct(eq, '=') =>
            {
                (Discard::LetWild(self.text.span(wild.span())), value)
            }
            [TokenTree::Ident(wild), eq, value @ ..] if wild == "_" && is_punct(eq, '=') => {
                (Discard::AssignWild(self.text.span(wild.span())), value)
            }
            [TokenTree::Ident(keyword), ..]
                if ["let", "return", "break", "use", "const", "static", "type", "fn"]
                    .iter()
                    .any(|word| keyword == word) =>
            {
                return;
            }
            // Assignments keep the value.
            _ if statement.windows(2).any(is_assignment) => return,
            value => (Discard::Statement, value),
        };
        if let Some(found) = self.outermost_call(value, discard) {
            self.facts.macro_discards.push(found);
        }
    }

    /// The call whose result a chain of tokens ends with.
    fn outermost_call(&self, mut value: &[TokenTree], discard: Discard) -> Option<MacroDiscard> {
        loop {
            match value {
                [rest @ .., question] if is_punct(question, '?') => value = rest,
                [rest @ .., dot, TokenTree::Ident(word)] if is_punct(dot, '.') && word == "await" => {
                    value = rest;
                }
                [rest @ .., dot, TokenTree::Ident(method), TokenTree::Group(args)]
                    if is_punct(dot, '.') && args.delimiter() == Delimiter::Parenthesis =>
                {
                    if TRANSPARENT.iter().any(|name| method == name) {
                        value = rest;
                        continue;
                    }
                    let (name, span) = self.text.ident(method);
                    return Some(MacroDiscard {
                        method: name,
                        span,
                        args: count(args),
                        discard,
                        path: None,
                        test: self.test,
                    });
                }
                [path @ .., TokenTree::Ident(name), TokenTree::Group(args)]
                    if args.delimiter() == Delimiter::Parenthesis =>
                {
                    let segments = self.path_before(path)?;
                    let (method, span) = self.text.ident(name);
                    return Some(MacroDiscard {
                        method,
                        span,
                        args: count(args),
                        discard,
                        path: self.plain_path(segments),
                        test: self.test,
                    });
                }
                _ => return None,
            }
        }
    }

    /// `a :: b ::` as the whole of the tokens; none if there is anything else.
    fn path_before(&self, tokens: &[TokenTree]) -> Option<Vec<Segment>> {
        let mut segments = Vec::new();
        let mut rest = match tokens {
            [first, second, rest @ ..] if is_punct(first, ':') && is_punct(second, ':') => rest,
            [dollar, rest @ ..] if is_punct(dollar, '$') => rest,
            rest => rest,
        };
        loop {
            match rest {
                [TokenTree::Ident(word), first, second, more @ ..] if is_punct(first, ':') && is_punct(second, ':') => {
                    let (name, span) = self.text.ident(word);
                    segments.push(Segment { name, span, args: Vec::new(), bindings: Vec::new() });
                    rest = more;
                }
                [] if !segments.is_empty() => return Some(segments),
                _ => return None,
            }
        }
    }
}

fn is_punct(tree: &TokenTree, wanted: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// `=` that is part of no other operator.
fn is_assignment(pair: &[TokenTree]) -> bool {
    match pair {
        [TokenTree::Punct(before), TokenTree::Punct(eq)] => {
            eq.as_char() == '='
                && !(before.spacing() == proc_macro2::Spacing::Joint
                    && matches!(before.as_char(), '=' | '!' | '<' | '>'))
                && eq.spacing() == proc_macro2::Spacing::Alone
        }
        [_, TokenTree::Punct(eq)] => eq.as_char() == '=' && eq.spacing() == proc_macro2::Spacing::Alone,
        _ => false,
    }
}

/// How many arguments stand between parentheses.
fn count(args: &Group) -> u32 {
    let mut count = 0;
    let mut open = false;
    for tree in args.stream() {
        if is_punct(&tree, ',') {
            open = false;
        } else if !open {
            open = true;
            count += 1;
        }
    }
    count
}
