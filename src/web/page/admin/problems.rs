//! What is wrong with a form, field by field.

/// What is wrong with one field.
#[derive(Clone)]
pub struct Problem {
    /// The field's name.
    pub field: String,
    /// One sentence.
    pub message: String,
}

impl Problem {
    /// The id to jump to.
    pub fn anchor(&self) -> &str {
        match self.field.as_str() {
            "client_id" => "main",
            field => field,
        }
    }

    /// The field as its form labels it.
    pub fn label(&self) -> &str {
        match self.field.as_str() {
            "client_name" | "name" => "Name",
            "redirect_uris" => "Redirect URIs",
            "post_logout_redirect_uris" => "Post-logout redirect URIs",
            "apple_bundle_ids" => "Bundle IDs",
            "resources" => "APIs",
            "default_resource" => "Default API",
            "scope" | "scopes" => "Scopes",
            "grant_types" => "Grant types",
            "token_endpoint_auth_method" => "Client authentication",
            "require_pkce" => "Require PKCE",
            "refresh_token_idle_ttl" => "Refresh token idle limit",
            "refresh_token_absolute_ttl" => "Refresh token absolute limit",
            "identifier" => "Identifier",
            "access_token_ttl" => "Access token lifetime",
            "confirm" => "Name to confirm",
            "username" => "Username",
            "password" => "Password",
            "new_password" => "New password",
            "totp" => "Code",
            "passkey_name" => "Passkey",
            "recovery_codes" => "Recovery codes",
            "url" => "Address",
            "role" => "Role",
            "clients" => "Clients of an editor",
            "audit_retention_days" => "Keep the audit log for",
            "key_name" => "Name",
            "key_scope" => "Scopes",
            "key_days" | "token_days" => "Good for",
            "token_name" => "Name",
            "token_uses" => "Registrations",
            "issuer" => "Issuer",
            "audience" => "Audience",
            "workload_client" => "Client",
            "workload_scope" => "Scope",
            "workload_resources" => "APIs",
            "conditions" => "Conditions",
            "max_lifetime" => "Longest life",
            field => field,
        }
    }
}

/// Everything that is wrong with a form.
#[derive(Clone, Default)]
pub struct Problems {
    /// In the order of the rules.
    pub list: Vec<Problem>,
    /// What stands above the list.
    pub headline: &'static str,
}

impl Problems {
    /// These problems.
    pub fn new(list: Vec<Problem>) -> Self {
        Self { list, headline: "Not saved yet" }
    }

    /// Adds one.
    pub fn push(&mut self, field: &str, message: &str) {
        self.headline = "Not saved yet";
        self.list.push(Problem { field: field.to_owned(), message: message.to_owned() });
    }

    /// Whether there are any.
    pub fn any(&self) -> bool {
        !self.list.is_empty()
    }

    /// Whether this field has one.
    pub fn has(&self, field: &str) -> bool {
        self.list.iter().any(|problem| problem.field == field)
    }

    /// What is wrong with this field.
    pub fn of(&self, field: &str) -> Vec<&str> {
        self.list
            .iter()
            .filter(|problem| problem.field == field)
            .map(|problem| problem.message.as_str())
            .collect()
    }
}
