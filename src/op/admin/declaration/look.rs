//! How the installation looks, in the document: with the pictures, so that it looks the same
//! elsewhere.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, json};

use super::{Act, Step, Work};
use crate::op::admin::branding::name_of;
use crate::op::admin::metadata::difference;
use crate::op::admin::{AdminError, Administration};
use crate::protocol::branding::Branding;
use crate::protocol::client::Client;

impl Administration {
    /// The pictures that the installation and its clients show.
    pub(super) async fn pictures_of(
        &self,
        branding: &Branding,
        clients: &[Client],
    ) -> Result<BTreeMap<String, String>, AdminError> {
        let looks = clients.iter().filter_map(|client| client.settings.branding.as_ref());
        let mut pictures = BTreeMap::new();
        for id in looks.chain([branding]).filter_map(|look| look.logo.clone()) {
            if let Some(picture) = self.store.find_picture(&id).await? {
                pictures.insert(id, STANDARD.encode(picture.content));
            }
        }
        Ok(pictures)
    }

    /// What must be done so that the installation looks as the document says.
    pub(super) async fn look_steps(
        &self,
        wanted: Option<Branding>,
        pictures: BTreeMap<String, String>,
    ) -> Result<Vec<Step>, AdminError> {
        let mut steps = Vec::new();
        for (id, content) in pictures {
            let content = STANDARD.decode(content).ok().filter(|it| name_of(it) == id);
            let Some(content) = content else {
                let message = format!("{id} does not name this picture");
                return Err(AdminError::invalid("pictures", message));
            };
            if self.store.find_picture(&id).await?.is_none() {
                let work = Work::Picture(content);
                steps.push(Step::of(Act::Create, "picture", id, Map::new(), work));
            }
        }
        if let Some(wanted) = wanted {
            let (stands, version) = self.branding().await?;
            let changed = difference(&json!(stands), &json!(wanted));
            let work = Work::Branding(Box::new(wanted), version);
            steps.push(Step::of(Act::Update, "branding", "installation", changed, work));
        }
        Ok(steps)
    }
}
