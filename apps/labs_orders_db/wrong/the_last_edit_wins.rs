//! Stores the edit whatever was seen: one of two editors has worked for nothing and is not told.
//!
//! test: behaviour::an_edit_of_what_has_changed_is_refused_and_the_first_one_stands
//! verdict: an edit of an old version
//>> reprice
    const REPRICE: &str = "UPDATE products SET price = $2, version = version + 1 WHERE sku = $1";
    match db.exec(REPRICE, vec![sku.into(), price.into()]).await? {
        0 => Err(EditError::NotThere),
        _ => Ok(()),
    }
//<<
