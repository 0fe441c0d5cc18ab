//! Ends with the number of red checks, in eight bits: 256 of them are 0.
//!
//! test: laws::the_exit_code_is_honest
//! verdict: something is red, and the exit code is
//>> code
        let red = self.results.iter().filter(|result| result.verdict.is_red()).count();
        let open = self.results.iter().any(|result| !result.verdict.is_green());
        match red.to_le_bytes()[0] {
            0 if open && red == 0 => 130,
            0 => u8::from(self.results.is_empty()),
            red => red,
        }
//<<
