//! What nobody may do, whoever tries: pages of other origins, foreign hosts, addresses of this network, guesses, and bodies that are bombs.

mod bombs;
mod foreign;
mod guesses;
mod headers;
mod secrets;
mod ssrf;

use crate::{
    matrix::doors::DOORS,
    support::{Database, stage::Stage},
};

const PASSWORD: &str = "open sesame";

/// Every route, as method and path, with something in its places.
fn routes(place: &str) -> Vec<(&'static str, String)> {
    let all = DOORS.iter().flat_map(|(_, routes)| routes.iter().copied());
    let whole = |route: &'static str| {
        let (method, path) = route.split_once(' ').unwrap();
        (method, path.replace("{id}", place).replace("{file}", place))
    };
    all.map(whole).collect()
}

/// A producer that listens wider than its machine, and posts to 127.0.0.1 alone.
async fn wide() -> Stage {
    Stage::with(Database::sqlite(), |mut settings| {
        settings.listen = "0.0.0.0:0".parse().unwrap();
        settings.common.admin_password = Some(PASSWORD.into());
        settings.allow_targets = "127.0.0.1".parse().unwrap();
        settings
    })
    .await
}
