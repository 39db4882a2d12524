//! What stands behind a `musetalk_conversation`.

use std::sync::Arc;
use std::time::Duration;

use musetalk_core::Heard;
use realtime_client::bridge::Utterances;
use realtime_client::protocol::{Detail, ResponseParams, SessionUpdate, UserPart};
use realtime_client::session::{Event, Posture, ToolOutput};
use realtime_client::{ErrorKind, Picture, RealtimeClient};

use super::event::Told;
use super::start;
use super::told::told;
use crate::half::Half;
use crate::status::{Failure, Result};
use crate::wake::{Bell, Waker};
use crate::{
    musetalk_conversation_description, musetalk_conversation_options, musetalk_posture, musetalk_status,
};

/// A wait without limit looks up this often.
const SLICE: Duration = Duration::from_secs(3600);

pub(crate) struct Talk {
    pub(super) client: RealtimeClient,
    /// Which answer is which utterance of the avatar, where there is one.
    pub(super) utterances: Option<Utterances>,
    pub(super) input_rate: u32,
    /// One thread at a time reads events.
    pub(super) reading: Half<()>,
    /// Who is told that there are events.
    pub(super) bell: Arc<Bell>,
}

impl Talk {
    /// # Safety
    ///
    /// The texts in `options` are NULL or NUL-terminated.
    pub(super) unsafe fn start(options: &musetalk_conversation_options) -> Result<Self> {
        // SAFETY: promised by the caller.
        unsafe { start::start(options) }
    }

    pub(super) fn next(&self, time: Option<Duration>) -> Result<Option<Told>> {
        let _inside = self.reading.enter()?;
        let event = loop {
            match self.client.wait(time.unwrap_or(SLICE)) {
                Err(e) if e.kind() == ErrorKind::TimedOut && time.is_none() => {}
                answer => break answer?,
            }
        };
        Ok(event.map(|event: Event| told(event, |answer| self.utterance(answer))))
    }

    pub(super) fn push(&self, pcm: &[i16]) -> Result<u64> {
        if self.client.is_closed() {
            return Err(Failure::new(musetalk_status::Closed, "the conversation is over; start another one"));
        }
        Ok(self.client.push_audio(pcm))
    }

    pub(super) fn send_text(&self, text: &str) -> Result<()> {
        Ok(self.client.say(text)?)
    }

    pub(super) fn send_image(&self, file: &[u8], text: Option<&str>) -> Result<()> {
        self.show(Picture::from_file(file)?, text)
    }

    pub(super) fn send_pixels(&self, width: u32, height: u32, rgb: &[u8], text: Option<&str>) -> Result<()> {
        self.show(Picture::from_rgb(width, height, rgb)?, text)
    }

    fn show(&self, picture: Picture, text: Option<&str>) -> Result<()> {
        let text = text.map(|text| UserPart::Text { text: text.to_owned() });
        Ok(self.client.show(text.into_iter().chain([picture.part(Detail::Auto)]).collect())?)
    }

    pub(super) fn press(&self) -> Result<()> {
        Ok(self.client.press()?)
    }

    pub(super) fn release(&self) -> Result<()> {
        Ok(self.client.release()?)
    }

    pub(super) fn interrupt(&self) {
        self.client.interrupt();
    }

    pub(super) fn heard(&self, heard: Heard) {
        match &self.utterances {
            Some(utterances) => utterances.heard(&self.client, heard),
            None => self.client.heard(heard.utterance.get(), heard.samples),
        }
    }

    pub(super) fn utterance(&self, answer: u64) -> u64 {
        match &self.utterances {
            Some(utterances) => utterances.avatars(answer).map_or(0, |utterance| utterance.get()),
            None => answer,
        }
    }

    pub(super) fn tool_output(&self, call_id: &str, output: &str, silent: bool) -> bool {
        let output = if silent { ToolOutput::silent(output) } else { ToolOutput::new(output) };
        self.client.tool_output(call_id, output)
    }

    pub(super) fn approve(&self, request_id: &str, approve: bool, reason: Option<&str>) -> Result<()> {
        Ok(self.client.approve(request_id, approve, reason.map(str::to_owned))?)
    }

    pub(super) fn respond(&self, instructions: Option<&str>) -> Result<()> {
        let params = instructions.map(|instructions| {
            let mut params = ResponseParams::default();
            params.instructions = Some(instructions.to_owned());
            params
        });
        Ok(self.client.respond(params)?)
    }

    pub(super) fn instruct(&self, instructions: &str) -> Result<()> {
        let mut update = SessionUpdate::default();
        update.instructions = Some(instructions.to_owned());
        Ok(self.client.update(&update)?)
    }

    pub(super) fn describe(&self) -> musetalk_conversation_description {
        let usage = self.client.usage();
        musetalk_conversation_description {
            struct_size: 0,
            input_rate: self.input_rate,
            output_rate: self.client.output_rate(),
            posture: posture(self.client.posture()),
            reserved: 0,
            dropped_samples: self.client.dropped_audio(),
            responses: usage.responses,
            text_in: usage.text_in,
            audio_in: usage.audio_in,
            image_in: usage.image_in,
            cached_in: usage.cached_in,
            text_out: usage.text_out,
            audio_out: usage.audio_out,
        }
    }

    pub(super) fn input_rate(&self) -> u32 {
        self.input_rate
    }

    pub(crate) fn set_wake(&self, listener: Waker) {
        self.bell.set(listener);
    }

    pub(super) fn close(&self) {
        self.client.close();
    }

    /// Closes, and tells nobody any more.
    pub(super) fn end(&self) {
        self.close();
        self.bell.end();
    }
}

pub(super) fn posture(posture: Posture) -> u32 {
    (match posture {
        Posture::Listening => musetalk_posture::Listening,
        Posture::Thinking => musetalk_posture::Thinking,
        Posture::Working => musetalk_posture::Working,
        Posture::Speaking => musetalk_posture::Speaking,
        _ => musetalk_posture::Idle,
    }) as u32
}
