//! What lists and choices of the console have in common.

/// The ways from one page of a list.
#[derive(Clone, Default)]
pub struct Pages {
    /// To the first page, unless this is it.
    pub first_url: Option<String>,
    /// To the page after.
    pub next_url: Option<String>,
}

impl Pages {
    /// Whether there are any.
    pub const fn any(&self) -> bool {
        self.first_url.is_some() || self.next_url.is_some()
    }
}

/// One of several things to choose.
#[derive(Clone)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What people read.
    pub label: String,
    /// More about it; may be empty.
    pub hint: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

impl Choice {
    /// One without a hint, chosen if it is what `chosen` says.
    pub fn of(value: &str, label: &str, chosen: &str) -> Self {
        Self {
            value: value.to_owned(),
            label: label.to_owned(),
            hint: String::new(),
            chosen: value == chosen,
        }
    }
}
