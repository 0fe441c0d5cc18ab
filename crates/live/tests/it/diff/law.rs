//! Merged by this crate's port of the client's rules, every message gives the page.

use live::merge::Client;
use live::{Extras, Frame, Shadow};
use proptest::prelude::*;

use super::world::World;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_merged_diff_equals_a_full_render(seed: u64, steps in 1_usize..9) {
        let mut world = World::new(seed);
        let mut shadow = Shadow::default();
        let mut client: Option<Client> = None;
        for at in 0..=steps {
            let step = world.step();
            shadow.forget(&step.destroyed);
            let mut out = Vec::new();
            let frame = Frame { root: step.view.as_ref(), components: &step.components };
            let changed = shadow.diff(&frame, &Extras::default(), &mut out);
            let message = String::from_utf8(out).unwrap();
            prop_assert_eq!(changed, message != "{}");
            match &mut client {
                None => client = Some(Client::join(&message).map_err(|e| TestCaseError::fail(format!("{e}: {message}")))?),
                Some(client) => {
                    client.forget(&step.destroyed);
                    client.merge(&message).map_err(|e| TestCaseError::fail(format!("{e}: {message}")))?;
                }
            }
            let shown = client.as_ref().map(Client::html);
            prop_assert_eq!(shown, Some(step.html.as_str()), "step {}: {}", at, message);
        }
    }
}
