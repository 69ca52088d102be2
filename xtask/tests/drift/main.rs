//! The comparison of revisions, held against a second reckoning, against every rule, and against odd input.

mod agreement;
mod changelog;
mod command;
mod edits;
mod equivalence;
mod grouping;
mod history;
mod measured;
mod mutations;
mod oracle;
mod public;
mod robustness;
mod rules;
