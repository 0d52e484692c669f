//! Where the console may send somebody on to: its own pages, and nowhere else (open redirects,
//! CWE-601).

/// The path, if it is one of the console's own; else `None`.
pub(super) fn own(path: &str, base: &str) -> Option<String> {
    let rest = path.strip_prefix(base)?.strip_prefix("/admin")?;
    let ends_here = rest.is_empty() || rest.starts_with(['/', '?']);
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let climbs = path.split(['/', '?', '#']).any(|part| part == ".." || part == ".");
    let is_door = rest.starts_with("/login") || rest.starts_with("/logout");
    (ends_here && plain && !climbs && !path.contains("//") && !is_door).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_console_are_its_own() {
        for (path, base) in [
            ("/admin", ""),
            ("/admin/clients?q=a&after=%5B%22x%22%5D", ""),
            ("/tenant/admin/clients/abc/edit", "/tenant"),
        ] {
            assert_eq!(own(path, base).as_deref(), Some(path));
        }
        for (path, base) in [
            ("https://evil.example/admin", ""),
            ("//evil.example/admin", ""),
            ("/admin//evil.example", ""),
            ("/admin\\evil", ""),
            ("/administrator", ""),
            ("/account", ""),
            ("/admin/../account", ""),
            ("/admin/login?next=/admin", ""),
            ("/admin/logout", ""),
            ("/admin/clients", "/tenant"),
            ("/admin/a b", ""),
            ("/admin/\r\nSet-Cookie: a=b", ""),
            ("/admin/ä", ""),
            ("", ""),
        ] {
            assert_eq!(own(path, base), None, "{path:?} under {base:?}");
        }
    }
}
