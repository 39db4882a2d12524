use std::ffi::c_char;

use crate::boundary::growing;
use crate::musetalk_avatar;

/// Who decides that the person has finished. Passed as uint32_t.
#[repr(u32)]
pub enum musetalk_turn_detection {
    /// As the server does it by itself: by loudness, mostly.
    ServersOwn = 0,
    /// You, by push to talk: musetalk_conversation_talk_press and _talk_release.
    Manual = 1,
    /// The server, by loudness.
    Loudness = 2,
    /// The server, by meaning.
    Meaning = 3,
}

/// How to hold a conversation. Zero the struct, set struct_size, then what you care about. Text that is NULL or empty is the default.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct musetalk_conversation_options {
    /// sizeof(musetalk_conversation_options) as you compiled it.
    pub struct_size: usize,
    /// The avatar that speaks the answers, opened with the server's output rate (24000 Hz as a rule); NULL for none. Its pushing end belongs to the
    /// conversation until that is freed, and for up to a second more.
    pub avatar: *const musetalk_avatar,
    /// "openai", "xai", "qwen", "stepfun", "azure:RESOURCE", or a ws:// or wss:// address. NULL: "openai".
    pub provider: *const c_char,
    /// The key. NULL: from the provider's variable of the environment: OPENAI_API_KEY, XAI_API_KEY, DASHSCOPE_API_KEY, STEPFUN_API_KEY,
    /// AZURE_OPENAI_API_KEY; for an address REALTIME_API_KEY, and none where that is not set. Copied, and shown nowhere.
    pub key: *const c_char,
    /// The model. NULL: the provider's own.
    pub model: *const c_char,
    /// The voice, such as "marin". NULL: the server's own.
    pub voice: *const c_char,
    /// Who the model is and how it speaks.
    pub instructions: *const c_char,
    /// The functions it may call, as JSON: [{"name": …, "description": …, "parameters": JSON Schema}, …].
    pub tools_json: *const c_char,
    /// The model that writes down what the person says. NULL: nobody does, and USER_TEXT and USER_SAID do not come.
    pub transcription_model: *const c_char,
    /// The language the person speaks, ISO 639-1, for the transcription. NULL: it is guessed.
    pub transcription_language: *const c_char,
    /// A musetalk_turn_detection.
    pub turn_detection: u32,
    /// 1: no AUDIO events; for a host that plays the samples of acquire_paced instead.
    pub without_audio: u32,
}

/// What a conversation is doing.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct musetalk_conversation_description {
    /// sizeof(musetalk_conversation_description) as you compiled it.
    pub struct_size: usize,
    /// The rate at which the server wants the person's voice, in Hz.
    pub input_rate: u32,
    /// The rate of the answers, in Hz.
    pub output_rate: u32,
    /// A musetalk_posture.
    pub posture: u32,
    /// Zero.
    pub reserved: u32,
    /// Samples of the person's voice that were dropped so far, because the network is slower than the voice.
    pub dropped_samples: u64,
    /// Answers that told what they cost.
    pub responses: u64,
    /// Tokens of writing read, without those cached.
    pub text_in: u64,
    /// Tokens of sound heard, without those cached.
    pub audio_in: u64,
    /// Tokens of pictures seen, without those cached.
    pub image_in: u64,
    /// Tokens read again from the cache.
    pub cached_in: u64,
    /// Tokens written.
    pub text_out: u64,
    /// Tokens spoken.
    pub audio_out: u64,
}

growing!(musetalk_conversation_options, without_audio: u32);
growing!(musetalk_conversation_description, audio_out: u64);
