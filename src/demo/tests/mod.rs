//! The demo against an issuer that can lie, over real sockets.

mod api;
mod app;
mod issuer;

use openidconnect::http::{Request, header};

use crate::demo::outbound::Outbound;

/// An answer, as a test looks at it.
struct Answer {
    status: u16,
    location: String,
    challenge: String,
    set_cookie: String,
    headers: openidconnect::http::HeaderMap,
    body: String,
}

async fn ask(method: &str, url: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Vec::new()).expect("a request");
    let answer = Outbound::new().expect("a client").send(request).await.expect("an answer");
    let text = |name: header::HeaderName| {
        answer
            .headers()
            .get(name)
            .map(|value| value.to_str().expect("text").to_owned())
            .unwrap_or_default()
    };
    Answer {
        status: answer.status().as_u16(),
        location: text(header::LOCATION),
        challenge: text(header::WWW_AUTHENTICATE),
        set_cookie: text(header::SET_COOKIE),
        headers: answer.headers().clone(),
        body: String::from_utf8_lossy(answer.body()).into_owned(),
    }
}
