use std::any::Any;
use std::fmt;

/// A key of a value in a context: any comparable type that can cross threads.
///
/// Implemented for every such type, so there is nothing to write. Give each value a type of its
/// own as key: two packages that use the same string collide, two packages' types never do.
///
/// ```
/// use context::Context;
///
/// #[derive(PartialEq, Eq)]
/// struct RequestId;
///
/// let ctx = Context::background().with_value(RequestId, 42_u64);
/// assert_eq!(ctx.value::<u64>(&RequestId), Some(&42));
/// ```
///
/// What cannot be compared is no key:
///
/// ```compile_fail,E0277
/// context::background().with_value(1.5_f64, "value");
/// ```
pub trait Key: Any + Eq + Send + Sync {}

impl<K: Any + Eq + Send + Sync> Key for K {}

/// The name of a type without its module paths: `alloc::vec::Vec<my::Id>` is `Vec<Id>`.
pub(crate) fn write_short_type_name(name: &str, f: &mut dyn fmt::Write) -> fmt::Result {
    let mut rest = name;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !is_path_char(c)).unwrap_or(rest.len());
        let (path, tail) = rest.split_at(end);
        f.write_str(path.rsplit("::").next().unwrap_or(path))?;
        let mut chars = tail.chars();
        if let Some(punctuation) = chars.next() {
            f.write_char(punctuation)?;
        }
        rest = chars.as_str();
    }
    Ok(())
}

fn is_path_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | ':' | '{' | '}')
}

#[cfg(test)]
mod tests {
    use super::write_short_type_name;

    #[test]
    fn short_names() {
        for (long, short) in [
            ("my::module::RequestId", "RequestId"),
            ("u32", "u32"),
            ("&str", "&str"),
            ("alloc::vec::Vec<(a::B, [c::D; 3])>", "Vec<(B, [D; 3])>"),
            ("&mut dyn core::any::Any", "&mut dyn Any"),
            ("f::g::{{closure}}::Inner<h::{{closure}}>", "Inner<{{closure}}>"),
            ("", ""),
        ] {
            let mut out = String::new();
            write_short_type_name(long, &mut out).unwrap();
            assert_eq!(out, short, "{long}");
        }
    }
}
