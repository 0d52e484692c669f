//! Registered APIs.

use russet_protocol::ambient::Timestamp;
use russet_protocol::api::Api;
use sea_orm::sea_query::{Expr, Func, LikeExpr, SimpleExpr};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, ExprTrait as _,
    IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use crate::act::WriteTx;
use crate::clients::{ListQuery, Page};
use crate::column::{from_json, like_literal, to_algorithm, to_json, to_seconds};
use crate::fault::StoreFault;
use crate::paging::page;
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

    /// APIs, a page at a time, by name or who was registered last. Kinds and switches are clients'
    /// alone.
    pub async fn page_of_apis(&self, query: &ListQuery) -> Result<Page<Api>, StoreFault> {
        let mut select = row::Entity::find();
        if let Some(search) = &query.search {
            let pattern = format!("%{}%", like_literal(&search.to_lowercase()));
            let contains = |column: row::Column| {
                Expr::expr(Func::lower(Expr::col(column)))
                    .like(LikeExpr::new(pattern.as_str()).escape('\\'))
            };
            let found = contains(row::Column::Name).or(contains(row::Column::Identifier));
            select = select.filter(found);
        }
        let after: Option<(String, i64, String)> =
            query.after.as_deref().and_then(|after| serde_json::from_str(after).ok());
        if let Some((name, at, identifier)) = after {
            let same = |same: SimpleExpr| same.and(row::Column::Identifier.gt(identifier.as_str()));
            select = if query.newest_first {
                let beyond = row::Column::CreatedAt.lt(at);
                select.filter(beyond.or(same(row::Column::CreatedAt.eq(at))))
            } else {
                let beyond = row::Column::Name.gt(name.as_str());
                select.filter(beyond.or(same(row::Column::Name.eq(name.as_str()))))
            };
        }
        select = if query.newest_first {
            select.order_by_desc(row::Column::CreatedAt)
        } else {
            select.order_by_asc(row::Column::Name)
        };
        let rows = select
            .order_by_asc(row::Column::Identifier)
            .limit(u64::from(query.limit).saturating_add(1))
            .all(&self.connection)
            .await?;
        page(rows, query.limit, |last| to_json(&(&last.name, last.created_at, &last.identifier)))?
            .read(row::Model::into_domain)
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
