//! The person of `--provider demo`: writes, speaks, and interrupts, so that one command shows a whole conversation.

use std::collections::VecDeque;

/// What the person does next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Deed {
    Write(&'static str),
    /// Speak the recording: its first seconds, or all of it.
    Speak(Option<f64>),
}

/// What the person waits for, and then does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Do(Deed),
    /// Until nobody speaks, thinks or listens.
    Calm,
    /// Until this many seconds of an answer were heard, or it is over.
    Heard(f64),
}

/// How the conversation stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Situation {
    /// Nobody does anything, and has not for a moment.
    pub(super) calm: bool,
    /// Seconds of the answer that sounds; 0 when none does.
    pub(super) heard: f64,
}

/// What the person will do.
#[derive(Debug)]
pub(super) struct Person {
    steps: VecDeque<Step>,
}

impl Person {
    /// Writes a question, speaks one (`seconds` of a recording), writes again and speaks into the answer.
    pub(super) fn new(seconds: Option<f64>) -> Self {
        Self {
            steps: VecDeque::from([
                Step::Do(Deed::Write("Hello! Who are you?")),
                Step::Calm,
                Step::Do(Deed::Speak(seconds)),
                Step::Calm,
                Step::Do(Deed::Write("Tell me more about that.")),
                Step::Heard(2.0),
                Step::Do(Deed::Speak(Some(1.2))),
                Step::Calm,
            ]),
        }
    }

    /// What is done now, if anything.
    pub(super) fn next(&mut self, now: Situation) -> Option<Deed> {
        let over = match *self.steps.front()? {
            Step::Do(_) => true,
            Step::Calm => now.calm,
            Step::Heard(seconds) => now.heard >= seconds || now.calm,
        };
        if !over {
            return None;
        }
        match self.steps.pop_front()? {
            Step::Do(deed) => Some(deed),
            Step::Calm | Step::Heard(_) => None,
        }
    }

    /// Has nothing left to do.
    pub(super) fn is_done(&self) -> bool {
        self.steps.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_person_waits_to_speak_and_does_not_wait_to_interrupt() {
        let mut person = Person::new(None);
        let (busy, calm) = (Situation { calm: false, heard: 0.0 }, Situation { calm: true, heard: 0.0 });
        assert!(matches!(person.next(busy), Some(Deed::Write(_))));
        assert_eq!(person.next(Situation { calm: false, heard: 9.0 }), None);
        assert_eq!((person.next(calm), person.next(busy)), (None, Some(Deed::Speak(None))));
        assert_eq!(person.next(calm), None);
        assert!(matches!(person.next(busy), Some(Deed::Write(_))));
        assert_eq!(person.next(Situation { calm: false, heard: 1.0 }), None);
        assert_eq!(person.next(Situation { calm: false, heard: 2.1 }), None);
        assert_eq!(person.next(Situation { calm: false, heard: 2.2 }), Some(Deed::Speak(Some(1.2))));
        assert!(!person.is_done());
        assert_eq!((person.next(calm), person.next(calm)), (None, None));
        assert!(person.is_done());
    }
}
