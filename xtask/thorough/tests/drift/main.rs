//! The comparison of revisions, held against a second reckoning over hundreds of documents.

// What a report is held against is that of the tests beside the command.
#[path = "../../../tests/drift/agreement.rs"]
mod agreement;
mod edits;
mod equivalence;
mod history;
mod measured;
mod mutations;
#[path = "../../../tests/drift/oracle/mod.rs"]
mod oracle;
mod public;
#[path = "../../../tests/drift/recorded.rs"]
mod recorded;
