//! Local accounts, and the standard claims that only some people have.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0007_local_accounts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut claims = text("claims");
        claims.default("{}");
        manager.alter_table(Table::alter().table("users").add_column(claims).take()).await?;
        let mut of_user = ForeignKey::create();
        of_user
            .name("local_accounts_user_id_fkey")
            .from("local_accounts", "user_id")
            .to("users", "id")
            .on_delete(ForeignKeyAction::Cascade);
        let mut accounts = Table::create();
        accounts
            .table("local_accounts")
            .col(text("username"))
            .col(text("user_id"))
            .col(text("password_hash"))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .primary_key(Index::create().col("username"))
            .foreign_key(&mut of_user);
        manager.create_table(accounts.take()).await?;
        let mut index = Index::create();
        index.name("local_accounts_user_id").table("local_accounts").col("user_id");
        manager.create_index(index.take()).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
