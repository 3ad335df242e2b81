//! How a receiver verifies `webhook-signature`, in five languages: the very files that the tests run.

/// A complete function to paste.
pub struct Snippet {
    /// As it is written for people.
    pub language: &'static str,
    /// The same as part of an address or an attribute.
    pub id: &'static str,
    pub text: &'static str,
}

pub const ALL: [Snippet; 5] = [
    Snippet { language: "Python", id: "python", text: include_str!("../snippets/verify.py") },
    Snippet { language: "Node", id: "node", text: include_str!("../snippets/verify.mjs") },
    Snippet { language: "Ruby", id: "ruby", text: include_str!("../snippets/verify.rb") },
    Snippet { language: "Go", id: "go", text: include_str!("../snippets/verify.go") },
    Snippet { language: "Rust", id: "rust", text: include_str!("../snippets/verify.rs") },
];
