//! Says that the last step has failed where the commit has: whoever reads it believes that nothing was stored.
//!
//! test: behaviour::a_transaction_that_fails_blames_no_step
//! verdict: what failed behind the last step
//>> attempt
        let tx = db.begin().await.map_err(|error| MultiError { step: "begin", error: E::from(error) })?;
        let mut at = "begin";
        for (name, step) in &self.steps {
            at = name;
            step(&tx, &mut state).await.map_err(|error| MultiError { step: name, error })?;
        }
        tx.commit().await.map_err(|error| MultiError { step: at, error: E::from(error) })?;
        Ok(state)
//<<
