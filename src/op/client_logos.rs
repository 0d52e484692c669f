//! The pictures that clients register — RFC 7591 §2, `logo_uri`. They are fetched through the
//! guarded client and served from here: a browser that loaded one from elsewhere would tell
//! elsewhere who signs in where. No page waits for one.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::Semaphore;
use url::Url;

use super::admin::branding::{media_type, name_of};
use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::id::ClientId;
use crate::store::pictures::Picture;
use crate::upstream::http::Outbound;

/// How long a picture is shown without looking again.
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// How long an address that gave none is not asked again: anybody can look at a sign-in page.
const AFTER_FAILURE: Duration = Duration::from_secs(10 * 60);
/// Pictures that are remembered, of 128 KiB each at most.
const ENTRIES: u64 = 100;
/// Pictures fetched at the same time.
const AT_ONCE: usize = 4;

#[derive(Clone)]
struct Known {
    picture: Option<Arc<Picture>>,
    at: Timestamp,
}

/// What was fetched, by address.
pub(super) struct ClientLogos {
    outbound: Outbound,
    known: Cache<String, Known>,
    places: Semaphore,
}

/// What is known of a picture without asking anybody.
pub struct LogoAtHand {
    /// The picture, if there is one.
    pub picture: Option<Arc<Picture>>,
    /// Whether it is time to look again.
    pub stale: bool,
}

impl ClientLogos {
    pub(super) fn new(outbound: Outbound) -> Self {
        Self { outbound, known: Cache::new(ENTRIES), places: Semaphore::new(AT_ONCE) }
    }

    fn at_hand(&self, uri: &str, now: Timestamp) -> LogoAtHand {
        let Some(Known { picture, at }) = self.known.get(uri) else {
            return LogoAtHand { picture: None, stale: true };
        };
        let good_for = if picture.is_some() { FRESH } else { AFTER_FAILURE };
        LogoAtHand { picture, stale: now.since(at) >= good_for }
    }

    async fn fetch(&self, uri: &str) -> Result<Picture, String> {
        let url = Url::parse(uri).map_err(|error| error.to_string())?;
        let answer = self.outbound.get_picture(&url).await.map_err(|error| error.to_string())?;
        if answer.status != 200 {
            return Err(format!("status {}", answer.status));
        }
        let content = answer.body.to_vec();
        let content_type = media_type(&content).ok_or_else(|| "not a picture".to_owned())?;
        let (id, content_type) = (name_of(&content), content_type.to_owned());
        Ok(Picture { id, content_type, content })
    }
}

impl Provider {
    /// What is known of the picture at this address.
    pub fn logo_at_hand(&self, uri: &str) -> LogoAtHand {
        self.logos.at_hand(uri, self.clock.now())
    }

    /// The picture at this address, looked at again when it is time to. A picture that was good
    /// outlives an address that gives nothing good any more.
    pub async fn fetch_logo(&self, uri: &str) -> Option<Arc<Picture>> {
        let now = self.clock.now();
        let LogoAtHand { picture: before, stale } = self.logos.at_hand(uri, now);
        if !stale {
            return before;
        }
        let Ok(_place) = self.logos.places.try_acquire() else { return before };
        let picture = match self.logos.fetch(uri).await {
            Ok(picture) => Some(Arc::new(picture)),
            Err(cause) => {
                tracing::warn!(%cause, "a client's logo_uri gives no picture");
                before
            }
        };
        self.logos.known.insert(uri.to_owned(), Known { picture: picture.clone(), at: now });
        picture
    }

    /// The picture that a client registered.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn client_logo(&self, id: &ClientId) -> Result<Option<Arc<Picture>>, Failure> {
        let client = self.store.find_client(id).await?;
        let uri = client
            .filter(|client| client.disabled_at.is_none())
            .and_then(|client| client.settings.logo_uri);
        match uri {
            None => Ok(None),
            Some(uri) => Ok(self.fetch_logo(&uri).await),
        }
    }
}
