//! Lists by pages: where the first page is, and the next.

use super::Console;
use super::form::with_query;
use crate::web::page::admin::Pages;

/// Rows on one page of a list.
pub(super) const PAGE: u32 = 25;

/// The ways from a page of the list at `path`. `kept` is what was asked for besides; `cursor`
/// names the place in the query, then where this page begins and where the next one does.
pub(super) fn pages(
    console: &Console,
    path: &str,
    kept: &[(&str, &str)],
    (cursor, here, next): (&str, Option<&str>, Option<&str>),
) -> Pages {
    let url = |begins: Option<&str>| {
        let mut asked: Vec<_> =
            kept.iter().filter(|(_, value)| !value.is_empty()).copied().collect();
        asked.extend(begins.map(|begins| (cursor, begins)));
        let query = if asked.is_empty() { String::new() } else { with_query(&asked) };
        console.url(&format!("{path}{query}"))
    };
    Pages { first_url: here.map(|_| url(None)), next_url: next.map(|next| url(Some(next))) }
}

/// A page of a list that is whole in memory, after the item with this key; and the key of the last
/// item, if more follow. A key that is gone starts at the top.
pub(super) fn part<T>(
    mut all: Vec<T>,
    after: Option<&str>,
    key: impl Fn(&T) -> &str,
) -> (Vec<T>, Option<String>) {
    let size = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let passed = after.and_then(|after| all.iter().position(|item| key(item) == after));
    let mut items = all.split_off(passed.map_or(0, |passed| passed.saturating_add(1)));
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(|last| key(last).to_owned());
    (items, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_memory_is_walked_once_through() {
        let all: Vec<String> = (0..60).map(|number| format!("{number:02}")).collect();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let (items, next) = part(all.clone(), after.as_deref(), String::as_str);
            assert!(items.len() <= 25);
            seen.extend(items);
            after = next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
        let (top, _) = part(all, Some("gone"), String::as_str);
        assert_eq!(top.first().unwrap(), "00");
    }
}
