//! The examples of docs/sources.md: its file is read, and each of its lines for the shell is answered OK.

use tokio::process::Command;

use super::{File, root};
use crate::support::{
    TestApp,
    database::{Database, Mode},
};

/// The blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let blocks = text.split(&opening).skip(1);
    blocks.filter_map(|rest| rest.split_once("```")).map(|(block, _)| block.to_owned()).collect()
}

#[tokio::test]
async fn the_file_and_every_line_for_the_shell_work() {
    let docs = std::fs::read_to_string(root().join("docs/sources.md")).unwrap();
    let database = Database::create(Mode::Embedded).await;
    let file = File::new(&blocks(&docs, "yaml")[0]);
    let app = TestApp::start(&database, &[&file.setting()]).await;
    let mut expected = 0;
    for block in blocks(&docs, "sh") {
        let script = block.replace("http://localhost:5001", &app.url(""));
        let calls = block.matches("curl ").count();
        let run = Command::new("bash").args(["-euc", &script]).kill_on_drop(true).output().await.unwrap();
        assert_eq!(String::from_utf8_lossy(&run.stdout), "OK".repeat(calls), "{block}\n{run:?}");
        expected += i64::try_from(calls).unwrap();
    }
    assert_eq!((app.total().await, expected), (13, 13));
    let shown = app.json("/api/sources").await;
    for guard in [
        "token",
        "basic",
        "standard_webhooks",
        "accounts_api",
        "github",
        "stripe",
        "shopify",
        "slack",
        "twilio",
        "hmac",
    ] {
        let used = shown["sources"].as_array().unwrap().iter().any(|one| one["guard"] == guard && one["total"] != 0);
        assert!(used, "{guard}: {shown}");
    }
    app.end().await;
}
