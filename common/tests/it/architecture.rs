//! The directions of ARCHITECTURE.md, held by reading the sources: who may use whom, and where SQL and HTTP may stand.

use std::fs;
use std::path::{Path, PathBuf};

/// A module (a folder or a file under `src`) and the modules of the same crate that it must not use.
type Forbidden = (&'static str, &'static [&'static str]);

const CONSUMER_EDGES: &[&str] = &["actions", "api", "intake", "live", "pages", "rooms"];
const CONSUMER: &[Forbidden] = &[
    ("store", &["actions", "api", "bus", "intake", "live", "log", "pages", "rereading", "rooms", "rules"]),
    ("rules", &["actions", "api", "bus", "feed", "intake", "live", "log", "pages", "rereading", "rooms", "store"]),
    ("rereading", &["actions", "api", "bus", "intake", "live", "log", "pages", "rooms"]),
    ("bus", &["actions", "api", "intake", "live", "log", "pages", "rooms", "store"]),
    ("devices", &["actions", "api", "bus", "intake", "live", "log", "pages", "rooms", "store"]),
    ("log", CONSUMER_EDGES),
    // Pure: settings, secrets and a request go in, a verdict comes out.
    ("guards", &["actions", "api", "bus", "feed", "intake", "live", "log", "pages", "rooms", "sources", "store"]),
    ("sources", &["actions", "api", "bus", "feed", "intake", "live", "log", "pages", "rooms"]),
    ("intake", CONSUMER_EDGES),
    ("actions", CONSUMER_EDGES),
    ("rooms", CONSUMER_EDGES),
    ("live", CONSUMER_EDGES),
    // Its OpenAPI document names the intake's route, and nothing else of another edge.
    ("api", &["actions", "live", "pages", "rooms"]),
    // What the administrator does with keys and actions is one piece for pages and API; of the routes of actions they use none.
    ("pages", &["actions::admin", "actions::public", "api", "intake", "live", "rooms"]),
];
const PRODUCER: &[Forbidden] = &[
    ("store", &["api", "delivery", "pages", "progress", "service", "sources", "trigger"]),
    ("sources", &["api", "delivery", "pages", "progress", "store"]),
    ("trigger", &["api", "delivery", "pages", "progress", "service"]),
    ("service", &["api", "delivery", "pages", "sources"]),
    ("delivery", &["api", "pages", "service", "sources", "trigger"]),
    ("progress", &["api", "delivery", "pages", "sources", "trigger"]),
    ("api", &["delivery", "pages"]),
    ("pages", &["api", "delivery"]),
];
/// What a statement cannot do without. The errors of sqlx may pass through anywhere.
const SQL: &[&str] = &["sqlx::query", "sqlx::query_as", "sqlx::query_scalar", "AssertSqlSafe", "AnyConnection"];
/// The modules that may speak of HTTP requests and answers; `lib.rs` puts the routers together.
const HTTP_EDGES: &[&str] = &["actions", "api", "extract", "intake", "lib", "pages", "rooms", "sockets"];

#[test]
fn a_module_uses_only_what_lies_in_its_direction() {
    for (service, rules) in [("consumer", CONSUMER), ("producer", PRODUCER)] {
        for source in sources(service) {
            let rule = rules.iter().find(|(module, _)| *module == source.module);
            for target in rule.map_or(&[][..], |(_, targets)| targets) {
                let uses = *target != source.module && source.uses(target);
                assert!(!uses, "{} uses crate::{target}, against the directions", source.path.display());
            }
        }
    }
}

#[test]
fn the_services_know_common_and_not_each_other() {
    for (package, others) in
        [("common", &["producer", "consumer"][..]), ("producer", &["consumer"]), ("consumer", &["producer"])]
    {
        let manifest = fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap();
        for other in others {
            let depends = manifest
                .lines()
                .any(|line| line.starts_with(&format!("{other}.")) || line.starts_with(&format!("{other} ")));
            assert!(!depends, "{package} depends on {other}");
        }
    }
}

#[test]
fn sql_stands_in_the_stores_only() {
    for service in ["consumer", "producer"] {
        for source in sources(service).filter(|source| source.module != "store") {
            let speaks_sql = SQL.iter().any(|name| source.mentions(name));
            assert!(!speaks_sql, "{} speaks SQL outside store/", source.path.display());
        }
    }
}

#[test]
fn http_types_stand_at_the_edges_only() {
    for service in ["consumer", "producer"] {
        for source in sources(service).filter(|source| !HTTP_EDGES.contains(&source.module.as_str())) {
            assert!(!source.mentions("axum::"), "{} uses axum away from the edges", source.path.display());
        }
    }
}

#[test]
fn each_file_says_what_it_is_and_is_short_enough_to_read() {
    let all = ["common", "consumer", "producer", "static"].into_iter().flat_map(sources);
    let bad: Vec<PathBuf> = all
        .filter(|source| !source.text.starts_with("//!") || source.text.lines().count() > 300)
        .map(|source| source.path)
        .collect();
    assert!(bad.is_empty(), "no module comment at the head, or longer than 300 lines: {bad:#?}");
}

/// One file of a crate's `src`, without its unit tests.
pub struct Source {
    pub path: PathBuf,
    /// The first folder under `src`, or the file's stem.
    module: String,
    pub text: String,
}

impl Source {
    /// Whether it names this module of its crate, by a path or in a group (`use crate::{App, api};`).
    fn uses(&self, module: &str) -> bool {
        let groups = self.text.split("crate::{").skip(1).flat_map(top_names);
        self.mentions(&format!("crate::{module}")) || groups.into_iter().any(|name| name == module)
    }

    /// Whether its code, comments left out, has `name` as a whole path.
    fn mentions(&self, name: &str) -> bool {
        let code = self.text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let mut rests = code.flat_map(|line| line.match_indices(name).map(move |(at, _)| &line[at + name.len()..]));
        rests.any(|rest| name.ends_with(':') || !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
    }
}

/// `App`, `api` and `store` of `App, api, store::{counts, events}};`: the first names of a group that was opened before this text.
fn top_names(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    names.into_iter().map(|item| item.trim().split("::").next().unwrap_or_default()).collect()
}

#[test]
fn the_names_of_a_group_are_found() {
    assert_eq!(
        top_names("App, api,\n store::{counts, events::{self}}, live::Frame};\nuse x::{y};"),
        ["App", "api", "store", "live"]
    );
}

pub fn sources(package: &str) -> impl Iterator<Item = Source> {
    let src = root().join(package).join("src");
    files(&src).into_iter().map(move |path| {
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
        let first = path.strip_prefix(&src).unwrap().components().next().unwrap();
        let module = Path::new(first.as_os_str()).file_stem().unwrap().to_str().unwrap().to_owned();
        Source { path, module, text }
    })
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
