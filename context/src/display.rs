//! Prints the chain of a context, from its root: `context.Background.WithCancel.WithValue(UserId)`.

use std::fmt;
use std::time::Instant;

use crate::Context;
use crate::context::Repr;
use crate::key::write_short_type_name;
use crate::node::Own;
use crate::timer;
use crate::view::Kind;

/// Owners that are printed in full. A context may own another that owns a third twice, and so on:
/// without a bound the text could double with each level.
const MAX_OWNERS: usize = 16;

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A stack of what is still to print, so that chains and owners of any depth need no
        // recursion.
        let mut todo = vec![Step::Chain(self)];
        let mut owners = 0;
        while let Some(step) = todo.pop() {
            match step {
                Step::Text(text) => f.write_str(text)?,
                Step::Node(ctx) => write_node(ctx, f, &mut todo)?,
                Step::Owner(_) if owners >= MAX_OWNERS => f.write_str("...")?,
                Step::Owner(ctx) => {
                    owners += 1;
                    todo.push(Step::Chain(ctx));
                }
                Step::Chain(ctx) => {
                    let mut next = Some(ctx);
                    while let Some(ctx) = next {
                        todo.push(Step::Node(ctx));
                        next = ctx.parent();
                    }
                }
            }
        }
        Ok(())
    }
}

enum Step<'a> {
    Chain(&'a Context),
    /// A chain inside of another.
    Owner(&'a Context),
    Node(&'a Context),
    Text(&'static str),
}

fn write_node<'a>(ctx: &'a Context, f: &mut fmt::Formatter<'_>, todo: &mut Vec<Step<'a>>) -> fmt::Result {
    match ctx.repr() {
        Repr::Background => f.write_str("context.Background"),
        Repr::Todo => f.write_str("context.TODO"),
        Repr::Cancel(node) => match (node.own(), node.deadline()) {
            (Some(Own::Deadline { .. }), Some(at)) => write_deadline(at, f),
            (Some(Own::Merge { other, .. }), _) => write_with_context(".Merge(", other, f, todo),
            #[cfg(feature = "tokio-util")]
            (Some(Own::Source(_)), _) => f.write_str(".WithToken"),
            _ => f.write_str(".WithCancel"),
        },
        Repr::View(view) => match view.kind() {
            Kind::Value(key_type) => {
                f.write_str(".WithValue(")?;
                write_short_type_name(key_type, f)?;
                f.write_str(")")
            }
            Kind::Detached => f.write_str(".WithoutCancel"),
            Kind::Reparented(owner) => write_with_context(".Reparent(", owner, f, todo),
        },
    }
}

fn write_with_context<'a>(
    name: &str,
    ctx: &'a Context,
    f: &mut fmt::Formatter<'_>,
    todo: &mut Vec<Step<'a>>,
) -> fmt::Result {
    f.write_str(name)?;
    todo.push(Step::Text(")"));
    todo.push(Step::Owner(ctx));
    Ok(())
}

fn write_deadline(at: Instant, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let now = timer::now();
    match at.checked_duration_since(now) {
        Some(left) => write!(f, ".WithDeadline(in {:.1}s)", left.as_secs_f64()),
        None => {
            let past = now.saturating_duration_since(at);
            write!(f, ".WithDeadline({:.1}s ago)", past.as_secs_f64())
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Chain<'a>(&'a Context);
        impl fmt::Debug for Chain<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self.0, f)
            }
        }
        f.debug_struct("Context").field("chain", &Chain(self)).field("err", &self.err()).finish()
    }
}
