//! Keys of built-in types share one name space over all crates of a program.

use context::Context;

#[derive(PartialEq, Eq)]
struct Session(u32);

#[derive(PartialEq, Eq)]
struct Shard(u32);

#[test]
fn one_number_hides_the_other() {
    let session = Context::background().with_value(7_u32, "session");
    let shard = session.with_value(7_u32, 12_u64);
    assert_eq!(session.value::<&str>(&7_u32), Some(&"session"));
    assert_eq!(shard.value::<&str>(&7_u32), None);
}

#[test]
fn there_is_only_one_unit() {
    let ctx = Context::background().with_value((), "first").with_value((), 2_u64);
    assert_eq!(ctx.value::<&str>(&()), None);
}

#[test]
fn types_keep_them_apart() {
    let ctx = Context::background().with_value(Session(7), "session").with_value(Shard(7), 12_u64);
    assert_eq!(ctx.value::<&str>(&Session(7)), Some(&"session"));
    assert_eq!(ctx.value::<u64>(&Shard(7)), Some(&12));
}
