//! The frames of the socket: one byte (0 end of stdin or exit, 1 stdout or stdin, 2 stderr, 3 how far it is), u32 length
//! (big endian), bytes. Only whoever owns the data folder reaches the socket, and still no length is believed.
use std::io::{self, Read, Write};
use std::path::PathBuf;

/// Bytes of a frame to the server, at most.
pub(crate) const MOST: u32 = 1 << 20;

/// The first frame of a caller.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Request {
    pub(crate) words: Vec<String>,
    pub(crate) cwd: PathBuf,
    /// Whether the caller draws how far it is.
    #[serde(default)]
    pub(crate) progress: bool,
}

/// A frame of kind 3: how far long work is.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Progress {
    pub(crate) what: String,
    pub(crate) at: u64,
    pub(crate) of: Option<u64>,
    /// What is counted are bytes.
    #[serde(default)]
    pub(crate) bytes: bool,
}

/// Writes one frame.
pub(crate) fn frame(stream: &mut impl Write, kind: u8, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&[kind])?;
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(bytes)
}

/// The next frame; what it says of its length is believed only as far as bytes follow.
pub(crate) fn read_frame(stream: &mut impl Read, most: u32) -> io::Result<(u8, Vec<u8>)> {
    let (mut kind, mut length) = ([0u8], [0u8; 4]);
    stream.read_exact(&mut kind)?;
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > most {
        return Err(io::Error::other("a frame is too long"));
    }
    let mut bytes = Vec::new();
    if stream.take(u64::from(length)).read_to_end(&mut bytes)? < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((u8::from_be_bytes(kind), bytes))
}

/// A caller's stdin, out of its frames: those of kind 1 until another comes.
pub(crate) struct Stdin<R> {
    reader: R,
    left: Vec<u8>,
    ended: bool,
}

impl<R> Stdin<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, left: Vec::new(), ended: false }
    }
}

impl<R: Read> Read for Stdin<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.left.is_empty() && !self.ended {
            match read_frame(&mut self.reader, MOST)? {
                (1, bytes) => self.left = bytes,
                _ => self.ended = true,
            }
        }
        let many = self.left.len().min(buf.len());
        for (to, from) in buf.iter_mut().zip(self.left.drain(..many)) {
            *to = from;
        }
        Ok(many)
    }
}
