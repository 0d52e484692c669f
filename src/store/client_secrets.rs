//! What confidential clients prove themselves with.

use russet_protocol::ambient::Timestamp;
use russet_protocol::client::ClientSecret;
use russet_protocol::id::ClientId;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _,
};

use crate::act::WriteTx;
use crate::column::{to_hash, to_millis, to_time};
use crate::fault::StoreFault;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "client_secrets")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) client_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: String,
        pub(super) hash: Vec<u8>,
        pub(super) created_at: i64,
        pub(super) expires_at: Option<i64>,
        pub(super) name: Option<String>,
        pub(super) last_used_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl row::Model {
    fn from_domain(client_id: &ClientId, secret: &ClientSecret) -> Self {
        Self {
            client_id: client_id.to_string(),
            id: secret.id.clone(),
            hash: secret.hash.as_bytes().to_vec(),
            created_at: secret.created_at.millis(),
            expires_at: to_millis(secret.expires_at),
            name: secret.name.clone(),
            last_used_at: to_millis(secret.last_used_at),
        }
    }

    fn into_domain(self) -> Result<ClientSecret, StoreFault> {
        Ok(ClientSecret {
            hash: to_hash(&self.hash, "client_secrets.hash")?,
            id: self.id,
            created_at: Timestamp::from_millis(self.created_at),
            expires_at: to_time(self.expires_at),
            name: self.name,
            last_used_at: to_time(self.last_used_at),
        })
    }
}

impl Reader {
    /// A client's secrets, newest first, expired ones too.
    pub async fn find_client_secrets(
        &self,
        id: &ClientId,
    ) -> Result<Vec<ClientSecret>, StoreFault> {
        let found = row::Entity::find()
            .filter(row::Column::ClientId.eq(id.as_str()))
            .order_by_desc(row::Column::CreatedAt)
            .order_by_asc(row::Column::Id)
            .all(&self.connection)
            .await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }
}

impl WriteTx {
    /// Adds a secret to those a client has.
    ///
    /// # Errors
    /// [`StoreFault::Orphan`] when there is no such client.
    pub async fn insert_client_secret(
        &self,
        client_id: &ClientId,
        secret: &ClientSecret,
    ) -> Result<(), StoreFault> {
        let row = row::Model::from_domain(client_id, secret).into_active_model();
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }

    /// Lets every secret of a client but `except` expire at `at`, or earlier if it does already.
    /// Returns how many were shortened.
    pub async fn expire_client_secrets(
        &self,
        client_id: &ClientId,
        except: &str,
        at: Timestamp,
    ) -> Result<u64, StoreFault> {
        let outlives = Condition::any()
            .add(row::Column::ExpiresAt.is_null())
            .add(row::Column::ExpiresAt.gt(at.millis()));
        let done = row::Entity::update_many()
            .col_expr(row::Column::ExpiresAt, Expr::value(at.millis()))
            .filter(row::Column::ClientId.eq(client_id.as_str()))
            .filter(row::Column::Id.ne(except))
            .filter(outlives)
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected)
    }

    /// Removes one secret; `false` when it was not there.
    pub async fn delete_client_secret(
        &self,
        client_id: &ClientId,
        id: &str,
    ) -> Result<bool, StoreFault> {
        let key = (client_id.to_string(), id.to_owned());
        let done = row::Entity::delete_by_id(key).exec(&self.connection).await?;
        Ok(done.rows_affected > 0)
    }
}
