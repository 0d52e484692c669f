//! Rules of further claims, as rows of a form.

use super::Choice;

/// One of the conditions of a rule.
#[derive(Clone)]
pub struct ConditionRow {
    /// The attributes, and which of them is looked at.
    pub attributes: Vec<Choice>,
    /// What it must be.
    pub is: String,
}

/// A rule.
#[derive(Clone)]
pub struct RuleRow {
    /// The claim's name.
    pub claim: String,
    /// Where its value can come from, and where it does.
    pub sources: Vec<Choice>,
    /// The value or the template.
    pub text: String,
    /// When it holds; one more than there are, to be filled in.
    pub conditions: Vec<ConditionRow>,
    /// The scope value that must have been granted.
    pub scope: String,
    /// Where it is told.
    pub to: Vec<Choice>,
}

/// What a chosen person's tokens would hold of it.
#[derive(Clone)]
pub struct RulesPreview {
    /// Who.
    pub person: Option<String>,
    /// The places, and the claims in each as JSON.
    pub places: Vec<(&'static str, String)>,
    /// What is wrong with the rules.
    pub problems: Vec<String>,
}

/// The part of a form in which they stand.
#[derive(Clone, Default)]
pub struct RulesField {
    /// The rules, the first that holds first.
    pub rows: Vec<RuleRow>,
    /// All of them as JSON.
    pub json: String,
    /// JSON that was typed in their place.
    pub typed: String,
    /// Whether they are of an API, whose access tokens alone they reach.
    pub of_api: bool,
    /// Whom to look at: a name, an address or a `sub`.
    pub person: String,
    /// What that showed.
    pub preview: Option<RulesPreview>,
}
