//! Bringing people with their Apple `sub` from elsewhere, so that the first sign-in here finds them.
//!
//! The key is `(authority, sub)` and nothing else, as at a sign-in: an address links nobody. What
//! is there already is left as it is, so an import may be repeated, and goes on where it was cut
//! off.

mod csv;
mod formats;
mod json;

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Actor, AdminError, Administration};
use crate::op::people::new_sub;
use crate::protocol::admin::Role;
use crate::protocol::ambient::Timestamp;
use crate::protocol::event::Event;
use crate::protocol::id::{ConnectionId, UserId};
use crate::protocol::user::{Identity, User};
use crate::store::{StoreFault, WriteTx};

/// People in one transaction.
const BATCH: usize = 200;
/// Somebody may sign in while they are being brought; then the batch is looked at again.
const ATTEMPTS: usize = 5;
const LONGEST_SUB: usize = 255;
const LONGEST_NAME: usize = 100;

/// Where the people come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `firebase auth:export users.json`
    Firebase,
    /// Auth0's export of users, a JSON object on each line.
    Auth0,
    /// `auth.identities` or `auth.users`, as CSV or JSON.
    Supabase,
    /// A header `sub,email,email_verified,name,given_name,family_name`.
    Csv,
}

/// One person as a source tells of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newcomer {
    /// Where in the file they stand.
    pub line: u64,
    /// Apple's `sub`.
    pub subject: String,
    /// Their address, and whether the source vouches for it.
    pub email: Option<String>,
    /// Whether the source vouches for the address.
    pub email_verified: bool,
    /// Display name.
    pub name: Option<String>,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
}

/// Something in the file that brings nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Where it stands.
    pub line: u64,
    /// What is the matter.
    pub message: String,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// People with an Apple identity.
    pub people: Vec<Newcomer>,
    /// People without one.
    pub others: u64,
    /// What cannot be used.
    pub unusable: Vec<Remark>,
    /// People of whom the file tells twice, and not the same.
    pub conflicting: Vec<Remark>,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// People who were (or would be) made.
    pub new: u64,
    /// People who were there already.
    pub already_there: u64,
    /// People in the file without an Apple identity.
    pub others: u64,
    /// People of whom the file tells twice, and not the same; none of them is brought.
    pub conflicting: Vec<Remark>,
    /// What cannot be used.
    pub unusable: Vec<Remark>,
}

impl Contents {
    /// Reads a file. Whatever is wrong with a line is told and keeps no other from being read.
    ///
    /// # Errors
    /// When it is not such a file at all: what it is in place of.
    pub fn read(source: Source, text: &str) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}');
        if text.starts_with("\u{1f}") {
            return Err("the file is compressed; unpack it with gunzip first".to_owned());
        }
        let mut found = match source {
            Source::Firebase => formats::firebase(text)?,
            Source::Auth0 => formats::auth0(text)?,
            Source::Supabase => formats::supabase(text)?,
            Source::Csv => csv::people(text)?,
        };
        found.settle();
        Ok(found)
    }

    /// Tidies each person, and finds out who stands there twice.
    fn settle(&mut self) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut people: Vec<Newcomer> = Vec::with_capacity(self.people.len());
        let mut doubtful: Vec<usize> = Vec::new();
        for mut person in std::mem::take(&mut self.people) {
            let line = person.line;
            if let Err(message) = person.tidy() {
                self.unusable.push(Remark { line, message });
                continue;
            }
            match seen.get(&person.subject) {
                None => {
                    seen.insert(person.subject.clone(), people.len());
                    people.push(person);
                }
                Some(&first) => {
                    let known = people.get(first);
                    let same =
                        known.is_some_and(|known| Newcomer { line, ..known.clone() } == person);
                    if !same {
                        let before = known.map_or(0, |known| known.line);
                        let message = format!("tells otherwise of the person of line {before}");
                        self.conflicting.push(Remark { line, message });
                        doubtful.push(first);
                    }
                }
            }
        }
        let mut index = 0;
        people.retain(|_| {
            index += 1;
            !doubtful.contains(&(index - 1))
        });
        self.people = people;
        self.unusable.sort_by_key(|remark| remark.line);
    }
}

impl Newcomer {
    /// Keeps what may be stored; a person without a usable `sub` is none.
    fn tidy(&mut self) -> Result<(), String> {
        let good = !self.subject.is_empty()
            && self.subject.len() <= LONGEST_SUB
            && self.subject.bytes().all(|byte| byte.is_ascii_graphic());
        if !good {
            return Err("has no Apple sub that could be one".to_owned());
        }
        self.email = self.email.take().filter(|email| {
            email.contains('@')
                && email.chars().count() <= 254
                && !email.contains(|c: char| c.is_control() || c.is_whitespace())
        });
        self.email_verified &= self.email.is_some();
        for name in [&mut self.name, &mut self.given_name, &mut self.family_name] {
            let clean = name.take().map(|name| {
                let visible: String = name.chars().filter(|c| !c.is_control()).collect();
                visible.trim().chars().take(LONGEST_NAME).collect::<String>()
            });
            *name = clean.filter(|name| !name.is_empty());
        }
        if self.name.is_none() {
            let parts: Vec<&str> = [&self.given_name, &self.family_name]
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            self.name = (!parts.is_empty()).then(|| parts.join(" "));
        }
        Ok(())
    }

    fn is_relayed(&self) -> bool {
        self.email.as_deref().is_some_and(|email| {
            email.ends_with("@privaterelay.appleid.com") || email.ends_with("@private.icloud.com")
        })
    }

    fn user(&self, id: UserId, sub: String, now: Timestamp) -> User {
        User {
            name: self.name.clone(),
            given_name: self.given_name.clone(),
            family_name: self.family_name.clone(),
            email: self.email.clone(),
            email_verified: self.email_verified,
            is_private_email: self.is_relayed(),
            ..User::new(id, sub, now)
        }
    }
}

impl Administration {
    /// Brings people to a connection's authority, a batch at a time; with `dry_run` only looks.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`] for a lesser role than admin; the store's fault, then the batches
    /// before stand, and the same import goes on from there.
    pub async fn import_people(
        &self,
        actor: &Actor,
        authority: &str,
        connection_id: &ConnectionId,
        contents: Contents,
        dry_run: bool,
    ) -> Result<Report, AdminError> {
        actor.must_be(Role::Admin)?;
        let Contents { people, others, unusable, conflicting } = contents;
        let mut report = Report { dry_run, others, unusable, conflicting, ..Report::default() };
        for batch in people.chunks(BATCH) {
            let new = if dry_run {
                self.count_new(authority, batch).await?
            } else {
                self.bring(actor, authority, connection_id, batch).await?
            };
            report.new += new;
            report.already_there += batch.len() as u64 - new;
        }
        Ok(report)
    }

    async fn count_new(&self, authority: &str, batch: &[Newcomer]) -> Result<u64, AdminError> {
        let mut new = 0;
        for person in batch {
            let known = self.store.find_identity(authority, &person.subject).await?;
            new += u64::from(known.is_none());
        }
        Ok(new)
    }

    async fn bring(
        &self,
        actor: &Actor,
        authority: &str,
        connection_id: &ConnectionId,
        batch: &[Newcomer],
    ) -> Result<u64, AdminError> {
        let now = self.clock.now();
        let mut attempts = 0;
        loop {
            attempts += 1;
            // Names are drawn outside: the act only writes.
            let drawn: Vec<(Newcomer, UserId, String)> = batch
                .iter()
                .map(|person| {
                    let id = UserId::random(self.entropy.as_ref());
                    (person.clone(), id, new_sub(self.entropy.as_ref()))
                })
                .collect();
            let (authority, connection_id) = (authority.to_owned(), connection_id.clone());
            let actor = actor.clone();
            let outcome = self
                .store
                .write(move |tx| {
                    Box::pin(async move {
                        let mut new = 0;
                        for (person, id, sub) in drawn {
                            let user = person.user(id, sub, now);
                            let written =
                                insert(tx, &authority, &connection_id, &person, &user, now).await?;
                            new += u64::from(written);
                        }
                        if new > 0 {
                            let event = Event::new(now, "users.imported", actor.name)
                                .target(connection_id.to_string())
                                .request_id(actor.request_id)
                                .detail(json!({ "new": new }));
                            tx.record(&event).await?;
                        }
                        Ok::<u64, StoreFault>(new)
                    })
                })
                .await;
            match outcome {
                // Somebody of them has just signed in for the first time, and is there now.
                Err(StoreFault::Conflict(_)) if attempts < ATTEMPTS => {}
                settled => return Ok(settled?),
            }
        }
    }
}

/// Writes one person; `false` when their identity is there already.
async fn insert(
    tx: &WriteTx,
    authority: &str,
    connection_id: &ConnectionId,
    person: &Newcomer,
    user: &User,
    now: Timestamp,
) -> Result<bool, StoreFault> {
    if tx.find_identity(authority, &person.subject).await?.is_some() {
        return Ok(false);
    }
    tx.insert_user(user).await?;
    let identity = Identity {
        authority: authority.to_owned(),
        subject: person.subject.clone(),
        user_id: user.id.clone(),
        connection_id: connection_id.clone(),
        email: person.email.clone(),
        // By another broker, not by Apple.
        email_proven: false,
        created_at: now,
        // They have never signed in here.
        last_login_at: Timestamp::default(),
        email_undeliverable_since: None,
        ended_at: None,
    };
    tx.insert_identity(&identity).await?;
    Ok(true)
}

impl Report {
    /// Whether somebody of the file is here now, or would be.
    pub fn brings_anybody(&self) -> bool {
        self.new > 0 || self.already_there > 0
    }

    /// The report as JSON.
    pub fn to_json(&self) -> Value {
        let remarks = |remarks: &[Remark]| -> Vec<Value> {
            remarks
                .iter()
                .map(|remark| json!({ "line": remark.line, "message": remark.message }))
                .collect()
        };
        json!({
            "dry_run": self.dry_run,
            "new": self.new,
            "already_there": self.already_there,
            "others": self.others,
            "conflicting": remarks(&self.conflicting),
            "unusable": remarks(&self.unusable),
        })
    }
}

#[cfg(test)]
mod tests;
