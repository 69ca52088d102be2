//! The hooks of the generated client.

use progenitor_client::{ClientHooks, ClientInfo, OperationInfo};

use super::scope::CallScope;
use crate::generated::Client;

impl ClientHooks<CallScope> for Client {
    async fn pre<E>(
        &self,
        request: &mut reqwest::Request,
        _: &OperationInfo,
    ) -> Result<(), progenitor_client::Error<E>> {
        let scope = self.inner();
        scope.prepare(request).map_err(|error| {
            scope.set_end(Err(scope.name(error)));
            // Only a signal to stop: the error itself waits in the scope.
            progenitor_client::Error::Custom(String::new())
        })
    }

    async fn exec(&self, request: reqwest::Request, _: &OperationInfo) -> reqwest::Result<reqwest::Response> {
        Ok(self.inner().exec(request).await)
    }
}
