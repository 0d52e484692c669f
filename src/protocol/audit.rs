//! The audit chain: each event's tag covers the one before, so that a changed byte, a removed row
//! and a changed order are found (decision 0026).
//!
//! The tags are keyed by the master key: whoever holds the database alone can neither repair a
//! chain that they broke nor forge one.

use crate::secret::{SecretHash, Vault};

/// An event exactly as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number in the log.
    pub id: i64,
    /// Milliseconds since the epoch.
    pub at: i64,
    /// What.
    pub kind: String,
    /// Who.
    pub actor: String,
    /// To what.
    pub target: Option<String>,
    /// Under which request.
    pub request_id: Option<String>,
    /// The JSON text, byte for byte.
    pub detail: Option<String>,
}

/// A place in the chain: how many links there are up to it, and its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// 1 for the first event that was ever chained.
    pub seq: i64,
    /// Covers this event and, through the tag before, all earlier ones.
    pub hash: SecretHash,
}

impl Link {
    /// The place before the first event.
    pub const fn genesis() -> Self {
        Self { seq: 0, hash: SecretHash::ZERO }
    }

    /// The link that chains `event` to this one.
    #[must_use]
    pub fn next(&self, vault: &Vault, event: &StoredEvent) -> Self {
        let seq = self.seq.saturating_add(1);
        Self { seq, hash: vault.audit_tag(&message(&self.hash, seq, event)) }
    }

    /// Vouches for this place under a name, so that the end of the chain cannot be cut off, nor
    /// its beginning beyond a checkpoint, by whoever does not have the key.
    pub fn seal(&self, vault: &Vault, name: &str) -> SecretHash {
        let mut message = Vec::with_capacity(64);
        field(&mut message, Some(name.as_bytes()));
        field(&mut message, Some(&self.seq.to_be_bytes()));
        field(&mut message, Some(self.hash.as_bytes()));
        vault.audit_tag(&message)
    }
}

/// The bytes that a tag covers. Each field stands behind its length, so that no two events give
/// the same bytes.
fn message(before: &SecretHash, seq: i64, event: &StoredEvent) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    field(&mut bytes, Some(before.as_bytes()));
    field(&mut bytes, Some(&seq.to_be_bytes()));
    field(&mut bytes, Some(&event.id.to_be_bytes()));
    field(&mut bytes, Some(&event.at.to_be_bytes()));
    field(&mut bytes, Some(event.kind.as_bytes()));
    field(&mut bytes, Some(event.actor.as_bytes()));
    for optional in [&event.target, &event.request_id, &event.detail] {
        field(&mut bytes, optional.as_deref().map(str::as_bytes));
    }
    bytes
}

fn field(into: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        None => into.push(0),
        Some(value) => {
            into.push(1);
            into.extend_from_slice(&u64::try_from(value.len()).unwrap_or(u64::MAX).to_be_bytes());
            into.extend_from_slice(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> StoredEvent {
        StoredEvent {
            id: 7,
            at: 1,
            kind: "client.updated".to_owned(),
            actor: "admin:alice".to_owned(),
            target: Some("c1".to_owned()),
            request_id: None,
            detail: Some("{}".to_owned()),
        }
    }

    #[test]
    fn a_tag_covers_every_field_and_the_place() {
        let vault = Vault::from_bytes(&[1; 32]).unwrap();
        let whole = Link::genesis().next(&vault, &event());
        let changes: [fn(&mut StoredEvent); 7] = [
            |event| event.id = 8,
            |event| event.at = 2,
            |event| event.kind.push('x'),
            |event| event.actor = "admin:mallory".to_owned(),
            |event| event.target = None,
            |event| event.request_id = Some(String::new()),
            |event| event.detail = Some("{ }".to_owned()),
        ];
        for change in changes {
            let mut altered = event();
            change(&mut altered);
            assert_ne!(Link::genesis().next(&vault, &altered).hash, whole.hash, "{altered:?}");
        }
        assert_ne!(whole.next(&vault, &event()).hash, whole.hash);
        let other = Vault::from_bytes(&[2; 32]).unwrap();
        assert_ne!(Link::genesis().next(&other, &event()).hash, whole.hash);
    }

    #[test]
    fn what_moves_from_one_field_to_the_next_is_noticed() {
        let vault = Vault::from_bytes(&[1; 32]).unwrap();
        let (mut a, mut b) = (event(), event());
        (a.kind, a.actor) = ("ab".to_owned(), "c".to_owned());
        (b.kind, b.actor) = ("a".to_owned(), "bc".to_owned());
        assert_ne!(Link::genesis().next(&vault, &a), Link::genesis().next(&vault, &b));
    }

    #[test]
    fn a_seal_is_for_one_name_and_one_place() {
        let vault = Vault::from_bytes(&[1; 32]).unwrap();
        let link = Link::genesis().next(&vault, &event());
        assert_ne!(link.seal(&vault, "head"), link.seal(&vault, "checkpoint"));
        let later = Link { seq: 2, ..link };
        assert_ne!(link.seal(&vault, "head"), later.seal(&vault, "head"));
    }
}
