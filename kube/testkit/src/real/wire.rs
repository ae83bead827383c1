//! A wire between a client and a real server: its connections can be cut, held up, slowed down and refused. It passes bytes on and
//! does not look into them, so TLS goes through it.

use super::RealServer;
use bytes::Bytes;
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};

/// What is wrong with the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Broken {
    /// Nothing.
    #[default]
    Not,
    /// No byte passes, and no connection ends.
    Stalled,
    /// Each byte that the server sends comes so much later.
    Slow(Duration),
    /// All connections have ended, and new ones are refused.
    Refused,
}

/// What is wrong, and how often all connections were cut.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    broken: Broken,
    cuts: u64,
}

/// The wire. All connections end when it is dropped.
#[derive(Debug)]
pub struct Wire {
    port: u16,
    state: watch::Sender<State>,
    task: JoinHandle<()>,
}

impl Wire {
    /// A wire to this server, at a free port of loopback.
    ///
    /// # Errors
    ///
    /// If no port can be had.
    pub async fn to(server: &RealServer) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (state, receiver) = watch::channel(State::default());
        let task = tokio::spawn(serve(listener, port, server.port, receiver));
        Ok(Self { port, state, task })
    }

    /// The port of the wire: clients connect to it instead of the port of the server.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Ends all connections. New ones pass.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// Breaks the wire, or mends it.
    pub fn set(&self, broken: Broken) {
        self.state.send_modify(|state| {
            state.broken = broken;
            state.cuts += u64::from(broken == Broken::Refused);
        });
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes connections, except while they are refused: then nobody listens.
async fn serve(listener: TcpListener, port: u16, to: u16, mut state: watch::Receiver<State>) {
    let mut listening = Some(listener);
    loop {
        if state.borrow_and_update().broken == Broken::Refused {
            listening = None;
            if state.changed().await.is_err() {
                return;
            }
            continue;
        }
        let listener = match listening.take() {
            Some(listener) => listener,
            None => match TcpListener::bind(("127.0.0.1", port)).await {
                Ok(listener) => listener,
                // Somebody else has the port for a moment.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        tokio::select! {
            accepted = listener.accept() => if let Ok((client, _)) = accepted {
                tokio::spawn(connect(client, to, state.clone()));
            },
            changed = state.changed() => if changed.is_err() {
                return;
            },
        }
        listening = Some(listener);
    }
}

/// One connection, until either side or the wire ends it.
async fn connect(client: TcpStream, to: u16, mut state: watch::Receiver<State>) {
    let born = state.borrow_and_update().cuts;
    let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let cut = {
        let mut state = state.clone();
        // An error is the end of the wire.
        async move { while state.borrow_and_update().cuts == born && state.changed().await.is_ok() {} }
    };
    tokio::select! {
        () = pass(from_client, to_server, state.clone(), false) => {}
        () = pass(from_server, to_client, state, true) => {}
        () = cut => {}
    }
}

/// Passes on what one side sends, at the time that is due.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: watch::Receiver<State>, slow: bool) {
    let (sender, mut due) = mpsc::unbounded_channel::<(Instant, Bytes)>();
    let delay = state.clone();
    let read = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let by = match delay.borrow().broken {
                Broken::Slow(by) if slow => by,
                _ => Duration::ZERO,
            };
            let chunk = Bytes::copy_from_slice(buffer.get(..count).unwrap_or_default());
            if sender.send((Instant::now() + by, chunk)).is_err() {
                return;
            }
        }
    };
    let mut state = state;
    let write = async move {
        while let Some((at, chunk)) = due.recv().await {
            tokio::time::sleep_until(at).await;
            while state.borrow_and_update().broken == Broken::Stalled {
                if state.changed().await.is_err() {
                    return;
                }
            }
            if to.write_all(&chunk).await.is_err() {
                return;
            }
        }
    };
    // When nothing more is read, the channel ends, and with it what writes.
    tokio::join!(read, write);
}
