//! Connections made at the console or the command line, and the sessions people have upstream.

use russet_protocol::ambient::Timestamp;
use russet_protocol::connection::Connection;
use russet_protocol::id::{ConnectionId, SessionId};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use crate::act::WriteTx;
use crate::column::{from_json, to_json};
use crate::fault::StoreFault;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "connections")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: String,
        pub(super) display_name: String,
        pub(super) position: i32,
        pub(super) enabled: bool,
        pub(super) settings: String,
        pub(super) sealed_secrets: Option<Vec<u8>>,
        pub(super) created_at: i64,
        pub(super) updated_at: i64,
        pub(super) version: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod session_row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "upstream_sessions")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) session_id: String,
        pub(super) connection_id: String,
        pub(super) sid: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A connection with its secrets, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredConnection {
    /// The connection.
    pub connection: Connection,
    /// Its secrets; bound to `connections:{id}`.
    pub sealed_secrets: Option<Vec<u8>>,
}

/// A row's state, as far as others must notice it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Which connection.
    pub id: ConnectionId,
    /// Its version.
    pub version: i32,
    /// When it was changed: a row made anew under an old name counts from 1 again.
    pub updated_at: Timestamp,
}

impl row::Model {
    fn from_domain(stored: &StoredConnection) -> Result<Self, StoreFault> {
        let connection = &stored.connection;
        Ok(Self {
            id: connection.id.to_string(),
            display_name: connection.display_name.clone(),
            position: connection.position,
            enabled: connection.enabled,
            settings: to_json(&connection.settings)?,
            sealed_secrets: stored.sealed_secrets.clone(),
            created_at: connection.created_at.millis(),
            updated_at: connection.updated_at.millis(),
            version: connection.version,
        })
    }

    fn into_domain(self) -> Result<StoredConnection, StoreFault> {
        Ok(StoredConnection {
            connection: Connection {
                settings: from_json(&self.settings, "connections.settings")?,
                id: ConnectionId::new(self.id),
                display_name: self.display_name,
                position: self.position,
                enabled: self.enabled,
                created_at: Timestamp::from_millis(self.created_at),
                updated_at: Timestamp::from_millis(self.updated_at),
                version: self.version,
            },
            sealed_secrets: self.sealed_secrets,
        })
    }
}

impl Reader {
    /// The connection with this name.
    pub async fn find_connection(
        &self,
        id: &ConnectionId,
    ) -> Result<Option<StoredConnection>, StoreFault> {
        let found = row::Entity::find_by_id(id.as_str()).one(&self.connection).await?;
        found.map(row::Model::into_domain).transpose()
    }

    /// Every connection, in the order people are offered them.
    pub async fn list_connections(&self) -> Result<Vec<StoredConnection>, StoreFault> {
        let found = row::Entity::find()
            .order_by_asc(row::Column::Position)
            .order_by_asc(row::Column::CreatedAt)
            .order_by_asc(row::Column::Id)
            .all(&self.connection)
            .await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }

    /// Where every connection stands: what a replica compares with what it holds.
    pub async fn connection_revisions(&self) -> Result<Vec<Revision>, StoreFault> {
        let found: Vec<(String, i32, i64)> = row::Entity::find()
            .select_only()
            .columns([row::Column::Id, row::Column::Version, row::Column::UpdatedAt])
            .order_by_asc(row::Column::Id)
            .into_tuple()
            .all(&self.connection)
            .await?;
        Ok(found
            .into_iter()
            .map(|(id, version, updated_at)| Revision {
                id: ConnectionId::new(id),
                version,
                updated_at: Timestamp::from_millis(updated_at),
            })
            .collect())
    }

    /// The sessions that belong to the upstream's session `sid`.
    pub async fn find_sessions_by_upstream_sid(
        &self,
        connection: &ConnectionId,
        sid: &str,
    ) -> Result<Vec<SessionId>, StoreFault> {
        let found = session_row::Entity::find()
            .filter(session_row::Column::ConnectionId.eq(connection.as_str()))
            .filter(session_row::Column::Sid.eq(sid))
            .all(&self.connection)
            .await?;
        Ok(found.into_iter().map(|row| SessionId::new(row.session_id)).collect())
    }

    /// The upstream's `sid` of a session, if it told one.
    pub async fn find_upstream_sid(&self, id: &SessionId) -> Result<Option<String>, StoreFault> {
        let found = session_row::Entity::find_by_id(id.as_str()).one(&self.connection).await?;
        Ok(found.map(|row| row.sid))
    }
}

impl WriteTx {
    /// Stores a new connection.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] when the name is taken.
    pub async fn insert_connection(&self, stored: &StoredConnection) -> Result<(), StoreFault> {
        let row = row::Model::from_domain(stored)?.into_active_model();
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }

    /// Stores a changed connection as `version + 1`; `false` when it no longer stands at `version`.
    pub async fn update_connection(&self, stored: &StoredConnection) -> Result<bool, StoreFault> {
        let mut row = row::Model::from_domain(stored)?;
        row.version = stored.connection.version.saturating_add(1);
        let done = row::Entity::update_many()
            .set(row.into_active_model().reset_all())
            .filter(row::Column::Id.eq(stored.connection.id.as_str()))
            .filter(row::Column::Version.eq(stored.connection.version))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Removes a connection; `false` when it was not there.
    pub async fn delete_connection(&self, id: &ConnectionId) -> Result<bool, StoreFault> {
        let done = row::Entity::delete_by_id(id.as_str()).exec(&self.connection).await?;
        Ok(done.rows_affected > 0)
    }

    /// Notes the upstream's `sid` of a session, in place of an earlier one.
    pub async fn put_upstream_sid(
        &self,
        session: &SessionId,
        connection: &ConnectionId,
        sid: &str,
    ) -> Result<(), StoreFault> {
        use session_row::Column;
        let row = session_row::Model {
            session_id: session.to_string(),
            connection_id: connection.to_string(),
            sid: sid.to_owned(),
        };
        let replace = OnConflict::column(Column::SessionId)
            .update_columns([Column::ConnectionId, Column::Sid])
            .to_owned();
        session_row::Entity::insert(row.into_active_model())
            .on_conflict(replace)
            .exec_without_returning(&self.connection)
            .await?;
        Ok(())
    }

    /// Forgets the upstream's `sid` of a session that was renewed without one.
    pub async fn delete_upstream_sid(&self, session: &SessionId) -> Result<(), StoreFault> {
        session_row::Entity::delete_by_id(session.as_str()).exec(&self.connection).await?;
        Ok(())
    }
}
