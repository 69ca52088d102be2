//! What is measured from outside of the process: instructions, sizes, the time and memory of tasks.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use wait4::{ResourceUsage, Wait4 as _};

use super::Program;
use super::table::Row;

/// A server in a process of its own. It ends with its standard input.
struct Server {
    process: Child,
    base: String,
}

impl Server {
    fn start(program: &Program) -> Result<Self> {
        let mut process = program.command().arg("server").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut base = String::new();
        BufReader::new(process.stdout.take().context("no output")?).read_line(&mut base)?;
        Ok(Self { process, base: base.trim().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}

/// Counts the instructions of calls with callgrind: no other load changes them.
pub(super) fn instructions(program: &Program) -> Result<Vec<Row>> {
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("instructions are not counted: install valgrind (Debian: valgrind)");
        return Ok(Vec::new());
    }
    let server = Server::start(program)?;
    let mut rows = Vec::new();
    for (call, what) in [("get", "`get` of 25 KB, kept connection"), ("capture", "`capture`, fresh connection")] {
        for (at_once, how) in [(1, "one after another"), (64, "64 at once")] {
            // What is done once for all calls is in both counts.
            let each = |who: &str| -> Result<f64> {
                let count =
                    |calls: u64| counted(program, &[who, call, &calls.to_string(), &at_once.to_string()], &server.base);
                Ok((count(640)? - count(128)?) / 512.0 / 1000.0)
            };
            rows.push(
                Row::beside(
                    format!("instructions of {what}, {how}"),
                    "thousand",
                    each("ours")?,
                    "bare reqwest",
                    each("bare")?,
                )
                .goal(1.05),
            );
        }
    }
    Ok(rows)
}

/// The instructions of a run of the client alone.
fn counted(program: &Program, arguments: &[&str], base: &str) -> Result<f64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program.path("dintero-bench"));
    let output = command.arg("client").args(arguments).arg(base).output().context("valgrind")?;
    let told = String::from_utf8_lossy(&output.stderr);
    let count = told.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    count.filter(|_| output.status.success()).with_context(|| format!("callgrind counted nothing:\n{told}"))
}

/// The size of a small program.
pub(super) fn size(program: &Program) -> Result<Vec<Row>> {
    let folder = program.path("size");
    std::fs::create_dir_all(&folder)?;
    let stripped = |name: &str| -> Result<f64> {
        let copy = folder.join(name);
        std::fs::copy(program.path(name), &copy)?;
        let status = Command::new("strip").arg(&copy).status().context("install strip (Debian: binutils)")?;
        ensure!(status.success(), "strip failed");
        Ok(std::fs::metadata(copy)?.len() as f64 / 1e6)
    };
    Ok(vec![Row::beside(
        "size of a program of one call, release, stripped",
        "MB",
        stripped("size-ours")?,
        "bare reqwest",
        stripped("size-bare")?,
    )])
}

/// Runs a command to its end, and tells what it took.
pub(super) fn run(command: &mut Command) -> Result<(f64, ResourceUsage)> {
    let began = std::time::Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    // Read to its end, or a full pipe would hold it up.
    let told = std::io::read_to_string(child.stderr.take().context("no output")?)?;
    let used = child.wait4()?;
    // Findings are reported by 1: of `drift`, that something has moved.
    if !matches!(used.status.code(), Some(0 | 1)) {
        bail!("{command:?} failed:\n{told}");
    }
    Ok((began.elapsed().as_secs_f64(), used.rusage))
}

/// The tasks of maintenance.
pub(super) fn tasks(root: &Path, is_long: bool) -> Result<Vec<Row>> {
    let history = root.join("spec/history");
    let mut revisions: Vec<_> = std::fs::read_dir(&history)?.flatten().map(|entry| entry.path()).collect();
    revisions.sort();
    let (Some(old), Some(new)) = (revisions.first(), revisions.last()) else { bail!("there are no revisions") };
    let (old, new) = (old.display().to_string(), new.display().to_string());
    let mut tasks = vec![vec!["regen", "--check"], vec!["drift", "--from", &new, "--against", &old]];
    if is_long {
        tasks.push(vec!["timetravel"]);
    }
    let mut rows = Vec::new();
    for arguments in tasks {
        let (seconds, used) = run(Command::new(std::env::current_exe()?).args(&arguments).current_dir(root))?;
        let name = match arguments[0] {
            "regen" => "`cargo xtask regen --check`".to_owned(),
            name => format!("`cargo xtask {name}`"),
        };
        // Of the largest process that it started.
        let peak = format!("at most {:.0} MB", used.maxrss as f64 / 1024.0 / 1024.0);
        rows.push(Row::alone(name, "s", seconds, &peak));
    }
    Ok(rows)
}
