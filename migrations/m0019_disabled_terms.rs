//! Words to find disabled people by, in an index of their own: a page of them under a common
//! beginning would otherwise read everybody who shares it.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const STATEMENTS: [&str; 3] = [
    "ALTER TABLE user_terms ADD COLUMN disabled smallint NOT NULL DEFAULT 0",
    "UPDATE user_terms SET disabled = 1 \
     WHERE user_id IN (SELECT id FROM users WHERE disabled_at IS NOT NULL)",
    "CREATE INDEX user_terms_if_disabled ON user_terms (term, user_id) WHERE disabled = 1",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in STATEMENTS {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    // SQLite would otherwise run it piecemeal.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
