//! What both programs know of a device's object: `{"dev": …, "circuit": …, "value": …}`, as Evok writes it.

/// Members that move by themselves, so that they are no change: `time` of a 1-wire sensor is a monotonic clock, `last_comm` of a Modbus slave an age.
///
/// What they say by being large is a change: a slave that was silent for longer than [`SILENT_S`].
pub const CLOCKS: [&str; 2] = ["time", "last_comm"];

/// A Modbus slave whose `last_comm` is above this many seconds does not answer.
pub const SILENT_S: f64 = 60.0;
