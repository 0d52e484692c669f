//! Making local accounts. A person of the operator's own, with all the claims that OIDC Core §5.1
//! knows, so that an installation can be tried and certified without any upstream.

use serde_json::json;
use url::Url;

use super::passwords::password_problem;
use super::rules::is_username;
use super::{Actor, AdminError, Administration, FieldProblem, checked};
use crate::op::ending::{self, Ending, Reason};
use crate::op::people::new_sub;
use crate::protocol::admin::Role;
use crate::protocol::id::{ConnectionId, UserId};
use crate::protocol::local_account::{AUTHORITY, LocalAccount, canonical};
use crate::protocol::secret::SecretString;
use crate::protocol::standard_claims::StandardClaims;
use crate::protocol::user::{Identity, User};

const MAX_TEXT: usize = 500;

/// An account to make.
#[derive(Debug, Default)]
pub struct NewLocalUser {
    /// What is typed at sign-in, in any case.
    pub username: String,
    /// `name`.
    pub name: Option<String>,
    /// `given_name`.
    pub given_name: Option<String>,
    /// `family_name`.
    pub family_name: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// `email_verified`.
    pub email_verified: bool,
    /// The other standard claims; `preferred_username` is the username when absent.
    pub claims: StandardClaims,
}

impl Administration {
    /// Makes a person with a local account.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for a weak password, a taken username and claims that are not what
    /// OIDC Core §5.1 says they are.
    pub async fn create_local_user(
        &self,
        actor: &Actor,
        new: NewLocalUser,
        password: SecretString,
    ) -> Result<User, AdminError> {
        actor.must_be(Role::Admin)?;
        let mut problems = claim_problems(&new);
        if !is_username(&new.username) {
            problems.push(FieldProblem::new(
                "username",
                "must be 1 to 64 of A-Z, a-z, 0-9, '.', '_', '-', '@' and '+'",
            ));
        }
        if let Some(message) = password_problem(&new.username, &password) {
            problems.push(FieldProblem::new("password", message));
        }
        checked(problems)?;
        let now = self.clock.now();
        let username = canonical(&new.username);
        let mut claims = new.claims;
        claims.preferred_username.get_or_insert(new.username);
        let user = User {
            name: new.name,
            given_name: new.given_name,
            family_name: new.family_name,
            email_verified: new.email_verified && new.email.is_some(),
            email: new.email,
            claims,
            ..User::new(UserId::random(self.entropy.as_ref()), new_sub(self.entropy.as_ref()), now)
        };
        let account = LocalAccount {
            username: username.clone(),
            user_id: user.id.clone(),
            password_hash: self.passwords.hash(password).await?,
            created_at: now,
            updated_at: now,
        };
        let identity = Identity {
            authority: AUTHORITY.to_owned(),
            subject: username.clone(),
            user_id: user.id.clone(),
            connection_id: ConnectionId::new(AUTHORITY),
            email: user.email.clone(),
            // Whoever wrote it down is no upstream.
            email_proven: false,
            created_at: now,
            last_login_at: now,
            email_undeliverable_since: None,
            ended_at: None,
        };
        let event = actor
            .event(now, "user.created", user.id.as_str())
            .detail(json!({ "username": username }));
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.insert_user(&user).await?;
                    tx.insert_local_account(&account).await?;
                    tx.insert_identity(&identity).await?;
                    tx.record(&event).await?;
                    Ok::<_, AdminError>(user)
                })
            })
            .await
            .map_err(|error| error.taken("username"))
    }

    /// Sets the password of a local account; the person's sessions and grants end.
    ///
    /// # Errors
    /// [`AdminError::NotFound`], or [`AdminError::Invalid`] for a weak password.
    pub async fn reset_local_password(
        &self,
        actor: &Actor,
        username: &str,
        password: SecretString,
    ) -> Result<(), AdminError> {
        actor.must_be(Role::Admin)?;
        let username = canonical(username);
        let account =
            self.store.find_local_account(&username).await?.ok_or(AdminError::NotFound)?;
        if let Some(message) = password_problem(&username, &password) {
            return Err(AdminError::invalid("password", message));
        }
        let hash = self.passwords.hash(password).await?;
        let now = self.clock.now();
        let event = actor.event(now, "user.password_reset", account.user_id.as_str());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.update_local_password(&username, &hash, now).await? {
                        return Err(AdminError::NotFound);
                    }
                    let ending = Ending::User(account.user_id);
                    ending::end(tx, &ending, Reason::Administrative, now).await?;
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }
}

fn claim_problems(new: &NewLocalUser) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let claims = &new.claims;
    let address = claims.address.clone().unwrap_or_default();
    for (field, text) in [
        ("name", &new.name),
        ("given_name", &new.given_name),
        ("family_name", &new.family_name),
        ("email", &new.email),
        ("middle_name", &claims.middle_name),
        ("nickname", &claims.nickname),
        ("preferred_username", &claims.preferred_username),
        ("profile", &claims.profile),
        ("picture", &claims.picture),
        ("website", &claims.website),
        ("gender", &claims.gender),
        ("birthdate", &claims.birthdate),
        ("zoneinfo", &claims.zoneinfo),
        ("locale", &claims.locale),
        ("phone_number", &claims.phone_number),
        ("address.formatted", &address.formatted),
        ("address.street_address", &address.street_address),
        ("address.locality", &address.locality),
        ("address.region", &address.region),
        ("address.postal_code", &address.postal_code),
        ("address.country", &address.country),
    ] {
        let Some(text) = text else { continue };
        // Only an address may have lines.
        let odd = |c: char| c.is_control() && !(field.starts_with("address.") && c == '\n');
        let problem = if text.trim().is_empty() || text.len() > MAX_TEXT || text.contains(odd) {
            Some(format!("must be 1 to {MAX_TEXT} bytes without control characters"))
        } else {
            format_problem(field, text)
        };
        problems.extend(problem.map(|message| FieldProblem::new(field, message)));
    }
    problems
}

/// What a claim must look like beyond being text (OIDC Core §5.1).
fn format_problem(field: &str, text: &str) -> Option<String> {
    let (good, wanted) = match field {
        "email" => (
            text.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace)
            }),
            "must be an address such as ada@example.com",
        ),
        "profile" | "picture" | "website" => (
            Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http")),
            "must be an https URL",
        ),
        "birthdate" => (is_birthdate(text), "must be YYYY-MM-DD, 0000-MM-DD or YYYY"),
        "zoneinfo" => (
            text == "UTC" || (text.contains('/') && text.is_ascii()),
            "must be a time zone such as Europe/Berlin",
        ),
        "locale" => (
            text.split('-').all(|part| {
                (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
            }),
            "must be a language tag such as en-GB",
        ),
        "phone_number" => (
            text.starts_with('+')
                && text.bytes().any(|b| b.is_ascii_digit())
                && text.bytes().skip(1).all(|b| {
                    b.is_ascii_digit()
                        || matches!(
                            b,
                            b' ' | b'(' | b')' | b'-' | b'.' | b';' | b'=' | b'e' | b'x' | b't'
                        )
                }),
            "must be an international number such as '+44 20 7946 0000'",
        ),
        _ => (true, ""),
    };
    (!good).then(|| wanted.to_owned())
}

fn is_birthdate(text: &str) -> bool {
    let number = |part: Option<&str>, length: usize| {
        part.filter(|part| part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|part| part.parse::<u32>().ok())
    };
    let mut parts = text.split('-');
    let year = number(parts.next(), 4);
    match (parts.next(), parts.next(), parts.next()) {
        (None, None, None) => year.is_some(),
        (month, day, None) => {
            year.is_some()
                && number(month, 2).is_some_and(|month| (1..=12).contains(&month))
                && number(day, 2).is_some_and(|day| (1..=31).contains(&day))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(new: &NewLocalUser) -> Vec<&'static str> {
        claim_problems(new).into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn claims_must_be_what_the_standard_says() {
        let text = |text: &str| Some(text.to_owned());
        for good in ["1815-12-10", "0000-12-10", "1815"] {
            assert!(is_birthdate(good), "{good}");
        }
        for bad in ["", "1815-13-10", "1815-12", "15-12-10", "1815-12-10-1", "1815-12-32", "x"] {
            assert!(!is_birthdate(bad), "{bad}");
        }
        let bad = NewLocalUser {
            name: text(" "),
            email: text("ada"),
            claims: StandardClaims {
                picture: text("javascript:alert(1)"),
                zoneinfo: text("Berlin"),
                locale: text("en_GB"),
                phone_number: text("555"),
                ..StandardClaims::default()
            },
            ..NewLocalUser::default()
        };
        let wrong = ["name", "email", "picture", "zoneinfo", "locale", "phone_number"];
        assert_eq!(fields(&bad), wrong);
        let good = NewLocalUser {
            name: text("Ada Lovelace"),
            email: text("ada@example.com"),
            claims: StandardClaims {
                picture: text("https://example.com/ada.png"),
                zoneinfo: text("Europe/London"),
                locale: text("en-GB"),
                phone_number: text("+44 20 7946 0000"),
                ..StandardClaims::default()
            },
            ..NewLocalUser::default()
        };
        assert_eq!(fields(&good), Vec::<&str>::new());
    }
}
