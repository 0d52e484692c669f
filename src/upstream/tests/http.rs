//! The guard and the caps of the outbound client.

use actix_web::HttpResponse;

use super::*;
use crate::upstream::tests::{Server, outbound};

fn word(error: &OutboundError) -> &'static str {
    match error {
        OutboundError::Private(_) => "private",
        OutboundError::NotHttps(_) => "not https",
        OutboundError::Setup(_) => "setup",
        OutboundError::Unreachable { .. } => "unreachable",
        OutboundError::TooLarge { .. } => "too large",
        OutboundError::Malformed => "malformed",
    }
}

#[tokio::test]
async fn the_guard_looks_at_literals_names_and_schemes() {
    let strict = outbound(&[]);
    let exempt = outbound(&["127.0.0.0/8", "::1/128"]);
    for (client, url, expected) in [
        (&strict, "https://127.0.0.1/", "private"),
        (&strict, "https://[::1]/", "private"),
        (&strict, "https://[::ffff:127.0.0.1]/", "private"),
        (&strict, "https://[fec0::1]/", "private"),
        (&strict, "https://169.254.169.254/latest", "private"),
        (&strict, "https://2130706433/", "private"),
        (&strict, "https://0x7f.1/", "private"),
        (&strict, "https://localhost/", "private"),
        (&strict, "http://localhost/", "not https"),
        (&strict, "http://127.0.0.1/", "not https"),
        (&strict, "http://1.1.1.1/", "not https"),
        (&strict, "ftp://example.com/", "not https"),
        (&exempt, "http://1.1.1.1/", "not https"),
        (&exempt, "http://10.0.0.1/", "not https"),
        (&exempt, "https://10.0.0.1/", "private"),
        (&exempt, "http://127.0.0.1:1/", "unreachable"),
        (&exempt, "http://localhost:1/", "unreachable"),
    ] {
        let found = client.get(&Url::parse(url).unwrap()).await.map(|answer| answer.status);
        assert_eq!(found.as_ref().map_err(word), Err(expected), "{url}");
    }
}

#[tokio::test]
async fn a_server_that_the_operator_names_is_reached_wherever_it_is_and_no_other() {
    let server = Server::start(|_, _| HttpResponse::Ok().body("here"));
    let other = Server::start(|_, _| HttpResponse::Ok().body("here"));
    let outbound = Outbound::new(OutboundSettings {
        ca_pem: None,
        allow_private: Vec::new(),
        named: vec![server.url("/any")],
        user_agent: "Russet/test".into(),
        timeout: crate::upstream::http::TIMEOUT,
    });
    assert_eq!(outbound.get(&server.url("/auth/keys")).await.unwrap().status, 200);
    let found = outbound.get(&other.url("/auth/keys")).await.map(|answer| answer.status);
    assert_eq!(found.as_ref().map_err(word), Err("not https"), "another port is another server");
}

#[tokio::test]
async fn what_only_the_operator_can_mend_is_told_from_what_passes() {
    let misconfigured = |error: OutboundError| {
        matches!(UpstreamError::from(error), UpstreamError::Misconfigured(_))
    };
    let host = || "id.example".to_owned();
    assert!(misconfigured(OutboundError::Private(host())));
    assert!(misconfigured(OutboundError::NotHttps(host())));
    assert!(misconfigured(OutboundError::Setup(host())));
    assert!(!misconfigured(OutboundError::Unreachable { host: host(), cause: host() }));
    assert!(!misconfigured(OutboundError::TooLarge { host: host(), limit: 1 }));
    assert!(!misconfigured(OutboundError::Malformed));

    let settings = OutboundSettings {
        ca_pem: Some(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n".to_vec()),
        allow_private: Vec::new(),
        named: Vec::new(),
        user_agent: "Russet/test".into(),
        timeout: crate::upstream::http::TIMEOUT,
    };
    let found = Outbound::new(settings).get(&Url::parse("https://id.example/").unwrap()).await;
    assert_eq!(found.map(|answer| answer.status).as_ref().map_err(word), Err("setup"));
}

#[tokio::test]
async fn a_long_answer_is_not_read_to_its_end() {
    let server = Server::start(|seen, _| {
        let length = seen.path.trim_start_matches('/').parse().unwrap();
        HttpResponse::Ok().body("x".repeat(length))
    });
    let outbound = outbound(&["127.0.0.1/32"]);
    let documents = [("/65536", None), ("/65537", Some("too large"))];
    for (path, expected) in documents {
        let found = outbound.get(&server.url(path)).await;
        assert_eq!(found.err().as_ref().map(word), expected, "{path}");
    }
    for (path, expected) in [("/262144", None), ("/262145", Some("too large"))] {
        let found = outbound.get_key_set(&server.url(path)).await;
        assert_eq!(found.err().as_ref().map(word), expected, "{path}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let server = Server::start(|_, own| {
        HttpResponse::Found().insert_header(("location", format!("{own}/elsewhere"))).finish()
    });
    let answer = outbound(&["127.0.0.1/32"]).get(&server.url("/here")).await.unwrap();
    assert_eq!(answer.status, 302);
    assert!(server.asked("/elsewhere").is_empty());
}

#[tokio::test]
async fn who_was_told_has_heard_even_if_the_answer_breaks_off() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let receiver = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut seen = Vec::new();
            let mut part = [0; 1024];
            while !seen.ends_with(b"logout_token=x") {
                let read = std::io::Read::read(&mut stream, &mut part).unwrap();
                seen.extend_from_slice(&part[..read]);
            }
            let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\ncut";
            std::io::Write::write_all(&mut stream, cut).unwrap();
        }
    });
    let outbound = outbound(&["127.0.0.1/32"]);
    let form = [("logout_token", "x")];
    let told = outbound.tell_form(&url, &form).await.unwrap();
    assert_eq!((told.status, told.body.as_slice()), (200, &b"cut"[..]));
    let read = outbound.post_form(&url, &form).await.map(|answer| answer.status);
    assert_eq!(read.as_ref().map_err(word), Err("unreachable"), "a document must be whole");
    receiver.join().unwrap();
}
