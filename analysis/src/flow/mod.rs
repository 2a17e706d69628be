//! The flow of contexts, handles and tasks through one body.
//!
//! One forward analysis: `run` takes worlds (`world`) through the blocks of a body, from what it is given
//! (`entry`), by what is asked there (`branches`). `ops` says what an operation does, `drops` what goes away and
//! `escapes` what goes out of sight with it; `calls` and `roles` what functions do, `making` which contexts they
//! make, `copying` what they give back, `started` which work of theirs they start, `driving` what happens where work
//! is run, `gives` what it gives that runs other work, `races` what follows where the first of several pieces
//! decides, `plain` what they do with plain values, `contents` with collections, `channels` with channels,
//! `requests` what they take out of a request, `derefs` what types of the program's own stand for. What a local can
//! hold is in `value`, with the contexts in `contexts` and what is owned in `objects`; what is done with
//! that is in `uses`, what rules are told in `events`; `fields` tells which fields anybody uses, `kept`
//! which tokens are kept in fields.

mod behind;
mod branches;
mod calls;
mod channels;
mod conditions;
pub mod constants;
mod contents;
mod contexts;
mod copying;
mod derefs;
mod driving;
mod drops;
mod entry;
mod escapes;
pub mod events;
mod fields;
pub mod gives;
pub mod kept;
mod making;
mod map;
mod objects;
mod ops;
mod plain;
mod races;
mod requests;
mod roles;
mod run;
mod started;
mod tasks;
mod uses;
pub mod value;
mod world;

pub(crate) use fields::FieldName;
pub(crate) use run::has_context;
pub use run::run;
pub use world::{TaskState, Use};
