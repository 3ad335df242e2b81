//! Bringing the tables up to date, in one process at a time.

use anyhow::Context;
use sqlx::{Connection, migrate::Migrator};

use crate::db::{Db, Kind};

/// Runs those of the migrations that are missing, all or none of them on SQLite; who comes meanwhile waits, and finds nothing left to do.
///
/// # Errors
/// When a migration fails, or another process is at it for too long.
pub async fn migrate(db: &Db, migrations: &Migrator) -> anyhow::Result<()> {
    match db.kind {
        // The migrator itself takes a lock there.
        Kind::Postgres => migrations.run(&db.write).await?,
        Kind::Sqlite => {
            let mut connection = db.write.acquire().await?;
            let mut alone = connection.begin_with("begin immediate").await.context("another process is at them")?;
            // As `run` does; that one cannot be awaited by a task that another thread may go on with.
            migrations.run_direct(None, &mut *alone, false).await?;
            alone.commit().await?;
        }
    }
    Ok(())
}
