//! When something was heard of each kind: a layer of the client notes each answer to a list or a watch. A watch is renewed
//! every 45 s, also where nothing happens, so silence for longer means that the watch of a kind has stopped.

use crate::watch::{Store, streams::Heard};
use futures::future::BoxFuture;
use hyper::{Method, Request, Response, Uri};
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// The layer.
#[derive(Debug, Clone)]
pub struct Hearing(pub Heard);

impl<S> Layer<S> for Hearing {
    type Service = Hears<S>;

    fn layer(&self, inner: S) -> Hears<S> {
        Hears { inner, heard: self.0.clone() }
    }
}

/// A client that notes what it hears.
#[derive(Debug, Clone)]
pub struct Hears<S> {
    inner: S,
    heard: Heard,
}

impl<S, Sent, Got> Service<Request<Sent>> for Hears<S>
where
    S: Service<Request<Sent>, Response = Response<Got>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Sent>) -> Self::Future {
        let store = store_of(request.uri()).filter(|_| request.method() == Method::GET);
        let (answer, heard) = (self.inner.call(request), self.heard.clone());
        Box::pin(async move {
            let answer = answer.await;
            if let (Some(store), Ok(response)) = (store, &answer)
                && response.status().is_success()
            {
                heard.board.heard(store, heard.clock.now());
            }
            answer
        })
    }
}

/// The kind whose list or watch is at this path.
fn store_of(uri: &Uri) -> Option<Store> {
    let last = uri.path().rsplit('/').next()?;
    Store::ALL.into_iter().find(|store| store.name() == last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Clock, serve::board::Board};
    use quotree_core::Time;

    /// A server that always answers so.
    struct Answers(u16);

    impl Service<Request<()>> for Answers {
        type Response = Response<()>;
        type Error = hyper::http::Error;
        type Future = std::future::Ready<Result<Response<()>, hyper::http::Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            std::future::ready(Response::builder().status(self.0).body(()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_to_a_watch_is_heard_and_a_refusal_is_not() {
        let board = Board::default();
        let clock = Clock::starting_at(Time(1000));
        let layer = Hearing(Heard { board: board.clone(), clock });
        for (code, path) in
            [(200, "/api/v1/pods?watch=true"), (403, "/api/v1/nodes"), (200, "/api/v1/namespaces/a/pods/p")]
        {
            let request = Request::get(path).body(()).unwrap();
            layer.layer(Answers(code)).call(request).await.unwrap();
        }
        let text = board.text(Time(3000), true);
        assert!(text.contains("quotree_watch_staleness_seconds{kind=\"pods\"} 2\n"), "{text}");
        assert!(!text.contains("kind=\"nodes\""), "{text}");
    }
}
