//! What `russet dev` prints once everything answers.

use serde_json::{Value, json};

use super::directory::Directory;
use super::seed::{Seeded, SeededClient, USERNAME};
use super::{API_IDENTIFIER, BUNDLE_ID, Places};

/// Every URL and login.
#[derive(Debug)]
pub(super) struct Banner {
    places: Places,
    seeded: Seeded,
    config_file: String,
    directory: String,
    is_temporary: bool,
}

impl Banner {
    pub(super) fn new(places: &Places, directory: &Directory, seeded: Seeded) -> Self {
        Self {
            places: places.clone(),
            seeded,
            config_file: directory.config_file().display().to_string(),
            directory: directory.path().display().to_string(),
            is_temporary: directory.is_temporary(),
        }
    }

    /// One object on one line; its members are part of the stable surface.
    pub(super) fn json(&self) -> String {
        let Self { places, seeded, .. } = self;
        json!({
            "issuer": places.issuer(),
            "console": {
                "url": format!("{}/admin", places.issuer()),
                "username": USERNAME,
                "password": seeded.console_password.expose(),
            },
            "apple": { "url": places.apple() },
            "demo_app": { "url": places.app() },
            "demo_api": { "url": places.api(), "identifier": API_IDENTIFIER },
            "clients": {
                "web": client(&seeded.web),
                "spa": client(&seeded.spa),
                "native": client(&seeded.native),
                "machine": client(&seeded.machine),
            },
            "config_file": self.config_file,
        })
        .to_string()
    }

    /// The same for people.
    pub(super) fn text(&self) -> String {
        let Self { places, seeded, config_file, .. } = self;
        let secret = |client: &SeededClient| {
            client
                .client_secret
                .as_ref()
                .map_or_else(|| "public, no secret".to_owned(), |secret| secret.expose().clone())
        };
        let end = if self.is_temporary {
            "Ctrl-C stops everything and removes what it wrote.".to_owned()
        } else {
            format!("Ctrl-C stops everything; what it wrote stays in {}.", self.directory)
        };
        format!(
            "
  Russet {version}, development: this machine only, made-up people

  Demo app         {app}
                   Open this and press \"Sign in\".

  Issuer           {issuer}
  Console          {issuer}/admin
                   {USERNAME} / {password}
  Simulated Apple  {apple}
  Demo API         {api}
                   audience {API_IDENTIFIER}

  Client           client_id      client_secret
    web            {web_id:<14} {web}
    single-page    {spa_id:<14} {spa}
    native         {native_id:<14} {native}, bundle ID {BUNDLE_ID}
    machine        {machine_id:<14} {machine}

  Beside it        russet --config {config_file} client list

  {end}
",
            version = env!("CARGO_PKG_VERSION"),
            app = places.app(),
            issuer = places.issuer(),
            password = seeded.console_password.expose(),
            apple = places.apple(),
            api = places.api(),
            web_id = seeded.web.client_id,
            web = secret(&seeded.web),
            spa_id = seeded.spa.client_id,
            spa = secret(&seeded.spa),
            native_id = seeded.native.client_id,
            native = secret(&seeded.native),
            machine_id = seeded.machine.client_id,
            machine = secret(&seeded.machine),
        )
    }
}

fn client(client: &SeededClient) -> Value {
    json!({
        "client_id": client.client_id,
        "client_secret": client.client_secret.as_ref().map(|secret| secret.expose()),
        "redirect_uris": client.redirect_uris,
    })
}
