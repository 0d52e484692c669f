//! Browser sessions and remembered consent.

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::{ClientId, ConnectionId, SessionId, UserId};
use russet_protocol::secret::SecretHash;
use russet_protocol::session::{Consent, Session};
use sea_orm::sea_query::{Expr, OnConflict, SimpleExpr};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, FromQueryResult as _, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _, QueryResult,
};

use crate::act::WriteTx;
use crate::column::{from_json, to_hash, to_json, to_millis, to_time};
use crate::fault::StoreFault;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sessions")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: String,
        pub(super) cookie_hash: Vec<u8>,
        pub(super) user_id: String,
        pub(super) auth_time: i64,
        pub(super) amr: String,
        pub(super) connection_id: String,
        pub(super) created_at: i64,
        pub(super) expires_at: i64,
        pub(super) ended_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod consent_row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "consents")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) user_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) client_id: String,
        pub(super) scope: String,
        pub(super) granted_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl row::Model {
    fn from_domain(session: &Session) -> Result<Self, StoreFault> {
        Ok(Self {
            id: session.id.to_string(),
            cookie_hash: session.cookie_hash.as_bytes().to_vec(),
            user_id: session.user_id.to_string(),
            auth_time: session.auth_time.millis(),
            amr: to_json(&session.amr)?,
            connection_id: session.connection_id.to_string(),
            created_at: session.created_at.millis(),
            expires_at: session.expires_at.millis(),
            ended_at: to_millis(session.ended_at),
        })
    }

    fn into_domain(self) -> Result<Session, StoreFault> {
        Ok(Session {
            id: SessionId::new(self.id),
            cookie_hash: to_hash(&self.cookie_hash, "sessions.cookie_hash")?,
            user_id: UserId::new(self.user_id),
            auth_time: Timestamp::from_millis(self.auth_time),
            amr: from_json(&self.amr, "sessions.amr")?,
            connection_id: ConnectionId::new(self.connection_id),
            created_at: Timestamp::from_millis(self.created_at),
            expires_at: Timestamp::from_millis(self.expires_at),
            ended_at: to_time(self.ended_at),
        })
    }
}

/// A session as a raw query found it.
pub(crate) fn read(row: &QueryResult) -> Result<Session, StoreFault> {
    row::Model::from_query_result(row, "")?.into_domain()
}

/// A person has proved anew who they are, in a browser that had a session.
#[derive(Clone, Debug)]
pub struct Reauthentication {
    /// The session, which keeps its `sid`.
    pub session_id: SessionId,
    /// The hash of the new cookie; the old one is good no more.
    pub cookie_hash: SecretHash,
    /// Who signed in.
    pub user_id: UserId,
    /// The new `auth_time`.
    pub auth_time: Timestamp,
    /// The new `amr`.
    pub amr: Vec<String>,
    /// Through which connection.
    pub connection_id: ConnectionId,
    /// When the session now ends by itself.
    pub expires_at: Timestamp,
}

impl Reader {
    /// The session with this cookie, even if it has ended or expired.
    pub async fn find_session_by_cookie(
        &self,
        cookie_hash: &SecretHash,
    ) -> Result<Option<Session>, StoreFault> {
        let found = row::Entity::find()
            .filter(row::Column::CookieHash.eq(cookie_hash.as_bytes()))
            .one(&self.connection)
            .await?;
        found.map(row::Model::into_domain).transpose()
    }

    /// The session with this `sid`, even if it has ended or expired.
    pub async fn find_session(&self, id: &SessionId) -> Result<Option<Session>, StoreFault> {
        let found = row::Entity::find_by_id(id.as_str()).one(&self.connection).await?;
        found.map(row::Model::into_domain).transpose()
    }

    /// A person's sessions, newest first, ended ones too as long as they are kept.
    pub async fn list_sessions(&self, user_id: &UserId) -> Result<Vec<Session>, StoreFault> {
        let found = row::Entity::find()
            .filter(row::Column::UserId.eq(user_id.as_str()))
            .order_by_desc(row::Column::CreatedAt)
            .order_by_asc(row::Column::Id)
            .all(&self.connection)
            .await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }

    /// What this person has agreed to give this client.
    pub async fn find_consent(
        &self,
        user_id: &UserId,
        client_id: &ClientId,
    ) -> Result<Option<Consent>, StoreFault> {
        let key = (user_id.to_string(), client_id.to_string());
        let Some(row) = consent_row::Entity::find_by_id(key).one(&self.connection).await? else {
            return Ok(None);
        };
        Ok(Some(Consent {
            user_id: UserId::new(row.user_id),
            client_id: ClientId::new(row.client_id),
            scope: from_json(&row.scope, "consents.scope")?,
            granted_at: Timestamp::from_millis(row.granted_at),
        }))
    }
}

impl WriteTx {
    /// Stores a new session.
    pub async fn insert_session(&self, session: &Session) -> Result<(), StoreFault> {
        let row = row::Model::from_domain(session)?.into_active_model();
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }

    /// Renews a session under a new cookie; `false` when it has ended or is not there.
    pub async fn reauthenticate_session(
        &self,
        renewed: &Reauthentication,
    ) -> Result<bool, StoreFault> {
        let done = row::Entity::update_many()
            .col_expr(row::Column::CookieHash, Expr::value(renewed.cookie_hash.as_bytes()))
            .col_expr(row::Column::UserId, Expr::value(renewed.user_id.as_str()))
            .col_expr(row::Column::AuthTime, Expr::value(renewed.auth_time.millis()))
            .col_expr(row::Column::Amr, Expr::value(to_json(&renewed.amr)?))
            .col_expr(row::Column::ConnectionId, Expr::value(renewed.connection_id.as_str()))
            .col_expr(row::Column::ExpiresAt, Expr::value(renewed.expires_at.millis()))
            .filter(row::Column::Id.eq(renewed.session_id.as_str()))
            .filter(row::Column::EndedAt.is_null())
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Ends a session; `false` when it had ended or is not there. What was granted in it lives on:
    /// see [`WriteTx::revoke_grants_of_session`].
    pub async fn end_session(&self, id: &SessionId, now: Timestamp) -> Result<bool, StoreFault> {
        Ok(self.end_sessions_where(row::Column::Id.eq(id.as_str()), now).await? > 0)
    }

    /// Ends every session of a person. Returns how many.
    pub async fn end_sessions_of_user(
        &self,
        user_id: &UserId,
        now: Timestamp,
    ) -> Result<u64, StoreFault> {
        self.end_sessions_where(row::Column::UserId.eq(user_id.as_str()), now).await
    }

    /// Ends a person's sessions that began through one of these connections. Returns how many.
    pub async fn end_sessions_of_connections(
        &self,
        user_id: &UserId,
        connections: &[ConnectionId],
        now: Timestamp,
    ) -> Result<u64, StoreFault> {
        let through = row::Column::ConnectionId.is_in(connections.iter().map(ConnectionId::as_str));
        self.end_sessions_where(row::Column::UserId.eq(user_id.as_str()).and(through), now).await
    }

    async fn end_sessions_where(
        &self,
        which: SimpleExpr,
        now: Timestamp,
    ) -> Result<u64, StoreFault> {
        let done = row::Entity::update_many()
            .col_expr(row::Column::EndedAt, Expr::value(now.millis()))
            .filter(which)
            .filter(row::Column::EndedAt.is_null())
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected)
    }

    /// Remembers a person's yes, in place of an earlier one to the same client.
    pub async fn put_consent(&self, consent: &Consent) -> Result<(), StoreFault> {
        let row = consent_row::Model {
            user_id: consent.user_id.to_string(),
            client_id: consent.client_id.to_string(),
            scope: to_json(&consent.scope)?,
            granted_at: consent.granted_at.millis(),
        };
        let replace =
            OnConflict::columns([consent_row::Column::UserId, consent_row::Column::ClientId])
                .update_columns([consent_row::Column::Scope, consent_row::Column::GrantedAt])
                .to_owned();
        consent_row::Entity::insert(row.into_active_model())
            .on_conflict(replace)
            .exec_without_returning(&self.connection)
            .await?;
        Ok(())
    }

    /// Forgets a person's yes; `false` when there was none.
    pub async fn delete_consent(
        &self,
        user_id: &UserId,
        client_id: &ClientId,
    ) -> Result<bool, StoreFault> {
        let key = (user_id.to_string(), client_id.to_string());
        let done = consent_row::Entity::delete_by_id(key).exec(&self.connection).await?;
        Ok(done.rows_affected > 0)
    }
}
