//! The steps of each sign-in, for those who look into one that failed.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text, text_null};

use crate::tables::{counted, create_indexes, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const INDEXES: &[(&str, &[&str], bool)] =
    &[("sign_in_steps", &["sign_in"], false), ("sign_in_steps", &["at"], false)];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let steps = table(
            "sign_in_steps",
            vec![
                counted("id"),
                text("sign_in"),
                big_integer("at"),
                text("step"),
                text_null("detail"),
            ],
            &[],
        );
        manager.create_table(steps).await?;
        create_indexes(manager, INDEXES).await
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
