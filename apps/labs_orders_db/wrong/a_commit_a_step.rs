//! Commits each step by itself: a failure in the second leaves the first one behind.
//!
//! test: behaviour::the_step_that_fails_is_named_and_undoes_the_others
//! verdict: the first step stands although the second failed
//>> attempt
        let at = |step| move |error: DbError| MultiError { step, error: E::from(error) };
        for (name, step) in &self.steps {
            let tx = db.begin().await.map_err(at("begin"))?;
            step(&tx, &mut state).await.map_err(|error| MultiError { step: name, error })?;
            tx.commit().await.map_err(at("commit"))?;
        }
        Ok(state)
//<<
