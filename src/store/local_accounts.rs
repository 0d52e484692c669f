//! Local accounts: usernames, and what their passwords are compared with.

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::UserId;
use russet_protocol::local_account::LocalAccount;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _,
};

use crate::act::WriteTx;
use crate::fault::StoreFault;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "local_accounts")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) username: String,
        pub(super) user_id: String,
        pub(super) password_hash: String,
        pub(super) created_at: i64,
        pub(super) updated_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl row::Model {
    fn from_domain(account: &LocalAccount) -> Self {
        Self {
            username: account.username.clone(),
            user_id: account.user_id.to_string(),
            password_hash: account.password_hash.clone(),
            created_at: account.created_at.millis(),
            updated_at: account.updated_at.millis(),
        }
    }

    fn into_domain(self) -> LocalAccount {
        LocalAccount {
            username: self.username,
            user_id: UserId::new(self.user_id),
            password_hash: self.password_hash,
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
        }
    }
}

impl Reader {
    /// The account with this username, in its canonical form.
    pub async fn find_local_account(
        &self,
        username: &str,
    ) -> Result<Option<LocalAccount>, StoreFault> {
        let found = row::Entity::find_by_id(username).one(&self.connection).await?;
        Ok(found.map(row::Model::into_domain))
    }

    /// The usernames a person signs in with here.
    pub async fn list_local_accounts(
        &self,
        user_id: &UserId,
    ) -> Result<Vec<LocalAccount>, StoreFault> {
        let found = row::Entity::find()
            .filter(row::Column::UserId.eq(user_id.as_str()))
            .order_by_asc(row::Column::Username)
            .all(&self.connection)
            .await?;
        Ok(found.into_iter().map(row::Model::into_domain).collect())
    }
}

impl WriteTx {
    /// Stores a new account.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] when the username is taken.
    pub async fn insert_local_account(&self, account: &LocalAccount) -> Result<(), StoreFault> {
        let row = row::Model::from_domain(account).into_active_model();
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }

    /// Sets an account's password; `false` when there is no such account.
    pub async fn update_local_password(
        &self,
        username: &str,
        password_hash: &str,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let done = row::Entity::update_many()
            .col_expr(row::Column::PasswordHash, Expr::value(password_hash))
            .col_expr(row::Column::UpdatedAt, Expr::value(now.millis()))
            .filter(row::Column::Username.eq(username))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }
}
