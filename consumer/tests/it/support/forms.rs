//! The pages as a browser without scripts uses them: one is read, a form is sent, and it leads on or is refused.

use reqwest::Response;

use super::TestApp;

/// A page that is there.
pub async fn page(app: &TestApp, path: &str) -> String {
    let answer = app.get(path).await;
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, 200, "{path}: {text}");
    text
}

/// Sends a form.
pub async fn form(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> Response {
    let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    app.post(path, &[("content-type", "application/x-www-form-urlencoded"), ("accept", "text/html")], body).await
}

/// Where a form that was taken leads.
pub fn place(answer: &Response) -> &str {
    assert_eq!(answer.status(), 303);
    answer.headers()["location"].to_str().unwrap()
}

pub fn leads_to(answer: &Response, path: &str) {
    assert_eq!(place(answer), path);
}

/// A form that was not taken: the page that comes back says why, in these words.
pub async fn refused(answer: Response, status: u16, words: &str) -> String {
    let (told, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    assert!(told == status && text.contains(words), "{told}, not {words}: {text}");
    text
}
