//! What may become of a request.

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 2xx.
    Ok,
    /// 409.
    Refused,
    /// 429 and 503.
    Overloaded,
    /// Any other answer.
    Other,
    /// No answer, or none of HTTP.
    Failed,
}

/// Names of the classes, in the order of their numbers.
pub const CLASSES: [&str; 5] = ["ok", "refused", "overloaded", "other", "failed"];

impl Class {
    /// The class of an answer.
    #[must_use]
    pub const fn of(status: u16) -> Self {
        match status {
            200..300 => Self::Ok,
            409 => Self::Refused,
            429 | 503 => Self::Overloaded,
            _ => Self::Other,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// The connection ended before the first byte of it.
    Closed,
    /// It ended within it.
    Truncated,
    /// The connection was reset, or broke otherwise.
    Reset,
    /// It is not HTTP/1.1.
    Malformed,
    /// It did not come in time.
    Timeout,
    /// The run was ended before it came.
    Unfinished,
}

/// Names of the failures, in the order of their numbers.
pub const FAILURES: [&str; 6] = ["closed", "truncated", "reset", "malformed", "timeout", "unfinished"];
