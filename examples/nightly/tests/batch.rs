//! The batch against the sandbox: killed at any moment, and asked by the service to wait.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use dintero::{Client, Pace};
use dintero_example_nightly::{Batch, Order, demo, journal};
use dintero_sandbox::{Fault, Operation, Sandbox};
use indicatif::ProgressBar;
use tokio::process::Command;

/// Orders that are paid and not captured.
fn orders(sandbox: &Sandbox, count: usize) -> Vec<Order> {
    let prefix = sandbox.seed_transactions(count);
    let order = |number: usize| Order {
        id: format!("{prefix}{number:09}").parse().unwrap(),
        amount: 1000 + i64::try_from(number).unwrap(),
        reference: format!("order-{number}"),
    };
    (0..count).map(order).collect()
}

fn assert_each_captured_once(sandbox: &Sandbox, orders: &[Order]) {
    for order in orders {
        assert_eq!(sandbox.executions_of(&order.reference).len(), 1, "{}", order.reference);
        assert_eq!(sandbox.sums(order.id.as_str()), Some((order.amount, 0)), "{}", order.reference);
    }
    assert_eq!(sandbox.executed(Operation::CaptureTransaction), orders.len() as u64);
}

/// The program, with an account that is the sandbox.
fn program(sandbox: &Sandbox, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nightly"));
    command
        .env("DINTERO_ACCOUNT_ID", sandbox.account_id())
        .env("DINTERO_CLIENT_ID", sandbox.client_id())
        .env("DINTERO_CLIENT_SECRET", sandbox.client_secret())
        .env("DINTERO_BASE_URL", sandbox.base_url())
        .env("DINTERO_AUTH_URL", sandbox.auth_url())
        .args(["--at-once", "8", "--timeout", "5", "--settle", "1", "--folder"])
        .arg(folder)
        .arg("--list")
        .arg(folder.join("list.csv"))
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// The batch in this process, with its journal in a folder.
async fn batch(sandbox: &Sandbox, folder: &Path, pace: &Pace, at_once: usize) -> Batch {
    let client = Client::builder(demo::credentials(sandbox).unwrap())
        .base_url(sandbox.base_url())
        .auth_url(sandbox.auth_url())
        .pace(pace.clone())
        .journal(journal(&folder.join("journal.sqlite")).await.unwrap())
        // What became of a capture that met a 429 is known when its time is up.
        .timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    Batch::new(client, pace.clone(), at_once).settle(Duration::from_secs(1))
}

#[tokio::test]
async fn killed_again_and_again_it_captures_each_order_exactly_once() {
    // Killed when the capture with one of these numbers arrives, or the first after it that finds the process alive;
    // every other one is carried out all the same.
    const KILLS: [usize; 4] = [3, 11, 12, 40];
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start().await.unwrap();
    let orders = orders(&sandbox, 60);
    std::fs::write(folder.path().join("list.csv"), orders.iter().map(Order::line).collect::<String>()).unwrap();
    let process = Arc::new(AtomicU32::new(0));
    let (victim, mut arrived, mut kills) = (process.clone(), 0, 0);
    sandbox.inject_with(move |request| {
        if request.operation() != Some(Operation::CaptureTransaction) {
            return None;
        }
        arrived += 1;
        if arrived < *KILLS.get(kills)? {
            return None;
        }
        // Zero: this was under way when its process was killed.
        let victim = victim.swap(0, Ordering::SeqCst);
        if victim == 0 {
            return None;
        }
        kills += 1;
        assert!(std::process::Command::new("kill").args(["-9", &victim.to_string()]).status().unwrap().success());
        (kills % 2 == 1).then(Fault::reset_unread)
    });

    let mut killed = 0;
    let last = loop {
        let child = program(&sandbox, folder.path()).spawn().unwrap();
        process.store(child.id().unwrap(), Ordering::SeqCst);
        let output = child.wait_with_output().await.unwrap();
        match output.status.signal() {
            Some(9) => killed += 1,
            _ => break output,
        }
    };
    let told = String::from_utf8(last.stdout).unwrap();
    assert!(last.status.success(), "{told}");
    assert_eq!(killed, KILLS.len());
    assert_each_captured_once(&sandbox, &orders);

    // All has ended: another run asks the service for nothing.
    let before = sandbox.requests().len();
    let output = program(&sandbox, folder.path()).output().await.unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told, "captured 0, ended before 60, refused 0, left 0\n");
    assert_eq!(sandbox.requests().len(), before);
}

#[tokio::test]
async fn one_429_pauses_all_and_all_go_on_after_it() {
    const AT_ONCE: usize = 5;
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start().await.unwrap();
    let orders = orders(&sandbox, 30);
    let (requests, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(usize::MAX)));
    let (counted, noted) = (requests.clone(), seen.clone());
    let mut captures = 0;
    sandbox.inject_with(move |request| {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        captures += usize::from(request.operation() == Some(Operation::CaptureTransaction));
        if captures != 4 || noted.load(Ordering::SeqCst) != usize::MAX {
            return None;
        }
        noted.store(number, Ordering::SeqCst);
        Some(Fault::too_many_requests(Duration::from_secs(3)))
    });
    let pace = Pace::unlimited();
    let batch = batch(&sandbox, folder.path(), &pace, AT_ONCE).await;
    let listed = orders.clone();
    let run = tokio::spawn(async move { batch.run(&listed, &ProgressBar::hidden()).await });

    while pace.paused_for().is_none() {
        tokio::task::yield_now().await;
    }
    let mut looks = 0;
    loop {
        let after = requests.load(Ordering::SeqCst) - 1 - seen.load(Ordering::SeqCst);
        if pace.paused_for().is_none() {
            break;
        }
        // Counted while the pause lasts, however long this took.
        assert!(after < AT_ONCE, "{after} requests came after the 429: more than were on their way");
        looks += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(looks > 0);
    let summary = run.await.unwrap().unwrap();
    assert_eq!((summary.captured, summary.refused.len(), summary.left.len()), (30, 0, 0), "{summary:?}");
    assert_each_captured_once(&sandbox, &orders);
}

#[tokio::test]
async fn without_an_account_it_runs_in_the_sandbox_and_knows_later_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    for told in ["captured 12, ended before 0, refused 0, left 0", "captured 0, ended before 12, refused 0, left 0"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightly"));
        for name in ["DINTERO_ACCOUNT_ID", "DINTERO_CLIENT_ID", "DINTERO_CLIENT_SECRET"] {
            command.env_remove(name);
        }
        let output = command.args(["--orders", "12", "--folder"]).arg(folder.path()).output().await.unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output, format!("{told}\nat the sandbox: captured exactly once 12, otherwise 0, not at all 0\n"));
    }
}

#[tokio::test]
async fn an_order_that_the_service_refuses_is_told_and_not_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start().await.unwrap();
    let mut orders = orders(&sandbox, 3);
    orders[1].amount += 1;
    std::fs::write(folder.path().join("list.csv"), orders.iter().map(Order::line).collect::<String>()).unwrap();
    for told in ["captured 2, ended before 0, refused 1, left 0", "captured 0, ended before 2, refused 1, left 0"] {
        let output = program(&sandbox, folder.path()).output().await.unwrap();
        let output = (output.status.success(), String::from_utf8(output.stdout).unwrap());
        assert!(!output.0 && output.1.contains("refused: order-1: ") && output.1.contains(told), "{output:?}");
        assert_eq!(sandbox.received(Operation::CaptureTransaction), 3);
    }
}

#[tokio::test]
async fn what_would_stop_every_order_ends_the_run_and_no_order() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start().await.unwrap();
    let orders = orders(&sandbox, 3);
    let batch = batch(&sandbox, folder.path(), &Pace::unlimited(), 1).await;
    sandbox.inject_always(Operation::CaptureTransaction, Fault::status(403));
    let error = batch.run(&orders, &ProgressBar::hidden()).await.unwrap_err();
    assert!(error.to_string().contains("403"), "{error}");
    assert_eq!(sandbox.received(Operation::CaptureTransaction), 1);
    sandbox.clear_faults();
    let summary = batch.run(&orders, &ProgressBar::hidden()).await.unwrap();
    assert_eq!((summary.captured, summary.refused.len(), summary.left.len()), (3, 0, 0), "{summary:?}");
    assert_each_captured_once(&sandbox, &orders);
}

#[tokio::test]
async fn an_order_that_cannot_be_looked_at_is_left_to_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start().await.unwrap();
    let orders = orders(&sandbox, 3);
    let batch = batch(&sandbox, folder.path(), &Pace::unlimited(), 2).await;
    let hidden = orders[1].id.to_string();
    sandbox.inject_with(move |request| request.path().ends_with(&hidden).then(Fault::garbage));
    let summary = batch.run(&orders, &ProgressBar::hidden()).await.unwrap();
    assert_eq!((summary.captured, summary.refused.len(), summary.left.len()), (2, 0, 1), "{summary:?}");
    assert_eq!(summary.left[0].0, "order-1");
    sandbox.clear_faults();
    let summary = batch.run(&orders, &ProgressBar::hidden()).await.unwrap();
    assert_eq!((summary.captured, summary.before, summary.left.len()), (1, 2, 0), "{summary:?}");
    assert_each_captured_once(&sandbox, &orders);
}
