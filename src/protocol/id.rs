//! Identifiers: 128 random bits as 22 base64url characters, each kind its own type.
//!
//! An identifier names a thing; it never proves anything. What proves is a [`crate::secret`].

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::ambient::{Entropy, random};

/// The six bits that base64url writes as a hyphen.
const HYPHEN: u8 = 0b11_1110;

fn drawn(entropy: &dyn Entropy) -> String {
    let mut bytes = random::<16>(entropy);
    if let [first, ..] = &mut bytes
        && *first >> 2 == HYPHEN
    {
        *first &= 0b0111_1111;
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes an identifier that came from storage or from a caller.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// Draws a new one. None begins with a hyphen, which a command line would take for a
            /// flag.
            pub fn random(entropy: &dyn Entropy) -> Self {
                Self(drawn(entropy))
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

id!(
    /// `client_id` (RFC 6749 §2.2).
    ClientId
);
id!(
    /// A person, inside Russet. Clients see [`crate::user::User::sub`] instead.
    UserId
);
id!(
    /// A browser session's public name: the `sid` claim (OIDC Back-Channel Logout §2.1).
    SessionId
);
id!(
    /// What a person (or a client for itself) gave a client: owns all tokens born of it.
    GrantId
);
id!(
    /// A console account.
    AdminId
);
id!(
    /// One authorization request on its way through login and consent.
    InteractionId
);
id!(
    /// A configured upstream, such as `apple`.
    ConnectionId
);
id!(
    /// The deletion of a person; shows its receipt to whoever knows it.
    DeletionId
);

/// Whose second factors these are: a console account's or a person's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Holder(String);

impl Holder {
    /// A console account's.
    pub fn admin(id: &AdminId) -> Self {
        Self(format!("admin:{id}"))
    }

    /// A person's.
    pub fn person(id: &UserId) -> Self {
        Self(format!("person:{id}"))
    }

    /// One that came from storage.
    pub fn new(holder: String) -> Self {
        Self(holder)
    }

    /// The id of the account or the person.
    pub fn id(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, id)| id)
    }

    /// The console account, if it is one's.
    pub fn admin_id(&self) -> Option<AdminId> {
        self.0.strip_prefix("admin:").map(AdminId::new)
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    #[test]
    fn none_begins_with_a_hyphen_and_others_are_what_was_drawn() {
        for byte in 0..=u8::MAX {
            let id = ClientId::random(&Fixed(byte));
            let plain = URL_SAFE_NO_PAD.encode([byte; 16]);
            assert_eq!((id.as_str().len(), id.as_str().starts_with('-')), (22, false), "{byte}");
            assert_eq!(id.as_str() == plain, !plain.starts_with('-'), "{byte}");
        }
    }
}
