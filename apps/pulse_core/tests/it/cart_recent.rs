//! The memory of accepted commands.

use proptest::prelude::*;
use pulse_core::cart::Recent;
use pulse_core::{CommandId, Version};

proptest! {
    #[test]
    fn it_keeps_the_last_ids_each_with_its_first_version(ids in proptest::collection::vec(0..80_u64, 0..200)) {
        let mut recent = Recent::default();
        // What a list without a bound would hold, a repeat of a remembered id left out.
        let mut model: Vec<(CommandId, Version)> = Vec::new();
        for (at, id) in (1..).zip(ids) {
            recent.remember(CommandId(id), Version(at));
            let kept = model.len().saturating_sub(Recent::KEPT);
            if model[kept..].iter().all(|(known, _)| *known != CommandId(id)) {
                model.push((CommandId(id), Version(at)));
            }
            let kept = model.len().saturating_sub(Recent::KEPT);
            prop_assert_eq!(recent.iter().collect::<Vec<_>>(), &model[kept..]);
        }
        for (id, version) in recent.iter() {
            prop_assert_eq!(recent.find(id), Some(version));
        }
        prop_assert_eq!(recent.iter().collect::<Recent>(), recent);
    }
}
