//! From an HTTP request to a response: reading, logging, faults, the token, the published
//! interface, the operation, and the response's bytes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::route::{Route, Unrouted, route};
use super::sockets::{Line, Lines, OnLine};
use super::{control, express, pages};
use crate::operation::Operation;
use crate::rules::call::Call;
use crate::rules::contract::{self, Carried, Query};
use crate::rules::customer::CustomerError;
use crate::rules::express::Given;
use crate::rules::reply::{ApiError, Reply};
use crate::rules::{perform, responses, sessions};
use crate::state::State;
use crate::state::fault::{Course, Effect, Fault, Framing, choose};
use crate::state::log::{ReceivedRequest, UnknownField};

/// No request of this API comes near it.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// What the server, its connections and the handle share.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Becomes true when the sandbox goes away.
    pub(crate) stopping: watch::Receiver<bool>,
    /// The sandbox's own runtime, on which callbacks are delivered.
    pub(crate) runtime: Handle,
    /// Hosts beyond loopback that the sandbox may send to.
    pub(crate) allowed: Vec<String>,
    /// The open connections.
    pub(crate) lines: Lines,
    /// Counts the changes, for those who watch.
    pub(crate) changes: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn new(
        state: State,
        stopping: watch::Receiver<bool>,
        runtime: Handle,
        allowed: Vec<String>,
        lines: Lines,
    ) -> Self {
        Self { state: Mutex::new(state), stopping, runtime, allowed, lines, changes: watch::Sender::default() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, writes it down, and takes up what comes of it.
    pub(crate) fn act<T>(self: &Arc<Self>, change: impl FnOnce(&mut State) -> T) -> T {
        let done = self.change(change);
        self.send_callbacks();
        done
    }

    /// Changes the state and writes it down.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let done = {
            let mut state = self.state();
            let done = change(&mut state);
            state.keep();
            done
        };
        self.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
        done
    }

    /// Refuses where a change could not be written down: nothing that would be lost is told as done.
    pub(crate) fn kept(&self) -> Result<(), CustomerError> {
        self.state().unwritable.clone().map_or(Ok(()), |error| Err(CustomerError::StateFile(error)))
    }

    /// Whether the connection on which this request line came is to be reset.
    pub(crate) fn resets_unread(&self, line: &str) -> bool {
        let mut parts = line.split_whitespace();
        let (Some(method), Some(target)) = (parts.next(), parts.next()) else {
            return false;
        };
        let path = target.split('?').next().unwrap_or_default();
        let Ok(route) = route(method, path) else {
            return false;
        };
        let mut state = self.state();
        let resets = state.plan.resets_unread(route.operation);
        if resets {
            state.log.reset_unread = state.log.reset_unread.saturating_add(1);
        }
        resets
    }

    pub(crate) async fn stopped(&self) {
        let mut stopping = self.stopping.clone();
        // An error means that the handle is gone, which is the same.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }
}

/// Responds to one request.
pub(crate) async fn handle(
    shared: Arc<Shared>,
    ConnectInfo(OnLine(line)): ConnectInfo<OnLine>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        let refusal = ApiError::new(413, "PayloadTooLarge", "no request of this API is that large");
        return respond(refusal.into_reply(), "");
    };
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    if let Some(response) = own(&shared, method, path, parts.uri.query().unwrap_or_default(), &body).await {
        return response;
    }
    let found = route(method, path);
    let headers = parts.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let mut received = ReceivedRequest {
        operation: found.as_ref().ok().map(|route| route.operation),
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body,
        time: String::new(),
        response: None,
    };
    let (number, planned, choosers, request_id) = {
        let mut state = shared.state();
        received.time = state.now();
        let number = state.log.receive(&received);
        let planned = received.operation.and_then(|operation| state.plan.take(operation));
        (number, planned, state.plan.choosers(), state.ids.uuid())
    };
    let fault = planned.or_else(|| choose(&choosers, &received));
    let exchange = Exchange { shared, received, request_id, number };
    let route = match found {
        Ok(route) => route,
        Err(unrouted) => return exchange.respond(refuse(unrouted)),
    };
    match fault {
        None => {
            let reply = exchange.perform(route, Course::Normal).await;
            exchange.respond(reply)
        }
        Some(fault) => exchange.suffer(fault, route, &line).await,
    }
}

/// What is the sandbox's own and not the API's: its pages and its control.
async fn own(shared: &Arc<Shared>, method: &str, path: &str, query: &str, body: &Bytes) -> Option<Response> {
    let response = if path == "/_sandbox" || path.starts_with("/_sandbox/") {
        control::serve(shared, method, path, query, body).await
    } else {
        pages::serve(shared, method, path)?
    };
    Some(shared.kept().map_or_else(|error| respond(ApiError::from(error).into_reply(), ""), |()| response))
}

fn refuse(unrouted: Unrouted) -> Reply {
    match unrouted {
        Unrouted::Path => ApiError::not_found("path").into_reply(),
        Unrouted::Method(allowed) => ApiError::new(405, "MethodNotAllowed", "no such method on this path")
            .into_reply()
            .with_header("allow", allowed.join(", ")),
    }
}

/// One request and what belongs to it.
struct Exchange {
    shared: Arc<Shared>,
    received: ReceivedRequest,
    request_id: String,
    /// The number of the request in the log.
    number: usize,
}

impl Exchange {
    /// Lets a fault happen to the request.
    async fn suffer(self, fault: Fault, route: Route, line: &Line) -> Response {
        if let Effect::Delay(by) = fault.effect {
            let due = self.shared.state().clock.after(by);
            tokio::select! {
                () = self.shared.until(due) => {}
                () = self.shared.stopped() => {}
            }
        }
        let course = match &fault.effect {
            Effect::Course(course) => course.clone(),
            _ => Course::Normal,
        };
        let reply = if fault.executes { Some(self.perform(route, course).await) } else { None };
        match fault.effect {
            Effect::Reset | Effect::ResetUnread => {
                line.reset();
                Response::new(Body::empty())
            }
            Effect::Silence => {
                self.shared.stopped().await;
                line.reset();
                Response::new(Body::empty())
            }
            Effect::Respond { status, headers, body } => {
                self.note(status, Some("a fault was asked for".into()));
                raw(status, &headers, body.into(), &self.request_id)
            }
            Effect::Framing(framing) => misframed(framing, reply, &self.request_id),
            Effect::Delay(_) | Effect::Course(_) => self.respond(reply.unwrap_or_else(|| Reply::ok(Value::Null))),
        }
    }

    fn note(&self, status: u16, refusal: Option<String>) {
        self.shared.state().log.respond(self.number, status, refusal);
        self.shared.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    fn respond(&self, reply: Reply) -> Response {
        let refusal = reply.body.pointer("/error/message").and_then(Value::as_str).map(str::to_owned);
        self.note(reply.status, refusal.filter(|_| reply.status >= 400));
        respond(reply, &self.request_id)
    }

    /// The response of the API proper, with what a test changes in it.
    async fn perform(&self, route: Route, course: Course) -> Reply {
        let Route { operation, parameter, account } = route;
        let shared = &self.shared;
        let mut query = Query::new();
        for (name, value) in url::form_urlencoded::parse(self.received.query.as_bytes()) {
            query.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        let headers = self.received.headers.clone();
        let request_id = self.request_id.clone();
        let mut call = Call { operation, parameter, account, query, headers, body: None, request_id, course };
        // The document is consulted before the lock is taken: compiling it takes its time.
        let checked = check(&mut call, &self.received.body);
        let (mut reply, changes, checks_responses, asks) = shared.change(|state| {
            let asks = operation == Operation::UpdateSession && sessions::asks_for_shipping(state, &call);
            let checked = checked.map(|unknown| {
                state.log.unknown_fields.extend(unknown.into_iter().map(|path| UnknownField { operation, path }));
            });
            let reply = perform(state, &call, checked);
            (reply, state.patches.of(operation), state.log.checks_responses, asks)
        });
        if let Err(error) = shared.kept() {
            return ApiError::from(error).into_reply();
        }
        shared.send_callbacks();
        if asks && reply.status == 200 {
            reply = ask_again(shared, &call).await;
        }
        if checks_responses {
            let problems = responses::check(operation, reply.status, &reply.body);
            let told = problems
                .into_iter()
                .map(|problem| format!("{operation} {}: {}: {}", reply.status, problem.path, problem.message));
            shared.state().log.response_problems.extend(told);
        }
        if reply.status < 300 {
            for change in changes {
                change(&mut reply.body);
            }
        }
        reply
    }
}

/// The update asked for the merchant's shipping address callback: the response tells what came of it.
async fn ask_again(shared: &Arc<Shared>, call: &Call) -> Reply {
    let id = call.parameter.as_deref().unwrap_or_default();
    if let Err(error) = express::ask(shared, id, Given::Again).await {
        return ApiError::bad_request(error.to_string()).into_reply();
    }
    sessions::get(&shared.state(), call).unwrap_or_else(ApiError::into_reply)
}

/// Reads the body and holds the request against the published interface; gives the fields that it does not have.
fn check(call: &mut Call, body: &Bytes) -> Result<Vec<String>, ApiError> {
    if !body.is_empty() {
        let media_type = call.header("content-type").unwrap_or_default();
        if !media_type.trim_start().to_ascii_lowercase().starts_with("application/json") {
            return Err(ApiError::bad_request("header.Content-Type: application/json is expected"));
        }
        call.body = Some(
            serde_json::from_slice(body).map_err(|error| ApiError::bad_request(format!("body: no JSON: {error}")))?,
        );
    }
    let carried = Carried {
        parameter: call.parameter.as_deref(),
        query: &call.query,
        headers: &call.headers,
        body: call.body.as_ref(),
    };
    contract::check(call.operation, &carried).map_err(|problems| ApiError::invalid(&problems))
}

fn respond(reply: Reply, request_id: &str) -> Response {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    for (name, value) in reply.headers {
        headers.push((name.to_owned(), value));
    }
    raw(reply.status, &headers, reply.body.to_string().into(), request_id)
}

fn raw(status: u16, headers: &[(String, String)], body: Body, request_id: &str) -> Response {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder
        .header("x-request-id", request_id)
        .body(body)
        .unwrap_or_else(|error| Response::new(Body::from(error.to_string())))
}

/// The response, or a generated one where nothing was executed, with a length that is not its own.
fn misframed(framing: Framing, reply: Option<Reply>, request_id: &str) -> Response {
    let reply =
        reply.unwrap_or_else(|| Reply::ok(serde_json::json!({ "id": "this response is not going to be complete" })));
    let body = reply.body.to_string().into_bytes();
    let half = body.len() / 2;
    let announced = match framing {
        Framing::Truncated => body.len(),
        Framing::TooShort => half,
    };
    let first = Bytes::copy_from_slice(body.get(..half).unwrap_or_default());
    let body = futures_util::stream::iter([Ok::<_, std::io::Error>(first)]);
    let body = match framing {
        // An error in the body makes the server close the connection where it stands; the pause
        // before it lets the first half out.
        Framing::Truncated => Body::from_stream(body.chain(futures_util::stream::once(async {
            tokio::task::yield_now().await;
            Err(std::io::ErrorKind::BrokenPipe.into())
        }))),
        Framing::TooShort => Body::from_stream(body),
    };
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("content-length".to_owned(), announced.to_string()),
    ];
    for (name, value) in reply.headers {
        headers.push((name.to_owned(), value));
    }
    raw(reply.status, &headers, body, request_id)
}
