//! The front end as bytes: scripts, styles and the icon, bundled at build time, served under hashed addresses that never change their content.

mod negotiate;

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use negotiate::Encoding;

struct Asset {
    name: &'static str,
    url: &'static str,
    hash: &'static str,
    plain: &'static [u8],
    br: &'static [u8],
    gzip: &'static [u8],
}

const ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/web/table.rs"));

/// The address of a file by its plain name, as in `url("site.css")`; a name that does not exist gives an address that answers 404.
#[must_use]
pub fn url(name: &str) -> &'static str {
    ASSETS.iter().find(|asset| asset.name == name).map_or("/assets/missing", |asset| asset.url)
}

/// Serves `/assets/…`: brotli, gzip or plain as the client accepts, 304 for a known `ETag`, cacheable for ever.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{file}", get(serve))
}

async fn serve(Path(file): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.url.strip_prefix("/assets/") == Some(&file)) else {
        return (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")], "no such asset\n").into_response();
    };
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
    let encoding = negotiate::best(accepted);
    let etag = format!("\"{}-{}\"", asset.hash, encoding.name());
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut response =
        if negotiate::knows(known, &etag) { StatusCode::NOT_MODIFIED.into_response() } else { body(asset, encoding) };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(value) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, value);
    }
    response
}

fn body(asset: &Asset, encoding: Encoding) -> Response {
    let bytes = match encoding {
        Encoding::Brotli => asset.br,
        Encoding::Gzip => asset.gzip,
        Encoding::Identity => asset.plain,
    };
    let mut response = ([(header::CONTENT_TYPE, content_type(asset.name))], bytes).into_response();
    if encoding != Encoding::Identity {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    response
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::Body,
        http::{HeaderMap, Request, StatusCode},
    };
    use tower::ServiceExt;

    use super::{ASSETS, router, url};

    async fn get(path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap) {
        let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
        let router: Router = router();
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        (response.status(), response.headers().clone())
    }

    #[tokio::test]
    async fn a_file_comes_compressed_as_asked_and_is_cached_for_ever() {
        for (accepted, expected) in [("gzip, br", Some("br")), ("br;q=0, gzip", Some("gzip")), ("", None)] {
            let (status, headers) = get(url("site.js"), &[("accept-encoding", accepted)]).await;
            let encoding = headers.get("content-encoding").map(|value| value.to_str().unwrap());
            assert_eq!((status, encoding), (StatusCode::OK, expected), "{accepted}");
            assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
            assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");
        }
    }

    #[tokio::test]
    async fn a_known_file_is_not_sent_again_and_an_unknown_one_is_not_found() {
        let (_, headers) = get(url("site.css"), &[("accept-encoding", "br")]).await;
        let known = [("accept-encoding", "br"), ("if-none-match", headers["etag"].to_str().unwrap())];
        assert_eq!(get(url("site.css"), &known).await.0, StatusCode::NOT_MODIFIED);
        let other = [("accept-encoding", "gzip"), known[1]];
        assert_eq!(get(url("site.css"), &other).await.0, StatusCode::OK);
        assert_eq!(get("/assets/site.css", &[]).await.0, StatusCode::NOT_FOUND);
    }

    #[test]
    fn every_file_the_pages_name_exists() {
        let scripts = ["theme.js", "site.js", "consumer.js", "producer.js", "docs.js", "screen.js"];
        for name in scripts.into_iter().chain(["site.css", "screen.css", "icon.svg"]) {
            assert!(url(name).starts_with(&format!("/assets/{}-", name.split('.').next().unwrap())), "{name}");
        }
    }

    fn weight(parts: &[&str]) -> usize {
        ASSETS.iter().filter(|asset| parts.contains(&asset.name)).map(|asset| asset.br.len()).sum()
    }

    #[test]
    fn the_dashboard_weighs_at_most_100_kb() {
        let weight = weight(&["theme.js", "site.js", "consumer.js", "site.css", "icon.svg"]);
        assert!(weight <= 100_000, "{weight} bytes of brotli");
    }

    #[test]
    fn a_screen_weighs_at_most_25_kb() {
        let weight = weight(&["screen.js", "screen.css"]);
        assert!(weight <= 25_000, "{weight} bytes of brotli");
    }
}
