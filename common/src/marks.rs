//! The pieces of SQL text whose length varies: placeholders, and how many rows one statement takes.

use std::fmt::Write;

use sqlx::AnyConnection;

/// `?` as PostgreSQL wants it: `$1`, `$2` and so on.
pub(crate) fn numbered(text: &str) -> String {
    let mut pieces = text.split('?');
    let first = pieces.next().unwrap_or_default().to_owned();
    (1..).zip(pieces).fold(first, |numbered, (number, piece)| format!("{numbered}${number}{piece}"))
}

/// `(?,?),(?,?)`: the values of a [`crate::db::Script`]'s insert of `rows` rows of `columns` columns.
#[must_use]
pub fn marks(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    vec![row.as_str(); rows].join(",")
}

/// The values of a statement of `rows` rows of `columns` columns that has no other placeholders: `($1,$2),($3,$4)` for PostgreSQL,
/// `(?,?),(?,?)` for SQLite, where sqlx looks each one that has a name up among all, and a thousand cost more than the rows.
#[must_use]
pub fn values(connection: &AnyConnection, rows: usize, columns: usize) -> String {
    if connection.backend_name() == "SQLite" { marks(rows, columns) } else { numbered_values(rows, columns) }
}

fn numbered_values(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * (columns * 5 + 3));
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        text.push_str(&list(row * columns + 1, columns));
        text.push(')');
    }
    text
}

/// `$3,$4,$5`: `count` placeholders from number `first` on.
#[must_use]
pub fn list(first: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 5);
    for number in first..first + count {
        let comma = if number == first { "" } else { "," };
        let _ = write!(text, "{comma}${number}");
    }
    text
}

/// Bytes of one statement that may be encrypted on its way: what fits in one TLS record of 16 KiB. sqlx leaves Nagle's algorithm on, so a second record of
/// the same statement waits for the server's acknowledgement of the first, 40 ms each time.
pub(crate) const RECORD_BYTES: usize = 12 * 1024;
/// The same over a loopback connection as it is, which takes 64 KiB at a time.
pub(crate) const LOOPBACK_BYTES: usize = 48 * 1024;

/// How many of the first rows one statement takes, wherever it goes: a number [`step`] gives, and no more bytes than go out at once.
pub fn fitting<T>(rows: &[T], size_bytes: impl Fn(&T) -> usize) -> usize {
    fitting_in(RECORD_BYTES, rows, size_bytes)
}

pub(crate) fn fitting_in<T>(most_bytes: usize, rows: &[T], size_bytes: impl Fn(&T) -> usize) -> usize {
    let mut bytes = 0;
    let fit = rows.iter().take_while(|row| {
        bytes += size_bytes(row);
        bytes <= most_bytes
    });
    step(fit.take(64).count().max(1))
}

/// The largest power of two that is at most `left` and 64: statements of few sizes are prepared once each, and long ones are slow.
#[must_use]
pub fn step(left: usize) -> usize {
    if left >= 64 { 64 } else { 1 << left.checked_ilog2().unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_through() {
        assert_eq!(numbered_values(2, 3), "($1,$2,$3),($4,$5,$6)");
        assert_eq!(list(3, 2), "$3,$4");
    }

    #[test]
    fn marks_are_numbered_for_postgres() {
        assert_eq!(marks(2, 2), "(?,?),(?,?)");
        assert_eq!(numbered("insert into a values (?,?) returning b"), "insert into a values ($1,$2) returning b");
    }

    #[test]
    fn steps_are_powers_of_two_up_to_64() {
        assert_eq!([1, 2, 3, 63, 64, 1000].map(step), [1, 2, 2, 32, 64, 64]);
    }

    #[test]
    fn a_statement_takes_as_many_rows_as_go_out_at_once() {
        assert_eq!(fitting(&[100; 200], |bytes| *bytes), 64);
        assert_eq!(fitting(&[1000; 200], |bytes| *bytes), 8);
        assert_eq!(fitting(&[50_000; 3], |bytes| *bytes), 1);
        assert_eq!(fitting_in(LOOPBACK_BYTES, &[1000; 200], |bytes| *bytes), 32);
    }
}
