//! Signing keys, sealed.

use russet_protocol::ambient::Timestamp;
use russet_protocol::keyring::StoredKey;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _,
};

use crate::act::WriteTx;
use crate::column::{to_algorithm, to_millis, to_time};
use crate::fault::StoreFault;
use crate::reader::Reader;
use crate::schema::lock;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "signing_keys")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) kid: String,
        pub(super) alg: String,
        pub(super) sealed_private_key: Vec<u8>,
        pub(super) public_jwk: String,
        pub(super) created_at: i64,
        pub(super) active_at: i64,
        pub(super) retiring_at: Option<i64>,
        pub(super) gone_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// PostgreSQL advisory lock held while keys are made or turned over ("russet k").
const KEYS_LOCK: i64 = 0x7275_7373_6574_206b;

impl row::Model {
    fn from_domain(key: &StoredKey) -> Self {
        Self {
            kid: key.kid.clone(),
            alg: key.alg.as_str().to_owned(),
            sealed_private_key: key.sealed_private_key.clone(),
            public_jwk: key.public_jwk.clone(),
            created_at: key.created_at.millis(),
            active_at: key.active_at.millis(),
            retiring_at: to_millis(key.retiring_at),
            gone_at: to_millis(key.gone_at),
        }
    }

    fn into_domain(self) -> Result<StoredKey, StoreFault> {
        Ok(StoredKey {
            alg: to_algorithm(&self.alg, "signing_keys.alg")?,
            kid: self.kid,
            sealed_private_key: self.sealed_private_key,
            public_jwk: self.public_jwk,
            created_at: Timestamp::from_millis(self.created_at),
            active_at: Timestamp::from_millis(self.active_at),
            retiring_at: to_time(self.retiring_at),
            gone_at: to_time(self.gone_at),
        })
    }
}

impl Reader {
    /// Every key, those that are gone too, oldest first.
    pub async fn list_keys(&self) -> Result<Vec<StoredKey>, StoreFault> {
        let found = row::Entity::find()
            .order_by_asc(row::Column::CreatedAt)
            .order_by_asc(row::Column::Kid)
            .all(&self.connection)
            .await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }
}

impl WriteTx {
    /// Keeps other replicas from making or changing keys until this act ends. Read the keys after
    /// this, not before.
    pub async fn lock_keys(&self) -> Result<(), StoreFault> {
        lock(self, KEYS_LOCK).await
    }

    /// Stores a new key.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] when the `kid` is taken.
    pub async fn insert_key(&self, key: &StoredKey) -> Result<(), StoreFault> {
        let row = row::Model::from_domain(key).into_active_model();
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }

    /// Sets when a key signs, stops signing and leaves; `false` when there is no such key.
    pub async fn update_key_times(
        &self,
        kid: &str,
        active_at: Timestamp,
        retiring_at: Option<Timestamp>,
        gone_at: Option<Timestamp>,
    ) -> Result<bool, StoreFault> {
        let done = row::Entity::update_many()
            .col_expr(row::Column::ActiveAt, Expr::value(active_at.millis()))
            .col_expr(row::Column::RetiringAt, Expr::value(to_millis(retiring_at)))
            .col_expr(row::Column::GoneAt, Expr::value(to_millis(gone_at)))
            .filter(row::Column::Kid.eq(kid))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Erases the private part of a key that is gone; the public part stays for the record.
    pub async fn erase_private_key(&self, kid: &str) -> Result<bool, StoreFault> {
        let done = row::Entity::update_many()
            .col_expr(row::Column::SealedPrivateKey, Expr::value(Vec::<u8>::new()))
            .filter(row::Column::Kid.eq(kid))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }
}
