//! Grants and their refresh families.

use std::collections::HashMap;

use russet_protocol::ambient::Timestamp;
use russet_protocol::grant::Grant;
use russet_protocol::id::{ClientId, ConnectionId, GrantId, SessionId, UserId};
use russet_protocol::secret::SecretHash;
use sea_orm::{
    ColumnTrait, ConnectionTrait as _, EntityTrait as _, ExprTrait as _, FromQueryResult as _,
    IntoActiveModel as _, QueryFilter as _, QueryResult, Value, sea_query::Expr,
    sea_query::SimpleExpr,
};

use crate::act::WriteTx;
use crate::column::{from_json, to_hash, to_json, to_millis, to_time};
use crate::connection::Connection;
use crate::fault::StoreFault;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "grants")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: String,
        pub(super) client_id: String,
        pub(super) user_id: String,
        pub(super) terms: String,
        pub(super) session_id: Option<String>,
        pub(super) connection_id: Option<String>,
        pub(super) created_at: i64,
        pub(super) refresh_generation: i32,
        pub(super) refresh_spent_hash: Option<Vec<u8>>,
        pub(super) refresh_idle_expires_at: i64,
        pub(super) expires_at: i64,
        pub(super) revoked_at: Option<i64>,
        pub(super) offline: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl row::Model {
    fn from_domain(grant: &Grant) -> Result<Self, StoreFault> {
        Ok(Self {
            id: grant.id.to_string(),
            client_id: grant.client_id.to_string(),
            user_id: grant.user_id.to_string(),
            terms: to_json(&grant.terms)?,
            session_id: grant.session_id.as_ref().map(ToString::to_string),
            connection_id: grant.connection_id.as_ref().map(ToString::to_string),
            created_at: grant.created_at.millis(),
            refresh_generation: grant.refresh_generation,
            refresh_spent_hash: grant.refresh_spent_hash.map(|hash| hash.as_bytes().to_vec()),
            refresh_idle_expires_at: grant.refresh_idle_expires_at.millis(),
            expires_at: grant.expires_at.millis(),
            revoked_at: to_millis(grant.revoked_at),
            offline: grant.terms.is_offline(),
        })
    }

    fn into_domain(self) -> Result<Grant, StoreFault> {
        let hash = |bytes: Vec<u8>| to_hash(&bytes, "grants.refresh_spent_hash");
        Ok(Grant {
            id: GrantId::new(self.id),
            client_id: ClientId::new(self.client_id),
            user_id: UserId::new(self.user_id),
            terms: from_json(&self.terms, "grants.terms")?,
            session_id: self.session_id.map(SessionId::new),
            connection_id: self.connection_id.map(ConnectionId::new),
            created_at: Timestamp::from_millis(self.created_at),
            refresh_generation: self.refresh_generation,
            refresh_spent_hash: self.refresh_spent_hash.map(hash).transpose()?,
            refresh_idle_expires_at: Timestamp::from_millis(self.refresh_idle_expires_at),
            expires_at: Timestamp::from_millis(self.expires_at),
            revoked_at: to_time(self.revoked_at),
        })
    }
}

/// A grant as a raw query found it.
pub(crate) fn read(row: &QueryResult) -> Result<Grant, StoreFault> {
    row::Model::from_query_result(row, "")?.into_domain()
}

/// Which of a session's grants are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those without `offline_access`, which are of use only while the session lasts.
    WhileSignedIn,
    /// All of them.
    All,
}

/// The first use of a refresh token: generation and hash as it was presented.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The grant the token names.
    pub grant_id: GrantId,
    /// The client that presents it.
    pub client_id: ClientId,
    /// The token's generation; the grant must stand at the one before.
    pub presented_generation: i32,
    /// The hash of the token.
    pub presented_hash: SecretHash,
    /// The present.
    pub now: Timestamp,
    /// The new idle limit; not after the grant's `expires_at`.
    pub idle_expires_at: Timestamp,
}

const FIND: &str = "SELECT * FROM grants WHERE id IN";
const ROTATE: &str = "UPDATE grants SET refresh_generation = $3, refresh_spent_hash = $4, \
                      refresh_idle_expires_at = $5 WHERE id = $1 AND client_id = $2 \
                      AND refresh_generation = $3 - 1 AND revoked_at IS NULL \
                      AND refresh_idle_expires_at > $6 AND expires_at > $6 RETURNING *";

const TOUCH: &str = "UPDATE grants SET refresh_idle_expires_at = $2 WHERE id = $1 \
                     AND revoked_at IS NULL AND refresh_idle_expires_at > $3 AND expires_at > $3";

impl Reader {
    /// The grant, revoked and expired ones too.
    pub async fn find_grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreFault> {
        match &self.lookups {
            Some(lookups) => lookups.grants.find(id.as_str()).await,
            None => {
                Ok(find_many(&self.connection, vec![id.to_string()]).await?.remove(id.as_str()))
            }
        }
    }
}

impl WriteTx {
    /// Stores a new grant, and remembers to whom it was given.
    pub async fn insert_grant(&self, grant: &Grant) -> Result<(), StoreFault> {
        let row = row::Model::from_domain(grant)?.into_active_model();
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        self.remember_client(grant).await
    }

    /// Moves the refresh family on by one generation, if the presented token is the next one and
    /// grant and family are alive. One statement: of two presentations one wins.
    pub async fn rotate_refresh(&self, rotation: &Rotation) -> Result<Option<Grant>, StoreFault> {
        let values: [Value; 6] = [
            rotation.grant_id.as_str().into(),
            rotation.client_id.as_str().into(),
            rotation.presented_generation.into(),
            rotation.presented_hash.as_bytes().to_vec().into(),
            rotation.idle_expires_at.millis().into(),
            rotation.now.millis().into(),
        ];
        let stmt = self.connection.statement(ROTATE, values);
        match self.connection.query_one_raw(stmt).await? {
            Some(row) => row::Model::from_query_result(&row, "")?.into_domain().map(Some),
            None => Ok(None),
        }
    }

    /// Notes that a refresh family that does not move on was used; `false` when it is dead.
    pub async fn touch_refresh(
        &self,
        id: &GrantId,
        idle_expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let values: [Value; 3] =
            [id.as_str().into(), idle_expires_at.millis().into(), now.millis().into()];
        let stmt = self.connection.statement(TOUCH, values);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }

    /// Revokes the grant and with it every token born of it; `false` if it was revoked before or is
    /// not there.
    pub async fn revoke_grant(&self, id: &GrantId, now: Timestamp) -> Result<bool, StoreFault> {
        Ok(self.revoke_grants_where(row::Column::Id.eq(id.as_str()), now).await? > 0)
    }

    /// Revokes what was given in this browser session, as far as `reach` goes. Returns how many.
    pub async fn revoke_grants_of_session(
        &self,
        id: &SessionId,
        reach: Reach,
        now: Timestamp,
    ) -> Result<u64, StoreFault> {
        let of_session = row::Column::SessionId.eq(id.as_str());
        let which = match reach {
            Reach::All => of_session,
            Reach::WhileSignedIn => of_session.and(row::Column::Offline.eq(false)),
        };
        self.revoke_grants_where(which, now).await
    }

    /// Revokes what this person gave. Returns how many.
    pub async fn revoke_grants_of_user(
        &self,
        id: &UserId,
        now: Timestamp,
    ) -> Result<u64, StoreFault> {
        self.revoke_grants_where(row::Column::UserId.eq(id.as_str()), now).await
    }

    /// Revokes what this person gave after signing in through one of these connections. Returns
    /// how many.
    pub async fn revoke_grants_of_connections(
        &self,
        id: &UserId,
        connections: &[ConnectionId],
        now: Timestamp,
    ) -> Result<u64, StoreFault> {
        let through = row::Column::ConnectionId.is_in(connections.iter().map(ConnectionId::as_str));
        self.revoke_grants_where(row::Column::UserId.eq(id.as_str()).and(through), now).await
    }

    /// Revokes what was given to this client. Returns how many.
    pub async fn revoke_grants_of_client(
        &self,
        id: &ClientId,
        now: Timestamp,
    ) -> Result<u64, StoreFault> {
        self.revoke_grants_where(row::Column::ClientId.eq(id.as_str()), now).await
    }

    async fn revoke_grants_where(
        &self,
        which: SimpleExpr,
        now: Timestamp,
    ) -> Result<u64, StoreFault> {
        let done = row::Entity::update_many()
            .col_expr(row::Column::RevokedAt, Expr::value(now.millis()))
            .filter(which.and(row::Column::RevokedAt.is_null()))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected)
    }
}

pub(crate) async fn find_many(
    connection: &Connection,
    ids: Vec<String>,
) -> Result<HashMap<String, Grant>, StoreFault> {
    let sql = format!("{FIND} ({})", Connection::places(ids.len()));
    let stmt = connection.statement(&sql, ids.into_iter().map(Value::from));
    let mut found = HashMap::new();
    for row in connection.query_all_raw(stmt).await? {
        let grant = row::Model::from_query_result(&row, "")?.into_domain()?;
        found.insert(grant.id.to_string(), grant);
    }
    Ok(found)
}
