//! From what a request says to what is true: reading the transaction or session from the service.

use super::answer::Answer;
use super::express::ExpressRequest;
use super::notice::Callback;
use super::return_url::UnsignedReturn;
use crate::client::{Client, Response};
use crate::ids::{SessionId, TransactionId};
use crate::types::{Session, Transaction};

/// Why what a request is about could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The request names no transaction: a payment that ended before there was one, or a query that was
    /// tampered with.
    #[error("the request names no transaction")]
    NoTransaction,
    /// The request names no session.
    #[error("the request names no session")]
    NoSession,
    /// The call failed, or the client is another account's.
    #[error("what the request is about could not be read")]
    Call(#[from] crate::Error),
}

impl FetchError {
    /// What to answer to a callback whose transaction could not be read: the news stands, so it is to
    /// come again. A callback without a transaction is better told apart before fetching, with
    /// [`Callback::transaction_id`].
    pub fn answer(&self) -> Answer {
        Answer::RetryLater
    }
}

impl Callback {
    /// Reads the transaction that the callback is about. This, not the callback, says what is true now.
    ///
    /// One `GET`, sent again by the client's policy for reads. The service gives a merchant ten seconds
    /// to answer a callback: a client whose calls may take longer should be given a
    /// [total time](crate::ClientBuilder::timeout) below that for callbacks.
    ///
    /// # Errors
    /// [`FetchError::NoTransaction`] without a call when there is no id; else the call's error.
    pub async fn fetch(&self, client: &Client) -> Result<Response<Transaction>, FetchError> {
        transaction(self.transaction_id(), client).await
    }

    /// Reads the session that the callback is about.
    ///
    /// # Errors
    /// [`FetchError::NoSession`] without a call when there is no id; else the call's error.
    pub async fn fetch_session(&self, client: &Client) -> Result<Response<Session>, FetchError> {
        session(self.session_id(), client).await
    }
}

impl UnsignedReturn {
    /// Reads the transaction that the return claims to be about. The answer is the service's; that the
    /// transaction belongs to **this** customer's order is still to be checked, by its
    /// `merchant_reference`.
    ///
    /// # Errors
    /// [`FetchError::NoTransaction`] without a call when there is no id; else the call's error.
    pub async fn fetch(&self, client: &Client) -> Result<Response<Transaction>, FetchError> {
        transaction(self.transaction_id(), client).await
    }
}

impl ExpressRequest {
    /// Reads the session that the request claims to be about, as the service has it.
    ///
    /// # Errors
    /// [`FetchError::NoSession`] without a call when there is no id; else the call's error.
    pub async fn fetch(&self, client: &Client) -> Result<Response<Session>, FetchError> {
        session(self.session_id(), client).await
    }
}

async fn transaction(id: Option<&TransactionId>, client: &Client) -> Result<Response<Transaction>, FetchError> {
    let id = id.ok_or(FetchError::NoTransaction)?;
    Ok(client.transactions().get(id).await?)
}

async fn session(id: Option<&SessionId>, client: &Client) -> Result<Response<Session>, FetchError> {
    let id = id.ok_or(FetchError::NoSession)?;
    Ok(client.sessions().get(id).await?)
}
