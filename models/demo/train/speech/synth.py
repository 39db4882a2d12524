"""Speech with timed phonemes from libespeak-ng, through ctypes.

Why espeak-ng: it tells exactly when each phoneme starts in the samples it hands
out, so the ground truth needs no aligner and no recorded data set.  The library
keeps global state; use one `Synthesiser` per process.
"""

import ctypes
from dataclasses import dataclass, field

import numpy as np

_RETRIEVAL = 1
_PHONEME_EVENTS = 1
_PHONEME_IPA = 2
_CHARS_UTF8 = 1
_EVENT_LIST_TERMINATED = 0
_EVENT_PHONEME = 7
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass
class Speech:
    """One utterance: int16 samples and (start seconds, IPA name) per phoneme."""

    rate: int
    samples: np.ndarray
    phonemes: list = field(default_factory=list)


class Synthesiser:
    """Thin wrapper of the synthesis callback; collects samples and phoneme events."""

    def __init__(self, data=None):
        """`data`: the folder that holds another espeak-ng-data than the installed one."""
        self._lib = ctypes.CDLL("libespeak-ng.so.1")
        path = str(data).encode() if data else None
        self.rate = self._lib.espeak_Initialize(
            _RETRIEVAL, 0, path, _PHONEME_EVENTS | _PHONEME_IPA
        )
        if self.rate <= 0:
            raise RuntimeError("espeak-ng did not initialise; is its data package installed?")
        self._chunks = []
        self._events = []
        # The reference must live as long as the library may call it.
        self._callback = _CALLBACK(self._collect)
        self._lib.espeak_SetSynthCallback(self._callback)

    def _collect(self, wav, count, events):
        if wav and count > 0:
            self._chunks.append(np.ctypeslib.as_array(wav, (count,)).copy())
        i = 0
        while events[i].type != _EVENT_LIST_TERMINATED:
            if events[i].type == _EVENT_PHONEME:
                # The union is 8 bytes and not always terminated.
                raw = ctypes.string_at(
                    ctypes.addressof(events[i]) + _Event.id.offset, 8
                ).split(b"\0")[0]
                self._events.append(
                    (events[i].audio_position / 1000.0, raw.decode("utf-8", "ignore"))
                )
            i += 1
        return 0

    def say(self, text, voice, rate=170, pitch=50, pitch_range=50):
        """Synthesise `text`; `voice` is e.g. "de+f2".  Returns a `Speech`."""
        lib = self._lib
        if lib.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"no such voice: {voice}")
        for what, value in ((_RATE, rate), (_VOLUME, 90), (_PITCH, pitch), (_RANGE, pitch_range)):
            lib.espeak_SetParameter(what, int(value), 0)
        self._chunks, self._events = [], []
        data = text.encode() + b"\0"
        lib.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 1, 0, _CHARS_UTF8, None, None)
        lib.espeak_Synchronize()
        samples = (
            np.concatenate(self._chunks) if self._chunks else np.zeros(0, np.int16)
        )
        return Speech(self.rate, samples, list(self._events))
