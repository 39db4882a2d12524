//! What was said, how far it was heard, and what the model must forget when it is cut.
//!
//! One answer is one utterance. Its parts enter the utterance in the order of the output, each after its predecessor is
//! complete, however their pieces arrive; so every sample of an utterance belongs to exactly one part of one item.

use std::collections::VecDeque;

use crate::protocol::audio::Decoder;

/// Utterances that may wait to be heard. A host that never says what was heard loses the oldest.
const MOST_WAITING: usize = 64;

/// Parts of an answer. More are no answer but an attack.
const MOST_PARTS: usize = 256;

/// Where a part stands in an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) item_id: String,
    pub(crate) output_index: u32,
    pub(crate) content_index: u32,
}

/// What comes out of the ledger, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Flow {
    Begin(u64),
    Audio(u64, Vec<i16>),
    End(u64),
}

/// What the model must forget of one item, and what of it was heard.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) item_id: String,
    /// Its parts with sound, in order.
    pub(crate) parts: Vec<HeardPart>,
    pub(crate) remedy: Remedy,
}

/// How much of a part was heard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct HeardPart {
    pub(crate) content_index: u32,
    pub(crate) heard: u64,
    pub(crate) received: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Remedy {
    /// All of it was heard.
    Keep,
    Truncate {
        content_index: u32,
        audio_end_ms: u64,
    },
    Delete,
    /// The wire can cut one part and cannot take one away: the item is deleted, and what was heard of it told as text.
    Retell,
}

/// What a cut has ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Cut {
    pub(crate) utterance: u64,
    pub(crate) response_id: String,
    pub(crate) verdicts: Vec<Verdict>,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    rate: u32,
    begun: u64,
    utterances: VecDeque<Utterance>,
    flow: VecDeque<Flow>,
}

#[derive(Debug)]
struct Utterance {
    /// 0 until the first sample enters.
    number: u64,
    response_id: String,
    /// In the order in which they enter; those before `at` are complete.
    parts: Vec<Part>,
    at: usize,
    entered: u64,
    heard: u64,
    complete: bool,
}

#[derive(Debug)]
struct Part {
    place: Place,
    decoder: Decoder,
    /// Where in the utterance its first sample stands, once it enters.
    start: u64,
    entered: u64,
    waiting: Vec<i16>,
    done: bool,
}

impl Part {
    fn received(&self) -> u64 {
        self.entered + self.waiting.len() as u64
    }

    fn is_at(&self, place: &Place) -> bool {
        self.place.item_id == place.item_id && self.place.content_index == place.content_index
    }

    fn order(&self) -> (u32, u32) {
        (self.place.output_index, self.place.content_index)
    }
}

impl Ledger {
    pub(crate) fn new(rate: u32) -> Self {
        Self { rate, begun: 0, utterances: VecDeque::new(), flow: VecDeque::new() }
    }

    pub(crate) fn set_rate(&mut self, rate: u32) {
        self.rate = rate;
    }

    /// A part that will bring sound.
    pub(crate) fn expect(&mut self, response_id: &str, place: &Place) {
        if self.has_room(response_id) {
            self.part(response_id, place);
        }
    }

    fn has_room(&self, response_id: &str) -> bool {
        let utterance = self.utterances.iter().find(|utterance| utterance.response_id == response_id);
        utterance.is_none_or(|utterance| utterance.parts.len() < MOST_PARTS)
    }

    /// A piece of sound; how many samples it held.
    pub(crate) fn receive(
        &mut self,
        response_id: &str,
        place: &Place,
        base64: &str,
    ) -> Result<usize, String> {
        if !self.has_room(response_id) && !self.knows(response_id, place) {
            return Err(format!("an answer of more than {MOST_PARTS} parts"));
        }
        let part = self.part(response_id, place);
        let pcm = part.decoder.decode(base64)?;
        let samples = pcm.len();
        part.waiting.extend(pcm);
        self.advance(response_id);
        Ok(samples)
    }

    /// A part has brought all its sound.
    pub(crate) fn part_done(&mut self, response_id: &str, item_id: &str, content_index: u32) {
        let Some(utterance) = self.of(response_id) else { return };
        let named =
            |part: &&mut Part| part.place.item_id == item_id && part.place.content_index == content_index;
        if let Some(part) = utterance.parts.iter_mut().find(named) {
            part.done = true;
        }
        self.advance(response_id);
    }

    /// An item has brought all its sound, in all its parts.
    pub(crate) fn item_done(&mut self, response_id: &str, item_id: &str) {
        let Some(utterance) = self.of(response_id) else { return };
        let mine = utterance.parts.iter_mut().filter(|part| part.place.item_id == item_id);
        mine.for_each(|part| part.done = true);
        self.advance(response_id);
    }

    /// An answer is over: nothing more will come.
    pub(crate) fn response_done(&mut self, response_id: &str) {
        let Some(utterance) = self.of(response_id) else { return };
        utterance.complete = true;
        utterance.parts.iter_mut().for_each(|part| part.done = true);
        self.advance(response_id);
        let silent = |u: &Utterance| u.response_id == response_id && u.number == 0;
        self.utterances.retain(|utterance| !silent(utterance));
        let ended = self.utterances.iter().find(|utterance| utterance.response_id == response_id);
        if let Some(number) = ended.map(|utterance| utterance.number) {
            self.flow.push_back(Flow::End(number));
        }
        self.forget_heard();
    }

    /// What enters next.
    pub(crate) fn next(&mut self) -> Option<Flow> {
        self.flow.pop_front()
    }

    /// Samples of `utterance` that have sounded, in all. Only ever grows; what has not entered cannot have been heard.
    ///
    /// Who hears an utterance has heard those before it to their ends, or to where they were left.
    pub(crate) fn heard(&mut self, utterance: u64, samples: u64) {
        if !self.utterances.iter().any(|u| u.number == utterance) {
            return;
        }
        self.utterances.retain(|u| u.number == 0 || u.number >= utterance || !u.complete);
        if let Some(u) = self.utterances.iter_mut().find(|u| u.number == utterance) {
            u.heard = u.heard.max(samples.min(u.entered));
        }
        self.forget_heard();
    }

    fn forget_heard(&mut self) {
        self.utterances.retain(|u| !(u.complete && u.heard == u.entered));
    }

    /// Whether something was said that has not been heard to its end.
    pub(crate) fn sounding(&self) -> bool {
        self.utterances.iter().any(|utterance| utterance.number > 0)
    }

    /// Ends everything that was not heard to its end, and says what the model must forget of it.
    pub(crate) fn cut(&mut self) -> Vec<Cut> {
        self.flow.clear();
        let rate = self.rate;
        self.utterances.drain(..).map(|utterance| utterance.cut(rate)).collect()
    }

    /// The connection is gone: no piece will follow, what has come may still be heard.
    pub(crate) fn disconnect(&mut self) {
        let open = self.utterances.iter().filter(|u| !u.complete).map(|u| u.response_id.clone());
        for response_id in open.collect::<Vec<_>>() {
            self.response_done(&response_id);
        }
    }

    fn knows(&self, response_id: &str, place: &Place) -> bool {
        let utterance = self.utterances.iter().find(|utterance| utterance.response_id == response_id);
        utterance.is_some_and(|utterance| utterance.parts.iter().any(|part| part.is_at(place)))
    }

    fn of(&mut self, response_id: &str) -> Option<&mut Utterance> {
        self.utterances.iter_mut().find(|utterance| utterance.response_id == response_id)
    }

    fn part(&mut self, response_id: &str, place: &Place) -> &mut Part {
        let known = self.utterances.iter().position(|utterance| utterance.response_id == response_id);
        let index = known.unwrap_or_else(|| {
            if self.utterances.len() == MOST_WAITING {
                self.utterances.pop_front();
            }
            self.utterances.push_back(Utterance::new(response_id));
            self.utterances.len() - 1
        });
        self.utterances[index].part(place)
    }

    /// Samples that came before what must sound before them.
    pub(crate) fn waiting(&self) -> u64 {
        let parts = self.utterances.iter().flat_map(|utterance| &utterance.parts);
        parts.map(|part| part.waiting.len() as u64).sum()
    }

    /// Lets in what is next in order.
    fn advance(&mut self, response_id: &str) {
        let next = self.begun + 1;
        let Some(utterance) = self.utterances.iter_mut().find(|u| u.response_id == response_id) else {
            return;
        };
        let mut flow = Vec::new();
        while let Some(part) = utterance.parts.get_mut(utterance.at) {
            if part.entered == 0 {
                part.start = utterance.entered;
            }
            if !part.waiting.is_empty() {
                if utterance.number == 0 {
                    utterance.number = next;
                    flow.push(Flow::Begin(next));
                }
                let pcm = std::mem::take(&mut part.waiting);
                part.entered += pcm.len() as u64;
                utterance.entered += pcm.len() as u64;
                flow.push(Flow::Audio(utterance.number, pcm));
            }
            if !part.done {
                break;
            }
            utterance.at += 1;
        }
        self.begun = self.begun.max(utterance.number);
        self.flow.extend(flow);
    }
}

impl Utterance {
    fn new(response_id: &str) -> Self {
        Self {
            number: 0,
            response_id: response_id.to_owned(),
            parts: Vec::new(),
            at: 0,
            entered: 0,
            heard: 0,
            complete: false,
        }
    }

    fn part(&mut self, place: &Place) -> &mut Part {
        if let Some(index) = self.parts.iter().position(|part| part.is_at(place)) {
            return &mut self.parts[index];
        }
        let part = Part {
            place: place.clone(),
            decoder: Decoder::default(),
            start: 0,
            entered: 0,
            waiting: Vec::new(),
            done: false,
        };
        // What has begun to enter keeps its place, also where a later one should have been first.
        let begun = match self.parts.get(self.at) {
            Some(current) if current.entered > 0 => self.at + 1,
            _ => self.at,
        };
        let later = self.parts[begun..].iter().position(|other| other.order() > part.order());
        let index = later.map_or(self.parts.len(), |later| begun + later);
        self.parts.insert(index, part);
        &mut self.parts[index]
    }

    fn cut(self, rate: u32) -> Cut {
        let mut verdicts: Vec<Verdict> = Vec::new();
        let sounding: Vec<&Part> = self.parts.iter().filter(|part| part.received() > 0).collect();
        for part in &sounding {
            let item_id = &part.place.item_id;
            if verdicts.iter().any(|verdict| verdict.item_id == *item_id) {
                continue;
            }
            let parts: Vec<&Part> =
                sounding.iter().copied().filter(|other| other.place.item_id == *item_id).collect();
            let remedy = self.remedy(&parts, rate);
            let parts = parts.iter().map(|part| HeardPart {
                content_index: part.place.content_index,
                heard: self.heard_of(part),
                received: part.received(),
            });
            verdicts.push(Verdict { item_id: item_id.clone(), parts: parts.collect(), remedy });
        }
        Cut { utterance: self.number, verdicts, response_id: self.response_id }
    }

    fn heard_of(&self, part: &Part) -> u64 {
        self.heard.saturating_sub(part.start).min(part.entered)
    }

    /// What to do about an item with these parts, of which one was cut and those behind it were not heard.
    fn remedy(&self, parts: &[&Part], rate: u32) -> Remedy {
        let whole = |part: &&Part| self.heard_of(part) == part.received() && part.done;
        let Some(at) = parts.iter().position(|part| !whole(part)) else { return Remedy::Keep };
        let heard = |part: &&Part| millis(self.heard_of(part), rate);
        let audio_end_ms = heard(&parts[at]);
        match parts.iter().map(heard).sum::<u64>() {
            0 => Remedy::Delete,
            _ if audio_end_ms > 0 && at + 1 == parts.len() => {
                Remedy::Truncate { content_index: parts[at].place.content_index, audio_end_ms }
            }
            _ => Remedy::Retell,
        }
    }
}

/// Floored: the wire counts no further than what was heard.
fn millis(samples: u64, rate: u32) -> u64 {
    samples * 1000 / u64::from(rate.max(1))
}
