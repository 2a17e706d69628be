//! Which functions are handlers.
