//! Runs the steps behind one that failed: what they do on the way is not all in the database.
//!
//! test: behaviour::the_step_that_fails_is_named_and_undoes_the_others
//! verdict: runs of the step behind the one that failed
//>> attempt
        let at = |step| move |error: DbError| MultiError { step, error: E::from(error) };
        let tx = db.begin().await.map_err(at("begin"))?;
        let mut failed = None;
        for (name, step) in &self.steps {
            if let Err(error) = step(&tx, &mut state).await { failed = failed.or(Some(MultiError { step: name, error })); }
        }
        if let Some(failed) = failed { return Err(failed); }
        tx.commit().await.map_err(at("commit"))?;
        Ok(state)
//<<
