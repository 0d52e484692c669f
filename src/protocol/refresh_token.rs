//! Refresh tokens: rotation, lost answers, theft — RFC 6749 §6, RFC 9700 §4.14.
//!
//! A token carries its grant and its generation, authenticated by a MAC, so the row needs to
//! remember only the newest generation that was *used* and the hash of the token that used it:
//!
//! - the next generation is good, and using it is one conditional `UPDATE`;
//! - the token that was used last may come again while its successor is unused, for its answer
//!   may have been lost; it gets a fresh successor, and nothing needs to be written;
//! - anything older, or a sibling of the token that was used, is a copy in two hands: the family
//!   is revoked.
//!
//! So an honest client is never signed out by a lost answer, and a thief and a victim never both
//! go on (the property test below).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ambient::{Entropy, Timestamp, random};
use crate::grant::Grant;
use crate::id::{ClientId, GrantId};
use crate::secret::{SecretHash, SecretString, Vault};

const GRANT: usize = 16;
const GENERATION: usize = 4;
const RANDOM: usize = 16;
const TAG: usize = 32;

/// A refresh token whose MAC is right: we made it.
#[derive(Clone, Debug)]
pub struct RefreshToken {
    /// The grant it refreshes.
    pub grant_id: GrantId,
    /// Its place in the family, from 1.
    pub generation: i32,
    /// What the row keeps of it once it is used.
    pub hash: SecretHash,
}

/// Makes the token of `generation` (1 for a new family). `None` if `grant_id` is not one of ours.
pub fn mint(
    vault: &Vault,
    entropy: &dyn Entropy,
    grant_id: &GrantId,
    generation: i32,
) -> Option<SecretString> {
    let mut bytes = URL_SAFE_NO_PAD.decode(grant_id.as_str()).ok()?;
    if bytes.len() != GRANT {
        return None;
    }
    bytes.extend_from_slice(&generation.to_be_bytes());
    bytes.extend_from_slice(&random::<RANDOM>(entropy));
    let tag = vault.refresh_tag(&bytes);
    bytes.extend_from_slice(tag.as_bytes());
    Some(SecretString::new(URL_SAFE_NO_PAD.encode(bytes)))
}

/// Reads a presented token. `None` for anything we did not make; nothing is looked up for it.
pub fn read(vault: &Vault, presented: &str) -> Option<RefreshToken> {
    if presented.len() > 128 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(presented).ok()?;
    if bytes.len() != GRANT + GENERATION + RANDOM + TAG {
        return None;
    }
    let (message, tag) = bytes.split_at_checked(GRANT + GENERATION + RANDOM)?;
    if !vault.knows_refresh_tag(message, tag) {
        return None;
    }
    let (grant, rest) = message.split_at_checked(GRANT)?;
    let generation = i32::from_be_bytes(rest.get(..GENERATION)?.try_into().ok()?);
    (generation > 0).then(|| RefreshToken {
        grant_id: GrantId::new(URL_SAFE_NO_PAD.encode(grant)),
        generation,
        hash: vault.hash(presented),
    })
}

/// What a presented token deserves, given the row as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Unused, of the next generation: use it up.
    First,
    /// Used last, successor unused: its answer was lost.
    LostAnswer,
    /// A copy in two hands: revoke the family.
    Reuse,
    /// Expired, revoked, or another client's. Nothing changes.
    Dead,
}

/// Judges `token`, presented by `client_id` at `now`.
pub fn judge(grant: &Grant, token: &RefreshToken, client_id: &ClientId, now: Timestamp) -> Verdict {
    if grant.client_id != *client_id
        || grant.revoked_at.is_some()
        || grant.expires_at <= now
        || grant.refresh_idle_expires_at <= now
    {
        Verdict::Dead
    } else if token.generation == grant.refresh_generation + 1 {
        Verdict::First
    } else if token.generation == grant.refresh_generation
        && grant.refresh_spent_hash == Some(token.hash)
    {
        Verdict::LostAnswer
    } else {
        Verdict::Reuse
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ambient::SeededEntropy;
    use crate::grant::GrantTerms;
    use crate::id::UserId;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    struct Family {
        vault: Vault,
        entropy: SeededEntropy,
        grant: Grant,
    }

    impl Family {
        fn new() -> Self {
            let entropy = SeededEntropy::new(1);
            let later = Timestamp::from_secs(2_000_000);
            let grant = Grant {
                id: GrantId::random(&entropy),
                client_id: ClientId::new("app"),
                user_id: UserId::new("u"),
                terms: GrantTerms {
                    sub: "s".into(),
                    scope: Vec::new(),
                    resources: Vec::new(),
                    auth_time: NOW,
                    amr: Vec::new(),
                    nonce: None,
                    claims: crate::claims_request::NamedClaims::default(),
                    cnf: None,
                },
                session_id: None,
                connection_id: None,
                created_at: NOW,
                refresh_generation: 0,
                refresh_spent_hash: None,
                refresh_idle_expires_at: later,
                expires_at: later,
                revoked_at: None,
            };
            Self { vault: Vault::from_bytes(&[1; 32]).unwrap(), entropy, grant }
        }

        fn mint(&self, generation: i32) -> String {
            let token = mint(&self.vault, &self.entropy, &self.grant.id, generation).unwrap();
            token.expose().clone()
        }

        /// What the token endpoint does, on a row in memory.
        fn refresh(&mut self, presented: &str) -> Option<String> {
            let token = read(&self.vault, presented)?;
            match judge(&self.grant, &token, &ClientId::new("app"), NOW) {
                Verdict::First => {
                    self.grant.refresh_generation = token.generation;
                    self.grant.refresh_spent_hash = Some(token.hash);
                    Some(self.mint(token.generation + 1))
                }
                Verdict::LostAnswer => Some(self.mint(token.generation + 1)),
                Verdict::Reuse => {
                    self.grant.revoked_at = Some(NOW);
                    None
                }
                Verdict::Dead => None,
            }
        }
    }

    #[test]
    fn a_spent_token_may_come_again_until_its_successor_is_used() {
        let mut family = Family::new();
        let first = family.mint(1);
        let lost = family.refresh(&first).expect("first use");
        let second = family.refresh(&first).expect("its answer was lost");
        assert_ne!(lost, second, "the successor is a fresh one");
        family.refresh(&second).expect("the successor is good");
        assert_eq!(family.refresh(&first), None);
        assert!(family.grant.revoked_at.is_some(), "re-use revokes the family");
        assert_eq!(family.refresh(&second), None);
    }

    #[test]
    fn of_two_successors_one_goes_on_and_the_other_gives_the_copy_away() {
        let mut family = Family::new();
        let first = family.mint(1);
        let (a, b) = (family.refresh(&first).unwrap(), family.refresh(&first).unwrap());
        assert!(family.refresh(&a).is_some());
        assert_eq!(family.refresh(&b), None);
        assert!(family.grant.revoked_at.is_some());
    }

    #[test]
    fn only_what_we_made_is_read() {
        let family = Family::new();
        let token = family.mint(1);
        assert!(read(&family.vault, &token).is_some());
        for position in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[position] = if altered[position] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(read(&family.vault, &altered).is_none(), "position {position}");
            assert!(read(&family.vault, &token[..position]).is_none());
        }
        assert!(read(&family.vault, &format!("{token}A")).is_none());
        assert!(read(&Vault::from_bytes(&[2; 32]).unwrap(), &token).is_none());
    }

    #[test]
    fn another_client_changes_nothing() {
        let family = Family::new();
        let token = read(&family.vault, &family.mint(1)).unwrap();
        let verdict = judge(&family.grant, &token, &ClientId::new("other"), NOW);
        assert_eq!(verdict, Verdict::Dead);
    }

    #[test]
    fn both_limits_end_the_family() {
        for idle in [true, false] {
            let mut family = Family::new();
            let token = read(&family.vault, &family.mint(1)).unwrap();
            if idle {
                family.grant.refresh_idle_expires_at = NOW;
            } else {
                family.grant.expires_at = NOW;
            }
            assert_eq!(judge(&family.grant, &token, &ClientId::new("app"), NOW), Verdict::Dead);
        }
    }

    proptest! {
        /// The owner refreshes, losing some answers. It is never signed out.
        #[test]
        fn lost_answers_sign_nobody_out(lost in proptest::collection::vec(any::<bool>(), 1..60)) {
            let mut family = Family::new();
            let mut held = family.mint(1);
            for lost in lost {
                let answer = family.refresh(&held);
                prop_assert!(answer.is_some());
                if let (false, Some(answer)) = (lost, answer) {
                    held = answer;
                }
            }
        }

        /// A thief copied the token. In any interleaving, after both have refreshed twice with
        /// what they got, the family is revoked.
        #[test]
        fn a_thief_and_a_victim_never_both_go_on(
            turns in proptest::collection::vec(any::<bool>(), 1..40),
        ) {
            let mut family = Family::new();
            let stolen = family.mint(1);
            let mut held = [stolen.clone(), stolen];
            let mut advanced = [0, 0];
            for thief in turns {
                let who = usize::from(thief);
                if let Some(next) = family.refresh(&held[who]) {
                    held[who] = next;
                    advanced[who] += 1;
                }
                prop_assert!(advanced[0] < 2 || advanced[1] < 2, "both went on");
            }
        }
    }
}
