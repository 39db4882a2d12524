"""A talking face: push a voice, read frames."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import timedelta
from fractions import Fraction
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeAlias, final

import numpy as np
import numpy.typing as npt
from typing_extensions import Buffer

__all__ = [
    "MuseTalkError",
    "InvalidInputError",
    "NotFoundError",
    "CorruptError",
    "IncompatibleError",
    "UnsupportedError",
    "BufferFullError",
    "CancelledError",
    "TimedOutError",
    "IoError",
    "DeviceUnavailableError",
    "OutOfMemoryError",
    "ClosedError",
    "UnauthorizedError",
    "QuotaError",
    "UntrustedError",
    "BusyError",
    "RefusedError",
    "NetworkError",
    "InternalError",
    "Engine",
    "Pack",
    "Avatar",
    "PcmWriter",
    "FrameReader",
    "Interrupter",
    "AvatarAsset",
    "Frame",
    "Region",
    "Heard",
    "Stats",
    "StageTime",
    "Progress",
    "BuiltPack",
    "Realtime",
    "Event",
    "Entry",
    "Usage",
    "ScriptedServer",
    "build_pack",
    "create_avatar",
    "create_avatar_from_footage",
    "Tool",
]

__version__: Final[str]

_Pcm: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.int16] | bytes | bytearray | memoryview
"""Mono samples: float32 in -1..1, int16, or bytes of int16, the lower byte first."""

_Format: TypeAlias = Literal["rgb8", "rgba8", "bgra8"]
_Turns: TypeAlias = Literal["server", "semantic", "manual"]
_Modality: TypeAlias = Literal["audio", "text"]

class MuseTalkError(Exception):
    """Base of every error raised here."""

    kind: str
    """What a host can act on, such as `"buffer_full"`; the same word in every language."""

class InvalidInputError(MuseTalkError, ValueError):
    """An argument or a setting is wrong. Fix the call."""

class NotFoundError(MuseTalkError, LookupError):
    """A pack, an avatar, a library, a file or a model does not exist."""

class CorruptError(MuseTalkError):
    """A file is damaged. Fetch or build it again."""

class IncompatibleError(MuseTalkError):
    """Two sound things do not fit together: a pack and an avatar, a server and its profile."""

class UnsupportedError(MuseTalkError):
    """This build, this file or this server cannot do what was asked."""

class BufferFullError(MuseTalkError, BlockingIOError):
    """No room is left; nothing was taken. Read or drop frames and try again."""

class InterruptedError(MuseTalkError):
    """The utterance was cut. Call `begin` before pushing again."""

class CancelledError(MuseTalkError):
    """The caller cancelled the operation."""

class TimedOutError(MuseTalkError, TimeoutError):
    """The time given has passed. Nothing is lost; call again."""

class IoError(MuseTalkError, OSError):
    """Reading or writing a file failed. The message names the file."""

class DeviceUnavailableError(MuseTalkError):
    """The execution provider could not be started. Another device may work."""

class OutOfMemoryError(MuseTalkError, MemoryError):
    """Host or device memory is exhausted."""

class ClosedError(MuseTalkError):
    """The other end, or the session, has gone. Open another."""

class UnauthorizedError(MuseTalkError, PermissionError):
    """The key is missing, wrong, or may not do this. Another key may."""

class QuotaError(MuseTalkError):
    """The account has no money or quota left. Waiting does not help."""

class UntrustedError(MuseTalkError, ConnectionError):
    """The other end is not who it should be."""

class BusyError(MuseTalkError, ConnectionError):
    """Too many requests. Retry after a pause."""

class RefusedError(MuseTalkError, ConnectionError):
    """The server refused something; the message is its own."""

class NetworkError(MuseTalkError, ConnectionError):
    """The network failed: no host, no connection, or one that broke."""

class InternalError(MuseTalkError):
    """A bug in this library. Please report the message."""

@final
class Engine:
    """A model pack on one device. Heavy: load it once, share it between avatars and threads.

    Loading blocks for as long as the pack takes, without the GIL; Ctrl-C works meanwhile. The ONNX Runtime library is that of the installed
    `onnxruntime` package (or `onnxruntime-gpu`, `onnxruntime-openvino`), which is not imported; `runtime_library` names another one.
    The first engine of a process decides for all.

    Args:
        pack: The pack's folder.
        device: `"auto"`, `"cpu"`, `"cuda:0"`, `"directml:0"`, `"coreml"`, `"openvino"`.
        threads: That share one network call on the CPU, 1 to 256; all cores by default.
        spinning: Idle threads spin between operations: some milliseconds faster, and a core kept busy. Off by default.
        max_batch: Frames of different avatars that share a call at most, 1 to 64.
        runtime_library: The ONNX Runtime library to load.

    Raises:
        NotFoundError: the pack or ONNX Runtime is missing; the message names every place looked at.
        CorruptError, IncompatibleError: the pack or the library cannot be used.
        DeviceUnavailableError, UnsupportedError: the device does not start, or is not in this build.
        OutOfMemoryError: the networks do not fit.
        InvalidInputError: an option is out of range.
    """

    def __new__(
        cls,
        pack: str | PathLike[str],
        *,
        device: str = "auto",
        threads: int | None = None,
        spinning: bool | None = None,
        max_batch: int | None = None,
        runtime_library: str | PathLike[str] | None = None,
    ) -> Self: ...
    def open_avatar(
        self,
        asset: str | PathLike[str],
        *,
        sample_rate: int | None = None,
        format: _Format = "rgb8",
        frames_ahead: int | None = None,
        frames_lent: int | None = None,
        buffer_seconds: int | None = None,
    ) -> Avatar:
        """Open a prepared person. The first avatar of a file reads it; later ones share what was read.

        Args:
            asset: The `.avatar` file.
            sample_rate: Of the pushed PCM in Hz, 8 000 to 192 000; 24 000 by default.
            format: Bytes of a pixel.
            frames_ahead: Frames that may be made ahead of the reader, 4 to 1000; 12 by default.
            frames_lent: Frames, and arrays of them, that you may hold at the same time, 1 to 1000; 4 by default.
            buffer_seconds: Seconds of PCM that may wait, 1 to 3600; 120 by default.

        Raises:
            NotFoundError, IoError, CorruptError: the file cannot be used.
            IncompatibleError: it was made for another pack.
            InvalidInputError: an option is out of range.
            OutOfMemoryError: there is no room for that many frames.
        """

    @property
    def device(self) -> str:
        """Where the networks run; never `"auto"`."""

    @property
    def fps(self) -> Fraction:
        """The rate of the frames."""

    @property
    def pack(self) -> Pack:
        """What it was loaded from."""

    @property
    def runtime_library(self) -> Path:
        """The ONNX Runtime library of this process."""

    @property
    def runtime_version(self) -> str:
        """Its version."""

    def look_ahead(self, sample_rate: int = 24_000) -> timedelta:
        """Sound beyond the end of a frame that must be known before it is made, at most."""

@final
class Pack:
    """What an engine was loaded from."""

    @property
    def folder(self) -> Path: ...
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def precision(self) -> str:
        """`"fp32"` or `"fp16"`."""

    @property
    def encoder_identity(self) -> str:
        """Avatars made with one encoder work with every pack that has it."""

@final
class Avatar:
    """One talking face: PCM in, frames out.

    All methods may be called from any thread; each of the two halves serves one call at a time, and a second one waits. Iterating gives the
    frames of one utterance and then stops; the next loop gives those of the next utterance. Choose one way to read and stay with it: iteration and
    `next_frame` for recording, `latest_at` where you play the sound yourself, `paced` for servers.
    """

    def begin(self) -> int:
        """Begin the next utterance, and finish the one that is open; its number, from 1. The first push after an end implies it.

        Raises:
            BufferFullError: more than a hundred utterances wait to be read.
            ClosedError: the avatar is closed, or a conversation has its listening half.
        """

    def push(self, pcm: _Pcm) -> None:
        """Append mono samples at `sample_rate`: all of them or, on an error, none. Copies, never waits for room.

        Raises:
            BufferFullError: nothing was taken; read frames and try again.
            InterruptedError: the utterance was cut; `begin` the next.
            InvalidInputError: empty, not one-dimensional, another dtype, not finite, or longer than `buffer_seconds` ever hold.
            ClosedError: the avatar is closed, or a conversation has its listening half.
        """

    def finish(self) -> None:
        """End the utterance: every frame still owed is made. Without an open utterance there is nothing to end.

        Raises:
            InterruptedError: the utterance was cut; there is nothing left to end.
        """

    def interrupt(self) -> int | None:
        """Cut everything pushed so far; the last utterance that this cut. The mouth closes within four frames. Any thread."""

    def next_frame(self, timeout: float | None = None) -> Frame | None:
        """Wait for the next speech frame, in order; `None` once for every utterance that was finished or cut.

        Waits without the GIL; Ctrl-C works. A thread that pushed the sound itself is not left to wait for more of it.

        Args:
            timeout: Seconds to wait; for ever by default.

        Raises:
            TimedOutError: no frame was ready in time.
            InvalidInputError: this thread pushes the sound, and the next frame needs more of it.
            BufferFullError: you hold every frame that may be lent; drop one, or copy what you keep.
            ClosedError: the avatar was closed.
        """

    def latest_at(self, heard: Heard | None) -> Frame | None:
        """The newest picture due when `heard` has left the loudspeaker; `None` if the one on screen is still right. Never waits.

        `None`, or an utterance that is unknown, cut or heard to its end, shows idle footage. So does a position that stands still for 120 ms.
        """

    def paced(self) -> Frame:
        """The picture of the next frame period, with exactly the samples of that period in `audio`. Never waits: call it once a period."""

    def ready(self) -> Heard | None:
        """Up to where the utterance that plays, or plays next, has its frames; `None` until its first three are ready: start its sound then."""

    def request_clip(self, name: str) -> None:
        """Ask for a clip of the asset, from any thread; the one asked for last counts. It changes where the footage turns or an utterance begins."""

    def split(self) -> tuple[PcmWriter, FrameReader]:
        """One half for the thread or task that pushes, one for the one that draws. The avatar is used up."""

    def interrupter(self) -> Interrupter:
        """A handle for barge-in that outlives the avatar."""

    @property
    def asset(self) -> AvatarAsset: ...
    @property
    def fps(self) -> Fraction: ...
    @property
    def stats(self) -> Stats: ...
    def close(self) -> None:
        """End the session, from any thread. Whoever waits gets `ClosedError`; frames that were lent stay valid."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> Frame: ...
    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Coroutine[Any, Any, Frame]: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None, /
    ) -> None: ...

@final
class PcmWriter:
    """The listening half of an avatar. Closing or dropping it finishes the utterance, and says that no other will come."""

    def begin(self) -> int:
        """See `Avatar.begin`."""

    def push(self, pcm: _Pcm) -> None:
        """See `Avatar.push`."""

    def finish(self) -> None:
        """See `Avatar.finish`."""

    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None, /
    ) -> None: ...

@final
class FrameReader:
    """The drawing half of an avatar. Iterating waits for the next utterance; once the writer has gone, it raises `ClosedError`."""

    def next_frame(self, timeout: float | None = None) -> Frame | None:
        """See `Avatar.next_frame`; waits for sound that others push."""

    def latest_at(self, heard: Heard | None) -> Frame | None:
        """See `Avatar.latest_at`."""

    def paced(self) -> Frame:
        """See `Avatar.paced`."""

    def request_clip(self, name: str) -> None:
        """See `Avatar.request_clip`."""

    def ready(self) -> Heard | None:
        """See `Avatar.ready`."""

    def interrupter(self) -> Interrupter: ...
    @property
    def asset(self) -> AvatarAsset: ...
    @property
    def fps(self) -> Fraction: ...
    @property
    def stats(self) -> Stats: ...
    def close(self) -> None:
        """See `Avatar.close`."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> Frame: ...
    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Coroutine[Any, Any, Frame]: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None, /
    ) -> None: ...

@final
class Interrupter:
    """Cuts utterances, from any thread."""

    def interrupt(self) -> int | None:
        """See `Avatar.interrupt`."""

    def interrupt_through(self, utterance: int) -> None:
        """Cut this utterance and all before it, and never a later one."""

@final
class AvatarAsset:
    """The person shown: footage, face boxes, and what the networks made of them."""

    @property
    def name(self) -> str: ...
    @property
    def frames(self) -> int:
        """Frames of the footage, of all clips; a base cycle is twice as long, forth and back."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def fps(self) -> Fraction: ...
    @property
    def clips(self) -> list[str]:
        """Names of the clips; the first plays until another is asked for."""

    @property
    def has_alpha(self) -> bool:
        """Whether the fourth byte of a pixel is a matte."""

    @property
    def encoder_identity(self) -> str: ...
    def face_box(self, cycle_index: int) -> tuple[int, int, int, int]:
        """`(x1, y1, x2, y2)` at a position of the base cycle; right and bottom are exclusive."""

    def base_frame(self, cycle_index: int, *, format: _Format = "rgb8") -> npt.NDArray[np.uint8]:
        """`(height, width, channels)`, read only: what `Frame.region` is a difference to. Read and decoded where the footage is not held."""

@final
class Frame(Buffer):
    """One picture with the samples that sound while it is on screen.

    Lent by the library: the frame, and every array and view of it, keeps its memory out of the pool of `frames_lent`. Copy what you keep.
    """

    @property
    def image(self) -> npt.NDArray[np.uint8]:
        """`(height, width, channels)`, rows from top to bottom: a read-only view of library memory, no copy."""

    @property
    def audio(self) -> npt.NDArray[np.float32]:
        """The samples of this picture, at the pushed rate, a read-only view. Those of consecutive frames tile the utterance; empty while idle,
        except from `paced`."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def format(self) -> _Format: ...
    @property
    def index(self) -> int:
        """The number among all pictures that this reader gave, from 0."""

    @property
    def utterance(self) -> int | None:
        """The utterance whose speech it shows; `None` for idle and closing pictures."""

    @property
    def utterance_frame(self) -> int:
        """Its number in its utterance, from 0."""

    @property
    def pts(self) -> timedelta:
        """When to show it: since the first sample of its utterance; from `paced`, since the first call."""

    @property
    def cycle_index(self) -> int:
        """The position in the base cycle."""

    @property
    def clip(self) -> int:
        """The clip that base frame belongs to, as an index of `AvatarAsset.clips`."""

    @property
    def region(self) -> Region:
        """Where it differs from base frame `cycle_index`; empty while idle."""

    def changed_since(self, previous: int) -> Region:
        """Where it may differ from the picture with this `index`."""

    def __buffer__(self, flags: int, /) -> memoryview: ...

@final
class Region:
    """A rectangle of pixels. False when it is empty."""

    @property
    def x(self) -> int: ...
    @property
    def y(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Heard:
    """How much of an utterance the listener has heard: samples that have left the loudspeaker, at the pushed rate."""

    def __new__(cls, utterance: int, samples: int) -> Self: ...
    @staticmethod
    def all(utterance: int) -> Heard:
        """Everything of an utterance: its sound has ended. To be said once."""

    def __getnewargs__(self) -> tuple[int, int]:
        """For `pickle` and `copy`: positions travel between processes."""

    @property
    def utterance(self) -> int: ...
    @property
    def samples(self) -> int: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Stats:
    """What a session has done so far. A snapshot."""

    @property
    def made(self) -> int:
        """Frames that went through the networks."""

    @property
    def still(self) -> int:
        """Speech frames that needed no network: silence."""

    @property
    def shown(self) -> int:
        """Frames handed out, idle ones included."""

    @property
    def skipped(self) -> int:
        """Frames never made, because they would have been late."""

    @property
    def late(self) -> int:
        """Frames made but overtaken."""

    @property
    def under_runs(self) -> int:
        """Periods of `paced` in which an utterance had no frame ready."""

    @property
    def listen(self) -> StageTime: ...
    @property
    def hear(self) -> StageTime: ...
    @property
    def generate(self) -> StageTime: ...
    @property
    def decode(self) -> StageTime: ...
    @property
    def compose(self) -> StageTime: ...
    def latency(self, share: float) -> timedelta:
        """Within which this share (0..1) of the frames was ready after its sound was in, rounded up to a power of two milliseconds."""

@final
class StageTime:
    """The time spent in one stage."""

    @property
    def total(self) -> timedelta: ...
    @property
    def calls(self) -> int: ...
    @property
    def mean(self) -> timedelta: ...

# ── making packs and avatars ──

@final
class Progress:
    """How far long work has come."""

    @property
    def step(self) -> str: ...
    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...

@final
class BuiltPack:
    """What a finished build wrote."""

    @property
    def folder(self) -> Path: ...
    @property
    def bytes(self) -> int: ...
    @property
    def parameters(self) -> int: ...
    @property
    def notes(self) -> list[str]:
        """What a person should know about the checkpoints."""

    @property
    def absent(self) -> list[str]:
        """Networks that were not found and are not needed to speak."""

def build_pack(
    checkpoints: str | PathLike[str],
    out: str | PathLike[str],
    *,
    name: str | None = None,
    description: str | None = None,
    precision: Literal["fp32", "fp16"] = "fp32",
    replace: bool = False,
    progress: Callable[[Progress], object] | None = None,
) -> BuiltPack:
    """Turn a folder of checkpoints into a pack: all of it or nothing. Blocks without the GIL; Ctrl-C cancels.

    Args:
        checkpoints: As MuseTalk publishes them, as Hugging Face does, or under any names.
        out: The folder to be made.
        replace: Whether a pack that is there already is replaced, once the new one is complete.
        progress: Called with every tensor, in bytes of weights. What it raises cancels, leaves nothing behind, and is raised here.

    Raises:
        NotFoundError: something that a pack needs is missing; the message lists all of it.
        CorruptError, IncompatibleError, UnsupportedError: the checkpoints cannot be used.
        InvalidInputError: `out` exists and may not be replaced.
        IoError: reading or writing failed.
    """

def create_avatar(
    engine: Engine,
    out: str | PathLike[str],
    *,
    frames: Iterable[npt.NDArray[np.uint8]],
    boxes: Iterable[tuple[int, int, int, int]],
    masks: Iterable[npt.NDArray[np.uint8]],
    name: str = "avatar",
    progress: Callable[[Progress], object] | None = None,
) -> AvatarAsset:
    """Prepare a person from footage, face boxes and masks, and write the file. Blocks for two encoder calls a frame, without the GIL.

    Args:
        engine: Its encoder makes the latents.
        out: The `.avatar` file.
        frames: `(height, width, 3)` each, the mouth closed.
        boxes: `(x1, y1, x2, y2)` of the face in each frame; right and bottom are exclusive.
        masks: `(side, side)` each: where the square around the face, 1.5 times its longer side, may change; 255 is replaced.
        progress: Called with every frame and mask that was read, and once before the latents. What it raises cancels.

    Raises:
        InvalidInputError: lists of different lengths, pictures of different sizes, a box outside its frame.
        IoError: the file cannot be written.
    """

def create_avatar_from_footage(
    pack: str | PathLike[str],
    footage: str | PathLike[str],
    out: str | PathLike[str],
    *,
    name: str | None = None,
    idle: Literal["auto", "closed", "footage"] = "auto",
    key: Literal["green", "blue"] | None = None,
    max_frames: int | None = None,
    device: str = "auto",
    threads: int | None = None,
    runtime_library: str | PathLike[str] | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> str:
    """Make an avatar of footage and write the file: finds the face in every frame, follows it, and says what it did with each. The pack
    must have face networks. Blocks without the GIL.

    Args:
        pack: The folder of the pack.
        footage: A video (through ffmpeg), a picture, or a folder of pictures.
        out: The `.avatar` file.
        idle: What is shown in silence: `"footage"`, `"closed"` mouths made by the pack, or `"auto"`.
        key: `"green"` or `"blue"` makes a screen of that colour transparent.
        max_frames: The most frames that are looked at.
        device: Where the networks run, as for `Engine`.
        threads: That share one network call on the CPU, 1 to 256; all cores by default.
        runtime_library: The ONNX Runtime library to load.
        progress: Called with every frame, of the steps `looking` and `writing`. What it raises cancels, leaves nothing behind, and is raised here.

    Returns:
        The report as JSON text: a verdict for every frame, and what was decided.

    Raises:
        InvalidInputError: an option is out of range, or there is no usable stretch of footage; the message says why.
        NotFoundError, UnsupportedError: the footage or ffmpeg is missing, or the pack has no face networks.
        DeviceUnavailableError: the device does not start.
        IoError: reading or writing failed.
    """

# ── the conversation ──

@final
class Realtime:
    """A live conversation over OpenAI's Realtime API, or a server that speaks it: voice in, voice out.

    Connects at once; `async with` and `connect` wait until the server has taken the session, and `wait` serves threads without a loop.
    Calls take effect at once and wait for nothing. Events come from `async for`, in one task, or from `wait`.

    Args:
        provider: `"openai"`, `"xai"`, `"qwen"`, `"stepfun"`, `"azure:RESOURCE"`, or a `ws://` or `wss://` address.
        key: Sent in a header, shown nowhere; by default from the provider's variable of the environment, such as `OPENAI_API_KEY`.
        model: The provider's own by default.
        instructions: Who the model is and how it speaks.
        voice: Such as `"marin"`.
        speed: 0.25 to 1.5.
        turn_detection: Who decides that the person has finished: the server by loudness or by meaning, or you, with `press` and `release`.
        transcription: The model that writes down what the person says; off by default.
        language: Of the person, ISO 639-1.
        modality: Voice or writing.
        tools: Functions that the model may call, plain or coroutines. They run by themselves, plain ones on threads of the library, coroutines in the
            loop that runs now.
        avatar: Answers go to this face, interruptions close its mouth. The conversation takes its listening half; read the frames as ever.
        audio_events: Whether `Event.Audio` is told. Turn it off where only the avatar needs the sound.
        prosody: Tell the model when the person sounds louder, higher or faster than usual.

    Raises:
        InvalidInputError: the configuration cannot work.
        UnauthorizedError: no key was given, and the variable is not set.
    """

    def __new__(
        cls,
        provider: str = "openai",
        *,
        key: str | None = None,
        model: str | None = None,
        instructions: str | None = None,
        voice: str | None = None,
        speed: float | None = None,
        turn_detection: _Turns | None = None,
        transcription: str | None = None,
        language: str | None = None,
        modality: _Modality | None = None,
        tools: Iterable[Tool | Callable[..., object]] | None = None,
        avatar: Avatar | PcmWriter | None = None,
        audio_events: bool = True,
        prosody: bool = False,
    ) -> Self: ...
    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Self]:
        """Connect, and wait until the server has taken the session. Takes what `Realtime` takes. The events until then are spent.

        Raises:
            UnauthorizedError, QuotaError, NotFoundError, IncompatibleError, UntrustedError: the server will not talk.
            NetworkError, TimedOutError, BusyError, RefusedError: no connection after several attempts.
        """

    def ready(self) -> Coroutine[Any, Any, None]:
        """Wait until the session is ready. The events until then are spent."""

    def push_audio(self, pcm: _Pcm) -> int:
        """Add the person's voice, mono at the provider's input rate (24 000 Hz at OpenAI); how many samples were dropped, the oldest first.

        Keep pushing silence between turns: the server finds their end in it.

        Raises:
            ClosedError: the session is over.
        """

    @property
    def dropped_audio(self) -> int: ...
    def say(self, text: str) -> None:
        """The person writes this; an answer is asked for."""

    def show(
        self,
        image: npt.NDArray[np.uint8] | bytes,
        text: str | None = None,
        *,
        detail: Literal["auto", "low", "high"] = "auto",
    ) -> None:
        """The person shows a picture: `(height, width, 3)`, or the bytes of a PNG or JPEG; an answer is asked for."""

    def tell(self, text: str) -> None:
        """A rule or a fact for the model, without an answer."""

    def delete_item(self, item_id: str) -> None:
        """Take an item out of the conversation, such as a picture that is of no use any more."""

    def press(self) -> None:
        """Push to talk, key down."""

    def release(self) -> None:
        """Push to talk, key up."""

    def respond(self, instructions: str | None = None) -> None:
        """Ask for an answer, now or as soon as the one being made is done."""

    def aside(self, tag: str, instructions: str) -> None:
        """Ask for an answer in writing beside the conversation; it comes back as `Event.Aside` with this tag."""

    def interrupt(self) -> None:
        """Cut what is being made and what sounds."""

    def heard(self, heard: Heard) -> None:
        """What has left the loudspeaker; of the avatar's utterance where there is one, else of the conversation's. Report it often: when the person
        interrupts, this is what the model is told that was heard."""

    def ended(self, utterance: int) -> None:
        """The sound of this utterance has ended."""

    def update(
        self,
        *,
        instructions: str | None = None,
        voice: str | None = None,
        speed: float | None = None,
        turn_detection: _Turns | None = None,
        modality: _Modality | None = None,
    ) -> None:
        """Change the session; what is not given stays."""

    def tool_output(self, call_id: str, output: str, *, reply: bool = True) -> bool:
        """Answer an `Event.ToolCall` that no function took; `False` if nobody waits for it any more."""

    def approve(self, request_id: str, approve: bool, reason: str | None = None) -> None:
        """Whether a remote tool may run."""

    @property
    def history(self) -> list[Entry]:
        """What was said on both sides, in the order of the conversation."""

    @property
    def usage(self) -> Usage: ...
    @property
    def posture(self) -> Literal["idle", "listening", "thinking", "working", "speaking"]:
        """What the face should look like it is doing."""

    @property
    def output_rate(self) -> int:
        """The rate of the answers in Hz; open the avatar with it."""

    def close(self) -> None:
        """End the session: the connection is closed within a second. The events end."""

    def wait(self, timeout: float | None = None) -> Event | None:
        """The next event, for threads without a loop; `None` when the session is over. Waits without the GIL; Ctrl-C works.

        Raises:
            TimedOutError: nothing happened in time.
        """

    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Coroutine[Any, Any, Event]: ...
    def __aenter__(self) -> Coroutine[Any, Any, Self]: ...
    def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None, /
    ) -> Coroutine[Any, Any, None]: ...

@final
class Tool:
    """A function that the model may call, plain or a coroutine.

    Name, description and parameters come from the function where they are not given: its name, its docstring, its annotations.
    The function gets the arguments as keywords; what it returns is told to the model, as it is if it is text, else as JSON. What it raises is
    told too.

    Args:
        reply: Whether the model should say something about the answer.
    """

    __slots__ = ("description", "function", "name", "parameters", "reply")
    function: Callable[..., object]
    name: str
    description: str
    parameters: Mapping[str, Any]
    reply: bool
    def __init__(
        self,
        function: Callable[..., object],
        *,
        name: str | None = None,
        description: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        reply: bool = True,
    ) -> None: ...

_Status: TypeAlias = Literal["in_progress", "completed", "cancelled", "failed", "incomplete", "other"]

class Event:
    """What happened in a conversation, to be taken apart with `match`."""

    @final
    class State(Event):
        """The connection changed: `connecting`, `ready`, `reconnecting` after a pause, `closed`, with why."""

        __match_args__ = ("state", "attempt", "after", "error")
        def __new__(cls, state: Literal["connecting", "ready", "reconnecting", "closed", "unknown"], attempt: int | None, after: timedelta | None, error: MuseTalkError | None) -> Self: ...
        @property
        def state(self) -> Literal["connecting", "ready", "reconnecting", "closed", "unknown"]: ...
        @property
        def attempt(self) -> int | None: ...
        @property
        def after(self) -> timedelta | None: ...
        @property
        def error(self) -> MuseTalkError | None: ...

    @final
    class Posture(Event):
        """The face should look different."""

        __match_args__ = ("posture",)
        def __new__(cls, posture: Literal["idle", "listening", "thinking", "working", "speaking"]) -> Self: ...
        @property
        def posture(self) -> Literal["idle", "listening", "thinking", "working", "speaking"]: ...

    @final
    class Updated(Event):
        """The server took a change of the session."""

        __match_args__ = ()
        def __new__(cls) -> Self: ...

    @final
    class SpeechStarted(Event):
        """The person begins to speak."""

        __match_args__ = ("item_id",)
        def __new__(cls, item_id: str) -> Self: ...
        @property
        def item_id(self) -> str: ...

    @final
    class SpeechStopped(Event):
        """The person has stopped."""

        __match_args__ = ("item_id",)
        def __new__(cls, item_id: str) -> Self: ...
        @property
        def item_id(self) -> str: ...

    @final
    class TurnTooShort(Event):
        """Less than 100 ms between press and release: nothing was sent."""

        __match_args__ = ()
        def __new__(cls) -> Self: ...

    @final
    class UserText(Event):
        """A piece of what the person says."""

        __match_args__ = ("item_id", "delta")
        def __new__(cls, item_id: str, delta: str) -> Self: ...
        @property
        def item_id(self) -> str: ...
        @property
        def delta(self) -> str: ...

    @final
    class UserSaid(Event):
        """What the person said. May come after the answer has begun."""

        __match_args__ = ("item_id", "text")
        def __new__(cls, item_id: str, text: str) -> Self: ...
        @property
        def item_id(self) -> str: ...
        @property
        def text(self) -> str: ...

    @final
    class UserSegment(Event):
        """A stretch of speech with its speaker, in seconds from the start of the turn."""

        __match_args__ = ("item_id", "speaker", "text", "start", "end")
        def __new__(cls, item_id: str, speaker: str, text: str, start: float, end: float) -> Self: ...
        @property
        def item_id(self) -> str: ...
        @property
        def speaker(self) -> str: ...
        @property
        def text(self) -> str: ...
        @property
        def start(self) -> float: ...
        @property
        def end(self) -> float: ...

    @final
    class UserUnwritten(Event):
        """What the person said could not be written down; the turn goes on."""

        __match_args__ = ("item_id", "error")
        def __new__(cls, item_id: str, error: MuseTalkError) -> Self: ...
        @property
        def item_id(self) -> str: ...
        @property
        def error(self) -> MuseTalkError: ...

    @final
    class Began(Event):
        """An answer will sound: its first samples follow. Counted from 1."""

        __match_args__ = ("utterance",)
        def __new__(cls, utterance: int) -> Self: ...
        @property
        def utterance(self) -> int: ...

    @final
    class Audio(Event):
        """Samples of an answer at `output_rate`, in order, faster than they sound."""

        __match_args__ = ("utterance", "pcm")
        def __new__(cls, utterance: int, pcm: npt.NDArray[np.int16]) -> Self: ...
        @property
        def utterance(self) -> int: ...
        @property
        def pcm(self) -> npt.NDArray[np.int16]: ...

    @final
    class Ended(Event):
        """All samples of an answer were told. It sounds on."""

        __match_args__ = ("utterance",)
        def __new__(cls, utterance: int) -> Self: ...
        @property
        def utterance(self) -> int: ...

    @final
    class Interrupted(Event):
        """Stop the sound of this utterance now."""

        __match_args__ = ("utterance",)
        def __new__(cls, utterance: int) -> Self: ...
        @property
        def utterance(self) -> int: ...

    @final
    class Transcript(Event):
        """A piece of what is being said; usually ahead of the sound."""

        __match_args__ = ("item_id", "delta")
        def __new__(cls, item_id: str, delta: str) -> Self: ...
        @property
        def item_id(self) -> str: ...
        @property
        def delta(self) -> str: ...

    @final
    class Said(Event):
        """All of what is said in a part of an answer."""

        __match_args__ = ("item_id", "text")
        def __new__(cls, item_id: str, text: str) -> Self: ...
        @property
        def item_id(self) -> str: ...
        @property
        def text(self) -> str: ...

    @final
    class Text(Event):
        """A piece of a written answer."""

        __match_args__ = ("item_id", "delta")
        def __new__(cls, item_id: str, delta: str) -> Self: ...
        @property
        def item_id(self) -> str: ...
        @property
        def delta(self) -> str: ...

    @final
    class Wrote(Event):
        """A written answer."""

        __match_args__ = ("item_id", "text")
        def __new__(cls, item_id: str, text: str) -> Self: ...
        @property
        def item_id(self) -> str: ...
        @property
        def text(self) -> str: ...

    @final
    class ToolCall(Event):
        """The model asks for a function. One that was given as a tool runs by itself; else answer with `tool_output`."""

        __match_args__ = ("call_id", "name", "arguments")
        def __new__(cls, call_id: str, name: str, arguments: str) -> Self: ...
        @property
        def call_id(self) -> str: ...
        @property
        def name(self) -> str: ...
        @property
        def arguments(self) -> str: ...

    @final
    class ApprovalRequested(Event):
        """The model asks whether a remote tool may run; answer with `approve`."""

        __match_args__ = ("request_id", "server_label", "name", "arguments")
        def __new__(cls, request_id: str, server_label: str, name: str, arguments: str) -> Self: ...
        @property
        def request_id(self) -> str: ...
        @property
        def server_label(self) -> str: ...
        @property
        def name(self) -> str: ...
        @property
        def arguments(self) -> str: ...

    @final
    class Aside(Event):
        """An answer beside the conversation."""

        __match_args__ = ("tag", "text", "status")
        def __new__(cls, tag: str, text: str, status: _Status) -> Self: ...
        @property
        def tag(self) -> str: ...
        @property
        def text(self) -> str: ...
        @property
        def status(self) -> _Status: ...

    @final
    class ResponseDone(Event):
        """An answer is over on the server. It may sound on."""

        __match_args__ = ("response_id", "status")
        def __new__(cls, response_id: str, status: _Status) -> Self: ...
        @property
        def response_id(self) -> str: ...
        @property
        def status(self) -> _Status: ...

    @final
    class RateLimit(Event):
        """What may still be asked for."""

        __match_args__ = ("name", "limit", "remaining", "reset_seconds")
        def __new__(cls, name: str, limit: float, remaining: float, reset_seconds: float) -> Self: ...
        @property
        def name(self) -> str: ...
        @property
        def limit(self) -> float: ...
        @property
        def remaining(self) -> float: ...
        @property
        def reset_seconds(self) -> float: ...

    @final
    class Problem(Event):
        """The server refused something, or something went wrong on the way; the session goes on."""

        __match_args__ = ("error", "about")
        def __new__(cls, error: MuseTalkError, about: str | None) -> Self: ...
        @property
        def error(self) -> MuseTalkError: ...
        @property
        def about(self) -> str | None: ...

    @final
    class Unknown(Event):
        """The server said something that this library does not know."""

        __match_args__ = ("kind",)
        def __new__(cls, kind: str) -> Self: ...
        @property
        def kind(self) -> str: ...

    @final
    class Malformed(Event):
        """The server said something that does not fit its own protocol; it was passed over."""

        __match_args__ = ("kind", "reason")
        def __new__(cls, kind: str, reason: str) -> Self: ...
        @property
        def kind(self) -> str: ...
        @property
        def reason(self) -> str: ...

class Entry:
    """One turn, or one step of a tool, of a conversation."""

    @final
    class Said(Entry):
        """Somebody said or wrote something; of a cut answer, about what was heard of it."""

        __match_args__ = ("item_id", "role", "text", "cut", "complete")
        def __new__(cls, item_id: str, role: Literal["system", "user", "assistant", "other"], text: str, cut: bool, complete: bool) -> Self: ...
        @property
        def item_id(self) -> str: ...
        @property
        def role(self) -> Literal["system", "user", "assistant", "other"]: ...
        @property
        def text(self) -> str: ...
        @property
        def cut(self) -> bool: ...
        @property
        def complete(self) -> bool: ...

    @final
    class Called(Entry):
        """The model asked for a function."""

        __match_args__ = ("item_id", "call_id", "name", "arguments", "complete")
        def __new__(cls, item_id: str, call_id: str, name: str, arguments: str, complete: bool) -> Self: ...
        @property
        def item_id(self) -> str: ...
        @property
        def call_id(self) -> str: ...
        @property
        def name(self) -> str: ...
        @property
        def arguments(self) -> str: ...
        @property
        def complete(self) -> bool: ...

    @final
    class Answered(Entry):
        """A function answered."""

        __match_args__ = ("item_id", "call_id", "output", "complete")
        def __new__(cls, item_id: str, call_id: str, output: str, complete: bool) -> Self: ...
        @property
        def item_id(self) -> str: ...
        @property
        def call_id(self) -> str: ...
        @property
        def output(self) -> str: ...
        @property
        def complete(self) -> bool: ...

@final
class Usage:
    """What a conversation has cost so far, in tokens."""

    @property
    def responses(self) -> int: ...
    @property
    def text_in(self) -> int: ...
    @property
    def audio_in(self) -> int: ...
    @property
    def image_in(self) -> int: ...
    @property
    def cached_in(self) -> int: ...
    @property
    def text_out(self) -> int: ...
    @property
    def audio_out(self) -> int: ...
    @property
    def transcription_tokens(self) -> int: ...
    @property
    def transcription_seconds(self) -> float: ...

@final
class ScriptedServer:
    """A server of this machine that speaks from a script, to try a conversation without a key or a network. Dropped, it stops.

    Args:
        answers: What it says, turn by turn, from the start again after the last. When empty it repeats what it was told.
        answer_seconds: How long an answer is; by its text when `None`.
        pace: From one piece of an answer to the next; everything in one burst by default.
        calls_functions: Calls every declared function before it answers.
        transcript: What it was understood to have heard.
        voice: Its voice at 24 kHz; synthetic by default.
    """

    def __new__(
        cls,
        answers: list[str] = ...,
        *,
        answer_seconds: float | None = None,
        pace: timedelta | None = None,
        calls_functions: bool = False,
        transcript: str | None = None,
        voice: _Pcm | None = None,
    ) -> Self: ...
    @property
    def url(self) -> str:
        """Its address, for `Realtime`."""

    @property
    def samples(self) -> int:
        """Samples of the person's voice that have come."""

    @property
    def connections(self) -> int: ...
    @property
    def closed(self) -> int: ...
    @property
    def seen(self) -> list[dict[str, Any]]:
        """What clients have sent, without their sound."""
