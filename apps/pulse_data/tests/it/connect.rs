//! A database that can't be opened is refused in one line that says what to do.

use pulse_data::testing::Database;
use pulse_data::{Backend, Repo, RepoError, RepoOptions};

async fn refusal(url: &str) -> RepoError {
    let error = Repo::connect(url, RepoOptions::default()).await.unwrap_err();
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
    error
}

#[tokio::test]
async fn a_wrong_url_says_which_ones_are_right() {
    for url in
        ["", "shop.db", "mysql://localhost/shop", "sqlite://", "sqlite::memory:", "postgres://host:port/shop"]
    {
        let error = refusal(url).await;
        assert!(matches!(error, RepoError::Url { .. }), "{url}: {error:?}");
        assert!(error.to_string().contains("sqlite://PATH"), "{error}");
    }
}

#[tokio::test]
async fn a_password_is_never_shown() {
    let error = refusal("postgres://shop:sesame@127.0.0.1:port/shop").await;
    assert!(!format!("{error} {error:?}").contains("sesame"), "{error:?}");
    let error = refusal("postgres://shop:sesame@127.0.0.1:1/shop").await;
    assert!(!format!("{error} {error:?}").contains("sesame"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let error = refusal("postgres://shop@127.0.0.1:1/shop").await;
    assert!(matches!(error, RepoError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("is the server running"), "{error}");
}

#[tokio::test]
async fn a_database_that_is_not_there() {
    let database = Database::create(Backend::Postgres).await;
    let url = format!("{}_nowhere", database.url());
    let error = refusal(&url).await;
    assert!(matches!(error, RepoError::Refused { .. }) && error.to_string().contains("create it"), "{error}");
    database.drop().await;
}

#[tokio::test]
async fn a_folder_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let error = refusal(&format!("sqlite://{}/missing/shop.db", folder.path().display())).await;
    assert!(error.to_string().contains("there is no folder"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    std::fs::write(&path, "a shopping list, and long enough to be read as a header of a page".repeat(100))
        .unwrap();
    let error = refusal(&format!("sqlite://{}", path.display())).await;
    assert!(
        matches!(error, RepoError::Refused { .. }) && error.to_string().contains("no SQLite database"),
        "{error}"
    );
}

#[tokio::test]
async fn a_database_that_may_only_be_read() {
    let database = Database::create(Backend::Sqlite).await;
    let error = refusal(&format!("{}?mode=ro", database.url())).await;
    assert!(
        matches!(error, RepoError::ReadOnly { .. }) && error.to_string().contains("writable"),
        "{error:?}"
    );
    database.drop().await;
}

#[tokio::test]
async fn a_server_that_may_only_be_read() {
    let database = Database::create(Backend::Postgres).await;
    let error = refusal(&format!("{}?options=-c%20default_transaction_read_only%3Don", database.url())).await;
    assert!(matches!(error, RepoError::ReadOnly { .. }), "{error:?}");
    database.drop().await;
}
