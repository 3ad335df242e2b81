//! Ending: a part that dies takes the service along, and nothing that blocks holds the end up.

use std::{future::Future, time::Duration};

use tokio::{task::JoinHandle, time::sleep};
use tokio_util::sync::CancellationToken;

/// From the call for the end to the end, whatever blocks.
const LONGEST_END: Duration = Duration::from_secs(9);

/// Starts a task without which the service is of no use: `stop` is cancelled when it ends, however it does.
pub fn supervised<T: Send + 'static>(
    stop: &CancellationToken,
    task: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    let guard = stop.clone().drop_guard();
    tokio::spawn(async move {
        let _guard = guard;
        task.await
    })
}

/// Does the work to its end, but not for longer than it may take once `stop` is cancelled.
///
/// # Errors
/// Those of the work, and when it was given up.
pub async fn in_time<T>(stop: &CancellationToken, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let overdue = async {
        stop.cancelled().await;
        sleep(LONGEST_END).await;
    };
    tokio::select! {
        ended = work => ended,
        () = overdue => anyhow::bail!("gave up on a database that does not answer; attempts that it does not know of will be made again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_calls_for_the_end() {
        let stop = CancellationToken::new();
        let task = supervised(&stop, async { panic!("as a defect would") });
        stop.cancelled().await;
        let ended: Result<(), _> = task.await;
        assert!(ended.unwrap_err().is_panic());
    }
}
