//! Each source's file, with what is odd in it.

use proptest::prelude::*;

use super::*;

fn read(source: Source, text: &str) -> Contents {
    Contents::read(source, text).unwrap()
}

fn subjects(found: &Contents) -> Vec<&str> {
    found.people.iter().map(|person| person.subject.as_str()).collect()
}

fn lines(remarks: &[Remark]) -> Vec<u64> {
    remarks.iter().map(|remark| remark.line).collect()
}

#[test]
fn firebases_export_names_apples_sub_raw_id() {
    let file = r#"{"users": [
  {"localId": "a", "email": "ada@example.com", "emailVerified": true, "displayName": "Ada Lovelace",
   "providerUserInfo": [
     {"providerId": "google.com", "rawId": "1234"},
     {"providerId": "apple.com", "rawId": "001234.ada.0815", "email": "ada@example.com"}]},
  {"localId": "b", "email": "b@example.com", "passwordHash": "x", "providerUserInfo": []},
  {"localId": "c", "email": "c@example.com", "emailVerified": true,
   "providerUserInfo": [{"providerId": "apple.com", "rawId": "001234.c.0815",
     "email": "x1@privaterelay.appleid.com"}]},
  {"localId": "d", "providerUserInfo": [{"providerId": "apple.com"}]}
]}"#;
    let found = read(Source::Firebase, file);
    assert_eq!(subjects(&found), ["001234.ada.0815", "001234.c.0815"]);
    let [ada, relayed] = found.people.as_slice() else { panic!("two people") };
    assert_eq!((ada.line, ada.email_verified), (2, true));
    assert_eq!(ada.name.as_deref(), Some("Ada Lovelace"));
    assert!(relayed.is_relayed() && !relayed.email_verified, "another address was verified");
    assert_eq!(found.others, 1);
    assert_eq!(lines(&found.unusable), [10]);
}

#[test]
fn auth0s_export_has_a_user_on_each_line() {
    let file = concat!(
        r#"{"user_id":"apple|001234.ada.0815","email":"ada@example.com","email_verified":true,"#,
        r#""given_name":"Ada","family_name":"Lovelace","#,
        r#""identities":[{"provider":"apple","user_id":"001234.ada.0815","isSocial":true}]}"#,
        "\n\n",
        r#"{"user_id":"auth0|5f","email":"b@example.com","identities":[{"provider":"auth0"}]}"#,
        "\n",
        r#"{"user_id":"apple|001234.c.0815"}"#,
        "\n{broken\n",
        r#"{"user_id":"google-oauth2|7","identities":[{"provider":"google-oauth2","user_id":"7"},"#,
        r#"{"provider":"apple","user_id":"apple|001234.d.0815"}]}"#,
        "\n"
    );
    let found = read(Source::Auth0, file);
    assert_eq!(subjects(&found), ["001234.ada.0815", "001234.c.0815", "001234.d.0815"]);
    assert_eq!(found.people[0].name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(found.people.iter().map(|person| person.line).collect::<Vec<_>>(), [1, 4, 6]);
    assert_eq!(found.others, 1);
    assert_eq!(lines(&found.unusable), [5]);
}

#[test]
fn supabases_tables_are_read_as_csv_and_as_json() {
    let identities = "id,user_id,provider_id,provider,identity_data,email\n\
        1,u1,001234.ada.0815,apple,\"{\"\"sub\"\": \"\"001234.ada.0815\"\", \"\"email\"\": \
        \"\"ada@example.com\"\", \"\"email_verified\"\": true, \"\"full_name\"\": \"\"Ada\"\"}\",\
        ada@example.com\n\
        2,u2,55,google,\"{\"\"sub\"\": \"\"55\"\"}\",b@example.com\n\
        3,u3,001234.c.0815,apple,{},\n\
        4,u4\n\
        5,u5,,apple,not json,\n";
    let found = read(Source::Supabase, identities);
    assert_eq!(subjects(&found), ["001234.ada.0815", "001234.c.0815"]);
    assert!(found.people[0].email_verified);
    assert_eq!(found.others, 1);
    assert_eq!(lines(&found.unusable), [5, 6]);

    let as_json = r#"[
 {"provider":"apple","provider_id":"s1","identity_data":{"sub":"s1","email_verified":"true",
  "email":"a@example.com"}},
 {"id":"u","email":"b@example.com","identities":[{"provider":"google","identity_data":{}},
  {"provider":"apple","identity_data":{"sub":"s2"}}]},
 {"id":"u","email":"c@example.com","email_confirmed_at":"2024-01-01",
  "raw_app_meta_data":{"provider":"apple","providers":["apple"]},
  "raw_user_meta_data":{"iss":"https://appleid.apple.com","sub":"s3","full_name":"C"}},
 {"id":"u","raw_app_meta_data":{"provider":"apple"},
  "raw_user_meta_data":{"iss":"https://accounts.google.com","sub":"not-apples"}},
 {"id":"u","raw_app_meta_data":{"provider":"email"},"raw_user_meta_data":{}}
]"#;
    let found = read(Source::Supabase, as_json);
    assert_eq!(subjects(&found), ["s1", "s2", "s3"]);
    assert!(found.people[0].email_verified && found.people[2].email_verified);
    assert_eq!(found.others, 2, "another provider's sub is never taken for Apple's");
}

#[test]
fn the_plain_table_says_which_lines_it_could_not_use() {
    let file = "sub,email,email_verified,name,given_name,family_name\n\
        s1,ada@example.com,true,Ada Lovelace,Ada,Lovelace\n\
        ,nobody@example.com,true,,,\n\
        s2,\"not an address\",true,,Grace,\n\
        s3,only,two\n\
        a b,x@example.com,,,,\n";
    let found = read(Source::Csv, file);
    assert_eq!(subjects(&found), ["s1", "s2"]);
    assert_eq!(found.people[1].email, None);
    assert!(!found.people[1].email_verified);
    assert_eq!(found.people[1].name.as_deref(), Some("Grace"));
    assert_eq!(lines(&found.unusable), [3, 5, 6]);
    let fewer = read(Source::Csv, "\u{feff}email,sub\nada@example.com,s1\n");
    assert_eq!(subjects(&fewer), ["s1"]);
}

#[test]
fn who_stands_there_twice_is_brought_once_or_not_at_all() {
    let found = read(Source::Csv, "sub,name\ns1,Ada\ns2,Bea\ns1,Ada\ns2,Eve\ns3,Cy\ns2,Bea\n");
    assert_eq!(subjects(&found), ["s1", "s3"]);
    assert_eq!(lines(&found.conflicting), [5]);
    assert!(found.conflicting[0].message.contains("line 3"), "{found:?}");
}

#[test]
fn a_line_that_breaks_off_costs_itself_alone_and_is_told() {
    let file = "{\"user_id\":\"apple|s1\"}\n{\"user_id\":\"apple|s2\",\"ema";
    let found = read(Source::Auth0, file);
    assert_eq!(subjects(&found), ["s1"]);
    assert!(found.unusable[0].message.contains("is the file whole"), "{found:?}");
    let pretty = "{\n  \"user_id\": \"apple|s1\"\n}\n";
    assert_eq!(subjects(&read(Source::Auth0, pretty)), ["s1"], "one person, prettily");
    let found = read(Source::Csv, "sub,name,email\ns1,Ada,ada@example.com\ns2,\"Gra");
    assert_eq!((subjects(&found), lines(&found.unusable)), (vec!["s1"], vec![3]));
}

#[test]
fn a_file_of_another_kind_is_refused_whole() {
    for (source, text, says) in [
        (Source::Csv, "subject,email\n", "header"),
        (Source::Csv, "sub,password\n", "\"password\" is no column"),
        (Source::Csv, "", "header"),
        (Source::Firebase, "localId,email\n", "auth:export"),
        (Source::Firebase, "[{\"localId\":", "breaks off in line 1"),
        (
            Source::Firebase,
            "{\"users\": [\n  {\"localId\": \"a\"},\n  {\"loc",
            "breaks off in line 3",
        ),
        (Source::Firebase, "{\"users\": [\n  {\"localId\" \"a\"}\n]}", "line 2, column 14"),
        (Source::Auth0, "[\n{\"user_id\":\"apple|s1\"},\n", "breaks off in line 3"),
        (Source::Auth0, "{\"user_id\":\"apple|s", "breaks off in line 1"),
        (Source::Auth0, "", "breaks off"),
        (Source::Supabase, "[{\"provider\":\"apple\"}", "breaks off in line 1"),
        (Source::Supabase, "{\n \"provider\":\"apple\",", "breaks off in line 2"),
        (Source::Supabase, "", "identity_data"),
        (Source::Auth0, "a,b\n", "not JSON"),
        (Source::Auth0, "\u{1f}\u{8b}", "gunzip"),
        (Source::Supabase, "id,email\n1,2\n", "identity_data"),
    ] {
        let refused = Contents::read(source, text).unwrap_err();
        assert!(refused.contains(says), "{source:?}: {refused}");
    }
}

proptest! {
    #[test]
    fn whatever_a_file_holds_is_read_or_refused(text in "[\\PC\n]{0,200}") {
        for source in [Source::Firebase, Source::Auth0, Source::Supabase, Source::Csv] {
            if let Ok(found) = Contents::read(source, &text) {
                for person in found.people {
                    prop_assert!((1..=LONGEST_SUB).contains(&person.subject.len()));
                }
            }
        }
    }
}
