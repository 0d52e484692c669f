//! Migrations: once, by one, never backwards, alike on both engines.

use russet_store::{Store, StoreFault};
use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};

use crate::databases::Fresh;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_may_migrate_at_once() {
    for fresh in Fresh::each().await {
        let (one, two) = (Store::connect(&fresh.url).await, Store::connect(&fresh.url).await);
        let (one, two) = (one.unwrap(), two.unwrap());
        assert!(one.migration_status().await.unwrap().iter().all(|status| !status.applied));
        let (first, second) = tokio::join!(one.migrate(), two.migrate());
        first.unwrap();
        second.unwrap();
        assert!(two.migration_status().await.unwrap().iter().all(|status| status.applied));
        one.migrate().await.unwrap();
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    for fresh in Fresh::each().await {
        let store = fresh.store().await;
        let db = Database::connect(&fresh.url).await.unwrap();
        db.execute_unprepared("INSERT INTO seaql_migrations VALUES ('m9999_future', 0)")
            .await
            .unwrap();
        let refused = store.migrate().await;
        assert!(
            matches!(&refused, Err(StoreFault::NewerSchema { found }) if found == "m9999_future"),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn both_engines_have_the_same_columns() {
    let mut schemas = Vec::new();
    for fresh in Fresh::each().await {
        fresh.store().await;
        let db = Database::connect(&fresh.url).await.unwrap();
        let sql = if db.get_database_backend() == DbBackend::Sqlite {
            "SELECT m.name AS t, c.name AS c, CAST(c.\"notnull\" AS TEXT) AS n \
                 FROM sqlite_master m, pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, c.cid"
        } else {
            "SELECT table_name::text AS t, column_name::text AS c, \
                 CASE is_nullable WHEN 'NO' THEN '1' ELSE '0' END AS n \
                 FROM information_schema.columns WHERE table_schema = 'public' \
                 ORDER BY 1, ordinal_position"
        };
        let rows =
            db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        let text = |row: &sea_orm::QueryResult, name| row.try_get::<String>("", name).unwrap();
        let columns: Vec<_> =
            rows.iter().map(|row| (text(row, "t"), text(row, "c"), text(row, "n"))).collect();
        assert!(columns.len() > 100, "only {} columns", columns.len());
        schemas.push(columns);
    }
    assert!(schemas.windows(2).all(|pair| pair[0] == pair[1]), "{schemas:#?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_sqlite_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("russet.db");
    let store = Store::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    store.migrate().await.unwrap();
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_url_that_names_no_database_is_refused() {
    for url in ["", "mysql://h/d", "sqlite::memory:", "postgres://u:secret@[/d"] {
        let fault = Store::connect(url).await.err().unwrap();
        assert!(matches!(fault, StoreFault::BadUrl(_)), "{url}: {fault}");
        assert!(!fault.to_string().contains("secret"));
    }
}
