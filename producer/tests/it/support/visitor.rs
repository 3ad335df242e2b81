//! A browser without scripts on the accounts' pages: it keeps its cookie, and fills in forms.

use reqwest::header;
use url::form_urlencoded::Serializer;

use super::{Producer, wire::User};

/// Somebody who looks at pages; signed in when there is a cookie.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    pub cookie: String,
}

/// A page, or where one is led to.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub location: String,
    pub set_cookie: String,
    pub cache_control: String,
    pub text: String,
}

impl Visitor {
    /// Signs in with the account's keys.
    pub async fn signed_in(producer: &Producer, user: &User) -> Self {
        let mut visitor = Self::default();
        let fields = [("username", user.username.as_str()), ("api_key", &user.api_key)];
        let page = visitor.post(producer, "/account/login", &fields).await;
        assert_eq!((page.status, page.location.as_str()), (303, "/account"), "{}", page.text);
        visitor
    }

    pub async fn get(&mut self, producer: &Producer, path: &str) -> Page {
        self.send(producer.request("GET", path)).await
    }

    /// Sends the fields as they are.
    pub async fn post(&mut self, producer: &Producer, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = producer.request("POST", path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(body)).await
    }

    /// Fills in the form of the page at `on` that goes to `action`, and sends it with what the page has put in it.
    pub async fn fill(&mut self, producer: &Producer, (on, action): (&str, &str), fields: &[(&str, &str)]) -> Page {
        let page = self.get(producer, on).await;
        let form = page.form(action);
        let hidden = form.split("type=\"hidden\" name=\"").skip(1).map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"").unwrap();
            (name, rest.split_once('"').unwrap().0)
        });
        let all: Vec<(&str, &str)> = hidden.chain(fields.iter().copied()).collect();
        self.post(producer, action, &all).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let request = request.header("accept", "text/html").header("cookie", &self.cookie);
        let response = request.send().await.unwrap();
        let header = |name| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let page = Page {
            status: response.status().as_u16(),
            location: header(header::LOCATION),
            set_cookie: header(header::SET_COOKIE),
            cache_control: header(header::CACHE_CONTROL),
            text: response.text().await.unwrap(),
        };
        if let Some((cookie, _)) = page.set_cookie.split_once(';') {
            cookie.clone_into(&mut self.cookie);
        }
        page
    }
}

impl Page {
    pub fn has(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// The form that goes to `action`.
    fn form(&self, action: &str) -> &str {
        let mut forms = self.text.split("<form ").skip(1).map(|rest| rest.split("</form>").next().unwrap());
        let form = forms.find(|form| form.contains(&format!("action=\"{action}\"")));
        form.unwrap_or_else(|| panic!("no form goes to {action}: {} {}", self.status, self.text))
    }

    /// What the page's forms carry of its session.
    pub fn token(&self) -> &str {
        let rest =
            self.text.split_once("name=\"token\" value=\"").unwrap_or_else(|| panic!("no token: {}", self.text)).1;
        rest.split('"').next().unwrap()
    }

    /// What stands in the element with this id.
    pub fn by_id(&self, id: &str) -> &str {
        let rest = self.text.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}: {}", self.text)).1;
        rest.split_once('>').unwrap().1.split('<').next().unwrap()
    }
}
