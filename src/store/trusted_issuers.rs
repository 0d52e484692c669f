//! Issuers trusted for workloads.

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::ClientId;
use russet_protocol::trusted_issuer::TrustedIssuer;
use sea_orm::sea_query::{Expr, Func, LikeExpr};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use crate::act::WriteTx;
use crate::clients::{ListQuery, Page};
use crate::column::{from_json, like_literal, to_json, to_seconds};
use crate::fault::StoreFault;
use crate::paging::page;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "trusted_issuers")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: String,
        pub(super) issuer: String,
        pub(super) jwks_uri: Option<String>,
        pub(super) jwks: Option<String>,
        pub(super) audience: String,
        pub(super) client_id: String,
        pub(super) conditions: String,
        pub(super) scope: String,
        pub(super) resources: String,
        pub(super) max_lifetime: i64,
        pub(super) single_use: bool,
        pub(super) created_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl row::Model {
    fn from_domain(rule: &TrustedIssuer) -> Result<Self, StoreFault> {
        Ok(Self {
            id: rule.id.clone(),
            issuer: rule.issuer.clone(),
            jwks_uri: rule.jwks_uri.clone(),
            jwks: rule.jwks.as_ref().map(to_json).transpose()?,
            audience: rule.audience.clone(),
            client_id: rule.client_id.to_string(),
            conditions: to_json(&rule.conditions)?,
            scope: to_json(&rule.scope)?,
            resources: to_json(&rule.resources)?,
            max_lifetime: rule.max_lifetime.into(),
            single_use: rule.single_use,
            created_at: rule.created_at.millis(),
        })
    }

    fn into_domain(self) -> Result<TrustedIssuer, StoreFault> {
        let jwks = self.jwks.as_deref();
        Ok(TrustedIssuer {
            id: self.id,
            issuer: self.issuer,
            jwks_uri: self.jwks_uri,
            jwks: jwks.map(|set| from_json(set, "trusted_issuers.jwks")).transpose()?,
            audience: self.audience,
            client_id: ClientId::new(self.client_id),
            conditions: from_json(&self.conditions, "trusted_issuers.conditions")?,
            scope: from_json(&self.scope, "trusted_issuers.scope")?,
            resources: from_json(&self.resources, "trusted_issuers.resources")?,
            max_lifetime: to_seconds(self.max_lifetime, "trusted_issuers.max_lifetime")?,
            single_use: self.single_use,
            created_at: Timestamp::from_millis(self.created_at),
        })
    }
}

impl Reader {
    /// The rules for this issuer, oldest first.
    pub async fn find_trusted_issuers(
        &self,
        issuer: &str,
    ) -> Result<Vec<TrustedIssuer>, StoreFault> {
        let found = row::Entity::find()
            .filter(row::Column::Issuer.eq(issuer))
            .order_by_asc(row::Column::CreatedAt)
            .order_by_asc(row::Column::Id)
            .all(&self.connection)
            .await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }

    /// Rules by pages, by issuer; those whose issuer or client holds what is searched for.
    pub async fn page_of_trusted_issuers(
        &self,
        query: &ListQuery,
    ) -> Result<Page<TrustedIssuer>, StoreFault> {
        let search = query.search.as_deref().unwrap_or_default().to_lowercase();
        let pattern = format!("%{}%", like_literal(&search));
        let contains = |column: row::Column| {
            Expr::expr(Func::lower(Expr::col(column)))
                .like(LikeExpr::new(pattern.as_str()).escape('\\'))
        };
        let found = contains(row::Column::Issuer).or(contains(row::Column::ClientId));
        let mut select = row::Entity::find().filter(found);
        let after = query.after.as_deref().and_then(|after| serde_json::from_str(after).ok());
        if let Some((issuer, id)) = after {
            let (issuer, id): (String, String) = (issuer, id);
            let same = row::Column::Issuer.eq(issuer.as_str()).and(row::Column::Id.gt(id));
            select = select.filter(row::Column::Issuer.gt(issuer).or(same));
        }
        let rows = select
            .order_by_asc(row::Column::Issuer)
            .order_by_asc(row::Column::Id)
            .limit(u64::from(query.limit).saturating_add(1))
            .all(&self.connection)
            .await?;
        page(rows, query.limit, |last| to_json(&(&last.issuer, &last.id)))?
            .read(row::Model::into_domain)
    }

    /// Every rule, by issuer.
    pub async fn list_trusted_issuers(&self) -> Result<Vec<TrustedIssuer>, StoreFault> {
        let found = row::Entity::find()
            .order_by_asc(row::Column::Issuer)
            .order_by_asc(row::Column::Id)
            .all(&self.connection)
            .await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }
}

impl WriteTx {
    /// Stores a rule.
    ///
    /// # Errors
    /// [`StoreFault::Orphan`] when there is no such client.
    pub async fn insert_trusted_issuer(&self, rule: &TrustedIssuer) -> Result<(), StoreFault> {
        let row = row::Model::from_domain(rule)?.into_active_model();
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }

    /// Removes a rule; `false` when it was not there.
    pub async fn delete_trusted_issuer(&self, id: &str) -> Result<bool, StoreFault> {
        let done = row::Entity::delete_by_id(id).exec(&self.connection).await?;
        Ok(done.rows_affected > 0)
    }
}
