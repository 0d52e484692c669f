//! Opaque access tokens: what each stands for, under its hash.

use russet_protocol::access_token::AccessTokenClaims;
use russet_protocol::ambient::Timestamp;
use russet_protocol::secret::SecretHash;
use sea_orm::ConnectionTrait as _;

use crate::act::WriteTx;
use crate::column::{from_json, to_json};
use crate::fault::StoreFault;
use crate::reader::Reader;

const FIND: &str = "SELECT claims FROM opaque_tokens WHERE hash = $1";
const INSERT: &str = "INSERT INTO opaque_tokens (hash, claims, grant_id, client_id, expires_at) \
                      VALUES ($1, $2, $3, $4, $5)";

impl Reader {
    /// What the token with this hash stands for, whatever has become of it since.
    pub async fn find_opaque_token(
        &self,
        hash: &SecretHash,
    ) -> Result<Option<AccessTokenClaims>, StoreFault> {
        let stmt = self.connection.statement(FIND, [hash.as_bytes().to_vec().into()]);
        let Some(row) = self.connection.query_one_raw(stmt).await? else { return Ok(None) };
        let claims: String = row.try_get("", "claims")?;
        from_json(&claims, "opaque_tokens.claims").map(Some)
    }
}

impl WriteTx {
    /// Stores what a new token stands for. It goes with its grant or its client, and when it has
    /// expired.
    pub async fn insert_opaque_token(
        &self,
        hash: &SecretHash,
        claims: &AccessTokenClaims,
    ) -> Result<(), StoreFault> {
        let grant_id = claims.grant_id().map(|id| id.to_string());
        let values = [
            hash.as_bytes().to_vec().into(),
            to_json(claims)?.into(),
            grant_id.into(),
            claims.client_id.as_str().into(),
            Timestamp::from_secs(claims.exp).millis().into(),
        ];
        self.connection.execute_raw(self.connection.statement(INSERT, values)).await?;
        Ok(())
    }
}
