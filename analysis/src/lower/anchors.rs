//! Where the nodes of the syntax tree begin and end, for directives in comments.

use crate::facts::Span;

/// Notes of the lowering for the placing of directives.
#[derive(Default)]
pub(crate) struct Anchors {
    wanted: bool,
    /// Items, statements, arms, fields, parameters, expressions and links of method chains.
    nodes: Vec<Span>,
    /// Attributes in the form of a directive, with the node each belongs to; none for the file.
    pub(crate) attributes: Vec<(Span, Option<Span>)>,
}

impl Anchors {
    /// `wanted`: there are directives, so it pays to take notes.
    pub(crate) fn new(wanted: bool) -> Anchors {
        Anchors { wanted, ..Anchors::default() }
    }

    /// Whether anybody will ask.
    pub(crate) fn wanted(&self) -> bool {
        self.wanted
    }

    /// Notes a node.
    pub(crate) fn add(&mut self, node: Span) {
        if self.wanted {
            self.nodes.push(node);
        }
    }

    /// Notes a directive in attribute form.
    pub(crate) fn attribute(&mut self, attr: Span, node: Option<Span>) {
        if self.wanted {
            self.attributes.push((attr, node));
        }
    }

    /// Orders the notes; to be called once before `outermost_at`.
    pub(crate) fn sort(&mut self) {
        // The longest of those with the same start comes first.
        self.nodes.sort_unstable_by_key(|node| (node.start, u32::MAX - node.end));
    }

    /// The longest node that starts at this byte.
    pub(crate) fn outermost_at(&self, start: u32) -> Option<Span> {
        let at = self.nodes.partition_point(|node| node.start < start);
        self.nodes.get(at).copied().filter(|node| node.start == start)
    }
}
