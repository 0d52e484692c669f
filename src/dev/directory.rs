//! The directory `russet dev` lives in: configuration, keys, database, and what was handed out.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use toml::{Table, Value};

use super::{BUNDLE_ID, KEY_ID, Places, SERVICES_ID, TEAM_ID};
use crate::protocol::ambient::Entropy;
use crate::protocol::secret::{SecretString, Vault};
use crate::simulator::{DeveloperPublicKey, KeyFault, developer_key};

const CONFIG_FILE: &str = "russet.toml";
const MASTER_KEY_FILE: &str = "master.key";
const PRIVATE_KEY_FILE: &str = "AuthKey_RUSSETKEY1.p8";
const HANDED_OUT_FILE: &str = "dev.json";

const PREAMBLE: &str = "\
# Written by `russet dev`, for this machine only. What you add stays; addresses and issuers are
# set anew at each start.

";

/// Why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// A file or the directory cannot be read or written.
    #[error("{path}: {cause}; give --data-dir a directory that can be written")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A file of an earlier run cannot be understood.
    #[error("{path}: {problem}; mend it, or give --data-dir an empty directory")]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// File or environment would have it listen elsewhere.
    #[error(
        "{key} is {listen}, and `russet dev` answers on loopback only; it has test people anybody \
         may sign in as, so use `russet serve` for other addresses"
    )]
    NotLoopback {
        /// The key, or the variable.
        key: String,
        /// What it says.
        listen: String,
    },
    /// The simulated developer's key cannot be made or read.
    #[error("the simulated Apple's developer key: {0}")]
    Key(#[from] KeyFault),
}

/// Secrets of the demo, kept in clear so that the next run can print them again. The database
/// holds only their hashes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct HandedOut {
    /// The console's password.
    pub(super) console_password: Option<String>,
    /// Client secrets by `client_id`.
    #[serde(default)]
    pub(super) client_secrets: BTreeMap<String, String>,
}

/// The directory.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    temporary: Option<TempDir>,
    pub(super) handed_out: HandedOut,
}

impl Directory {
    /// Opens `path`, making it if need be, or makes a temporary one.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, DirectoryError> {
        let Some(path) = path else {
            let temporary = tempfile::Builder::new().prefix("russet-dev-").tempdir();
            let temporary = temporary.map_err(io(&PathBuf::from("temporary directory")))?;
            let path = temporary.path().to_owned();
            return Ok(Self { path, temporary: Some(temporary), handed_out: HandedOut::default() });
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io(path))?;
        let path = path.canonicalize().map_err(io(path))?;
        let file = path.join(HANDED_OUT_FILE);
        let handed_out = match read(&file)? {
            None => HandedOut::default(),
            Some(text) => serde_json::from_str(&text).map_err(|error| DirectoryError::Content {
                path: file,
                problem: error.to_string(),
            })?,
        };
        Ok(Self { path, temporary: None, handed_out })
    }

    /// The configuration file, for `russet --config`.
    pub(super) fn config_file(&self) -> PathBuf {
        self.path.join(CONFIG_FILE)
    }

    /// Whether it is removed at exit.
    pub(super) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// The directory itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what is missing: master key, `.p8`, configuration. Returns the public half of the
    /// `.p8`, which the simulated Apple checks client secrets with.
    pub(super) fn furnish(
        &self,
        places: &Places,
        entropy: &dyn Entropy,
    ) -> Result<DeveloperPublicKey, DirectoryError> {
        // The configuration comes first: a listener elsewhere is refused before keys are made.
        self.write_config(places)?;
        let master_key = self.path.join(MASTER_KEY_FILE);
        if read(&master_key)?.is_none() {
            write(&master_key, Vault::generate_master_key(entropy).expose())?;
        }
        let private_key = self.path.join(PRIVATE_KEY_FILE);
        match read(&private_key)? {
            Some(p8) => Ok(DeveloperPublicKey::of_p8(&SecretString::from(p8))?),
            None => {
                let (p8, public) = developer_key()?;
                write(&private_key, p8.expose())?;
                Ok(public)
            }
        }
    }

    /// Keeps what was handed out for the next run.
    pub(super) fn remember(&self) -> Result<(), DirectoryError> {
        let path = self.path.join(HANDED_OUT_FILE);
        let text = serde_json::to_string_pretty(&self.handed_out).map_err(|error| {
            DirectoryError::Content { path: path.clone(), problem: error.to_string() }
        })?;
        write(&path, &text)
    }

    /// Removes a temporary directory.
    pub(super) fn close(self) {
        if let Some(temporary) = self.temporary
            && let Err(error) = temporary.close()
        {
            tracing::warn!(%error, "the temporary directory cannot be removed");
        }
    }

    fn write_config(&self, places: &Places) -> Result<(), DirectoryError> {
        let path = self.config_file();
        let before = read(&path)?;
        let mut config: Table = match &before {
            None => Table::new(),
            Some(text) => toml::from_str(text).map_err(|error| DirectoryError::Content {
                path: path.clone(),
                problem: error.to_string(),
            })?,
        };
        let unchanged = config.clone();
        let listen = config.get("server").and_then(|it| it.get("listen")).and_then(Value::as_str);
        if let Some(listen) = listen
            && !listen.parse().is_ok_and(|it: std::net::SocketAddr| it.ip().is_loopback())
        {
            let key = format!("{}: server.listen", path.display());
            return Err(DirectoryError::NotLoopback { key, listen: listen.to_owned() });
        }
        let listen = places.address(0).to_string();
        for (section, key, value) in [
            ("server", "listen", Value::from(listen)),
            ("server", "issuer", Value::from(places.issuer())),
            ("apple", "issuer", Value::from(places.apple())),
        ] {
            set(&mut config, section, key, value, true);
        }
        let loopback = ["127.0.0.0/8", "::1/128"].map(Value::from).to_vec();
        for (section, key, value) in [
            ("database", "url", Value::from("sqlite://russet.db")),
            ("secrets", "master_key_file", Value::from(MASTER_KEY_FILE)),
            ("apple", "team_id", Value::from(TEAM_ID)),
            ("apple", "key_id", Value::from(KEY_ID)),
            ("apple", "private_key_file", Value::from(PRIVATE_KEY_FILE)),
            ("apple", "services_id", Value::from(SERVICES_ID)),
            ("apple", "bundle_ids", Value::from(vec![Value::from(BUNDLE_ID)])),
            ("outbound", "allow_private", Value::from(loopback)),
            // On loopback everybody is a developer: MCP and other clients may come as they are.
            ("registration", "mode", Value::from("open")),
            ("registration", "client_id_metadata_documents", Value::from(true)),
        ] {
            set(&mut config, section, key, value, false);
        }
        if before.is_some() && config == unchanged {
            return Ok(());
        }
        let text = toml::to_string(&config).map_err(|error| DirectoryError::Content {
            path: path.clone(),
            problem: error.to_string(),
        })?;
        write(&path, &format!("{PREAMBLE}{text}"))
    }
}

fn set(config: &mut Table, section: &str, key: &str, value: Value, always: bool) {
    let section = config.entry(section).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(section) = section
        && (always || !section.contains_key(key))
    {
        section.insert(key.to_owned(), value);
    }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> DirectoryError {
    let path = path.to_owned();
    move |cause| DirectoryError::Io { path, cause }
}

fn read(path: &Path) -> Result<Option<String>, DirectoryError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io(path)(error)),
    }
}

/// Writes beside and renames, so that a run that is killed leaves the old file or the new one.
fn write(path: &Path, text: &str) -> Result<(), DirectoryError> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options
        .open(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&beside, path))
        .map_err(io(path))
}
