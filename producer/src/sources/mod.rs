//! Where messages come from; each source hands its bodies to `trigger`.

pub mod devices;
pub mod fake;
