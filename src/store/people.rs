//! Finding people among very many: a prefix is a range of one index, a page is a keyset.

use std::collections::BTreeSet;

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::UserId;
use russet_protocol::user::User;
use sea_orm::{ConnectionTrait as _, Value};

use crate::act::WriteTx;
use crate::clients::Page;
use crate::column::{from_json, to_json};
use crate::fault::StoreFault;
use crate::paging::page;
use crate::reader::Reader;
use crate::users;

/// Which people to list.
#[derive(Clone, Debug, Default)]
pub struct PeopleQuery {
    /// Only those whose address, name, a part of it, or `sub` begins so, in any case.
    pub search: Option<String>,
    /// Only those who may not sign in.
    pub disabled: bool,
    /// Those who came first at the top; else those who came last. A search has its own order.
    pub oldest_first: bool,
    /// The [`Page::next`] of the page before.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// The words that a person is found by. Lower case, so that case does not matter; made here and
/// not in SQL, so that it does not matter in any script, on either database.
fn terms(user: &User) -> BTreeSet<String> {
    let mut terms = BTreeSet::new();
    let mut add = |text: &str| {
        let term: String = text.trim().to_lowercase().chars().take(100).collect();
        if !term.is_empty() {
            terms.insert(term);
        }
    };
    add(&user.sub);
    if let Some(email) = &user.email {
        add(email);
        email.rsplit_once('@').map(|(_, domain)| domain).into_iter().for_each(&mut add);
    }
    for name in [&user.name, &user.given_name, &user.family_name].into_iter().flatten() {
        add(name);
        name.split_whitespace().for_each(&mut add);
    }
    terms
}

impl Reader {
    /// People, a page at a time. An `after` that this never gave out starts at the top.
    pub async fn list_people(&self, query: &PeopleQuery) -> Result<Page<User>, StoreFault> {
        match query.search.as_deref().map(str::trim).filter(|search| !search.is_empty()) {
            Some(search) => self.search_people(&search.to_lowercase(), query).await,
            None => self.list_people_by_age(query).await,
        }
    }

    async fn list_people_by_age(&self, query: &PeopleQuery) -> Result<Page<User>, StoreFault> {
        let after: Option<(i64, String)> =
            query.after.as_deref().and_then(|after| from_json(after, "a page").ok());
        let (order, beyond) = if query.oldest_first { ("ASC", ">") } else { ("DESC", "<") };
        let mut sql = "SELECT * FROM users WHERE 1 = 1".to_owned();
        let mut values: Vec<Value> = vec![(i64::from(query.limit).saturating_add(1)).into()];
        if query.disabled {
            sql.push_str(" AND disabled_at IS NOT NULL");
        }
        if let Some((created_at, id)) = after {
            sql.push_str(&format!(" AND (created_at, id) {beyond} ($2, $3)"));
            values.extend([created_at.into(), id.into()]);
        }
        sql.push_str(&format!(" ORDER BY created_at {order}, id {order} LIMIT $1"));
        let rows = self.connection.query_all_raw(self.connection.statement(&sql, values)).await?;
        let people = rows.iter().map(users::read).collect::<Result<Vec<_>, _>>()?;
        page(people, query.limit, |user| to_json(&(user.created_at.millis(), user.id.as_str())))
    }

    /// Each person once, at the first of their words that match: at the others the inner question
    /// finds an earlier one.
    async fn search_people(
        &self,
        search: &str,
        query: &PeopleQuery,
    ) -> Result<Page<User>, StoreFault> {
        let after: Option<(String, String)> =
            query.after.as_deref().and_then(|after| from_json(after, "a page").ok());
        let mut sql = "SELECT users.*, found.term AS term FROM user_terms AS found \
                       JOIN users ON users.id = found.user_id \
                       WHERE found.term >= $1 AND found.term < $2 AND NOT EXISTS \
                       (SELECT 1 FROM user_terms AS other WHERE other.user_id = found.user_id \
                       AND other.term >= $1 AND other.term < found.term)"
            .to_owned();
        let mut values: Vec<Value> = vec![
            search.into(),
            format!("{search}\u{10ffff}").into(),
            (i64::from(query.limit).saturating_add(1)).into(),
        ];
        if query.disabled {
            // Said of the word too, which has an index for it: few of many are disabled.
            sql.push_str(" AND found.disabled = 1");
        }
        if let Some((term, id)) = after {
            sql.push_str(" AND (found.term, found.user_id) > ($4, $5)");
            values.extend([term.into(), id.into()]);
        }
        sql.push_str(" ORDER BY found.term, found.user_id LIMIT $3");
        let rows = self.connection.query_all_raw(self.connection.statement(&sql, values)).await?;
        let mut people = Vec::with_capacity(rows.len());
        for row in &rows {
            let term: String = row.try_get("", "term")?;
            people.push((users::read(row)?, term));
        }
        let found = page(people, query.limit, |(user, term)| to_json(&(term, user.id.as_str())))?;
        Ok(Page {
            items: found.items.into_iter().map(|(user, _)| user).collect(),
            next: found.next,
        })
    }

    /// People who have this subject at an upstream.
    pub async fn find_people_by_subject(&self, subject: &str) -> Result<Vec<User>, StoreFault> {
        let sql = "SELECT users.* FROM identities JOIN users ON users.id = identities.user_id \
                   WHERE identities.subject = $1 ORDER BY users.id LIMIT 20";
        let stmt = self.connection.statement(sql, [subject.into()]);
        self.connection.query_all_raw(stmt).await?.iter().map(users::read).collect()
    }

    /// People whose address this is, in any case; at most two, for then it is nobody's alone. An
    /// address beyond ASCII is nobody's here: no two of its writings need be the same.
    pub async fn find_people_by_address(&self, address: &str) -> Result<Vec<User>, StoreFault> {
        let sql = "SELECT users.* FROM user_terms JOIN users ON users.id = user_terms.user_id \
                   WHERE user_terms.term = $1 AND lower(users.email) = $1 LIMIT 2";
        let address = address.to_ascii_lowercase();
        let stmt = self.connection.statement(sql, [address.into()]);
        self.connection.query_all_raw(stmt).await?.iter().map(users::read).collect()
    }

    /// How many people came since a moment; counted up to a thousand.
    pub async fn count_people_since(&self, at: Timestamp) -> Result<u64, StoreFault> {
        let sql = "SELECT count(*) AS number FROM \
                   (SELECT 1 FROM users WHERE created_at >= $1 LIMIT 1001) AS newcomers";
        let stmt = self.connection.statement(sql, [at.millis().into()]);
        let row = self.connection.query_one_raw(stmt).await?;
        let number: i64 = row.map(|row| row.try_get("", "number")).transpose()?.unwrap_or(0);
        Ok(u64::try_from(number).unwrap_or(0))
    }
}

impl WriteTx {
    /// Makes a person findable by what is known of them now.
    pub(crate) async fn put_terms(&self, user: &User) -> Result<(), StoreFault> {
        let known = "DELETE FROM user_terms WHERE user_id = $1";
        let stmt = self.connection.statement(known, [user.id.as_str().into()]);
        self.connection.execute_raw(stmt).await?;
        let terms = terms(user);
        let disabled = i32::from(user.disabled_at.is_some());
        let rows: Vec<String> = (0..terms.len())
            .map(|n| format!("(${}, $1, {disabled})", n.saturating_add(2)))
            .collect();
        let into = "INSERT INTO user_terms (term, user_id, disabled) VALUES";
        let sql = format!("{into} {}", rows.join(", "));
        let id: Value = user.id.as_str().into();
        let values = std::iter::once(id).chain(terms.into_iter().map(Value::from));
        self.connection.execute_raw(self.connection.statement(&sql, values)).await?;
        Ok(())
    }

    /// Takes an identity from a person; `false` when it is not theirs.
    pub async fn delete_identity(
        &self,
        user_id: &UserId,
        authority: &str,
        subject: &str,
    ) -> Result<bool, StoreFault> {
        let sql = "DELETE FROM identities WHERE user_id = $1 AND authority = $2 AND subject = $3";
        let values = [user_id.as_str().into(), authority.into(), subject.into()];
        let done = self.connection.execute_raw(self.connection.statement(sql, values)).await?;
        Ok(done.rows_affected() > 0)
    }
}
