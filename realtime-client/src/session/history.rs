//! What was said on both sides, in the order of the conversation, and how it is told to a new connection.

use std::collections::VecDeque;
use std::ops::Range;

use crate::protocol::{Item, ItemKind, NewItem, Part, PartKind, Role, UserPart};

use super::playback::HeardPart;

/// Entries and characters, names included, that are kept; the oldest go first.
const MOST_ENTRIES: usize = 1000;
const MOST_CHARS: usize = 256 * 1024;
/// Characters that a new connection is told; the newest.
const REPLAYED_CHARS: usize = 32 * 1024;
/// Content parts of an item that are told apart; what comes later counts to the last.
const MOST_PARTS: u32 = 16;
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
    /// Where in its text each content part begins, beyond the first.
    starts: Vec<usize>,
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
        let entry = Entry { item_id: item_id.to_owned(), what, complete: false, starts: Vec::new() };
        let after = previous.and_then(|id| self.entries.iter().position(|entry| entry.item_id == id));
        let index = match (previous, after) {
            (Some("root"), _) => 0,
            (_, Some(before)) => before + 1,
            _ => self.entries.len(),
        };
        self.entries.insert(index, entry);
        self.bound();
    }

    /// More of what is being said in a part of an item.
    pub(crate) fn extend(&mut self, item_id: &str, content_index: u32, role: Role, delta: &str) {
        if let Some((entry, part)) = self.open(item_id, content_index, role) {
            entry.splice(content_index, part.end..part.end, delta);
        }
        self.bound();
    }

    /// All of what was said in a part; of a cut answer nothing changes any more.
    pub(crate) fn complete(&mut self, item_id: &str, content_index: u32, role: Role, all: &str) {
        if let Some((entry, part)) = self.open(item_id, content_index, role)
            && !all.is_empty()
        {
            entry.splice(content_index, part, all);
        }
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.item_id == item_id) {
            entry.complete = true;
        }
        self.bound();
    }

    /// The entry that grows, and where in its text this part stands; `None` where it was cut.
    fn open(&mut self, item_id: &str, content_index: u32, role: Role) -> Option<(&mut Entry, Range<usize>)> {
        if !self.entries.iter().any(|entry| entry.item_id == item_id) {
            self.put(item_id, What::Said { role, text: String::new(), cut: false }, None);
        }
        let entry = self.entries.iter_mut().find(|entry| entry.item_id == item_id)?;
        let What::Said { text, cut: false, .. } = &entry.what else { return None };
        let length = text.len();
        let known = content_index.min(MOST_PARTS) as usize;
        if entry.starts.len() < known {
            entry.starts.resize(known, length);
        }
        let part = entry.part(content_index, length);
        Some((entry, part))
    }

    /// An answer was cut: of each part, so much was heard, and of those that are not named nothing.
    pub(crate) fn cut(&mut self, item_id: &str, parts: &[HeardPart]) {
        // What the server tells of it later must not bring it back.
        self.put(item_id, What::Said { role: Role::Assistant, text: String::new(), cut: false }, None);
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.item_id == item_id) else { return };
        for index in (0..=entry.starts.len() as u32).rev() {
            let What::Said { text, .. } = &entry.what else { return };
            let range = entry.part(index, text.len());
            let part = parts.iter().find(|part| part.content_index == index && part.received > 0);
            let spoken =
                part.map_or(0, |part| spoken_part(&text[range.clone()], part.heard, part.received).len());
            entry.splice(index, range.start + spoken..range.end, "");
        }
        if let What::Said { text, cut, .. } = &mut entry.what {
            text.truncate(text.trim_end().len());
            *cut = true;
        }
    }

    /// What was said in a turn so far.
    pub(crate) fn text(&self, item_id: &str) -> Option<&str> {
        self.entries.iter().find(|entry| entry.item_id == item_id).and_then(|entry| match &entry.what {
            What::Said { text, .. } => Some(text.as_str()),
            _ => None,
        })
    }

    /// What was heard of an answer gets a name of its own, because the item goes; its text, if there is any.
    pub(crate) fn retell(&mut self, item_id: &str, new_id: &str) -> Option<String> {
        let index = self.entries.iter().position(|entry| entry.item_id == item_id)?;
        let What::Said { text, .. } = &mut self.entries[index].what else { return None };
        let heard = Some(std::mem::take(text)).filter(|text| !text.is_empty())?;
        let what = What::Said { role: Role::Assistant, text: heard.clone(), cut: true };
        let entry = Entry { item_id: new_id.to_owned(), what, complete: true, starts: Vec::new() };
        self.entries.insert(index, entry);
        self.bound();
        Some(heard)
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

    /// What a new connection is told: text only, and calls only with their outputs. The newest that fits; of a newest one that
    /// is too long for that, a part.
    pub(crate) fn replay(&self) -> Vec<NewItem> {
        let mut items: Vec<NewItem> = Vec::new();
        let mut chars = 0;
        for entry in self.entries.iter().rev() {
            let Some(mut item) = self.replayed(entry) else { continue };
            let mut length = entry.chars();
            if items.is_empty() && length > REPLAYED_CHARS {
                length = shorten(&mut item, REPLAYED_CHARS / 2);
            }
            chars += length;
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

    fn bound(&mut self) {
        let mut size: usize = self.entries.iter().map(Entry::size).sum();
        while self.entries.len() > MOST_ENTRIES || (size > MOST_CHARS && self.entries.len() > 1) {
            size -= self.entries.pop_front().as_ref().map_or(0, Entry::size);
        }
    }
}

impl Entry {
    /// What it takes up, its names included: they are the server's, and of any length.
    fn size(&self) -> usize {
        let call = match &self.what {
            What::Said { .. } => 0,
            What::Called { call_id, .. } | What::Answered { call_id, .. } => call_id.len(),
        };
        self.chars() + self.item_id.len() + call
    }

    fn chars(&self) -> usize {
        match &self.what {
            What::Said { text, .. } => text.len(),
            What::Called { name, arguments, .. } => name.len() + arguments.len(),
            What::Answered { output, .. } => output.len(),
        }
    }

    /// Where in a text of this length a part stands.
    fn part(&self, content_index: u32, length: usize) -> Range<usize> {
        let index = content_index.min(MOST_PARTS) as usize;
        let begin = index.checked_sub(1).map_or(Some(0), |before| self.starts.get(before).copied());
        begin.unwrap_or(length)..self.starts.get(index).copied().unwrap_or(length)
    }

    /// Puts `new` in the place of a stretch of this part; the parts behind it move.
    fn splice(&mut self, content_index: u32, range: Range<usize>, new: &str) {
        let What::Said { text, .. } = &mut self.what else { return };
        let behind = (content_index.min(MOST_PARTS) as usize).min(self.starts.len());
        for start in &mut self.starts[behind..] {
            *start = *start - range.len() + new.len();
        }
        text.replace_range(range, new);
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

/// Leaves so much of a text: of what somebody said its end, of what a function answered its beginning. How long it now is.
fn shorten(item: &mut NewItem, most: usize) -> usize {
    let tail = |text: &mut String| {
        let begin = text.ceil_char_boundary(text.len().saturating_sub(most));
        text.replace_range(..begin, "…");
        text.len()
    };
    match item {
        NewItem::Assistant { text, .. } | NewItem::System { text, .. } => tail(text),
        NewItem::User { content, .. } => content.iter_mut().fold(0, |length, part| match part {
            UserPart::Text { text } => length + tail(text),
            _ => length,
        }),
        NewItem::FunctionCallOutput { output, .. } => {
            output.truncate(output.floor_char_boundary(most));
            output.push('…');
            output.len()
        }
        _ => usize::MAX / 2,
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
        history.extend("a1", 0, Role::Assistant, "Hello.");
        history.put("u2", What::Said { role: Role::User, text: String::new(), cut: false }, Some("a1"));
        history.put(
            "system",
            What::Said { role: Role::System, text: "Be kind.".into(), cut: false },
            Some("root"),
        );
        history.complete("u1", 0, Role::User, "Hi there.");
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
        history.extend("a", 0, Role::Assistant, "one two three four");
        history.cut("a", &[HeardPart { content_index: 0, heard: 50, received: 100 }]);
        history.extend("a", 0, Role::Assistant, " five");
        history.complete("a", 0, Role::Assistant, "one two three four five");
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
            history.complete(&format!("i{n}"), 0, Role::User, &"x".repeat(200));
        }
        assert_eq!(history.entries().count(), MOST_ENTRIES);
        let told = history.replay();
        assert!(told.len() < 170 && told.len() > 100);
    }

    #[test]
    fn parts_of_one_item_grow_side_by_side_and_are_cut_each_for_itself() {
        let mut history = History::default();
        for (part, delta) in [(0, "one "), (1, "four "), (0, "twO three "), (1, "five six seven")] {
            history.extend("a", part, Role::Assistant, delta);
        }
        history.complete("a", 0, Role::Assistant, "one two three ");
        assert_eq!(said(&history)[0].1, "one two three four five six seven");
        let heard = |content_index, heard| HeardPart { content_index, heard, received: 100 };
        history.cut("a", &[heard(0, 100), heard(1, 51)]);
        assert_eq!(said(&history)[0].1, "one two three four five");
        assert_eq!(history.retell("a", "b").unwrap(), "one two three four five");
        assert_eq!(
            said(&history),
            [("b".to_owned(), "one two three four five".to_owned()), ("a".to_owned(), String::new())]
        );
        // Absurd parts are no reason to fall over.
        history.extend("c", u32::MAX, Role::Assistant, "late");
        history.complete("c", u32::MAX - 1, Role::Assistant, "later");
        history.cut("c", &[heard(7, 0), heard(u32::MAX, 50)]);
    }

    #[test]
    fn of_a_newest_entry_that_is_too_long_a_part_is_told() {
        let long = "ä".repeat(REPLAYED_CHARS);
        let mut history = History::default();
        history.complete("u1", 0, Role::User, "Before.");
        history.complete("u2", 0, Role::User, &format!("{long} And the question."));
        let told = history.replay();
        let [NewItem::User { .. }, NewItem::User { content, .. }] = &told[..] else {
            panic!("{}", told.len())
        };
        let UserPart::Text { text } = &content[0] else { panic!() };
        assert!(
            text.starts_with("…ä") && text.ends_with("question.") && text.len() <= REPLAYED_CHARS / 2 + 5
        );

        let called = What::Called { call_id: "c".into(), name: "f".into(), arguments: "{}".into() };
        history.put("i", called, None);
        history.put("o", What::Answered { call_id: "c".into(), output: format!("x{long}") }, None);
        let told = history.replay();
        assert!(matches!(&told[0], NewItem::FunctionCall { .. }), "{}", told.len());
        assert!(matches!(&told[1], NewItem::FunctionCallOutput { output, .. } if output.ends_with("ä…")));
    }
}
