//! The command line as it is typed: arguments in, exit code and stored state out.

use std::path::Path;
use std::sync::Arc;

use clap::CommandFactory as _;
use serde_json::Value;

use super::*;
use crate::protocol::ambient::{SeededEntropy, TestClock, Timestamp};

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let key = crate::protocol::secret::Vault::generate_master_key(&SeededEntropy::new(7));
        std::fs::write(directory.path().join("master.key"), key.expose()).expect("writing");
        std::fs::write(
            directory.path().join("russet.toml"),
            "[server]\nissuer = \"http://127.0.0.1:8080\"\n\
             [secrets]\nmaster_key_file = \"master.key\"\n[log]\nlevel = \"error\"\n",
        )
        .expect("writing");
        Self(directory)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Performs `line` as typed after `russet`; each call draws other randomness.
    fn type_in(&self, line: &str) -> Result<Answer, CliError> {
        let seed = line.len() as u64 * 31 + u64::from(line.bytes().fold(0_u8, u8::wrapping_add));
        let config = self.path().join("russet.toml");
        let words = ["russet", "--config", config.to_str().expect("UTF-8")];
        let words = words.into_iter().chain(line.split_whitespace());
        let arguments = Arguments::try_parse_from(words).expect("a command line");
        perform(arguments, surroundings(Vec::new(), seed))
    }

    fn json(&self, line: &str) -> Value {
        self.type_in(line).unwrap_or_else(|error| panic!("{line}: {error:?}")).json
    }

    fn refusal(&self, line: &str) -> String {
        match self.type_in(line).expect_err("a refusal") {
            CliError::Config(message) => panic!("configuration: {message}"),
            refused @ (CliError::Failed(_) | CliError::Missing) => refused.message(),
        }
    }
}

fn surroundings(environment: Vec<(String, String)>, seed: u64) -> Surroundings {
    Surroundings {
        environment,
        world: World {
            clock: Arc::new(TestClock::at(Timestamp::from_secs(1_700_000_000))),
            entropy: Arc::new(SeededEntropy::new(seed)),
        },
    }
}

fn exit_code(words: &[&str]) -> ExitCode {
    let words = words.iter().map(OsString::from);
    run(words, surroundings(Vec::new(), 1))
}

#[test]
fn the_command_line_is_consistent() {
    Arguments::command().debug_assert();
}

/// Every command that does something, as it is typed.
fn commands(command: &clap::Command, typed: &[String]) -> Vec<Vec<String>> {
    let below: Vec<_> = command.get_subcommands().filter(|it| it.get_name() != "help").collect();
    if below.is_empty() {
        return vec![typed.to_vec()];
    }
    let one = |it: &clap::Command| commands(it, &[typed, &[it.get_name().to_owned()]].concat());
    below.into_iter().flat_map(one).collect()
}

#[test]
fn a_flag_that_there_is_not_is_a_usage_error_of_every_command() {
    let mut root = Arguments::command();
    root.build();
    let commands = commands(&root, &["russet".to_owned()]);
    assert!(commands.len() > 50, "{}", commands.len());
    for words in commands {
        for wrong in ["--typo", "--typo=1", "-y"] {
            let typed = words.iter().map(String::as_str).chain([wrong]);
            let refused = Arguments::try_parse_from(typed).expect_err(wrong);
            let text = refused.to_string();
            assert_eq!(refused.exit_code(), 2, "{words:?} {wrong}: {text}");
            let name = wrong.trim_end_matches("=1");
            assert!(text.contains(name), "{words:?} {wrong}: {text}");
        }
    }
}

#[test]
fn usage_is_2_and_a_bad_configuration_78() {
    assert_eq!(exit_code(&["russet", "client", "create"]), ExitCode::from(2));
    assert_eq!(
        exit_code(&["russet", "client", "create", "--kind", "mainframe"]),
        ExitCode::from(2)
    );
    assert_eq!(exit_code(&["russet", "frobnicate"]), ExitCode::from(2));
    assert_eq!(exit_code(&["russet", "client", "show"]), ExitCode::from(2));
    assert_eq!(exit_code(&["russet", "--help"]), ExitCode::SUCCESS);
    let missing = ["russet", "client", "list", "--config", "/nonexistent/russet.toml"];
    assert_eq!(exit_code(&missing), ExitCode::from(78));
}

#[test]
fn check_answers_0_or_1() {
    let missing = ["russet", "check", "--config", "/nonexistent/russet.toml"];
    assert_eq!(exit_code(&missing), ExitCode::FAILURE);
    let answer = Desk::new().type_in("check").expect("an answer");
    assert!(answer.good, "{}", answer.text);
    assert!(answer.text.contains("fill in [apple]"), "{}", answer.text);
    assert!(!Desk::new().path().join("russet.db").exists(), "check changes nothing");
}

#[test]
fn a_client_is_made_shown_changed_and_removed() {
    let desk = Desk::new();
    let made = desk.json(
        "client create --kind web --client-name Shop --redirect-uri https://shop.example/cb \
         --redirect-uri https://shop.example/cb2 --client-id shop --json",
    );
    assert_eq!(made["client_id"], "shop");
    assert_eq!(made["client_secret"].as_str().map(str::len), Some(43));
    assert_eq!(made["client_secret_expires_at"], 0);
    assert_eq!(made["client_id_issued_at"], 1_700_000_000);
    assert_eq!(made["redirect_uris"][1], "https://shop.example/cb2");
    assert_eq!(made["grant_types"][0], "authorization_code");
    assert_eq!(made["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(made["kind"], "web");

    let shown = desk.json("client show shop");
    assert_eq!(shown.get("client_secret"), None, "shown once only");
    assert_eq!(desk.json("client show --client-id shop"), shown);

    let changed = desk.json("client update shop --require-pkce false --first-party true");
    assert_eq!((&changed["require_pkce"], &changed["first_party"]), (&false.into(), &true.into()));
    assert_eq!(changed["client_name"], "Shop", "what is not named stays");
    assert_eq!(changed["version"], 2);

    let rotated = desk.json("client rotate-secret shop --overlap 60");
    assert_ne!(rotated["client_secret"], made["client_secret"]);
    assert_eq!(desk.json("client list").as_array().map(Vec::len), Some(1));

    desk.json("client delete shop --yes");
    assert_eq!(desk.json("client list"), Value::Array(Vec::new()));
    assert!(desk.refusal("client show shop").contains("there is no such"));
}

#[test]
fn a_broken_rule_names_its_flag() {
    let desk = Desk::new();
    let refusal = desk
        .refusal("client create --kind web --client-name X --redirect-uri http://shop.example/");
    assert!(refusal.starts_with("--redirect-uri: \"http://shop.example/\" must begin with https"));
    let refusal = desk.refusal("client create --kind spa --require-pkce false");
    assert!(refusal.contains("--require-pkce: must be true"), "{refusal}");
    assert!(refusal.contains("--redirect-uri: give at least one"), "all at once: {refusal}");
    assert_eq!(desk.json("client list"), Value::Array(Vec::new()));
}

#[test]
fn an_api_and_a_machine_that_uses_it() {
    let desk = Desk::new();
    let api = desk.json(
        "api create --identifier https://api.example --name Orders --scope orders:read \
         --access-token-ttl 300 --signing-alg ES256",
    );
    assert_eq!((&api["access_token_ttl"], &api["signing_alg"]), (&300.into(), &"ES256".into()));
    let machine = desk.json(
        "client create --kind machine --client-id nightly --resource https://api.example \
         --default-resource https://api.example",
    );
    assert_eq!(machine["resources"][0], "https://api.example");
    assert!(desk.refusal("api delete https://api.example").contains("nightly"));
    assert!(
        desk.refusal("client create --kind machine --resource https://other.example")
            .contains("--resource: \"https://other.example\" is not the identifier of an API")
    );
    desk.json("client delete nightly");
    desk.json("api delete --identifier https://api.example");
    assert_eq!(desk.json("api list"), Value::Array(Vec::new()));
}

#[test]
fn migrations_are_listed_and_applied() {
    let desk = Desk::new();
    assert_eq!(desk.json("migrate --status")[0]["applied"], false);
    assert_eq!(desk.json("migrate")["applied"].as_array().map(Vec::is_empty), Some(false));
    assert_eq!(desk.json("migrate")["applied"], Value::Array(Vec::new()));
    assert_eq!(desk.json("migrate --status")[0]["applied"], true);
}

#[test]
fn a_native_client_may_bring_bundle_ids() {
    let made = Desk::new().json(
        "client create --kind native --apple-bundle-id com.example.app \
         --require-native-challenge true",
    );
    assert_eq!(made["apple_bundle_ids"][0], "com.example.app");
    assert_eq!(made["require_native_challenge"], true);
    assert_eq!(made["token_endpoint_auth_method"], "none");
    assert_eq!(made.get("client_secret"), None);
}

#[test]
fn nobody_is_shown_where_nobody_is() {
    let desk = Desk::new();
    for line in ["user show x", "user delete x --yes", "user export x", "user disable x --yes"] {
        assert!(desk.refusal(line).contains("there is nobody like that"), "{line}");
    }
}

#[test]
fn what_is_not_there_is_named_and_so_is_what_lists_it() {
    let desk = Desk::new();
    for (line, what, list) in [
        ("client show none", "client", "`russet client list`"),
        ("client registration-token delete none", "registration token", "registration-token list`"),
        ("api show https://none.example", "API", "`russet api list`"),
        ("connection show none", "connection", "`russet connection list`"),
        ("admin update --username none --role viewer", "account", "`russet admin list`"),
        ("trusted-issuer delete none", "trusted issuer", "`russet trusted-issuer list`"),
        ("user show none", "nobody", "console"),
        ("delivery retry 1", "delivery", "`russet delivery list`"),
    ] {
        let refusal = desk.refusal(line);
        assert!(refusal.contains(what) && refusal.contains(list), "{line}: {refusal}");
    }
}

#[test]
fn a_database_without_a_directory_is_wrong_before_anything_is_served() {
    let desk = Desk::new();
    let config = desk.path().join("russet.toml");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let elsewhere = format!("{text}[database]\nurl = \"sqlite:///nowhere/at/all/russet.db\"\n");
    std::fs::write(&config, elsewhere).expect("written");
    let checked = desk.type_in("check").expect("an answer");
    assert!(!checked.good && checked.text.contains("no directory /nowhere/at/all"), "{checked:?}");
    assert!(desk.refusal("client list").contains("see database.url"));
}

#[test]
fn a_backup_brings_back_what_was_deleted() {
    let desk = Desk::new();
    let copy = desk.path().join("copy.db");
    let copy = copy.to_str().expect("UTF-8");
    let client = desk.json("client create --kind machine --client-name Robot");
    let id = client["client_id"].as_str().expect("an id");
    assert!(desk.json(&format!("backup {copy}"))["bytes"].as_u64().expect("a size") > 0);
    desk.json(&format!("client delete {id} --yes"));
    assert!(desk.refusal(&format!("backup {copy}")).contains("exists"));
    // Refused before anybody is asked whether the database may go.
    assert!(desk.refusal("restore nowhere.db").contains("nowhere.db"));
    desk.json(&format!("restore {copy} --yes"));
    assert_eq!(desk.json(&format!("client show {id}"))["client_name"], "Robot");
}

#[test]
fn an_exported_installation_differs_in_nothing_and_an_edited_one_becomes_a_plan() {
    let desk = Desk::new();
    let file = desk.path().join("installation.toml");
    let file = file.to_str().expect("UTF-8");
    desk.json("api create --identifier https://api.example --name Orders --scope orders:read");
    desk.json(
        "client create --kind web --client-name Shop --client-id shop \
         --redirect-uri https://shop.example/cb --resource https://api.example \
         --backchannel-logout-uri https://shop.example/bye",
    );
    let secret = desk.path().join("google.secret");
    std::fs::write(&secret, "from-google\n").expect("writing");
    desk.json(&format!(
        "connection create google --preset google --client-id abc --client-secret-file {} \
         --required-claim hd=a.example",
        secret.display()
    ));
    desk.json(
        "client create --kind machine --client-name Deploy --client-id deploy \
         --grant-type urn:ietf:params:oauth:grant-type:jwt-bearer",
    );
    desk.json(
        "trusted-issuer create --client-id deploy --issuer https://token.example \
         --audience https://id.example --condition repository=a/b",
    );
    let exported = desk.type_in("config export").expect("an export").text;
    assert!(!exported.contains("secret\"") && !exported.contains("from-google"), "{exported}");
    for part in ["[[connections]]", "id = \"google\"", "[[trusted_issuers]]", "repository=a/b"] {
        assert!(exported.contains(part), "{part}: {exported}");
    }
    for _ in 0..2 {
        std::fs::write(file, &exported).expect("writing");
        assert_eq!(desk.json(&format!("config apply {file} --dry-run"))["plan"], json_array());
        assert_eq!(desk.json(&format!("config apply {file}"))["plan"], json_array());
        assert_eq!(desk.type_in("config export").expect("an export").text, exported);
    }

    let edited = exported
        .replace("https://shop.example/cb", "https://shop.example/callback")
        .replace("backchannel_logout_uri = \"https://shop.example/bye\"\n", "")
        + "\n[[clients]]\nclient_id = \"robot\"\nkind = \"machine\"\n";
    std::fs::write(file, &edited).expect("writing");
    let plan = desk.json(&format!("config apply {file} --dry-run"));
    assert_eq!(plan["plan"].as_array().expect("a plan").len(), 2, "{plan}");
    assert_eq!(
        plan["plan"][0]["changed"]["redirect_uris"]["after"][0],
        "https://shop.example/callback"
    );
    assert!(desk.json("client show shop")["redirect_uris"][0] == "https://shop.example/cb");
    let done = desk.json(&format!("config apply {file}"));
    assert_eq!(done["secrets"][0]["client_id"], "robot");
    let shop = desk.json("client show shop");
    assert_eq!(shop["redirect_uris"][0], "https://shop.example/callback");
    assert!(shop.get("backchannel_logout_uri").is_none(), "{shop}");

    std::fs::write(file, &exported).expect("writing");
    let kept = desk.json(&format!("config apply {file}"));
    assert_eq!(kept["plan"].as_array().expect("a plan").len(), 1, "{kept}");
    // Elsewhere the same document makes the same connection, with the file that holds its secret.
    let elsewhere = Desk::new();
    let named = exported
        .replace("id = \"google\"\n", "id = \"google\"\nclient_secret_file = \"google.secret\"\n");
    std::fs::write(file, &named).expect("writing");
    let made = elsewhere.json(&format!("config apply {file}"));
    assert_eq!(made["plan"][0]["kind"], "connection", "{made}");
    assert_eq!(elsewhere.type_in("config export").expect("an export").text, exported);
    assert!(elsewhere.json("connection show google")["has_client_secret"] == true);

    std::fs::write(file, &exported).expect("writing");
    let pruned = desk.json(&format!("config apply {file} --prune --yes"));
    assert_eq!(pruned["plan"][0]["act"], "delete");
    assert!(desk.refusal("client show robot").contains("no such"));
}

#[test]
fn a_document_that_says_something_impossible_changes_nothing() {
    let desk = Desk::new();
    let file = desk.path().join("installation.toml");
    let file = file.to_str().expect("UTF-8");
    let client = "[[clients]]\nclient_id = \"a\"\nkind = \"machine\"\n";
    for (document, words) in [
        (format!("{client}{client}"), "stands twice"),
        (format!("{client}backchannel_logout_url = \"https://a.example\"\n"), "is not a member"),
        (format!("{client}redirect_uris = 7\n"), "redirect_uris"),
        ("[nonsense]\n".to_owned(), "nonsense"),
    ] {
        std::fs::write(file, document).expect("writing");
        let refusal = desk.refusal(&format!("config apply {file}"));
        assert!(refusal.contains(words), "{refusal}");
    }
    assert_eq!(desk.json("client list"), json_array());
}

#[test]
fn each_member_of_a_client_and_an_api_has_its_flag() {
    use clap::CommandFactory as _;

    use crate::protocol::client_settings::{ApiSettings, ClientSettings, members};
    let cli = super::Arguments::command();
    // It is Russet that notes when a document was fetched.
    let told_only = ["client_id_metadata_fetched_at"];
    for (noun, names) in
        [("client", members::<ClientSettings>()), ("api", members::<ApiSettings>())]
    {
        let of = |verb: &str| cli.find_subcommand(noun)?.find_subcommand(verb);
        for command in [of("create"), of("update")].map(|found| found.expect("a command")) {
            let flags: Vec<_> = command.get_arguments().filter_map(|it| it.get_long()).collect();
            for name in names.iter().filter(|name| !told_only.contains(name)) {
                let whole = name.replace('_', "-");
                let one = whole.strip_suffix('s').unwrap_or(&whole);
                assert!(flags.contains(&whole.as_str()) || flags.contains(&one), "--{whole}");
            }
        }
    }
}

fn json_array() -> Value {
    Value::Array(Vec::new())
}
