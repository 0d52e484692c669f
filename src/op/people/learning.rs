//! What is taken over from an upstream: nothing that was learned erases what is known.

use crate::protocol::user::{Profile, User};

/// What is taken over from an upstream although something is known.
#[derive(Clone, Copy)]
pub(super) struct Learned {
    pub(super) names: bool,
    pub(super) address: bool,
}

/// Takes over what an upstream told. Returns whether anything changed. Apple's name is untrusted
/// and told once, so it fills a gap and replaces nothing; a signed name replaces.
pub(super) fn learn(user: &mut User, profile: &Profile, learned: Learned) -> bool {
    let before = user.clone();
    let unnamed = user.name.is_none() && user.given_name.is_none() && user.family_name.is_none();
    if learned.names || unnamed {
        for (known, told) in [
            (&mut user.name, &profile.name),
            (&mut user.given_name, &profile.given_name),
            (&mut user.family_name, &profile.family_name),
        ] {
            if let Some(told) = told.as_ref().filter(|told| !told.is_empty()) {
                *known = Some(told.clone());
            }
        }
    }
    let told = profile.email.as_ref().filter(|email| learned.address && !email.is_empty());
    if let Some(email) = told {
        user.email = Some(email.clone());
        user.email_verified = profile.email_verified;
        user.is_private_email = profile.is_private_email;
    }
    *user != before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ambient::Timestamp;
    use crate::protocol::id::UserId;

    fn user() -> User {
        User {
            name: Some("Ada".into()),
            email: Some("ada@example.com".into()),
            email_verified: true,
            ..User::new(UserId::new("u"), "s".into(), Timestamp::default())
        }
    }

    #[test]
    fn what_is_not_told_erases_nothing() {
        let mut ada = user();
        let silent = Profile { name: Some(String::new()), ..Profile::default() };
        assert!(!learn(&mut ada, &silent, Learned { names: true, address: true }));
        assert_eq!(ada, user());
    }

    #[test]
    fn apples_name_fills_a_gap_and_replaces_nothing() {
        let told = Profile { name: Some("Eve".into()), ..Profile::default() };
        let mut ada = user();
        let by_apple = Learned { names: false, address: true };
        learn(&mut ada, &told, by_apple);
        assert_eq!(ada.name.as_deref(), Some("Ada"));
        ada.name = None;
        learn(&mut ada, &told, by_apple);
        assert_eq!(ada.name.as_deref(), Some("Eve"));
    }

    #[test]
    fn the_address_of_another_identity_stays() {
        let told = Profile { email: Some("eve@example.com".into()), ..Profile::default() };
        let mut ada = user();
        assert!(!learn(&mut ada, &told, Learned { names: true, address: false }));
        assert_eq!(ada.email.as_deref(), Some("ada@example.com"));
    }
}
