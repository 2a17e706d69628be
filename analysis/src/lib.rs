//! Facts, names, types and flows.
