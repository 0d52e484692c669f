//! Tables of named things by pages, what was made last first.

use sea_orm::{ConnectionTrait as _, QueryResult};

use crate::clients::{ListQuery, Page};
use crate::column::{like_literal, to_json};
use crate::connection::Connection;
use crate::fault::StoreFault;

/// The rows of a table with `id`, `name` and `created_at` whose name holds what is searched for.
pub(crate) async fn newest(
    connection: &Connection,
    table: &'static str,
    query: &ListQuery,
) -> Result<Page<QueryResult>, StoreFault> {
    let search = query.search.as_deref().unwrap_or_default().to_lowercase();
    let after = query.after.as_deref().and_then(|after| serde_json::from_str(after).ok());
    let (at, id): (i64, String) = after.unwrap_or((i64::MAX, String::new()));
    let sql = format!(
        "SELECT * FROM {table} WHERE LOWER(name) LIKE $1 ESCAPE '\\' \
         AND (created_at < $2 OR (created_at = $2 AND id > $3)) \
         ORDER BY created_at DESC, id LIMIT $4"
    );
    let values = [
        format!("%{}%", like_literal(&search)).into(),
        at.into(),
        id.into(),
        i64::from(query.limit).saturating_add(1).into(),
    ];
    let rows = connection.query_all_raw(connection.statement(&sql, values)).await?;
    page(rows, query.limit, |row| {
        to_json(&(row.try_get::<i64>("", "created_at")?, row.try_get::<String>("", "id")?))
    })
}

/// What was read with one row too many, as a page; the last row says where the next one begins.
pub(crate) fn page<T>(
    mut rows: Vec<T>,
    limit: u32,
    cursor: impl FnOnce(&T) -> Result<String, StoreFault>,
) -> Result<Page<T>, StoreFault> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(cursor).transpose()?;
    Ok(Page { items: rows, next })
}

impl<T> Page<T> {
    /// The same page of what the items are read as.
    pub(crate) fn read<U>(
        self,
        read: impl FnMut(T) -> Result<U, StoreFault>,
    ) -> Result<Page<U>, StoreFault> {
        let items = self.items.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page { items, next: self.next })
    }
}
