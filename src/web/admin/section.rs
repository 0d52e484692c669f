//! Which entry of the navigation a page belongs to.

pub(super) fn of(path: &str, base: &str) -> &'static str {
    let path = path.strip_prefix(base).unwrap_or(path);
    if path.starts_with("/admin/clients")
        || path.starts_with("/admin/deliveries")
        || path.starts_with(crate::op::trial::PATH)
    {
        "clients"
    } else if path.starts_with("/admin/apis") {
        "apis"
    } else if path.starts_with("/admin/audit") || path.starts_with("/admin/sign-ins") {
        "audit"
    } else if path.starts_with("/admin/people") || path.starts_with("/admin/deletions") {
        "people"
    } else if path.starts_with("/admin/settings") {
        "settings"
    } else if path.starts_with("/admin/admins") {
        "admins"
    } else if path.starts_with("/admin/profile") {
        "profile"
    } else if path.starts_with("/admin/sessions") {
        "sessions"
    } else if path.starts_with("/admin/keys") {
        "keys"
    } else if path.starts_with("/admin/trust") {
        "trust"
    } else if path.starts_with("/admin/connections") || path.starts_with("/admin/apple") {
        "connections"
    } else if path.trim_end_matches('/') == "/admin" {
        "overview"
    } else {
        // The search and the question for a password belong to none.
        ""
    }
}
