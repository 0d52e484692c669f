//! Console accounts, their sessions, and people.

use super::*;

#[tokio::test]
async fn a_console_session_has_two_limits() {
    on_both(async |house| {
        let admin = &house.admin;
        let username = house.name("owner");
        let password = SecretString::from("a long enough password");
        let new = NewAdmin {
            username: username.clone(),
            role: Role::Owner,
            password: Some(password.clone()),
        };
        admin.create_admin(&Actor::cli(), new).await.expect("an account");
        let attempt = async |username: &str, password: SecretString| match admin
            .sign_in(username, password, None, None)
            .await
            .expect("no fault")
        {
            SignIn::Open(session) => Some(session),
            SignIn::Refused => None,
            SignIn::SecondStep(_) => panic!("there is no second factor"),
        };
        let sign_in = async || attempt(&username, password.clone()).await;

        assert!(attempt(&username, "wrong".into()).await.is_none());
        assert!(attempt("nobody", password.clone()).await.is_none());

        let first = sign_in().await.expect("a session");
        let second = sign_in().await.expect("a session");
        assert_ne!(first.cookie.expose(), second.cookie.expose(), "each sign-in is a new session");

        let cookie = second.cookie.expose();
        let is_good = async |cookie: &str| {
            admin.find_console_session(cookie).await.expect("no fault").is_some()
        };
        for _ in 0..20 {
            house.clock.advance(CONSOLE_IDLE - Duration::from_secs(1));
            assert!(is_good(cookie).await, "use moves the idle limit");
        }
        assert!(!is_good(first.cookie.expose()).await, "idle for too long");
        house.clock.advance(CONSOLE_IDLE);
        assert!(!is_good(cookie).await);

        let third = sign_in().await.expect("a session");
        let mut left = CONSOLE_LIFE;
        while left > Duration::ZERO {
            let step = left.min(Duration::from_secs(600));
            house.clock.advance(step);
            left -= step;
            assert_eq!(is_good(third.cookie.expose()).await, left > Duration::ZERO);
        }

        let fourth = sign_in().await.expect("a session");
        admin.sign_out(fourth.cookie.expose()).await.expect("no fault");
        assert!(!is_good(fourth.cookie.expose()).await);

        let fifth = sign_in().await.expect("a session");
        let other = SecretString::from("another long password");
        admin.reset_admin_password(&Actor::cli(), &username, other).await.expect("a reset");
        assert!(!is_good(fifth.cookie.expose()).await, "a new password ends every session");
        assert!(sign_in().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_form_token_belongs_to_one_session() {
    let admin = House::on(None).await.admin;
    let token = admin.csrf_token("cookie");
    assert!(admin.is_csrf_token("cookie", &token));
    assert!(!admin.is_csrf_token("other", &token));
    assert!(!admin.is_csrf_token("cookie", ""));
    assert_ne!(token, admin.vault.hash("cookie").to_text(), "the database does not hold it");
}

#[tokio::test]
async fn a_weak_password_or_taken_username_makes_no_account() {
    on_both(async |house| {
        let create = async |username: &str, password: &str| {
            let new = NewAdmin {
                username: username.to_owned(),
                role: Role::Viewer,
                password: Some(password.into()),
            };
            house.admin.create_admin(&Actor::cli(), new).await
        };
        let name = house.name("ann");
        assert_eq!(fields(create("a b", "short").await.unwrap_err()), ["username", "password"]);
        create(&name, "a long enough password").await.expect("an account");
        let again = create(&name, "a long enough password").await;
        assert_eq!(fields(again.unwrap_err()), ["username"]);
    })
    .await;
}

#[tokio::test]
async fn a_person_is_found_by_sub_or_id_switched_off_exported_and_deleted() {
    on_both(async |house| {
        let admin = &house.admin;
        let (id, sub) = (house.name("id"), house.name("sub"));
        let now = house.clock.now();
        let user = User {
            name: Some("Alice".to_owned()),
            ..User::new(UserId::new(id.clone()), sub.clone(), now)
        };
        let insert = user.clone();
        admin
            .store
            .write(move |tx| Box::pin(async move { tx.insert_user(&insert).await }))
            .await
            .expect("a user");
        assert_eq!(admin.find_person(&id).await.expect("by id").user, user);
        assert_eq!(admin.find_person(&sub).await.expect("by sub").user, user);
        let off =
            admin.set_user_disabled(&Actor::cli(), &sub, true, None).await.expect("switching");
        assert_eq!(off.disabled_at, Some(now));
        let export = admin.export_user(&Actor::cli(), &sub).await.expect("an export");
        assert_eq!(export["name"], "Alice");
        admin.delete_user(&Actor::cli(), &sub).await.expect("deleting");
        // The rest is the saga's (`op/deletion`): a person on the way out is off at once.
        assert!(admin.find_person(&id).await.expect("by id").user.disabled_at.is_some());
        assert_eq!(house.events(&id).await.last().map(String::as_str), Some("user.deletion_begun"));
    })
    .await;
}
