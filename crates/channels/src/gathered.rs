//! A connection whose small writes leave together.
//!
//! Invariant: a write is taken whole and at once, and is with the network after a flush that is ready; when all has left, no more than
//! [`KEPT`] bytes of room stay. There is no bound here: who writes flushes before they write on.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Room that a silent connection keeps: that of a usual push.
const KEPT: usize = 512;

/// A connection with what waits to be written to it.
#[derive(Debug)]
pub(crate) struct Gathered<C> {
    connection: C,
    waiting: Vec<u8>,
    /// So much of what waits is with the network.
    left: usize,
}

impl<C> Gathered<C> {
    pub(crate) fn new(connection: C) -> Self {
        Self { connection, waiting: Vec::new(), left: 0 }
    }
}

impl<C: AsyncWrite + Unpin> Gathered<C> {
    fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.left < self.waiting.len() {
            let rest = &self.waiting[self.left..];
            match ready!(Pin::new(&mut self.connection).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.left += written,
            }
        }
        self.left = 0;
        self.waiting.clear();
        self.waiting.shrink_to(KEPT);
        Poll::Ready(Ok(()))
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Gathered<C> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.waiting.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_leave(cx))?;
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_leave(cx))?;
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Gathered<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_read(cx, buffer)
    }
}

#[cfg(test)]
mod tests {
    use futures::poll;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn writes_leave_in_order_when_flushed_and_their_room_goes_with_them() {
        let (near, mut far) = duplex(1_000);
        let mut near = Gathered::new(near);
        let said: Vec<u8> = (0..30_000_u32).flat_map(u32::to_be_bytes).collect();
        for part in said.chunks(700) {
            assert_eq!(near.write(part).await.unwrap(), part.len(), "taken whole");
        }
        assert!(poll!(std::pin::pin!(near.flush())).is_pending(), "the other end does not read yet");
        let mut heard = vec![0; said.len()];
        let (flushed, read) = tokio::join!(near.flush(), far.read_exact(&mut heard));
        flushed.unwrap();
        read.unwrap();
        assert_eq!(heard, said);
        assert!(near.waiting.capacity() <= KEPT, "it keeps {} bytes", near.waiting.capacity());
    }

    #[tokio::test]
    async fn what_waits_leaves_before_the_end_and_an_end_is_told() {
        let (near, mut far) = duplex(64);
        let mut near = Gathered::new(near);
        near.write_all(b"the last words").await.unwrap();
        near.shutdown().await.unwrap();
        let mut heard = String::new();
        far.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "the last words");

        let (near, far) = duplex(64);
        let mut near = Gathered::new(near);
        drop(far);
        near.write_all(b"to nobody").await.unwrap();
        assert_eq!(near.flush().await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
