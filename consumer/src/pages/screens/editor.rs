//! The content of a screen as a form: rows that are added, removed and moved by buttons, and read as they were typed.

use common::fields::Fields;
use serde_json::{Map, Value, json};

use crate::actions::screens::content::{Content, Show};

/// A form has no more rows than a screen takes.
const MOST: [(&str, usize); 3] = [("item", 100), ("source", 20), ("rule", 50)];

/// What stands in the form.
#[derive(Clone, Debug, Default)]
pub struct Editor {
    pub items: Vec<Row>,
    pub sources: Vec<SourceRow>,
    pub rules: Vec<Row>,
}

/// An item or a rule.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub kind: String,
    pub url: String,
    pub title: String,
    pub text: String,
    pub datasource: String,
    pub color: String,
    pub seconds: String,
    /// Of a rule.
    pub sensor: String,
    pub event: String,
    pub value: String,
}

#[derive(Clone, Debug, Default)]
pub struct SourceRow {
    pub name: String,
    pub url: String,
    pub every: String,
}

impl Editor {
    /// The content as it is stored.
    pub fn of(content: &Content) -> Self {
        let source = |it: &crate::actions::screens::content::Datasource| SourceRow {
            name: it.name.clone(),
            url: it.url.clone(),
            every: it.every_seconds.to_string(),
        };
        let owned = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            items: content.items.iter().map(|item| Row::of(&item.show, item.seconds)).collect(),
            sources: content.datasources.iter().map(source).collect(),
            rules: content
                .rules
                .iter()
                .map(|rule| Row {
                    sensor: owned(&rule.sensor),
                    event: owned(&rule.event),
                    value: owned(&rule.value),
                    ..Row::of(&rule.show, rule.seconds)
                })
                .collect(),
        }
    }

    /// What was typed.
    pub fn typed(fields: &Fields) -> Self {
        let count = |at: usize| {
            let (group, most) = MOST[at];
            fields.get(&format!("{group}s")).parse::<usize>().unwrap_or(0).min(most)
        };
        let of = |group: &'static str, at: usize| move |name: &str| fields.owned(&format!("{group}-{at}-{name}"));
        let row = |group: &'static str, at: usize| Row::typed(&of(group, at));
        let source = |at: usize| {
            let of = of("source", at);
            SourceRow { name: of("name"), url: of("url"), every: of("every") }
        };
        Self {
            items: (0..count(0)).map(|at| row("item", at)).collect(),
            sources: (0..count(1)).map(source).collect(),
            rules: (0..count(2)).map(|at| row("rule", at)).collect(),
        }
    }

    /// Does what a button of the form says: `add-item`, `remove-rule-2`, `up-item-1`; false: it is no such button.
    pub fn press(&mut self, button: &str) -> bool {
        let mut words = button.splitn(3, '-');
        let (what, group) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let at = words.next().and_then(|at| at.parse().ok());
        match group {
            "item" => press(&mut self.items, what, at, Row::fresh),
            "rule" => press(&mut self.rules, what, at, Row::fresh),
            "source" => press(&mut self.sources, what, at, SourceRow::fresh),
            _ => false,
        }
    }

    /// What the form says, as it would be written; rows of datasources that are empty say nothing.
    pub fn value(&self) -> Value {
        let sources = self.sources.iter().filter(|row| !(row.name.is_empty() && row.url.is_empty()));
        let source = |row: &SourceRow| json!({"name": row.name, "url": row.url, "every_seconds": number(&row.every)});
        json!({
            "items": self.items.iter().map(Row::item).collect::<Vec<_>>(),
            "datasources": sources.map(source).collect::<Vec<_>>(),
            "rules": self.rules.iter().map(Row::rule).collect::<Vec<_>>(),
        })
    }
}

fn press<T>(rows: &mut Vec<T>, what: &str, at: Option<usize>, fresh: fn() -> T) -> bool {
    match (what, at) {
        ("add", None) => rows.push(fresh()),
        ("remove", Some(at)) if at < rows.len() => drop(rows.remove(at)),
        ("up", Some(at)) if (1..rows.len()).contains(&at) => rows.swap(at - 1, at),
        ("down", Some(at)) if at + 1 < rows.len() => rows.swap(at, at + 1),
        ("remove" | "up" | "down", Some(_)) => {}
        _ => return false,
    }
    true
}

/// A whole number, or the text that is none, which is told apart later.
fn number(text: &str) -> Value {
    text.parse::<u32>().map_or_else(|_| Value::from(text), Value::from)
}

impl SourceRow {
    fn fresh() -> Self {
        Self { every: "60".into(), ..Self::default() }
    }
}

impl Row {
    fn fresh() -> Self {
        Self { kind: "web".into(), seconds: "20".into(), ..Self::default() }
    }

    fn of(show: &Show, seconds: u32) -> Self {
        let mut row = Self { seconds: seconds.to_string(), ..Self::default() };
        match show {
            Show::Web { url } => (row.kind, row.url) = ("web".into(), url.clone()),
            Show::Image { url } => (row.kind, row.url) = ("image".into(), url.clone()),
            Show::Dashboard {} => row.kind = "dashboard".into(),
            Show::Card { title, text, datasource, color } => {
                (row.kind, row.text) = ("card".into(), text.clone());
                row.title = title.clone().unwrap_or_default();
                row.datasource = datasource.clone().unwrap_or_default();
                row.color = color.clone().unwrap_or_default();
            }
        }
        row
    }

    fn typed(of: &impl Fn(&str) -> String) -> Self {
        Self {
            kind: of("kind"),
            url: of("url"),
            title: of("title"),
            // A browser sends lines with a carriage return.
            text: of("text").replace('\r', ""),
            datasource: of("datasource"),
            color: of("color"),
            seconds: of("seconds"),
            sensor: of("sensor"),
            event: of("event"),
            value: of("value"),
        }
    }

    fn show(&self) -> Map<String, Value> {
        let mut show = Map::from_iter([("type".to_owned(), json!(self.kind))]);
        let mut put = |name: &str, text: &str, is_needed: bool| {
            if is_needed || !text.is_empty() {
                show.insert(name.to_owned(), json!(text));
            }
        };
        match self.kind.as_str() {
            "web" | "image" => put("url", &self.url, true),
            "card" => {
                put("text", &self.text, true);
                put("title", &self.title, false);
                put("datasource", &self.datasource, false);
                put("color", &self.color, false);
            }
            _ => {}
        }
        show
    }

    fn item(&self) -> Value {
        let mut item = self.show();
        item.insert("seconds".into(), number(&self.seconds));
        Value::Object(item)
    }

    fn rule(&self) -> Value {
        let mut rule = json!({"show": self.show(), "seconds": number(&self.seconds)});
        for (name, text) in [("sensor", &self.sensor), ("event", &self.event), ("value", &self.value)] {
            if !text.is_empty() {
                rule[name] = json!(text);
            }
        }
        rule
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_says_again_what_the_content_is() {
        let content = json!({
            "items": [
                {"type": "card", "title": "Now", "text": "a\nb", "datasource": "w", "color": "#00aa88", "seconds": 15},
                {"type": "web", "url": "https://a.example/", "seconds": 20},
                {"type": "dashboard", "seconds": 30},
            ],
            "datasources": [{"name": "w", "url": "https://a.example/w", "every_seconds": 60}],
            "rules": [{"event": "open", "value": "1", "show": {"type": "image", "url": "http://a/x.png"}, "seconds": 9}],
        });
        let read = Content::read(content).unwrap();
        assert_eq!(Content::read(Editor::of(&read).value()), Ok(read));
    }

    #[test]
    fn buttons_add_remove_and_move_rows() {
        let mut editor = Editor::of(&Content::default());
        assert!(editor.press("add-item") && editor.press("up-item-1") && editor.press("add-source"));
        assert_eq!(editor.items.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(), ["web", "dashboard"]);
        assert!(editor.press("down-item-0") && editor.press("remove-item-1") && editor.press("remove-item-9"));
        assert_eq!((editor.items.len(), editor.items[0].kind.as_str()), (1, "dashboard"));
        for nothing in ["save", "add-door", "remove-item", "up-item-x", ""] {
            assert!(!editor.press(nothing), "{nothing}");
        }
        assert!(Content::read(editor.value()).is_ok(), "an empty datasource says nothing");
    }
}
