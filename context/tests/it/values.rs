//! Values.

use context::Context;

use crate::support::{HOUR, Rng};

#[derive(Debug, PartialEq, Eq)]
struct KeyA(u32);
#[derive(Debug, PartialEq, Eq)]
struct KeyB(u32);

// G11, G43
#[test]
fn look_ups_distinguish_types_and_values_of_keys() {
    let c1 = Context::background().with_value(KeyA(1), "c1k1");
    assert_eq!(c1.value::<&str>(&KeyA(1)), Some(&"c1k1"));
    assert_eq!(c1.value::<&str>(&KeyB(1)), None);
    assert_eq!(c1.value::<&str>(&KeyA(2)), None);
    let c2 = c1.with_value(KeyB(1), "c2k2");
    let c3 = c2.with_value(KeyA(3), String::from("c3k3"));
    assert_eq!(c3.value::<&str>(&KeyA(1)), Some(&"c1k1"));
    assert_eq!(c3.value::<&str>(&KeyB(1)), Some(&"c2k2"));
    assert_eq!(c3.value::<String>(&KeyA(3)).map(String::as_str), Some("c3k3"));
    assert_eq!(c1.value::<&str>(&KeyB(1)), None);
    assert_eq!(Context::background().value::<&str>(&KeyA(1)), None);
}

#[test]
fn an_equal_key_hides_an_older_value_of_any_type() {
    let old = Context::background().with_value(KeyA(1), 1_i32);
    let same_type = old.with_value(KeyA(1), 2_i32);
    assert_eq!(same_type.value::<i32>(&KeyA(1)), Some(&2));
    let other_type = old.with_value(KeyA(1), "text");
    assert_eq!(other_type.value::<i32>(&KeyA(1)), None);
    assert_eq!(other_type.value::<&str>(&KeyA(1)), Some(&"text"));
    let none = old.with_value(KeyA(1), None::<i32>);
    assert_eq!(none.value::<i32>(&KeyA(1)), None);
    assert_eq!(old.value::<i32>(&KeyA(1)), Some(&1));
}

#[test]
fn values_pass_through_every_kind_of_node() {
    let (owner, _h) = Context::background().with_value(KeyB(1), "owner's").with_cancel();
    let ctx = Context::todo().with_value(KeyA(1), 42_u8);
    let (ctx, _h) = ctx.with_cancel();
    let (ctx, _h) = ctx.with_timeout(HOUR);
    let (ctx, _h) = ctx.merge(&owner);
    let ctx = ctx.without_cancel().reparent(&owner).with_value("other", 0);
    assert_eq!(ctx.value::<u8>(&KeyA(1)), Some(&42));
    assert_eq!(ctx.value::<&str>(&KeyB(1)), None, "owners give no values");
}

#[test]
fn string_keys_are_found_by_their_text() {
    let name = String::from("user");
    let ctx = Context::background().with_value("user", 1).with_value(name.clone(), 2);
    assert_eq!(ctx.value::<i32>(&"user"), Some(&1));
    assert_eq!(ctx.value::<i32>(&name), Some(&2));
}

#[test]
fn more_key_types_than_the_filter_has_bits() {
    macro_rules! keys {
        ($($n:literal)*) => {{
            #[derive(PartialEq, Eq)]
            struct K<const N: usize>;
            let mut ctx = Context::background();
            $( assert_eq!(ctx.value::<usize>(&K::<$n>), None); ctx = ctx.with_value(K::<$n>, $n as usize); )*
            $( assert_eq!(ctx.value::<usize>(&K::<$n>), Some(&$n)); )*
        }};
    }
    keys!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34
          35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66
          67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98);
}

// G15, G16
#[test]
fn random_layers_keep_values_and_pass_cancellation_on() {
    for seed in 1..200 {
        let mut rng = Rng(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let mut ctx = Context::background();
        let (mut handles, mut values) = (Vec::new(), Vec::new());
        for layer in 0..30 + rng.below(20) {
            match rng.below(3) {
                0 => {
                    ctx = ctx.with_value(layer, layer * 10);
                    values.push(layer);
                }
                kind => {
                    let (next, handle) = if kind == 1 { ctx.with_cancel() } else { ctx.with_timeout(HOUR) };
                    ctx = next;
                    handles.push(handle);
                }
            }
        }
        let check = || values.iter().all(|key| ctx.value::<usize>(key) == Some(&(key * 10)));
        assert!(check() && !ctx.is_done(), "seed {seed}");
        if !handles.is_empty() {
            let which = rng.below(handles.len());
            handles[which].cancel();
            assert!(ctx.is_done(), "seed {seed}");
        }
        assert!(check(), "seed {seed}");
        assert!(ctx.to_string().starts_with("context.Background."));
    }
}
