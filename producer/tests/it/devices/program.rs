//! The file and `devices check`, by the program itself.

use std::{process::Stdio, time::Duration};

use tokio::process::Command;

use super::{File, ai, di};
use crate::support::{
    Database,
    evok::Evok,
    modbus::{Device, Modbus},
    mosquitto::Mosquitto,
};

pub fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_producer"));
    command.args(args).env_clear().current_dir(std::env::temp_dir()).stdin(Stdio::null()).kill_on_drop(true);
    command
}

#[tokio::test]
async fn a_wrong_file_stops_the_start_with_the_line_and_the_column() {
    let file = File::of("sources:\n  - name: a\n    host: {}\n    colour: red\n");
    let database = Database::sqlite();
    let mut command = program(&["--listen", "127.0.0.1:0"]);
    command.env("DEVICES", &file.path).env("DATABASE_URL", &database.url);
    let output = tokio::time::timeout(Duration::from_secs(20), command.output()).await.unwrap().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("devices.yaml:4:5: ") && said.contains("colour"), "{said}");
}

#[tokio::test]
async fn check_prints_what_it_sees_and_fails_when_a_source_cannot_be_reached() {
    let evok = Evok::start(&[&ai("NaN"), &di("1_01", 0)]).await;
    let file = File::boiler(&evok, &["device_mask: [ai]"]);
    let check = ["devices", "check", file.path.to_str().unwrap()];
    let output = program(&check).output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(said, "boiler (evok): 2 devices, 1 by the mask\nboiler  ai 2_01  NaN V\n");
    evok.die().await;
    let output = program(&check).output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.starts_with("boiler (evok): cannot connect to ws://127.0.0.1:"), "{said}");
}

#[tokio::test]
async fn check_prints_the_points_of_modbus_and_what_a_broker_retains() {
    let registers = [(0, 215), (1, 7)].into();
    let modbus = Modbus::start(Device { input: registers, ..Device::default() }).await;
    let broker = Mosquitto::start().await;
    broker.say(true, &[("house/hall/temp", "19.5")]).await;
    let text = |points: &str| {
        format!(
            "sources:\n  - name: plc\n    modbus: {{address: \"{}\", points: [{points}]}}\n  \
             - name: house\n    mqtt: {{url: \"mqtt://127.0.0.1:{}\", topics: [{{topic: \"house/{{circuit}}/{{dev}}\", unit: \"°C\"}}]}}\n",
            modbus.address, broker.port
        )
    };
    let point = "{name: flow, register: input, address: 0, scale: 0.1, unit: bar}";
    let good = File::of(&text(point));
    let output = program(&["devices", "check", good.path.to_str().unwrap()]).output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let house = "house (mqtt): 1 devices, 1 by the mask\nhouse  temp hall  19.5 °C\n";
    let plc = "plc (modbus): 1 devices, 1 by the mask\nplc  ai flow  21.5 bar\n";
    assert_eq!((output.status.code(), said), (Some(0), format!("{plc}{house}")));
    let bad = File::of(&text(&format!("{point}, {{name: gone, register: input, address: 9}}")));
    let output = program(&["devices", "check", bad.path.to_str().unwrap()]).output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let gone = "plc  ai gone  illegal data address (2): the device has no input register 9";
    assert!(
        output.status.code() == Some(1) && said.starts_with(&format!("{plc}{gone}")) && said.ends_with(house),
        "{said}"
    );
}
