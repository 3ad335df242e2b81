//! What the description of an API says of all its operations alike.

use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, RefOr, Response, ResponseBuilder, path::Operation};

const PROBLEM: &str = "application/problem+json";

/// Says of every operation what is answered before it is looked at: 400 to an address with a NUL in it.
pub fn describe_edge(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations(item) {
            let answer = answers(operation, "400", "Says what to change");
            if let RefOr::T(response) = answer
                && !response.content.is_empty()
            {
                response.content.entry(PROBLEM.to_owned()).or_insert_with(|| RefOr::T(ContentBuilder::new().build()));
            }
        }
    }
}

/// The operations of a path, by their methods.
pub fn operations(item: &mut PathItem) -> Vec<(&'static str, &mut Operation)> {
    let all = [
        ("get", item.get.as_mut()),
        ("put", item.put.as_mut()),
        ("post", item.post.as_mut()),
        ("patch", item.patch.as_mut()),
        ("delete", item.delete.as_mut()),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation?))).collect()
}

/// The answer with this status; it is added where the operation itself says nothing of it.
pub fn answers<'a>(operation: &'a mut Operation, status: &str, words: &str) -> &'a mut RefOr<Response> {
    let response = || ResponseBuilder::new().description(words).build().into();
    operation.responses.responses.entry(status.to_owned()).or_insert_with(response)
}
