//! The `modbus:` block as it is written, and what is wrong with it.

use std::{fmt, time::Duration};

use common::yaml::time;
use serde::Deserialize;

use super::{
    address::{Address, address},
    value::{Format, Order, Type},
};

const MOST_POINTS: usize = 1000;
const LONGEST_NAME: usize = 100;
const SHORTEST_POLL: Duration = Duration::from_millis(10);
const LONGEST_TIMEOUT: Duration = Duration::from_mins(1);

/// A device, or a gateway to one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modbus {
    #[serde(deserialize_with = "address")]
    pub address: Address,
    /// Which device behind a gateway; a device that is none mostly takes any number.
    #[serde(default = "one")]
    pub unit: u8,
    #[serde(default = "poll_interval", deserialize_with = "time")]
    pub poll_interval: Duration,
    /// For a connection, and for an answer.
    #[serde(default = "answer_timeout", deserialize_with = "time")]
    pub timeout: Duration,
    pub points: Vec<Point>,
}

/// One value of the device.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "PointKeys")]
pub struct Point {
    /// The `circuit` of its readings.
    pub name: String,
    /// What kind of device its readings say it is.
    pub dev: String,
    pub register: Register,
    /// As it stands in the request, from 0.
    pub address: u16,
    pub format: Format,
    /// Of the value, such as `°C`.
    pub unit: Option<String>,
    /// What people call it: the member `name` of its readings.
    pub label: Option<String>,
}

/// The four tables of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Register {
    Coil,
    Discrete,
    Holding,
    Input,
}

/// A point as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PointKeys {
    name: String,
    register: Register,
    address: u32,
    #[serde(rename = "type")]
    kind: Option<Type>,
    bit: Option<u8>,
    #[serde(default)]
    word_order: Order,
    #[serde(default)]
    byte_order: Order,
    #[serde(default = "unscaled")]
    scale: f64,
    #[serde(default)]
    offset: f64,
    unit: Option<String>,
    dev: Option<String>,
    label: Option<String>,
}

const fn one() -> u8 {
    1
}

const fn poll_interval() -> Duration {
    Duration::from_secs(1)
}

const fn answer_timeout() -> Duration {
    Duration::from_secs(2)
}

const fn unscaled() -> f64 {
    1.0
}

impl Modbus {
    /// Checks what no single key shows; the error says what to write instead.
    pub fn check(self) -> Result<Self, String> {
        if self.points.is_empty() || self.points.len() > MOST_POINTS {
            return Err(format!("modbus.points: write 1 to {MOST_POINTS} points"));
        }
        if self.poll_interval < SHORTEST_POLL {
            return Err(format!("modbus.poll_interval: write at least {SHORTEST_POLL:?}"));
        }
        if self.timeout.is_zero() || self.timeout > LONGEST_TIMEOUT {
            return Err("modbus.timeout: write a time above 0 and up to 1m".into());
        }
        for (place, point) in self.points.iter().enumerate() {
            for before in &self.points[..place] {
                point.check_beside(before)?;
            }
        }
        Ok(self)
    }
}

impl Point {
    /// Registers, or bits, of its own.
    pub const fn width(&self) -> u16 {
        self.format.kind.width()
    }

    /// Behind its last register.
    pub const fn end(&self) -> u32 {
        self.address as u32 + self.width() as u32
    }

    fn check_beside(&self, other: &Self) -> Result<(), String> {
        if (&self.dev, &self.name) == (&other.dev, &other.name) {
            return Err(format!("modbus.points: there are two points {} {:?}", self.dev, self.name));
        }
        let is_beside = self.register != other.register
            || self.end() <= u32::from(other.address)
            || other.end() <= u32::from(self.address);
        let is_shared = self.address == other.address && self.format.bit.is_some() && other.format.bit.is_some();
        if is_beside || is_shared {
            return Ok(());
        }
        let [(one, first), (two, second)] = [other, self].map(|point| (&point.name, point.place()));
        Err(format!(
            "modbus.points: {one:?} ({first}) and {two:?} ({second}) overlap; only points with a bit may share a register"
        ))
    }

    /// Such as `input register 40`, or `holding registers 40 to 41`.
    pub fn place(&self) -> String {
        place(self.register, self.address, self.width())
    }
}

/// So many of them from an address on, in words.
pub fn place(register: Register, address: u16, count: u16) -> String {
    match count {
        0 | 1 => format!("{register} {address}"),
        _ => format!("{register}s {address} to {}", u32::from(address) + u32::from(count) - 1),
    }
}

impl Register {
    pub const fn is_bit(self) -> bool {
        matches!(self, Self::Coil | Self::Discrete)
    }

    /// As Evok would call what stands there.
    const fn dev(self) -> &'static str {
        match self {
            Self::Coil => "do",
            Self::Discrete => "di",
            Self::Holding => "ao",
            Self::Input => "ai",
        }
    }
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Coil => "coil",
            Self::Discrete => "discrete input",
            Self::Holding => "holding register",
            Self::Input => "input register",
        })
    }
}

impl TryFrom<PointKeys> for Point {
    type Error = String;

    fn try_from(keys: PointKeys) -> Result<Self, String> {
        let PointKeys { name, register, address, bit, scale, offset, unit, label, .. } = keys;
        let dev = keys.dev.unwrap_or_else(|| register.dev().to_owned());
        for (key, text) in
            [("name", Some(&name)), ("dev", Some(&dev)), ("unit", unit.as_ref()), ("label", label.as_ref())]
        {
            check_text(key, text)?;
        }
        let usual = if register.is_bit() || bit.is_some() { Type::Bool } else { Type::U16 };
        let format = Format {
            kind: keys.kind.unwrap_or(usual),
            bit,
            word_order: keys.word_order,
            byte_order: keys.byte_order,
            scale,
            offset,
        };
        check_format(&name, register, &format)?;
        let address = u16::try_from(address).map_err(|_| {
            format!("{name:?}: address: write 0 to 65535, as it stands in a request; 400001 of a manual is register: holding, address: 0")
        })?;
        let point = Self { name, dev, register, address, format, unit, label };
        if point.end() > 0x1_0000 {
            return Err(format!("{:?} ends behind 65535, the last address there is", point.name));
        }
        Ok(point)
    }
}

fn check_text(key: &str, text: Option<&String>) -> Result<(), String> {
    let is_good =
        |text: &String| !text.is_empty() && text.chars().count() <= LONGEST_NAME && !text.chars().any(char::is_control);
    if text.is_none_or(is_good) { Ok(()) } else { Err(format!("{key}: write 1 to {LONGEST_NAME} letters")) }
}

fn check_format(name: &str, register: Register, format: &Format) -> Result<(), String> {
    if register.is_bit() && format.kind != Type::Bool {
        return Err(format!("{name:?}: a {register} is one bit; leave type out"));
    }
    if register.is_bit() && format.bit.is_some() {
        return Err(format!("{name:?}: a {register} is one bit; leave bit out"));
    }
    if format.bit.is_some_and(|bit| bit > 15) {
        return Err(format!("{name:?}: bit: write 0, the lowest, to 15"));
    }
    if format.bit.is_some() && format.kind != Type::Bool {
        return Err(format!("{name:?}: a bit of a register is of type bool; leave type out"));
    }
    if !format.scale.is_finite() || format.scale == 0.0 || !format.offset.is_finite() {
        return Err(format!("{name:?}: scale is a number other than 0, offset a number"));
    }
    Ok(())
}
