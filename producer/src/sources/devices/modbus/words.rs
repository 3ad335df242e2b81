//! What a device says instead of a value, and what breaks a connection, in words.

use std::io;

use tokio_modbus::{Error, ExceptionCode, ProtocolError};

use super::{keys, plan::Request};

/// The exceptions of the Modbus application protocol 1.1b3, section 7, and what to do about them.
pub fn refused(code: ExceptionCode, request: &Request, unit: u8) -> String {
    let (register, place) = (request.register, keys::place(request.register, request.start, request.count));
    match code {
        ExceptionCode::IllegalFunction => {
            format!("illegal function (1): the device has no {register}s; look which table its manual names")
        }
        ExceptionCode::IllegalDataAddress => format!(
            "illegal data address (2): the device has no {place}; addresses count from 0 here, so 30001 of a manual is input register 0"
        ),
        ExceptionCode::IllegalDataValue => {
            format!("illegal data value (3): the device does not tell {place} at once; look how long the value is")
        }
        ExceptionCode::ServerDeviceFailure => {
            format!("device failure (4): the device tried to read {place} and could not")
        }
        ExceptionCode::Acknowledge => format!("acknowledge (5): the device is still at work on {place}"),
        ExceptionCode::ServerDeviceBusy => {
            format!("device busy (6): the device had no time to tell {place}, however often it was asked")
        }
        ExceptionCode::MemoryParityError => {
            format!("memory parity error (8): the device's memory is damaged at {place}")
        }
        ExceptionCode::GatewayPathUnavailable => {
            format!(
                "gateway path unavailable (10): the gateway has no line to unit {unit}; look at its settings, and at unit"
            )
        }
        ExceptionCode::GatewayTargetDevice => {
            format!(
                "gateway target failed to respond (11): unit {unit} behind the gateway is silent; is it on, and is that its number?"
            )
        }
        ExceptionCode::Custom(code) => {
            format!("exception {code} at {place}, which is not one of Modbus; look into the device's manual")
        }
    }
}

/// Why the connection cannot be used any more.
pub fn broken(error: Error) -> anyhow::Error {
    match error {
        // The library tells the end of a stream by the last error of the system, whatever that was about.
        Error::Transport(error) if error.raw_os_error() == Some(0) || error.kind() == io::ErrorKind::WouldBlock => {
            anyhow::anyhow!("the device closed the connection")
        }
        Error::Transport(error) if error.kind() == io::ErrorKind::InvalidData => {
            anyhow::anyhow!("what came is no Modbus TCP: {error}")
        }
        Error::Transport(error) => anyhow::Error::new(error).context("the connection broke"),
        Error::Protocol(ProtocolError::HeaderMismatch { message, .. }) => {
            anyhow::anyhow!("an answer to another request, or of another unit: {message}")
        }
        Error::Protocol(ProtocolError::FunctionCodeMismatch { .. }) => {
            anyhow::anyhow!("an answer to another request")
        }
    }
}
