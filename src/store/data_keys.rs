//! Data keys, wrapped; and the sealed values that one data key hands over to the next.

use russet_protocol::ambient::Timestamp;
use russet_protocol::master_key::WrappedDataKey;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _, Value,
};

use crate::act::WriteTx;
use crate::column::{to_millis, to_time};
use crate::fault::StoreFault;
use crate::reader::Reader;
use crate::schema::lock;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "data_keys")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) number: i32,
        pub(super) wrapped: Vec<u8>,
        pub(super) master_key_id: String,
        pub(super) created_at: i64,
        pub(super) active_at: i64,
        pub(super) emptied_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// PostgreSQL advisory lock held while data keys are made or wrapped anew ("russet d").
const DATA_KEYS_LOCK: i64 = 0x7275_7373_6574_2064;

/// A column of sealed values. Each is bound to its `prefix` and its key's columns, joined by `:`.
#[derive(Clone, Copy, Debug)]
pub struct SealedColumn {
    /// The table.
    pub table: &'static str,
    key: &'static [&'static str],
    column: &'static str,
    /// What the value is bound to, before the key's columns.
    pub prefix: &'static str,
}

/// Every sealed column whose values outlive a day. Parked journeys and names that wait for their
/// account are gone by themselves before their key could be missed.
pub const SEALED: &[SealedColumn] = &[
    SealedColumn {
        table: "signing_keys",
        key: &["kid"],
        column: "sealed_private_key",
        prefix: "signing_keys",
    },
    SealedColumn {
        table: "upstream_grants",
        key: &["user_id", "authority", "client_id"],
        column: "sealed_refresh_token",
        prefix: "upstream_grants",
    },
    SealedColumn {
        table: "left_grants",
        key: &["id"],
        column: "sealed_refresh_token",
        prefix: "left_grants",
    },
    SealedColumn {
        table: "unverified_notifications",
        key: &["id"],
        column: "sealed_body",
        prefix: "unverified_notifications",
    },
    SealedColumn {
        table: "event_receivers",
        key: &["client_id"],
        column: "sealed_bearer",
        prefix: "event_receivers",
    },
    SealedColumn {
        table: "connections",
        key: &["id"],
        column: "sealed_secrets",
        prefix: "connections",
    },
    SealedColumn {
        table: "second_factors",
        key: &["holder"],
        column: "sealed_totp",
        prefix: "second_factors",
    },
];

/// One sealed value and where it stands.
#[derive(Clone, Debug)]
pub struct SealedValue {
    /// The values of the key's columns.
    pub key: Vec<String>,
    /// The value; empty if there is none.
    pub sealed: Vec<u8>,
}

impl SealedColumn {
    /// What the value in this row is bound to.
    pub fn bound_to(&self, value: &SealedValue) -> String {
        format!("{}:{}", self.prefix, value.key.join(":"))
    }
}

impl row::Model {
    fn from_domain(key: &WrappedDataKey) -> Self {
        Self {
            number: key.number,
            wrapped: key.wrapped.clone(),
            master_key_id: key.master_key_id.clone(),
            created_at: key.created_at.millis(),
            active_at: key.active_at.millis(),
            emptied_at: to_millis(key.emptied_at),
        }
    }

    fn into_domain(self) -> WrappedDataKey {
        WrappedDataKey {
            number: self.number,
            wrapped: self.wrapped,
            master_key_id: self.master_key_id,
            created_at: Timestamp::from_millis(self.created_at),
            active_at: Timestamp::from_millis(self.active_at),
            emptied_at: to_time(self.emptied_at),
        }
    }
}

impl Reader {
    /// Every data key, by number.
    pub async fn list_data_keys(&self) -> Result<Vec<WrappedDataKey>, StoreFault> {
        let found =
            row::Entity::find().order_by_asc(row::Column::Number).all(&self.connection).await?;
        Ok(found.into_iter().map(row::Model::into_domain).collect())
    }

    /// Sealed values of a column in the order of their keys, after the one with this key.
    pub async fn list_sealed(
        &self,
        of: &SealedColumn,
        after: Option<&[String]>,
        limit: u32,
    ) -> Result<Vec<SealedValue>, StoreFault> {
        let SealedColumn { table, key, column, .. } = of;
        let keys = key.join(", ");
        let mut values: Vec<Value> = Vec::new();
        let beyond = match after {
            None => String::new(),
            Some(after) => {
                values.extend(after.iter().map(|part| Value::from(part.as_str())));
                let places = crate::connection::Connection::places(after.len());
                format!("WHERE ({keys}) > ({places})")
            }
        };
        values.push(i64::from(limit).into());
        let sql = format!(
            "SELECT {keys}, {column} FROM {table} {beyond} ORDER BY {keys} LIMIT ${}",
            values.len()
        );
        let stmt = self.connection.statement(&sql, values);
        let mut found = Vec::new();
        for row in self.connection.query_all_raw(stmt).await? {
            let key = key.iter().map(|name| row.try_get("", name)).collect::<Result<_, _>>()?;
            let sealed: Option<Vec<u8>> = row.try_get("", column)?;
            found.push(SealedValue { key, sealed: sealed.unwrap_or_default() });
        }
        Ok(found)
    }
}

impl WriteTx {
    /// Keeps other replicas from making or wrapping data keys until this act ends. Read them after
    /// this, not before.
    pub async fn lock_data_keys(&self) -> Result<(), StoreFault> {
        lock(self, DATA_KEYS_LOCK).await
    }

    /// Stores a new data key.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] when its number is taken.
    pub async fn insert_data_key(&self, key: &WrappedDataKey) -> Result<(), StoreFault> {
        let row = row::Model::from_domain(key).into_active_model();
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }

    /// Stores a data key's new wrapping.
    pub async fn rewrap_data_key(
        &self,
        number: i32,
        wrapped: &[u8],
        master_key_id: &str,
    ) -> Result<(), StoreFault> {
        row::Entity::update_many()
            .col_expr(row::Column::Wrapped, Expr::value(wrapped.to_vec()))
            .col_expr(row::Column::MasterKeyId, Expr::value(master_key_id))
            .filter(row::Column::Number.eq(number))
            .exec(&self.connection)
            .await?;
        Ok(())
    }

    /// Notes that nothing is sealed any more with the data keys before `number`.
    pub async fn note_emptied(&self, number: i32, now: Timestamp) -> Result<(), StoreFault> {
        row::Entity::update_many()
            .col_expr(row::Column::EmptiedAt, Expr::value(now.millis()))
            .filter(row::Column::Number.lt(number))
            .filter(row::Column::EmptiedAt.is_null())
            .exec(&self.connection)
            .await?;
        Ok(())
    }

    /// Puts a value sealed anew in place of the one it was opened from; `false` when that one is
    /// not there any more, and then nothing is changed.
    pub async fn reseal(
        &self,
        of: &SealedColumn,
        value: &SealedValue,
        sealed: &[u8],
    ) -> Result<bool, StoreFault> {
        let SealedColumn { table, key, column, .. } = of;
        let mut values: Vec<Value> = vec![sealed.to_vec().into(), value.sealed.clone().into()];
        let mut which = String::new();
        for (name, part) in key.iter().zip(&value.key) {
            values.push(part.as_str().into());
            which.push_str(&format!(" AND {name} = ${}", values.len()));
        }
        let sql = format!("UPDATE {table} SET {column} = $1 WHERE {column} = $2{which}");
        let stmt = self.connection.statement(&sql, values);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }
}
