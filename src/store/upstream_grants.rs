//! What upstreams gave for people, sealed, and how it stands.
//!
//! A row is replaced whole when its person signs in anew; everything else changes it only in the
//! version that was looked at, so an answer about an old token never touches a new one.

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::UserId;
use russet_protocol::upstream_grant::{GrantState, UpstreamGrant};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, ExprTrait as _, FromQueryResult as _,
    IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Value,
};

use crate::act::WriteTx;
use crate::column::{from_word, to_millis, to_time};
use crate::fault::StoreFault;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "upstream_grants")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) user_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) authority: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) client_id: String,
        pub(super) subject: String,
        pub(super) sealed_refresh_token: Vec<u8>,
        pub(super) issued_at: i64,
        pub(super) state: String,
        pub(super) state_since: i64,
        pub(super) last_checked_at: Option<i64>,
        pub(super) last_ok_at: Option<i64>,
        pub(super) ambiguous_days: i32,
        pub(super) failures: i32,
        pub(super) next_check_at: Option<i64>,
        pub(super) version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl row::Model {
    fn from_domain(grant: &UpstreamGrant) -> Self {
        Self {
            user_id: grant.user_id.to_string(),
            authority: grant.authority.clone(),
            client_id: grant.client_id.clone(),
            subject: grant.subject.clone(),
            sealed_refresh_token: grant.sealed_refresh_token.clone(),
            issued_at: grant.issued_at.millis(),
            state: grant.state.as_str().to_owned(),
            state_since: grant.state_since.millis(),
            last_checked_at: to_millis(grant.last_checked_at),
            last_ok_at: to_millis(grant.last_ok_at),
            ambiguous_days: grant.ambiguous_days,
            failures: grant.failures,
            next_check_at: to_millis(grant.next_check_at),
            version: grant.version,
        }
    }

    fn into_domain(self) -> Result<UpstreamGrant, StoreFault> {
        Ok(UpstreamGrant {
            user_id: UserId::new(self.user_id),
            authority: self.authority,
            client_id: self.client_id,
            subject: self.subject,
            sealed_refresh_token: self.sealed_refresh_token,
            issued_at: Timestamp::from_millis(self.issued_at),
            state: from_word(self.state, "upstream_grants.state")?,
            state_since: Timestamp::from_millis(self.state_since),
            last_checked_at: to_time(self.last_checked_at),
            last_ok_at: to_time(self.last_ok_at),
            ambiguous_days: self.ambiguous_days,
            failures: self.failures,
            next_check_at: to_time(self.next_check_at),
            version: self.version,
        })
    }
}

/// A grant whose check is due, and when its person last signed in.
#[derive(Clone, Debug)]
pub struct DueGrant {
    /// The grant.
    pub grant: UpstreamGrant,
    /// Its person's last sign-in through the identity it belongs to, by whatever client.
    pub last_login_at: Timestamp,
}

/// One range of the index on `(authority, next_check_at)`, and a row of `identities` for each.
const DUE: &str = "SELECT g.*, i.last_login_at FROM upstream_grants g \
                   JOIN identities i ON i.authority = g.authority AND i.subject = g.subject \
                   WHERE g.authority = $1 AND g.next_check_at <= $2 \
                   ORDER BY g.next_check_at LIMIT $3";
const OTHERS_OK: &str = "SELECT user_id FROM upstream_grants WHERE authority = $1 \
                         AND last_ok_at >= $2 AND user_id <> $3 LIMIT 1";

impl Reader {
    /// The upstream grants kept for a person, one for each authority and upstream client, the
    /// revoked ones too.
    pub async fn find_upstream_grants(
        &self,
        user_id: &UserId,
    ) -> Result<Vec<UpstreamGrant>, StoreFault> {
        let found = row::Entity::find()
            .filter(row::Column::UserId.eq(user_id.as_str()))
            .order_by_asc(row::Column::Authority)
            .order_by_asc(row::Column::ClientId)
            .all(&self.connection)
            .await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }

    /// Grants of an authority whose check is due by `now`, the longest overdue first.
    pub async fn due_upstream_grants(
        &self,
        authority: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<DueGrant>, StoreFault> {
        let values: [Value; 3] = [authority.into(), now.millis().into(), i64::from(limit).into()];
        let stmt = self.connection.statement(DUE, values);
        let mut due = Vec::new();
        for found in self.connection.query_all_raw(stmt).await? {
            due.push(DueGrant {
                grant: row::Model::from_query_result(&found, "")?.into_domain()?,
                last_login_at: Timestamp::from_millis(found.try_get("", "last_login_at")?),
            });
        }
        Ok(due)
    }

    /// Whether the authority has said of anybody else's grant since then that it stands.
    pub async fn others_stand_since(
        &self,
        authority: &str,
        user_id: &UserId,
        since: Timestamp,
    ) -> Result<bool, StoreFault> {
        let values: [Value; 3] = [authority.into(), since.millis().into(), user_id.as_str().into()];
        let stmt = self.connection.statement(OTHERS_OK, values);
        Ok(self.connection.query_one_raw(stmt).await?.is_some())
    }

    /// The authorities of which any grant is kept that is not revoked.
    pub async fn checked_authorities(&self) -> Result<Vec<String>, StoreFault> {
        Ok(row::Entity::find()
            .select_only()
            .column(row::Column::Authority)
            .distinct()
            .filter(row::Column::NextCheckAt.is_not_null())
            .into_tuple()
            .all(&self.connection)
            .await?)
    }
}

impl WriteTx {
    /// Keeps an upstream refresh token, in place of the one before from the same authority and
    /// upstream client: whatever was known of that one is forgotten.
    pub async fn put_upstream_grant(&self, grant: &UpstreamGrant) -> Result<(), StoreFault> {
        use row::Column;
        let row = row::Model::from_domain(grant).into_active_model();
        let replace = OnConflict::columns([Column::UserId, Column::Authority, Column::ClientId])
            .update_columns([
                Column::Subject,
                Column::SealedRefreshToken,
                Column::IssuedAt,
                Column::State,
                Column::StateSince,
                Column::AmbiguousDays,
                Column::Failures,
                Column::NextCheckAt,
            ])
            .value(Column::Version, Expr::col((row::Entity, Column::Version)).add(1))
            .to_owned();
        row::Entity::insert(row)
            .on_conflict(replace)
            .exec_without_returning(&self.connection)
            .await?;
        Ok(())
    }

    /// Writes down what a check found, unless the row has changed since `grant.version` was read;
    /// then `false`, and nothing is changed. Token and time of issue are never touched.
    pub async fn note_upstream_grant(&self, grant: &UpstreamGrant) -> Result<bool, StoreFault> {
        use row::Column;
        let done = row::Entity::update_many()
            .col_expr(Column::State, Expr::value(grant.state.as_str()))
            .col_expr(Column::StateSince, Expr::value(grant.state_since.millis()))
            .col_expr(Column::LastCheckedAt, Expr::value(to_millis(grant.last_checked_at)))
            .col_expr(Column::LastOkAt, Expr::value(to_millis(grant.last_ok_at)))
            .col_expr(Column::AmbiguousDays, Expr::value(grant.ambiguous_days))
            .col_expr(Column::Failures, Expr::value(grant.failures))
            .col_expr(Column::NextCheckAt, Expr::value(to_millis(grant.next_check_at)))
            .col_expr(Column::Version, Expr::value(grant.version.saturating_add(1)))
            .filter(Column::UserId.eq(grant.user_id.as_str()))
            .filter(Column::Authority.eq(grant.authority.as_str()))
            .filter(Column::ClientId.eq(grant.client_id.as_str()))
            .filter(Column::Version.eq(grant.version))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Marks all that an authority gave for a person as revoked: the upstream said so itself.
    /// Returns how many stood until now.
    pub async fn revoke_upstream_grants(
        &self,
        user_id: &UserId,
        authority: &str,
        now: Timestamp,
    ) -> Result<u64, StoreFault> {
        use row::Column;
        let revoked = GrantState::Revoked.as_str();
        let done = row::Entity::update_many()
            .col_expr(Column::State, Expr::value(revoked))
            .col_expr(Column::StateSince, Expr::value(now.millis()))
            .col_expr(Column::NextCheckAt, Expr::value(None::<i64>))
            .col_expr(Column::Version, Expr::col(Column::Version).add(1))
            .filter(Column::UserId.eq(user_id.as_str()))
            .filter(Column::Authority.eq(authority))
            .filter(Column::State.ne(revoked))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected)
    }

    /// Forgets one upstream grant; `false` when there was none.
    pub async fn delete_upstream_grant(
        &self,
        user_id: &UserId,
        authority: &str,
        client_id: &str,
    ) -> Result<bool, StoreFault> {
        let key = (user_id.to_string(), authority.to_owned(), client_id.to_owned());
        let done = row::Entity::delete_by_id(key).exec(&self.connection).await?;
        Ok(done.rows_affected > 0)
    }
}
