//! Readings of devices: which events are some, which only say again what was said, what of them is a start-up snapshot, and how a value went.
//!
//! An event is a reading when its JSON is an object with texts `dev` and `circuit`; a device is known by its source and these two.
//!
//! - A reading that says what the device said last is a **repeat**: it is counted on the event it repeats and on the device, not appended.
//! - One request with readings of several devices, of which at least two and at least half were never seen or say nothing new, is a **snapshot**:
//!   Evok sends the whole state of its devices when it starts, and changes as arrays of the changed ones only. What of a snapshot is appended
//!   is marked, and the first reading of a device raises no alarm: its rank is Low at most. What really changed keeps its rank.

pub mod history;
mod ledger;
mod placed;
mod reading;

pub use ledger::{Device, Ledger};
pub use placed::Placed;
pub(crate) use placed::place;
pub use reading::{Key, Reading};
