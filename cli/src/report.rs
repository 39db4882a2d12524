//! Everything a command says: results on standard output, remarks and errors on standard error.

use std::error::Error as _;
use std::io::Write;

use musetalk_core::Error;

/// A result, on standard output.
pub(crate) fn line(text: &str) {
    // A reader who has gone wants no more lines.
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// A remark, on standard error.
pub(crate) fn note(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// An error: its sentence, and the causes that say more than it does.
pub fn error(error: &Error) {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(e) = cause {
        let said = e.to_string();
        if !text.contains(&said) {
            text.push_str("\n  because: ");
            text.push_str(&said);
        }
        cause = e.source();
    }
    note(&text);
}
