//! What both programs know of a device's object: `{"dev": …, "circuit": …, "value": …}`, as Evok writes it.

/// Members that move by themselves, so that they are no change: `time` of a 1-wire sensor is a monotonic clock, `last_comm` of a Modbus slave an age.
pub const CLOCKS: [&str; 2] = ["time", "last_comm"];
