//! A browser as far as sign-in needs one: cookies with SameSite, redirects, plain forms. A cookie
//! that a real browser withholds on a cross-site POST is withheld here.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use url::Url;

use super::plain_client;

#[derive(Clone, Debug)]
pub struct Page {
    pub url: Url,
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

#[derive(Clone, Debug)]
pub struct Form {
    pub action: Url,
    pub fields: Vec<(String, String)>,
    pub text: String,
}

impl Form {
    /// Types over what a field holds, or adds it.
    pub fn fill(&mut self, name: &str, value: &str) {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
    }
}

#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    /// By host, without port: that is how far a browser tells cookies apart.
    cookies: BTreeMap<(String, String), String>,
    /// Whether the last cross-site POST went without the Lax cookies that exist for its target.
    pub withheld: usize,
}

impl Browser {
    pub fn new() -> Self {
        Self { http: plain_client(), cookies: BTreeMap::new(), withheld: 0 }
    }

    /// Opens an address typed by hand and follows redirects until a page, or until the browser
    /// is sent to port 9, where the apps of these tests would listen.
    pub async fn open(&mut self, url: &str) -> Page {
        self.navigate(Method::GET, Url::parse(url).expect("a URL"), None, None).await
    }

    /// Submits a form found on `page`.
    pub async fn submit(&mut self, page: &Page, form: &Form) -> Page {
        let from = page.url.clone();
        self.navigate(Method::POST, form.action.clone(), Some(&form.fields), Some(from)).await
    }

    /// Presses the one button whose form matches, going through auto-submitting pages after it.
    pub async fn press(&mut self, page: &Page, label: &str) -> Page {
        let form = page
            .forms()
            .into_iter()
            .find(|form| form.text.contains(label))
            .unwrap_or_else(|| panic!("no button {label:?} on {}: {}", page.url, page.body));
        let next = self.submit(page, &form).await;
        self.run_scripts(next).await
    }

    /// What the external script of an auto-submitting page does.
    pub async fn run_scripts(&mut self, mut page: Page) -> Page {
        while page.body.contains("submit") && page.body.contains(".js\"") {
            let auto = page.body.contains("/submit.") || page.body.contains("submit.js");
            let forms = page.forms();
            match forms.as_slice() {
                [only] if auto => page = self.submit(&page.clone(), only).await,
                _ => break,
            }
        }
        page
    }

    pub fn cookie(&self, host: &str, name: &str) -> Option<&String> {
        self.cookies.get(&(host.to_owned(), name.to_owned()))
    }

    async fn navigate(
        &mut self,
        mut method: Method,
        mut url: Url,
        mut fields: Option<&[(String, String)]>,
        mut from: Option<Url>,
    ) -> Page {
        for _ in 0..20 {
            if url.port() == Some(9) && method == Method::GET {
                return Page {
                    url,
                    status: StatusCode::OK,
                    headers: reqwest::header::HeaderMap::new(),
                    body: String::new(),
                };
            }
            let cross_site_post = method == Method::POST
                && from.as_ref().is_some_and(|from| from.host_str() != url.host_str());
            let host = url.host_str().expect("a host").to_owned();
            let mine: Vec<String> = self
                .cookies
                .iter()
                .filter(|((at, _), _)| *at == host)
                .map(|((_, name), value)| format!("{name}={value}"))
                .collect();
            let mut request = self.http.request(method.clone(), url.clone());
            if cross_site_post {
                self.withheld += mine.len();
            } else if !mine.is_empty() {
                request = request.header("cookie", mine.join("; "));
            }
            if let Some(fields) = fields {
                request = request.form(fields);
            }
            let response = request.send().await.expect("an answer");
            self.keep_cookies(&host, response.headers());
            if response.status().is_redirection() {
                let location = response.headers()["location"].to_str().expect("a location");
                let next = url.join(location).expect("a location");
                assert!(
                    method == Method::GET || response.status() == StatusCode::SEE_OTHER,
                    "a form is answered by 303, not {}",
                    response.status()
                );
                from = Some(url);
                url = next;
                method = Method::GET;
                fields = None;
                continue;
            }
            return Page {
                url,
                status: response.status(),
                headers: response.headers().clone(),
                body: response.text().await.expect("a body"),
            };
        }
        panic!("redirects without end at {url}");
    }

    fn keep_cookies(&mut self, host: &str, headers: &reqwest::header::HeaderMap) {
        for header in headers.get_all("set-cookie") {
            let header = header.to_str().expect("a cookie");
            let lower = header.to_lowercase();
            // What the check session iframe reads proves nothing (OIDC Session Management §3.2).
            let readable = lower.starts_with("russet_state=");
            assert!(lower.contains("httponly") != readable, "who may read it: {header}");
            assert!(lower.contains("samesite=lax"), "every cookie is Lax: {header}");
            let (pair, _) = header.split_once(';').unwrap_or((header, ""));
            let (name, value) = pair.split_once('=').expect("name and value");
            let key = (host.to_owned(), name.to_owned());
            if lower.contains("max-age=0") || value.is_empty() {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
    }
}

impl Page {
    /// The plain forms on the page.
    pub fn forms(&self) -> Vec<Form> {
        self.body
            .split("<form ")
            .skip(1)
            .map(|rest| {
                let (form, _) = rest.split_once("</form>").expect("a closed form");
                let (tag, inside) = form.split_once('>').expect("a closed tag");
                let action = attribute(tag, "action").unwrap_or_default();
                let mut fields = Vec::new();
                for input in inside.split("<input ").skip(1) {
                    let (input, _) = input.split_once('>').expect("a closed input");
                    let unchecked = input.contains("type=\"radio\"") && !input.contains("checked");
                    if let (Some(name), false) = (attribute(input, "name"), unchecked) {
                        fields.push((name, attribute(input, "value").unwrap_or_default()));
                    }
                }
                Form {
                    action: self.url.join(&action).expect("an action"),
                    fields,
                    text: inside.to_owned(),
                }
            })
            .collect()
    }

    /// The form that holds this, with all that a browser would send: what is ticked, chosen and
    /// typed.
    pub fn filled_form(&self, marker: &str) -> Form {
        let found = self.forms().into_iter().find(|form| form.text.contains(marker));
        let mut form = found.unwrap_or_else(|| panic!("no form holds {marker}: {}", self.body));
        form.fields.clear();
        for part in form.text.split('<') {
            let Some((tag, inside)) = part.split_once('>') else { continue };
            let Some(name) = attribute(tag, "name") else { continue };
            let value = || attribute(tag, "value").unwrap_or_default();
            if tag.starts_with("input ") {
                let choice = tag.contains("type=\"radio\"") || tag.contains("type=\"checkbox\"");
                if !choice || tag.contains(" checked") {
                    form.fields.push((name, value()));
                }
            } else if tag.starts_with("textarea ") {
                let typed = inside.strip_prefix('\n').unwrap_or(inside);
                form.fields.push((name, unescape(typed)));
            } else if tag.starts_with("select ") {
                let (_, options) = form.text.split_once(tag).expect("the select");
                let (options, _) = options.split_once("</select>").expect("its end");
                let tags = || options.split("<option ").skip(1).filter_map(|it| it.split_once('>'));
                let chosen = tags().find(|(tag, _)| tag.contains(" selected"));
                let chosen = chosen.or_else(|| tags().next());
                let value = chosen.and_then(|(tag, _)| attribute(tag, "value"));
                form.fields.push((name, value.unwrap_or_default()));
            }
        }
        form
    }

    /// A parameter of the address the browser ended at.
    pub fn query(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(unescape(value))
}

fn unescape(text: &str) -> String {
    text.replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#38;", "&")
        .replace("&amp;", "&")
}
