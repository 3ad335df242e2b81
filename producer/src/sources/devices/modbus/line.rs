//! A connection to a device: one question after the other, each answered in time.

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_modbus::{
    ExceptionCode, Request as Question, Response, Slave,
    client::{Client, Context, tcp},
};

use super::{
    keys::{Modbus, Point, Register},
    plan::{self, Request},
    words,
};
use crate::{
    canonical,
    sources::devices::{
        kind::Seen,
        reading::{Reading, with_member},
        status::Failing,
    },
};

/// How often a device is asked that says it is busy, and the first wait between; each further one doubles it.
const BUSY_TRIES: u32 = 5;
const BUSY_WAIT: Duration = Duration::from_millis(50);

/// A connection, and what is asked over it.
pub struct Line<'a> {
    modbus: &'a Modbus,
    context: Context,
    requests: Vec<Request>,
}

impl<'a> Line<'a> {
    /// Connects.
    ///
    /// # Errors
    /// When it cannot be reached in time.
    pub async fn connect(modbus: &'a Modbus) -> anyhow::Result<Self> {
        let Modbus { address, unit, .. } = modbus;
        let connected = timeout(modbus.timeout, TcpStream::connect((address.host.as_str(), address.port))).await;
        let connected = connected.map_err(|_| anyhow!("no connection to {address} within {:?}", modbus.timeout))?;
        let stream = connected.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        let context = tcp::attach_slave(stream, Slave(*unit));
        Ok(Self { modbus, context, requests: plan::together(&modbus.points) })
    }

    /// Reads every point; what the device refuses to tell is among the failing.
    ///
    /// # Errors
    /// When the connection cannot be used any more.
    pub async fn read(&mut self) -> anyhow::Result<Seen> {
        let mut seen = Seen::default();
        let mut place = 0;
        while let Some(request) = self.requests.get(place).cloned() {
            match self.ask(&request).await? {
                Ok(told) => seen.readings.extend(self.readings(&request, &told)),
                Err(code) if request.points.len() > 1 && may_be_told_apart(code) => {
                    // From now on, too: what lies between the points may be what the device does not have.
                    self.requests.splice(place..=place, plan::apart(&self.modbus.points, &request));
                    continue;
                }
                Err(code) => seen.failing.extend(self.failing(&request, code)),
            }
            place += 1;
        }
        Ok(seen)
    }

    /// Asks again as long as the device is busy. The outer error ends the connection, the inner one is the device's.
    async fn ask(&mut self, request: &Request) -> anyhow::Result<Result<Vec<u16>, ExceptionCode>> {
        let mut tries = 1;
        loop {
            let told = self.ask_once(request).await?;
            let is_busy = matches!(told, Err(ExceptionCode::ServerDeviceBusy | ExceptionCode::Acknowledge));
            if !is_busy || tries == BUSY_TRIES {
                return Ok(told);
            }
            sleep(BUSY_WAIT * 2_u32.pow(tries - 1)).await;
            tries += 1;
        }
    }

    async fn ask_once(&mut self, request: &Request) -> anyhow::Result<Result<Vec<u16>, ExceptionCode>> {
        let (start, count) = (request.start, request.count);
        let question = match request.register {
            Register::Coil => Question::ReadCoils(start, count),
            Register::Discrete => Question::ReadDiscreteInputs(start, count),
            Register::Holding => Question::ReadHoldingRegisters(start, count),
            Register::Input => Question::ReadInputRegisters(start, count),
        };
        let answered = timeout(self.modbus.timeout, self.context.call(question)).await;
        let Modbus { unit, timeout, .. } = self.modbus;
        let answered = answered.map_err(|_| anyhow!("no answer from unit {unit} within {timeout:?}"))?;
        match answered.map_err(words::broken)? {
            Ok(response) => values(response, count).map(Ok),
            Err(code) => Ok(Err(code)),
        }
    }

    fn readings(&self, request: &Request, told: &[u16]) -> Vec<Reading> {
        let reading = |point: &Point| {
            let first = usize::from(point.address - request.start);
            point.reading(told.get(first..first + usize::from(point.width()))?)
        };
        request.points.iter().filter_map(|place| reading(&self.modbus.points[*place])).collect()
    }

    fn failing(&self, request: &Request, code: ExceptionCode) -> Vec<Failing> {
        let error = words::refused(code, request, self.modbus.unit);
        let failing = |point: &Point| Failing { device: format!("{} {}", point.dev, point.name), error: error.clone() };
        request.points.iter().map(|place| failing(&self.modbus.points[*place])).collect()
    }
}

/// Whether one point may be the reason that all of a request are refused.
const fn may_be_told_apart(code: ExceptionCode) -> bool {
    matches!(
        code,
        ExceptionCode::IllegalDataAddress | ExceptionCode::IllegalDataValue | ExceptionCode::ServerDeviceFailure
    )
}

/// As many values as were asked for; the bits of the last byte that nobody asked for are left out.
fn values(response: Response, count: u16) -> anyhow::Result<Vec<u16>> {
    let mut values: Vec<u16> = match response {
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => bits.into_iter().map(u16::from).collect(),
        Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words) => words,
        _ => bail!("an answer to another request"),
    };
    if values.len() < usize::from(count) {
        bail!("an answer with {} values instead of {count}", values.len());
    }
    values.truncate(usize::from(count));
    Ok(values)
}

impl Point {
    /// In the shape of Evok's devices.
    fn reading(&self, words: &[u16]) -> Option<Reading> {
        let [dev, circuit] = [&self.dev, &self.name].map(|text| canonical::quoted(text));
        let object = format!(r#"{{"dev": {dev}, "circuit": {circuit}, "value": {}}}"#, self.format.json(words));
        let members = [("unit", &self.unit), ("name", &self.label)];
        let members = members.into_iter().filter_map(|(name, text)| Some((name, canonical::quoted(text.as_ref()?))));
        let object = members.fold(object, |object, (name, text)| with_member(&object, name, &text));
        Reading::of(&object)
    }
}
