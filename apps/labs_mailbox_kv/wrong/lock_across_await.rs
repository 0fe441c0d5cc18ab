//! Takes turns by a lock that is held while the answer is awaited.
//!
//! test: behaviour::a_slow_answer_holds_up_no_other_call
//! verdict: a call waited for another one's answer
//>> call
        static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let ask = async {
            let _mine = TURN.lock().await;
            let (reply, answer) = Reply::channel();
            self.try_send(message(reply)).map_err(|refused| match refused {
                Refused::Full(_) => CallError::Overloaded,
                Refused::Closed(_) => CallError::NoProc,
            })?;
            answer.await.map_err(|_| CallError::Died)
        };
        timeout(patience, ask).await.unwrap_or(Err(CallError::Timeout))
//<<
