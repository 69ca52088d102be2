//! `cargo xtask`: the command line of the maintenance tasks; the work is done in the library beside it.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Maintenance of the `dintero` crate.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Print the slice of an upstream document that the crate binds.
    Slice {
        /// A file or a URL.
        from: String,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(code) => code,
        Err(error) => {
            // One line: the causes follow each other, the outermost first.
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Slice { from } => {
            print!("{}", xtask::schema::to_text(&xtask::slice::slice(&xtask::source::load(&from)?.document)?));
        }
    }
    Ok(ExitCode::SUCCESS)
}
