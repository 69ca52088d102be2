//! Guides: one task each, with programs that run. Documentation only; nothing of it is built into a program.

#[doc = include_str!("../docs/guides/first-payment.md")]
pub mod first_payment {}

#[doc = include_str!("../docs/guides/callbacks.md")]
pub mod callbacks {}

#[doc = include_str!("../docs/guides/unknown-outcomes.md")]
pub mod unknown_outcomes {}

#[doc = include_str!("../docs/guides/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/guides/going-live.md")]
pub mod going_live {}

#[doc = include_str!("../docs/guides/many-machines.md")]
pub mod many_machines {}

#[doc = include_str!("../docs/guides/new-revision.md")]
pub mod new_revision {}
