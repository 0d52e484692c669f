//! Clients that registered themselves: initial access tokens, and who may manage what — RFC 7591,
//! RFC 7592.

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::ClientId;
use russet_protocol::secret::SecretHash;
use sea_orm::{ConnectionTrait as _, FromQueryResult, QueryResult};

use crate::act::WriteTx;
use crate::clients::{ListQuery, Page};
use crate::column::{to_millis, to_time};
use crate::fault::StoreFault;
use crate::paging::newest;
use crate::reader::Reader;

/// An initial access token (RFC 7591 §1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationToken {
    /// Names it; proves nothing.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// How many clients may still be registered with it; `None` means any number.
    pub uses_left: Option<i32>,
    /// When it stops being accepted; `None` means never.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    id: String,
    name: String,
    uses_left: Option<i32>,
    expires_at: Option<i64>,
    created_at: i64,
}

fn read(row: &QueryResult) -> Result<RegistrationToken, StoreFault> {
    let row = Row::from_query_result(row, "")?;
    Ok(RegistrationToken {
        id: row.id,
        name: row.name,
        uses_left: row.uses_left,
        expires_at: to_time(row.expires_at),
        created_at: Timestamp::from_millis(row.created_at),
    })
}

const INSERT: &str = "INSERT INTO registration_tokens \
                      (id, name, hash, uses_left, expires_at, created_at) \
                      VALUES ($1, $2, $3, $4, $5, $6)";
const LIST: &str = "SELECT id, name, uses_left, expires_at, created_at FROM registration_tokens \
                    ORDER BY created_at, id";
/// Counts by itself: of two registrations with the last use one wins.
const USE: &str = "UPDATE registration_tokens SET uses_left = uses_left - 1 WHERE hash = $1 \
                   AND (uses_left IS NULL OR uses_left > 0) \
                   AND (expires_at IS NULL OR expires_at > $2) RETURNING id";
const DELETE: &str = "DELETE FROM registration_tokens WHERE id = $1";
const REGISTER: &str = "INSERT INTO client_registrations \
                        (client_id, token_hash, registration_token_id, created_at) \
                        VALUES ($1, $2, $3, $4)";
const MANAGED: &str = "SELECT token_hash FROM client_registrations WHERE client_id = $1";

impl Reader {
    /// Every initial access token.
    pub async fn list_registration_tokens(&self) -> Result<Vec<RegistrationToken>, StoreFault> {
        let rows = self.connection.query_all_raw(self.connection.statement(LIST, [])).await?;
        rows.iter().map(read).collect()
    }

    /// Initial access tokens by pages, newest first.
    pub async fn page_of_registration_tokens(
        &self,
        query: &ListQuery,
    ) -> Result<Page<RegistrationToken>, StoreFault> {
        newest(&self.connection, "registration_tokens", query).await?.read(|row| read(&row))
    }

    /// The hash of the token that manages this client; `None` for one that an operator registered.
    pub async fn find_registration(
        &self,
        client_id: &ClientId,
    ) -> Result<Option<SecretHash>, StoreFault> {
        let stmt = self.connection.statement(MANAGED, [client_id.as_str().into()]);
        let Some(row) = self.connection.query_one_raw(stmt).await? else { return Ok(None) };
        let bytes: Vec<u8> = row.try_get("", "token_hash")?;
        Ok(SecretHash::from_bytes(&bytes))
    }
}

impl WriteTx {
    /// Stores an initial access token under its hash.
    pub async fn insert_registration_token(
        &self,
        token: &RegistrationToken,
        hash: &SecretHash,
    ) -> Result<(), StoreFault> {
        let values = [
            token.id.as_str().into(),
            token.name.as_str().into(),
            hash.as_bytes().to_vec().into(),
            token.uses_left.into(),
            to_millis(token.expires_at).into(),
            token.created_at.millis().into(),
        ];
        self.connection.execute_raw(self.connection.statement(INSERT, values)).await?;
        Ok(())
    }

    /// Uses an initial access token once more: its id, or `None` when it is unknown, used up or
    /// expired.
    pub async fn use_registration_token(
        &self,
        hash: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<String>, StoreFault> {
        let values = [hash.as_bytes().to_vec().into(), now.millis().into()];
        let row = self.connection.query_one_raw(self.connection.statement(USE, values)).await?;
        Ok(row.map(|row| row.try_get("", "id")).transpose()?)
    }

    /// Removes an initial access token; `false` when it was not there.
    pub async fn delete_registration_token(&self, id: &str) -> Result<bool, StoreFault> {
        let stmt = self.connection.statement(DELETE, [id.into()]);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }

    /// Remembers by which token this client is managed, and with which it was registered.
    pub async fn insert_registration(
        &self,
        client_id: &ClientId,
        hash: &SecretHash,
        registration_token_id: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let values = [
            client_id.as_str().into(),
            hash.as_bytes().to_vec().into(),
            registration_token_id.map(ToOwned::to_owned).into(),
            now.millis().into(),
        ];
        self.connection.execute_raw(self.connection.statement(REGISTER, values)).await?;
        Ok(())
    }
}
