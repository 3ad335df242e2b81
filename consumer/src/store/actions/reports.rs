//! What devices report of their commands: many reports in one commit, in few statements.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::{AnyConnection, Row as _};

use common::db::{self, Db, Kind, Script, bind};

/// What is told of a command, by a connection of its device.
#[derive(Clone, Debug)]
pub struct Report {
    pub device: String,
    pub number: i64,
    pub session: String,
    pub at_ms: i64,
    pub news: News,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    Sent,
    Acknowledged,
    /// It began, and its end is to come.
    Going(String),
    Done(Option<String>),
    Failed(Option<String>),
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The state in which the command is now; `None`: there is no such command.
    pub state: Option<String>,
    /// Whether this report brought it there.
    pub moved: bool,
}

/// A command: its device and its number.
type Key<'a> = (&'a str, i64);

impl Report {
    fn key(&self) -> Key<'_> {
        (&self.device, self.number)
    }

    /// What was said at the end, or by which connection.
    fn text(&self) -> Option<String> {
        match &self.news {
            News::Sent | News::Acknowledged => Some(self.session.clone()),
            News::Going(said) => Some(said.clone()),
            News::Done(said) | News::Failed(said) => said.clone(),
        }
    }
}

/// Stores the reports in one commit; each is told what became of it.
///
/// A command is acknowledged in its time only, to the device's newest connection only, and once to each connection: who is told that it moved, and
/// nobody else, does it.
///
/// # Errors
/// When the database fails; nothing is stored then.
pub async fn report(db: &Db, reports: &[Report]) -> sqlx::Result<Vec<Told>> {
    let mut transaction = db.write.begin().await?;
    let mut told = vec![Told { state: None, moved: false }; reports.len()];
    for wave in waves(reports) {
        apply(&mut transaction, db.kind, (reports, &wave), &mut told).await?;
    }
    transaction.commit().await?;
    Ok(told)
}

/// The places of the reports, in turns: what is said of one command is in the order in which it came, each in a turn of its own.
fn waves(reports: &[Report]) -> Vec<Vec<usize>> {
    let (mut waves, mut turns) = (Vec::<Vec<usize>>::new(), HashMap::<Key, usize>::new());
    for (place, report) in reports.iter().enumerate() {
        let turn = turns.entry(report.key()).or_default();
        if *turn == waves.len() {
            waves.push(Vec::new());
        }
        waves[*turn].push(place);
        *turn += 1;
    }
    waves
}

/// The state that a kind of news brings a command to, and when it does.
const fn change(news: &News) -> (&'static str, &'static str) {
    match news {
        News::Sent => ("sent", "sent_ms = v.column3 from {} where commands.state = 'queued'"),
        News::Acknowledged => (
            "acknowledged",
            "acknowledged_ms = v.column3, session = v.column4 from {} where commands.expires_ms > v.column3 \
             and (commands.state in ('queued', 'sent') or (commands.state = 'acknowledged' and commands.session <> v.column4)) \
             and exists (select 1 from action_devices where action_devices.id = v.column1 and action_devices.session = v.column4)",
        ),
        News::Going(_) => (
            "acknowledged",
            "acknowledged_ms = coalesce(commands.acknowledged_ms, v.column3), said = v.column4 from {} where commands.state = 'acknowledged'",
        ),
        News::Done(_) => {
            ("done", "ended_ms = v.column3, said = v.column4 from {} where commands.state = 'acknowledged'")
        }
        News::Failed(_) => {
            ("failed", "ended_ms = v.column3, said = v.column4 from {} where commands.state = 'acknowledged'")
        }
    }
}

/// Stores reports of different commands.
async fn apply(
    connection: &mut AnyConnection,
    kind: Kind,
    (reports, wave): (&[Report], &[usize]),
    told: &mut [Told],
) -> sqlx::Result<()> {
    let moved = write(connection, kind, (reports, wave)).await?;
    let mut unmoved = Vec::new();
    for place in wave {
        let report = &reports[*place];
        told[*place].moved = moved.contains(&(report.device.clone(), report.number));
        match (&report.news, told[*place].moved) {
            (News::Sent, _) => {}
            (news, true) => told[*place].state = Some(change(news).0.to_owned()),
            (_, false) => unmoved.push(*place),
        }
    }
    look(connection, kind, (reports, &unmoved), told).await
}

/// Makes the changes, those of one kind together; gives the commands that moved.
async fn write(
    connection: &mut AnyConnection,
    kind: Kind,
    (reports, wave): (&[Report], &[usize]),
) -> sqlx::Result<HashSet<(String, i64)>> {
    let mut alike = BTreeMap::<(&str, &str), Vec<usize>>::new();
    for place in wave {
        alike.entry(change(&reports[*place].news)).or_default().push(*place);
    }
    let mut script = Script::new(kind);
    for (change, places) in &alike {
        let mut left = places.as_slice();
        while !left.is_empty() {
            let (some, rest) = left.split_at(db::fitting(left, |place| size(&reports[*place])));
            update(&mut script, *change, some.iter().map(|place| &reports[*place]))?;
            left = rest;
        }
    }
    let rows = script.run(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

fn size(report: &Report) -> usize {
    report.device.len() + report.text().map_or(0, |text| text.len()) + 100
}

fn update<'a>(
    script: &mut Script,
    (state, change): (&str, &str),
    reports: impl ExactSizeIterator<Item = &'a Report>,
) -> sqlx::Result<()> {
    // What each column is, PostgreSQL cannot see from the places that values go to.
    let row = "(cast(? as text), cast(? as bigint), cast(? as bigint), cast(? as text))";
    let values = format!("(values {}) as v", vec![row; reports.len()].join(","));
    let arguments = script.statement(&format!(
        "update commands set state = '{state}', {} and commands.device = v.column1 and commands.number = v.column2 \
         returning commands.device, commands.number",
        change.replacen("{}", &values, 1)
    ));
    for report in reports {
        bind(arguments, report.device.clone())?;
        bind(arguments, report.number)?;
        bind(arguments, report.at_ms)?;
        bind(arguments, report.text())?;
    }
    Ok(())
}

/// Where the commands stand whose reports changed nothing.
async fn look(
    connection: &mut AnyConnection,
    kind: Kind,
    (reports, places): (&[Report], &[usize]),
    told: &mut [Told],
) -> sqlx::Result<()> {
    let mut states = HashMap::<(String, i64), String>::new();
    let mut left = places;
    while !left.is_empty() {
        let (some, rest) = left.split_at(db::step(left.len()));
        let mut script = Script::new(kind);
        let rows = vec!["(cast(? as text), cast(? as bigint))"; some.len()].join(",");
        let arguments = script.statement(&format!(
            "select commands.device, commands.number, commands.state from (values {rows}) as v \
             join commands on commands.device = v.column1 and commands.number = v.column2"
        ));
        for place in some {
            bind(arguments, reports[*place].device.clone())?;
            bind(arguments, reports[*place].number)?;
        }
        for row in script.run(connection).await? {
            states.insert((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?);
        }
        left = rest;
    }
    for place in places {
        let (device, number) = reports[*place].key();
        told[*place].state = states.get(&(device.to_owned(), number)).cloned();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_one_command_stays_in_its_order() {
        let report =
            |device: &str, number, news| Report { device: device.into(), number, session: "s".into(), at_ms: 0, news };
        let reports = [
            report("a", 1, News::Sent),
            report("b", 1, News::Sent),
            report("a", 1, News::Acknowledged),
            report("a", 2, News::Sent),
            report("a", 1, News::Done(None)),
        ];
        assert_eq!(waves(&reports), [vec![0, 1, 3], vec![2], vec![4]]);
    }
}
