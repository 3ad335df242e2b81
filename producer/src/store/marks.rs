//! Where every 512th row of a list stands, kept in memory, so that a deep page is not counted out from the first row.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Rows from one mark to the next.
pub const SPAN: i64 = 512;
/// Lists that marks are kept of: those of everybody, and some of single accounts, which have at most 10 000 rows each.
const MOST_LISTS: usize = 1000;

/// A row's place in its list, counted from 0, and its key in the list's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub place: i64,
    pub created_us: i64,
    pub id: String,
}

impl Mark {
    /// Before every row.
    pub const fn first() -> Self {
        Self { place: 0, created_us: i64::MIN, id: String::new() }
    }
}

/// A mark at or before a place, and the version of the list that it holds for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    pub version: String,
    pub mark: Mark,
}

/// A table, and an account when the list is only of that one.
pub type Key = (&'static str, Option<String>);

/// The marks of all lists, as far as this process needed them.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    lists: Arc<Mutex<HashMap<Key, Kept>>>,
}

#[derive(Debug)]
struct Kept {
    version: String,
    /// The first, and then one each [`SPAN`] rows without a gap.
    marks: Vec<Mark>,
}

impl Marks {
    fn lists(&self) -> MutexGuard<'_, HashMap<Key, Kept>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last mark at or before the place; `None`: none is kept of this list.
    pub fn near(&self, key: &Key, place: i64) -> Option<Near> {
        let lists = self.lists();
        let kept = lists.get(key)?;
        let wanted = usize::try_from(place / SPAN).unwrap_or(usize::MAX);
        let mark = kept.marks.get(wanted).or(kept.marks.last())?;
        Some(Near { version: kept.version.clone(), mark: mark.clone() })
    }

    /// Adds the marks that follow the one that is near; what others added meanwhile stays.
    pub fn extend(&self, key: Key, near: &Near, more: Vec<Mark>) {
        let mut lists = self.lists();
        if lists.len() >= MOST_LISTS && !lists.contains_key(&key) {
            lists.retain(|(_, account), _| account.is_none());
        }
        let fresh = || Kept { version: near.version.clone(), marks: vec![Mark::first()] };
        let kept = lists.entry(key).or_insert_with(fresh);
        let fits = kept.version == near.version && kept.marks.last() == Some(&near.mark);
        if fits {
            kept.marks.extend(more);
        }
    }

    /// Drops the marks of this version.
    pub fn forget(&self, key: &Key, version: &str) {
        let mut lists = self.lists();
        if lists.get(key).is_some_and(|kept| kept.version == version) {
            lists.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(place: i64) -> Mark {
        if place == 0 { Mark::first() } else { Mark { place, created_us: place * 10, id: format!("row {place}") } }
    }

    fn near(version: &str, place: i64) -> Near {
        Near { version: version.into(), mark: mark(place) }
    }

    fn key(account: Option<usize>) -> Key {
        ("registrations", account.map(|number| number.to_string()))
    }

    #[test]
    fn the_last_mark_before_a_place_is_near() {
        let marks = Marks::default();
        assert_eq!(marks.near(&key(None), 2000), None);
        marks.extend(key(None), &near("1", 0), vec![mark(512), mark(1024)]);
        for (place, expected) in [(0, 0), (511, 0), (512, 512), (1023, 512), (1024, 1024), (i64::MAX, 1024)] {
            assert_eq!(marks.near(&key(None), place), Some(near("1", expected)), "{place}");
        }
        assert_eq!(marks.near(&key(Some(1)), 2000), None);
    }

    #[test]
    fn marks_are_added_where_they_belong_and_only_to_their_version() {
        let marks = Marks::default();
        marks.extend(key(None), &near("1", 0), vec![mark(512)]);
        marks.extend(key(None), &near("1", 0), vec![mark(512)]);
        marks.extend(key(None), &near("2", 512), vec![mark(1024)]);
        assert_eq!(marks.near(&key(None), 5000), Some(near("1", 512)));
        marks.extend(key(None), &near("1", 512), vec![mark(1024)]);
        assert_eq!(marks.near(&key(None), 5000), Some(near("1", 1024)));
    }

    #[test]
    fn only_the_version_that_is_named_is_forgotten() {
        let marks = Marks::default();
        marks.extend(key(None), &near("2", 0), vec![mark(512)]);
        marks.forget(&key(None), "1");
        assert_eq!(marks.near(&key(None), 600), Some(near("2", 512)));
        marks.forget(&key(None), "2");
        assert_eq!(marks.near(&key(None), 600), None);
    }

    #[test]
    fn the_lists_of_single_accounts_do_not_fill_the_memory() {
        let marks = Marks::default();
        marks.extend(key(None), &near("1", 0), vec![mark(512)]);
        for number in 0..3 * MOST_LISTS {
            marks.extend(key(Some(number)), &near("1", 0), vec![mark(512)]);
            assert!(marks.lists().len() <= MOST_LISTS);
        }
        assert_eq!(marks.near(&key(None), 600), Some(near("1", 512)));
    }
}
