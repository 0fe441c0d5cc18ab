//! Input becomes values or field errors, also where only the database can tell.

use futures::FutureExt as _;
use pulse_core::Sku;
use pulse_data::{Changeset, DbError, FieldErrors, Sql as _, Valid, db_test};
use serde_json::{Value, json};

fn product(input: Value) -> Result<Valid<(String, Option<i64>)>, FieldErrors> {
    let mut input = Changeset::new(input);
    let name = input.required::<String>("name");
    input.length("name", name.as_deref(), 1..=5);
    let shelf = input.optional::<i64>("shelf");
    input.range("shelf", shelf, 1..=99);
    input.constraint("uq_goods_name", "name", "taken", "another product has this name");
    input.constraint("ck_goods_shelf", "shelf", "locked", "that shelf is locked");
    input.constraint("fk_goods_shelf", "shelf", "missing", "there is no such shelf");
    input.finish((name.unwrap_or_default(), shelf))
}

fn codes(errors: &FieldErrors) -> Vec<(&str, &str)> {
    errors.0.iter().map(|error| (error.field.as_str(), error.code)).collect()
}

#[test]
fn every_error_is_told_at_once() {
    let errors = product(json!({"name": "far too long", "shelf": 100, "colour": 1})).unwrap_err();
    assert_eq!(codes(&errors), [("name", "length"), ("shelf", "range"), ("colour", "unknown")]);
    assert_eq!(
        codes(&product(json!({"shelf": 1.5})).unwrap_err()),
        [("name", "required"), ("shelf", "type")]
    );
    assert_eq!(codes(&product(json!({"name": null})).unwrap_err()), [("name", "required")]);
    assert_eq!(codes(&product(json!([1])).unwrap_err()), [("", "type"), ("name", "required")]);
}

#[test]
fn a_form_sends_numbers_as_texts() {
    assert_eq!(product(json!({"name": "tin", "shelf": "7"})).unwrap().value, ("tin".to_owned(), Some(7)));
}

#[test]
fn a_type_of_the_domain_says_itself_what_is_wrong() {
    let mut input = Changeset::new(json!({"sku": "no code"}));
    let text = input.required::<String>("sku");
    let sku = input.parse::<Sku>("sku", text.as_deref());
    assert_eq!(codes(&input.finish(sku).unwrap_err()), [("sku", "format")]);
}

db_test!(what_the_database_refuses_is_an_error_of_its_field, |repo| async move {
    let schema = "CREATE TABLE shelves (id BIGINT CONSTRAINT pk_shelves PRIMARY KEY);
        INSERT INTO shelves VALUES (1), (13);
        CREATE TABLE goods (
            name TEXT NOT NULL CONSTRAINT uq_goods_name UNIQUE,
            shelf BIGINT NOT NULL CONSTRAINT ck_goods_shelf CHECK (shelf <> 13)
                CONSTRAINT fk_goods_shelf REFERENCES shelves (id)
        );
        INSERT INTO goods VALUES ('tin', 1)";
    repo.write::<(), DbError, _>(move |tx| tx.script(schema).boxed()).await.unwrap();
    for (input, field, code, constraint) in [
        (json!({"name": "tin", "shelf": 1}), "name", "taken", Some("uq_goods_name")),
        (json!({"name": "box", "shelf": 13}), "shelf", "locked", Some("ck_goods_shelf")),
        (json!({"name": "box", "shelf": 2}), "shelf", "missing", Some("fk_goods_shelf")),
        (json!({"name": "box"}), "shelf", "required", None),
    ] {
        let valid = product(input).unwrap();
        let row = valid.value.clone();
        let refused: Result<u64, DbError> = repo
            .write_with(row, |tx, (name, shelf)| {
                tx.exec("INSERT INTO goods VALUES ($1, $2)", vec![name.as_str().into(), (*shelf).into()])
                    .boxed()
            })
            .await;
        let errors = valid.refused(refused.unwrap_err()).unwrap();
        assert_eq!(codes(&errors), [(field, code)]);
        assert_eq!(errors.0[0].constraint.as_deref(), constraint);
    }
});
