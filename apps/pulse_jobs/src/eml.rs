//! A letter as the text of an e-mail (RFC 5322).
//!
//! **Invariant.** Nothing in a letter can become a header of its own: line breaks in header values are blanks. Every
//! byte is ASCII and no line is longer than a mail server must take. The same key gives the same Message-ID.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::fmt::rfc2822::DateTimePrinter;
use pulse_core::Timestamp;
use pulse_core::ports::Mail;
use sha2::{Digest as _, Sha256};

/// Bytes of a line that every mail server takes, its end not counted.
const LINE: usize = 998;

/// The message with CRLF line ends, from `from`, dated `at`.
pub(crate) fn render(mail: &Mail, from: &str, at: Timestamp) -> String {
    let date = jiff::Timestamp::from_millisecond(at.0)
        .ok()
        .and_then(|at| DateTimePrinter::new().timestamp_to_string(&at).ok())
        .unwrap_or_else(|| "Thu, 1 Jan 1970 00:00:00 +0000".to_owned());
    let unsubscribe = mail.unsubscribe.as_deref().map_or_else(String::new, |link| {
        let link = one_line(link);
        format!(
            "List-Unsubscribe: <{link}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\
             Precedence: bulk\r\n"
        )
    });
    let (encoding, body) = body(&mail.body);
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {date}\r\nMessage-ID: {id}\r\n\
         X-Pulse-Key: {key}\r\n{unsubscribe}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\r\n{body}",
        from = one_line(from),
        to = one_line(&mail.to),
        subject = encoded(&one_line(&mail.subject)),
        id = message_id(&mail.key, from),
        key = encoded(&one_line(&mail.key)),
    )
}

/// The message's own name in the world: the key's digest at the sender's domain.
fn message_id(key: &str, from: &str) -> String {
    let domain: String = from
        .rsplit_once('@')
        .map_or("pulse", |(_, domain)| domain)
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        .collect();
    format!("<{}@{}>", digest(key), if domain.is_empty() { "pulse" } else { &domain })
}

/// 32 hexadecimal digits that stand for a key.
pub(crate) fn digest(key: &str) -> String {
    use std::fmt::Write as _;
    let hash = Sha256::digest(key.as_bytes());
    hash.iter().take(16).fold(String::with_capacity(32), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The body as it travels: as it is where that is plain ASCII in short lines, else in base64.
fn body(text: &str) -> (&'static str, String) {
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    if text.is_ascii() && text.split("\r\n").all(|line| line.len() <= LINE) {
        return ("7bit", text);
    }
    let encoded = STANDARD.encode(text);
    // Base64 is ASCII: every chunk is text.
    let lines: Vec<_> = encoded.as_bytes().chunks(76).map(String::from_utf8_lossy).collect();
    ("base64", lines.join("\r\n") + "\r\n")
}

/// RFC 2047 words where the text is not plain ASCII or too long for a line; each word holds whole characters.
fn encoded(text: &str) -> String {
    if text.is_ascii() && text.len() <= 900 {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        // A word has at most 75 characters, 12 of them frame: 45 bytes in base64 fit.
        if word.len() + c.len_utf8() > 45 {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let words: Vec<_> = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(to: &str, subject: &str) -> Mail {
        Mail {
            key: "k:1".into(),
            to: to.into(),
            subject: subject.into(),
            body: "Dear Ann,\nthanks.\r\n".into(),
            unsubscribe: None,
        }
    }

    #[test]
    fn a_letter_reads_as_an_email() {
        let text =
            render(&mail("ann@example.com", "Your order"), "shop@example.com", Timestamp(1_291_191_960_000));
        let expected = format!(
            "From: shop@example.com\r\nTo: ann@example.com\r\nSubject: Your order\r\n\
             Date: Wed, 1 Dec 2010 08:26:00 -0000\r\nMessage-ID: <{}@example.com>\r\nX-Pulse-Key: k:1\r\n",
            digest("k:1")
        );
        assert!(text.starts_with(&expected), "{text}");
        assert!(text.ends_with("7bit\r\n\r\nDear Ann,\r\nthanks.\r\n"), "{text}");
    }

    #[test]
    fn a_letter_that_may_be_stopped_says_how() {
        let mail =
            Mail { unsubscribe: Some("https://s.example/stop?t=1\n".to_owned()), ..mail("a@b.c", "x") };
        let text = render(&mail, "Pulse <shop@example.com>", Timestamp(0));
        assert!(
            text.contains("\r\nList-Unsubscribe: <https://s.example/stop?t=1 >\r\nList-Unsubscribe-Post: ")
        );
        assert!(text.contains("@example.com>\r\n"), "{text}");
    }

    #[test]
    fn a_line_break_makes_no_header() {
        let text = render(&mail("a@b.c\r\nBcc: all@b.c", "x\nBcc: all@b.c"), "s@b.c", Timestamp(0));
        assert!(!text.contains("\nBcc"), "{text}");
    }

    #[test]
    fn what_a_server_need_not_take_travels_in_base64() {
        for text in ["3 Töpfe\n".to_owned(), "x".repeat(999)] {
            let (encoding, sent) = body(&text);
            assert_eq!(encoding, "base64");
            assert!(sent.split("\r\n").all(|line| line.len() <= 76 && line.is_ascii()), "{sent}");
            let decoded = STANDARD.decode(sent.replace("\r\n", "")).unwrap();
            assert_eq!(String::from_utf8(decoded).unwrap(), text.replace('\n', "\r\n"));
        }
    }

    #[test]
    fn other_alphabets_travel_as_words() {
        let subject = "Ihre Bestellung über 3 Töpfe ist da – danke, und auf bald!";
        let line = encoded(subject);
        let decoded: String = line
            .split("\r\n ")
            .map(|word| {
                assert!(word.len() <= 75, "{word}");
                let inner = word.strip_prefix("=?utf-8?B?").unwrap().strip_suffix("?=").unwrap();
                String::from_utf8(STANDARD.decode(inner).unwrap()).unwrap()
            })
            .collect();
        assert_eq!(decoded, subject);
    }
}
