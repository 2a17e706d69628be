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
    "tokio-util",
    "rayon",
    "futures",
    "http",
    "hyper",
    "tower",
    "axum",
    "tracing",
    "actix-web",
    "async-std",
    "async-trait",
    "compio",
    "crossbeam",
    "dashmap",
    "dropshot",
    "glommio",
    "jsonrpsee",
    "lambda",
    "monoio",
    "opentelemetry",
    "poem",
    "reqwest",
    "rmcp",
    "rocket",
    "salvo",
    "smol",
    "sqlx",
    "tarpc",
    "tokio-context",
    "tokio-uring",
    "tonic",
    "warp",
    "wasm-bindgen-futures",
}
