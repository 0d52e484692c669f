//! Registered APIs.

use russet_protocol::ambient::Timestamp;
use russet_protocol::api::Api;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _,
};

use crate::act::WriteTx;
use crate::column::{from_json, to_algorithm, to_json, to_seconds};
use crate::fault::StoreFault;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "apis")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) identifier: String,
        pub(super) name: String,
        pub(super) scopes: String,
        pub(super) access_token_ttl: i64,
        pub(super) signing_alg: String,
        pub(super) settings: String,
        pub(super) created_at: i64,
        pub(super) updated_at: i64,
        pub(super) version: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl row::Model {
    fn from_domain(api: &Api) -> Result<Self, StoreFault> {
        Ok(Self {
            identifier: api.identifier.clone(),
            name: api.name.clone(),
            scopes: to_json(&api.scopes)?,
            access_token_ttl: api.access_token_ttl.into(),
            signing_alg: api.signing_alg.as_str().to_owned(),
            settings: to_json(&api.settings)?,
            created_at: api.created_at.millis(),
            updated_at: api.updated_at.millis(),
            version: api.version,
        })
    }

    fn into_domain(self) -> Result<Api, StoreFault> {
        Ok(Api {
            scopes: from_json(&self.scopes, "apis.scopes")?,
            access_token_ttl: to_seconds(self.access_token_ttl, "apis.access_token_ttl")?,
            signing_alg: to_algorithm(&self.signing_alg, "apis.signing_alg")?,
            settings: from_json(&self.settings, "apis.settings")?,
            identifier: self.identifier,
            name: self.name,
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
            version: self.version,
        })
    }
}

impl Reader {
    /// The API with this identifier.
    pub async fn find_api(&self, identifier: &str) -> Result<Option<Api>, StoreFault> {
        let found = row::Entity::find_by_id(identifier).one(&self.connection).await?;
        found.map(row::Model::into_domain).transpose()
    }

    /// Those of the named APIs that exist, ordered by identifier.
    pub async fn find_apis(&self, identifiers: &[String]) -> Result<Vec<Api>, StoreFault> {
        if identifiers.is_empty() {
            return Ok(Vec::new());
        }
        let found = row::Entity::find()
            .filter(row::Column::Identifier.is_in(identifiers))
            .order_by_asc(row::Column::Identifier)
            .all(&self.connection)
            .await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }

    /// Every API, ordered by name.
    pub async fn list_apis(&self) -> Result<Vec<Api>, StoreFault> {
        let found = row::Entity::find()
            .order_by_asc(row::Column::Name)
            .order_by_asc(row::Column::Identifier)
            .all(&self.connection)
            .await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }
}

impl WriteTx {
    /// Registers an API.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] when the identifier is taken.
    pub async fn insert_api(&self, api: &Api) -> Result<(), StoreFault> {
        let row = row::Model::from_domain(api)?.into_active_model();
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }

    /// Stores a changed API as `version + 1`; `false` when it no longer stands at `version`.
    pub async fn update_api(&self, api: &Api) -> Result<bool, StoreFault> {
        let mut row = row::Model::from_domain(api)?;
        row.version = api.version.saturating_add(1);
        let done = row::Entity::update_many()
            .set(row.into_active_model().reset_all())
            .filter(row::Column::Identifier.eq(api.identifier.as_str()))
            .filter(row::Column::Version.eq(api.version))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Removes an API; `false` when it was not there.
    pub async fn delete_api(&self, identifier: &str) -> Result<bool, StoreFault> {
        let done = row::Entity::delete_by_id(identifier).exec(&self.connection).await?;
        Ok(done.rows_affected > 0)
    }
}
