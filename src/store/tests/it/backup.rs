//! A copy of a database in use, and its way back.

use russet_store::backup::{BackupFault, backup, restore};
use russet_store::{Store, StoreFault};

use crate::databases::{Fresh, user};

fn file(directory: &tempfile::TempDir, name: &str) -> std::path::PathBuf {
    directory.path().join(name)
}

#[tokio::test]
async fn a_copy_holds_what_was_committed_and_goes_back_only_when_nobody_has_the_database_open() {
    let fresh = Fresh::each().await.remove(0);
    let directory = tempfile::tempdir().unwrap();
    let copy = file(&directory, "it's a copy?.db");
    let store = fresh.store().await;
    let ada = user();
    let row = ada.clone();
    store.write(move |tx| Box::pin(async move { tx.insert_user(&row).await })).await.unwrap();

    backup(&fresh.url, &copy).await.unwrap();
    assert!(matches!(backup(&fresh.url, &copy).await, Err(BackupFault::Exists(_))));
    let id = ada.id.clone();
    store.write(move |tx| Box::pin(async move { tx.delete_user(&id).await })).await.unwrap();
    // Still open here.
    assert!(matches!(restore(&fresh.url, &copy).await, Err(BackupFault::InUse)));
    drop(store);

    // The last connection closes in the background.
    let mut restored = restore(&fresh.url, &copy).await;
    for _ in 0..200 {
        if !matches!(restored, Err(BackupFault::InUse)) {
            break;
        }
        tokio::task::yield_now().await;
        restored = restore(&fresh.url, &copy).await;
    }
    restored.unwrap();
    let store = Store::connect(&fresh.url).await.unwrap();
    assert!(store.find_user(&ada.id).await.unwrap().is_some());
}

#[cfg(unix)]
#[tokio::test]
async fn a_copy_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let fresh = Fresh::each().await.remove(0);
    fresh.store().await;
    let directory = tempfile::tempdir().unwrap();
    let copy = file(&directory, "copy.db");
    backup(&fresh.url, &copy).await.unwrap();
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_is_no_sound_copy_replaces_nothing() {
    let fresh = Fresh::each().await.remove(0);
    let store = fresh.store().await;
    drop(store);
    let directory = tempfile::tempdir().unwrap();
    let junk = file(&directory, "junk.db");
    std::fs::write(&junk, "not a database, whatever its name says".repeat(100)).unwrap();
    let absent = file(&directory, "absent.db");
    for bad in [&junk, &absent] {
        let refused = restore(&fresh.url, bad).await;
        assert!(matches!(refused, Err(BackupFault::Unsound { .. })), "{refused:?}");
    }

    let newer = file(&directory, "newer.db");
    backup(&fresh.url, &newer).await.unwrap();
    let url = format!("sqlite://{}", newer.display());
    let db = sea_orm::Database::connect(&url).await.unwrap();
    sea_orm::ConnectionTrait::execute_unprepared(
        &db,
        "INSERT INTO seaql_migrations VALUES ('m9999_future', 0)",
    )
    .await
    .unwrap();
    db.close().await.unwrap();
    let refused = restore(&fresh.url, &newer).await;
    assert!(
        matches!(refused, Err(BackupFault::Store(StoreFault::NewerSchema { .. }))),
        "{refused:?}"
    );
    assert!(matches!(backup("postgres://db/x", &absent).await, Err(BackupFault::NotSqlite)));
}
