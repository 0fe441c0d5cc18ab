//! Moves the order on from wherever it is: two who press "Pack" ship it.
//!
//! test: behaviour::a_button_that_somebody_else_has_pressed_says_so
//! verdict: nothing on the page matches "#messages .error"
//>> advance
        match now.next() {
            Some(status) => Ok(self.write(Order { status, ..order.clone() })),
            None => Err(Refused::Moved { no, from, now }),
        }
//<<
