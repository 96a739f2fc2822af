//! The thread that takes connections. One request a connection: nobody holds a place for long.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::ServerError;
use crate::worker::Worker;

/// The most connections at a time; more wait.
const MOST: usize = 64;
/// A client that has not said by now what it wants is left.
const FIRST_WORDS: Duration = Duration::from_secs(5);
/// A connection lasts no longer.
const LONGEST: Duration = Duration::from_secs(10);
/// At the end, answers that are being sent get so long.
const GRACE: Duration = Duration::from_millis(100);
/// The largest head of a request, in bytes.
const LARGEST_HEAD: usize = 16 << 10;

/// An address that nobody answers on yet.
pub struct Bound {
    listener: StdListener,
    /// With the port the system chose, where it was to choose.
    pub address: SocketAddr,
}

impl Bound {
    pub fn new(wanted: SocketAddr) -> Result<Self, ServerError> {
        let bind = || -> io::Result<Self> {
            let listener = StdListener::bind(wanted)?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok(Self { listener, address })
        };
        bind().map_err(|error| why(&error, wanted))
    }

    /// Answers with `router` from now on.
    pub fn serve(self, router: Router) -> Result<Server, ServerError> {
        let address = self.address;
        let start = || -> io::Result<Server> {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .enable_time()
                .build()?;
            let (open, closed) = oneshot::channel();
            let listener = self.listener;
            let worker = Worker::spawn("server", move |_| {
                if let Err(error) = runtime.block_on(serve(listener, router, closed)) {
                    tracing::warn!("The API has stopped: {error}");
                }
            })?;
            Ok(Server {
                address,
                _open: open,
                worker,
            })
        };
        start().map_err(|error| why(&error, address))
    }
}

fn why(error: &io::Error, address: SocketAddr) -> ServerError {
    match error.kind() {
        io::ErrorKind::AddrInUse => ServerError::Taken(address),
        io::ErrorKind::AddrNotAvailable => ServerError::Elsewhere(address),
        io::ErrorKind::PermissionDenied => ServerError::Forbidden(address),
        _ => ServerError::System {
            reason: error.to_string(),
            address,
        },
    }
}

/// A running server. Dropping it closes the address and waits for its thread.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    // Dropped before the thread is waited for: that is how it hears of the end.
    _open: oneshot::Sender<Infallible>,
    worker: Worker,
}

impl Server {
    /// Whether its thread has ended before its time.
    pub fn ended(&self) -> bool {
        self.worker.finished()
    }
}

async fn serve(
    listener: StdListener,
    router: Router,
    mut closed: oneshot::Receiver<Infallible>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(MOST));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            _ = &mut closed => break,
            Some(_) = connections.join_next() => {}
            Some((stream, place)) = accept(&listener, &places) => {
                let router = router.clone();
                connections.spawn(async move {
                    answer(stream, router).await;
                    drop(place);
                });
            }
        }
    }
    drop(listener);
    let rest = async { while connections.join_next().await.is_some() {} };
    // Whoever is still there then is left: the rest ends with the runtime.
    let _ = timeout(GRACE, rest).await;
    Ok(())
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Some((stream, place)),
            Err(error) => {
                tracing::debug!("A connection failed: {error}");
                // Out of files, say: others may close theirs.
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(FIRST_WORDS)
        .max_buf_size(LARGEST_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match timeout(LONGEST, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("A request ended early: {error}"),
        Err(_) => tracing::debug!("A client took too long."),
    }
}
