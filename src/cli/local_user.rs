//! `russet user create` and `reset-password`: local accounts. Flags are the claims' names.

use clap::ArgAction;
use serde_json::json;

use super::answer::{Answer, password_from_stdin};
use super::failure::CliError;
use crate::op::admin::{Actor, Administration, NewLocalUser};
use crate::protocol::standard_claims::{Address, StandardClaims};

#[derive(Debug, clap::Args)]
pub(super) struct NewUser {
    /// What is typed at sign-in, in any case.
    #[arg(long)]
    username: String,
    /// Read the password from stdin.
    #[arg(long, required = true)]
    password_stdin: bool,
    /// Full name.
    #[arg(long)]
    name: Option<String>,
    /// Given name.
    #[arg(long)]
    given_name: Option<String>,
    /// Family name.
    #[arg(long)]
    family_name: Option<String>,
    /// Middle name.
    #[arg(long)]
    middle_name: Option<String>,
    /// Casual name.
    #[arg(long)]
    nickname: Option<String>,
    /// How the person wishes to be called; the username if not given.
    #[arg(long)]
    preferred_username: Option<String>,
    /// URL of a profile page.
    #[arg(long, value_name = "URL")]
    profile: Option<String>,
    /// URL of a picture.
    #[arg(long, value_name = "URL")]
    picture: Option<String>,
    /// URL of a web page or blog.
    #[arg(long, value_name = "URL")]
    website: Option<String>,
    /// Gender.
    #[arg(long)]
    gender: Option<String>,
    /// YYYY-MM-DD, 0000-MM-DD or YYYY.
    #[arg(long, value_name = "DATE")]
    birthdate: Option<String>,
    /// Time zone, such as Europe/Berlin.
    #[arg(long)]
    zoneinfo: Option<String>,
    /// Language, such as en-GB.
    #[arg(long)]
    locale: Option<String>,
    /// Email address.
    #[arg(long)]
    email: Option<String>,
    /// Whether you vouch for the email address.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, value_name = "true|false",
          default_value = "false", default_missing_value = "true")]
    email_verified: bool,
    /// Phone number, international, such as '+44 20 7946 0000'.
    #[arg(long)]
    phone_number: Option<String>,
    /// Whether you vouch for the phone number.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, value_name = "true|false",
          default_value = "false", default_missing_value = "true")]
    phone_number_verified: bool,
    /// Postal address as on an envelope.
    #[arg(long)]
    address_formatted: Option<String>,
    /// Street and house number.
    #[arg(long)]
    address_street_address: Option<String>,
    /// City.
    #[arg(long)]
    address_locality: Option<String>,
    /// State, province or region.
    #[arg(long)]
    address_region: Option<String>,
    /// Postal code.
    #[arg(long)]
    address_postal_code: Option<String>,
    /// Country.
    #[arg(long)]
    address_country: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct NewPassword {
    /// Whose.
    #[arg(long)]
    username: String,
    /// Read the password from stdin.
    #[arg(long, required = true)]
    password_stdin: bool,
}

impl NewUser {
    fn described(self) -> NewLocalUser {
        let address = Address {
            formatted: self.address_formatted,
            street_address: self.address_street_address,
            locality: self.address_locality,
            region: self.address_region,
            postal_code: self.address_postal_code,
            country: self.address_country,
        };
        NewLocalUser {
            username: self.username,
            name: self.name,
            given_name: self.given_name,
            family_name: self.family_name,
            email: self.email,
            email_verified: self.email_verified,
            claims: StandardClaims {
                middle_name: self.middle_name,
                nickname: self.nickname,
                preferred_username: self.preferred_username,
                profile: self.profile,
                picture: self.picture,
                website: self.website,
                gender: self.gender,
                birthdate: self.birthdate,
                zoneinfo: self.zoneinfo,
                locale: self.locale,
                phone_number_verified: self.phone_number_verified && self.phone_number.is_some(),
                phone_number: self.phone_number,
                address: Some(address).filter(|address| *address != Address::default()),
            },
        }
    }
}

pub(super) async fn create(
    administration: &Administration,
    new: NewUser,
) -> Result<Answer, CliError> {
    let password = password_from_stdin()?;
    let user = administration.create_local_user(&Actor::cli(), new.described(), password).await?;
    Ok(Answer::thing(administration.find_person(&user.sub).await?.to_json()))
}

pub(super) async fn reset_password(
    administration: &Administration,
    new: NewPassword,
) -> Result<Answer, CliError> {
    let password = password_from_stdin()?;
    let username = new.username;
    administration.reset_local_password(&Actor::cli(), &username, password).await?;
    Ok(Answer::new(format!("{username} has a new password"), json!({ "username": username })))
}
