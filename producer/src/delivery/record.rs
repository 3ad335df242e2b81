//! Records what attempts came to: whatever is ready goes into one commit.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use common::time::now_ms;
use tokio::{sync::mpsc::Receiver, time::sleep};

use super::paces::Paces;
use crate::{
    App,
    store::{endpoints::Change, made::Made},
};

/// Attempts a commit takes at most.
const TOGETHER: usize = 256;
/// For so long answers are gathered.
const GATHER: Duration = Duration::from_millis(4);
/// Tries to write a commit down before its attempts are given up; their leases end and they are made again.
const TRIES: u32 = 120;
const WAIT_AFTER_ERROR: Duration = Duration::from_millis(500);

/// Records until every sender is gone and nothing is left.
pub async fn run(app: App, mut results: Receiver<Made>, paces: Arc<Paces>) {
    let mut made = Vec::with_capacity(TOGETHER);
    while results.recv_many(&mut made, TOGETHER).await > 0 {
        gather(&mut results, &mut made).await;
        commit(&app, &mut made, &paces).await;
        made.clear();
    }
}

/// Waits a moment for the answers that are about to come, unless there are enough: a commit costs by the piece, and claims wait for it.
async fn gather(results: &mut Receiver<Made>, made: &mut Vec<Made>) {
    if made.len() + results.len() < TOGETHER {
        sleep(GATHER).await;
    }
    while let Some(room) = TOGETHER.checked_sub(made.len()).filter(|room| *room > 0 && !results.is_empty()) {
        results.recv_many(made, room).await;
    }
}

async fn commit(app: &App, made: &mut [Made], paces: &Paces) {
    for left in (0..TRIES).rev() {
        match app.store.record(made, app.settings.max_failed_count, now_ms()).await {
            Ok(()) => return tell(app, made, paces),
            Err(error) => app.store.db.failed(&error, "cannot record attempts"),
        }
        let stopping = app.stop.is_cancelled() && left < TRIES - 3;
        if stopping || left == 0 {
            break;
        }
        sleep(WAIT_AFTER_ERROR).await;
    }
    told_stops(made, paces);
    tracing::error!(attempts = made.len(), "attempts were not recorded; they will be made again when their leases end");
}

fn tell(app: &App, made: &[Made], paces: &Paces) {
    for attempt in made {
        app.metrics.attempted(attempt.outcome.as_str(), attempt.duration_ms);
    }
    told_stops(made, paces);
    let mut moved: BTreeSet<String> = made.iter().filter_map(|attempt| attempt.claimed.batch_id.clone()).collect();
    let of_accounts = made.iter().filter_map(|made| Some((&made.claimed.id, made.claimed.account_id.as_ref()?)));
    let batches = moved.len();
    moved.extend(
        of_accounts.flat_map(|(delivery, account)| [format!("delivery:{delivery}"), format!("account:{account}")]),
    );
    let some_of_accounts = moved.len() > batches;
    app.moved(&Vec::from_iter(moved));
    // The next of a line may go, and what was held.
    if some_of_accounts {
        app.work.notify_one();
    }
}

fn told_stops(made: &[Made], paces: &Paces) {
    for stopped in made.iter().filter(|attempt| attempt.endpoint == Some(Change::Stop)) {
        paces.stopped(&stopped.claimed.endpoint_id);
    }
}
