//! The layers between the network and the handlers: who may call at all, and what every answer carries.

use std::{borrow::Cow, net::SocketAddr, sync::Arc, time::Duration};

use askama::Template;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    trace::TraceLayer,
};

use crate::{
    config::{CommonArgs, is_loopback},
    problem::Problem,
    rejection, slow,
};

const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// A body must be here, and an answer must begin, within this time.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Whom the service lets near: on loopback only this machine's own names and pages.
#[derive(Clone, Debug)]
pub struct Edge {
    loopback: bool,
    allowed_hosts: Arc<[String]>,
    allowed_origins: Arc<[String]>,
}

impl Edge {
    #[must_use]
    pub fn new(listen: SocketAddr, settings: &CommonArgs) -> Self {
        Self {
            loopback: is_loopback(listen),
            allowed_hosts: settings.allowed_hosts.clone().into(),
            allowed_origins: settings.allowed_origins.clone().into(),
        }
    }

    /// Why this request may not come in: a foreign Host on loopback, a foreign page that wants to act, or a NUL that no database takes.
    #[must_use]
    pub fn refusal(&self, request: &Request) -> Option<Problem> {
        if !self.host_is_good(request.headers(), request.uri()) {
            let detail =
                "This service listens on loopback and answers to localhost only. Name other hosts in ALLOWED_HOSTS.";
            return Some(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail));
        }
        if !request.method().is_safe() && !self.origin_is_good(request.headers()) {
            let detail = "A page of another origin may not act here. Name its origin in ALLOWED_ORIGINS if it should.";
            return Some(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        if request.uri().path_and_query().is_some_and(|asked| asked.as_str().contains("%00")) {
            return Some(Problem::bad_request("A NUL (%00) is in no name and no text here; leave it out."));
        }
        None
    }

    /// On loopback, only a name of this machine is a good Host: a foreign name that resolves to 127.0.0.1 is DNS rebinding.
    fn host_is_good(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        if !self.loopback {
            return true;
        }
        let Some(host) = host_of(headers, uri) else {
            return true;
        };
        let name = host_name(&host);
        is_own_name(name) || self.allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
    }

    /// Whether a page of this `Origin` may act here: our own pages, those named in `ALLOWED_ORIGINS`, and on loopback this machine's.
    /// Programs send no `Origin` and pass.
    #[must_use]
    pub fn origin_is_good(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else {
            return headers.get("sec-fetch-site").is_none_or(|site| site != "cross-site");
        };
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        if self.allowed_origins.iter().any(|allowed| allowed.trim_end_matches('/') == origin) {
            return true;
        }
        let Some((_, authority)) = origin.split_once("://") else {
            // A browser writes a scheme, or null; senders of CloudEvents write their DNS name (HTTP webhooks, version 1.0.1).
            return origin != "null" && is_dns_name(origin);
        };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
            || (self.loopback && is_own_name(host_name(authority)))
    }
}

fn is_dns_name(origin: &str) -> bool {
    origin.contains('.') && origin.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

fn host_of<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<Cow<'a, str>> {
    let header = headers.get(header::HOST).map(|host| String::from_utf8_lossy(host.as_bytes()));
    header.or_else(|| uri.host().map(Cow::Borrowed))
}

/// `localhost` of `localhost:5001`, `[::1]` of `[::1]:5001`.
fn host_name(authority: &str) -> &str {
    match authority.rfind(']') {
        Some(end) => &authority[..=end],
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn is_own_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Puts in front of `router` what every route needs: the checks of Host and Origin, and a time for the body.
pub fn guard(router: Router, edge: &Edge) -> Router {
    slow::limit_bodies(router, TIMEOUT).layer(middleware::from_fn_with_state(edge.clone(), check))
}

async fn check(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    match edge.refusal(&request) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

/// Puts in front of pages and APIs what makes them fit for browsers: a time for the answer, request ids, a log line, compression, security headers, problems as pages.
/// `sites` is what the pages of the program link to.
pub fn harden(router: Router, sites: Sites) -> Router {
    slow::limit_answers(router, TIMEOUT)
        .layer(middleware::from_fn(rejection::as_problem))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            Problem::internal(&"a handler panicked").into_response()
        }))
        .layer(middleware::from_fn_with_state(sites, problems_as_pages))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn(security_headers))
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(()))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
}

fn span(request: &Request) -> tracing::Span {
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    tracing::info_span!("request", request.id = id, request.method = %request.method(), request.path = request.uri().path())
}

async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// The navigation of a program's pages: label and path.
pub type Nav = &'static [(&'static str, &'static str)];
/// The home of pages that belong together, below which they lie, and their navigation. The last one is home to whatever is below no other.
pub type Sites = &'static [(&'static str, Nav)];

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    title: String,
    status: u16,
    detail: String,
    instance: String,
    /// Whether asking again repeats nothing.
    is_safe: bool,
    home: &'static str,
    nav: Nav,
}

/// A browser that asked for a page gets its error as a page.
async fn problems_as_pages(State(sites): State<Sites>, request: Request, next: Next) -> Response {
    let wants_page = wants_page(request.headers());
    let (instance, is_safe) = (request.uri().path().to_owned(), request.method().is_safe());
    let site = sites.iter().find(|(home, _)| instance.starts_with(home)).or(sites.last());
    let (home, nav) = site.copied().unwrap_or(("/", &[]));
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>().filter(|_| wants_page) else {
        return response;
    };
    let page = ProblemPage {
        title: problem.title().into(),
        status: problem.status.as_u16(),
        detail: problem.detail,
        instance,
        is_safe,
        home,
        nav,
    };
    let Ok(text) = page.render() else {
        return response;
    };
    let mut page = (problem.status, Html(text)).into_response();
    for (name, value) in response.headers() {
        page.headers_mut().entry(name).or_insert(value.clone());
    }
    page.headers_mut().remove(header::CONTENT_LENGTH);
    page
}

/// Whether the caller prefers HTML: it names `text/html`, as every browser does when it opens a page.
#[must_use]
pub fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(listen: &str) -> Edge {
        let settings = CommonArgs {
            allowed_hosts: vec!["hooks.lan".into()],
            allowed_origins: vec!["https://app.example".into()],
            ..CommonArgs::default()
        };
        Edge::new(listen.parse().unwrap(), &settings)
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn on_loopback_only_this_machines_names_and_the_allowed_ones_are_good_hosts() {
        let good = ["localhost:5001", "127.0.0.1:9", "[::1]:5001", "LOCALHOST", "a.localhost:1", "hooks.lan:80"];
        let bad = ["evil.example:5001", "localhost.evil.example", "10.0.0.1", "127.0.0.1.evil.example", ""];
        for (hosts, expected) in [(&good[..], true), (&bad[..], false)] {
            for host in hosts {
                let headers = headers(&[("host", host)]);
                assert_eq!(edge("127.0.0.1:5001").host_is_good(&headers, &Uri::from_static("/")), expected, "{host}");
                assert!(edge("0.0.0.0:5001").host_is_good(&headers, &Uri::from_static("/")), "{host}");
            }
        }
    }

    #[test]
    fn a_foreign_page_may_not_act() {
        let local = edge("127.0.0.1:5001");
        let wide = edge("0.0.0.0:5001");
        let from = |origin: &str| headers(&[("host", "hooks.lan:5001"), ("origin", origin)]);
        assert!(local.origin_is_good(&HeaderMap::new()));
        assert!(!local.origin_is_good(&headers(&[("sec-fetch-site", "cross-site")])));
        for origin in ["http://hooks.lan:5001", "https://app.example"] {
            assert!(wide.origin_is_good(&from(origin)), "{origin}");
        }
        for origin in ["https://evil.example", "null", "http://hooks.lan:5002", "http://localhost:5000"] {
            assert!(!wide.origin_is_good(&from(origin)), "{origin}");
        }
        assert!(local.origin_is_good(&from("http://localhost:5000")));
        assert!(local.origin_is_good(&from("eventemitter.example.com")), "no browser writes it so");
    }
}
