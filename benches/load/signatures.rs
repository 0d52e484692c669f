//! Raw signing: the product's own key and a usual access token, nothing around them.

use std::time::{Duration, Instant};

use russet::protocol::access_token::{AccessTokenClaims, Audience};
use russet::protocol::jose::{Algorithm, SigningKey, Typ, generate_private_key};

/// A new key that signs with `alg`.
pub(crate) fn key(alg: Algorithm) -> SigningKey {
    let der = generate_private_key(alg).expect("a private key");
    SigningKey::from_pkcs8(alg, der.expose()).expect("the key just made")
}

/// Signatures per second on `threads` threads at once.
pub(crate) fn rate(key: &SigningKey, threads: usize, time: Duration) -> f64 {
    let begun = Instant::now();
    let signed: u64 = std::thread::scope(|scope| {
        let signers: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| sign_until(key, begun + time))).collect();
        signers.into_iter().map(|signer| signer.join().expect("a count")).sum()
    });
    #[expect(clippy::cast_precision_loss, reason = "a count of signatures")]
    let signed = signed as f64;
    signed / begun.elapsed().as_secs_f64()
}

fn sign_until(key: &SigningKey, end: Instant) -> u64 {
    let mut claims = AccessTokenClaims {
        iss: "http://127.0.0.1:8080".to_owned(),
        sub: "machine-es256".to_owned(),
        aud: Audience::One("https://api.example.com/es256".to_owned()),
        exp: 1_795_522_200,
        iat: 1_795_521_600,
        jti: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        client_id: "machine-es256".to_owned(),
        scope: "read".to_owned(),
        auth_time: None,
        amr: Vec::new(),
        cnf: None,
        sid: None,
        act: None,
        may_act: None,
        more: serde_json::Map::new(),
    };
    let mut signed = 0;
    while Instant::now() < end {
        claims.exp += 1;
        let token = key.sign(Typ::AccessToken, &claims).expect("a signature");
        std::hint::black_box(token);
        signed += 1;
    }
    signed
}
