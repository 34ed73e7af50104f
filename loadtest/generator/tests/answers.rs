//! Answers are read alike however they are cut into pieces, and what is none is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use stockade_load::answer::{Answer, Fed, Keeping, Malformed};

const KEEP_ALL: Keeping = Keeping { ok_max: 1 << 20, refusal_max: 1 << 20 };

/// Status, body, whether it closes, and whether there was surplus; fed in pieces of a size.
fn read(text: &[u8], piece: usize) -> Result<(u16, Vec<u8>, bool, bool), Malformed> {
    let mut answer = Answer::default();
    answer.begin(KEEP_ALL);
    for data in text.chunks(piece) {
        if let Fed::Whole { surplus } = answer.feed(data)? {
            return Ok((answer.head().status, answer.body().to_vec(), answer.head().closes, surplus));
        }
    }
    assert!(answer.ends_with_connection(), "is not whole");
    Ok((answer.head().status, answer.body().to_vec(), answer.head().closes, false))
}

#[test]
fn every_cut_reads_alike() {
    let answers: [(&[u8], u16, &[u8], bool); 7] = [
        (b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello", 201, b"hello", false),
        (b"HTTP/1.1 409 Conflict\r\nConnection: Close\r\ncontent-length: 2\r\n\r\nno", 409, b"no", true),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0a;x=y\r\n0123456789\r\n0\r\nT: x\r\n\r\n",
            200,
            b"abc0123456789",
            false,
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, b"", false),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", 200, b"to the end", true),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, b"x", true),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", 200, b"", false),
    ];
    for (text, status, body, closes) in answers {
        for piece in 1..=text.len() {
            assert_eq!(read(text, piece).unwrap(), (status, body.to_vec(), closes, false), "in pieces of {piece}");
        }
    }
}

#[test]
fn what_is_no_answer_is_refused() {
    let broken: [&[u8]; 8] = [
        b"hello\r\n\r\n",
        b"HTTP/1.1 999 No\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc",
        b"HTTP/2 200\r\n\r\n",
    ];
    for text in broken {
        assert_eq!(read(text, text.len()), Err(Malformed), "{}", String::from_utf8_lossy(text));
    }
    let endless: Vec<u8> = b"HTTP/1.1 200 OK\r\nX: ".iter().copied().chain(std::iter::repeat_n(b'x', 70_000)).collect();
    assert_eq!(read(&endless, 1_000), Err(Malformed));
}

#[test]
fn bytes_beyond_an_answer_are_noticed() {
    assert!(read(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1", 99).unwrap().3);
}

#[test]
fn retry_after_and_replays_are_read() {
    let mut answer = Answer::default();
    answer.begin(Keeping::default());
    let text = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nIdempotent-Replayed: true\r\nContent-Length: 3\r\n\r\nabc";
    assert_eq!(answer.feed(text), Ok(Fed::Whole { surplus: false }));
    assert_eq!((answer.head().retry_after_s, answer.head().replayed, answer.body()), (Some(7), true, &b""[..]));
}
