//! Messages over standard input and output: a header with the length, then JSON.
//!
//! The reading is our own, for it must survive what `lsp_server`'s gives up at: a message that is no
//! JSON, a length beyond all bounds, a header that is none.

use std::io::{self, BufRead, Read as _, Write};

use lsp_server::Message;
use serde_json::{Value, json};

/// More than any message; a longer one is skipped.
const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// More than any line of a header.
const MAX_HEADER: u64 = 8 * 1024;

/// What comes in.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A message.
    Message(Message),
    /// Something that is none, and why.
    Malformed(String),
    /// The other side is gone.
    End,
}

/// Reads the next message.
pub(super) fn read(input: &mut dyn BufRead) -> Incoming {
    match next(input) {
        Ok(incoming) => incoming,
        Err(_) => Incoming::End,
    }
}

fn next(input: &mut dyn BufRead) -> io::Result<Incoming> {
    let length = match header(input)? {
        Header::Length(length) => length,
        Header::Bad(why) => return Ok(Incoming::Malformed(why)),
        Header::End => return Ok(Incoming::End),
    };
    if length > MAX_BYTES {
        io::copy(&mut input.take(length), &mut io::sink())?;
        return Ok(Incoming::Malformed(format!("a message of {length} bytes is too long")));
    }
    // Grows as bytes come: the length is only what the other side says.
    let mut body = Vec::new();
    input.take(length).read_to_end(&mut body)?;
    if (body.len() as u64) < length {
        return Ok(Incoming::End);
    }
    Ok(match serde_json::from_slice(&body) {
        Ok(message) => Incoming::Message(message),
        Err(error) => Incoming::Malformed(format!("not a message: {error}")),
    })
}

enum Header {
    Length(u64),
    Bad(String),
    End,
}

fn header(input: &mut dyn BufRead) -> io::Result<Header> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if input.take(MAX_HEADER).read_until(b'\n', &mut line)? == 0 {
            return Ok(Header::End);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(length.map_or_else(|| Header::Bad("a header without Content-Length".to_owned()), Header::Length));
        }
        let Some((name, value)) = line.split_once(':') else {
            return Ok(Header::Bad(format!("not a header: {line:?}")));
        };
        if name.trim().eq_ignore_ascii_case("Content-Length") {
            match value.trim().parse() {
                Ok(value) => length = Some(value),
                Err(_) => return Ok(Header::Bad(format!("not a length: {line:?}"))),
            }
        }
    }
}

/// Writes a message.
///
/// # Errors
/// What the writer says.
pub(super) fn write(out: &mut dyn Write, message: &Message) -> io::Result<()> {
    let mut value = serde_json::to_value(message)?;
    if let Value::Object(fields) = &mut value {
        fields.insert("jsonrpc".to_owned(), json!("2.0"));
    }
    write_value(out, &value)
}

/// Answers what was no message: there is no request to name.
///
/// # Errors
/// What the writer says.
pub(super) fn write_parse_error(out: &mut dyn Write, why: &str) -> io::Result<()> {
    let code = lsp_server::ErrorCode::ParseError as i32;
    write_value(out, &json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": why } }))
}

fn write_value(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    let body = serde_json::to_vec(value)?;
    write!(out, "Content-Length: {}\r\n\r\n", body.len())?;
    out.write_all(&body)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut input: &[u8]) -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            match read(&mut input) {
                Incoming::Message(Message::Notification(it)) => seen.push(it.method),
                Incoming::Message(other) => seen.push(format!("{other:?}")),
                Incoming::Malformed(why) => seen.push(format!("! {why}")),
                Incoming::End => return seen,
            }
        }
    }

    fn framed(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn what_is_no_message_is_skipped() {
        let good = framed(r#"{"jsonrpc":"2.0","method":"good"}"#);
        for bad in [
            framed("{"),
            framed("[]"),
            framed("{}"),
            framed("\"\u{0}\""),
            "Content-Type: x\r\n\r\n".to_owned(),
            "Content-Length: many\r\n".to_owned(),
            "Content-Length: -1\r\n".to_owned(),
            "no header\r\n".to_owned(),
        ] {
            let seen = all(format!("{bad}{good}").as_bytes());
            assert_eq!(seen.len(), 2, "{bad:?}: {seen:?}");
            assert!(seen[0].starts_with("! "), "{bad:?}: {seen:?}");
            assert_eq!(seen[1], "good", "{bad:?}");
        }
    }

    #[test]
    fn what_breaks_off_is_the_end() {
        for cut in ["", "Content-", "Content-Length: 9\r\n\r\n{", "Content-Length: 99999999999999\r\n\r\n{}"] {
            let seen = all(cut.as_bytes());
            assert!(seen.iter().all(|it| it.starts_with("! ")), "{cut:?}: {seen:?}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let message = Message::Notification(lsp_server::Notification { method: "hé".to_owned(), params: json!({}) });
        let mut bytes = Vec::new();
        write(&mut bytes, &message).expect("it is written");
        assert_eq!(all(&bytes), ["hé"]);
    }
}
