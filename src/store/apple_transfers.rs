//! Moves of people between Apple teams.

use russet_protocol::ambient::Timestamp;
use russet_protocol::apple_transfer::{AppleTransfer, TransferState};
use russet_protocol::id::UserId;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, ExprTrait as _, IntoActiveModel as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use crate::act::WriteTx;
use crate::fault::StoreFault;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "apple_transfers")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) from_team: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) subject: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) to_team: String,
        pub(super) user_id: String,
        pub(super) transfer_sub: Option<String>,
        pub(super) new_subject: Option<String>,
        pub(super) state: String,
        pub(super) reason: Option<String>,
        pub(super) created_at: i64,
        pub(super) updated_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl row::Model {
    fn from_domain(transfer: &AppleTransfer) -> Self {
        Self {
            from_team: transfer.from_team.clone(),
            subject: transfer.subject.clone(),
            to_team: transfer.to_team.clone(),
            user_id: transfer.user_id.to_string(),
            transfer_sub: transfer.transfer_sub.clone(),
            new_subject: transfer.new_subject.clone(),
            state: transfer.state.as_str().to_owned(),
            reason: transfer.reason.clone(),
            created_at: transfer.created_at.millis(),
            updated_at: transfer.updated_at.millis(),
        }
    }

    fn into_domain(self) -> Result<AppleTransfer, StoreFault> {
        Ok(AppleTransfer {
            state: TransferState::parse(&self.state)
                .ok_or(StoreFault::Corrupt("apple_transfers.state"))?,
            from_team: self.from_team,
            subject: self.subject,
            to_team: self.to_team,
            user_id: UserId::new(self.user_id),
            transfer_sub: self.transfer_sub,
            new_subject: self.new_subject,
            reason: self.reason,
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
        })
    }
}

/// Which moves to list, in the order of team and `sub`.
#[derive(Clone, Debug, Default)]
pub struct TransferQuery {
    /// Only to this team.
    pub to_team: Option<String>,
    /// Only from this team.
    pub from_team: Option<String>,
    /// Only those that have come so far.
    pub state: Option<TransferState>,
    /// Only those after this team and `sub`: the last of the page before.
    pub after: Option<(String, String)>,
    /// At most so many.
    pub limit: u64,
}

/// How many moves between two teams have come how far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferCount {
    /// The old team.
    pub from_team: String,
    /// The new team.
    pub to_team: String,
    /// The state.
    pub state: TransferState,
    /// How many.
    pub people: u64,
}

const OPEN: &str = "INSERT INTO apple_transfers \
     (from_team, subject, to_team, user_id, state, created_at, updated_at) \
     SELECT $1, subject, $2, user_id, 'pending', $3, $3 FROM identities \
     WHERE authority = $4 AND subject > $5 AND subject <= $6 ON CONFLICT DO NOTHING";

impl Reader {
    /// Moves, a page at a time.
    pub async fn list_apple_transfers(
        &self,
        query: &TransferQuery,
    ) -> Result<Vec<AppleTransfer>, StoreFault> {
        use row::Column;
        let mut select = row::Entity::find();
        if let Some(team) = &query.to_team {
            select = select.filter(Column::ToTeam.eq(team.as_str()));
        }
        if let Some(team) = &query.from_team {
            select = select.filter(Column::FromTeam.eq(team.as_str()));
        }
        if let Some(state) = query.state {
            select = select.filter(Column::State.eq(state.as_str()));
        }
        if let Some((team, subject)) = &query.after {
            let later =
                Column::FromTeam.eq(team.as_str()).and(Column::Subject.gt(subject.as_str()));
            select = select.filter(Column::FromTeam.gt(team.as_str()).or(later));
        }
        let found = select
            .order_by_asc(Column::FromTeam)
            .order_by_asc(Column::Subject)
            .limit(query.limit)
            .all(&self.connection)
            .await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }

    /// The move that this transfer identifier stands for.
    pub async fn find_apple_transfer_by_transfer_sub(
        &self,
        to_team: &str,
        transfer_sub: &str,
    ) -> Result<Option<AppleTransfer>, StoreFault> {
        let found = row::Entity::find()
            .filter(row::Column::ToTeam.eq(to_team))
            .filter(row::Column::TransferSub.eq(transfer_sub))
            .one(&self.connection)
            .await?;
        found.map(row::Model::into_domain).transpose()
    }

    /// The move of this `sub` to this team.
    pub async fn find_apple_transfer(
        &self,
        from_team: &str,
        subject: &str,
        to_team: &str,
    ) -> Result<Option<AppleTransfer>, StoreFault> {
        let key = (from_team.to_owned(), subject.to_owned(), to_team.to_owned());
        let found = row::Entity::find_by_id(key).one(&self.connection).await?;
        found.map(row::Model::into_domain).transpose()
    }

    /// How many moves have come how far, by teams and state.
    pub async fn count_apple_transfers(&self) -> Result<Vec<TransferCount>, StoreFault> {
        let sql = "SELECT from_team, to_team, state, COUNT(*) AS people FROM apple_transfers \
                   GROUP BY from_team, to_team, state ORDER BY from_team, to_team, state";
        let stmt = self.connection.statement(sql, []);
        let mut counts = Vec::new();
        for row in self.connection.query_all_raw(stmt).await? {
            let state: String = row.try_get("", "state")?;
            let people: i64 = row.try_get("", "people")?;
            counts.push(TransferCount {
                from_team: row.try_get("", "from_team")?,
                to_team: row.try_get("", "to_team")?,
                state: TransferState::parse(&state)
                    .ok_or(StoreFault::Corrupt("apple_transfers.state"))?,
                people: u64::try_from(people).unwrap_or_default(),
            });
        }
        Ok(counts)
    }

    /// Subjects of an authority after `after`, in their order.
    pub async fn list_subjects(
        &self,
        authority: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<String>, StoreFault> {
        let sql = "SELECT subject FROM identities WHERE authority = $1 AND subject > $2 \
                   ORDER BY subject LIMIT $3";
        let values = [authority.into(), after.into(), i64::from(limit).into()];
        let stmt = self.connection.statement(sql, values);
        let rows = self.connection.query_all_raw(stmt).await?;
        rows.iter().map(|row| Ok(row.try_get("", "subject")?)).collect()
    }

    /// The Apple teams that people are known in.
    pub async fn list_apple_teams(&self) -> Result<Vec<String>, StoreFault> {
        let sql = "SELECT DISTINCT authority FROM identities WHERE authority LIKE 'apple:%' \
                   ORDER BY authority";
        let rows = self.connection.query_all_raw(self.connection.statement(sql, [])).await?;
        let mut teams = Vec::new();
        for row in rows {
            let authority: String = row.try_get("", "authority")?;
            teams.extend(authority.strip_prefix("apple:").map(str::to_owned));
        }
        Ok(teams)
    }
}

impl WriteTx {
    /// Writes down a move for everyone of the old team whose `sub` is in a range, unless there is
    /// one. Returns how many are new.
    pub async fn open_apple_transfers(
        &self,
        (from_team, to_team): (&str, &str),
        (after, last): (&str, &str),
        now: Timestamp,
    ) -> Result<u64, StoreFault> {
        let authority = format!("apple:{from_team}");
        let values = [
            from_team.into(),
            to_team.into(),
            now.millis().into(),
            authority.into(),
            after.into(),
            last.into(),
        ];
        let stmt = self.connection.statement(OPEN, values);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected())
    }

    /// Writes down a move.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] when there is one, or its transfer identifier is another's.
    pub async fn insert_apple_transfer(&self, transfer: &AppleTransfer) -> Result<(), StoreFault> {
        let row = row::Model::from_domain(transfer).into_active_model();
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }

    /// Has Apple asked again about everyone it refused to move to this team. Returns how many.
    pub async fn retry_apple_transfers(
        &self,
        to_team: &str,
        now: Timestamp,
    ) -> Result<u64, StoreFault> {
        let sql = "UPDATE apple_transfers SET reason = NULL, updated_at = $2, state = \
                   CASE WHEN transfer_sub IS NULL THEN 'pending' ELSE 'collected' END \
                   WHERE to_team = $1 AND state = 'refused'";
        let stmt = self.connection.statement(sql, [to_team.into(), now.millis().into()]);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected())
    }

    /// Takes a move from the state `from` to what `transfer` says; `false` when it is no longer
    /// there. One statement: of two that try, one does.
    pub async fn advance_apple_transfer(
        &self,
        transfer: &AppleTransfer,
        from: TransferState,
    ) -> Result<bool, StoreFault> {
        use row::Column;
        let done = row::Entity::update_many()
            .col_expr(Column::TransferSub, Expr::value(transfer.transfer_sub.clone()))
            .col_expr(Column::NewSubject, Expr::value(transfer.new_subject.clone()))
            .col_expr(Column::State, Expr::value(transfer.state.as_str()))
            .col_expr(Column::Reason, Expr::value(transfer.reason.clone()))
            .col_expr(Column::UpdatedAt, Expr::value(transfer.updated_at.millis()))
            .filter(Column::FromTeam.eq(transfer.from_team.as_str()))
            .filter(Column::Subject.eq(transfer.subject.as_str()))
            .filter(Column::ToTeam.eq(transfer.to_team.as_str()))
            .filter(Column::State.eq(from.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }
}
