//! The metrics listener: what is counted, and where it is told.

use crate::harness::House;

#[tokio::test]
async fn requests_tokens_and_keys_are_counted_on_a_listener_of_their_own() {
    let house = House::new().await;
    let broker = house.replica_with(&[("METRICS__LISTEN", "127.0.0.1:0")]).await;
    let base = format!("http://{}", broker.address());
    let http = house.http();
    let form = [("grant_type", "client_credentials"), ("client_id", "nobody")];
    http.post(format!("{base}/token")).form(&form).send().await.unwrap();
    let form = [("grant_type", "no-such-grant"), ("client_id", "nobody")];
    http.post(format!("{base}/token")).form(&form).send().await.unwrap();
    http.get(format!("{base}/secret-path-{}", "x".repeat(20))).send().await.unwrap();

    let address = broker.metrics_address().unwrap();
    let page = || http.get(format!("http://{address}/metrics"));
    let asked = page().header("accept", "application/openmetrics-text;version=1.0.0,*/*;q=0.1");
    let answer = asked.send().await.unwrap();
    let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.headers()["content-type"], openmetrics);
    assert!(answer.text().await.unwrap().ends_with("# EOF\n"));
    let answer = page().send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text().await.unwrap();
    assert!(!text.contains("# EOF"));
    for line in [
        "russet_token_requests_total{grant_type=\"client_credentials\",outcome=\"invalid_client\"} 1",
        "russet_token_requests_total{grant_type=\"other\",outcome=\"unsupported_grant_type\"} 1",
        "russet_http_requests_total{method=\"POST\",route=\"/token\",status=\"401\"} 1",
        "# TYPE russet_http_requests_total counter",
        "russet_ready 1",
        "russet_signing_keys{alg=\"ES256\",state=\"active\"} 1",
    ] {
        assert!(text.contains(line), "no {line} in\n{text}");
    }
    assert!(!text.contains("secret-path"), "a path became a label:\n{text}");

    let public = http.get(format!("{base}/metrics")).send().await.unwrap();
    assert_eq!(public.status(), 404);
    broker.stop().await;
    // A new client: a kept connection may be served for a moment after the listener is gone.
    #[expect(clippy::disallowed_methods, reason = "tests are outsiders")]
    let outsider = reqwest::Client::new();
    let late = outsider.get(format!("http://{address}/metrics")).send().await;
    assert!(late.is_err());
}

#[tokio::test]
async fn without_a_listener_nothing_is_told() {
    let house = House::new().await;
    assert!(house.broker.metrics_address().is_none());
}
