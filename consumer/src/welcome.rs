//! What a client says as soon as it is connected is heard.
//!
//! The connect handler of a namespace is a task that runs at some time after the client was told that it is connected. A handler of events that is registered
//! there misses who joins at once, and a busy machine makes it late; so it is registered when the client is admitted, and waits for its [`Welcome`].

use std::sync::Arc;

use socketioxide::extract::SocketRef;
use tokio::sync::SetOnce;

use crate::App;

/// What the connect handler makes for the handlers of events.
#[derive(Clone, Debug)]
pub struct Welcome<T>(Arc<SetOnce<T>>);

impl<T: Clone + Send + Sync + 'static> Welcome<T> {
    /// Where the handlers of this socket's events wait; for the middleware.
    #[must_use]
    pub fn expected(socket: &SocketRef) -> Self {
        let welcome = Self(Arc::default());
        socket.extensions.insert(welcome.clone());
        welcome
    }

    /// Lets the handlers go on; for the connect handler.
    pub fn give(socket: &SocketRef, made: T) {
        if let Some(Self(welcome)) = socket.extensions.remove::<Self>() {
            // There is one connect handler, so nothing is there yet.
            let _ = welcome.set(made);
        }
    }

    /// What was made; `None`: the service ends.
    pub async fn given(&self, app: &App) -> Option<T> {
        app.stop.run_until_cancelled(self.0.wait()).await.cloned()
    }
}
