//! People, their identities at upstreams, and names that wait for their account.

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::{ConnectionId, Holder, UserId};
use russet_protocol::user::{Identity, User};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait as _, EntityTrait as _,
    FromQueryResult as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QueryResult,
};

use crate::act::WriteTx;
use crate::column::{from_json, to_json, to_millis, to_time};
use crate::fault::StoreFault;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: String,
        pub(super) sub: String,
        pub(super) name: Option<String>,
        pub(super) given_name: Option<String>,
        pub(super) family_name: Option<String>,
        pub(super) email: Option<String>,
        pub(super) email_verified: bool,
        pub(super) is_private_email: bool,
        pub(super) claims: String,
        pub(super) disabled_at: Option<i64>,
        pub(super) created_at: i64,
        pub(super) updated_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod identity_row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "identities")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) authority: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) subject: String,
        pub(super) user_id: String,
        pub(super) connection_id: String,
        pub(super) email: Option<String>,
        pub(super) email_proven: bool,
        pub(super) created_at: i64,
        pub(super) last_login_at: i64,
        pub(super) email_undeliverable_since: Option<i64>,
        pub(super) ended_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod pending_profile_row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "pending_profiles")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) authority: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) subject: String,
        pub(super) sealed: Vec<u8>,
        pub(super) expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A person as a raw query found them.
pub(crate) fn read(row: &QueryResult) -> Result<User, StoreFault> {
    row::Model::from_query_result(row, "")?.into_domain()
}

impl row::Model {
    fn from_domain(user: &User) -> Result<Self, StoreFault> {
        Ok(Self {
            id: user.id.to_string(),
            sub: user.sub.clone(),
            name: user.name.clone(),
            given_name: user.given_name.clone(),
            family_name: user.family_name.clone(),
            email: user.email.clone(),
            email_verified: user.email_verified,
            is_private_email: user.is_private_email,
            claims: to_json(&user.claims)?,
            disabled_at: to_millis(user.disabled_at),
            created_at: user.created_at.millis(),
            updated_at: user.updated_at.millis(),
        })
    }

    fn into_domain(self) -> Result<User, StoreFault> {
        Ok(User {
            id: UserId::new(self.id),
            sub: self.sub,
            name: self.name,
            given_name: self.given_name,
            family_name: self.family_name,
            email: self.email,
            email_verified: self.email_verified,
            is_private_email: self.is_private_email,
            claims: from_json(&self.claims, "users.claims")?,
            disabled_at: to_time(self.disabled_at),
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
        })
    }
}

impl identity_row::Model {
    fn from_domain(identity: &Identity) -> Self {
        Self {
            authority: identity.authority.clone(),
            subject: identity.subject.clone(),
            user_id: identity.user_id.to_string(),
            connection_id: identity.connection_id.to_string(),
            email: identity.email.clone(),
            email_proven: identity.email_proven,
            created_at: identity.created_at.millis(),
            last_login_at: identity.last_login_at.millis(),
            email_undeliverable_since: to_millis(identity.email_undeliverable_since),
            ended_at: to_millis(identity.ended_at),
        }
    }

    fn into_domain(self) -> Identity {
        Identity {
            authority: self.authority,
            subject: self.subject,
            user_id: UserId::new(self.user_id),
            connection_id: ConnectionId::new(self.connection_id),
            email: self.email,
            email_proven: self.email_proven,
            created_at: Timestamp::from_millis(self.created_at),
            last_login_at: Timestamp::from_millis(self.last_login_at),
            email_undeliverable_since: to_time(self.email_undeliverable_since),
            ended_at: to_time(self.ended_at),
        }
    }
}

impl Reader {
    /// The person with this id.
    pub async fn find_user(&self, id: &UserId) -> Result<Option<User>, StoreFault> {
        let found = row::Entity::find_by_id(id.as_str()).one(&self.connection).await?;
        found.map(row::Model::into_domain).transpose()
    }

    /// Those of these people who are there.
    pub async fn find_users(&self, ids: &[&UserId]) -> Result<Vec<User>, StoreFault> {
        let ids = ids.iter().map(|id| id.as_str());
        let found =
            row::Entity::find().filter(row::Column::Id.is_in(ids)).all(&self.connection).await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }

    /// The person whom clients know by this `sub`.
    pub async fn find_user_by_sub(&self, sub: &str) -> Result<Option<User>, StoreFault> {
        let found =
            row::Entity::find().filter(row::Column::Sub.eq(sub)).one(&self.connection).await?;
        found.map(row::Model::into_domain).transpose()
    }

    /// The person whom one client or another knows by this `sub`.
    pub async fn find_user_by_client_sub(&self, sub: &str) -> Result<Option<User>, StoreFault> {
        let sql = "SELECT * FROM users WHERE id IN \
                   (SELECT user_id FROM client_links WHERE sub = $1) LIMIT 1";
        let stmt = self.connection.statement(sql, [sub.into()]);
        self.connection.query_one_raw(stmt).await?.as_ref().map(read).transpose()
    }

    /// The identity with this subject at this authority.
    pub async fn find_identity(
        &self,
        authority: &str,
        subject: &str,
    ) -> Result<Option<Identity>, StoreFault> {
        let key = (authority.to_owned(), subject.to_owned());
        let found = identity_row::Entity::find_by_id(key).one(&self.connection).await?;
        Ok(found.map(identity_row::Model::into_domain))
    }

    /// A person's identities, oldest first.
    pub async fn list_identities(&self, user_id: &UserId) -> Result<Vec<Identity>, StoreFault> {
        let found = identity_row::Entity::find()
            .filter(identity_row::Column::UserId.eq(user_id.as_str()))
            .order_by_asc(identity_row::Column::CreatedAt)
            .order_by_asc(identity_row::Column::Authority)
            .order_by_asc(identity_row::Column::Subject)
            .all(&self.connection)
            .await?;
        Ok(found.into_iter().map(identity_row::Model::into_domain).collect())
    }

    /// The sealed profile kept for somebody whose first sign-in did not come to an end.
    pub async fn find_pending_profile(
        &self,
        authority: &str,
        subject: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreFault> {
        let key = (authority.to_owned(), subject.to_owned());
        let found = pending_profile_row::Entity::find_by_id(key)
            .filter(pending_profile_row::Column::ExpiresAt.gt(now.millis()))
            .one(&self.connection)
            .await?;
        Ok(found.map(|row| row.sealed))
    }
}

impl WriteTx {
    /// Stores a new person.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] when `id` or `sub` is taken.
    pub async fn insert_user(&self, user: &User) -> Result<(), StoreFault> {
        let row = row::Model::from_domain(user)?.into_active_model();
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        self.put_terms(user).await
    }

    /// Stores a changed person; `false` when there is none with this id.
    pub async fn update_user(&self, user: &User) -> Result<bool, StoreFault> {
        let row = row::Model::from_domain(user)?.into_active_model().reset_all();
        let done = row::Entity::update_many()
            .set(row)
            .filter(row::Column::Id.eq(user.id.as_str()))
            .exec(&self.connection)
            .await?;
        if done.rows_affected == 0 {
            return Ok(false);
        }
        self.put_terms(user).await?;
        Ok(true)
    }

    /// Removes a person with identities, sessions, consents, grants and upstream grants; `false`
    /// when there is none with this id.
    pub async fn delete_user(&self, id: &UserId) -> Result<bool, StoreFault> {
        self.remove_factors(&Holder::person(id)).await?;
        let done = row::Entity::delete_by_id(id.as_str()).exec(&self.connection).await?;
        Ok(done.rows_affected > 0)
    }

    /// Links an identity to a person.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] when somebody has it: of two first sign-ins at once, one sees this
    /// and finds the identity when the act is tried again.
    pub async fn insert_identity(&self, identity: &Identity) -> Result<(), StoreFault> {
        let row = identity_row::Model::from_domain(identity).into_active_model();
        identity_row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }

    /// Notes a sign-in: through which connection, when, and the address if one was told, with
    /// whether it is proven; `None` keeps what is known. An identity that had ended lives again.
    /// `false` when there is no such identity.
    pub async fn touch_identity(
        &self,
        authority: &str,
        subject: &str,
        connection_id: &ConnectionId,
        email: Option<(&str, bool)>,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let mut update = identity_row::Entity::update_many()
            .col_expr(identity_row::Column::ConnectionId, Expr::value(connection_id.as_str()))
            .col_expr(identity_row::Column::LastLoginAt, Expr::value(now.millis()))
            .col_expr(identity_row::Column::EndedAt, Expr::value(None::<i64>));
        if let Some((email, proven)) = email {
            update = update
                .col_expr(identity_row::Column::Email, Expr::value(email))
                .col_expr(identity_row::Column::EmailProven, Expr::value(proven));
        }
        let done = update
            .filter(identity_row::Column::Authority.eq(authority))
            .filter(identity_row::Column::Subject.eq(subject))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Notes the address that the upstream told otherwise than by a sign-in. `false` when there is
    /// no such identity.
    pub async fn note_identity_email(
        &self,
        authority: &str,
        subject: &str,
        (email, proven): (&str, bool),
    ) -> Result<bool, StoreFault> {
        let done = identity_row::Entity::update_many()
            .col_expr(identity_row::Column::Email, Expr::value(email))
            .col_expr(identity_row::Column::EmailProven, Expr::value(proven))
            .filter(identity_row::Column::Authority.eq(authority))
            .filter(identity_row::Column::Subject.eq(subject))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Forgets the addresses that upstreams told of a person.
    pub async fn forget_identity_addresses(&self, user_id: &UserId) -> Result<(), StoreFault> {
        identity_row::Entity::update_many()
            .col_expr(identity_row::Column::Email, Expr::value(None::<String>))
            .col_expr(identity_row::Column::EmailProven, Expr::value(false))
            .filter(identity_row::Column::UserId.eq(user_id.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(())
    }

    /// Keeps a sealed profile until the sign-in succeeds, in place of an earlier one.
    pub async fn put_pending_profile(
        &self,
        authority: &str,
        subject: &str,
        sealed: &[u8],
        expires_at: Timestamp,
    ) -> Result<(), StoreFault> {
        use pending_profile_row::Column;
        let row = pending_profile_row::Model {
            authority: authority.to_owned(),
            subject: subject.to_owned(),
            sealed: sealed.to_vec(),
            expires_at: expires_at.millis(),
        };
        let replace = OnConflict::columns([Column::Authority, Column::Subject])
            .update_columns([Column::Sealed, Column::ExpiresAt])
            .to_owned();
        pending_profile_row::Entity::insert(row.into_active_model())
            .on_conflict(replace)
            .exec_without_returning(&self.connection)
            .await?;
        Ok(())
    }

    /// Forgets a pending profile; `false` when there was none.
    pub async fn delete_pending_profile(
        &self,
        authority: &str,
        subject: &str,
    ) -> Result<bool, StoreFault> {
        let key = (authority.to_owned(), subject.to_owned());
        let done = pending_profile_row::Entity::delete_by_id(key).exec(&self.connection).await?;
        Ok(done.rows_affected > 0)
    }
}
