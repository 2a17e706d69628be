//! Text keys share one name space over all crates of a program.

use context::Context;

mod by_name {
    use context::Context;

    pub(super) fn authenticated(ctx: &Context) -> Context {
        ctx.with_value("user", 7_u64)
    }

    pub(super) fn user(ctx: &Context) -> Option<u64> {
        ctx.value::<u64>(&"user").copied()
    }

    /// Another crate, which knows nothing of the first.
    pub(super) fn connected(ctx: &Context) -> Context {
        ctx.with_value("user", String::from("postgres"))
    }
}

mod by_type {
    use context::Context;

    pub(super) mod auth {
        #[derive(PartialEq, Eq)]
        pub(super) struct User;
    }

    pub(super) mod database {
        #[derive(PartialEq, Eq)]
        pub(super) struct User;
    }

    pub(super) fn authenticated(ctx: &Context) -> Context {
        ctx.with_value(auth::User, 7_u64)
    }

    pub(super) fn user(ctx: &Context) -> Option<u64> {
        ctx.value::<u64>(&auth::User).copied()
    }

    pub(super) fn connected(ctx: &Context) -> Context {
        ctx.with_value(database::User, String::from("postgres"))
    }
}

#[test]
fn one_hides_the_other() {
    let ctx = by_name::authenticated(&Context::background());
    assert_eq!(by_name::user(&ctx), Some(7));
    assert_eq!(by_name::user(&by_name::connected(&ctx)), None);
}

#[test]
fn a_typing_mistake_compiles() {
    let ctx = Context::background().with_value("tenant", 3_u64);
    assert_eq!(ctx.value::<u64>(&"tennant"), None);
}

#[test]
fn types_of_the_same_name_do_not_meet() {
    let ctx = by_type::authenticated(&Context::background());
    assert_eq!(by_type::user(&by_type::connected(&ctx)), Some(7));
}
