//! The steps of each sign-in, for those who look into one that failed.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text, text_null};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0011_sign_in_steps"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("sign_in_steps")
                    .col(
                        ColumnDef::new("id")
                            .big_integer()
                            .not_null()
                            .auto_increment()
                            .primary_key(),
                    )
                    .col(text("sign_in"))
                    .col(big_integer("at"))
                    .col(text("step"))
                    .col(text_null("detail"))
                    .take(),
            )
            .await?;
        for column in ["sign_in", "at"] {
            let mut index = Index::create();
            index.name(format!("sign_in_steps_{column}")).table("sign_in_steps").col(column);
            manager.create_index(index.take()).await?;
        }
        Ok(())
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
