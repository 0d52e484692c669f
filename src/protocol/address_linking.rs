//! When an address may join somebody unknown to an account — apple.md §12, items 1, 4 and 5.
//!
//! Addresses have taken accounts over again and again, so nothing is joined by one unless the
//! operator has switched the strict rule on, and then only if every condition below holds. Whoever
//! misses one is somebody new, and may prove both sides at `/account`.

use crate::id::ConnectionId;
use crate::user::{Identity, Profile, User};

/// Addresses that Apple hands out in place of a person's own (apple.md §4). A hint, beside what
/// the token says.
const RELAYS: [&str; 2] = ["@privaterelay.appleid.com", "@private.icloud.com"];

/// Longest address that is compared: longer ones are not kept whole to be found by.
const MAX_ADDRESS: usize = 100;

/// The address that these claims prove to be the person's own, to be compared: verified by the
/// upstream, no relay, and in letters that cannot be mistaken for others.
pub fn proven_address(profile: &Profile) -> Option<String> {
    let email = profile.email.as_deref()?;
    let whole = email.split('@').count() == 2 && !email.starts_with('@') && !email.ends_with('@');
    let plain = email.len() <= MAX_ADDRESS && email.bytes().all(|byte| byte.is_ascii_graphic());
    let email = email.to_ascii_lowercase();
    let relayed = profile.is_private_email || RELAYS.iter().any(|relay| email.ends_with(relay));
    (profile.email_verified && whole && plain && !relayed).then_some(email)
}

/// Somebody whom nobody knows yet.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer<'a> {
    /// The connection they came through.
    pub connection: &'a ConnectionId,
    /// Who vouches for them.
    pub authority: &'a str,
    /// What was learned of them.
    pub profile: &'a Profile,
}

/// Why an address joins nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The operator has not switched the rule on for the newcomer's connection.
    SwitchedOff,
    /// The newcomer's address is absent, not verified or a relay.
    AddressNotProven,
    /// The account may not be signed in to.
    Disabled,
    /// The account's own address is another, not verified or a relay.
    AccountNotProven,
    /// No other connection, with the rule switched on, has proven the account's address.
    NobodyVouches,
    /// The account has an identity at this authority already: this is another one.
    SomebodyElse,
}

/// Whether the newcomer may join this account, whose identities these are. `switched_on` are the
/// connections that the operator trusts with addresses.
///
/// # Errors
/// The first [`Obstacle`].
pub fn may_join(
    newcomer: Newcomer<'_>,
    user: &User,
    identities: &[Identity],
    switched_on: &[ConnectionId],
) -> Result<(), Obstacle> {
    if !switched_on.contains(newcomer.connection) {
        return Err(Obstacle::SwitchedOff);
    }
    let address = proven_address(newcomer.profile).ok_or(Obstacle::AddressNotProven)?;
    if user.disabled_at.is_some() {
        return Err(Obstacle::Disabled);
    }
    let own = Profile {
        email: user.email.clone(),
        email_verified: user.email_verified,
        is_private_email: user.is_private_email,
        ..Profile::default()
    };
    if proven_address(&own).as_ref() != Some(&address) {
        return Err(Obstacle::AccountNotProven);
    }
    if identities.iter().any(|identity| identity.authority == newcomer.authority) {
        return Err(Obstacle::SomebodyElse);
    }
    // The profile may have been filled by a connection that is trusted with less: one that is
    // trusted must itself have proven this very address, and still stand by the person.
    let vouches = |identity: &Identity| {
        identity.ended_at.is_none()
            && identity.email_proven
            && identity.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(&address))
            && switched_on.contains(&identity.connection_id)
    };
    if identities.iter().any(vouches) { Ok(()) } else { Err(Obstacle::NobodyVouches) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::Timestamp;
    use crate::id::UserId;

    fn profile() -> Profile {
        Profile {
            email: Some("Ada@example.com".into()),
            email_verified: true,
            ..Profile::default()
        }
    }

    fn user() -> User {
        User {
            email: Some("ada@Example.com".into()),
            email_verified: true,
            ..User::new(UserId::new("u"), "s".into(), Timestamp::default())
        }
    }

    fn identity() -> Identity {
        Identity {
            authority: "https://op.example".into(),
            subject: "1".into(),
            user_id: UserId::new("u"),
            connection_id: ConnectionId::new("work"),
            email: Some("ada@example.com".into()),
            email_proven: true,
            created_at: Timestamp::default(),
            last_login_at: Timestamp::default(),
            email_undeliverable_since: None,
            ended_at: None,
        }
    }

    fn asked(
        profile: &Profile,
        user: &User,
        identities: &[Identity],
        switched_on: &[&str],
    ) -> Result<(), Obstacle> {
        let connection = ConnectionId::new("apple");
        let newcomer = Newcomer { connection: &connection, authority: "apple:TEAM", profile };
        let switched_on: Vec<_> = switched_on.iter().map(|id| ConnectionId::new(*id)).collect();
        may_join(newcomer, user, identities, &switched_on)
    }

    const BOTH: [&str; 2] = ["apple", "work"];

    #[test]
    fn both_sides_verified_and_switched_on_join() {
        assert_eq!(asked(&profile(), &user(), &[identity()], &BOTH), Ok(()));
    }

    #[test]
    fn the_switch_is_needed_on_both_sides() {
        for (on, obstacle) in [
            (&[][..], Obstacle::SwitchedOff),
            (&["work"], Obstacle::SwitchedOff),
            (&["apple"], Obstacle::NobodyVouches),
        ] {
            assert_eq!(asked(&profile(), &user(), &[identity()], on), Err(obstacle), "{on:?}");
        }
    }

    #[test]
    fn a_newcomer_without_a_proven_address_joins_nobody() {
        let with = |change: fn(&mut Profile)| {
            let mut profile = profile();
            change(&mut profile);
            asked(&profile, &user(), &[identity()], &BOTH)
        };
        let not_proven = Err(Obstacle::AddressNotProven);
        assert_eq!(with(|p| p.email = None), not_proven);
        assert_eq!(with(|p| p.email_verified = false), not_proven);
        assert_eq!(with(|p| p.is_private_email = true), not_proven);
        assert_eq!(with(|p| p.email = Some("x@privaterelay.appleid.com".into())), not_proven);
        assert_eq!(with(|p| p.email = Some("x@Private.iCloud.com".into())), not_proven);
        // A letter that looks like another is another.
        assert_eq!(with(|p| p.email = Some("аda@example.com".into())), not_proven);
        assert_eq!(with(|p| p.email = Some("ada@example.com@evil.example".into())), not_proven);
        let long = |p: &mut Profile| p.email = Some(format!("{}@example.com", "a".repeat(100)));
        assert_eq!(with(long), not_proven);
        assert_eq!(
            with(|p| p.email = Some("eve@example.com".into())),
            Err(Obstacle::AccountNotProven)
        );
    }

    #[test]
    fn an_account_whose_address_is_not_proven_is_joined_by_nobody() {
        let with = |change: fn(&mut User)| {
            let mut user = user();
            change(&mut user);
            asked(&profile(), &user, &[identity()], &BOTH)
        };
        assert_eq!(with(|u| u.email_verified = false), Err(Obstacle::AccountNotProven));
        assert_eq!(with(|u| u.is_private_email = true), Err(Obstacle::AccountNotProven));
        assert_eq!(with(|u| u.email = None), Err(Obstacle::AccountNotProven));
        let disabled = |u: &mut User| u.disabled_at = Some(Timestamp::default());
        assert_eq!(with(disabled), Err(Obstacle::Disabled));
    }

    #[test]
    fn only_an_identity_that_proved_this_address_itself_vouches_for_it() {
        let with = |change: fn(&mut Identity)| {
            let mut identity = identity();
            change(&mut identity);
            asked(&profile(), &user(), &[identity], &BOTH)
        };
        let nobody = Err(Obstacle::NobodyVouches);
        assert_eq!(with(|i| i.email_proven = false), nobody);
        assert_eq!(with(|i| i.email = Some("other@example.com".into())), nobody);
        assert_eq!(with(|i| i.email = None), nobody);
        assert_eq!(with(|i| i.ended_at = Some(Timestamp::default())), nobody);
        // A password kept here proves no address.
        assert_eq!(with(|i| i.connection_id = ConnectionId::new("local")), nobody);
        assert_eq!(asked(&profile(), &user(), &[], &BOTH), nobody);
        // A second account at the same upstream is somebody else, whatever its address.
        assert_eq!(with(|i| i.authority = "apple:TEAM".into()), Err(Obstacle::SomebodyElse));
    }
}
