//! Members of settings as forms offer them.

use super::Choice;
use super::claim_rules::RulesField;

/// How a field is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FieldShape {
    /// One line.
    Text,
    /// A value on each line.
    Lines,
    /// Yes or no.
    Tick,
    /// A whole number.
    Number,
    /// One of several words.
    Choice,
    /// A JSON document.
    Json,
    /// Rules of further claims, in rows.
    Rules,
}

/// A field of the form.
pub struct MemberField {
    /// The member's name.
    pub name: &'static str,
    /// What people read.
    pub label: &'static str,
    /// More about it.
    pub hint: &'static str,
    /// How it is shown.
    pub shape: FieldShape,
    /// Whether few need it.
    pub seldom: bool,
    /// Its text.
    pub value: String,
    /// Whether it is ticked.
    pub chosen: bool,
    /// What can be chosen.
    pub choices: Vec<Choice>,
    /// The rows of rules.
    pub rules: Option<RulesField>,
}

/// Members that answer one question.
pub struct MemberGroup {
    /// Its element.
    pub id: &'static str,
    /// The question.
    pub question: &'static str,
    /// The members.
    pub fields: Vec<MemberField>,
    /// Whether it is unfolded.
    pub open: bool,
}
