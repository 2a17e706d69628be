//! A look-up finds exactly the stored type under exactly the stored type of key.

use context::Context;

#[derive(PartialEq, Eq)]
struct UserName;

fn greet(ctx: &Context) -> String {
    ctx.value::<String>(&UserName).map_or_else(|| "hello stranger".to_owned(), |name| format!("hello {name}"))
}

#[test]
fn a_slice_is_not_found_as_a_string() {
    let ctx = Context::background().with_value(UserName, "ann");
    assert_eq!(greet(&ctx), "hello stranger");
}

#[test]
fn a_string_is() {
    let ctx = Context::background().with_value(UserName, String::from("ann"));
    assert_eq!(greet(&ctx), "hello ann");
}

#[test]
fn an_untyped_number_is_not_found_as_unsigned() {
    let ctx = Context::background().with_value(UserName, 3);
    assert_eq!(ctx.value::<u32>(&UserName), None);
    assert_eq!(ctx.value::<i32>(&UserName), Some(&3));
}

#[test]
fn the_same_text_in_another_type_of_key_is_another_key() {
    let ctx = Context::background().with_value("user", 7_u64);
    assert_eq!(ctx.value::<u64>(&String::from("user")), None);
    assert_eq!(ctx.value::<u64>(&"user"), Some(&7));
}
