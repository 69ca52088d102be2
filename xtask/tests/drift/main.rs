//! The comparison of revisions, held against a second reckoning, against every rule, and against odd input.

mod edits;
mod history;
mod mutations;
mod oracle;
