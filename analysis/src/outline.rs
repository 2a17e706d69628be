//! What a file declares and which words each declaration uses, told from its tokens alone.
//!
//! An outline costs a small part of parsing. [`select`](crate::select) reads the outlines of a whole
//! workspace to find out which files, and which bodies in them, can matter; only those are parsed.
//! So an outline need not be exact, but must err to one side: a word that it reports in vain only
//! costs time.

mod scan;
pub(crate) mod tokens;

use crate::facts::Span;

/// A word of the source, as a hash: two that collide are both taken for what either is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(u32);

/// What tells words of the same name apart.
const NAME: u8 = b'n';
const MEMBER: u8 = b'.';
const FUNCTION: u8 = b'(';
const CALLED_MACRO: u8 = b'!';

impl Word {
    /// A name, without `r#`.
    pub fn name(name: &str) -> Word {
        Word::of(NAME, name)
    }

    /// A name behind a point or a double colon.
    pub fn member(name: &str) -> Word {
        Word::of(MEMBER, name)
    }

    /// A name that is called, stands behind a double colon, or is an argument.
    pub fn function(name: &str) -> Word {
        Word::of(FUNCTION, name)
    }

    /// A macro's name where it is called.
    pub fn called_macro(name: &str) -> Word {
        Word::of(CALLED_MACRO, name)
    }

    fn of(kind: u8, name: &str) -> Word {
        Spelling::of(name).as_kind(kind)
    }
}

/// The hash of a name, from which its words are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spelling(u32);

impl Spelling {
    fn of(name: &str) -> Spelling {
        Spelling::of_bytes(name.as_bytes())
    }

    fn of_bytes(name: &[u8]) -> Spelling {
        let (parts, last) = name.as_chunks::<8>();
        let hash = parts.iter().fold(0, |hash, part| Spelling::add(hash, u64::from_le_bytes(*part)));
        Spelling((Spelling::add(hash, tokens::padded(last)) >> 32) as u32)
    }

    /// The hash with eight more bytes, fewer at the end (as in Firefox's hash, which the compiler took over).
    fn add(hash: u64, part: u64) -> u64 {
        (hash.rotate_left(5) ^ part).wrapping_mul(0x517c_c1b7_2722_0a95)
    }

    fn as_kind(self, kind: u8) -> Word {
        Word((Spelling::add(u64::from(kind), u64::from(self.0)) >> 32) as u32)
    }
}

/// An outline of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// In source order; those within function bodies count as part of them.
    pub declarations: Vec<Declaration>,
    /// The impls and traits that declarations are members of.
    pub containers: Vec<Container>,
    /// What `use` brings in: the name here, the name there, and the first segment of the path.
    pub imports: Vec<Import>,
    /// Some module's file is where an attribute says.
    pub has_path_attribute: bool,
    words: Vec<Word>,
}

/// A name that a `use` brings in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Import {
    /// What it is called here.
    pub name: Word,
    /// What it is called where it comes from.
    pub of: Word,
    /// The first segment of its path.
    pub root: Word,
}

/// The header of an impl or trait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The type an impl is for; a trait's own name.
    pub name: Option<Word>,
    /// Whether it is a trait.
    pub is_trait: bool,
    /// Whether it implements a trait of the standard library or its like.
    pub is_usual: bool,
    words: Words,
    /// It has parameters that are functions or futures.
    pub takes_work: bool,
    /// It implements a trait.
    pub implements: bool,
}

impl Container {
    /// Whether its members are called by the name of a trait.
    pub fn is_of_trait(&self) -> bool {
        self.is_trait || self.implements
    }
}

/// What is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// What kind of thing it is.
    pub kind: Kind,
    /// The word by which code elsewhere uses it. For an associated function without `self`, or of a
    /// usual trait, that is the name of the type: the function's own, `new` or `clone`, says nothing.
    pub uses: Option<Word>,
    /// Functions: the word by which code elsewhere names this very one, if not only this.
    pub name: Option<Word>,
    /// Functions with a body, unless a trait wants them: all of it, from the end of what stands before it to its closing
    /// brace.
    pub whole: Option<Span>,
    /// An index into [`Outline::containers`].
    pub container: Option<usize>,
    /// Functions: there is a `self` parameter.
    pub has_self: bool,
    /// Functions: it takes functions, futures, or anything that may be one.
    pub takes_work: bool,
    /// What it says, a function's body left out.
    words: Words,
    /// Structs with several named fields.
    fields: Vec<Field>,
    /// Functions: what it gives its callers, as results or as arguments of their closures.
    gives: Words,
    /// Functions with a body.
    pub body: Option<Body>,
}

/// A named field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// How code uses it of a value.
    pub member: Word,
    /// How it stands in a pattern.
    pub name: Word,
    words: Words,
}

/// What kind of thing is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A struct, enum or union.
    Type,
    /// Another name of a type.
    Alias,
    /// A function or method.
    Function,
    /// A constant or static.
    Value,
    /// `macro_rules!`, or a macro called in place of an item.
    Macro,
}

/// A function's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Body {
    /// What stands between its braces; none for what a macro's tokens look like.
    pub span: Option<Span>,
    /// Whether it comes back.
    pub end: End,
    words: Words,
}

/// Whether a body comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Nothing in it says that it does not.
    Returns,
    /// It panics or loops on its own level, or one below.
    MayDiverge,
    /// It ends the process, or says that it never returns.
    Exits,
}

/// A range of [`Outline::words`], each once or little more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Words {
    from: u32,
    to: u32,
}

/// Whether some code may do anything else with what one of these methods gives than keep it under a name, as
/// `let name = ….method();` does.
pub(crate) fn lets_go(code: &str, is_of_these: impl Fn(Word) -> bool) -> bool {
    let tokens = tokens::of(code);
    let token = |at: usize| tokens.get(at);
    let mark = |at: usize| token(at).map_or(0, |token| token.mark);
    let text = |at: usize| token(at).map_or("", |token| token.text(code));
    let mut binds = false;
    for (at, spelling) in tokens.iter().map(tokens::Token::spelling).enumerate() {
        let Some(spelling) = spelling else {
            binds &= !matches!(mark(at), b';' | b'{' | b'}');
            continue;
        };
        if text(at) == "let" {
            let name = if text(at + 1) == "mut" { at + 2 } else { at + 1 };
            binds = mark(name) == tokens::NAME && text(name) != "_" && matches!(mark(name + 1), b'=' | b':');
        } else if is_of_these(spelling.as_kind(MEMBER)) {
            let ends = mark(at + 1) == b'(' && token(at + 1).is_some_and(|open| mark(open.close() + 1) == b';');
            if !(binds && ends) {
                return true;
            }
        }
    }
    false
}

impl Outline {
    /// Outlines a text. Whatever the text is: what is no Rust has few declarations.
    pub fn of(text: &str) -> Outline {
        scan::scan(text)
    }

    /// The words of a declaration, a function's body left out.
    pub fn words(&self, of: &Declaration) -> &[Word] {
        self.get(of.words)
    }

    /// The fields of a struct that has several with names, each with the words of its type.
    pub fn fields<'o>(&'o self, of: &'o Declaration) -> impl Iterator<Item = (&'o Field, &'o [Word])> + 'o {
        of.fields.iter().map(|field| (field, self.get(field.words)))
    }

    /// The names of the structs, enums and unions it declares.
    pub fn types(&self) -> impl Iterator<Item = Word> {
        self.declarations.iter().filter(|declared| declared.kind == Kind::Type).filter_map(|declared| declared.uses)
    }

    /// What a function gives its callers.
    pub fn gives(&self, of: &Declaration) -> &[Word] {
        self.get(of.gives)
    }

    /// The words of a body.
    pub fn body(&self, of: &Body) -> &[Word] {
        self.get(of.words)
    }

    /// The impl or trait a declaration is a member of, with the words of its header.
    pub fn container(&self, of: &Declaration) -> Option<(&Container, &[Word])> {
        let container = self.containers.get(of.container?)?;
        Some((container, self.get(container.words)))
    }

    fn get(&self, words: Words) -> &[Word] {
        self.words.get(words.from as usize..words.to as usize).unwrap_or_default()
    }
}
