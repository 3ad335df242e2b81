//! Whatever may arrive from the network, made up; `make fuzz` makes millions of each.

mod bodies;
mod devices;
mod headers;
mod texts;
