//! What the generated client makes its requests with, in place of a `reqwest::Client`.
//!
//! A `reqwest::Client` sets up the TLS that the features of the whole program ask for, which loads certificates and may
//! fail or panic. The generated client sends nothing by itself, so it gets a [`Client`] that only makes requests, under the
//! names that the generated code uses, and hooks of the same form. It gets no response either: there is no value of
//! [`Response`], so nothing is compiled of what it would do with one.

// Private, and named in what the generator writes as public.
#![allow(unreachable_pub)]

use std::marker::PhantomData;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use progenitor_runtime::OperationInfo;
use reqwest::Request;
use serde::Serialize;
use url::Url;

use super::scope::CallScope;

/// Makes requests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Client;

// Which methods of HTTP are used is for the document to say.
#[allow(dead_code)]
impl Client {
    pub fn get(&self, url: String) -> RequestBuilder {
        RequestBuilder::new(Method::GET, &url)
    }

    pub fn post(&self, url: String) -> RequestBuilder {
        RequestBuilder::new(Method::POST, &url)
    }

    pub fn put(&self, url: String) -> RequestBuilder {
        RequestBuilder::new(Method::PUT, &url)
    }

    pub fn patch(&self, url: String) -> RequestBuilder {
        RequestBuilder::new(Method::PATCH, &url)
    }

    pub fn delete(&self, url: String) -> RequestBuilder {
        RequestBuilder::new(Method::DELETE, &url)
    }
}

/// The generated code can build a client of its own. Nothing calls that.
#[derive(Debug)]
pub struct ClientBuilder;

impl ClientBuilder {
    pub fn new() -> Self {
        Self
    }

    pub fn connect_timeout(self, _: std::time::Duration) -> Self {
        self
    }

    pub fn timeout(self, _: std::time::Duration) -> Self {
        self
    }

    pub fn build(self) -> Result<Client, Unmade> {
        Ok(Client)
    }
}

/// A request that could not be made. What it could not be made of is not kept: it may hold a value of the caller.
#[derive(Debug)]
pub struct Unmade;

impl<E> From<Unmade> for Error<E> {
    fn from(_: Unmade) -> Self {
        Self::Unmade
    }
}

/// A request being made.
#[derive(Debug)]
pub struct RequestBuilder(Result<Request, Unmade>);

impl RequestBuilder {
    fn new(method: Method, url: &str) -> Self {
        Self(Url::parse(url).map(|url| Request::new(method, url)).map_err(|_| Unmade))
    }

    fn with(self, add: impl FnOnce(&mut Request) -> Result<(), Unmade>) -> Self {
        Self(self.0.and_then(|mut request| add(&mut request).map(|()| request)))
    }

    pub fn header(self, name: HeaderName, value: HeaderValue) -> Self {
        self.with(|request| {
            request.headers_mut().append(name, value);
            Ok(())
        })
    }

    pub fn headers(self, headers: HeaderMap) -> Self {
        self.with(|request| {
            request.headers_mut().extend(headers);
            Ok(())
        })
    }

    pub fn query(self, query: &impl Serialize) -> Self {
        self.with(|request| {
            let url = request.url_mut();
            let mut pairs = url.query_pairs_mut();
            query.serialize(serde_urlencoded::Serializer::new(&mut pairs)).map_err(|_| Unmade)?;
            drop(pairs);
            // A parameter that is not set leaves an empty query behind.
            if url.query() == Some("") {
                url.set_query(None);
            }
            Ok(())
        })
    }

    pub fn json(self, body: &impl Serialize) -> Self {
        self.with(|request| {
            let body = serde_json::to_vec(body).map_err(|_| Unmade)?;
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().entry(http::header::CONTENT_TYPE).or_insert(json);
            *request.body_mut() = Some(body.into());
            Ok(())
        })
    }

    pub fn build(self) -> Result<Request, Unmade> {
        self.0
    }
}

/// A response, of which there is none.
#[derive(Debug)]
pub enum Response {}

impl Response {
    pub fn status(&self) -> StatusCode {
        match *self {}
    }
}

/// What a response would be read as.
#[derive(Debug)]
pub struct ResponseValue<T>(Response, PhantomData<fn() -> T>);

impl<T> ResponseValue<T> {
    pub async fn from_response<E>(response: Response) -> Result<Self, Error<E>> {
        match response {}
    }
}

/// Why the generated client has no response.
#[derive(Debug)]
#[allow(clippy::enum_variant_names, reason = "the generated code has these names")]
pub enum Error<E> {
    ErrorResponse(ResponseValue<E>),
    UnexpectedResponse(Response),
    /// There was no request.
    Unmade,
    /// The call has ended, in its scope.
    InScope,
}

/// The end of a call that the scope has.
#[derive(Debug)]
pub struct InScope;

impl<E> From<InScope> for Error<E> {
    fn from(_: InScope) -> Self {
        Self::InScope
    }
}

/// What the generated code says of its client.
#[allow(unused)]
pub trait ClientInfo<Inner> {
    fn api_version() -> &'static str;
    fn baseurl(&self) -> &str;
    fn client(&self) -> &Client;
    fn inner(&self) -> &Inner;
}

/// What happens before and in place of sending.
pub trait ClientHooks<Inner>: ClientInfo<Inner> {
    fn pre<E>(&self, request: &mut Request, _: &OperationInfo) -> impl Future<Output = Result<(), Error<E>>> + Send;

    fn exec(&self, request: Request, _: &OperationInfo) -> impl Future<Output = Result<Response, InScope>> + Send;

    fn post<E: Send>(
        &self,
        _: &Result<Response, InScope>,
        _: &OperationInfo,
    ) -> impl Future<Output = Result<(), Error<E>>> + Send {
        std::future::ready(Ok(()))
    }
}

impl ClientHooks<CallScope> for crate::generated::Client {
    async fn pre<E>(&self, request: &mut Request, _: &OperationInfo) -> Result<(), Error<E>> {
        let scope = self.inner();
        scope.prepare(request).map_err(|error| {
            scope.set_end(Err(scope.name(error)));
            Error::from(InScope)
        })
    }

    async fn exec(&self, request: Request, _: &OperationInfo) -> Result<Response, InScope> {
        self.inner().exec(request).await;
        Err(InScope)
    }
}
