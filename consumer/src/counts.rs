//! How many events of each priority were ever received: what the API, the pages and the frames tell alike.

use common::db::Db;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::counts::{self, Tally};

/// How many events of each priority were ever received.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Counts {
    #[serde(rename = "Low")]
    pub low: i64,
    #[serde(rename = "Moderate")]
    pub moderate: i64,
    #[serde(rename = "Major")]
    pub major: i64,
    #[serde(rename = "Critical")]
    pub critical: i64,
    /// Unknown priority or none.
    pub other: i64,
    pub total: i64,
    /// Offset of the newest event of the log.
    pub head: i64,
}

impl Counts {
    #[must_use]
    pub fn new(tally: Tally, head: i64) -> Self {
        let [low, moderate, major, critical, other] = tally;
        Self { low, moderate, major, critical, other, total: tally.iter().sum(), head }
    }

    /// The counts of one source or of all, as they are committed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(db: &Db, source: Option<&str>) -> sqlx::Result<Self> {
        let (mut asked, mut head) = (Tally::default(), 0);
        for row in counts::all(db).await? {
            head += row.tally.iter().sum::<i64>();
            if source.is_none_or(|source| source.is_empty() || source == row.source) {
                asked.iter_mut().zip(row.tally).for_each(|(sum, more)| *sum += more);
            }
        }
        Ok(Self::new(asked, head))
    }
}
