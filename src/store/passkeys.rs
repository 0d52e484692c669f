//! Passkeys of admins and people.

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::Holder;
use russet_protocol::passkey::Passkey;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _,
};

use crate::act::WriteTx;
use crate::column::{to_millis, to_time};
use crate::fault::StoreFault;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "passkeys")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: String,
        pub(super) holder: String,
        pub(super) name: String,
        pub(super) credential: String,
        pub(super) counter: i64,
        pub(super) created_at: i64,
        pub(super) last_used_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl row::Model {
    fn from_domain(passkey: &Passkey) -> Self {
        Self {
            id: passkey.id.clone(),
            holder: passkey.holder.as_str().to_owned(),
            name: passkey.name.clone(),
            credential: passkey.credential.clone(),
            counter: i64::from(passkey.counter),
            created_at: passkey.created_at.millis(),
            last_used_at: to_millis(passkey.last_used_at),
        }
    }

    fn into_domain(self) -> Result<Passkey, StoreFault> {
        Ok(Passkey {
            id: self.id,
            holder: Holder::new(self.holder),
            name: self.name,
            credential: self.credential,
            counter: u32::try_from(self.counter)
                .map_err(|_| StoreFault::Corrupt("passkeys.counter"))?,
            created_at: Timestamp::from_millis(self.created_at),
            last_used_at: to_time(self.last_used_at),
        })
    }
}

impl Reader {
    /// The passkey with this credential id.
    pub async fn find_passkey(&self, id: &str) -> Result<Option<Passkey>, StoreFault> {
        let found = row::Entity::find_by_id(id).one(&self.connection).await?;
        found.map(row::Model::into_domain).transpose()
    }

    /// Somebody's passkeys, in the order they were added.
    pub async fn list_passkeys(&self, holder: &Holder) -> Result<Vec<Passkey>, StoreFault> {
        let found = row::Entity::find()
            .filter(row::Column::Holder.eq(holder.as_str()))
            .order_by_asc(row::Column::CreatedAt)
            .order_by_asc(row::Column::Id)
            .all(&self.connection)
            .await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }
}

impl WriteTx {
    /// Stores a new passkey.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] when it is known already.
    pub async fn insert_passkey(&self, passkey: &Passkey) -> Result<(), StoreFault> {
        let row = row::Model::from_domain(passkey).into_active_model();
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }

    /// Notes a signature that counted to `counter`; `false` when the passkey is gone or has
    /// counted that far before: two of it are about (WebAuthn §6.1.1). One that does not count
    /// stays at 0.
    pub async fn use_passkey(
        &self,
        id: &str,
        counter: u32,
        credential: &str,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let mut not_before = Condition::any().add(row::Column::Counter.lt(i64::from(counter)));
        if counter == 0 {
            not_before = not_before.add(row::Column::Counter.eq(0_i64));
        }
        let done = row::Entity::update_many()
            .col_expr(row::Column::Counter, Expr::value(i64::from(counter)))
            .col_expr(row::Column::Credential, Expr::value(credential))
            .col_expr(row::Column::LastUsedAt, Expr::value(now.millis()))
            .filter(row::Column::Id.eq(id))
            .filter(not_before)
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Removes somebody's passkey and returns its name; `None` when it was not theirs or not there.
    pub async fn delete_passkey(
        &self,
        holder: &Holder,
        id: &str,
    ) -> Result<Option<String>, StoreFault> {
        let found = self.find_passkey(id).await?.filter(|passkey| passkey.holder == *holder);
        let Some(passkey) = found else { return Ok(None) };
        let done = row::Entity::delete_by_id(id).exec(&self.connection).await?;
        Ok((done.rows_affected > 0).then_some(passkey.name))
    }
}
