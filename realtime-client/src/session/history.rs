//! What was said on both sides, in the order of the conversation, and how it is told to a new connection.

use std::collections::VecDeque;

use crate::protocol::{Item, ItemKind, NewItem, Part, PartKind, Role, UserPart};

/// Entries and characters that are kept; the oldest go first.
const MOST_ENTRIES: usize = 1000;
const MOST_CHARS: usize = 256 * 1024;
/// Characters that a new connection is told; the newest.
const REPLAYED_CHARS: usize = 32 * 1024;
/// Longer names are refused as names of new items.
const LONGEST_ID: usize = 32;

/// One turn, or one step of a tool, of a conversation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// The item's name.
    pub item_id: String,
    /// What happened.
    pub what: What,
    /// Nothing more will come.
    pub complete: bool,
}

/// What happened in a turn.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// Somebody said or wrote something.
    Said {
        /// Who.
        role: Role,
        /// What; of a cut answer, about what was heard of it.
        text: String,
        /// It was cut.
        cut: bool,
    },
    /// The model asked for a function.
    Called {
        /// Joins it with its output.
        call_id: String,
        /// The function.
        name: String,
        /// JSON, as the model wrote it.
        arguments: String,
    },
    /// A function answered.
    Answered {
        /// The call.
        call_id: String,
        /// What it answered.
        output: String,
    },
}

#[derive(Debug, Default)]
pub(crate) struct History {
    entries: VecDeque<Entry>,
}

impl History {
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// An item that the server tells of, at its place; one that is known keeps the place it has.
    pub(crate) fn place(&mut self, item: &Item, previous: Option<&str>) {
        let what = match item.kind {
            ItemKind::Message => What::Said { role: item.role, text: item.text(), cut: false },
            ItemKind::FunctionCall => What::Called {
                call_id: item.call_id.clone(),
                name: item.name.clone(),
                arguments: item.arguments.clone(),
            },
            ItemKind::FunctionCallOutput => What::Answered {
                call_id: item.call_id.clone(),
                output: item.output.clone().unwrap_or_default(),
            },
            _ => return,
        };
        self.put(&item.id, what, previous);
    }

    /// What this client adds itself, or a turn that has only a name so far.
    pub(crate) fn put(&mut self, item_id: &str, what: What, previous: Option<&str>) {
        let same = |entry: &Entry| match (&entry.what, &what) {
            (What::Called { call_id: a, .. }, What::Called { call_id: b, .. })
            | (What::Answered { call_id: a, .. }, What::Answered { call_id: b, .. }) => a == b,
            _ => entry.item_id == item_id,
        };
        if let Some(known) = self.entries.iter_mut().find(|entry| same(entry)) {
            known.learn(what);
            return;
        }
        let entry = Entry { item_id: item_id.to_owned(), what, complete: false };
        let after = previous.and_then(|id| self.entries.iter().position(|entry| entry.item_id == id));
        let index = match (previous, after) {
            (Some("root"), _) => 0,
            (_, Some(before)) => before + 1,
            _ => self.entries.len(),
        };
        self.entries.insert(index, entry);
        self.bound();
    }

    /// More of what is being said.
    pub(crate) fn extend(&mut self, item_id: &str, role: Role, delta: &str) {
        if !self.entries.iter().any(|entry| entry.item_id == item_id) {
            self.put(item_id, What::Said { role, text: String::new(), cut: false }, None);
        }
        if let Some(What::Said { text, cut: false, .. }) = self.what(item_id) {
            text.push_str(delta);
        }
        self.bound();
    }

    /// All of what was said; of a cut answer nothing changes any more.
    pub(crate) fn complete(&mut self, item_id: &str, role: Role, all: &str) {
        if !self.entries.iter().any(|entry| entry.item_id == item_id) {
            self.put(item_id, What::Said { role, text: String::new(), cut: false }, None);
        }
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.item_id == item_id) {
            entry.complete = true;
            if let What::Said { text, cut: false, .. } = &mut entry.what
                && !all.is_empty()
            {
                *text = all.to_owned();
            }
        }
        self.bound();
    }

    /// An answer was cut after `heard` of `received` samples.
    pub(crate) fn cut(&mut self, item_id: &str, heard: u64, received: u64) {
        // What the server tells of it later must not bring it back.
        self.put(item_id, What::Said { role: Role::Assistant, text: String::new(), cut: false }, None);
        if let Some(What::Said { text, cut, .. }) = self.what(item_id) {
            let spoken = spoken_part(text, heard, received).len();
            text.truncate(spoken);
            *cut = true;
        }
    }

    /// Whether the item was cut.
    pub(crate) fn is_cut(&self, item_id: &str) -> bool {
        let cut =
            |entry: &Entry| entry.item_id == item_id && matches!(entry.what, What::Said { cut: true, .. });
        self.entries.iter().any(cut)
    }

    pub(crate) fn remove(&mut self, item_id: &str) {
        self.entries.retain(|entry| entry.item_id != item_id);
    }

    /// What a new connection is told: text only, and calls only with their outputs. The newest that fits.
    pub(crate) fn replay(&self) -> Vec<NewItem> {
        let mut items: Vec<NewItem> = Vec::new();
        let mut chars = 0;
        for entry in self.entries.iter().rev() {
            let Some(item) = self.replayed(entry) else { continue };
            chars += entry.chars();
            if chars > REPLAYED_CHARS {
                break;
            }
            items.push(item);
        }
        items.reverse();
        // The limit may have fallen between a call and its output.
        let called: Vec<String> = items.iter().filter_map(call_of).map(str::to_owned).collect();
        items.retain(|item| match item {
            NewItem::FunctionCallOutput { call_id, .. } => called.contains(call_id),
            _ => true,
        });
        items
    }

    fn replayed(&self, entry: &Entry) -> Option<NewItem> {
        let id = (entry.item_id.len() <= LONGEST_ID).then(|| entry.item_id.clone());
        match &entry.what {
            What::Said { text, .. } if text.is_empty() => None,
            What::Said { role: Role::Assistant, text, .. } => {
                Some(NewItem::Assistant { id, text: text.clone() })
            }
            What::Said { role: Role::System, text, .. } => Some(NewItem::System { id, text: text.clone() }),
            What::Said { text, .. } => {
                Some(NewItem::User { id, content: vec![UserPart::Text { text: text.clone() }] })
            }
            What::Called { call_id, name, arguments } => {
                self.answered(call_id).then(|| NewItem::FunctionCall {
                    call_id: call_id.clone(),
                    name: name.clone(),
                    arguments: arguments.clone(),
                })
            }
            What::Answered { call_id, output } => self
                .called(call_id)
                .then(|| NewItem::FunctionCallOutput { call_id: call_id.clone(), output: output.clone() }),
        }
    }

    fn answered(&self, id: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| matches!(&entry.what, What::Answered { call_id, .. } if call_id == id))
    }

    fn called(&self, id: &str) -> bool {
        self.entries.iter().any(|entry| matches!(&entry.what, What::Called { call_id, .. } if call_id == id))
    }

    fn what(&mut self, item_id: &str) -> Option<&mut What> {
        self.entries.iter_mut().find(|entry| entry.item_id == item_id).map(|entry| &mut entry.what)
    }

    fn bound(&mut self) {
        let mut chars: usize = self.entries.iter().map(Entry::chars).sum();
        while self.entries.len() > MOST_ENTRIES || (chars > MOST_CHARS && self.entries.len() > 1) {
            chars -= self.entries.pop_front().as_ref().map_or(0, Entry::chars);
        }
    }
}

impl Entry {
    fn chars(&self) -> usize {
        match &self.what {
            What::Said { text, .. } => text.len(),
            What::Called { name, arguments, .. } => name.len() + arguments.len(),
            What::Answered { output, .. } => output.len(),
        }
    }

    /// A later word on the same item fills gaps and takes nothing back.
    fn learn(&mut self, news: What) {
        match (&mut self.what, news) {
            (What::Said { role, text, cut: false }, What::Said { role: told, text: new, .. }) => {
                if told != Role::Other {
                    *role = told;
                }
                if text.is_empty() {
                    *text = new;
                }
            }
            (What::Called { name, arguments, .. }, What::Called { name: told, arguments: new, .. }) => {
                if !told.is_empty() {
                    *name = told;
                }
                if !new.is_empty() {
                    *arguments = new;
                }
            }
            _ => {}
        }
    }
}

fn call_of(item: &NewItem) -> Option<&str> {
    match item {
        NewItem::FunctionCall { call_id, .. } => Some(call_id),
        _ => None,
    }
}

/// About what was heard of a text: its share of the sound, back to the end of a word. Text and sound are not aligned on the wire,
/// so this is an estimate, for people and for a replay.
pub(crate) fn spoken_part(text: &str, heard: u64, received: u64) -> &str {
    if heard >= received {
        return text;
    }
    let share = text.len() as u128 * u128::from(heard) / u128::from(received.max(1));
    let mut end = usize::try_from(share).unwrap_or(0);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let inside_word = text[end..].chars().next().is_some_and(|c| !c.is_whitespace());
    let kept = &text[..end];
    let words =
        if inside_word { kept.rfind(char::is_whitespace).map_or("", |space| &kept[..space]) } else { kept };
    words.trim_end()
}

/// Whether a message holds voice: such an item may be truncated.
pub(crate) fn is_spoken(item: &Item) -> bool {
    let spoken = |part: &Part| part.kind == PartKind::OutputAudio;
    item.kind == ItemKind::Message && item.content.iter().any(spoken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(history: &History) -> Vec<(String, String)> {
        let said = |entry: &Entry| match &entry.what {
            What::Said { text, .. } => Some((entry.item_id.clone(), text.clone())),
            _ => None,
        };
        history.entries().filter_map(said).collect()
    }

    #[test]
    fn a_transcript_that_comes_late_stands_where_it_was_said() {
        let mut history = History::default();
        history.put("u1", What::Said { role: Role::User, text: String::new(), cut: false }, None);
        history.extend("a1", Role::Assistant, "Hello.");
        history.put("u2", What::Said { role: Role::User, text: String::new(), cut: false }, Some("a1"));
        history.put(
            "system",
            What::Said { role: Role::System, text: "Be kind.".into(), cut: false },
            Some("root"),
        );
        history.complete("u1", Role::User, "Hi there.");
        let expected = [("system", "Be kind."), ("u1", "Hi there."), ("a1", "Hello."), ("u2", "")];
        assert_eq!(said(&history), expected.map(|(id, text)| (id.to_owned(), text.to_owned())));
    }

    #[test]
    fn what_was_heard_of_a_text_ends_with_a_word() {
        for (heard, expected) in
            [(0, ""), (25, "one"), (50, "one two"), (99, "one two three"), (100, "one two three four")]
        {
            assert_eq!(spoken_part("one two three four", heard, 100), expected, "{heard}");
        }
        assert_eq!(spoken_part("äöü äöü", 55, 100), "äöü");
        assert_eq!(spoken_part("", 1, 0), "");
    }

    #[test]
    fn a_cut_answer_keeps_only_what_was_heard_whatever_comes_later() {
        let mut history = History::default();
        history.extend("a", Role::Assistant, "one two three four");
        history.cut("a", 50, 100);
        history.extend("a", Role::Assistant, " five");
        history.complete("a", Role::Assistant, "one two three four five");
        assert_eq!(said(&history)[0].1, "one two");
        assert_eq!(history.replay(), [NewItem::Assistant { id: Some("a".into()), text: "one two".into() }]);
    }

    #[test]
    fn a_new_connection_is_told_calls_only_with_their_outputs() {
        let mut history = History::default();
        let call = |id: &str| What::Called { call_id: id.into(), name: "f".into(), arguments: "{}".into() };
        history.put("i1", call("c1"), None);
        history.put("i2", call("c2"), None);
        history.put("o1", What::Answered { call_id: "c1".into(), output: "1".into() }, None);
        let replay = history.replay();
        assert_eq!(replay.len(), 2);
        assert!(matches!(&replay[0], NewItem::FunctionCall { call_id, .. } if call_id == "c1"));
    }

    #[test]
    fn a_long_conversation_is_forgotten_from_its_start() {
        let mut history = History::default();
        for n in 0..2000 {
            history.complete(&format!("i{n}"), Role::User, &"x".repeat(200));
        }
        assert_eq!(history.entries().count(), MOST_ENTRIES);
        let told = history.replay();
        assert!(told.len() < 170 && told.len() > 100);
    }
}
