//! A library without conversations: none can be started, so there is none to ask anything of.

use std::time::Duration;

use musetalk_core::Heard;

use super::event::Told;
use crate::status::{Failure, Result};
use crate::wake::Waker;
use crate::{musetalk_conversation_description, musetalk_conversation_options, musetalk_status};

/// What cannot be.
pub(crate) enum Talk {}

impl Talk {
    /// # Safety
    ///
    /// Nothing is looked at.
    pub(super) unsafe fn start(_: &musetalk_conversation_options) -> Result<Self> {
        Err(Failure::new(
            musetalk_status::Unsupported,
            "this library was built without conversations (feature `realtime`)",
        ))
    }

    pub(super) fn next(&self, _: Option<Duration>) -> Result<Option<Told>> {
        match *self {}
    }

    pub(super) fn push(&self, _: &[i16]) -> Result<u64> {
        match *self {}
    }

    pub(super) fn send_text(&self, _: &str) -> Result<()> {
        match *self {}
    }

    pub(super) fn send_image(&self, _: &[u8], _: Option<&str>) -> Result<()> {
        match *self {}
    }

    pub(super) fn send_pixels(&self, _: u32, _: u32, _: &[u8], _: Option<&str>) -> Result<()> {
        match *self {}
    }

    pub(super) fn press(&self) -> Result<()> {
        match *self {}
    }

    pub(super) fn release(&self) -> Result<()> {
        match *self {}
    }

    pub(super) fn interrupt(&self) {
        match *self {}
    }

    pub(super) fn heard(&self, _: Heard) {
        match *self {}
    }

    pub(super) fn utterance(&self, _: u64) -> u64 {
        match *self {}
    }

    pub(super) fn tool_output(&self, _: &str, _: &str, _: bool) -> bool {
        match *self {}
    }

    pub(super) fn approve(&self, _: &str, _: bool, _: Option<&str>) -> Result<()> {
        match *self {}
    }

    pub(super) fn respond(&self, _: Option<&str>) -> Result<()> {
        match *self {}
    }

    pub(super) fn instruct(&self, _: &str) -> Result<()> {
        match *self {}
    }

    pub(super) fn describe(&self) -> musetalk_conversation_description {
        match *self {}
    }

    pub(super) fn input_rate(&self) -> u32 {
        match *self {}
    }

    pub(crate) fn set_wake(&self, _: Waker) {
        match *self {}
    }

    pub(super) fn close(&self) {
        match *self {}
    }

    pub(super) fn end(&self) {
        match *self {}
    }
}
