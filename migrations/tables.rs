//! What migrations say often, in few words. Like them, never changed after a release.

use sea_orm_migration::prelude::*;

/// A table and the columns of its primary key; none where one of them is [`counted`].
pub(crate) fn table(
    name: &'static str,
    columns: Vec<ColumnDef>,
    key: &[&'static str],
) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for column in columns {
        table.col(column);
    }
    if !key.is_empty() {
        let mut primary_key = Index::create();
        for column in key {
            primary_key.col(*column);
        }
        table.primary_key(&mut primary_key);
    }
    table.take()
}

/// A number that the database counts up, and the primary key.
pub(crate) fn counted(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().auto_increment().primary_key().take()
}

/// Adds a reference whose row goes when the row it points to goes.
pub(crate) fn owned_by(
    mut child: TableCreateStatement,
    name: &'static str,
    column: &'static str,
    parent: (&'static str, &'static str),
) -> TableCreateStatement {
    let mut key = ForeignKey::create();
    key.name(format!("{name}_{column}_fkey"))
        .from(name, column)
        .to(parent.0, parent.1)
        .on_delete(ForeignKeyAction::Cascade);
    child.foreign_key(&mut key);
    child
}

/// A column more.
pub(crate) fn added(table: &'static str, column: ColumnDef) -> TableAlterStatement {
    Table::alter().table(table).add_column(column).take()
}

/// A column and what it holds where nothing is said.
pub(crate) fn with_default(mut column: ColumnDef, default: impl Into<Value>) -> ColumnDef {
    column.default(default.into());
    column
}

/// Makes indexes: table, columns, whether unique. A name is the table and the columns.
pub(crate) async fn create_indexes(
    manager: &SchemaManager<'_>,
    indexes: &[(&'static str, &[&'static str], bool)],
) -> Result<(), DbErr> {
    for (table, columns, unique) in indexes {
        let mut index = Index::create();
        index.name(format!("{table}_{}", columns.join("_"))).table(*table);
        for column in *columns {
            index.col(*column);
        }
        if *unique {
            index.unique();
        }
        manager.create_index(index.take()).await?;
    }
    Ok(())
}
