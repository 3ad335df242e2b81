//! What `/readyz` says while something is away.

use reqwest::Client;
use serde_json::Value;

use super::STAGE;
use crate::support::eventually;
use crate::support::stack::Service;

/// Waits until the program's `/readyz` answers this status with these checks, such as `("broker", "down")`.
pub async fn says(client: &Client, service: &Service, status: u16, checks: &[(&str, &str)]) {
    let url = format!("{}/readyz", service.url);
    let what = format!("{url} says {status} {checks:?}");
    eventually(&what, STAGE, async || {
        let answer = client.get(&url).send().await.ok()?;
        let told = answer.status().as_u16();
        let body: Value = serde_json::from_str(&answer.text().await.ok()?).ok()?;
        let agrees = checks.iter().all(|(check, word)| body["checks"][check] == *word);
        (told == status && agrees).then_some(())
    })
    .await;
}
