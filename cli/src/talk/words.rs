//! What a typed line means.

use std::path::PathBuf;

/// A typed line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Line {
    /// Said in writing.
    Say(String),
    /// A picture for the model to see, and what to say about it.
    Image(PathBuf, Option<String>),
    /// Another voice.
    Voice(String),
    Interrupt,
    Help,
    Quit,
    /// Nothing.
    Empty,
    /// What is wrong with it.
    Wrong(String),
}

pub(super) const HELP: &str = "\
a line                say it in writing
/image FILE [WORDS]   show a PNG or JPEG, and say something about it (\"quotes\" around a name with spaces)
/voice NAME           speak with another voice
/interrupt            stop what is being said
/quit                 end the conversation; so does Ctrl-C
/help                 this list";

impl Line {
    /// Reads a line. `//` at its start says a line that begins with a slash.
    pub(super) fn of(text: &str) -> Self {
        let text = text.trim();
        let Some(command) = text.strip_prefix('/') else {
            return if text.is_empty() { Self::Empty } else { Self::Say(text.to_owned()) };
        };
        if command.starts_with('/') {
            return Self::Say(command.to_owned());
        }
        let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim();
        match (name, rest.is_empty()) {
            ("image", false) => image(rest),
            ("image", true) => Self::Wrong("/image needs a file: /image FILE [WORDS]".to_owned()),
            ("voice", false) => Self::Voice(rest.to_owned()),
            ("voice", true) => Self::Wrong("/voice needs a name: /voice NAME".to_owned()),
            ("interrupt", true) => Self::Interrupt,
            ("quit", true) => Self::Quit,
            ("help", true) => Self::Help,
            ("interrupt" | "quit" | "help", false) => {
                Self::Wrong(format!("/{name} stands alone; to say this line, begin it with //"))
            }
            _ => Self::Wrong(format!(
                "there is no /{name}; /help lists what there is, and a line that begins with // is said"
            )),
        }
    }

    /// Whether it waits for the answer before, when nobody types it but a pipe brings it.
    pub(super) fn waits(&self) -> bool {
        matches!(self, Self::Say(_) | Self::Image(..) | Self::Quit)
    }
}

fn image(rest: &str) -> Line {
    let (file, words) = match rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        Some((file, words)) => (file, words),
        None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
    };
    let words = Some(words.trim().to_owned()).filter(|words| !words.is_empty());
    Line::Image(PathBuf::from(file), words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_mean_what_they_look_like() {
        let say = |text: &str| Line::Say(text.to_owned());
        let words = |text: &str| Some(text.to_owned());
        for (text, line) in [
            ("  Hello there. \r", say("Hello there.")),
            ("", Line::Empty),
            ("   ", Line::Empty),
            ("//quit", say("/quit")),
            ("/quit", Line::Quit),
            ("/interrupt ", Line::Interrupt),
            ("/help", Line::Help),
            ("/voice cedar", Line::Voice("cedar".to_owned())),
            ("/image a.png", Line::Image("a.png".into(), None)),
            ("/image a.png What is this?", Line::Image("a.png".into(), words("What is this?"))),
            ("/image \"my cat.png\" Who?", Line::Image("my cat.png".into(), words("Who?"))),
        ] {
            assert_eq!(Line::of(text), line, "{text:?}");
        }
        for text in ["/", "/paint", "/voice", "/image  ", "/quit now"] {
            assert!(matches!(Line::of(text), Line::Wrong(_)), "{text:?}");
        }
    }
}
