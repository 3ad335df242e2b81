//! Statements that go to the database together.

use sqlx::{
    AnyConnection, Arguments, AssertSqlSafe,
    any::{AnyArguments, AnyRow},
};

use crate::{db::Kind, marks::numbered};

/// Statements that belong to one transaction and go to the database together, in as few messages as can be, which is what a commit of few rows costs
/// most of: SQLite takes all in one, PostgreSQL those that stand beside each other. Their placeholders are written `?`.
pub struct Script {
    kind: Kind,
    messages: Vec<(Vec<String>, AnyArguments)>,
}

impl Script {
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self { kind, messages: Vec::new() }
    }

    /// Adds a statement; its arguments are to be added to what is returned, in the order of their placeholders.
    pub fn statement(&mut self, text: &str) -> &mut AnyArguments {
        self.add(text, self.kind == Kind::Sqlite)
    }

    /// Adds an insert, update or delete to the one that was added last, with which it may happen at the same time: neither gives rows or looks at what
    /// the other changes, and both change other rows. PostgreSQL would refuse anything else, or do either of two changes of a row.
    pub fn beside(&mut self, text: &str) -> &mut AnyArguments {
        self.add(text, true)
    }

    fn add(&mut self, text: &str, joins: bool) -> &mut AnyArguments {
        if !joins || self.messages.is_empty() {
            self.messages.push((Vec::new(), AnyArguments::default()));
        }
        let last = self.messages.len() - 1;
        let (statements, arguments) = &mut self.messages[last];
        statements.push(text.to_owned());
        arguments
    }

    /// Runs the statements; gives the rows of all of them.
    ///
    /// # Errors
    /// When one fails; those after it did not run.
    pub async fn run(self, connection: &mut AnyConnection) -> sqlx::Result<Vec<AnyRow>> {
        let mut rows = Vec::new();
        for (statements, arguments) in self.messages {
            let text = match self.kind {
                Kind::Sqlite => statements.join(";"),
                Kind::Postgres => numbered(&together(&statements)),
            };
            rows.extend(sqlx::query_with(AssertSqlSafe(text), arguments).fetch_all(&mut *connection).await?);
        }
        Ok(rows)
    }
}

/// Changes as one statement of PostgreSQL: <https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-MODIFYING>.
fn together(statements: &[String]) -> String {
    let Some((last, others)) = statements.split_last() else { return String::new() };
    let others = others.iter().enumerate().map(|(place, text)| format!("change_{place} as ({text})"));
    let others = others.collect::<Vec<_>>().join(", ");
    if others.is_empty() { last.clone() } else { format!("with {others} {last}") }
}

/// Adds an argument.
///
/// # Errors
/// When the value cannot be written.
pub fn bind<'a, T>(arguments: &mut AnyArguments, value: T) -> sqlx::Result<()>
where
    T: sqlx::Encode<'a, sqlx::Any> + sqlx::Type<sqlx::Any>,
{
    arguments.add(value).map_err(sqlx::Error::Encode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_that_stand_beside_each_other_are_one_statement_of_postgres() {
        let mut script = Script::new(Kind::Postgres);
        script.statement("begin");
        script.statement("insert into a values (?, ?)");
        script.beside("insert into b values (?)");
        script.beside("update c set d = ?");
        script.statement("commit");
        let texts: Vec<_> = script.messages.iter().map(|(texts, _)| numbered(&together(texts))).collect();
        let changes = "with change_0 as (insert into a values ($1, $2)), change_1 as (insert into b values ($3)) update c set d = $4";
        assert_eq!(texts, ["begin", changes, "commit"]);
    }
}
