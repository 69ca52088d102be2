//! Real servers for tests: from Debian's packages, on loopback, in folders of their own that go with them.
#![allow(dead_code, reason = "the example `fleet` uses the rest")]

use std::io::{Write as _, stderr};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server.
pub(crate) struct Server {
    process: Child,
    folder: PathBuf,
    pub(crate) port: u16,
    interrupt: bool,
}

impl Server {
    /// Stops the server for a time, as a machine does that hangs.
    pub(crate) async fn stop(&self, time: Duration) {
        self.signal("-STOP");
        tokio::time::sleep(time).await;
        self.signal("-CONT");
    }

    /// Sends a signal to the server, and to the processes that it has started.
    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        drop(Command::new("pkill").args([signal, "-P", &id]).status());
        drop(Command::new("kill").args([signal, &id]).status());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.interrupt {
            // PostgreSQL ends its children when it is told, not when it is killed.
            drop(Command::new("kill").arg("-INT").arg(self.process.id().to_string()).status());
        } else {
            drop(self.process.kill());
        }
        drop(self.process.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("{name}-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).expect("a folder");
    folder
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port()
}

/// Says what was not tried, past the test harness, which shows what macros print only where a test fails. The gate looks
/// for it.
fn skipped(what: &str) {
    let _ = writeln!(stderr(), "skipped: {what}");
}

/// Starts Redis without persistence; none, with the reason printed, if it is not installed.
pub(crate) fn redis() -> Option<Server> {
    let (folder, port) = (folder("redis"), free_port());
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    match command.current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        Ok(process) => Some(ready(Server { process, folder, port, interrupt: false })),
        Err(_) => {
            std::fs::remove_dir_all(&folder).expect("removed");
            skipped("no redis-server (Debian: redis-server), so the Redis store was not tried");
            None
        }
    }
}

/// Starts PostgreSQL with user `postgres` and no password; none, with the reason printed, if it is not installed.
pub(crate) fn postgres() -> Option<Server> {
    let binaries = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut binaries: Vec<_> = binaries.map(|version| version.path().join("bin")).collect();
    binaries.sort();
    let Some(binaries) = binaries.pop().filter(|folder| folder.join("initdb").exists()) else {
        skipped("no PostgreSQL (Debian: postgresql), so the PostgreSQL store was not tried");
        return None;
    };
    let (folder, port) = (folder("postgres"), free_port());
    let data = folder.join("data");
    let status = as_user(&folder, &binaries.join("initdb"))
        .args(["--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"])
        .arg(&data)
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("initdb").success(), "initdb failed");
    let process = as_user(&folder, &binaries.join("postgres"))
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-c", "fsync=off", "-k"])
        .arg(&folder)
        .arg("-D")
        .arg(&data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("postgres");
    Some(ready(Server { process, folder, port, interrupt: true }))
}

/// A command as the user `postgres` where this is root, which PostgreSQL refuses to run as.
fn as_user(folder: &Path, program: &Path) -> Command {
    let id = Command::new("id").arg("-u").output().expect("id").stdout;
    if id.trim_ascii() != b"0" {
        return Command::new(program);
    }
    let status = Command::new("chown").arg("-R").arg("postgres").arg(folder).status();
    assert!(status.expect("chown").success(), "no user postgres");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
    command
}

fn ready(mut server: Server) -> Server {
    let until = Instant::now() + Duration::from_secs(120);
    while std::net::TcpStream::connect(("127.0.0.1", server.port)).is_err() {
        assert_eq!(server.process.try_wait().expect("a process"), None, "the server stopped");
        assert!(Instant::now() < until, "the server does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

/// A SQLite file that goes with this.
pub(crate) struct File(pub(crate) PathBuf);

impl File {
    pub(crate) fn new() -> Self {
        Self(std::env::temp_dir().join(format!("dintero-{}.sqlite", uuid::Uuid::new_v4())))
    }

    /// Keeps everybody else from writing for a time.
    pub(crate) async fn lock(&self, time: Duration) {
        let path = self.0.clone();
        let locked = tokio::task::spawn_blocking(move || -> rusqlite::Result<()> {
            let connection = rusqlite::Connection::open(path)?;
            connection.busy_timeout(Duration::from_secs(60))?;
            connection.execute_batch("BEGIN EXCLUSIVE")?;
            std::thread::sleep(time);
            connection.execute_batch("ROLLBACK")
        });
        locked.await.expect("no panic").expect("locked");
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            drop(std::fs::remove_file(format!("{}{suffix}", self.0.display())));
        }
    }
}

/// Connects to a store: by its file, or by the port of its server.
pub(crate) async fn store_at(kind: &str, address: &str) -> std::sync::Arc<dyn dintero::store::Store> {
    let port = || address.parse().expect("a port");
    match kind {
        "postgres" => std::sync::Arc::new(postgres_at(port()).await),
        "redis" => std::sync::Arc::new(redis_at(port()).await),
        _ => std::sync::Arc::new(sqlite_at(address).await),
    }
}

pub(crate) async fn sqlite_store(file: &File) -> dintero_stores::SqliteStore {
    sqlite_at(file.0.to_str().expect("a path")).await
}

pub(crate) async fn sqlite_at(path: &str) -> dintero_stores::SqliteStore {
    let config = deadpool_sqlite::Config::new(path);
    let pool = config.create_pool(deadpool_sqlite::Runtime::Tokio1).expect("a pool");
    let store = dintero_stores::SqliteStore::new(pool);
    store.migrate().await.expect("migrated");
    store
}

pub(crate) async fn redis_store(server: &Server) -> dintero_stores::RedisStore<redis::aio::ConnectionManager> {
    redis_at(server.port).await
}

pub(crate) async fn redis_at(port: u16) -> dintero_stores::RedisStore<redis::aio::ConnectionManager> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).expect("a client");
    dintero_stores::RedisStore::new(client.get_connection_manager().await.expect("a connection"))
}

pub(crate) async fn postgres_store(server: &Server) -> dintero_stores::PostgresStore {
    postgres_at(server.port).await
}

pub(crate) async fn postgres_at(port: u16) -> dintero_stores::PostgresStore {
    let config = format!("host=127.0.0.1 port={port} user=postgres");
    let manager = deadpool_postgres::Manager::new(config.parse().expect("settings"), tokio_postgres::NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).max_size(8).build().expect("a pool");
    let store = dintero_stores::PostgresStore::new(pool);
    // It listens before it takes connections.
    let until = Instant::now() + Duration::from_secs(60);
    while let Err(error) = store.migrate().await {
        assert!(Instant::now() < until, "{error:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    store
}

/// Deletes all data of a Redis.
pub(crate) async fn flush(server: &Server) -> redis::RedisResult<()> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", server.port))?;
    redis::cmd("FLUSHALL").query_async(&mut client.get_multiplexed_async_connection().await?).await
}
