//! Everything a command says: results on standard output, remarks and errors on standard error.

use std::borrow::Cow;
use std::error::Error as _;
use std::io::{ErrorKind as IoKind, Write};
use std::sync::{Mutex, PoisonError};

use musetalk_core::{Error, ErrorKind, Result};

/// Why standard output could not be written, the first time.
static FAILED: Mutex<Option<std::io::Error>> = Mutex::new(None);

/// A result, on standard output.
pub(crate) fn line(text: &str) {
    note_failure(writeln!(std::io::stdout(), "{}", printable(text)));
}

/// A part of a line, on standard output, at once.
pub(crate) fn piece(text: &str) {
    let mut out = std::io::stdout();
    note_failure(write!(out, "{}", printable(text)).and_then(|()| out.flush()));
}

/// A reader who has gone wants no more lines; whatever else goes wrong is a result that somebody misses.
fn note_failure(written: std::io::Result<()>) {
    if let Err(e) = written
        && e.kind() != IoKind::BrokenPipe
    {
        FAILED.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(e);
    }
}

/// Whether all results so far reached standard output. Says it once.
///
/// # Errors
///
/// - [`ErrorKind::Io`]: one did not, because a disk is full or a device fails.
pub(crate) fn written() -> Result<()> {
    match FAILED.lock().unwrap_or_else(PoisonError::into_inner).take() {
        None => Ok(()),
        Some(cause) => {
            let sentence =
                format!("could not write to standard output: {cause}; make room, or send it elsewhere");
            Err(Error::new(ErrorKind::Io, sentence).caused_by(cause))
        }
    }
}

/// A part of a remark, on standard error.
pub(crate) fn piece_of_note(text: &str) {
    drop(write!(std::io::stderr(), "{}", printable(text)));
}

/// A result that is one line, whatever the names in it are.
pub(crate) fn one_line(text: &str) {
    line(&text.replace('\n', "\\n"));
}

/// A remark, on standard error.
pub(crate) fn note(text: &str) {
    drop(writeln!(std::io::stderr(), "{}", printable(text)));
}

/// Files of a folder that were not read, on standard error: the first few by name.
pub(crate) fn ignored(folder: &std::path::Path, names: &[String]) {
    const NAMED: usize = 5;
    if names.is_empty() {
        return;
    }
    let more = if names.len() > NAMED { format!(" and {} more", names.len() - NAMED) } else { String::new() };
    let named = names[..names.len().min(NAMED)].join(", ").replace('\n', "\\n");
    note(&format!("not read in {}: {named}{more}", folder.display()));
}

/// Names come from files of strangers: what would steer the terminal, or turn the order of what is read, is spelled out. In JSON
/// the spelling is JSON's own, and means the same.
fn printable(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let spelled = |c: char| if steers(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    text.chars().map(spelled).collect()
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

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(printable("a name\nof two lines, ő and 语"), "a name\nof two lines, ő and 语");
        assert_eq!(printable("\u{1b}[2J\r\u{9b}1A\u{7f}"), "\\u001b[2J\\u000d\\u009b1A\\u007f");
        assert_eq!(printable("evil\u{202e}gnp.exe"), "evil\\u202egnp.exe");
        // serde_json leaves DEL and the second block of controls as they are; spelled out they are still the same text.
        let json = serde_json::json!("\u{7f}\u{9b}\u{1b}").to_string();
        let read: String = serde_json::from_str(&printable(&json)).unwrap();
        assert_eq!(read, "\u{7f}\u{9b}\u{1b}");
    }
}
