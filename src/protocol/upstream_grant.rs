//! What an upstream gave for a person, and when it is asked whether that still stands — apple.md
//! §5.2, §6.
//!
//! A check comes a day after the last proof that the grant stood, so that nobody is asked about
//! twice in a day and nobody goes unasked for longer. From there it drifts, at most
//! [`DRIFT`] a day, towards the grant's own place in the day, which a hash gives: whatever crowd
//! signed in at one moment, its checks spread over the day by themselves.

use std::time::Duration;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use crate::ambient::{Entropy, Timestamp, random};
use crate::id::UserId;

/// How long a proof is good for: Apple wants no more than one question a day.
pub const CHECK_INTERVAL: Duration = Duration::from_secs(24 * 3600);
/// How far a check may move in a day towards its own place: what a revocation may stay unnoticed
/// beyond the interval.
pub const DRIFT: Duration = Duration::from_secs(3600);
const BACK_OFF_FIRST: Duration = Duration::from_secs(5 * 60);
const BACK_OFF_LONGEST: Duration = Duration::from_secs(6 * 3600);
/// `invalid_request` counts as a revocation when it has come on so many days running.
pub const AMBIGUOUS_DAYS: i32 = 2;

/// An upstream refresh token, kept sealed beside the `client_id` that obtained it: Apple revokes
/// and refreshes only with that one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamGrant {
    /// Whose it is.
    pub user_id: UserId,
    /// Who gave it: the identity's authority.
    pub authority: String,
    /// The upstream `client_id`: Services ID or bundle ID.
    pub client_id: String,
    /// Whom the upstream gave it for: the identity's subject.
    pub subject: String,
    /// The sealed refresh token; bound to [`UpstreamGrant::bound_to`].
    pub sealed_refresh_token: Vec<u8>,
    /// When it was obtained.
    pub issued_at: Timestamp,
    /// How it stands, as far as is known.
    pub state: GrantState,
    /// Since when it is in this state.
    pub state_since: Timestamp,
    /// When the upstream was last asked, and answered or not.
    pub last_checked_at: Option<Timestamp>,
    /// When the upstream last said that it stands.
    pub last_ok_at: Option<Timestamp>,
    /// On how many days running the answer was `invalid_request`.
    pub ambiguous_days: i32,
    /// How many attempts running brought no answer.
    pub failures: i32,
    /// When to ask next; never, once it is revoked.
    pub next_check_at: Option<Timestamp>,
    /// Grows with every change: an answer counts only for the version that was asked about.
    pub version: i64,
}

/// An upstream grant that nobody has any more: its identity was taken away, and it is owed back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftGrant {
    /// Its row.
    pub id: String,
    /// Who gave it.
    pub authority: String,
    /// For whom.
    pub subject: String,
    /// The upstream `client_id` that obtained it.
    pub client_id: String,
    /// The sealed refresh token; bound to [`LeftGrant::bound_to`].
    pub sealed_refresh_token: Vec<u8>,
    /// How often it was tried.
    pub attempts: i32,
    /// When the identity was taken away.
    pub left_at: Timestamp,
    /// When it is tried next.
    pub due_at: Timestamp,
}

impl LeftGrant {
    /// When it is tried that is not owed: an earlier token of somebody who is here. Apple does not
    /// say that one dies when another is given, and to give it back might end the newer one.
    pub const NOT_OWED: Timestamp = Timestamp::from_millis(i64::MAX);

    /// What the sealed token is bound to: its row.
    pub fn bound_to(&self) -> String {
        format!("left_grants:{}", self.id)
    }
}

/// How an upstream grant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    /// Good, for all that is known.
    Valid,
    /// The upstream took it back. Not asked about again.
    Revoked,
    /// The upstream has not answered; nothing is known against it.
    Unreachable,
}

impl GrantState {
    /// The word it is stored and shown as.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Revoked => "revoked",
            Self::Unreachable => "unreachable",
        }
    }
}

impl UpstreamGrant {
    /// A grant that was obtained just now.
    pub fn obtained(
        user_id: UserId,
        authority: String,
        client_id: String,
        subject: String,
        now: Timestamp,
    ) -> Self {
        let next = Place::of(&user_id, &client_id).after_sign_in(now);
        Self {
            user_id,
            authority,
            client_id,
            subject,
            sealed_refresh_token: Vec::new(),
            issued_at: now,
            state: GrantState::Valid,
            state_since: now,
            last_checked_at: None,
            last_ok_at: None,
            ambiguous_days: 0,
            failures: 0,
            next_check_at: Some(next),
            version: 1,
        }
    }

    /// What the sealed token is bound to: its row.
    pub fn bound_to(&self) -> String {
        format!("upstream_grants:{}:{}:{}", self.user_id, self.authority, self.client_id)
    }

    /// When to ask next, if an answer proved the grant good at `proof`.
    pub fn next_check(&self, proof: Timestamp) -> Timestamp {
        Place::of(&self.user_id, &self.client_id).after_answer(proof)
    }

    /// When to ask next, if its person signed in at `proof`.
    pub fn next_check_after_sign_in(&self, proof: Timestamp) -> Timestamp {
        Place::of(&self.user_id, &self.client_id).after_sign_in(proof)
    }
}

/// Where a grant belongs in the day, by a hash.
struct Place {
    /// After midnight.
    own: u64,
    /// How far of [`DRIFT`] a grant comes on its first day whose place is further away.
    first: u64,
}

impl Place {
    fn of(user_id: &UserId, client_id: &str) -> Self {
        let digest = digest::digest(&digest::SHA256, format!("{user_id}:{client_id}").as_bytes());
        let mut halves = digest
            .as_ref()
            .chunks_exact(8)
            .map(|eight| eight.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)));
        let mut below = |limit: Duration| halves.next().unwrap_or(0).rem_euclid(millis(limit));
        Self { own: below(CHECK_INTERVAL), first: below(DRIFT) }
    }

    /// A day later, and up to [`DRIFT`] nearer to its own place.
    fn after_answer(&self, proof: Timestamp) -> Timestamp {
        self.towards(proof, DRIFT)
    }

    /// People sign in in crowds, most of them far from their place: they come apart at once.
    fn after_sign_in(&self, proof: Timestamp) -> Timestamp {
        self.towards(proof, Duration::from_millis(self.first))
    }

    fn towards(&self, proof: Timestamp, longest: Duration) -> Timestamp {
        let due = proof.plus(CHECK_INTERVAL);
        let day = millis(CHECK_INTERVAL);
        let here = u64::try_from(due.millis()).unwrap_or(0).rem_euclid(day);
        let ahead = (self.own + day - here).rem_euclid(day);
        due.plus(Duration::from_millis(ahead).min(longest))
    }
}

fn millis(of: Duration) -> u64 {
    u64::try_from(of.as_millis()).unwrap_or(u64::MAX)
}

/// How long to wait after `failures` attempts that brought no answer: doubling, up to six hours,
/// and between half of it and the whole by chance, so that those who failed together do not come
/// back together.
pub fn back_off(failures: i32, entropy: &dyn Entropy) -> Duration {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(0).min(16);
    let whole = BACK_OFF_FIRST.saturating_mul(1 << doublings).min(BACK_OFF_LONGEST);
    let half = whole / 2;
    let chance = u32::from_be_bytes(random(entropy));
    half + half.mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SeededEntropy;

    const NOON: Timestamp = Timestamp::from_secs(1_795_521_600);

    fn crowd(size: usize) -> Vec<Place> {
        (0..size).map(|n| Place::of(&UserId::new(n.to_string()), "com.example.web")).collect()
    }

    #[test]
    fn a_crowd_that_signed_in_at_once_is_asked_about_over_an_hour_and_not_at_once() {
        let places = crowd(6000);
        let mut minutes = [0_usize; 60];
        for place in &places {
            let later = place.after_sign_in(NOON).since(NOON.plus(CHECK_INTERVAL));
            minutes[usize::try_from(later.as_secs() / 60).unwrap()] += 1;
        }
        assert!(minutes.iter().all(|minute| (50..200).contains(minute)), "{minutes:?}");
    }

    #[test]
    fn a_check_comes_a_day_after_the_proof_and_at_most_an_hour_later() {
        for place in crowd(1000) {
            for next in [place.after_sign_in(NOON), place.after_answer(NOON)] {
                assert!(next >= NOON.plus(CHECK_INTERVAL), "twice in a day");
                assert!(next <= NOON.plus(CHECK_INTERVAL + DRIFT), "unasked for too long");
            }
        }
    }

    #[test]
    fn a_crowd_that_came_at_once_is_spread_over_the_day_and_stays_so() {
        const CROWD: usize = 24_000;
        let places = crowd(CROWD);
        let mut due: Vec<_> = places.iter().map(|place| place.after_sign_in(NOON)).collect();
        let worst = |due: &[Timestamp]| {
            let mut hours = [0_usize; 24];
            for at in due {
                hours[usize::try_from(at.secs().rem_euclid(86_400) / 3600).unwrap()] += 1;
            }
            hours.into_iter().max().unwrap()
        };
        assert!(worst(&due) > CROWD / 2, "they all come within two hours at first");
        for _ in 0..24 {
            for (place, at) in places.iter().zip(&mut due) {
                *at = place.after_answer(*at);
            }
        }
        let settled = due.clone();
        assert!(worst(&due) < CROWD / 24 * 11 / 10, "even within a tenth: {}", worst(&due));
        for (place, at) in places.iter().zip(&mut due) {
            *at = place.after_answer(*at);
        }
        for (before, after) in settled.iter().zip(&due) {
            assert_eq!(before.plus(CHECK_INTERVAL), *after, "each has its place");
        }
    }

    #[test]
    fn back_off_doubles_is_bounded_and_never_in_step() {
        let entropy = SeededEntropy::new(1);
        for (failures, longest) in [(1, 300), (2, 600), (4, 2400), (8, 21_600), (1000, 21_600)] {
            let waits: Vec<_> = (0..50).map(|_| back_off(failures, &entropy)).collect();
            for wait in &waits {
                assert!(*wait <= Duration::from_secs(longest), "{failures}: {wait:?}");
                assert!(*wait >= Duration::from_secs(longest / 2), "{failures}: {wait:?}");
            }
            assert!(waits.windows(2).any(|pair| pair[0] != pair[1]));
        }
    }
}
