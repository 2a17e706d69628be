//! What the models say of libraries.
