//! Native Sign in with Apple as an app does it: the device's sheet, then the token exchange.

use serde_json::{Value, json};

use super::app::{Answer, App};
use super::{BUNDLE_ID, House};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

impl House {
    /// What the device's sheet hands the app.
    pub async fn native_credential(&self, account: &str, nonce: Option<&str>) -> Value {
        let asked = json!({ "account": account, "bundle_id": BUNDLE_ID, "nonce": nonce });
        self.simulate("native", &asked).await
    }
}

impl App {
    /// Exchanges what the sheet handed out; `extra` replaces fields, and an empty one takes it away.
    pub async fn exchange_native(&self, credential: &Value, extra: &[(&str, &str)]) -> Answer {
        let mut form = vec![
            ("grant_type", EXCHANGE),
            ("subject_token", credential["identityToken"].as_str().expect("an identity token")),
            ("subject_token_type", ID_TOKEN),
            ("subject_issuer", "apple"),
            ("scope", "openid profile email offline_access"),
        ];
        for (name, value) in extra {
            form.retain(|(n, _)| n != name);
            if !value.is_empty() {
                form.push((name, value));
            }
        }
        self.token(&form).await
    }
}
