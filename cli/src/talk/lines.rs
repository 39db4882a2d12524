//! Lines from standard input, while everything else goes on.

use std::io::{BufRead, IsTerminal, Read};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use super::words::Line;

/// A longer line is no sentence.
const LONGEST: u64 = 64 << 10;
/// Lines that may wait; a pipe that brings more waits itself.
const MOST: usize = 64;

/// What is typed, or comes out of a pipe.
#[derive(Debug)]
pub(super) struct Lines {
    lines: Receiver<Line>,
    /// The next one, looked at and not yet taken.
    next: Option<Line>,
    typed: bool,
    ended: bool,
}

impl Lines {
    /// Reads standard input on a thread of its own, which ends with the input or with the process.
    pub(super) fn of_stdin() -> Self {
        let (sender, lines) = sync_channel(MOST);
        std::thread::spawn(move || {
            let mut stdin = std::io::stdin().lock();
            while let Some(line) = read(&mut stdin) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { lines, next: None, typed: std::io::stdin().is_terminal(), ended: false }
    }

    /// The next line that may be followed now: what comes out of a pipe waits until the face is free to answer.
    pub(super) fn next(&mut self, free: bool) -> Option<Line> {
        if self.next.is_none() && !self.ended {
            match self.lines.try_recv() {
                Ok(line) => self.next = Some(line),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => self.ended = true,
            }
        }
        self.next.take_if(|line| free || self.typed || !line.waits())
    }

    /// A person types, and sees what is typed.
    pub(super) fn typed(&self) -> bool {
        self.typed
    }

    /// Nothing waits.
    pub(super) fn is_idle(&self) -> bool {
        self.next.is_none()
    }

    /// Nothing will come.
    pub(super) fn ended(&self) -> bool {
        self.ended && self.next.is_none()
    }
}

/// `None` at the end of the input, or when it cannot be read.
fn read(input: &mut impl BufRead) -> Option<Line> {
    let mut line = Vec::new();
    let length = input.by_ref().take(LONGEST).read_until(b'\n', &mut line).ok()?;
    if length == 0 {
        return None;
    }
    if length as u64 == LONGEST && line.last() != Some(&b'\n') {
        skip_line(input);
        return Some(Line::Wrong(format!("a line of more than {LONGEST} bytes was not said")));
    }
    Some(Line::of(&String::from_utf8_lossy(&line)))
}

fn skip_line(input: &mut impl BufRead) {
    let mut piece = Vec::new();
    while input.by_ref().take(LONGEST).read_until(b'\n', &mut piece).is_ok_and(|length| length > 0) {
        if piece.last() == Some(&b'\n') {
            return;
        }
        piece.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_end_is_passed_over() {
        let mut input = vec![b'x'; 3 * LONGEST as usize];
        input.extend(b"\nHello.\n\xff");
        let mut input = &input[..];
        assert!(matches!(read(&mut input), Some(Line::Wrong(why)) if why.contains("65536")));
        assert_eq!(read(&mut input), Some(Line::Say("Hello.".to_owned())));
        assert_eq!(read(&mut input), Some(Line::Say("\u{fffd}".to_owned())));
        assert_eq!(read(&mut input), None);
    }

    #[test]
    fn what_comes_out_of_a_pipe_waits_for_the_answer_before() {
        let (sender, lines) = sync_channel(8);
        let mut lines = Lines { lines, next: None, typed: false, ended: false };
        for text in ["/voice a", "One.", "/quit"] {
            sender.send(Line::of(text)).unwrap();
        }
        drop(sender);
        assert_eq!(lines.next(false), Some(Line::Voice("a".to_owned())));
        assert_eq!(lines.next(false), None);
        assert_eq!(lines.next(true), Some(Line::Say("One.".to_owned())));
        assert_eq!(lines.next(false), None);
        assert_eq!(lines.next(true), Some(Line::Quit));
        assert!(!lines.ended());
        assert_eq!(lines.next(true), None);
        assert!(lines.ended());
    }
}
