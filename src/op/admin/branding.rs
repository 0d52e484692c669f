//! How the installation looks, and the pictures it and its clients have.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;

use super::metadata::difference;
use super::{Actor, AdminError, Administration, FieldProblem, checked, unchanged};
use crate::protocol::admin::Role;
use crate::protocol::branding::Branding;
use crate::protocol::id::ClientId;
use crate::store::pictures::Picture;

/// The setting's name.
pub const NAME: &str = "branding";

/// The largest picture that is taken.
pub const LARGEST_PICTURE: usize = 128 * 1024;

impl Administration {
    /// How the installation looks, and the version of that.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn branding(&self) -> Result<(Branding, i32), AdminError> {
        Ok(self.store.find_setting(NAME).await?.unwrap_or_default())
    }

    /// Changes how the installation looks, as it stands at `version`.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for what people could not read; [`AdminError::Conflict`] when
    /// somebody else changed it meanwhile.
    pub async fn change_branding(
        &self,
        actor: &Actor,
        branding: Branding,
        version: i32,
    ) -> Result<(), AdminError> {
        actor.must_be(Role::Owner)?;
        checked(problems(branding.problems()))?;
        let now = self.clock.now();
        let event = actor.event(now, "settings.updated", NAME);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let (before, stands): (Branding, i32) =
                        tx.find_setting(NAME).await?.unwrap_or_default();
                    unchanged(Some(version), stands)?;
                    if before == branding {
                        return Ok(());
                    }
                    if let Some(logo) = &branding.logo
                        && !tx.renew_picture(logo, now).await?
                    {
                        let message = "is not the name of a picture that was kept here";
                        return Err(AdminError::invalid("logo", message));
                    }
                    if !tx.put_setting(NAME, &branding, version, now).await? {
                        return Err(AdminError::Conflict);
                    }
                    let changed = difference(&json!(before), &json!(branding));
                    Ok(tx.record(&event.detail(json!({ "changed": changed }))).await?)
                })
            })
            .await
    }

    /// Keeps a picture for the installation, or for a client; returns its name.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] when it is too large, or no PNG, JPEG, WebP or SVG.
    pub async fn keep_picture(
        &self,
        actor: &Actor,
        client: Option<&ClientId>,
        content: Vec<u8>,
    ) -> Result<String, AdminError> {
        match client {
            Some(client) => actor.must_edit(client)?,
            None => actor.must_be(Role::Owner)?,
        }
        if content.len() > LARGEST_PICTURE {
            return Err(AdminError::invalid("logo", "must be 128 KiB at most"));
        }
        let id = name_of(&content);
        let content_type = media_type(&content)
            .ok_or_else(|| AdminError::invalid("logo", "must be a PNG, JPEG, WebP or SVG file"))?;
        let picture = Picture { id: id.clone(), content_type: content_type.to_owned(), content };
        let now = self.clock.now();
        self.store
            .write(move |tx| {
                Box::pin(async move { Ok::<_, AdminError>(tx.put_picture(&picture, now).await?) })
            })
            .await?;
        Ok(id)
    }
}

/// Problems as forms show them.
pub fn problems(found: Vec<(&'static str, String)>) -> Vec<FieldProblem> {
    found.into_iter().map(|(member, text)| FieldProblem::new(member, text)).collect()
}

/// What something is called after its content: the hash of it.
pub(in crate::op) fn name_of(content: &[u8]) -> String {
    let hash = digest(&SHA256, content);
    hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// What a picture is, by its own first bytes and not by what somebody calls it.
pub(in crate::op) fn media_type(content: &[u8]) -> Option<&'static str> {
    if content.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    if content.starts_with(b"\xff\xd8\xff") {
        return Some("image/jpeg");
    }
    if content.starts_with(b"RIFF") && content.get(8..12) == Some(b"WEBP") {
        return Some("image/webp");
    }
    // Shown as a picture an SVG runs nothing, and under its own address the policy forbids it.
    let text = std::str::from_utf8(content).ok()?.trim_start_matches('\u{feff}').trim_start();
    let svg = text.starts_with("<svg") || (text.starts_with("<?xml") && text.contains("<svg"));
    svg.then_some("image/svg+xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_what_its_bytes_say() {
        for (bytes, kind) in [
            (b"\x89PNG\r\n\x1a\nrest".as_slice(), Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", Some("image/svg+xml")),
            (b"<?xml version=\"1.0\"?><svg/>", Some("image/svg+xml")),
            (b"<!doctype html><svg>", None),
            (b"GIF89a", None),
            (b"\xff\xfe", None),
            (b"", None),
        ] {
            assert_eq!(media_type(bytes), kind);
        }
    }
}
