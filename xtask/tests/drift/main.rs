//! The comparison of revisions, held against every rule and against odd input. What compares documents by the hundred is in
//! `xtask/thorough`.

mod agreement;
mod changelog;
mod command;
mod grouping;
mod history;
mod oracle;
mod recorded;
mod robustness;
mod rules;
