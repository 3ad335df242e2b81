//! Guarded sources: who is let in, what is kept of the others, how sources are made and changed, and `CloudEvents`.

mod cloud_events;
mod docs;
mod guards;
mod pages;
mod registry;
mod rejected;

use std::path::{Path, PathBuf};

use common::{
    config::Durability,
    db::{self, Db},
    seal::Vault,
};
use consumer::{
    guards::Guard,
    sources::{Draft, Registry},
};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{TestApp, database::Database, eventually};

const KEY: &str = "the key of these tests";
const WITH_KEY: [&str; 2] = ["--secret-key", KEY];

async fn open(database: &Database) -> Db {
    db::open(&database.url, Durability::Normal, &sqlx::migrate!()).await.unwrap()
}

/// The sources as another node of the same database has them.
async fn registry(database: &Database) -> Registry {
    Registry::load(open(database).await, Vault::new(KEY), None, 10).await.unwrap()
}

fn draft(name: &str, guard: &str, secret: Option<&str>) -> Draft {
    Draft {
        name: name.to_owned(),
        guard: serde_json::from_str::<Guard>(guard).unwrap(),
        secret: secret.map(str::to_owned),
        rules: None,
        stale_after_s: None,
        rate_per_minute: None,
    }
}

/// A file of sources, gone when it is dropped.
struct File {
    path: PathBuf,
    _folder: TempDir,
}

impl File {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sources.yaml");
        std::fs::write(&path, text).unwrap();
        Self { path, _folder: folder }
    }

    fn setting(&self) -> String {
        format!("--sources={}", self.path.display())
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// What was not let in, once there are so many.
async fn rejected(app: &TestApp, path: &str, count: usize) -> Vec<Value> {
    eventually("what was not let in is kept", async || {
        let listed = app.json(path).await["rejected"].as_array().unwrap().clone();
        (listed.len() >= count).then_some(listed)
    })
    .await
}
