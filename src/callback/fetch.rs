//! From what a request says to what is true: reading the transaction or session from the service.

use super::express::ExpressRequest;
use super::response::CallbackResponse;
use super::return_url::UnsignedReturn;
use super::verified::Callback;
use crate::client::calls::{GetSessionCall, GetTransactionCall};
use crate::client::{Client, Response};
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
    /// Returns the response to a callback whose transaction could not be read: the news stands, so it is to
    /// come again. A callback without a transaction is better told apart before fetching, with
    /// [`Callback::transaction_id`].
    pub fn response(&self) -> CallbackResponse {
        CallbackResponse::RetryLater
    }
}

impl Callback {
    /// Reads the transaction that the callback is about. This, not the callback, says what is true now.
    ///
    /// One `GET`, sent again by the client's policy for reads. It ends eight seconds after the callback arrived, if
    /// the client's own timeout is not shorter: the service gives a merchant ten seconds to respond, and tries
    /// again after that. Once those are over, a read has eight seconds to itself.
    /// [`fetch_request`](Self::fetch_request) takes options.
    ///
    /// # Errors
    /// [`FetchError::NoTransaction`] without a call when there is no id; else the call's error.
    pub async fn fetch(&self, client: &Client) -> Result<Response<Transaction>, FetchError> {
        Ok(self.fetch_request(client)?.await?)
    }

    /// Begins to read the transaction, in the time that [`fetch`](Self::fetch) has unless another is set.
    ///
    /// ```no_run
    /// # async fn fetch(client: dintero::Client, callback: dintero::callback::Callback) -> Result<(), dintero::callback::HandlerError> {
    /// use dintero::types::TransactionInclude;
    ///
    /// let transaction = callback.fetch_request(&client)?.include(TransactionInclude::CardPaymentToken).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`FetchError::NoTransaction`] when there is no id.
    pub fn fetch_request(&self, client: &Client) -> Result<GetTransactionCall, FetchError> {
        let id = self.transaction_id().ok_or(FetchError::NoTransaction)?;
        Ok(client.transactions().get(id).timeout(client.timeout().min(self.patience())))
    }

    /// Reads the session that the callback is about, in the time that [`fetch`](Self::fetch) has.
    ///
    /// # Errors
    /// [`FetchError::NoSession`] without a call when there is no id; else the call's error.
    pub async fn fetch_session(&self, client: &Client) -> Result<Response<Session>, FetchError> {
        Ok(self.fetch_session_request(client)?.await?)
    }

    /// Begins to read the session, in the time that [`fetch`](Self::fetch) has unless another is set.
    ///
    /// # Errors
    /// [`FetchError::NoSession`] when there is no id.
    pub fn fetch_session_request(&self, client: &Client) -> Result<GetSessionCall, FetchError> {
        let id = self.session_id().ok_or(FetchError::NoSession)?;
        Ok(client.sessions().get(id).timeout(client.timeout().min(self.patience())))
    }
}

impl UnsignedReturn {
    /// Reads the transaction that the return claims to be about. The response is the service's; that the
    /// transaction belongs to **this** customer's order is still to be checked, by its
    /// `merchant_reference`.
    ///
    /// # Errors
    /// [`FetchError::NoTransaction`] without a call when there is no id; else the call's error.
    pub async fn fetch(&self, client: &Client) -> Result<Response<Transaction>, FetchError> {
        let id = self.transaction_id().ok_or(FetchError::NoTransaction)?;
        Ok(client.transactions().get(id).await?)
    }
}

impl ExpressRequest {
    /// Reads the session that the request claims to be about, as the service has it.
    ///
    /// # Errors
    /// [`FetchError::NoSession`] without a call when there is no id; else the call's error.
    pub async fn fetch(&self, client: &Client) -> Result<Response<Session>, FetchError> {
        let id = self.session_id().ok_or(FetchError::NoSession)?;
        Ok(client.sessions().get(id).await?)
    }
}
