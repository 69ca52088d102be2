//! How a request of the generated client gets to the service.
/// The context of one call.
#[derive(Debug, Clone, Default)]
pub struct CallScope;

impl progenitor_client::ClientHooks<CallScope> for crate::generated::Client {}
