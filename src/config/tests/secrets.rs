//! Secrets in the configuration: where they may come from, and that none is printed.

use super::*;

#[test]
fn a_secret_is_set_one_way_only() {
    let place = Place::new();
    place.write("key", "x");
    let problems = place.problems(
        &format!("{MINIMAL}[secrets]\nmaster_key_file = \"key\"\n"),
        &[("RUSSET_SECRETS__MASTER_KEY", "inline-value")],
    );
    assert_eq!(
        problems,
        ["russet.toml: secrets.master_key_file: is set together with RUSSET_SECRETS__MASTER_KEY; \
          keep one of them"]
    );
}

#[test]
fn a_secret_may_come_from_a_file_that_a_variable_names() {
    let place = Place::new();
    let made = Vault::generate_master_key(&SeededEntropy::new(3));
    place.write("key", &format!("{}\n", made.expose()));
    let path = place.0.path().join("key").display().to_string();
    let config = place
        .load(MINIMAL, &[("RUSSET_SECRETS__MASTER_KEY_FILE", &path)])
        .expect("a configuration");
    assert!(config.master_keys().is_ok());
}

#[test]
fn apples_key_may_be_one_line_in_a_variable() {
    let key = p8().replace('\n', "\\n");
    let config = Place::new()
        .load(
            &format!("{MINIMAL}[apple]\nteam_id = \"ABCDE12345\"\nkey_id = \"KEY1234567\"\n"),
            &[
                ("RUSSET_APPLE__PRIVATE_KEY", &key),
                ("RUSSET_APPLE__SERVICES_ID", "com.example.web"),
            ],
        )
        .expect("a configuration");
    // It is mended where it is read (`protocol/p8.rs`), wherever it came from.
    assert_eq!(*config.apple.expect("apple").private_key.expose(), key);
}

#[test]
fn without_a_master_key_there_is_no_vault() {
    let config = Place::new().load(MINIMAL, &[]).expect("a configuration");
    let problems = config.master_keys().expect_err("no key").to_string();
    assert!(problems.contains("secrets.master_key_file: is missing"), "{problems}");
    assert!(problems.contains("RUSSET_SECRETS__MASTER_KEY_FILE"), "{problems}");
}

#[test]
fn no_secret_is_printed() {
    let toml = format!("{MINIMAL}[database]\nurl = \"postgres://u:hunter2@db/russet\"\n");
    let config = Place::new().load(&toml, &[]).expect("a configuration");
    assert!(!format!("{config:?}").contains("hunter2"));
    let problems = Place::new()
        .problems(MINIMAL, &[("RUSSET_SECRETS__MASTER_KEY", "hunter2hunter2")])
        .join("\n");
    assert!(!problems.contains("hunter2"), "{problems}");
}

#[test]
fn several_previous_master_keys_may_be_named() {
    let place = Place::new();
    let key = |seed| Vault::generate_master_key(&SeededEntropy::new(seed)).expose().clone();
    place.write("old.key", &key(8));
    place.write("older.key", &key(9));
    let count = |text: &str| {
        let config =
            place.load(&format!("{MINIMAL}[secrets]\n{text}"), &[]).expect("a configuration");
        config.secrets.previous_master_keys.len()
    };
    assert_eq!(count(""), 0);
    assert_eq!(count("previous_master_key_file = \"old.key\""), 1);
    assert_eq!(count("previous_master_key_file = [\"old.key\", \"older.key\"]"), 2);
    assert_eq!(count(&format!("previous_master_key = {:?}", key(7))), 1);
    for bad in ["previous_master_key_file = \"none.key\"", "previous_master_key = \"short\""] {
        let problems =
            place.load(&format!("{MINIMAL}[secrets]\n{bad}"), &[]).expect_err("a problem");
        assert!(problems.to_string().contains("secrets.previous_master_key"), "{problems}");
    }
}
