//! The steps of sign-ins, kept for as long as somebody may ask about one.

use russet_protocol::ambient::Timestamp;
use russet_protocol::sign_in::SignInStep;
use sea_orm::{ConnectionTrait as _, FromQueryResult, QueryResult, Value};

use crate::act::WriteTx;
use crate::column::{from_json, from_word, to_json};
use crate::fault::StoreFault;
use crate::reader::Reader;

#[derive(FromQueryResult)]
struct Row {
    sign_in: String,
    at: i64,
    step: String,
    detail: Option<String>,
}

impl Row {
    fn into_domain(self) -> Result<SignInStep, StoreFault> {
        let detail = self.detail.as_deref();
        Ok(SignInStep {
            sign_in: self.sign_in,
            at: Timestamp::from_millis(self.at),
            step: from_word(self.step, "sign_in_steps.step")?,
            detail: detail.map(|text| from_json(text, "sign_in_steps.detail")).transpose()?,
        })
    }
}

const INSERT: &str =
    "INSERT INTO sign_in_steps (sign_in, at, step, detail) VALUES ($1, $2, $3, $4)";
const OF_ONE: &str = "SELECT sign_in, at, step, detail FROM sign_in_steps WHERE sign_in = $1 \
                      ORDER BY at, id LIMIT 200";
const LATEST: &str = "SELECT id, sign_in, at, step, detail FROM sign_in_steps one WHERE id < $1 \
                      AND step <> 'lost' \
                      AND NOT EXISTS (SELECT 1 FROM sign_in_steps later \
                      WHERE later.sign_in = one.sign_in AND later.id > one.id) \
                      ORDER BY id DESC LIMIT $2";

impl Reader {
    /// The steps of one sign-in, oldest first.
    pub async fn list_sign_in_steps(&self, sign_in: &str) -> Result<Vec<SignInStep>, StoreFault> {
        self.sign_in_steps(OF_ONE, vec![sign_in.into()]).await
    }

    /// The last step of each sign-in, newest first, and under which number it was noted; of those
    /// noted before the number `before`. What belongs to no sign-in is not among them.
    pub async fn latest_sign_ins(
        &self,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(i64, SignInStep)>, StoreFault> {
        let values = [before.unwrap_or(i64::MAX).into(), i64::from(limit).into()];
        let stmt = self.connection.statement(LATEST, values);
        let rows = self.connection.query_all_raw(stmt).await?;
        let read = |row: &QueryResult| {
            Ok((row.try_get("", "id")?, Row::from_query_result(row, "")?.into_domain()?))
        };
        rows.iter().map(read).collect()
    }

    async fn sign_in_steps(
        &self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Vec<SignInStep>, StoreFault> {
        let rows = self.connection.query_all_raw(self.connection.statement(sql, values)).await?;
        rows.iter().map(|row| Row::from_query_result(row, "")?.into_domain()).collect()
    }
}

impl WriteTx {
    /// Notes a step.
    pub async fn note_sign_in_step(&self, step: &SignInStep) -> Result<(), StoreFault> {
        let word = to_json(&step.step)?;
        let detail = step.detail.as_ref().map(to_json).transpose()?;
        let values = [
            step.sign_in.as_str().into(),
            step.at.millis().into(),
            word.trim_matches('"').into(),
            detail.into(),
        ];
        self.connection.execute_raw(self.connection.statement(INSERT, values)).await?;
        Ok(())
    }
}
