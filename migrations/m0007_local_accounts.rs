//! Local accounts, and the standard claims that only some people have.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text};

use crate::tables::{added, create_indexes, owned_by, table, with_default};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let claims = with_default(text("claims"), "{}");
        manager.alter_table(added("users", claims)).await?;
        let accounts = table(
            "local_accounts",
            vec![
                text("username"),
                text("user_id"),
                text("password_hash"),
                big_integer("created_at"),
                big_integer("updated_at"),
            ],
            &["username"],
        );
        let accounts = owned_by(accounts, "local_accounts", "user_id", ("users", "id"));
        manager.create_table(accounts).await?;
        create_indexes(manager, &[("local_accounts", &["user_id"], false)]).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
