//! Upstream identities by which console accounts sign in.

use russet_protocol::admin::AdminIdentity;
use russet_protocol::ambient::Timestamp;
use russet_protocol::id::{AdminId, ConnectionId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _,
};

use crate::act::WriteTx;
use crate::column::{to_millis, to_time};
use crate::fault::StoreFault;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "admin_identities")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) connection_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) authority: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) subject: String,
        pub(super) admin_id: String,
        pub(super) email: Option<String>,
        pub(super) created_at: i64,
        pub(super) last_used_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl row::Model {
    fn from_domain(identity: &AdminIdentity) -> Self {
        Self {
            connection_id: identity.connection_id.to_string(),
            authority: identity.authority.clone(),
            subject: identity.subject.clone(),
            admin_id: identity.admin_id.to_string(),
            email: identity.email.clone(),
            created_at: identity.created_at.millis(),
            last_used_at: to_millis(identity.last_used_at),
        }
    }

    fn into_domain(self) -> AdminIdentity {
        AdminIdentity {
            connection_id: ConnectionId::new(self.connection_id),
            authority: self.authority,
            subject: self.subject,
            admin_id: AdminId::new(self.admin_id),
            email: self.email,
            created_at: Timestamp::from_millis(self.created_at),
            last_used_at: to_time(self.last_used_at),
        }
    }
}

fn key(connection: &ConnectionId, authority: &str, subject: &str) -> (String, String, String) {
    (connection.to_string(), authority.to_owned(), subject.to_owned())
}

impl Reader {
    /// Which account this identity is bound to.
    pub async fn find_admin_identity(
        &self,
        connection: &ConnectionId,
        authority: &str,
        subject: &str,
    ) -> Result<Option<AdminIdentity>, StoreFault> {
        let key = key(connection, authority, subject);
        let found = row::Entity::find_by_id(key).one(&self.connection).await?;
        Ok(found.map(row::Model::into_domain))
    }

    /// The identities that an account is bound to, in the order they were bound.
    pub async fn list_admin_identities(
        &self,
        id: &AdminId,
    ) -> Result<Vec<AdminIdentity>, StoreFault> {
        let found = row::Entity::find()
            .filter(row::Column::AdminId.eq(id.as_str()))
            .order_by_asc(row::Column::CreatedAt)
            .order_by_asc(row::Column::Subject)
            .all(&self.connection)
            .await?;
        Ok(found.into_iter().map(row::Model::into_domain).collect())
    }
}

impl WriteTx {
    /// Binds an identity.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] when it is bound already.
    pub async fn insert_admin_identity(&self, identity: &AdminIdentity) -> Result<(), StoreFault> {
        let row = row::Model::from_domain(identity).into_active_model();
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }

    /// Notes that it opened the console; `false` when it is bound no more.
    pub async fn use_admin_identity(
        &self,
        identity: &AdminIdentity,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let done = row::Entity::update_many()
            .col_expr(row::Column::LastUsedAt, Expr::value(now.millis()))
            .filter(row::Column::ConnectionId.eq(identity.connection_id.as_str()))
            .filter(row::Column::Authority.eq(identity.authority.as_str()))
            .filter(row::Column::Subject.eq(identity.subject.as_str()))
            .filter(row::Column::AdminId.eq(identity.admin_id.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Unbinds an account's identities at a connection. Returns how many there were.
    pub async fn delete_admin_identities(
        &self,
        id: &AdminId,
        connection: &ConnectionId,
    ) -> Result<u64, StoreFault> {
        let done = row::Entity::delete_many()
            .filter(row::Column::AdminId.eq(id.as_str()))
            .filter(row::Column::ConnectionId.eq(connection.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected)
    }
}
