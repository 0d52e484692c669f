//! Registered clients.

use russet_protocol::ambient::Timestamp;
use russet_protocol::client::{Client, ClientKind, ClientSecret};
use russet_protocol::id::ClientId;
use sea_orm::sea_query::{Expr, Func, LikeExpr, SelectStatement};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, EntityTrait as _, ExprTrait as _,
    IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use crate::act::WriteTx;
use crate::column::{
    from_json, from_word, like_literal, to_algorithm, to_json, to_millis, to_seconds, to_time,
};
use crate::fault::StoreFault;
use crate::paging::page;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "clients")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) client_id: String,
        pub(super) client_name: String,
        pub(super) kind: String,
        pub(super) token_endpoint_auth_method: String,
        pub(super) redirect_uris: String,
        pub(super) post_logout_redirect_uris: String,
        pub(super) grant_types: String,
        pub(super) scope: String,
        pub(super) resources: String,
        pub(super) default_resource: Option<String>,
        pub(super) id_token_signed_response_alg: String,
        pub(super) require_pkce: bool,
        pub(super) first_party: bool,
        pub(super) apple_bundle_ids: String,
        pub(super) require_native_challenge: bool,
        pub(super) refresh_token_idle_ttl: i64,
        pub(super) refresh_token_absolute_ttl: i64,
        pub(super) settings: String,
        pub(super) disabled_at: Option<i64>,
        pub(super) created_at: i64,
        pub(super) updated_at: i64,
        pub(super) version: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl row::Model {
    fn from_domain(client: &Client) -> Result<Self, StoreFault> {
        Ok(Self {
            client_id: client.client_id.to_string(),
            client_name: client.client_name.clone(),
            kind: client.kind.as_str().to_owned(),
            token_endpoint_auth_method: client.token_endpoint_auth_method.as_str().to_owned(),
            redirect_uris: to_json(&client.redirect_uris)?,
            post_logout_redirect_uris: to_json(&client.post_logout_redirect_uris)?,
            grant_types: to_json(&client.grant_types)?,
            scope: to_json(&client.scope)?,
            resources: to_json(&client.resources)?,
            default_resource: client.default_resource.clone(),
            id_token_signed_response_alg: client.id_token_signed_response_alg.as_str().to_owned(),
            require_pkce: client.require_pkce,
            first_party: client.first_party,
            apple_bundle_ids: to_json(&client.apple_bundle_ids)?,
            require_native_challenge: client.require_native_challenge,
            refresh_token_idle_ttl: client.refresh_token_idle_ttl.into(),
            refresh_token_absolute_ttl: client.refresh_token_absolute_ttl.into(),
            settings: to_json(&client.settings)?,
            disabled_at: to_millis(client.disabled_at),
            created_at: client.created_at.millis(),
            updated_at: client.updated_at.millis(),
            version: client.version,
        })
    }

    fn into_domain(self) -> Result<Client, StoreFault> {
        Ok(Client {
            client_id: ClientId::new(self.client_id),
            client_name: self.client_name,
            kind: from_word(self.kind, "clients.kind")?,
            token_endpoint_auth_method: from_word(
                self.token_endpoint_auth_method,
                "clients.token_endpoint_auth_method",
            )?,
            redirect_uris: from_json(&self.redirect_uris, "clients.redirect_uris")?,
            post_logout_redirect_uris: from_json(
                &self.post_logout_redirect_uris,
                "clients.post_logout_redirect_uris",
            )?,
            grant_types: from_json(&self.grant_types, "clients.grant_types")?,
            scope: from_json(&self.scope, "clients.scope")?,
            resources: from_json(&self.resources, "clients.resources")?,
            default_resource: self.default_resource,
            id_token_signed_response_alg: to_algorithm(
                &self.id_token_signed_response_alg,
                "clients.id_token_signed_response_alg",
            )?,
            require_pkce: self.require_pkce,
            first_party: self.first_party,
            apple_bundle_ids: from_json(&self.apple_bundle_ids, "clients.apple_bundle_ids")?,
            require_native_challenge: self.require_native_challenge,
            refresh_token_idle_ttl: to_seconds(
                self.refresh_token_idle_ttl,
                "clients.refresh_token_idle_ttl",
            )?,
            refresh_token_absolute_ttl: to_seconds(
                self.refresh_token_absolute_ttl,
                "clients.refresh_token_absolute_ttl",
            )?,
            settings: from_json(&self.settings, "clients.settings")?,
            disabled_at: to_time(self.disabled_at),
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
            version: self.version,
        })
    }
}

/// Which part of a list to read.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Only items whose name or identifier contains this, in any case.
    pub search: Option<String>,
    /// Only clients of this kind.
    pub kind: Option<ClientKind>,
    /// Only clients that are switched off, or only those that are not.
    pub disabled: Option<bool>,
    /// Only clients that are older than this and have obtained no token since.
    pub unused_since: Option<Timestamp>,
    /// Who was registered last comes first, instead of by name.
    pub newest_first: bool,
    /// The [`Page::next`] of the page before, in the same order; `None` starts at the top.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page starts, opaque; `None` when this is the last.
    pub next: Option<String>,
}

/// Whether a client has obtained a token since, along the primary key of what is observed of it.
fn token_since(since: Timestamp) -> SelectStatement {
    let seen = |column: &'static str| Expr::col(("client_observations", column));
    SelectStatement::new()
        .expr(Expr::val(1))
        .from("client_observations")
        .and_where(seen("client_id").equals((row::Entity, row::Column::ClientId)))
        .and_where(seen("token_at").gte(since.millis()))
        .to_owned()
}

impl Reader {
    /// The client with this `client_id`, also when it is switched off.
    pub async fn find_client(&self, id: &ClientId) -> Result<Option<Client>, StoreFault> {
        let found = row::Entity::find_by_id(id.as_str()).one(&self.connection).await?;
        found.map(row::Model::into_domain).transpose()
    }

    /// Clients, in the order that is asked for. An `after` that this never gave out starts at the
    /// top.
    pub async fn list_clients(&self, query: &ListQuery) -> Result<Page<Client>, StoreFault> {
        let mut select = row::Entity::find();
        if let Some(search) = &query.search {
            let pattern = format!("%{}%", like_literal(&search.to_lowercase()));
            let contains = |column: row::Column| {
                Expr::expr(Func::lower(Expr::col(column)))
                    .like(LikeExpr::new(pattern.as_str()).escape('\\'))
            };
            select = select.filter(
                Condition::any()
                    .add(contains(row::Column::ClientName))
                    .add(contains(row::Column::ClientId)),
            );
        }
        if let Some(kind) = query.kind {
            select = select.filter(row::Column::Kind.eq(kind.as_str()));
        }
        select = match query.disabled {
            Some(true) => select.filter(row::Column::DisabledAt.is_not_null()),
            Some(false) => select.filter(row::Column::DisabledAt.is_null()),
            None => select,
        };
        if let Some(since) = query.unused_since {
            select = select
                .filter(row::Column::CreatedAt.lt(since.millis()))
                .filter(Expr::exists(token_since(since)).not());
        }
        let after = query.after.as_deref();
        if query.newest_first {
            let after: Option<(i64, String)> = after.and_then(|it| serde_json::from_str(it).ok());
            if let Some((at, id)) = after {
                select = select.filter(
                    Condition::any().add(row::Column::CreatedAt.lt(at)).add(
                        Condition::all()
                            .add(row::Column::CreatedAt.eq(at))
                            .add(row::Column::ClientId.gt(id)),
                    ),
                );
            }
            select = select.order_by_desc(row::Column::CreatedAt);
        } else {
            let after: Option<(String, String)> =
                after.and_then(|it| serde_json::from_str(it).ok());
            if let Some((name, id)) = after {
                select = select.filter(
                    Condition::any().add(row::Column::ClientName.gt(name.as_str())).add(
                        Condition::all()
                            .add(row::Column::ClientName.eq(name.as_str()))
                            .add(row::Column::ClientId.gt(id)),
                    ),
                );
            }
            select = select.order_by_asc(row::Column::ClientName);
        }
        let rows = select
            .order_by_asc(row::Column::ClientId)
            .limit(u64::from(query.limit).saturating_add(1))
            .all(&self.connection)
            .await?;
        page(rows, query.limit, |last| match query.newest_first {
            true => to_json(&(last.created_at, &last.client_id)),
            false => to_json(&(&last.client_name, &last.client_id)),
        })?
        .read(row::Model::into_domain)
    }

    /// How many clients are switched on, older than this, and have obtained no token since.
    pub async fn count_unused_clients(&self, since: Timestamp) -> Result<u64, StoreFault> {
        let number = row::Entity::find()
            .filter(row::Column::DisabledAt.is_null())
            .filter(row::Column::CreatedAt.lt(since.millis()))
            .filter(Expr::exists(token_since(since)).not())
            .count(&self.connection)
            .await?;
        Ok(number)
    }

    /// Every `redirect_uri` of the single-page applications that are not switched off, once each:
    /// their origins may call the token endpoint from a browser.
    pub async fn list_spa_origins(&self) -> Result<Vec<String>, StoreFault> {
        let lists: Vec<String> = row::Entity::find()
            .select_only()
            .column(row::Column::RedirectUris)
            .filter(row::Column::Kind.eq(ClientKind::Spa.as_str()))
            .filter(row::Column::DisabledAt.is_null())
            .into_tuple()
            .all(&self.connection)
            .await?;
        let mut uris = Vec::new();
        for list in lists {
            uris.extend(from_json::<Vec<String>>(&list, "clients.redirect_uris")?);
        }
        uris.sort_unstable();
        uris.dedup();
        Ok(uris)
    }
}

impl WriteTx {
    /// Registers a client, with its first secret if it has one.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] when the `client_id` is taken.
    pub async fn insert_client(
        &self,
        client: &Client,
        secret: Option<&ClientSecret>,
    ) -> Result<(), StoreFault> {
        let row = row::Model::from_domain(client)?.into_active_model();
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        match secret {
            Some(secret) => self.insert_client_secret(&client.client_id, secret).await,
            None => Ok(()),
        }
    }

    /// Stores a changed client as `version + 1`; `false` when it no longer stands at `version`.
    pub async fn update_client(&self, client: &Client) -> Result<bool, StoreFault> {
        let mut row = row::Model::from_domain(client)?;
        row.version = client.version.saturating_add(1);
        let done = row::Entity::update_many()
            .set(row.into_active_model().reset_all())
            .filter(row::Column::ClientId.eq(client.client_id.as_str()))
            .filter(row::Column::Version.eq(client.version))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Removes a client with its secrets, consents and grants; `false` when it was not there.
    pub async fn delete_client(&self, id: &ClientId) -> Result<bool, StoreFault> {
        let done = row::Entity::delete_by_id(id.as_str()).exec(&self.connection).await?;
        Ok(done.rows_affected > 0)
    }
}
