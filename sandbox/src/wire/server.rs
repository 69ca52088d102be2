//! From an HTTP request to an answer: reading, logging, faults, the token, the published
//! interface, the operation, and the answer's bytes.

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
use super::sockets::OnLine;
use crate::rules::call::Call;
use crate::rules::contract::{self, Carried, Query};
use crate::rules::reply::{ApiError, Reply};
use crate::rules::{perform, responses};
use crate::state::State;
use crate::state::fault::{Course, Effect, Framing, choose};
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
}

impl Shared {
    pub(crate) fn new(state: State, stopping: watch::Receiver<bool>, runtime: Handle, allowed: Vec<String>) -> Self {
        Self { state: Mutex::new(state), stopping, runtime, allowed }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and takes up what comes of it.
    pub(crate) fn act<T>(self: &Arc<Self>, change: impl FnOnce(&mut State) -> T) -> T {
        let done = change(&mut self.state());
        self.send_callbacks();
        done
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

    async fn stopped(&self) {
        let mut stopping = self.stopping.clone();
        // An error means that the handle is gone, which is the same.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }
}

/// Answers one request.
pub(crate) async fn handle(
    shared: Arc<Shared>,
    ConnectInfo(OnLine(line)): ConnectInfo<OnLine>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return Response::new(Body::empty());
    };
    let found = route(parts.method.as_str(), parts.uri.path());
    let received = ReceivedRequest {
        operation: found.as_ref().ok().map(|route| route.operation),
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect(),
        body,
    };
    let (planned, choosers, request_id) = {
        let mut state = shared.state();
        state.log.receive(&received);
        let planned = received.operation.and_then(|operation| state.plan.take(operation));
        (planned, state.plan.choosers(), state.ids.uuid())
    };
    let fault = planned.or_else(|| choose(&choosers, &received));
    let route = match found {
        Ok(route) => route,
        Err(unrouted) => return respond(refuse(unrouted, &received), &request_id),
    };
    let Some(fault) = fault else {
        let reply = answer(&shared, route, &received, &request_id, Course::Normal);
        return respond(reply, &request_id);
    };
    if let Effect::Delay(by) = fault.effect {
        tokio::select! {
            () = tokio::time::sleep(by) => {}
            () = shared.stopped() => {}
        }
    }
    let reply = fault.executes.then(|| {
        let course = match &fault.effect {
            Effect::Course(course) => course.clone(),
            _ => Course::Normal,
        };
        answer(&shared, route, &received, &request_id, course)
    });
    match fault.effect {
        Effect::Reset | Effect::ResetUnread => {
            line.reset();
            Response::new(Body::empty())
        }
        Effect::Silence => {
            shared.stopped().await;
            line.reset();
            Response::new(Body::empty())
        }
        Effect::Answer { status, headers, body } => raw(status, &headers, body.into(), &request_id),
        Effect::Framing(framing) => misframed(framing, reply, &request_id),
        Effect::Delay(_) | Effect::Course(_) => respond(reply.unwrap_or_else(|| Reply::ok(Value::Null)), &request_id),
    }
}

fn refuse(unrouted: Unrouted, request: &ReceivedRequest) -> Reply {
    match unrouted {
        // Where the payment page would be: the address works, the page is the handle's business.
        Unrouted::Path if request.path.starts_with("/v1/view/") => {
            Reply::ok(Value::String("The customer pays here; in the sandbox, through its handle.".into()))
        }
        Unrouted::Path => ApiError::not_found("path").into_reply(),
        Unrouted::Method(allowed) => ApiError::new(405, "MethodNotAllowed", "no such method on this path")
            .into_reply()
            .with_header("allow", allowed.join(", ")),
    }
}

/// The response of the API proper, with what a test changes in it.
fn answer(shared: &Arc<Shared>, route: Route, request: &ReceivedRequest, request_id: &str, course: Course) -> Reply {
    let Route { operation, parameter, account } = route;
    let mut query = Query::new();
    for (name, value) in url::form_urlencoded::parse(request.query.as_bytes()) {
        query.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    let headers = request.headers.clone();
    let request_id = request_id.to_owned();
    let mut call = Call { operation, parameter, account, query, headers, body: None, request_id, course };
    let (mut reply, changes, checks_responses) = {
        // The document is consulted before the lock is taken: compiling it takes its time.
        let checked = check(&mut call, &request.body);
        let mut state = shared.state();
        let checked = checked.map(|unknown| {
            state.log.unknown_fields.extend(unknown.into_iter().map(|path| UnknownField { operation, path }));
        });
        let reply = perform(&mut state, &call, checked).unwrap_or_else(ApiError::into_reply);
        (reply, state.patches.of(operation), state.log.checks_responses)
    };
    shared.send_callbacks();
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

/// The answer, or a made-up one where nothing was executed, with a length that is not its own.
fn misframed(framing: Framing, reply: Option<Reply>, request_id: &str) -> Response {
    let reply =
        reply.unwrap_or_else(|| Reply::ok(serde_json::json!({ "id": "this answer is not going to be complete" })));
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
