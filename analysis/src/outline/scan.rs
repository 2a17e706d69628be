//! From tokens to an outline: one way through the items, brackets jumped over where possible.

use std::cell::Cell;
use std::ops::Range;

use super::tokens::{self, Token};
use super::{
    Body, CALLED_MACRO, Container, Declaration, End, FUNCTION, Field, Import, Kind, MEMBER, NAME, Outline, Spelling,
    Word, Words,
};
use crate::facts::Span;

/// Paths that begin with these lead to no context.
const STANDARD: [&str; 3] = ["std", "core", "alloc"];

/// The traits of functions.
const FUNCTIONS: [&str; 6] = ["Fn", "FnMut", "FnOnce", "AsyncFn", "AsyncFnMut", "AsyncFnOnce"];

/// What else in a parameter's type says that work is given.
const FUTURES: [&str; 5] = ["Future", "IntoFuture", "BoxFuture", "LocalBoxFuture", "Stream"];

/// Traits of the standard library and its like whose methods everybody calls: such a name says
/// nothing, and who calls one on purpose names the type.
const USUAL: [&str; 50] = [
    "Add",
    "AsMut",
    "AsRef",
    "AsyncRead",
    "AsyncWrite",
    "Borrow",
    "BorrowMut",
    "Clone",
    "Debug",
    "Default",
    "Deref",
    "DerefMut",
    "Deserialize",
    "Display",
    "Div",
    "DoubleEndedIterator",
    "Drop",
    "Eq",
    "Error",
    "ExactSizeIterator",
    "Extend",
    "From",
    "FromIterator",
    "FromStr",
    "Future",
    "Hash",
    "Hasher",
    "Index",
    "IndexMut",
    "Into",
    "IntoIterator",
    "Iterator",
    "Mul",
    "Neg",
    "Not",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Read",
    "Seek",
    "Serialize",
    "Sink",
    "Stream",
    "Sub",
    "ToOwned",
    "ToString",
    "TryFrom",
    "TryInto",
    "Write",
    "Zeroize",
];

/// Functions that end the process.
const EXITS: [&str; 2] = ["exit", "abort"];

/// What does not come back, or may not.
const DIVERGES: [&str; 5] = ["panic", "unreachable", "todo", "unimplemented", "loop"];

/// How deep modules, impls and `use` groups are followed into each other.
const DEEPEST: usize = 64;

/// How many words are remembered at a time, so that they are kept once.
const RECENT: usize = 1024;

/// How the names above are spelled.
struct Spellings {
    standard: [Spelling; STANDARD.len()],
    functions: [Spelling; FUNCTIONS.len()],
    futures: [Spelling; FUTURES.len()],
    exits: [Spelling; EXITS.len()],
    diverges: [Spelling; DIVERGES.len()],
}

/// Room that a thread has for outlines, one after the other.
#[derive(Default)]
struct Room {
    tokens: Vec<Token>,
    open: Vec<usize>,
    scratch: Vec<Word>,
    words: Vec<Word>,
    /// By the last digits of a word, which was kept last, and at which turn.
    recent: Vec<(Word, u32)>,
    /// How many times words were kept.
    kept: u32,
}

thread_local! {
    static ROOM: Cell<Room> = Cell::default();
}

pub(super) fn scan(source: &str) -> Outline {
    let mut room = ROOM.take();
    tokens::tokens(source, &mut room.tokens, &mut room.open);
    room.recent.resize(RECENT, (Word(0), 0));
    let tokens = std::mem::take(&mut room.tokens);
    let mut scan = Scan {
        source,
        tokens: &tokens,
        in_macro: false,
        outline: Outline::default(),
        room,
        spellings: Spellings::new(),
    };
    scan.items(0..tokens.len(), None, DEEPEST);
    let Scan { mut outline, mut room, .. } = scan;
    outline.words = room.words.as_slice().into();
    room.words.clear();
    room.tokens = tokens;
    ROOM.set(room);
    outline
}

struct Scan<'t> {
    source: &'t str,
    tokens: &'t [Token],
    /// Within the tokens of a macro call.
    in_macro: bool,
    outline: Outline,
    room: Room,
    spellings: Spellings,
}

impl<'t> Scan<'t> {
    fn text(&self, at: usize) -> &'t str {
        self.tokens.get(at).map_or("", |token| token.text(self.source))
    }

    /// The punctuation character that a token is.
    fn mark(&self, at: usize) -> u8 {
        self.tokens.get(at).map_or(0, |token| token.mark)
    }

    fn is_name(&self, at: usize) -> bool {
        self.mark(at) == tokens::NAME
    }

    /// The names of a range and where they are.
    fn names(&self, range: Range<usize>) -> impl Iterator<Item = (usize, Spelling)> + use<'t> {
        let tokens = self.tokens.get(range.clone()).unwrap_or_default();
        range.zip(tokens).filter_map(|(at, token)| Some((at, token.spelling()?)))
    }

    /// The index of the bracket that closes the one at `at`.
    fn close(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(at, |token| token.close().max(at))
    }

    /// One past what stands at `at`: a bracket with all within it, or a token.
    fn past(&self, at: usize) -> usize {
        if matches!(self.mark(at), b'{' | b'(' | b'[') { self.close(at) + 1 } else { at + 1 }
    }

    fn items(&mut self, range: Range<usize>, container: Option<usize>, fuel: usize) {
        let Some(fuel) = fuel.checked_sub(1) else { return };
        let mut at = range.start;
        // Where the item begins, with its attributes.
        let mut start = at;
        while at < range.end {
            let next = match self.mark(at) {
                tokens::NAME => self.item(at, start, container, fuel),
                b'!' if self.is_name(at.wrapping_sub(1)) => self.macro_call(at, fuel),
                b'#' if self.mark(at + 1) == b'!' => self.past(at + 2),
                b'#' if self.text(at + 2) == "path" => {
                    self.outline.has_path_attribute = true;
                    at + 1
                }
                _ => self.past(at),
            };
            let is_done = match self.mark(at) {
                tokens::NAME => next > at + 1,
                mark => !matches!(mark, b'(' | b'[') && (mark != b'#' || next > at + 1),
            };
            at = next.max(at + 1);
            if is_done {
                start = at;
            }
        }
    }

    /// What begins with a name; one past it. The attributes of what is an item begin at `start`.
    fn item(&mut self, at: usize, start: usize, container: Option<usize>, fuel: usize) -> usize {
        match self.text(at) {
            "fn" if self.is_name(at + 1) => self.function(at, start, container),
            "struct" | "enum" | "union" if self.is_name(at + 1) => self.ty(at),
            "type" if self.is_name(at + 1) => self.alias(at, container),
            "const" | "static" if self.value_name(at).is_some() => self.value(at, container),
            "use" => self.import(at),
            "mod" if self.mark(at + 2) == b'{' => {
                self.items(at + 3..self.close(at + 2), None, fuel);
                self.close(at + 2) + 1
            }
            "impl" | "trait" => self.members(at, fuel),
            "macro_rules" => self.macro_rules(at),
            _ => at + 1,
        }
    }

    /// `const N`, `static mut N`; not `const fn`.
    fn value_name(&self, at: usize) -> Option<&'t str> {
        // `static ref` is what `lazy_static!` reads.
        let name = if matches!(self.text(at + 1), "mut" | "ref") { at + 2 } else { at + 1 };
        (self.is_name(name) && self.mark(name + 1) == b':').then(|| self.text(name))
    }

    /// The brace that opens what an item has in it, or what else ends its head. In angle brackets braces stand round
    /// an argument.
    fn head_end(&self, at: usize) -> usize {
        self.outside_angles(at..self.tokens.len(), b"{")
    }

    /// The first token of a range that is one of these outside of all brackets, or that ends an item.
    fn outside_angles(&self, range: Range<usize>, ends: &[u8]) -> usize {
        let mut at = range.start;
        let mut angles = 0_usize;
        while at < range.end {
            let mark = self.mark(at);
            if matches!(mark, b';' | b'}') || (angles == 0 && ends.contains(&mark)) {
                return at;
            }
            angles = self.angles(at, angles);
            at = self.past(at);
        }
        range.end
    }

    /// How many angle brackets are open behind a token if so many are before it. That of an arrow is none.
    fn angles(&self, at: usize, before: usize) -> usize {
        match self.mark(at) {
            b'<' => before + 1,
            b'>' if self.mark(at.wrapping_sub(1)) != b'-' => before.saturating_sub(1),
            _ => before,
        }
    }

    /// The first token from `at` on that is one of these, brackets jumped over.
    fn until(&self, mut at: usize, ends: &[u8]) -> usize {
        while at < self.tokens.len() && !ends.contains(&self.mark(at)) {
            at = self.past(at);
        }
        at
    }

    fn function(&mut self, at: usize, start: usize, container: Option<usize>) -> usize {
        let head_end = self.head_end(at + 2);
        let params = self.outside_angles(at + 2..self.tokens.len(), b"({");
        let result = self.close(params) + 1;
        let head = at + 2..head_end;
        let has_self = (params..self.close(params)).take(6).any(|at| self.text(at) == "self");
        let never = self.mark(result) == b'-' && self.mark(result + 2) == b'!';
        let next = if self.mark(head_end) == b'{' { self.close(head_end) + 1 } else { head_end + 1 };
        let body = (self.mark(head_end) == b'{').then(|| self.body(head_end, never));
        let name = self.text(at + 1);
        let of_trait = container.and_then(|at| self.outline.containers.get(at)).is_some_and(Container::is_of_trait);
        let whole = body.and_then(|body| body.span).filter(|_| !of_trait).and_then(|span| {
            let before = self.tokens.get(start.checked_sub(1)?)?;
            Some(Span::new(before.end, span.end + 1))
        });
        let declaration = Declaration {
            kind: Kind::Function,
            uses: Some(self.use_of_function(name, container, has_self)),
            name: Some(if container.is_some() { Word::member(name) } else { Word::name(name) }),
            whole,
            container,
            has_self,
            takes_work: self.takes_work(head.clone()) || self.is_generic(at + 2),
            fields: Vec::new(),
            gives: self.kept(|scan, into| {
                scan.collect(result..head_end, into);
                scan.handed(head.clone(), into);
            }),
            words: self.words(head),
            body,
        };
        self.outline.declarations.push(declaration);
        next
    }

    fn use_of_function(&self, name: &str, container: Option<usize>, has_self: bool) -> Word {
        match container.and_then(|at| self.outline.containers.get(at)) {
            None => Word::function(name),
            Some(Container { is_trait: false, name: Some(of), is_usual, .. }) if *is_usual || !has_self => *of,
            Some(_) => Word::member(name),
        }
    }

    /// What callers get otherwise than as the result: arguments of their closures, and what is
    /// written through `&mut`.
    fn handed(&self, head: Range<usize>, into: &mut Vec<Word>) {
        for (at, name) in self.names(head) {
            let is_function = || self.text(at) == "fn" || self.spellings.functions.contains(&name);
            let is_lent = || self.text(at) == "mut" && self.text(at + 1) != "self";
            if self.mark(at + 1) == b'(' && is_function() {
                self.collect(at + 1..self.close(at + 1), into);
            } else if self.mark(at.wrapping_sub(1)) == b'&' && is_lent() {
                self.collect(at + 1..self.until(at + 1, b",){;"), into);
            }
        }
    }

    /// Whether there are parameters in angle brackets other than lifetimes, which are no tokens here.
    fn is_generic(&self, at: usize) -> bool {
        self.mark(at) == b'<' && self.mark(at + 1) != b'>'
    }

    fn takes_work(&self, head: Range<usize>) -> bool {
        let Spellings { functions, futures, .. } = &self.spellings;
        self.names(head).any(|(_, name)| functions.contains(&name) || futures.contains(&name))
    }

    fn body(&mut self, open: usize, never: bool) -> Body {
        let close = self.close(open);
        let end = self.source.len() as u32;
        let span = Span::new(
            self.tokens.get(open).map_or(end, |token| token.start + 1),
            self.tokens.get(close).filter(|token| token.mark == b'}').map_or(end, |token| token.start),
        );
        let end = self.ends(open + 1..close);
        let end = if never { End::Exits } else { end };
        // To the parser, what stands in a macro's tokens is no body.
        let span = (!self.in_macro).then_some(span);
        Body { span, end, words: self.words(open + 1..close) }
    }

    /// How a body ends.
    fn ends(&self, range: Range<usize>) -> End {
        let mut depth = 0_usize;
        let mut end = End::Returns;
        let tokens = self.tokens.get(range.clone()).unwrap_or_default();
        for (at, token) in range.zip(tokens) {
            match token.mark {
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                tokens::NAME => {
                    let name = token.spelling();
                    let is_one = |of: &[Spelling]| name.is_some_and(|name| of.contains(&name));
                    if depth <= 1 && is_one(&self.spellings.diverges) {
                        end = End::MayDiverge;
                    } else if is_one(&self.spellings.exits) && self.mark(at.wrapping_sub(1)) != b'.' {
                        return End::Exits;
                    }
                }
                _ => {}
            }
        }
        end
    }

    fn ty(&mut self, at: usize) -> usize {
        let end = self.head_end(at + 2);
        let next = self.past(end);
        let fields = if self.text(at) == "struct" && self.mark(end) == b'{' { self.fields(end) } else { Vec::new() };
        self.declare(Kind::Type, Some(Word::name(self.text(at + 1))), None, at + 2..next);
        if let Some(declared) = self.outline.declarations.last_mut().filter(|_| fields.len() > 1) {
            declared.fields = fields;
        }
        next
    }

    /// The named fields between braces.
    fn fields(&mut self, open: usize) -> Vec<Field> {
        let close = self.close(open);
        let mut starts = Vec::new();
        let mut at = open + 1;
        while at < close {
            let is_field = self.is_name(at)
                && self.mark(at + 1) == b':'
                && self.mark(at + 2) != b':'
                && self.mark(at.wrapping_sub(1)) != b':';
            if is_field {
                starts.push(at);
            }
            at = self.past(at);
        }
        let ends = starts.iter().skip(1).copied().chain([close]).collect::<Vec<_>>();
        let field = |(&at, end): (&usize, usize)| {
            let name = self.text(at);
            Field { member: Word::member(name), name: Word::name(name), words: self.words(at + 1..end) }
        };
        starts.iter().zip(ends).map(field).collect()
    }

    /// An impl's associated type says something of the type the impl is for.
    fn alias(&mut self, at: usize, container: Option<usize>) -> usize {
        let end = self.until(at + 2, b";}");
        let of_impl = container.and_then(|at| self.outline.containers.get(at)).filter(|container| !container.is_trait);
        let name = of_impl.map_or(Some(Word::name(self.text(at + 1))), |container| container.name);
        self.declare(Kind::Alias, name, container, at + 2..end);
        end + 1
    }

    fn value(&mut self, at: usize, container: Option<usize>) -> usize {
        let end = self.until(at + 2, b";}");
        let name = self.value_name(at).filter(|name| *name != "_");
        self.declare(Kind::Value, name.map(Word::name), container, at + 2..end);
        end + 1
    }

    fn macro_rules(&mut self, at: usize) -> usize {
        let body = self.until(at + 2, b"{([");
        let name = Word::called_macro(self.text(at + 2));
        self.declare(Kind::Macro, Some(name), None, body..self.close(body));
        self.close(body) + 1
    }

    /// A macro in place of an item: mostly it declares what stands in it, under a condition.
    fn macro_call(&mut self, at: usize, fuel: usize) -> usize {
        if !matches!(self.mark(at + 1), b'{' | b'(' | b'[') {
            return at + 1;
        }
        let close = self.close(at + 1);
        let outer = std::mem::replace(&mut self.in_macro, true);
        self.items(at + 2..close, None, fuel);
        self.in_macro = outer;
        close + 1
    }

    fn members(&mut self, at: usize, fuel: usize) -> usize {
        let open = self.head_end(at + 1);
        if self.mark(open) != b'{' {
            return open + 1;
        }
        let is_trait = self.text(at) == "trait";
        let header = at + 1..open;
        let (of, subject) = if is_trait { (None, Some(self.text(at + 1))) } else { self.subject(header.clone()) };
        let container = Container {
            name: subject.map(Word::name),
            is_trait,
            implements: of.is_some(),
            is_usual: of.is_some_and(|of| USUAL.contains(&of)),
            takes_work: self.takes_work(header.clone()),
            words: self.words(header),
        };
        self.outline.containers.push(container);
        self.items(open + 1..self.close(open), Some(self.outline.containers.len() - 1), fuel);
        self.close(open) + 1
    }

    /// The names of the trait and of the type an impl is for: the last ones outside of angle brackets.
    fn subject(&self, header: Range<usize>) -> (Option<&'t str>, Option<&'t str>) {
        let mut angles = 0_usize;
        let (mut of, mut found) = (None, None);
        for at in header {
            match self.mark(at) {
                tokens::NAME => match self.text(at) {
                    "where" => break,
                    "for" if angles == 0 => of = found.take(),
                    name if angles == 0 => found = Some(name),
                    _ => {}
                },
                _ => angles = self.angles(at, angles),
            }
        }
        (of, found)
    }

    fn import(&mut self, at: usize) -> usize {
        let end = self.until(at + 1, b";}");
        self.tree(at + 1..end, None, DEEPEST);
        end + 1
    }

    /// One tree of a `use`, or several with commas between; `root` is the first segment of their paths.
    fn tree(&mut self, range: Range<usize>, root: Option<&'t str>, fuel: usize) {
        let Some(fuel) = fuel.checked_sub(1) else { return };
        let (mut first, mut last, mut alias) = (root, None, None);
        let mut at = range.start;
        while at <= range.end {
            match self.mark(at) {
                _ if at == range.end => self.leaf(first, last, alias),
                b',' => {
                    self.leaf(first, last, alias);
                    (first, last, alias) = (root, None, None);
                }
                b'{' => {
                    self.tree(at + 1..self.close(at), first, fuel);
                    last = None;
                    at = self.close(at);
                }
                tokens::NAME if self.text(at) == "as" => {
                    alias = Some(self.text(at + 1));
                    at += 1;
                }
                tokens::NAME => {
                    first = first.or(Some(self.text(at)));
                    last = Some(self.text(at));
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn leaf(&mut self, root: Option<&str>, last: Option<&str>, alias: Option<&str>) {
        if let (Some(root), Some(last)) = (root, last) {
            let name = Word::name(alias.unwrap_or(last));
            self.outline.imports.push(Import { name, of: Word::name(last), root: Word::name(root) });
        }
    }

    fn declare(&mut self, kind: Kind, uses: Option<Word>, container: Option<usize>, range: Range<usize>) {
        let words = self.words(range);
        self.outline.declarations.push(Declaration {
            kind,
            uses,
            name: None,
            whole: None,
            container,
            has_self: false,
            takes_work: false,
            words,
            fields: Vec::new(),
            gives: Words::default(),
            body: None,
        });
    }

    fn words(&mut self, range: Range<usize>) -> Words {
        self.kept(|scan, into| scan.collect(range, into))
    }

    /// Keeps the words that are found.
    fn kept(&mut self, find: impl FnOnce(&Self, &mut Vec<Word>)) -> Words {
        let mut words = std::mem::take(&mut self.room.scratch);
        find(self, &mut words);
        let kept = self.keep(&words);
        words.clear();
        self.room.scratch = words;
        kept
    }

    /// The words of a range; types named by a path into the standard library are left out.
    fn collect(&self, range: Range<usize>, into: &mut Vec<Word>) {
        let mut standard = false;
        for (at, name) in self.names(range) {
            let (before, after) = (self.mark(at.wrapping_sub(1)), self.mark(at + 1));
            let behind_colons = before == b':' && self.mark(at.wrapping_sub(2)) == b':';
            standard = if behind_colons { standard } else { self.spellings.standard.contains(&name) };
            if standard && self.text(at).starts_with(char::is_uppercase) {
                continue;
            }
            into.push(name.as_kind(NAME));
            if behind_colons || before == b'.' {
                into.push(name.as_kind(MEMBER));
            }
            let is_argument = matches!(before, b'(' | b',') && matches!(after, b')' | b',');
            if before != b'.' && (behind_colons || is_argument || matches!(after, b'(' | b':')) {
                into.push(name.as_kind(FUNCTION));
            }
            if after == b'!' {
                into.push(name.as_kind(CALLED_MACRO));
            }
        }
    }

    /// Keeps words together, most of them once.
    fn keep(&mut self, words: &[Word]) -> Words {
        let Room { words: kept, recent, kept: turn, .. } = &mut self.room;
        let from = kept.len() as u32;
        *turn = turn.wrapping_add(1);
        if *turn == 0 {
            recent.fill((Word(0), 0));
        }
        for word in words {
            let slot = recent.get_mut(word.0 as usize % RECENT);
            let is_new = slot.is_none_or(|slot| std::mem::replace(slot, (*word, *turn)) != (*word, *turn));
            if is_new {
                kept.push(*word);
            }
        }
        Words { from, to: kept.len() as u32 }
    }
}

impl Spellings {
    fn new() -> Spellings {
        Spellings {
            standard: STANDARD.map(Spelling::of),
            functions: FUNCTIONS.map(Spelling::of),
            futures: FUTURES.map(Spelling::of),
            exits: EXITS.map(Spelling::of),
            diverges: DIVERGES.map(Spelling::of),
        }
    }
}
