//! The one list of the models that are compiled in.

macro_rules! models {
    ($($name:literal),* $(,)?) => {
        /// Name and text of each.
        pub(super) const MODELS: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../models/", $name, ".toml")))),*
        ];
    };
}

models! {
    "context",
    "std",
    "tokio",
    "http",
    "axum",
}
