//! The pages of clients, with hostile names and as a viewer.

use super::*;
use crate::web::page::admin::hostile::{choices, conflict, problems, rules_field, shell, snippet};
use crate::web::page::admin::members::{FieldShape, MemberField};
use crate::web::page::hostile::{check, check_shape, text};

fn form() -> ClientForm {
    ClientForm {
        client_id: text(),
        client_name: text(),
        redirect_uris: text(),
        post_logout_redirect_uris: text(),
        apple_bundle_ids: text(),
        resources: choices(),
        default_resource: choices(),
        scope: choices(),
        grant_types: choices(),
        token_endpoint_auth_method: choices(),
        id_token_signed_response_alg: choices(),
        refresh_token_idle_ttl: text(),
        refresh_token_absolute_ttl: text(),
        version: text(),
        ..ClientForm::default()
    }
}

#[test]
fn the_list_shows_names_as_text() {
    let row = || ClientRow {
        client_id: text(),
        client_name: text(),
        kind: "Web app",
        disabled: true,
        pkce_off: true,
        created_at: text(),
        token_at: Some(text()),
    };
    let list = |q: &str, rows: Vec<ClientRow>| ListPage {
        shell: shell(),
        q: q.to_owned(),
        kinds: choices(),
        state: "active".to_owned(),
        newest_first: true,
        narrowed: false,
        rows,
        paged: true,
        first_url: text(),
        next_url: Some(text()),
    };
    check(&list(&text(), vec![row()]).render().unwrap());
    check(&list(&text(), Vec::new()).render().unwrap());
    let none = list("", Vec::new()).render().unwrap();
    assert!(none.contains("No clients yet"));
    check_shape(&KindsPage { shell: shell() }.render().unwrap());
}

#[test]
fn a_viewer_is_offered_nothing_that_changes() {
    let mut page = ListPage {
        shell: shell(),
        q: String::new(),
        kinds: Vec::new(),
        state: String::new(),
        newest_first: false,
        narrowed: false,
        rows: Vec::new(),
        paged: false,
        first_url: String::new(),
        next_url: None,
    };
    assert!(page.render().unwrap().contains("/admin/clients/new"));
    page.shell.may_change = false;
    assert!(!page.render().unwrap().contains("/admin/clients/new"));
    let mut page = show();
    page.shell.may_change = false;
    page.may_edit = false;
    let html = page.render().unwrap();
    assert!(!html.contains("/secret\"") && !html.contains("/edit\""));
    assert!(!html.contains("/delete\"") && !html.contains("/enable\""));
}

#[test]
fn forms_keep_what_was_typed_and_show_it_as_text() {
    for kind in ["web", "spa", "native", "machine", "device", "mcp"] {
        let page = NewPage {
            shell: shell(),
            kind,
            kind_name: "app",
            redirect_hint: "h",
            form: form(),
            problems: problems(&["client_name", "client_id", "redirect_uris"]),
        };
        check(&page.render().unwrap());
        let page = EditPage {
            shell: shell(),
            title_name: text(),
            kind,
            redirect_hint: "h",
            form: form(),
            problems: problems(&["client_name", "scope", "require_pkce"]),
            conflict: Some(conflict()),
            touches: vec![text()],
            groups: vec![MemberGroup {
                id: "g",
                question: "q?",
                fields: vec![
                    MemberField {
                        name: "logo_uri",
                        label: "l",
                        hint: "h",
                        shape: FieldShape::Lines,
                        seldom: false,
                        value: text(),
                        chosen: false,
                        choices: choices(),
                        rules: None,
                    },
                    MemberField {
                        name: "claims",
                        label: "l",
                        hint: "h",
                        shape: FieldShape::Rules,
                        seldom: false,
                        value: text(),
                        chosen: false,
                        choices: Vec::new(),
                        rules: Some(rules_field()),
                    },
                ],
                open: true,
            }],
        };
        check(&page.render().unwrap());
    }
}

fn show() -> ShowPage {
    ShowPage {
        shell: shell(),
        may_edit: true,
        client_id: text(),
        client_name: text(),
        kind_name: "Web app",
        disabled: true,
        pkce_off: true,
        public: false,
        issuer: text(),
        discovery: text(),
        facts: vec![Fact { label: "l", values: vec![text()], code: true }],
        observed: vec![Fact { label: "o", values: vec![text()], code: false }],
        secrets: vec![SecretRow {
            id: text(),
            name: Some(text()),
            last_used_at: Some(text()),
            soon: true,
            last: true,
            created_at: text(),
            expires_at: Some(text()),
            expired: false,
        }],
        newest_secret: text(),
    }
}

#[test]
fn a_client_and_its_secret_are_shown_as_text() {
    check(&show().render().unwrap());
    let page = RegisteredPage {
        shell: shell(),
        heading: text(),
        client_id: text(),
        client_name: text(),
        may_edit: true,
        client_secret: Some(text()),
        public: false,
        issuer: text(),
        discovery: text(),
        env: text(),
        programs: vec![snippet()],
        no_way_in: true,
        needs_redirect: true,
    };
    check(&page.render().unwrap());
}
