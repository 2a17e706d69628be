//! Types as models write them: what a function returns, what a field holds.

use serde::Deserialize;

/// A type said in terms of a call: its arguments, what they hold, what a closure yields.
///
/// Written as `self`, `inner` (what the subject holds) or `inner 1` (its type argument by position),
/// `arg 0`, `output 0` (what the closure or future among the arguments yields), `type 0` (the call's
/// own type argument), `trait 0` (that of the trait a method was found by), `held …`, `ref …`, `deref …`, `awaited …`, `option …`, `result …`, `future …`, tuples,
/// `_` for unknown, or a path with arguments: `tokio::task::JoinHandle<output 0>`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Shape {
    /// `_`
    Unknown,
    /// The type the function belongs to, or the subject's where it belongs to none.
    Own,
    /// What the subject holds: by its model, or the type argument with this position.
    Inner(Option<usize>),
    /// An argument.
    Arg(usize),
    /// What a closure returns, or a future gives.
    Output(usize),
    /// A type argument written at the call.
    Turbofish(usize),
    /// A type argument of the trait by which a bound gives the method: `T` of `AsRef<T>`.
    OfTrait(usize),
    /// What a type holds.
    Held(Box<Shape>),
    /// A shared reference.
    Ref(Box<Shape>),
    /// All references taken off.
    Deref(Box<Shape>),
    /// What a future gives; anything else as it is.
    Awaited(Box<Shape>),
    /// A future of.
    Future(Box<Shape>),
    /// A tuple.
    Tuple(Vec<Shape>),
    /// A type by its canonical path, or a built-in one.
    Named(String, Vec<Shape>),
}

impl TryFrom<String> for Shape {
    type Error = String;

    fn try_from(text: String) -> Result<Shape, String> {
        Shape::parse(&text)
    }
}

impl Shape {
    /// Reads a shape as models write it.
    ///
    /// # Errors
    ///
    /// Says what was expected where.
    pub fn parse(text: &str) -> Result<Shape, String> {
        let mut parser = Parser { rest: text };
        let shape = parser.shape(0)?;
        parser.skip_blanks();
        if parser.rest.is_empty() { Ok(shape) } else { Err(format!("`{}` is left over in `{text}`", parser.rest)) }
    }

    /// Every path it names.
    pub fn paths<'a>(&'a self, found: &mut Vec<&'a str>) {
        match self {
            Shape::Held(of) | Shape::Ref(of) | Shape::Deref(of) | Shape::Awaited(of) | Shape::Future(of) => {
                of.paths(found)
            }
            Shape::Tuple(parts) => parts.iter().for_each(|part| part.paths(found)),
            Shape::Named(path, args) => {
                found.push(path);
                args.iter().for_each(|arg| arg.paths(found));
            }
            Shape::Unknown
            | Shape::Own
            | Shape::Inner(_)
            | Shape::Arg(_)
            | Shape::Output(_)
            | Shape::Turbofish(_)
            | Shape::OfTrait(_) => {}
        }
    }
}

/// Deeper shapes than this are mistakes.
const MAX_DEPTH: usize = 16;

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: char) -> bool {
        self.skip_blanks();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        self.skip_blanks();
        let end = self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    fn shape(&mut self, depth: usize) -> Result<Shape, String> {
        if depth > MAX_DEPTH {
            return Err("too deep".to_owned());
        }
        if self.eat('(') {
            return Ok(Shape::Tuple(self.list(')', depth)?));
        }
        let word = self.take_while(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '!');
        let nested = |parser: &mut Self| parser.shape(depth + 1).map(Box::new);
        Ok(match word {
            "" => return Err(format!("a type expected before `{}`", self.rest)),
            "_" => Shape::Unknown,
            "self" => Shape::Own,
            "inner" => Shape::Inner(self.number()),
            "arg" => Shape::Arg(self.number().ok_or("`arg` needs a position")?),
            "output" => Shape::Output(self.number().ok_or("`output` needs a position")?),
            "type" => Shape::Turbofish(self.number().ok_or("`type` needs a position")?),
            "trait" => Shape::OfTrait(self.number().ok_or("`trait` needs a position")?),
            "held" => Shape::Held(nested(self)?),
            "ref" => Shape::Ref(nested(self)?),
            "deref" => Shape::Deref(nested(self)?),
            "awaited" => Shape::Awaited(nested(self)?),
            "future" => Shape::Future(nested(self)?),
            "option" => Shape::Named("std::option::Option".to_owned(), vec![self.shape(depth + 1)?]),
            "result" => Shape::Named("std::result::Result".to_owned(), vec![self.shape(depth + 1)?, Shape::Unknown]),
            path => {
                let args = if self.eat('<') { self.list('>', depth)? } else { Vec::new() };
                Shape::Named(path.to_owned(), args)
            }
        })
    }

    fn list(&mut self, end: char, depth: usize) -> Result<Vec<Shape>, String> {
        let mut parts = Vec::new();
        while !self.eat(end) {
            parts.push(self.shape(depth + 1)?);
            if !self.eat(',') && !self.rest.trim_start().starts_with(end) {
                return Err(format!("`,` or `{end}` expected before `{}`", self.rest));
            }
        }
        Ok(parts)
    }

    fn number(&mut self) -> Option<usize> {
        let before = self.rest;
        let digits = self.take_while(|c| c.is_ascii_digit());
        if digits.is_empty() {
            self.rest = before;
        }
        digits.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_models_write() {
        assert_eq!(Shape::parse("self"), Ok(Shape::Own));
        assert_eq!(Shape::parse("ref inner 1"), Ok(Shape::Ref(Box::new(Shape::Inner(Some(1))))));
        assert_eq!(
            Shape::parse("(a::B<output 0>, _)"),
            Ok(Shape::Tuple(vec![Shape::Named("a::B".to_owned(), vec![Shape::Output(0)]), Shape::Unknown]))
        );
        assert_eq!(Shape::parse("()"), Ok(Shape::Tuple(Vec::new())));
    }

    #[test]
    fn says_what_is_wrong() {
        for wrong in ["", "arg", "a::B<", "(a b)", "self self", "ref"] {
            assert!(Shape::parse(wrong).is_err(), "{wrong}");
        }
    }
}
