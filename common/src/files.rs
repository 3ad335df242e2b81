//! How many files, and so connections, this process may have open at once.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is kept for databases, brokers, receivers and the files of the program.
const KEPT: u64 = 256;

/// Raises the limit to what the system lets this process have: the usual one, 1024, is there for programs that use `select`. `main` calls it.
pub fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// How many connections may be open at once: `most`, or as many as leave files for everything else.
#[must_use]
pub fn room_for_connections(most: usize) -> usize {
    room(getrlimit(Resource::Nofile).current, most)
}

fn room(limit: Option<u64>, most: usize) -> usize {
    let room = limit.map_or(u64::MAX, |limit| limit.saturating_sub(KEPT).max(limit / 2));
    usize::try_from(room).unwrap_or(usize::MAX).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_everything_else() {
        for (limit, expected) in
            [(None, 16_384), (Some(1_048_576), 16_384), (Some(1024), 768), (Some(256), 128), (Some(0), 0)]
        {
            assert_eq!(room(limit, 16_384), expected, "{limit:?}");
        }
    }
}
