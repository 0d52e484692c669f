//! Console accounts and their sessions.

use russet_protocol::admin::{Admin, AdminSession, Role};
use russet_protocol::ambient::Timestamp;
use russet_protocol::id::{AdminId, ClientId, ConnectionId, Holder};
use russet_protocol::secret::SecretHash;
use sea_orm::sea_query::{Expr, Func, LikeExpr};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use crate::act::WriteTx;
use crate::column::{from_json, like_literal, to_hash, to_json, to_millis, to_time};
use crate::fault::StoreFault;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "admins")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: String,
        pub(super) username: String,
        pub(super) password_hash: String,
        pub(super) role: String,
        pub(super) created_at: i64,
        pub(super) disabled_at: Option<i64>,
        pub(super) clients: String,
        pub(super) version: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod session_row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "admin_sessions")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) cookie_hash: Vec<u8>,
        pub(super) admin_id: String,
        pub(super) created_at: i64,
        pub(super) idle_expires_at: i64,
        pub(super) expires_at: i64,
        pub(super) id: String,
        pub(super) user_agent: Option<String>,
        pub(super) proved_at: Option<i64>,
        pub(super) second_factor: bool,
        pub(super) connection_id: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl row::Model {
    fn from_domain(admin: &Admin) -> Result<Self, StoreFault> {
        Ok(Self {
            id: admin.id.to_string(),
            username: admin.username.clone(),
            password_hash: admin.password_hash.clone(),
            role: admin.role.as_str().to_owned(),
            created_at: admin.created_at.millis(),
            disabled_at: to_millis(admin.disabled_at),
            clients: to_json(&admin.clients)?,
            version: admin.version,
        })
    }

    fn into_domain(self) -> Result<Admin, StoreFault> {
        Ok(Admin {
            role: Role::parse(&self.role).ok_or(StoreFault::Corrupt("admins.role"))?,
            id: AdminId::new(self.id),
            username: self.username,
            password_hash: self.password_hash,
            created_at: Timestamp::from_millis(self.created_at),
            disabled_at: to_time(self.disabled_at),
            clients: from_json(&self.clients, "admins.clients")?,
            version: self.version,
        })
    }
}

impl session_row::Model {
    fn from_domain(session: &AdminSession) -> Self {
        Self {
            cookie_hash: session.cookie_hash.as_bytes().to_vec(),
            admin_id: session.admin_id.to_string(),
            created_at: session.created_at.millis(),
            idle_expires_at: session.idle_expires_at.millis(),
            expires_at: session.expires_at.millis(),
            id: session.id.clone(),
            user_agent: session.user_agent.clone(),
            proved_at: Some(session.proved_at.millis()),
            second_factor: session.second_factor,
            connection_id: session.connection_id.as_ref().map(ToString::to_string),
        }
    }

    fn into_domain(self) -> Result<AdminSession, StoreFault> {
        Ok(AdminSession {
            cookie_hash: to_hash(&self.cookie_hash, "admin_sessions.cookie_hash")?,
            admin_id: AdminId::new(self.admin_id),
            created_at: Timestamp::from_millis(self.created_at),
            idle_expires_at: Timestamp::from_millis(self.idle_expires_at),
            expires_at: Timestamp::from_millis(self.expires_at),
            id: self.id,
            user_agent: self.user_agent,
            proved_at: Timestamp::from_millis(self.proved_at.unwrap_or(self.created_at)),
            second_factor: self.second_factor,
            connection_id: self.connection_id.map(ConnectionId::new),
        })
    }
}

impl Reader {
    /// The account with this id.
    pub async fn find_admin(&self, id: &AdminId) -> Result<Option<Admin>, StoreFault> {
        let found = row::Entity::find_by_id(id.as_str()).one(&self.connection).await?;
        found.map(row::Model::into_domain).transpose()
    }

    /// The account with exactly this username.
    pub async fn find_admin_by_username(&self, name: &str) -> Result<Option<Admin>, StoreFault> {
        let found = row::Entity::find()
            .filter(row::Column::Username.eq(name))
            .one(&self.connection)
            .await?;
        found.map(row::Model::into_domain).transpose()
    }

    /// Every account, by username.
    pub async fn list_admins(&self) -> Result<Vec<Admin>, StoreFault> {
        let found =
            row::Entity::find().order_by_asc(row::Column::Username).all(&self.connection).await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }

    /// Accounts by username, those after `after` whose name holds `search`; at most `limit`.
    pub async fn page_of_admins(
        &self,
        search: &str,
        after: &str,
        limit: u64,
    ) -> Result<Vec<Admin>, StoreFault> {
        let pattern = format!("%{}%", like_literal(&search.to_lowercase()));
        let found = row::Entity::find()
            .filter(
                Expr::expr(Func::lower(Expr::col(row::Column::Username)))
                    .like(LikeExpr::new(pattern).escape('\\')),
            )
            .filter(row::Column::Username.gt(after))
            .order_by_asc(row::Column::Username)
            .limit(limit)
            .all(&self.connection)
            .await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }

    /// Console sessions that are alive, newest first.
    pub async fn list_admin_sessions(
        &self,
        now: Timestamp,
    ) -> Result<Vec<AdminSession>, StoreFault> {
        let found = session_row::Entity::find()
            .filter(session_row::Column::ExpiresAt.gt(now.millis()))
            .filter(session_row::Column::IdleExpiresAt.gt(now.millis()))
            .order_by_desc(session_row::Column::CreatedAt)
            .order_by_asc(session_row::Column::Id)
            .all(&self.connection)
            .await?;
        found.into_iter().map(session_row::Model::into_domain).collect()
    }

    /// The console session with this cookie and whose it is, even if it has expired or the account
    /// is disabled.
    pub async fn find_admin_session(
        &self,
        cookie_hash: &SecretHash,
    ) -> Result<Option<(AdminSession, Admin)>, StoreFault> {
        let session =
            session_row::Entity::find_by_id(cookie_hash.as_bytes()).one(&self.connection).await?;
        let Some(session) = session.map(session_row::Model::into_domain).transpose()? else {
            return Ok(None);
        };
        let admin = self.find_admin(&session.admin_id).await?;
        Ok(admin.map(|admin| (session, admin)))
    }
}

impl WriteTx {
    /// Stores a new account.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] when the username is taken.
    pub async fn insert_admin(&self, admin: &Admin) -> Result<(), StoreFault> {
        let row = row::Model::from_domain(admin)?.into_active_model();
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }

    /// Sets the password's PHC string; `false` when there is no such account.
    pub async fn update_admin_password(
        &self,
        id: &AdminId,
        password_hash: &str,
    ) -> Result<bool, StoreFault> {
        let done = row::Entity::update_many()
            .col_expr(row::Column::PasswordHash, Expr::value(password_hash))
            .filter(row::Column::Id.eq(id.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Changes what an account that stands at `version` may do, and to which clients; `false` when
    /// there is no such account, or somebody else was faster.
    pub async fn update_admin_rights(
        &self,
        id: &AdminId,
        version: i32,
        role: Role,
        clients: &[ClientId],
    ) -> Result<bool, StoreFault> {
        let done = row::Entity::update_many()
            .col_expr(row::Column::Role, Expr::value(role.as_str()))
            .col_expr(row::Column::Clients, Expr::value(to_json(clients)?))
            .col_expr(row::Column::Version, Expr::col(row::Column::Version).add(1))
            .filter(row::Column::Id.eq(id.as_str()))
            .filter(row::Column::Version.eq(version))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Locks the account out from this moment, or lets it in again with `None`; `false` when there
    /// is no such account. Its sessions stay: see [`WriteTx::delete_admin_sessions_of`].
    pub async fn disable_admin(
        &self,
        id: &AdminId,
        disabled_at: Option<Timestamp>,
    ) -> Result<bool, StoreFault> {
        let done = row::Entity::update_many()
            .col_expr(row::Column::DisabledAt, Expr::value(to_millis(disabled_at)))
            .filter(row::Column::Id.eq(id.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Removes the account, its sessions and its factors; `false` when it was not there.
    pub async fn delete_admin(&self, id: &AdminId) -> Result<bool, StoreFault> {
        self.remove_factors(&Holder::admin(id)).await?;
        let done = row::Entity::delete_by_id(id.as_str()).exec(&self.connection).await?;
        Ok(done.rows_affected > 0)
    }

    /// Stores a new console session.
    pub async fn insert_admin_session(&self, session: &AdminSession) -> Result<(), StoreFault> {
        let row = session_row::Model::from_domain(session).into_active_model();
        session_row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }

    /// Moves the idle limit; `false` when the session is not there.
    pub async fn touch_admin_session(
        &self,
        cookie_hash: &SecretHash,
        idle_expires_at: Timestamp,
    ) -> Result<bool, StoreFault> {
        let done = session_row::Entity::update_many()
            .col_expr(session_row::Column::IdleExpiresAt, Expr::value(idle_expires_at.millis()))
            .filter(session_row::Column::CookieHash.eq(cookie_hash.as_bytes()))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Ends one console session; `false` when it was not there.
    pub async fn delete_admin_session(&self, hash: &SecretHash) -> Result<bool, StoreFault> {
        let done =
            session_row::Entity::delete_by_id(hash.as_bytes()).exec(&self.connection).await?;
        Ok(done.rows_affected > 0)
    }

    /// Ends the console session with this name; `false` when it was not there.
    pub async fn delete_admin_session_by_id(&self, id: &str) -> Result<bool, StoreFault> {
        let done = session_row::Entity::delete_many()
            .filter(session_row::Column::Id.eq(id))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Gives a session another cookie and notes a fresh proof; `false` when it was not there. The
    /// old cookie is dead from here on (OWASP ASVS 5.0 §7.2.4).
    pub async fn renew_admin_session(
        &self,
        cookie_hash: &SecretHash,
        renewed: &SecretHash,
        second_factor: bool,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let done = session_row::Entity::update_many()
            .col_expr(session_row::Column::CookieHash, Expr::value(renewed.as_bytes()))
            .col_expr(session_row::Column::ProvedAt, Expr::value(now.millis()))
            .col_expr(session_row::Column::SecondFactor, Expr::value(second_factor))
            .filter(session_row::Column::CookieHash.eq(cookie_hash.as_bytes()))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Ends every console session of an account but the one with this cookie. Returns how many.
    pub async fn delete_other_admin_sessions(
        &self,
        id: &AdminId,
        kept: &SecretHash,
    ) -> Result<u64, StoreFault> {
        let done = session_row::Entity::delete_many()
            .filter(session_row::Column::AdminId.eq(id.as_str()))
            .filter(session_row::Column::CookieHash.ne(kept.as_bytes()))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected)
    }

    /// Ends the console sessions that were opened through a connection: one account's, or
    /// everybody's. Returns how many.
    pub async fn delete_admin_sessions_through(
        &self,
        id: Option<&AdminId>,
        connection: &ConnectionId,
    ) -> Result<u64, StoreFault> {
        let mut sessions = session_row::Entity::delete_many()
            .filter(session_row::Column::ConnectionId.eq(connection.as_str()));
        if let Some(id) = id {
            sessions = sessions.filter(session_row::Column::AdminId.eq(id.as_str()));
        }
        Ok(sessions.exec(&self.connection).await?.rows_affected)
    }

    /// Ends every console session of an account. Returns how many.
    pub async fn delete_admin_sessions_of(&self, id: &AdminId) -> Result<u64, StoreFault> {
        let done = session_row::Entity::delete_many()
            .filter(session_row::Column::AdminId.eq(id.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected)
    }
}
