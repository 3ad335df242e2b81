//! What belongs to devices is not an account's to delete.

use producer::config::Settings;

use super::{File, counted, di};
use crate::support::{Database, evok::Evok, stage::Stage, wire::delete};

on_both! {
    async fn the_administrator_deletes_all_of_everybody_and_the_devices_go_on(database: Database) {
        let evok = Evok::start(&[&di("1_01", 0)]).await;
        let file = File::boiler(&evok, &[]);
        let stage = Stage::with(database, |settings| Settings { devices: Some(file.path.clone()), ..settings }).await;
        counted(&stage.endpoint, "1_01", 0).await;
        stage.join("sarah", "/sarah").await;
        for (path, deleted) in
            [("/v1/webhook/subscriptions", 0), ("/v1/webhook/registrations", 0), ("/v1/accounts", 1)]
        {
            let told = stage.wire.must(&delete(path).by(&stage.admin)).await;
            assert_eq!(told["deleted"], deleted, "{path}: {told}");
        }
        evok.change(0, &di("1_01", 1));
        assert_eq!(counted(&stage.endpoint, "1_01", 1).await, [0, 1]);
        stage.producer.stop().await;
    }
}
