//! Reads answers of HTTP/1.1 as their bytes come: by length, in chunks, or up to the end of the connection.

use std::borrow::Cow;
use std::mem::MaybeUninit;

use httparse::{ParserConfig, Response, Status, parse_chunk_size};

/// The largest head of an answer, and of the trailer of chunks.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The longest line that gives a chunk's size.
const CHUNK_LINE_MAX: usize = 4 * 1024;
const HEADERS_MAX: usize = 96;

/// What the head said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// 200 to 599.
    pub status: u16,
    /// Whether the connection ends with this answer.
    pub closes: bool,
    /// `Retry-After`, in seconds.
    pub retry_after_s: Option<u32>,
    /// Whether it is told to be a replay.
    pub replayed: bool,
}

/// How far an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fed {
    /// More is to come.
    More,
    /// It is whole; `surplus`: bytes came that belong to no request.
    Whole {
        /// Whether there are such bytes.
        surplus: bool,
    },
}

/// It is no answer of HTTP/1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Head,
    Length(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailer,
    ToEnd,
}

/// Which bodies an answer keeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keeping {
    /// Bytes of a 2xx body, at the most.
    pub ok_max: usize,
    /// Bytes of others.
    pub refusal_max: usize,
}

/// One answer after the other on a connection.
#[derive(Debug, Default)]
pub struct Answer {
    stage: Stage,
    head: Head,
    /// The beginning of something that is not whole yet.
    pending: Vec<u8>,
    body: Vec<u8>,
    keeping: Keeping,
    begun: bool,
}

impl Answer {
    /// Makes ready for the next answer.
    pub fn begin(&mut self, keeping: Keeping) {
        self.stage = Stage::Head;
        self.pending.clear();
        self.body.clear();
        self.keeping = keeping;
        self.begun = false;
    }

    /// The head; all zero before it came.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// What was kept of the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether any byte of it came.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether the end of the connection is its end.
    #[must_use]
    pub fn ends_with_connection(&self) -> bool {
        self.stage == Stage::ToEnd
    }

    /// Takes bytes that came.
    pub fn feed(&mut self, data: &[u8]) -> Result<Fed, Malformed> {
        self.begun |= !data.is_empty();
        let mut pending = std::mem::take(&mut self.pending);
        let joined = if pending.is_empty() {
            Cow::Borrowed(data)
        } else {
            pending.extend_from_slice(data);
            Cow::Owned(pending)
        };
        let mut rest: &[u8] = &joined;
        loop {
            match self.stage {
                Stage::Head => {
                    let Some(length) = self.read_head(rest)? else { return self.wait(rest, HEAD_BYTES_MAX) };
                    rest = &rest[length..];
                    if self.stage == Stage::Length(0) {
                        return Ok(Fed::Whole { surplus: !rest.is_empty() });
                    }
                }
                Stage::Length(left) | Stage::Chunk(left) => {
                    let here = left.min(rest.len() as u64);
                    self.keep(&rest[..here as usize]);
                    rest = &rest[here as usize..];
                    let chunked = matches!(self.stage, Stage::Chunk(_));
                    if here < left {
                        self.stage = if chunked { Stage::Chunk(left - here) } else { Stage::Length(left - here) };
                        return Ok(Fed::More);
                    }
                    if !chunked {
                        return Ok(Fed::Whole { surplus: !rest.is_empty() });
                    }
                    self.stage = Stage::ChunkEnd;
                }
                Stage::ChunkSize => match parse_chunk_size(rest).map_err(|_| Malformed)? {
                    Status::Partial => return self.wait(rest, CHUNK_LINE_MAX),
                    Status::Complete((length, size)) => {
                        rest = &rest[length..];
                        self.stage = if size == 0 { Stage::Trailer } else { Stage::Chunk(size) };
                    }
                },
                Stage::ChunkEnd => match rest {
                    [b'\r', b'\n', ..] => (self.stage, rest) = (Stage::ChunkSize, &rest[2..]),
                    [] | [b'\r'] => return self.wait(rest, 2),
                    _ => return Err(Malformed),
                },
                Stage::Trailer => {
                    let Some(line) = memchr::memmem::find(rest, b"\r\n") else {
                        return self.wait(rest, HEAD_BYTES_MAX);
                    };
                    rest = &rest[line + 2..];
                    if line == 0 {
                        return Ok(Fed::Whole { surplus: !rest.is_empty() });
                    }
                }
                Stage::ToEnd => {
                    self.keep(rest);
                    return Ok(Fed::More);
                }
            }
        }
    }

    fn wait(&mut self, rest: &[u8], bytes_max: usize) -> Result<Fed, Malformed> {
        if rest.len() > bytes_max {
            return Err(Malformed);
        }
        self.pending.extend_from_slice(rest);
        Ok(Fed::More)
    }

    fn keep(&mut self, data: &[u8]) {
        let ok = (200..300).contains(&self.head.status);
        let bytes_max = if ok { self.keeping.ok_max } else { self.keeping.refusal_max };
        let room = bytes_max.saturating_sub(self.body.len()).min(data.len());
        self.body.extend_from_slice(&data[..room]);
    }

    /// Reads a head; its length, or `None` where it is not whole. Interim heads (1xx) leave the stage as it is.
    fn read_head(&mut self, data: &[u8]) -> Result<Option<usize>, Malformed> {
        let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
        let mut response = Response::new(&mut []);
        let parsed = ParserConfig::default().parse_response_with_uninit_headers(&mut response, data, &mut headers);
        let Status::Complete(length) = parsed.map_err(|_| Malformed)? else { return Ok(None) };
        let status = response.code.ok_or(Malformed)?;
        if (100..200).contains(&status) && status != 101 {
            return Ok(Some(length));
        }
        if !(200..600).contains(&status) {
            return Err(Malformed);
        }
        let mut head = Head { status, closes: response.version == Some(0), ..Head::default() };
        let (mut bytes, mut chunked) = (None, false);
        for header in response.headers.iter() {
            let value = header.value;
            if header.name.eq_ignore_ascii_case("content-length") {
                let told = number(value).ok_or(Malformed)?;
                if bytes.is_some_and(|before| before != told) {
                    return Err(Malformed);
                }
                bytes = Some(told);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                chunked = has_word(value, b"chunked");
            } else if header.name.eq_ignore_ascii_case("connection") {
                head.closes = has_word(value, b"close") || head.closes && !has_word(value, b"keep-alive");
            } else if header.name.eq_ignore_ascii_case("retry-after") {
                head.retry_after_s = number(value).map(|seconds| seconds.min(u64::from(u32::MAX)) as u32);
            } else if header.name.eq_ignore_ascii_case("idempotent-replayed") {
                head.replayed = has_word(value, b"true");
            }
        }
        self.stage = match (status, chunked, bytes) {
            (204 | 304, ..) => Stage::Length(0),
            (_, true, _) => Stage::ChunkSize,
            (_, false, Some(bytes)) => Stage::Length(bytes),
            (_, false, None) => Stage::ToEnd,
        };
        head.closes |= self.stage == Stage::ToEnd;
        self.head = head;
        Ok(Some(length))
    }
}

fn number(value: &[u8]) -> Option<u64> {
    let value = value.trim_ascii();
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    if digits { std::str::from_utf8(value).ok()?.parse().ok() } else { None }
}

fn has_word(value: &[u8], word: &[u8]) -> bool {
    value.split(|&byte| byte == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(word))
}
