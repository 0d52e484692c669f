//! Tables: Russet's own, and rows by the names of their columns.

use super::{Contents, Newcomer, Remark};

/// The columns of Russet's own table; all but `sub` may be missing.
const COLUMNS: [&str; 6] = ["sub", "email", "email_verified", "name", "given_name", "family_name"];

/// A row: where it stands, and its fields under the names of the columns.
pub(super) struct Row {
    pub(super) line: u64,
    fields: Vec<(String, String)>,
}

/// A row, or what is wrong with the line.
pub(super) type Line = Result<Row, Remark>;

impl Row {
    /// A field; an empty one counts as none.
    pub(super) fn field(&self, column: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(name, _)| name == column)?;
        let value = value.trim();
        (!value.is_empty() && !value.eq_ignore_ascii_case("null")).then_some(value)
    }
}

/// The column names, and each row or what is wrong with it.
pub(super) fn rows(text: &str) -> Result<(Vec<String>, Vec<Line>), String> {
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let header: Vec<String> = reader
        .headers()
        .map_err(|error| format!("the header cannot be read: {error}"))?
        .iter()
        .map(str::to_ascii_lowercase)
        .collect();
    let rows = reader
        .records()
        .map(|record| match record {
            Ok(record) => Ok(Row {
                line: record.position().map_or(0, csv::Position::line),
                fields: header.iter().cloned().zip(record.iter().map(str::to_owned)).collect(),
            }),
            Err(error) => Err(Remark {
                line: error.position().map_or(0, csv::Position::line),
                message: "has another number of fields than the header, or is not UTF-8".to_owned(),
            }),
        })
        .collect();
    Ok((header, rows))
}

/// Yes or no as databases write it.
pub(super) fn flag(text: Option<&str>) -> bool {
    text.is_some_and(|text| {
        ["true", "t", "1", "yes"].iter().any(|yes| text.trim().eq_ignore_ascii_case(yes))
    })
}

pub(super) fn people(text: &str) -> Result<Contents, String> {
    let (header, rows) = rows(text)?;
    if !header.iter().any(|column| column == "sub") {
        return Err(format!("the first line must be the header {}", COLUMNS.join(",")));
    }
    if let Some(odd) = header.iter().find(|column| !COLUMNS.contains(&column.as_str())) {
        return Err(format!("{odd:?} is no column; the header is {}", COLUMNS.join(",")));
    }
    let mut found = Contents::default();
    for row in rows {
        match row {
            Ok(row) => {
                let text = |column| row.field(column).map(str::to_owned);
                found.people.push(Newcomer {
                    line: row.line,
                    subject: text("sub").unwrap_or_default(),
                    email: text("email"),
                    email_verified: flag(row.field("email_verified")),
                    name: text("name"),
                    given_name: text("given_name"),
                    family_name: text("family_name"),
                });
            }
            Err(remark) => found.unusable.push(remark),
        }
    }
    Ok(found)
}
