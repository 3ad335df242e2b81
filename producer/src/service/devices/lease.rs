//! Who reads a source: a time that only its holder knows.

use std::time::Duration;

use common::time::now_us;

use crate::App;

/// Takes or renews the lease; `held_us`: until when it is held, 0 when it is not. Gives until when it is held now; `None`: another one has it.
///
/// # Errors
/// When the database fails.
pub async fn take(app: &App, source: &str, (held_us, term): (i64, Duration)) -> sqlx::Result<Option<i64>> {
    let now_us = now_us();
    // No two that ask in the same microsecond may come to the same time.
    let until_us = now_us + i64::try_from(term.as_micros()).unwrap_or(i64::MAX / 2) + rand::random_range(0..100_000);
    let taken = app.store.lease_source(source, (held_us, until_us), now_us).await?;
    Ok(taken.then_some(until_us))
}

/// Gives it back.
///
/// # Errors
/// When the database fails; it runs out by itself then.
pub async fn give(app: &App, source: &str, held_us: i64) -> sqlx::Result<()> {
    app.store.release_source(source, held_us).await
}
