//! Every route that the sources of a service have, as `METHOD /path`: what a test of all routes is held against, so that a new one is not forgotten.

use std::{collections::BTreeSet, fs, path::Path};

const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "options"];

/// Panics unless the list has every route of the sources below the folders, each once, and no other.
pub fn are_all<'a>(known: impl Iterator<Item = &'a str>, folders: &[&str]) {
    let known: Vec<String> = known.map(str::to_owned).collect();
    let unique: BTreeSet<String> = known.iter().cloned().collect();
    assert_eq!(known.len(), unique.len(), "each stands behind one door");
    let found = in_sources(folders);
    let missing: Vec<_> = found.difference(&unique).collect();
    let gone: Vec<_> = unique.difference(&found).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "say in doors.rs who may ask for {missing:?}; there is no {gone:?} any more"
    );
}

/// The routes in the `.rs` files below the folders, which are named from the root of the workspace.
fn in_sources(folders: &[&str]) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = BTreeSet::new();
    for folder in folders {
        collect(&root.join(folder), &mut found);
    }
    assert!(found.len() > 10, "the sources are not where they were: {found:?}");
    found
}

fn collect(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            by_router(&source, found);
            by_document(&source, found);
        }
    }
}

/// `.route("/path", get(…).post(…))`
fn by_router(source: &str, found: &mut BTreeSet<String>) {
    for rest in source.split(".route(").skip(1) {
        let Some((path, rest)) = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"')) else {
            continue;
        };
        let call = within(rest);
        let before = found.len();
        for method in METHODS {
            if call.contains(&format!(" {method}(")) || call.contains(&format!(".{method}(")) {
                found.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
        assert!(
            found.len() > before
                || METHODS.iter().any(|method| found.contains(&format!("{} {path}", method.to_uppercase()))),
            "{path}: with which method?"
        );
    }
}

/// Up to the parenthesis that closes what was open at the beginning.
fn within(rest: &str) -> &str {
    let mut depth = 1;
    let end = rest.find(|letter| {
        depth += match letter {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    });
    &rest[..end.unwrap_or(rest.len())]
}

/// `#[utoipa::path(get, path = "/path", …)]`
fn by_document(source: &str, found: &mut BTreeSet<String>) {
    for rest in source.split("utoipa::path(").skip(1) {
        let (method, rest) = rest.split_once(',').unwrap();
        let path = rest.split_once("path = \"").unwrap().1.split('"').next().unwrap();
        found.insert(format!("{} {path}", method.trim().to_uppercase()));
    }
}
