//! A Modbus TCP device, simulated: registers that change, that are refused, and a device that is busy or hangs.

use std::{
    collections::BTreeMap,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::{net::TcpListener, task::JoinHandle};
use tokio_modbus::{
    ExceptionCode, Request, Response, SlaveRequest,
    server::{Service, tcp},
};

/// Listens on a port of its own until it is dropped.
pub struct Modbus {
    pub address: SocketAddr,
    device: Arc<Mutex<Device>>,
    serving: JoinHandle<()>,
}

/// What the device is and does; a register that is not there is refused as an illegal data address.
#[derive(Clone, Default)]
pub struct Device {
    pub input: BTreeMap<u16, u16>,
    pub holding: BTreeMap<u16, u16>,
    pub coils: BTreeMap<u16, bool>,
    pub refused: BTreeMap<u16, ExceptionCode>,
    /// So many questions more are answered with *busy*.
    pub busy: usize,
    /// Questions are not answered.
    pub hangs: bool,
    /// Unit, first address and count of what was asked for.
    pub asked: Vec<(u8, u16, u16)>,
    pub connections: usize,
}

impl Modbus {
    pub async fn start(device: Device) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), device).await
    }

    pub async fn at(address: SocketAddr, device: Device) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let device = Arc::new(Mutex::new(device));
        let serving = tokio::spawn(serve(listener, Arc::clone(&device)));
        Self { address, device, serving }
    }

    /// To look at it, and to change it.
    pub fn device(&self) -> MutexGuard<'_, Device> {
        self.device.lock().unwrap()
    }

    /// Breaks every connection, and listens no more; gives where and how it was.
    pub async fn die(mut self) -> (SocketAddr, Device) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
        let device = self.device().clone();
        (self.address, device)
    }
}

impl Drop for Modbus {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, device: Arc<Mutex<Device>>) {
    let server = tcp::Server::new(listener);
    let connected = |stream, _| {
        device.lock().unwrap().connections += 1;
        let answering = Answering(Arc::clone(&device));
        async move { Ok(Some((answering, stream))) }
    };
    server.serve(&connected, |_| {}).await.unwrap();
}

struct Answering(Arc<Mutex<Device>>);

impl Service for Answering {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Pin<Box<dyn Future<Output = Result<Response, ExceptionCode>> + Send>>;

    fn call(&self, asked: Self::Request) -> Self::Future {
        let mut device = self.0.lock().unwrap();
        let answer = device.answer(&asked);
        let hangs = device.hangs;
        Box::pin(async move { if hangs { std::future::pending().await } else { answer } })
    }
}

impl Device {
    fn answer(&mut self, asked: &SlaveRequest<'_>) -> Result<Response, ExceptionCode> {
        let (Request::ReadCoils(first, count)
        | Request::ReadHoldingRegisters(first, count)
        | Request::ReadInputRegisters(first, count)) = asked.request
        else {
            return Err(ExceptionCode::IllegalFunction);
        };
        self.asked.push((asked.slave, first, count));
        if self.busy > 0 {
            self.busy -= 1;
            return Err(ExceptionCode::ServerDeviceBusy);
        }
        let asked_for = first..first + count;
        if let Some((_, code)) = self.refused.range(asked_for.clone()).next() {
            return Err(*code);
        }
        match asked.request {
            Request::ReadCoils(..) => Ok(Response::ReadCoils(there(&self.coils, asked_for)?)),
            Request::ReadHoldingRegisters(..) => Ok(Response::ReadHoldingRegisters(there(&self.holding, asked_for)?)),
            _ => Ok(Response::ReadInputRegisters(there(&self.input, asked_for)?)),
        }
    }
}

fn there<T: Copy>(table: &BTreeMap<u16, T>, asked_for: std::ops::Range<u16>) -> Result<Vec<T>, ExceptionCode> {
    let found: Option<Vec<T>> = asked_for.map(|address| table.get(&address).copied()).collect();
    found.ok_or(ExceptionCode::IllegalDataAddress)
}
