//! The store in Redis or Valkey, one hash per record; every step is a script, so it is one step for everybody.

use std::fmt;

use dintero::store::{Change, Changed, Record, Store, StoreError, StoreFuture};
use redis::aio::ConnectionLike;
use redis::{RedisError, Script, ScriptInvocation};

use crate::{millis, remaining};

/// The time in microseconds, and a record if it is there. Fences are compared as text.
const COMMON: &str = r"
local t = redis.call('TIME')
local micros = tonumber(t[1]) * 1000000 + tonumber(t[2])
local now = math.floor(micros / 1000)
local r = redis.call('HMGET', KEYS[1], 'fence', 'done', 'until', 'data')
local there = r[1] and not (r[2] == '1' and tonumber(r[3]) <= now)
local function found()
  if not there then return {} end
  return {r[1], r[2], string.format('%.0f', tonumber(r[3]) - now), r[4]}
end
";

const LOAD: &str = "return found()";

/// A fence is the time or one more than the last, whichever is larger: it grows although the last one may be lost with
/// the data.
const CHANGE: &str = r"
if (there and r[1] or '') ~= ARGV[2] then return {'', found()} end
local fence = math.max(micros, tonumber(redis.call('GET', KEYS[3]) or '0') + 1)
fence = string.format('%.0f', fence)
redis.call('SET', KEYS[3], fence)
local lasts = tonumber(ARGV[4])
local ends = string.format('%.0f', now + lasts)
redis.call('HSET', KEYS[1], 'fence', fence, 'done', ARGV[3], 'until', ends, 'data', ARGV[5])
if ARGV[3] == '1' then
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(lasts, 1)))
  redis.call('ZREM', KEYS[2], ARGV[1])
else
  redis.call('PERSIST', KEYS[1])
  redis.call('ZADD', KEYS[2], ends, ARGV[1])
end
return {fence, {}}
";

const REMOVE: &str = r"
if r[1] ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
";

/// Without a record of its own: the names whose lease is over, longest first.
const LEFT_OPEN: &str = r"
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local names = {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  if #names >= tonumber(ARGV[2]) then break end
  if string.sub(name, 1, #ARGV[1]) == ARGV[1] then names[#names + 1] = name end
end
return names
";

/// A [`Store`] in Redis 6 or later, or Valkey, over any asynchronous connection that can be cloned:
/// `ConnectionManager`, `MultiplexedConnection`, or `ClusterConnection`.
///
/// All keys have one hash tag, so in a cluster they live on one node. Open records never expire: run it without an
/// eviction policy (`noeviction`).
#[derive(Clone)]
pub struct RedisStore<C> {
    connection: C,
    prefix: String,
    scripts: Scripts,
}

#[derive(Clone)]
struct Scripts {
    load: Script,
    change: Script,
    remove: Script,
    left_open: Script,
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    /// Makes a store under keys that begin with `{dintero}`.
    #[must_use]
    pub fn new(connection: C) -> Self {
        Self::with_prefix(connection, "dintero")
    }

    /// Makes a store under keys that begin with `{prefix}`, so that several can share a server.
    #[must_use]
    pub fn with_prefix(connection: C, prefix: &str) -> Self {
        let script = |body: &str| Script::new(&format!("{COMMON}{body}"));
        let scripts = Scripts {
            load: script(LOAD),
            change: script(CHANGE),
            remove: script(REMOVE),
            left_open: Script::new(LEFT_OPEN),
        };
        Self { connection, prefix: format!("{{{prefix}}}"), scripts }
    }

    fn record_key(&self, name: &str) -> String {
        format!("{}:record:{name}", self.prefix)
    }

    fn open_key(&self) -> String {
        format!("{}:open", self.prefix)
    }

    async fn run<T: redis::FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, RedisError> {
        let mut connection = self.connection.clone();
        script.invoke_async(&mut connection).await
    }

    async fn find(&self, name: &str) -> Result<Option<Record>, StoreError> {
        let mut script = self.scripts.load.prepare_invoke();
        record(name, self.run(script.key(self.record_key(name))).await?)
    }
}

/// A record from what `found` returns.
fn record(name: &str, found: Vec<String>) -> Result<Option<Record>, StoreError> {
    let [fence, done, left, data] = match <[String; 4]>::try_from(found) {
        Ok(fields) => fields,
        Err(none) if none.is_empty() => return Ok(None),
        Err(_) => return Err("a record in Redis is not one of this crate's".into()),
    };
    Ok(Some(Record {
        name: name.to_owned(),
        fence: fence.parse()?,
        done: done == "1",
        remaining: remaining(left.parse()?),
        data,
    }))
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Store for RedisStore<C> {
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Record>> {
        Box::pin(self.find(name))
    }

    fn change<'a>(&'a self, change: Change<'a>) -> StoreFuture<'a, Changed> {
        Box::pin(async move {
            let mut script = self.scripts.change.prepare_invoke();
            script
                .key(self.record_key(change.name))
                .key(self.open_key())
                .key(format!("{}:fence", self.prefix))
                .arg(change.name)
                .arg(change.expected.map_or_else(String::new, |fence| fence.to_string()))
                .arg(if change.done { "1" } else { "0" })
                .arg(millis(change.lasts))
                .arg(change.data);
            let (fence, found): (String, Vec<String>) = self.run(&script).await?;
            if fence.is_empty() {
                Ok(Changed::No { found: record(change.name, found)? })
            } else {
                Ok(Changed::Yes { fence: fence.parse()? })
            }
        })
    }

    fn remove<'a>(&'a self, name: &'a str, fence: u64) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let mut script = self.scripts.remove.prepare_invoke();
            script.key(self.record_key(name)).key(self.open_key()).arg(name).arg(fence.to_string());
            Ok(self.run::<u8>(&script).await? == 1)
        })
    }

    fn left_open<'a>(&'a self, prefix: &'a str, limit: usize) -> StoreFuture<'a, Vec<Record>> {
        Box::pin(async move {
            let mut script = self.scripts.left_open.prepare_invoke();
            let names: Vec<String> = self.run(script.key(self.open_key()).arg(prefix).arg(limit)).await?;
            let mut left = Vec::with_capacity(names.len());
            for name in names {
                // Looked at again: it may have been taken or done in between.
                left.extend(self.find(&name).await?.filter(|record| !record.done && record.remaining.is_zero()));
            }
            Ok(left)
        })
    }
}

impl<C> fmt::Debug for RedisStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
