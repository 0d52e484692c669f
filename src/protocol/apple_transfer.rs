//! Moving people between two Apple teams — apple.md §9, TN3159.
//!
//! A person is another `sub` in every team. What bridges is the transfer identifier, which the old
//! team is told for each person and the new team exchanges. One row stands for one person's move.

use serde::{Deserialize, Serialize};

use crate::ambient::Timestamp;
use crate::id::UserId;

/// How far a person's move has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// The transfer identifier is not known yet.
    Pending,
    /// It is known, and waits to be exchanged.
    Collected,
    /// The new team's `sub` was asked for and is linked.
    Exchanged,
    /// The person came by themselves, and the new team's `sub` is linked.
    Attached,
    /// Apple does not move this person.
    Refused,
    /// The new team's `sub` is somebody else's here; nobody was changed.
    Conflict,
}

impl TransferState {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Collected,
        Self::Exchanged,
        Self::Attached,
        Self::Refused,
        Self::Conflict,
    ];

    /// The word it is stored and shown as.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Collected => "collected",
            Self::Exchanged => "exchanged",
            Self::Attached => "attached",
            Self::Refused => "refused",
            Self::Conflict => "conflict",
        }
    }

    /// The state of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether somebody who brings the transfer identifier to a sign-in is linked by it.
    pub const fn may_attach(self) -> bool {
        match self {
            Self::Collected | Self::Refused => true,
            Self::Pending | Self::Exchanged | Self::Attached | Self::Conflict => false,
        }
    }
}

/// One person's move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppleTransfer {
    /// The team they are known in.
    pub from_team: String,
    /// Their `sub` there.
    pub subject: String,
    /// The team their app moves to.
    pub to_team: String,
    /// Who it is.
    pub user_id: UserId,
    /// The transfer identifier.
    pub transfer_sub: Option<String>,
    /// Their `sub` in the new team.
    pub new_subject: Option<String>,
    /// How far it has come.
    pub state: TransferState,
    /// Why it went no further.
    pub reason: Option<String>,
    /// When it was written down first.
    pub created_at: Timestamp,
    /// When it came this far.
    pub updated_at: Timestamp,
}

/// Reads a file of `sub,transfer_sub` with that header. Quotes are taken off; neither identifier
/// can hold a comma.
///
/// # Errors
/// What is wrong, and in which line.
pub fn read_csv(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    let cell = |text: &str| text.trim().trim_matches('"').to_owned();
    let header = lines.next().map(|(_, line)| line.split(',').map(cell).collect::<Vec<_>>());
    let header = header.unwrap_or_default();
    let place = |name: &str| header.iter().position(|column| column == name);
    let (Some(sub), Some(transfer_sub)) = (place("sub"), place("transfer_sub")) else {
        return Err("line 1: the header must be sub,transfer_sub".to_owned());
    };
    let mut rows = Vec::new();
    for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let cells: Vec<_> = line.split(',').map(cell).collect();
        let found = cells.get(sub).zip(cells.get(transfer_sub));
        let whole = found.filter(|(a, b)| is_identifier(a) && is_identifier(b));
        let Some((sub, transfer_sub)) = whole else {
            return Err(format!("line {}: not a sub and a transfer_sub", number + 1));
        };
        rows.push((sub.clone(), transfer_sub.clone()));
    }
    Ok(rows)
}

/// The same file, written.
pub fn write_csv<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = "sub,transfer_sub\n".to_owned();
    for (sub, transfer_sub) in rows {
        text.push_str(&format!("{sub},{transfer_sub}\n"));
    }
    text
}

fn is_identifier(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_back_as_it_was_written() {
        let rows = [("001.a.1", "760417.x"), ("001.b.1", "760417.y")];
        let text = write_csv(rows.into_iter());
        let read = read_csv(&text).unwrap();
        assert_eq!(read, rows.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn spreadsheets_may_have_touched_it() {
        let text = "\u{feff}\"transfer_sub\",\"sub\",email\r\n\"t1\",\"s1\",a@b\r\n\r\n";
        assert_eq!(read_csv(text).unwrap(), [("s1".to_owned(), "t1".to_owned())]);
    }

    #[test]
    fn a_file_that_is_not_one_is_refused_by_its_line() {
        for (text, says) in [
            ("", "line 1"),
            ("sub\na\n", "line 1"),
            ("a,b\nc,d\n", "line 1"),
            ("sub,transfer_sub\na\n", "line 2"),
            ("sub,transfer_sub\na,b\nc,\n", "line 3"),
            ("sub,transfer_sub\na b,c\n", "line 2"),
        ] {
            assert!(read_csv(text).unwrap_err().starts_with(says), "{text:?}");
        }
    }

    #[test]
    fn words_and_states_are_the_same() {
        for state in TransferState::ALL {
            assert_eq!(TransferState::parse(state.as_str()), Some(state));
        }
        assert_eq!(TransferState::parse("done"), None);
    }
}
