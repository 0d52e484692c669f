//! Upstream grants whose identity was taken away: owed back to their upstream; and the tokens of
//! those who are here, each new one beside the earlier ones, which will be owed one day.

use russet_protocol::ambient::Timestamp;
use russet_protocol::upstream_grant::{LeftGrant, UpstreamGrant};
use sea_orm::{ConnectionTrait as _, FromQueryResult};

use crate::act::WriteTx;
use crate::fault::StoreFault;
use crate::reader::Reader;

#[derive(FromQueryResult)]
struct Row {
    id: String,
    authority: String,
    subject: String,
    client_id: String,
    sealed_refresh_token: Vec<u8>,
    attempts: i32,
    left_at: i64,
    due_at: i64,
}

impl Row {
    fn into_domain(self) -> LeftGrant {
        LeftGrant {
            id: self.id,
            authority: self.authority,
            subject: self.subject,
            client_id: self.client_id,
            sealed_refresh_token: self.sealed_refresh_token,
            attempts: self.attempts,
            left_at: Timestamp::from_millis(self.left_at),
            due_at: Timestamp::from_millis(self.due_at),
        }
    }
}

const INSERT: &str = "INSERT INTO left_grants (id, authority, subject, client_id, \
                      sealed_refresh_token, attempts, left_at, due_at) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const DUE: &str = "SELECT id FROM left_grants WHERE due_at <= $1 ORDER BY due_at LIMIT $2";
const CLAIM: &str = "UPDATE left_grants SET due_at = $2, attempts = attempts + 1 \
                     WHERE id = $1 AND due_at <= $3 RETURNING *";
const PUT_OFF: &str = "UPDATE left_grants SET due_at = $3 WHERE id = $1 AND attempts = $2";
const DELETE: &str = "DELETE FROM left_grants WHERE id = $1 AND attempts = $2";
const REST: &str = "UPDATE left_grants SET due_at = $3, attempts = 0 \
                    WHERE authority = $1 AND subject = $2 AND due_at <> $3";
/// So many tokens of one person and upstream client are kept.
const TRIM: &str = "DELETE FROM left_grants WHERE id IN (SELECT id FROM left_grants \
                    WHERE authority = $1 AND subject = $2 AND client_id = $3 AND due_at = $4 \
                    ORDER BY left_at DESC, id LIMIT 1000 OFFSET 16)";
const FORGET: &str = "DELETE FROM left_grants WHERE authority = $1 AND subject = $2 \
                      AND client_id = $3 AND left_at = $4 AND due_at = $5";
/// From the second try on it is looked first: most died with the newest.
const WAKE: &str = "UPDATE left_grants SET due_at = $3, left_at = $3, attempts = 1 \
                    WHERE authority = $1 AND subject = $2 AND due_at = $4";
const OWED: &str = "SELECT id FROM left_grants \
                    WHERE authority = $1 AND subject = $2 AND due_at <> $3 ORDER BY due_at";

impl Reader {
    /// The grants whose turn it is, the longest due first.
    pub async fn due_left_grants(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, StoreFault> {
        let values = [now.millis().into(), i64::from(limit).into()];
        let rows = self.connection.query_all_raw(self.connection.statement(DUE, values)).await?;
        rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
    }
}

impl Reader {
    /// What is owed of an identity, due or not.
    pub async fn owed_left_grants(
        &self,
        authority: &str,
        subject: &str,
    ) -> Result<Vec<String>, StoreFault> {
        let never = LeftGrant::NOT_OWED.millis();
        let values = [authority.into(), subject.into(), never.into()];
        let rows = self.connection.query_all_raw(self.connection.statement(OWED, values)).await?;
        rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
    }
}

impl WriteTx {
    /// Owes a grant to its upstream.
    pub async fn insert_left_grant(&self, left: &LeftGrant) -> Result<(), StoreFault> {
        let values = [
            left.id.as_str().into(),
            left.authority.as_str().into(),
            left.subject.as_str().into(),
            left.client_id.as_str().into(),
            left.sealed_refresh_token.clone().into(),
            left.attempts.into(),
            left.left_at.millis().into(),
            left.due_at.millis().into(),
        ];
        self.connection.execute_raw(self.connection.statement(INSERT, values)).await?;
        Ok(())
    }

    /// Takes one until `lease_until`; `None` when it is not due, or somebody else has it.
    pub async fn claim_left_grant(
        &self,
        id: &str,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<LeftGrant>, StoreFault> {
        let values = [id.into(), lease_until.millis().into(), now.millis().into()];
        let found = self.connection.query_one_raw(self.connection.statement(CLAIM, values)).await?;
        found.map(|row| Ok(Row::from_query_result(&row, "")?.into_domain())).transpose()
    }

    /// Tries it again later; `false` when somebody else has it by now.
    pub async fn put_off_left_grant(
        &self,
        left: &LeftGrant,
        due_at: Timestamp,
    ) -> Result<bool, StoreFault> {
        let values = [left.id.as_str().into(), left.attempts.into(), due_at.millis().into()];
        let stmt = self.connection.statement(PUT_OFF, values);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }

    /// Owes it no more; `false` when somebody else has it by now.
    pub async fn delete_left_grant(&self, left: &LeftGrant) -> Result<bool, StoreFault> {
        let values = [left.id.as_str().into(), left.attempts.into()];
        let stmt = self.connection.statement(DELETE, values);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }

    /// Owes nothing of this identity any more, for it is in use again: giving a grant back would
    /// take the new one with it. Returns how many there were.
    pub async fn keep_left_grants(
        &self,
        authority: &str,
        subject: &str,
    ) -> Result<u64, StoreFault> {
        let never = LeftGrant::NOT_OWED.millis();
        let values = [authority.into(), subject.into(), never.into()];
        Ok(self
            .connection
            .execute_raw(self.connection.statement(REST, values))
            .await?
            .rows_affected())
    }

    /// Keeps a token that is not owed, and of its like the latest ones.
    pub async fn rest_left_grant(&self, left: &LeftGrant) -> Result<(), StoreFault> {
        self.insert_left_grant(left).await?;
        let values = [
            left.authority.as_str().into(),
            left.subject.as_str().into(),
            left.client_id.as_str().into(),
            LeftGrant::NOT_OWED.millis().into(),
        ];
        self.connection.execute_raw(self.connection.statement(TRIM, values)).await?;
        Ok(())
    }

    /// Forgets the token of this very grant, for it is dealt with elsewhere.
    pub async fn forget_resting(&self, grant: &UpstreamGrant) -> Result<(), StoreFault> {
        let values = [
            grant.authority.as_str().into(),
            grant.subject.as_str().into(),
            grant.client_id.as_str().into(),
            grant.issued_at.millis().into(),
            LeftGrant::NOT_OWED.millis().into(),
        ];
        self.connection.execute_raw(self.connection.statement(FORGET, values)).await?;
        Ok(())
    }

    /// Owes every token of this identity from now on.
    pub async fn owe_resting(
        &self,
        authority: &str,
        subject: &str,
        now: Timestamp,
    ) -> Result<u64, StoreFault> {
        let never = LeftGrant::NOT_OWED.millis();
        let values = [authority.into(), subject.into(), now.millis().into(), never.into()];
        Ok(self
            .connection
            .execute_raw(self.connection.statement(WAKE, values))
            .await?
            .rows_affected())
    }
}
